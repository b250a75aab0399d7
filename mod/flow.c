// SPDX-License-Identifier: GPL-2.0
/* The flow table, and the one place where an endpoint's transition is recorded. */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/siphash.h>
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
#include "trace.h"

#define BUCKET_LOCKS 1024

static struct hlist_nulls_head *buckets __read_mostly;
static unsigned int bucket_mask __read_mostly;
static spinlock_t bucket_locks[BUCKET_LOCKS];
static siphash_key_t hash_key __read_mostly;
static struct kmem_cache *slab4 __read_mostly, *slab6 __read_mostly, *side_slab __read_mostly;
static atomic64_t last_id = ATOMIC64_INIT(0);
static atomic_t total[TCPFSM_OWNERS];

/* ---- table ---- */

/* Keyed, so that nobody can aim flows at one bucket. */
void tcpfsm_tuple_hash(struct tcpfsm_tuple *t)
{
	u64 low = (u64)(__force u16)t->port[0] << 48 | (u64)(__force u16)t->port[1] << 32 | t->l3;
	u64 ns = (unsigned long)t->tn;

	if (t->family == AF_INET) {
		t->hash = siphash_3u64((u64)(__force u32)t->addr[0].ip4 << 32 |
				       (__force u32)t->addr[1].ip4, low, ns, &hash_key);
	} else {
		u64 words[6];

		memcpy(words, &t->addr[0].ip6, 16);
		memcpy(words + 2, &t->addr[1].ip6, 16);
		words[4] = low;
		words[5] = ns;
		t->hash = siphash(words, sizeof(words), &hash_key);
	}
}

static bool is_flow(const struct tcpfsm_flow *f, const struct tcpfsm_tuple *t)
{
	if (f->hash != t->hash || f->tn != t->tn || f->l3 != t->l3 || f->family != t->family ||
	    f->port[0] != t->port[0] || f->port[1] != t->port[1])
		return false;
	if (t->family == AF_INET)
		return f->addr.ip4[0] == t->addr[0].ip4 && f->addr.ip4[1] == t->addr[1].ip4;
	return ipv6_addr_equal(&f->addr.ip6[0], &t->addr[0].ip6) &&
	       ipv6_addr_equal(&f->addr.ip6[1], &t->addr[1].ip6);
}

/* Find a flow and lock it. */
static struct tcpfsm_flow *find(const struct tcpfsm_tuple *t)
{
	unsigned int bucket = t->hash & bucket_mask;
	struct hlist_nulls_node *n;
	struct tcpfsm_flow *f;

again:
	hlist_nulls_for_each_entry_rcu(f, n, &buckets[bucket], node) {
		if (!is_flow(f, t))
			continue;
		spin_lock(&f->lock);
		if (likely(!f->dead && is_flow(f, t)))
			return f;
		spin_unlock(&f->lock);
		goto again;
	}
	/* The chain ended in another bucket: a flow under us was freed and reused. */
	if (get_nulls_value(n) != bucket)
		goto again;
	return NULL;
}

static spinlock_t *bucket_lock(u32 hash)
{
	return &bucket_locks[hash & bucket_mask & (BUCKET_LOCKS - 1)];
}

/* Put a new, locked flow into the table; false if its tuple is there already. */
static bool insert(struct tcpfsm_flow *f, const struct tcpfsm_tuple *t)
{
	struct hlist_nulls_head *head = &buckets[f->hash & bucket_mask];
	spinlock_t *lock = bucket_lock(f->hash);
	const struct tcpfsm_flow *other;
	struct hlist_nulls_node *n;

	spin_lock(lock);
	hlist_nulls_for_each_entry_rcu(other, n, head, node) {
		if (is_flow(other, t)) {
			spin_unlock(lock);
			return false;
		}
	}
	hlist_nulls_add_head_rcu(&f->node, head);
	spin_unlock(lock);
	return true;
}

static void unlink(struct tcpfsm_flow *f)
{
	spinlock_t *lock = bucket_lock(f->hash);

	lockdep_assert_held(&f->lock);
	f->dead = 1;
	spin_lock(lock);
	hlist_nulls_del_rcu(&f->node);
	spin_unlock(lock);
	tcpfsm_expire_dequeue(f);
	tcpfsm_service_put(f->service);
	f->service = NULL;
	atomic_dec(&total[f->tn->owner]);
}

static struct kmem_cache *slab_of(u8 family)
{
	return family == AF_INET ? slab4 : slab6;
}

/* A flow in nobody's list any more. */
static void release(struct tcpfsm_flow *f)
{
	kmem_cache_free(slab_of(f->family), f);
}

/* The lock outlives the flow: a late reader may hold it while the memory becomes another. */
static void construct(void *p)
{
	struct tcpfsm_flow *f = p;

	spin_lock_init(&f->lock);
	f->dead = 1;
}

static void reset(struct tcpfsm_flow *f, const struct tcpfsm_view *v, u8 orig)
{
	const struct tcpfsm_tuple *t = &v->tuple;

	f->tn = t->tn;
	f->l3 = t->l3;
	f->hash = t->hash;
	f->port[0] = t->port[0];
	f->port[1] = t->port[1];
	f->family = t->family;
	if (t->family == AF_INET) {
		f->addr.ip4[0] = t->addr[0].ip4;
		f->addr.ip4[1] = t->addr[1].ip4;
	} else {
		f->addr.ip6[0] = t->addr[0].ip6;
		f->addr.ip6[1] = t->addr[1].ip6;
	}
	f->orig = orig;
	f->step = 0;
	memset(&f->fsm, 0, sizeof(f->fsm));
	memset(f->bytes, 0, sizeof(f->bytes));
	memset(f->packets, 0, sizeof(f->packets));
	f->history[0] = TCPFSM_CLOSED;
	f->history[1] = TCPFSM_CLOSED;
	f->service = NULL;
	f->local = NULL;
	INIT_LIST_HEAD(&f->queued);
	f->last = (u32)jiffies;
}

/* ---- what users see ---- */

static void take_addr(union tcpfsm_addr *to, const struct tcpfsm_flow *f, u8 i)
{
	memset(to, 0, sizeof(*to));
	if (f->family == AF_INET)
		to->ip4 = f->addr.ip4[i];
	else
		to->ip6 = f->addr.ip6[i];
}

void tcpfsm_flow_snapshot(const struct tcpfsm_flow *f, struct tcpfsm_snap *s)
{
	u8 i;

	s->id = f->id;
	s->tn = f->tn;
	take_addr(&s->src, f, f->orig);
	take_addr(&s->dst, f, !f->orig);
	s->sport = f->port[f->orig];
	s->dport = f->port[!f->orig];
	s->l3 = f->l3;
	s->flags = f->fsm.flags & 0xffffff;
	s->step = f->step;
	s->idle = (u32)jiffies - f->last;
	s->family = f->family;
	s->reason = TCPFSM_REASON_UNSET;
	s->start = f->start;
	for (i = 0; i < TCPFSM_ENDS; i++) {
		s->state[i] = f->fsm.end[i].state;
		s->since[i] = f->since[i];
		s->history[i] = f->history[i];
		s->bytes[i] = f->bytes[i];
		s->packets[i] = f->packets[i];
	}
	if (f->local)
		s->local = *f->local;
	else
		memset(&s->local, 0, sizeof(s->local));
}

/* ---- transitions ---- */

static void report_begin(struct tcpfsm_report *r, const struct tcpfsm_flow *f)
{
	r->tn = f->tn;
	r->before[TCPFSM_ORIG] = f->fsm.end[TCPFSM_ORIG].state;
	r->before[TCPFSM_RESP] = f->fsm.end[TCPFSM_RESP].state;
	r->notes = 0;
	r->moves = 0;
	r->reason = TCPFSM_REASON_UNSET;
	r->opened = false;
}

/* The choke point: every transition of every flow passes here, under the flow's lock. */
static void flow_transition(struct tcpfsm_flow *f, const struct tfsm_out *o,
			    struct tcpfsm_report *r)
{
	u8 i;

	lockdep_assert_held(&f->lock);
	r->notes = o->notes;
	r->moves = o->moves;
	if (!o->moves)
		return;
	r->now = o->now;
	r->step = f->step + 1;
	for (i = 0; i < o->moves; i++) {
		const struct tfsm_move *m = &o->move[i];

		r->move[i] = *m;
		r->dwell[i] = o->now > f->since[m->end] ? o->now - f->since[m->end] : 0;
		f->since[m->end] = o->now;
		f->history[m->end] = f->history[m->end] << 4 | m->to;
		f->step++;
		if (m->end == TCPFSM_RESP)
			tcpfsm_service_move(f->service, m, o->now - f->start);
	}
	tcpfsm_flow_snapshot(f, &r->snap);
}

/* Tell of what happened. The flow is unlocked and may be gone. */
static void deliver(const struct tcpfsm_report *r)
{
	if (!r->moves && !r->notes && !r->reason)
		return;
	tcpfsm_stats_report(r);
	if (!r->moves && !r->reason)
		return;
	if (r->moves) {
		tcpfsm_log_report(r);
		tcpfsm_trace_report(r);
	}
	tcpfsm_event_report(r);
}

/* Unlink a flow and tell of its end. */
static void finish(struct tcpfsm_flow *f, u8 reason, struct tcpfsm_report *r)
	__releases(&f->lock)
{
	struct tfsm_side *side = f->fsm.side;
	struct tcpfsm_local *local = f->local;

	r->reason = reason ?: TCPFSM_REASON_TIMEOUT;
	tcpfsm_service_ended(f->service, f->fsm.end[TCPFSM_RESP].state);
	tcpfsm_flow_snapshot(f, &r->snap);
	r->snap.reason = r->reason;
	f->fsm.side = NULL;
	f->local = NULL;
	unlink(f);
	spin_unlock(&f->lock);
	release(f);
	if (side)
		kmem_cache_free(side_slab, side);
	kfree(local);
	deliver(r);
}

/* ---- new flows ---- */

static struct tcpfsm_flow *allocate(struct tcpfsm_net *tn, u8 family)
{
	unsigned int own = atomic_inc_return(&total[tn->owner]);
	struct tcpfsm_flow *f;

	if (own + tcpfsm_flows_of(!tn->owner) > tcpfsm_max_flows && !tcpfsm_expire_evict(tn)) {
		atomic_dec(&total[tn->owner]);
		tcpfsm_count(tn, TCPFSM_C_table_full);
		return NULL;
	}
	f = kmem_cache_alloc(slab_of(family), GFP_ATOMIC | __GFP_NOWARN);
	if (!f) {
		atomic_dec(&total[tn->owner]);
		tcpfsm_count(tn, TCPFSM_C_no_memory);
	}
	return f;
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

static void note_place(struct tcpfsm_flow *f, const struct tcpfsm_view *v, u8 dir)
{
	static const u32 local[TCPFSM_ENDS] = { TCPFSM_F_LOCAL_ORIG, TCPFSM_F_LOCAL_RESP };

	f->packets[dir] += v->packets;
	f->bytes[dir] += v->bytes;
	/* What this host sends within a flow that it forwards (REJECT, SYNPROXY) is no socket's. */
	if (v->forwarded) {
		f->fsm.flags &= ~(TCPFSM_F_LOCAL_ORIG | TCPFSM_F_LOCAL_RESP);
		f->fsm.flags |= TCPFSM_F_FORWARDED;
	} else if (!(f->fsm.flags & TCPFSM_F_FORWARDED)) {
		if (v->from_local && !v->repeat) {
			f->fsm.flags |= local[dir];
			tcpfsm_socket_note(f, dir, v);
		}
		if (v->to_local)
			f->fsm.flags |= local[!dir];
	}
	if (unlikely(v->offloaded)) {
		f->fsm.flags |= TCPFSM_F_OFFLOADED;
		tfsm_blind(&f->fsm);
	}
}

enum opening { OPENED, RACED, NO_ROOM };

/*
 * Make a flow: from this segment, or, if @past is given, from the SYN that the flow before it
 * had kept.
 */
static enum opening open_flow(struct tcpfsm_view *v, u8 orig, struct tfsm *past)
{
	struct tcpfsm_net *tn = v->tuple.tn;
	struct tfsm_out o = { .now = ktime_get_ns() };
	struct tcpfsm_report r;
	struct tcpfsm_flow *f = allocate(tn, v->tuple.family);
	struct tcpfsm_audit audit = {};
	u8 who;

	if (!f)
		return NO_ROOM;
	spin_lock(&f->lock);
	reset(f, v, orig);
	v->seg.dir = v->from == orig ? TCPFSM_ORIG : TCPFSM_RESP;
	report_begin(&r, f);
	if (past) {
		tfsm_open_kept(&f->fsm, past, &who, &o);
	} else {
		if (tfsm_classify(v->seg.flags) != TFSM_KIND_SYN)
			tcpfsm_socket_states(v, v->seg.dir, o.local);
		tfsm_open(&f->fsm, &v->seg, &o);
		note_place(f, v, v->seg.dir);
	}
	f->start = o.now;
	f->since[TCPFSM_ORIG] = o.now;
	f->since[TCPFSM_RESP] = o.now;
	f->id = atomic64_inc_return(&last_id);
	if (!insert(f, &v->tuple)) {
		/* Another processor was faster. */
		spin_unlock(&f->lock);
		if (f->fsm.side)
			kmem_cache_free(side_slab, f->fsm.side);
		kfree(f->local);
		release(f);
		atomic_dec(&total[tn->owner]);
		return RACED;
	}
	f->dead = 0;
	f->service = tcpfsm_service_get(&v->tuple, !orig);
	tcpfsm_service_opened(f->service);
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
static enum tfsm_verdict track_with_side(struct tcpfsm_flow *f, const struct tfsm_seg *seg,
					 struct tfsm_out *o)
{
	enum tfsm_verdict verdict;

	f->fsm.side = kmem_cache_zalloc(side_slab, GFP_ATOMIC | __GFP_NOWARN);
	if (f->fsm.side)
		return tfsm_track(&f->fsm, seg, o);
	tcpfsm_count(f->tn, TCPFSM_C_no_memory);
	f->fsm.flags |= TFSM_F_NO_SIDE;
	verdict = tfsm_track(&f->fsm, seg, o);
	f->fsm.flags &= ~TFSM_F_NO_SIDE;	/* the next segment asks again */
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
	struct tfsm past = f->fsm;
	struct tcpfsm_net *tn = f->tn;
	enum opening opening;
	u8 orig = f->orig;

	if (kept) {
		f->fsm.side = NULL;
		orig ^= past.side->next == TCPFSM_RESP;
	} else if (v->seg.flags & TFSM_SYN) {
		orig = presumed_orig(v);
	}
	finish(f, over ? f->fsm.reason : TCPFSM_REASON_REOPENED, r);
	tcpfsm_count(tn, TCPFSM_C_flows_reopened);
	opening = open_flow(v, orig, kept ? &past : NULL);
	if (kept && past.side)
		kmem_cache_free(side_slab, past.side);
	return opening == OPENED ? verdict == TFSM_NEW_KEPT : opening == RACED;
}

/* IPVS sends on what came in for a socket here: the same tuple, had at LOCAL_IN. */
static bool is_repeat(const struct tcpfsm_flow *f, const struct tcpfsm_view *v)
{
	return f->fsm.flags & (v->from == f->orig ? TCPFSM_F_LOCAL_RESP : TCPFSM_F_LOCAL_ORIG);
}

void tcpfsm_flow_segment(struct tcpfsm_view *v)
{
	struct tcpfsm_report r;
	struct tcpfsm_flow *f;
	enum tfsm_verdict verdict;
	struct tcpfsm_audit audit;
	struct tfsm_out o;
	int tries = 0;
	u32 flags;

again:
	f = find(&v->tuple);
	if (!f) {
		if (segment_opens(v) && tries++ < 2)
			goto again;
		return;
	}
	if (unlikely(v->repeat) && tries == 0 && is_repeat(f, v)) {
		spin_unlock(&f->lock);
		tcpfsm_count(v->tuple.tn, TCPFSM_C_seen_twice);
		return;
	}
	v->seg.dir = v->from == f->orig ? TCPFSM_ORIG : TCPFSM_RESP;
	v->seg.made_here = v->from_local && v->seg.flags & TFSM_RST &&
			   f->fsm.flags & TCPFSM_F_FORWARDED;
	flags = f->fsm.flags;
	if (tfsm_moves(&f->fsm, &v->seg)) {
		if (tcpfsm_packet_corrupt(v)) {
			spin_unlock(&f->lock);
			tcpfsm_count(v->tuple.tn, TCPFSM_C_bad_checksum);
			return;
		}
		o.now = ktime_get_ns();
	} else {
		o.now = 0;
	}
	o.notes = 0;
	o.moves = 0;
	o.time_wait = false;
	report_begin(&r, f);
	verdict = tfsm_track(&f->fsm, &v->seg, &o);
	if (verdict == TFSM_NEED_SIDE)
		verdict = track_with_side(f, &v->seg, &o);
	if (unlikely(o.moves && !o.now))
		o.now = ktime_get_ns();
	if (verdict == TFSM_OK || verdict == TFSM_REFUSED || verdict == TFSM_NEW_AFTER)
		note_place(f, v, v->seg.dir);
	flow_transition(f, &o, &r);
	if (o.notes & BIT_ULL(TFSM_NOTE_synack_resent))
		tcpfsm_service_synack_resent(f->service);
	if (unlikely(verdict >= TFSM_NEW)) {
		if (replace(f, v, verdict, &r) && tries++ < 2)
			goto again;
		return;
	}
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
}

/* ---- for expire.c ---- */

bool tcpfsm_flow_lock(struct tcpfsm_flow *f, u64 id)
{
	spin_lock(&f->lock);
	if (!f->dead && f->id == id)
		return true;
	spin_unlock(&f->lock);
	return false;
}

void tcpfsm_flow_remove(struct tcpfsm_flow *f, u8 reason)
{
	struct tcpfsm_report r;

	report_begin(&r, f);
	finish(f, reason, &r);
}

void tcpfsm_flow_expire(struct tcpfsm_flow *f)
{
	struct tfsm_out o = { .now = ktime_get_ns() };
	struct tcpfsm_report r;

	report_begin(&r, f);
	tfsm_expire(&f->fsm, &o);
	flow_transition(f, &o, &r);
	tcpfsm_expire_requeue(f, false);
	spin_unlock(&f->lock);
	deliver(&r);
}

void tcpfsm_flow_gone(struct tcpfsm_flow *f, u8 end_mask)
{
	struct tfsm_out o = { .now = ktime_get_ns() };
	struct tcpfsm_report r;
	u8 end;

	report_begin(&r, f);
	for (end = 0; end < TCPFSM_ENDS; end++)
		if (end_mask & 1U << end)
			tfsm_gone(&f->fsm, end, &o);
	f->fsm.flags &= ~((end_mask & 1 ? TCPFSM_F_LOCAL_ORIG : 0) |
			  (end_mask & 2 ? TCPFSM_F_LOCAL_RESP : 0));
	flow_transition(f, &o, &r);
	f->last = (u32)jiffies;
	tcpfsm_expire_requeue(f, true);
	spin_unlock(&f->lock);
	deliver(&r);
}

/* ---- for dumps ---- */

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
		return atomic_read(&tn->flows);
	return tcpfsm_flows_of(TCPFSM_HOST) + tcpfsm_flows_of(TCPFSM_GUEST);
}

unsigned int tcpfsm_flow_buckets(void)
{
	return bucket_mask + 1;
}

/* Positions are ids, not indices: flows that come or go meanwhile move nobody's place. */
bool tcpfsm_flow_bucket(unsigned int bucket, u64 *after, u64 below,
			bool (*want)(const struct tcpfsm_flow *f, const void *arg),
			const void *arg, struct tcpfsm_snap *snap)
{
	spinlock_t *lock = &bucket_locks[bucket & (BUCKET_LOCKS - 1)];
	struct tcpfsm_flow *f, *next;
	struct hlist_nulls_node *n;
	bool locked;
	u64 id;

again:
	if (hlist_nulls_empty(&buckets[bucket]))
		return false;
	next = NULL;
	id = below;
	rcu_read_lock();
	spin_lock_bh(lock);
	hlist_nulls_for_each_entry_rcu(f, n, &buckets[bucket], node) {
		if (f->id > *after && f->id < id && want(f, arg)) {
			next = f;
			id = f->id;
		}
	}
	spin_unlock_bh(lock);
	if (!next) {
		rcu_read_unlock();
		return false;
	}
	/* Locks nest flow, bucket: only now may it be locked, and it may be gone. */
	*after = id;
	local_bh_disable();
	locked = tcpfsm_flow_lock(next, id);
	if (locked) {
		tcpfsm_flow_snapshot(next, snap);
		spin_unlock(&next->lock);
	}
	local_bh_enable();
	rcu_read_unlock();
	if (!locked)
		goto again;
	return true;
}

/* ---- init ---- */

int __init tcpfsm_flow_init(unsigned int hashsize)
{
	const slab_flags_t flags = SLAB_HWCACHE_ALIGN | SLAB_TYPESAFE_BY_RCU;
	unsigned int i;

	get_random_bytes(&hash_key, sizeof(hash_key));
	buckets = kvmalloc_array(hashsize, sizeof(*buckets), GFP_KERNEL);
	slab4 = kmem_cache_create("tcpfsm_flow4", offsetof(struct tcpfsm_flow, addr) + 8, 0,
				  SLAB_TYPESAFE_BY_RCU, construct);
	slab6 = kmem_cache_create("tcpfsm_flow6", sizeof(struct tcpfsm_flow), 0, flags, construct);
	side_slab = kmem_cache_create("tcpfsm_side", sizeof(struct tfsm_side), 0, 0, NULL);
	if (!buckets || !slab4 || !slab6 || !side_slab) {
		tcpfsm_flow_exit();
		return -ENOMEM;
	}
	bucket_mask = hashsize - 1;
	for (i = 0; i < hashsize; i++)
		INIT_HLIST_NULLS_HEAD(&buckets[i], i);
	for (i = 0; i < BUCKET_LOCKS; i++)
		spin_lock_init(&bucket_locks[i]);
	return 0;
}

void tcpfsm_flow_exit(void)
{
	/* Readers under RCU may still look at freed flows. */
	rcu_barrier();
	kmem_cache_destroy(side_slab);
	kmem_cache_destroy(slab6);
	kmem_cache_destroy(slab4);
	kvfree(buckets);
}
