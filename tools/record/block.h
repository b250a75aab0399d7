/* SPDX-License-Identifier: GPL-2.0 */
/* What a block of a record holds, as it is collected and as it is read again. */
#ifndef RECORD_BLOCK_H
#define RECORD_BLOCK_H

#include "data/event.h"
#include "data/flow.h"
#include "data/stats.h"
#include "lib/buffer.h"

#define BLOCK_NONE	(~0U)	/* no index */

/* A flow of which there are moves in the block. */
struct block_flow {
	u64 id;
	u64 start;			/* 0: not known */
	struct tuple tuple;
	u8 state[TCPFSM_ENDS];		/* before its first move here */
	u32 netns;			/* index */
	u32 first, last, moves;		/* of its moves, and how many */
	struct nat nat;
	struct process process[TCPFSM_ENDS];	/* pid 0: not known */
};

struct block_move {
	u64 when, dwell;
	u32 step, next;			/* the flow's next */
	u32 flow;
	u8 end, from, to, cause, flags;
};

/* A flow that ended. */
struct block_end {
	u64 when;
	u32 netns;
	struct flow flow;		/* netns and process unset */
	struct process process[TCPFSM_ENDS];
};

struct block_loss {
	u64 when, count, first;
	char group[16];
	u32 cpu;			/* BLOCK_NONE: of all */
	u32 netns;
};

/* How far a counter of the module has grown since the last block. */
struct block_growth {
	u64 growth;
	char name[64];
	u32 netns;
};

struct block {
	u64 first, last;		/* of all that is in it, ns since 1970 */
	struct { struct netns *at; size_t n, room; } netns;
	struct { struct block_flow *at; size_t n, room; } flow;
	struct { struct block_move *at; size_t n, room; } move;
	struct { struct block_end *at; size_t n, room; } end;
	struct { struct block_loss *at; size_t n, room; } loss;
	struct { struct block_growth *at; size_t n, room; } growth;
	u32 *slot;			/* of flows by hash, BLOCK_NONE: free; to collect them */
	size_t slots;			/* a power of two, or 0 */
};

/* @f: its states are those after the move. */
void block_add_event(struct block *b, const struct flow *f, const struct event *e);
void block_add_end(struct block *b, const struct flow *f);
void block_add_loss(struct block *b, const struct loss *l, u64 when);
void block_add_growth(struct block *b, const struct netns *ns, const char *name, u64 growth,
		      u64 when);
/* Empties it, and keeps its memory. */
void block_reset(struct block *b);
void block_free(struct block *b);

/* Writes the body into *@body. */
struct codec;
void block_pack(const struct block *b, struct codec *c, struct buffer *body);
/* Return: false, and @b is empty, if the body is damaged */
bool block_unpack(struct block *b, const void *body, size_t len);

#endif
