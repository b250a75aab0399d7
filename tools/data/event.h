/* SPDX-License-Identifier: GPL-2.0 */
/* A transition: one end of a flow moves from one state to another. */
#ifndef DATA_EVENT_H
#define DATA_EVENT_H

#include "data/netns.h"
#include "data/process.h"
#include "data/tuple.h"

struct nat;

struct event {
	u64 seq;
	u64 flow;
	u64 when, dwell;
	u32 step;
	u8 end, from, to, cause;
	u8 flags;		/* TCPFSM_T_* */
	u32 ring;		/* 1 + the CPU whose log it is from, and numbers it; 0: of none */
	const struct tuple *tuple;	/* NULL: not known */
	const struct netns *netns;	/* NULL: a capture's */
	const struct process *process[TCPFSM_ENDS];	/* that have the sockets; or NULL */
	const struct nat *nat;	/* NULL: not translated, as far as is known */
};

/*
 * Events that never came, of the group "transition" or "flow", or of the "log"; or that came, and
 * did not reach the "record".
 */
struct loss {
	const char *group;
	u64 count, first;	/* the numbers from @first on; 0: not known by number */
	int cpu;		/* -1: of all */
	const struct netns *netns;
};

#endif
