// SPDX-License-Identifier: GPL-2.0
/* Segments of a capture through the engine; what the module's flow.c does for the kernel. */
#include <stdlib.h>
#include <string.h>

#include "capture/track.h"
#include "capture/track_flow.h"
#include "lib/memory.h"

static u64 hash_bytes(u64 h, const u8 *p, size_t len)
{
	for (; len >= sizeof(u64); p += sizeof(u64), len -= sizeof(u64)) {
		u64 word;

		memcpy(&word, p, sizeof(word));
		h = hash_mix(h ^ word);
	}
	return h;
}

/* ---- the table ---- */

/* The same for both directions. */
static u64 tuple_hash(const struct tuple *t)
{
	u64 a = hash_bytes(t->sport, t->src, sizeof(t->src));
	u64 b = hash_bytes(t->dport, t->dst, sizeof(t->dst));

	return hash_mix(a + b + t->family);
}

/* Which end of the flow sends this; TCPFSM_ENDS: it is of another flow. */
static u8 sender_of(const struct tuple *flow, const struct tuple *t)
{
	if (flow->family != t->family)
		return TCPFSM_ENDS;
	if (flow->sport == t->sport && flow->dport == t->dport &&
	    !memcmp(flow->src, t->src, sizeof(t->src)) &&
	    !memcmp(flow->dst, t->dst, sizeof(t->dst)))
		return TCPFSM_ORIG;
	if (flow->sport == t->dport && flow->dport == t->sport &&
	    !memcmp(flow->src, t->dst, sizeof(t->src)) &&
	    !memcmp(flow->dst, t->src, sizeof(t->dst)))
		return TCPFSM_RESP;
	return TCPFSM_ENDS;
}

static struct track_flow *find(const struct track *t, const struct tuple *tuple, u64 hash,
			       u8 *sender)
{
	struct hnode *n;

	for (n = htab_first(&t->table, hash); n; n = htab_next(n)) {
		struct track_flow *f = container_of(n, struct track_flow, node);

		*sender = sender_of(&f->flow.tuple, tuple);
		if (*sender != TCPFSM_ENDS)
			return f;
	}
	return NULL;
}

/* ---- who is orig ---- */

struct service {
	struct hnode node;
	u8 family;
	u8 addr[16];
	u16 port;
};

static struct service *find_service(const struct track *t, u8 family, const u8 *addr, u16 port,
				    u64 *hash)
{
	struct hnode *n;

	*hash = hash_bytes(hash_mix((u64)family << 16 | port), addr, 16);
	for (n = htab_first(&t->services, *hash); n; n = htab_next(n)) {
		struct service *s = container_of(n, struct service, node);

		if (s->family == family && s->port == port && !memcmp(s->addr, addr, 16))
			return s;
	}
	return NULL;
}

static bool known_service(const struct track *t, u8 family, const u8 *addr, u16 port)
{
	u64 hash;

	return find_service(t, family, addr, port, &hash);
}

static void learn_service(struct track *t, u8 family, const u8 *addr, u16 port)
{
	struct service *s;
	u64 hash;

	if (find_service(t, family, addr, port, &hash))
		return;
	s = zalloc(sizeof(*s));
	s->family = family;
	s->port = port;
	memcpy(s->addr, addr, sizeof(s->addr));
	htab_add(&t->services, &s->node, hash);
}

static bool free_service(struct hnode *n, void *unused)
{
	(void)unused;
	free(container_of(n, struct service, node));
	return true;
}

void track_free_services(struct track *t)
{
	htab_sweep(&t->services, free_service, NULL);
	htab_free(&t->services);
}

/* Which end the sender of a flow's first segment is presumed to be. */
static u8 presumed(const struct track *t, const struct segment *s)
{
	const struct tuple *p = &s->tuple;

	switch (tfsm_classify(s->seg.flags)) {
	case TFSM_KIND_SYN:
		return TCPFSM_ORIG;
	case TFSM_KIND_SYNACK:
		return TCPFSM_RESP;
	default:
		break;
	}
	if (known_service(t, p->family, p->dst, p->dport))
		return TCPFSM_ORIG;
	if (known_service(t, p->family, p->src, p->sport))
		return TCPFSM_RESP;
	return p->dport <= p->sport ? TCPFSM_ORIG : TCPFSM_RESP;
}

/* ---- what came of a segment ---- */

static void take_notes(struct track *t, u64 notes)
{
	unsigned int i;

	for (i = 0; notes; i++, notes >>= 1)
		t->counters.notes[i] += notes & 1;
}

static void note_segment(struct track_flow *f, const struct segment *s, u8 dir)
{
	f->flow.end[dir].packets++;
	f->flow.end[dir].bytes += s->bytes;
}

/* The choke point: every transition passes here. */
void track_moved(struct track *t, struct track_flow *f, const struct tfsm_out *o)
{
	unsigned int i;

	take_notes(t, o->notes);
	if (o->notes & TFSM_REFUSALS && f->flow.refused < 255)
		f->flow.refused++;
	f->flow.flags = f->fsm.flags & TRACK_FLAGS;
	for (i = 0; i < o->moves; i++) {
		const struct tfsm_move *m = &o->move[i];
		struct flow_end *end = &f->flow.end[m->end];
		u64 since = f->since[m->end];
		struct event e = {
			.seq = ++t->transitions, .flow = f->flow.id, .when = o->now,
			.dwell = o->now > since ? o->now - since : 0,
			.step = ++f->flow.step, .end = m->end, .from = m->from, .to = m->to,
			.cause = m->cause, .flags = m->flags, .tuple = &f->flow.tuple,
		};

		f->since[m->end] = o->now;
		end->state = m->to;
		end->history = end->history << 4 | m->to;
		t->on_event(&f->flow, &e, t->arg);
	}
}

/* ---- flows begin ---- */

/* @past: if given, the flow starts from the SYN that this one had kept */
static struct track_flow *open_flow(struct track *t, const struct segment *s, u64 hash, u8 dir,
				    u64 when, struct tfsm *past)
{
	struct track_flow *f = zalloc(sizeof(*f));
	struct tfsm_out o = { .now = when };
	struct tfsm_seg seg = s->seg;
	const struct tuple *tuple;
	u8 who;

	f->flow.id = ++t->flows;
	f->flow.tuple = dir == TCPFSM_ORIG ? s->tuple : tuple_reversed(&s->tuple);
	f->flow.end[TCPFSM_ORIG].state = TCPFSM_CLOSED;
	f->flow.end[TCPFSM_RESP].state = TCPFSM_CLOSED;
	f->flow.end[TCPFSM_ORIG].history = TCPFSM_CLOSED;
	f->flow.end[TCPFSM_RESP].history = TCPFSM_CLOSED;
	seg.dir = dir;
	if (past) {
		tfsm_open_kept(&f->fsm, past, &who, &o);
	} else {
		tfsm_open(&f->fsm, &seg, &o);
		note_segment(f, s, dir);
	}
	f->flow.start = o.now;
	f->last = when;
	f->since[TCPFSM_ORIG] = o.now;
	f->since[TCPFSM_RESP] = o.now;
	if (f->fsm.flags & TCPFSM_F_MIDSTREAM)
		t->counters.flows_midstream++;
	else
		t->counters.flows_opened++;
	tuple = &f->flow.tuple;
	if (past || s->seg.flags & TFSM_SYN)
		learn_service(t, tuple->family, tuple->dst, tuple->dport);
	htab_add(&t->table, &f->node, hash);
	if (t->keep) {
		f->all_next = t->all;
		t->all = f;
	}
	track_moved(t, f, &o);
	track_enqueue(t, f);
	return f;
}

/* A segment for which there is no flow. */
static void open_from(struct track *t, const struct segment *s, u64 hash, u64 when)
{
	enum tfsm_kind kind = tfsm_classify(s->seg.flags);

	if (tfsm_opens(kind)) {
		open_flow(t, s, hash, presumed(t, s), when, NULL);
		return;
	}
	t->counters.no_flow++;
	if (kind == TFSM_KIND_RST)
		t->counters.foreign_rst++;
	else
		t->counters.notes[kind == TFSM_KIND_BAD ? TFSM_NOTE_bad_flags :
							  TFSM_NOTE_no_ack]++;
}

/*
 * A flow is over and the next one on its tuple begins.
 * Return: the new flow, if the segment has still to be tracked there.
 */
static struct track_flow *replace(struct track *t, struct track_flow *f, const struct segment *s,
				  u8 dir, u64 when, enum tfsm_verdict verdict)
{
	bool kept = verdict != TFSM_NEW;
	bool over = f->fsm.reason && tfsm_closed(&f->fsm.end[TCPFSM_ORIG]) &&
		    tfsm_closed(&f->fsm.end[TCPFSM_RESP]);
	struct tfsm past = f->fsm;
	u64 hash = f->node.hash;

	if (kept) {
		/* Who sent the SYN that was kept is orig now. */
		tfsm_set_ext(&f->fsm, NULL);
		dir ^= tfsm_ext(&past)->next == TCPFSM_RESP;
	} else if (s->seg.flags & TFSM_SYN) {
		dir = presumed(t, s);
	}
	t->counters.flows_reopened++;
	track_finish(t, f, when, over ? past.reason : TCPFSM_REASON_REOPENED);
	f = open_flow(t, s, hash, dir, when, kept ? &past : NULL);
	return verdict == TFSM_NEW_KEPT ? f : NULL;
}

/* Return: the flow where the segment has to be tracked again. */
static struct track_flow *take_segment(struct track *t, struct track_flow *f,
				       const struct segment *s, u8 dir, u64 when)
{
	struct tfsm_out o = { .now = when };
	struct tfsm_seg seg = s->seg;
	enum tfsm_verdict verdict;

	seg.dir = dir;
	verdict = tfsm_track(&f->fsm, &seg, &o);
	if (verdict == TFSM_NEED_EXT) {
		tfsm_set_ext(&f->fsm, zalloc(sizeof(*f->fsm.ext)));
		verdict = tfsm_track(&f->fsm, &seg, &o);
	}
	if (verdict == TFSM_OK || verdict == TFSM_REFUSED || verdict == TFSM_NEW_AFTER)
		note_segment(f, s, dir);
	track_moved(t, f, &o);
	if (verdict >= TFSM_NEW)
		return replace(t, f, s, dir, when, verdict);
	if (verdict == TFSM_OK)
		f->last = when;
	track_refresh(t, f, verdict == TFSM_OK, o.time_wait);
	return NULL;
}

void track_segment(struct track *t, struct segment *s, u64 when)
{
	struct track_flow *f;
	u64 hash = tuple_hash(&s->tuple);
	int tries;
	u8 dir;

	t->counters.segments++;
	if (when > t->clock)
		t->clock = when;
	if (!t->no_expire)
		track_expire(t);
	if (s->tuple.sport == s->tuple.dport &&
	    !memcmp(s->tuple.src, s->tuple.dst, sizeof(s->tuple.src))) {
		t->counters.self_connected++;
		return;
	}
	f = find(t, &s->tuple, hash, &dir);
	if (!f)
		open_from(t, s, hash, when);
	for (tries = 0; f && tries < 3; tries++) {
		dir = sender_of(&f->flow.tuple, &s->tuple);
		f = take_segment(t, f, s, dir, when);
	}
}
