/* SPDX-License-Identifier: GPL-2.0 */
/* The tree that grammar and terms build, and that evaluation and pushdown walk. */
#ifndef FILTER_NODE_H
#define FILTER_NODE_H

#include "filter/filter.h"
#include "lib/base.h"

enum node_kind {
	NODE_AND,		/* of left and right */
	NODE_OR,
	NODE_NOT,		/* of left */
	NODE_STATE,		/* an end of ends is in one of states */
	NODE_PAIR,
	NODE_FAMILY,
	NODE_HOST,		/* address, prefix, port of an end */
	NODE_PORT,
	NODE_AGE,
	NODE_IDLE,
	NODE_DWELL,
	NODE_FROM,		/* of a transition: it left one of states */
	NODE_TO,
	NODE_CAUSE,
	NODE_REASON,
	NODE_FLAG,
	NODE_ID,
};

enum node_op { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE };

#define ENDS_ORIG	(1U << TCPFSM_ORIG)
#define ENDS_RESP	(1U << TCPFSM_RESP)
#define ENDS_ANY	(ENDS_ORIG | ENDS_RESP)

struct filter {
	enum node_kind kind;
	struct filter *left, *right;
	u8 ends;		/* the ends at which it may hold, ENDS_* */
	enum node_op op;
	u64 value;		/* port, ns, reason, flags, id, family */
	u32 states;
	u8 pair[TCPFSM_ENDS];
	u8 family, len;		/* NODE_HOST: family 0 without an address */
	bool has_port;
	u16 port;
	u8 addr[16];
};

struct filter *node_new(enum node_kind kind);
/* Takes both over; NULL if either is. NODE_NOT has no right one. */
struct filter *node_join(enum node_kind kind, struct filter *left, struct filter *right);

#endif
