/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What flows tell of themselves. Sinks (stats, service, log, event, trace) see reports and never a
 * flow.
 */
#ifndef _TCPFSM_REPORT_H
#define _TCPFSM_REPORT_H

#include <linux/uidgid.h>

#include "core/tfsm.h"
#include "tuple.h"

struct tcpfsm_net;
struct tcpfsm_service;

/* A local socket, as it was when it last sent. */
struct tcpfsm_socket {
	u64		  cookie;	/* 0: not seen */
	kuid_t		  uid;
	u32		  ifindex;	/* the device that it is bound to, or 0 */
	__be16		  sport, dport;	/* its own view, where NAT made it another */
	union tcpfsm_addr src, dst;
};

/* The last ICMP error of a sort, and how many in a row; 0: there was none. */
struct tcpfsm_told {
	union tcpfsm_addr origin;
	u32		  count;
	u32		  mtu;		/* that it told; 0: none */
	u8		  type, code;
	u8		  end;		/* whose segment it quotes */
	bool		  pends;	/* nothing has been acknowledged since the first */
};

/* A flow as users see it, copied under its lock. */
struct tcpfsm_snap {
	u64		  id;
	struct tcpfsm_flow_tuple tuple;
	struct tcpfsm_net *tn;
	u32		  flags;	/* TCPFSM_F_* */
	u32		  step;		/* of its last transition */
	u32		  idle;		/* jiffies */
	u8		  reason;	/* enum tcpfsm_reason; UNSET while it lives */
	u8		  refused;	/* segments; 255: or more */
	u8		  state[TCPFSM_ENDS];
	u64		  start;	/* ktime */
	u64		  since[TCPFSM_ENDS];	/* ktime of the last transition */
	u32		  history[TCPFSM_ENDS];	/* 8 states of 4 bits, latest lowest */
	u64		  bytes[TCPFSM_ENDS];
	u64		  packets[TCPFSM_ENDS];
	struct tcpfsm_socket socket[TCPFSM_ENDS];
	struct tcpfsm_told   told[TFSM_ICMP_SORTS];	/* ICMP errors, by sort */
};

/*
 * Transitions on their way to the sinks: filled under the flow's lock, delivered after it
 * (commit.h).
 */
struct tcpfsm_report {
	struct tcpfsm_net *tn;
	struct tcpfsm_service *service;
	struct tcpfsm_service *left;	/* the row that the flow was in until now, or NULL */
	u64		  now;		/* ktime */
	u64		  age;		/* of the flow, ns */
	u64		  notes;	/* bit n: enum tfsm_note n */
	u16		  step;		/* of the first move */
	u8		  moves;
	u8		  ends;		/* that moved, a mask */
	u8		  before[TCPFSM_ENDS];	/* UNSET: the flow is new */
	u8		  after[TCPFSM_ENDS];
	u8		  reason;	/* why the flow has ended; UNSET: it has not */
	bool		  opened;
	bool		  midstream;
	bool		  told;		/* somebody listens: all of snap is valid */
	const struct tfsm_move *move;	/* those of the struct tfsm_out that it was filled from */
	u64		  dwell[TFSM_MOVES_MAX];	/* ns */
	struct tcpfsm_snap snap;	/* if moves: id and tuple are valid */
};

#endif /* _TCPFSM_REPORT_H */
