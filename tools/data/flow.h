/* SPDX-License-Identifier: GPL-2.0 */
/* A flow as the tool knows it, from the kernel or from a capture. */
#ifndef DATA_FLOW_H
#define DATA_FLOW_H

#include "data/tuple.h"

struct flow_end {
	u8 state;
	u64 history;		/* as in data/history.h */
	u64 dwell;
	u64 packets, bytes;
	u64 cookie;		/* 0: no local socket */
	bool has_uid;
	u32 uid;
	struct tuple sk;	/* the socket's own if family is set; src is this end's */
};

struct flow {
	u64 id;
	struct tuple tuple;
	u32 ifindex;
	u32 flags;		/* TCPFSM_F_* */
	u32 step;
	u64 start, idle;
	u32 refused;		/* segments; FLOW_REFUSED_MAX: or more */
	u8 reason;		/* TCPFSM_REASON_UNSET: it is alive */
	struct flow_end end[TCPFSM_ENDS];
};

#define FLOW_REFUSED_MAX	255

/* Is this end of the flow a socket of this host? */
bool is_local_end(const struct flow *f, unsigned int end);

#define FMT_FLAGS	256
#define FMT_PAIR	32

/* ORIG:RESP */
char *fmt_pair(char *buf, unsigned int orig, unsigned int resp);
/* Names of the flags, with commas between; a dash for none */
char *fmt_flags(char *buf, u32 flags);

#endif
