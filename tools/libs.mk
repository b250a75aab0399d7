# SPDX-License-Identifier: GPL-2.0
# What the tool links with, as pkg-config calls it.
LIBS := libmnl libpcap jansson libnetfilter_conntrack ncursesw libmicrohttpd libcurl libfixbuf libzstd zlib
