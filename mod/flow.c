// SPDX-License-Identifier: GPL-2.0
/* Flows: segments, and the one place where an endpoint's transition is recorded. */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/prefetch.h>
#include <linux/slab.h>

#include "audit.h"
#include "event.h"
#include "expire.h"
#include "flow.h"
#include "log.h"
#include "packet.h"
#include "service.h"
#include "socket.h"
#include "stats.h"
#include "table.h"
#include "trace.h"

static struct kmem_cache *ext_slab __read_mostly;
static atomic64_t last_id = ATOMIC64_INIT(0);
static atomic_t total[TCPFSM_OWNERS];

/* ---- what is there, and what few flows have ---- */

struct tcpfsm_local *tcpfsm_flow_local(const struct tcpfsm_flow *f)
{
	return f->local ? (struct tcpfsm_local *)(unsigned long)tfsm_own(&f->fsm) : NULL;
}

u64 tcpfsm_flow_id(const struct tcpfsm_flow *f)
{
	const struct tcpfsm_local *local = tcpfsm_flow_local(f);

	return local ? local->id : tfsm_own(&f->fsm);
}

struct tcpfsm_local *tcpfsm_flow_add_local(struct tcpfsm_flow *f)
{
	struct tcpfsm_local *local = tcpfsm_flow_local(f);

	lockdep_assert_held(&f->lock);
	if (local)
		return local;
	local = kzalloc(sizeof(*local), GFP_ATOMIC | __GFP_NOWARN);
	if (local) {
		local->id = tfsm_own(&f->fsm);
		tfsm_set_own(&f->fsm, (unsigned long)local);
		f->local = 1;
	}
	return local;
}

static bool add_ext(struct tcpfsm_flow *f)
{
	struct tfsm_ext *ext = kmem_cache_zalloc(ext_slab, GFP_ATOMIC | __GFP_NOWARN);

	if (ext)
		tfsm_set_ext(&f->fsm, ext);
	return ext;
}

static void free_ext(struct tfsm_ext *ext)
{
	if (ext)
		kmem_cache_free(ext_slab, ext);
}

/* ---- times ---- */

/* A span of ns in 32 bits: 27 of them significant, and how many places they are shifted. */
static u32 to_span(u64 ns)
{
	unsigned int shift = max(0, fls64(ns) - 27);

	return shift < 32 ? (u32)(ns >> shift) << 5 | shift : U32_MAX;
}

static u64 from_span(u32 span)
{
	return (u64)(span >> 5) << (span & 31);
}

u64 tcpfsm_flow_since(const struct tcpfsm_flow *f, u8 end)
{
	return f->start + from_span(f->moved[end]);
}

/* ---- what users see ---- */

void tcpfsm_flow_addr(const struct tcpfsm_flow *f, u8 i, union tcpfsm_addr *to)
{
	if (f->family == AF_INET6)
		to->ip6 = f->ip6[i];
	else
		*to = tcpfsm_addr_of_ip4(f->ip4[i]);
}

void tcpfsm_flow_snapshot(const struct tcpfsm_flow *f, struct tcpfsm_snap *s)
{
	const struct tcpfsm_local *local = tcpfsm_flow_local(f);
	u8 i;

	s->id = tcpfsm_flow_id(f);
	s->tn = f->service->tn;
	tcpfsm_flow_addr(f, f->orig, &s->src);
	tcpfsm_flow_addr(f, !f->orig, &s->dst);
	s->sport = f->port[f->orig];
	s->dport = f->port[!f->orig];
	s->l3 = f->service->l3;
	s->flags = f->fsm.flags & 0xffffff;
	s->step = tfsm_step(&f->fsm);
	s->idle = (u32)jiffies - f->last;
	s->family = f->family;
	s->refused = f->refused;
	s->reason = TCPFSM_REASON_UNSET;
	s->start = f->start;
	for (i = 0; i < TCPFSM_ENDS; i++) {
		s->state[i] = f->fsm.end[i].state;
		s->since[i] = tcpfsm_flow_since(f, i);
		s->history[i] = f->history[i];
		s->bytes[i] = f->bytes[i];
		s->packets[i] = f->packets[i];
	}
	if (local)
		memcpy(s->socket, local->end, sizeof(s->socket));
	else
		memset(s->socket, 0, sizeof(s->socket));
}

/* ---- transitions ---- */

static void report_begin(struct tcpfsm_report *r, const struct tcpfsm_flow *f)
{
	r->tn = f->service->tn;
	r->before[TCPFSM_ORIG] = f->fsm.end[TCPFSM_ORIG].state;
	r->before[TCPFSM_RESP] = f->fsm.end[TCPFSM_RESP].state;
	r->notes = 0;
	r->moves = 0;
	r->reason = TCPFSM_REASON_UNSET;
	r->opened = false;
	r->told = false;
}

/* The choke point: every transition of every flow passes here, under the flow's lock. */
static void flow_transition(struct tcpfsm_flow *f, const struct tfsm_out *o,
			    struct tcpfsm_report *r)
{
	u64 age = o->now > f->start ? o->now - f->start : 0;
	u8 i;

	lockdep_assert_held(&f->lock);
	r->notes = o->notes;
	r->moves = o->moves;
	r->after[TCPFSM_ORIG] = f->fsm.end[TCPFSM_ORIG].state;
	r->after[TCPFSM_RESP] = f->fsm.end[TCPFSM_RESP].state;
	r->midstream = f->fsm.flags & TCPFSM_F_MIDSTREAM;
	if (!o->moves)
		return;
	r->now = o->now;
	r->step = tfsm_step(&f->fsm) - o->moves + 1;
	for (i = 0; i < o->moves; i++) {
		const struct tfsm_move *m = &o->move[i];
		u64 since = tcpfsm_flow_since(f, m->end);

		r->move[i] = *m;
		r->dwell[i] = o->now > since ? o->now - since : 0;
		f->moved[m->end] = to_span(age);
		f->history[m->end] = f->history[m->end] << 4 | m->to;
	}
	tcpfsm_service_moved(f->service, r, age);
	tcpfsm_log_report(f, r);
	if (tcpfsm_event_wanted(r) || tcpfsm_trace_wanted()) {
		r->told = true;
		tcpfsm_flow_snapshot(f, &r->snap);
	}
}

/* Tell of what happened. The flow is unlocked and may be gone. */
static void deliver(const struct tcpfsm_report *r)
{
	if (!r->moves && !r->notes && !r->reason)
		return;
	tcpfsm_stats_report(r);
	if (!r->told)
		return;
	tcpfsm_trace_report(r);
	tcpfsm_event_report(r);
}

static void unlink(struct tcpfsm_flow *f)
{
	struct tcpfsm_service *s = f->service;

	lockdep_assert_held(&f->lock);
	tcpfsm_table_remove(f);
	tcpfsm_expire_dequeue(f);
	atomic_dec(&total[s->tn->owner]);
	f->service = NULL;
	tcpfsm_service_put(s);
}

/* Unlink a flow and tell of its end. */
static void finish(struct tcpfsm_flow *f, u8 reason, struct tcpfsm_report *r)
	__releases(&f->lock)
{
	struct tcpfsm_local *local = tcpfsm_flow_local(f);
	struct tfsm_ext *ext = tfsm_ext(&f->fsm);

	r->reason = reason ?: TCPFSM_REASON_TIMEOUT;
	tcpfsm_service_ended(f->service, f->fsm.end[TCPFSM_RESP].state);
	if (r->told || tcpfsm_event_wanted(r)) {
		r->told = true;
		tcpfsm_flow_snapshot(f, &r->snap);
		r->snap.reason = r->reason;
	}
	unlink(f);
	spin_unlock(&f->lock);
	tcpfsm_table_free(f);
	free_ext(ext);
	kfree(local);
	deliver(r);
}

/* ---- new flows ---- */

static struct tcpfsm_flow *allocate(struct tcpfsm_net *tn, u8 family)
{
	unsigned int own = atomic_inc_return(&total[tn->owner]);
	struct tcpfsm_flow *f;

	if (own + tcpfsm_flows_of(!tn->owner) > READ_ONCE(tcpfsm_max_flows) &&
	    !tcpfsm_expire_evict(tn)) {
		atomic_dec(&total[tn->owner]);
		tcpfsm_count(tn, TCPFSM_C_table_full);
		return NULL;
	}
	f = tcpfsm_table_alloc(family);
	if (!f) {
		atomic_dec(&total[tn->owner]);
		tcpfsm_count(tn, TCPFSM_C_no_memory);
	}
	return f;
}

static void reset(struct tcpfsm_flow *f, const struct tcpfsm_tuple *t, u8 orig, u64 now)
{
	u8 i;

	WRITE_ONCE(f->key, t->key);
	WRITE_ONCE(f->port[0], t->port[0]);
	WRITE_ONCE(f->port[1], t->port[1]);
	f->family = t->family;
	if (f->family == AF_INET6) {
		f->ip6[0] = t->addr[0].ip6;
		f->ip6[1] = t->addr[1].ip6;
	}
	f->orig = orig;
	f->local = 0;
	f->noted = 0;
	f->refused = 0;
	f->fsm = (struct tfsm) {};
	for (i = 0; i < TCPFSM_ENDS; i++) {
		f->bytes[i] = 0;
		f->packets[i] = 0;
		f->history[i] = TCPFSM_CLOSED;
		f->moved[i] = 0;
	}
	f->start = now;
	f->last = (u32)jiffies;
	INIT_LIST_HEAD(&f->queued);
}

/*
 * Who is presumed to be orig of a flow met after its start: index in the canonical order.
 */
static u8 presumed_orig(const struct tcpfsm_view *v)
{
	u8 to = !v->from;

	if (tfsm_classify(v->seg.flags) == TFSM_KIND_SYN)
		return v->from;
	if (tfsm_classify(v->seg.flags) == TFSM_KIND_SYNACK)
		return to;
	if (v->to_local && tcpfsm_socket_listens(&v->tuple, to))
		return v->from;
	if (v->from_local && tcpfsm_socket_listens(&v->tuple, v->from))
		return to;
	if (tcpfsm_service_known(&v->tuple, to))
		return v->from;
	if (tcpfsm_service_known(&v->tuple, v->from))
		return to;
	return ntohs(v->tuple.port[to]) <= ntohs(v->tuple.port[v->from]) ? v->from : to;
}

static void note_local(struct tcpfsm_flow *f, const struct tcpfsm_view *v, u8 dir)
{
	static const u32 local[TCPFSM_ENDS] = { TCPFSM_F_LOCAL_ORIG, TCPFSM_F_LOCAL_RESP };

	if (f->fsm.flags & TCPFSM_F_FORWARDED)
		return;
	if (v->from_local && !v->repeat) {
		f->fsm.flags |= local[dir];
		if (!(f->noted & 1U << dir))
			tcpfsm_socket_note(f, dir, v);
	}
	if (v->to_local)
		f->fsm.flags |= local[!dir];
}

static void note_place(struct tcpfsm_flow *f, const struct tcpfsm_view *v, u8 dir)
{
	f->packets[dir] += v->packets;
	f->bytes[dir] += v->bytes;
	if (!v->forwarded) {
		note_local(f, v, dir);
	} else if (!(f->fsm.flags & TCPFSM_F_FORWARDED)) {
		/* What this host sent within it before (REJECT, SYNPROXY) is no socket's. */
		f->fsm.flags &= ~(TCPFSM_F_LOCAL_ORIG | TCPFSM_F_LOCAL_RESP);
		f->fsm.flags |= TCPFSM_F_FORWARDED;
	}
	if (unlikely(v->offloaded)) {
		f->fsm.flags |= TCPFSM_F_OFFLOADED;
		tfsm_blind(&f->fsm);
	}
}

enum opening { OPENED, RACED, NO_ROOM };

/* A flow that did not get into the table. */
static void discard(struct tcpfsm_flow *f)
	__releases(&f->lock)
{
	struct tcpfsm_local *local = tcpfsm_flow_local(f);
	struct tcpfsm_service *s = f->service;

	free_ext(tfsm_ext(&f->fsm));
	f->service = NULL;
	spin_unlock(&f->lock);
	kfree(local);
	tcpfsm_table_free(f);
	if (s)
		tcpfsm_service_put(s);
}

/*
 * Make a flow: from this segment, or, if @past is given, from the SYN that the flow before it
 * had kept.
 */
static enum opening open_flow(struct tcpfsm_view *v, u8 orig, struct tfsm *past)
{
	struct tcpfsm_net *tn = v->tuple.tn;
	struct tfsm_out o = { .now = v->now ?: ktime_get_ns() };
	struct tcpfsm_flow *f = allocate(tn, v->tuple.family);
	struct tcpfsm_report r tcpfsm_uninitialized;
	struct tcpfsm_audit audit = {};
	u64 id;
	u8 who;

	if (!f)
		return NO_ROOM;
	id = atomic64_inc_return(&last_id);
	spin_lock(&f->lock);
	reset(f, &v->tuple, orig, o.now);
	tfsm_set_own(&f->fsm, id);
	f->service = tcpfsm_service_get(&v->tuple, !orig);
	if (!f->service) {
		discard(f);
		atomic_dec(&total[tn->owner]);
		tcpfsm_count(tn, TCPFSM_C_no_memory);
		return NO_ROOM;
	}
	v->seg.dir = v->from == orig ? TCPFSM_ORIG : TCPFSM_RESP;
	report_begin(&r, f);
	if (past) {
		tfsm_open_kept(&f->fsm, past, &who, &o);
		f->start = o.now;
	} else {
		if (tfsm_classify(v->seg.flags) != TFSM_KIND_SYN)
			tcpfsm_socket_states(v, v->seg.dir, o.local);
		tfsm_open(&f->fsm, &v->seg, &o);
		note_place(f, v, v->seg.dir);
	}
	if (!tcpfsm_table_insert(f, &v->tuple)) {
		/* Another processor was faster. */
		discard(f);
		atomic_dec(&total[tn->owner]);
		return RACED;
	}
	tcpfsm_expire_queue(f);
	r.opened = true;
	flow_transition(f, &o, &r);
	if (!past)
		tcpfsm_audit(f, v, &audit);
	spin_unlock(&f->lock);
	deliver(&r);
	if (unlikely(audit.differs))
		tcpfsm_trace_audit(v, &audit);
	return OPENED;
}

/* ---- segments ---- */

/* Give the engine the memory it asked for, then the segment again. */
static enum tfsm_verdict track_with_ext(struct tcpfsm_flow *f, const struct tfsm_seg *seg,
					 struct tfsm_out *o)
{
	enum tfsm_verdict verdict;

	if (add_ext(f))
		return tfsm_track(&f->fsm, seg, o);
	tcpfsm_count(f->service->tn, TCPFSM_C_no_memory);
	f->fsm.flags |= TFSM_F_NO_EXT;
	verdict = tfsm_track(&f->fsm, seg, o);
	f->fsm.flags &= ~TFSM_F_NO_EXT;	/* the next segment asks again */
	return verdict;
}

/* A segment for which there is no flow. Return: look again, it has one now. */
static bool segment_opens(struct tcpfsm_view *v)
{
	enum tfsm_kind kind = tfsm_classify(v->seg.flags);
	struct tcpfsm_net *tn = v->tuple.tn;

	if (!tfsm_opens(kind)) {
		if (kind == TFSM_KIND_RST)
			tcpfsm_count(tn, TCPFSM_C_foreign_rst);
		else
			tcpfsm_count(tn, kind == TFSM_KIND_BAD ? TCPFSM_C_bad_flags :
								TCPFSM_C_no_ack);
		tcpfsm_count(tn, TCPFSM_C_no_flow);
		return false;
	}
	if (tcpfsm_packet_corrupt(v)) {
		tcpfsm_count(tn, TCPFSM_C_bad_checksum);
		return false;
	}
	switch (open_flow(v, presumed_orig(v), NULL)) {
	case RACED:
		return true;
	case NO_ROOM:
		tcpfsm_count(tn, TCPFSM_C_no_flow);
		return false;
	case OPENED:
		break;
	}
	return false;
}

/*
 * The flow is over and this segment belongs to the next one on its tuple.
 * Return: track the segment again, on the new flow.
 */
static bool replace(struct tcpfsm_flow *f, struct tcpfsm_view *v, enum tfsm_verdict verdict,
		    struct tcpfsm_report *r)
	__releases(&f->lock)
{
	bool kept = verdict != TFSM_NEW, over = f->fsm.reason && tfsm_closed(&f->fsm.end[0]) &&
			tfsm_closed(&f->fsm.end[1]);
	struct tcpfsm_net *tn = v->tuple.tn;
	struct tfsm past = f->fsm;
	enum opening opening;
	u8 orig = f->orig;

	if (kept) {
		tfsm_set_ext(&f->fsm, NULL);
		orig ^= tfsm_ext(&past)->next == TCPFSM_RESP;
	} else if (v->seg.flags & TFSM_SYN) {
		orig = presumed_orig(v);
	}
	finish(f, over ? f->fsm.reason : TCPFSM_REASON_REOPENED, r);
	tcpfsm_count(tn, TCPFSM_C_flows_reopened);
	opening = open_flow(v, orig, kept ? &past : NULL);
	if (kept)
		free_ext(tfsm_ext(&past));	/* unless the new flow has taken it */
	return opening == OPENED ? verdict == TFSM_NEW_KEPT : opening == RACED;
}

/* IPVS sends on what came in for a socket here: the same tuple, had at LOCAL_IN. */
static bool is_repeat(const struct tcpfsm_flow *f, const struct tcpfsm_view *v)
{
	return f->fsm.flags & (v->from == f->orig ? TCPFSM_F_LOCAL_RESP : TCPFSM_F_LOCAL_ORIG);
}

/* What a transition needs beyond the segment, the flow's neighbours in its queue included. */
static void fetch(const struct tcpfsm_flow *f)
{
	prefetchw(&f->history[1]);
	/* Without the queue's lock: a neighbour that no longer is one costs a prefetch. */
	prefetchw(data_race(f->queued.next));
	prefetchw(data_race(f->queued.prev));	/* likewise */
}

/*
 * A segment of a flow that may move it.
 * Return: look again, it belongs to another flow.
 */
static bool segment_moves(struct tcpfsm_flow *f, struct tcpfsm_view *v)
	__releases(&f->lock)
{
	u32 flags = f->fsm.flags;
	enum tfsm_verdict verdict;
	struct tcpfsm_report r tcpfsm_uninitialized;
	struct tfsm_out o tcpfsm_uninitialized;
	struct tcpfsm_audit audit;

	fetch(f);
	v->seg.made_here = v->from_local && v->seg.flags & TFSM_RST &&
			   flags & TCPFSM_F_FORWARDED;
	o.now = 0;
	if (tfsm_moves(&f->fsm, &v->seg)) {
		if (tcpfsm_packet_corrupt(v)) {
			spin_unlock(&f->lock);
			tcpfsm_count(v->tuple.tn, TCPFSM_C_bad_checksum);
			return false;
		}
		o.now = v->now ?: ktime_get_ns();
	}
	o.notes = 0;
	o.moves = 0;
	o.time_wait = false;
	report_begin(&r, f);
	verdict = tfsm_track(&f->fsm, &v->seg, &o);
	if (verdict == TFSM_NEED_EXT)
		verdict = track_with_ext(f, &v->seg, &o);
	if (unlikely(o.moves && !o.now))
		o.now = ktime_get_ns();
	if (verdict == TFSM_OK || verdict == TFSM_REFUSED || verdict == TFSM_NEW_AFTER)
		note_place(f, v, v->seg.dir);
	if (unlikely(o.notes & TFSM_REFUSALS) && f->refused < 255)
		f->refused++;
	flow_transition(f, &o, &r);
	if (o.notes & BIT_ULL(TFSM_NOTE_synack_resent))
		tcpfsm_service_synack_resent(f->service);
	if (unlikely(verdict >= TFSM_NEW))
		return replace(f, v, verdict, &r);
	if (verdict == TFSM_OK)
		f->last = (u32)jiffies;
	/* The class follows the pair and these flags. */
	if (o.moves || o.time_wait || (flags ^ f->fsm.flags) &
	    (TCPFSM_F_UNCONFIRMED | TCPFSM_F_SUSPECT | TCPFSM_F_GAP))
		tcpfsm_expire_requeue(f, o.time_wait);
	tcpfsm_audit(f, v, &audit);
	spin_unlock(&f->lock);
	if (unlikely(o.notes & TFSM_REFUSALS))
		tcpfsm_trace_ignored(v, o.notes);
	if (unlikely(audit.differs))
		tcpfsm_trace_audit(v, &audit);
	deliver(&r);
	return false;
}

/* Any segment but those that tcpfsm_flow_segment() is done with itself. */
static noinline void segment(struct tcpfsm_flow *f, struct tcpfsm_view *v)
{
	int tries = 0;

	if (f && v->repeat && is_repeat(f, v)) {
		spin_unlock(&f->lock);
		tcpfsm_count(v->tuple.tn, TCPFSM_C_seen_twice);
		return;
	}
	while (f ? segment_moves(f, v) : segment_opens(v)) {
		if (tries++ == 2)
			return;
		f = tcpfsm_table_find(&v->tuple);
		if (f)
			v->seg.dir = v->from == f->orig ? TCPFSM_ORIG : TCPFSM_RESP;
	}
}

void tcpfsm_flow_segment(struct tcpfsm_view *v)
{
	struct tcpfsm_flow *f = tcpfsm_table_find(&v->tuple);
	struct tcpfsm_audit audit;

	if (f)
		v->seg.dir = v->from == f->orig ? TCPFSM_ORIG : TCPFSM_RESP;
	if (!f || v->repeat || !tfsm_in_order(&f->fsm, &v->seg)) {
		segment(f, v);
		return;
	}
	note_place(f, v, v->seg.dir);
	f->last = (u32)jiffies;
	tcpfsm_audit(f, v, &audit);
	spin_unlock(&f->lock);
	if (unlikely(audit.differs))
		tcpfsm_trace_audit(v, &audit);
}

/* ---- for expire.c ---- */

bool tcpfsm_flow_lock(struct tcpfsm_flow *f, u64 id)
{
	spin_lock(&f->lock);
	if (f->service && tcpfsm_flow_id(f) == id)
		return true;
	spin_unlock(&f->lock);
	return false;
}

bool tcpfsm_flow_lock_of(struct tcpfsm_flow *f, const struct tcpfsm_net *tn)
{
	spin_lock(&f->lock);
	if (f->service && f->service->tn == tn)
		return true;
	spin_unlock(&f->lock);
	return false;
}

void tcpfsm_flow_remove(struct tcpfsm_flow *f, u8 reason)
{
	struct tcpfsm_report r tcpfsm_uninitialized;

	report_begin(&r, f);
	finish(f, reason, &r);
}

/* It moved without a segment. */
static void moved(struct tcpfsm_flow *f, const struct tfsm_out *o, struct tcpfsm_report *r,
		  bool restart)
	__releases(&f->lock)
{
	flow_transition(f, o, r);
	tcpfsm_expire_requeue(f, restart);
	spin_unlock(&f->lock);
	deliver(r);
}

void tcpfsm_flow_expire(struct tcpfsm_flow *f)
{
	struct tfsm_out o = { .now = ktime_get_ns() };
	struct tcpfsm_report r tcpfsm_uninitialized;

	report_begin(&r, f);
	tfsm_expire(&f->fsm, &o);
	moved(f, &o, &r, false);
}

/* The stack was asked for these ends: the engine is told what it said of each. */
static void asked(struct tcpfsm_flow *f, u8 end_mask,
		  void (*tell)(struct tfsm *f, u8 end, struct tfsm_out *o))
	__releases(&f->lock)
{
	struct tfsm_out o = { .now = ktime_get_ns() };
	struct tcpfsm_report r tcpfsm_uninitialized;
	u8 end;

	report_begin(&r, f);
	for (end = 0; end < TCPFSM_ENDS; end++)
		if (end_mask & 1U << end)
			tell(&f->fsm, end, &o);
	moved(f, &o, &r, true);
}

void tcpfsm_flow_gone(struct tcpfsm_flow *f, u8 end_mask)
{
	f->fsm.flags &= ~((end_mask & 1 ? TCPFSM_F_LOCAL_ORIG : 0) |
			  (end_mask & 2 ? TCPFSM_F_LOCAL_RESP : 0));
	f->last = (u32)jiffies;
	asked(f, end_mask, tfsm_gone);
}

void tcpfsm_flow_lives(struct tcpfsm_flow *f, u8 end_mask)
{
	asked(f, end_mask, tfsm_lives);
}

/* ---- how many ---- */

u64 tcpfsm_flow_next_id(void)
{
	return atomic64_read(&last_id) + 1;
}

unsigned int tcpfsm_flows_of(u8 owner)
{
	return atomic_read(&total[owner]);
}

unsigned int tcpfsm_flows_shown(const struct tcpfsm_net *tn)
{
	if (!net_eq(tn->net, &init_net))
		return READ_ONCE(tn->flows);
	return tcpfsm_flows_of(TCPFSM_HOST) + tcpfsm_flows_of(TCPFSM_GUEST);
}

/* ---- init ---- */

int __init tcpfsm_flow_init(unsigned int hashsize)
{
	int err = tcpfsm_table_init(hashsize);

	if (err)
		return err;
	ext_slab = kmem_cache_create("tcpfsm_ext", sizeof(struct tfsm_ext), 0, 0, NULL);
	if (!ext_slab) {
		tcpfsm_table_exit();
		return -ENOMEM;
	}
	return 0;
}

void tcpfsm_flow_exit(void)
{
	tcpfsm_table_exit();
	kmem_cache_destroy(ext_slab);
}
