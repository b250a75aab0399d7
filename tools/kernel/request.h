/* SPDX-License-Identifier: GPL-2.0 */
/* Requests as messages. Private to the room. */
#ifndef KERNEL_REQUEST_H
#define KERNEL_REQUEST_H

#include <libmnl/libmnl.h>

#include "data/tuple.h"
#include "filter/pushdown.h"

#define REQUEST_SIZE	1024

/* A request for a generic netlink family; the sequence number is up to the caller. */
struct nlmsghdr *request_begin(char *buf, u16 family, u8 cmd, u8 version, u16 flags);
void request_put_filter(struct nlmsghdr *nlh, const struct kernel_filter *f);
void request_put_tuple(struct nlmsghdr *nlh, const struct tuple *t);

#endif
