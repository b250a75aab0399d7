/* SPDX-License-Identifier: GPL-2.0 */
/* A flow as the tool knows it, from the kernel or from a capture. */
#ifndef DATA_FLOW_H
#define DATA_FLOW_H

#include "data/netns.h"
#include "data/process.h"
#include "data/tuple.h"

/* How both ends know a connection whose addresses are translated on its way (NAT). */
struct nat {
	bool known;		/* false: it is not translated, or nobody has asked */
	struct tuple orig;	/* as orig sends it */
	struct tuple resp;	/* as resp receives it; src is orig's side all the same */
};

struct flow_end {
	u8 state;
	u64 history;		/* as in data/history.h */
	u64 dwell;
	u64 packets, bytes;
	u64 cookie;		/* 0: no local socket */
	bool has_uid;
	u32 uid;
	struct tuple sk;	/* the socket's own if family is set; src is this end's */
	const struct process *process;	/* NULL: none, not known, or nobody has asked */
};

/* The last ICMP error of a sort that quoted a segment of a flow. */
struct told {
	u32 count;		/* in a row; 0: there was none, or no memory for it */
	u32 mtu;		/* that it told; 0: none */
	u8 type, code;		/* of ICMP or ICMPv6, by the flow's family */
	u8 end;			/* whose segment */
	bool pends;		/* nothing has been acknowledged since the first in the row */
	u8 origin[16];		/* who said it */
};

/* The sorts, numbered as the engine's. */
enum { TOLD_UNREACHABLE, TOLD_MTU, TOLD_SORTS };

struct flow {
	u64 id;
	const struct netns *netns;	/* NULL: a capture's */
	struct tuple tuple;
	u32 ifindex;
	u32 flags;		/* TCPFSM_F_* */
	u32 step;
	u64 start, idle;
	u64 ended;		/* when; 0: it lives, or nobody knows */
	u32 refused;		/* segments; FLOW_REFUSED_MAX: or more */
	u8 reason;		/* TCPFSM_REASON_UNSET: it is alive */
	struct flow_end end[TCPFSM_ENDS];
	struct told told[TOLD_SORTS];
	struct nat nat;
};

#define FLOW_REFUSED_MAX	255

/* Is this end of the flow a socket of this host? */
bool is_local_end(const struct flow *f, unsigned int end);

#define FMT_FLAGS	256
#define FMT_TOLD	256
#define FMT_HOLDERS	128
#define FMT_PAIR	32

/* ORIG:RESP */
char *fmt_pair(char *buf, unsigned int orig, unsigned int resp);
/* 10.0.0.1: host unreachable (3/1), of orig's segments, 2 times; with @pends, also if it pends */
char *fmt_told(char *buf, const struct flow *f, unsigned int sort, bool pends);
/* Names of the flags, with commas between; a dash for none */
char *fmt_flags(char *buf, u32 flags);
/* orig:curl(4711),resp:nginx(815), of those that are known; nothing for none */
char *fmt_holders(char *buf, const struct flow *f);

#endif
