/* SPDX-License-Identifier: GPL-2.0 */
/* Who responds at an address and port, over all flows to it. */
#ifndef DATA_SERVICE_H
#define DATA_SERVICE_H

#include "data/netns.h"
#include "data/tuple.h"

/* Family 0: the sum of all those for whom the module had no room. */
struct service {
	const struct netns *netns;	/* NULL: a capture's */
	u8 family, addr[16];
	u16 port;
	u64 count[TCPFSM_STATES];	/* of the responding ends, now */
	u64 flows, handshakes, refused, reset, synack_resent;	/* so far */
	u64 unreachable, mtu;					/* ICMP errors so far */
	u64 connects, connect_ns, accepts, accept_ns;		/* how many, and their sum */
};

#define FMT_SERVICE	FMT_ENDPOINT

/* ADDR:PORT, or "other" */
char *fmt_service(char *buf, const struct service *s);

#endif
