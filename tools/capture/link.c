// SPDX-License-Identifier: GPL-2.0
#include <net/ethernet.h>
#include <pcap/dlt.h>

#include "capture/link.h"

#define ETHERTYPE_QINQ		0x88a8
#define ETHERTYPE_QINQ_OLD	0x9100

bool link_is_known(int link)
{
	switch (link) {
	case DLT_EN10MB:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_NULL:
	case DLT_LOOP:
		return true;
	}
	return false;
}

bool link_skip(struct cursor *c, int link, u16 *type)
{
	const u8 *p = c->p;

	*type = 0;
	switch (link) {
	case DLT_EN10MB:
		if (!cursor_skip(c, 14))
			return false;
		*type = read_be16(p + 12);
		break;
	case DLT_LINUX_SLL:
		if (!cursor_skip(c, 16))
			return false;
		*type = read_be16(p + 14);
		break;
	case DLT_LINUX_SLL2:
		if (!cursor_skip(c, 20))
			return false;
		*type = read_be16(p);
		break;
	case DLT_NULL:
	case DLT_LOOP:
		/* An address family, in some host's byte order. The version of IP tells, too. */
		return cursor_skip(c, 4);
	default:
		return true;
	}
	while (*type == ETHERTYPE_VLAN || *type == ETHERTYPE_QINQ || *type == ETHERTYPE_QINQ_OLD) {
		p = c->p;
		if (!cursor_skip(c, 4))
			return false;
		*type = read_be16(p + 2);
	}
	return true;
}
