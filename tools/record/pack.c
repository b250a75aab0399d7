// SPDX-License-Identifier: GPL-2.0
/* The body of a block: what is written and what is read in one function for each. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/memory.h"
#include "record/block.h"
#include "record/codec.h"

/* What there is of a thing beside what always is. */
#define HAS_NETNS	1U	/* not that of the thing before */
#define HAS_NAT		2U
#define HAS_PROCESS	4U	/* and 8 for resp */
#define HAS_TUPLE	16U
#define HAS_IPV6	32U
#define HAS_START	64U

/* Flags of a move, above the module's own. */
#define MOVE_RESP	1U
#define MOVE_NEXT	2U	/* its step follows the flow's move before, or is the first */
#define MOVE_SINCE	4U	/* it has been in its state since the end's move before */
#define MOVE_FLAGS	3	/* bits */

/* Flags of an end. */
#define END_UID		1U
#define END_COOKIE	2U
#define END_SOCKET	4U

static void code_netns_index(struct codec *c, u32 *netns)
{
	CODE(c, COLUMN_REST, *netns);
	c->bad |= *netns != BLOCK_NONE && *netns >= c->nr_netns;
}

/* Tables are indexed by it. */
static bool is_state(unsigned int state)
{
	return state < TCPFSM_STATES;
}

static void code_addresses(struct codec *c, struct tuple *t, bool ip6)
{
	unsigned int len = ip6 ? 16 : 4;

	t->family = ip6 ? AF_INET6 : AF_INET;
	codec_bytes(c, COLUMN_ADDRESSES, t->src, len);
	codec_bytes(c, COLUMN_ADDRESSES, t->dst, len);
	codec_bytes(c, COLUMN_PORTS, &t->sport, sizeof(t->sport));
	codec_bytes(c, COLUMN_PORTS, &t->dport, sizeof(t->dport));
}

static void code_process(struct codec *c, struct process *p)
{
	CODE(c, COLUMN_REST, p->pid);
	CODE(c, COLUMN_REST, p->fd);
	CODE(c, COLUMN_REST, p->inode);
	codec_string(c, COLUMN_REST, p->name, sizeof(p->name));
}

/* What flows have in common, whether they end or move. */
struct parts {
	struct tuple *tuple;
	struct nat *nat;
	struct process *process;	/* of both ends */
	u32 *netns;
	u64 *start;
};

static u32 parts_there(const struct parts *p, u32 netns)
{
	u32 has = 0;

	if (*p->netns != netns)
		has |= HAS_NETNS;
	if (p->nat->known)
		has |= HAS_NAT;
	if (p->process[TCPFSM_ORIG].pid)
		has |= HAS_PROCESS << TCPFSM_ORIG;
	if (p->process[TCPFSM_RESP].pid)
		has |= HAS_PROCESS << TCPFSM_RESP;
	if (p->tuple->family)
		has |= HAS_TUPLE;
	if (p->tuple->family == AF_INET6)
		has |= HAS_IPV6;
	if (*p->start)
		has |= HAS_START;
	return has;
}

/* @netns: of the thing before, and then of this one */
static void code_parts(struct codec *c, const struct parts *p, u32 *netns)
{
	u32 has = c->reads ? 0 : parts_there(p, *netns);
	unsigned int i;

	CODE(c, COLUMN_HEADS, has);
	*p->netns = c->reads ? *netns : *p->netns;
	if (has & HAS_NETNS)
		code_netns_index(c, p->netns);
	*netns = *p->netns;
	if (has & HAS_TUPLE)
		code_addresses(c, p->tuple, has & HAS_IPV6);
	if (has & HAS_NAT) {
		p->nat->known = true;
		code_addresses(c, &p->nat->orig, has & HAS_IPV6);
		code_addresses(c, &p->nat->resp, has & HAS_IPV6);
	}
	for (i = 0; i < TCPFSM_ENDS; i++)
		if (has & HAS_PROCESS << i)
			code_process(c, &p->process[i]);
	if (has & HAS_START)
		codec_delta(c, COLUMN_TIMES, p->start, &c->start);
}

/* ---- moves ---- */

/* Where the flow is after its moves so far. */
struct progress {
	u32 step;
	u64 when;			/* of its last move */
	u64 since[TCPFSM_ENDS];		/* of each end's last one, 0: none here */
};

static u32 move_flags(const struct block_move *m, const struct progress *p)
{
	u32 flags = (u32)m->flags << MOVE_FLAGS;
	u64 since = p->since[m->end];

	if (m->end == TCPFSM_RESP)
		flags |= MOVE_RESP;
	if (m->step == p->step + 1)
		flags |= MOVE_NEXT;
	if (since && m->when - since == m->dwell)
		flags |= MOVE_SINCE;
	return flags;
}

static void code_move(struct codec *c, struct block_move *m, struct progress *p)
{
	u32 flags = c->reads ? 0 : move_flags(m, p);
	u8 states = m->from << 4 | m->to;

	codec_byte(c, COLUMN_MOVES, &states);
	codec_byte(c, COLUMN_MOVES, &m->cause);
	CODE(c, COLUMN_MOVES, flags);
	codec_delta(c, COLUMN_TIMES, &m->when, &p->when);
	m->from = states >> 4;
	m->to = states & 0xf;
	c->bad |= !is_state(m->from) || !is_state(m->to);
	m->end = flags & MOVE_RESP ? TCPFSM_RESP : TCPFSM_ORIG;
	m->flags = flags >> MOVE_FLAGS;
	if (flags & MOVE_NEXT)
		m->step = p->step + 1;
	else
		CODE(c, COLUMN_SPANS, m->step);
	if (flags & MOVE_SINCE)
		m->dwell = m->when - p->since[m->end];
	else
		CODE(c, COLUMN_SPANS, m->dwell);
	p->step = m->step;
	p->since[m->end] = m->when;
}

static void code_moves(struct codec *c, struct block *b, struct block_flow *f)
{
	struct progress p = { .when = c->when };
	u32 i, n, states = f->state[TCPFSM_ORIG] << 4 | f->state[TCPFSM_RESP];

	CODE(c, COLUMN_HEADS, f->moves);
	CODE(c, COLUMN_HEADS, states);
	f->state[TCPFSM_ORIG] = states >> 4;
	f->state[TCPFSM_RESP] = states & 0xf;
	c->bad |= !is_state(f->state[TCPFSM_ORIG]) || !is_state(f->state[TCPFSM_RESP]);
	if (c->reads) {
		if (c->bad || f->moves > b->move.n - f->first) {
			c->bad = true;
			return;
		}
		for (i = f->first; i < f->first + f->moves; i++)
			b->move.at[i].next = i + 1;
	}
	for (i = f->first, n = 0; n < f->moves && !c->bad; i = b->move.at[i].next, n++) {
		code_move(c, &b->move.at[i], &p);
		if (!n)
			c->when = p.when;
	}
}

static void code_flow(struct codec *c, struct block *b, struct block_flow *f, u32 *netns)
{
	const struct parts parts = { &f->tuple, &f->nat, f->process, &f->netns, &f->start };

	codec_delta(c, COLUMN_IDS, &f->id, &c->id);
	code_parts(c, &parts, netns);
	code_moves(c, b, f);
}

/* ---- ends ---- */

static void code_half(struct codec *c, struct flow_end *e)
{
	u32 flags = 0;

	if (!c->reads)
		flags = (e->has_uid ? END_UID : 0) | (e->cookie ? END_COOKIE : 0) |
			(e->sk.family ? END_SOCKET : 0);
	CODE(c, COLUMN_ENDS, flags);
	CODE(c, COLUMN_ENDS, e->state);
	c->bad |= !is_state(e->state);
	codec_bytes(c, COLUMN_ENDS, &e->history, sizeof(e->history));
	CODE(c, COLUMN_SPANS, e->dwell);
	CODE(c, COLUMN_TOTALS, e->packets);
	CODE(c, COLUMN_TOTALS, e->bytes);
	e->has_uid = flags & END_UID;
	if (flags & END_UID)
		CODE(c, COLUMN_REST, e->uid);
	if (flags & END_COOKIE)
		CODE(c, COLUMN_REST, e->cookie);
	if (flags & END_SOCKET) {
		bool ip6 = e->sk.family == AF_INET6;

		CODE(c, COLUMN_REST, ip6);
		code_addresses(c, &e->sk, ip6);
	}
}

static void code_told(struct codec *c, struct told *t)
{
	CODE(c, COLUMN_ENDS, t->count);
	if (!t->count)
		return;
	CODE(c, COLUMN_REST, t->mtu);
	CODE(c, COLUMN_REST, t->type);
	CODE(c, COLUMN_REST, t->code);
	CODE(c, COLUMN_REST, t->end);
	CODE(c, COLUMN_REST, t->pends);
	c->bad |= t->end >= TCPFSM_ENDS;
	codec_bytes(c, COLUMN_REST, t->origin, sizeof(t->origin));
}

static void code_end(struct codec *c, struct block_end *e, u32 *netns)
{
	struct flow *f = &e->flow;
	const struct parts parts = { &f->tuple, &f->nat, e->process, &e->netns, &f->start };
	unsigned int i;

	codec_delta(c, COLUMN_IDS, &f->id, &c->id);
	code_parts(c, &parts, netns);
	codec_delta(c, COLUMN_TIMES, &e->when, &c->when);
	CODE(c, COLUMN_ENDS, f->reason);
	CODE(c, COLUMN_ENDS, f->flags);
	CODE(c, COLUMN_ENDS, f->step);
	CODE(c, COLUMN_ENDS, f->ifindex);
	CODE(c, COLUMN_ENDS, f->refused);
	CODE(c, COLUMN_SPANS, f->idle);
	for (i = 0; i < TCPFSM_ENDS; i++)
		code_half(c, &f->end[i]);
	for (i = 0; i < TOLD_SORTS; i++)
		code_told(c, &f->told[i]);
}

/* ---- the rest ---- */

static void code_loss(struct codec *c, struct block_loss *l)
{
	codec_delta(c, COLUMN_TIMES, &l->when, &c->when);
	CODE(c, COLUMN_REST, l->count);
	CODE(c, COLUMN_REST, l->first);
	CODE(c, COLUMN_REST, l->cpu);
	code_netns_index(c, &l->netns);
	codec_string(c, COLUMN_REST, l->group, sizeof(l->group));
}

static void code_growth(struct codec *c, struct block_growth *g)
{
	CODE(c, COLUMN_REST, g->growth);
	code_netns_index(c, &g->netns);
	codec_string(c, COLUMN_REST, g->name, sizeof(g->name));
}

static void code_netns(struct codec *c, struct netns *ns)
{
	CODE(c, COLUMN_REST, ns->inode);
	codec_string(c, COLUMN_REST, ns->name, sizeof(ns->name));
}

/*
 * How many there are of a thing, of which each takes @least bytes: a damaged number allocates no
 * more than so many times the length of the body.
 */
static void code_count(struct codec *c, size_t *n, void *array, size_t size, size_t least)
{
	size_t most = 0;
	void **room = array;
	unsigned int i;

	CODE(c, COLUMN_HEADS, *n);
	if (!c->reads)
		return;
	for (i = 0; i < COLUMNS; i++)
		most += c->left[i].end - c->left[i].at;
	if (c->bad || *n > most / least) {
		c->bad = true;
		*n = 0;
	}
	*room = *n ? zalloc(*n * size) : NULL;
}

#define CODE_COUNT(c, array, least) \
	code_count(c, &(array).n, &(array).at, sizeof(*(array).at), least)

static void code_flows(struct codec *c, struct block *b)
{
	u32 netns = BLOCK_NONE, next = 0, i, j;

	for (i = 0; i < b->flow.n && !c->bad; i++) {
		if (c->reads)
			b->flow.at[i].first = next;
		code_flow(c, b, &b->flow.at[i], &netns);
		next += b->flow.at[i].moves;
		for (j = 0; c->reads && !c->bad && j < b->flow.at[i].moves; j++)
			b->move.at[b->flow.at[i].first + j].flow = i;
	}
	if (c->reads && next != b->move.n)
		c->bad = true;
}

static void code_block(struct codec *c, struct block *b)
{
	u32 netns = BLOCK_NONE;
	size_t i;

	CODE(c, COLUMN_HEADS, b->first);
	CODE(c, COLUMN_HEADS, b->last);
	c->when = b->first;
	c->start = b->first;
	CODE_COUNT(c, b->netns, 2);
	c->nr_netns = b->netns.n;
	CODE_COUNT(c, b->flow, 4);
	CODE_COUNT(c, b->move, 5);
	CODE_COUNT(c, b->end, 37);
	CODE_COUNT(c, b->loss, 6);
	CODE_COUNT(c, b->growth, 3);
	for (i = 0; i < b->netns.n && !c->bad; i++)
		code_netns(c, &b->netns.at[i]);
	code_flows(c, b);
	for (i = 0; i < b->end.n && !c->bad; i++)
		code_end(c, &b->end.at[i], &netns);
	for (i = 0; i < b->loss.n && !c->bad; i++)
		code_loss(c, &b->loss.at[i]);
	for (i = 0; i < b->growth.n && !c->bad; i++)
		code_growth(c, &b->growth.at[i]);
}

/* A codec that writes leaves the block as it is. */
void block_pack(const struct block *b, struct codec *c, struct buffer *body)
{
	codec_reset(c);
	code_block(c, (struct block *)b);
	codec_finish(c, body);
}

bool block_unpack(struct block *b, const void *body, size_t len)
{
	struct codec c;

	*b = (struct block){ 0 };
	codec_read(&c, body, len);
	if (!c.bad)
		code_block(&c, b);
	if (!c.bad)
		return true;
	block_free(b);
	return false;
}
