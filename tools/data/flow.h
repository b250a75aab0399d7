/* SPDX-License-Identifier: GPL-2.0 */
/* A flow and a transition as the tool knows them, from the kernel or from a capture. */
#ifndef FLOW_H
#define FLOW_H

#include "lib/fmt.h"

struct flow_end {
	u8 state;
	u64 history;		/* latest in the lowest 4 bits */
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
	u32 refused;		/* segments, 255: or more */
	u8 reason;		/* TCPFSM_REASON_UNSET: alive */
	struct flow_end end[TCPFSM_ENDS];
};

/* One transition. */
struct event {
	u64 seq;
	u64 flow;
	u64 when, dwell;
	u32 step;
	u8 end, from, to, cause;
	u8 flags;		/* TCPFSM_T_* */
	const struct tuple *tuple;	/* NULL: not known */
};

#define FLOW_HISTORY	16

/* Take the states of a history apart, oldest first. Return: how many */
unsigned int history_states(u64 history, u8 *state);

#define FMT_FLAGS	256
#define FMT_HISTORY	(FLOW_HISTORY * 12 + 1)
#define FMT_PAIR	32

/* ORIG:RESP */
char *fmt_pair(char *buf, unsigned int orig, unsigned int resp);
/* Names of the flags, a comma between; a dash for none */
char *fmt_flags(char *buf, u32 flags);
/* The states of a history, oldest first, > between. Return: where they end. */
char *put_history(char *p, u64 history);

void flow_header(void);
/* A flow that lives. */
void flow_print(const struct flow *f);
/* The same, as a member of a JSON document. */
void flow_json(const char *key, const struct flow *f);
/* A flow of a capture, at the capture's end. */
void flow_print_final(const struct flow *f);

void event_print(const struct event *e);

/* Events that never came: @first and following of a group ("transition", "flow") and CPU. */
void lost_print(u64 count, const char *group, int cpu, u64 first);

#endif
