// SPDX-License-Identifier: GPL-2.0
/* The way of a segment: to its flow, through the engine, to the report. */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/prefetch.h>
#include <linux/slab.h>

#include "audit.h"
#include "commit.h"
#include "compat.h"
#include "core/shell.h"
#include "cpu.h"
#include "end.h"
#include "evict.h"
#include "netns.h"
#include "owner.h"
#include "packet.h"
#include "segment.h"
#include "service.h"
#include "socket.h"
#include "table.h"
#include "timeout.h"
#include "trace.h"

/* What the shell's callbacks are called with: the segment, and what it has moved so far. */
struct passage {
	struct tcpfsm_view   *v;
	struct tcpfsm_report *r;
};

/* ---- what the segment itself tells of its flow ---- */

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

static void set_direction(struct tcpfsm_view *v, const struct tcpfsm_flow *f)
{
	v->seg.dir = v->from == f->orig ? TCPFSM_ORIG : TCPFSM_RESP;
}

/* ---- new flows ---- */

/* Memory for a flow that is charged to its owner; NULL, and counted, if there is no room for it. */
static struct tcpfsm_flow *make_flow(struct tcpfsm_net *tn, u8 family)
{
	enum tcpfsm_counter why = TCPFSM_C_table_full;
	struct tcpfsm_flow *f;

	if (unlikely(!tcpfsm_cpu_ready(tn)))
		return NULL;		/* there is nowhere to count that, either */
	if (likely(tcpfsm_owner_charge(tn->owner)) || tcpfsm_evict_one(tn)) {
		f = tcpfsm_table_alloc(tn, family);
		if (likely(f))
			return f;
		why = TCPFSM_C_no_memory;
	}
	tcpfsm_owner_uncharge(tn->owner);
	tcpfsm_count(tn, why);
	return NULL;
}

/* A flow that did not get into the table. */
static void discard_flow(struct tcpfsm_flow *f, struct tcpfsm_net *tn)
	__releases(&f->lock)
{
	struct tcpfsm_local *local = tcpfsm_flow_local(f);
	struct tfsm_ext *ext = tfsm_ext(&f->fsm);

	WRITE_ONCE(f->tag, 0);
	spin_unlock(&f->lock);
	tcpfsm_flow_free_ext(ext);
	kfree(local);
	tcpfsm_table_free(f, tn);
}

/* Begin a locked flow, and put it into the table. */
static enum tfsm_opened insert_flow(struct tcpfsm_flow *f, struct tcpfsm_view *v,
				    const struct tfsm_start *start, struct tfsm_out *o)
	__releases(&f->lock)
{
	struct tcpfsm_report r tcpfsm_uninitialized;
	struct tcpfsm_audit audit = {};
	int err;

	tcpfsm_commit_begin(&r, f);
	tfsm_shell_begin(&f->fsm, start, o);
	f->start = o->now;		/* a kept SYN passed earlier */
	if (start->past) {
		tcpfsm_flow_count_kept(f);
	} else {
		tcpfsm_flow_sent(f, start->sender, v->packets, v->bytes);
		note_place(f, v, start->sender);
	}
	err = tcpfsm_table_insert(f, &v->tuple);
	if (unlikely(err)) {
		discard_flow(f, v->tuple.tn);
		if (err == -EEXIST)
			return TFSM_RACED;
		tcpfsm_count(v->tuple.tn, TCPFSM_C_bucket_full);
		return TFSM_NO_ROOM;
	}
	if (unlikely(!tcpfsm_timeout_start(f))) {
		tcpfsm_table_remove(f);
		discard_flow(f, v->tuple.tn);
		tcpfsm_count(v->tuple.tn, TCPFSM_C_no_memory);
		return TFSM_NO_ROOM;
	}
	tcpfsm_owner_joined(v->tuple.tn);
	r.opened = true;
	tcpfsm_commit_moves(&r, f, o);
	if (!start->past)
		tcpfsm_audit(f, v, &audit);
	spin_unlock(&f->lock);
	tcpfsm_commit_deliver(&r);
	if (unlikely(audit.differs))
		tcpfsm_trace_audit(v, audit.shown, audit.socket);
	return TFSM_OPENED;
}

/* ---- the shell's callbacks ---- */

static struct tcpfsm_service_key service_key(const struct tcpfsm_tuple *t, u8 i)
{
	return (struct tcpfsm_service_key) {
		.tn = t->tn, .addr = &t->addr[i], .l3 = t->l3, .port = t->port[i],
		.family = t->family,
	};
}

/* Where a new flow's end @i is counted: a SYN does not show that there is a service. */
static struct tcpfsm_service *service_of_new(const struct tcpfsm_view *v,
					     const struct tfsm_start *start, u8 i)
{
	const struct tcpfsm_service_key key = service_key(&v->tuple, i);

	if (start->past || tfsm_classify(v->seg.flags) == TFSM_KIND_SYN)
		return tcpfsm_service_find(&key);
	return tcpfsm_service_get(&key);
}

static enum tfsm_opened start_flow(struct tcpfsm_view *v, const struct tfsm_start *start)
{
	struct tcpfsm_net *tn = v->tuple.tn;
	struct tfsm_out o tcpfsm_uninitialized;
	u8 orig = start->sender == TCPFSM_ORIG ? v->from : !v->from;
	struct tcpfsm_flow *f = make_flow(tn, v->tuple.family);

	if (!f)
		return TFSM_NO_ROOM;
	tfsm_init_out(&o, v->now ?: ktime_get_ns());
	v->seg.dir = start->sender;
	if (!start->past && v->seg.kind != TFSM_KIND_SYN)
		tcpfsm_socket_states(v, start->sender, o.local);
	spin_lock(&f->lock);
	tcpfsm_flow_init(f, &v->tuple, orig, o.now);
	f->service = service_of_new(v, start, !orig);
	return insert_flow(f, v, start, &o);
}

static enum tfsm_opened open_flow(void *ctx, const struct tfsm_start *start)
{
	struct tcpfsm_view *v = ((struct passage *)ctx)->v;
	enum tfsm_opened opened = start_flow(v, start);

	if (opened == TFSM_NO_ROOM)
		tcpfsm_count(v->tuple.tn, TCPFSM_C_no_flow);
	return opened;
}

static void replace_flow(void *ctx, struct tfsm *fsm, u8 reason)
	__releases(fsm)		/* its flow's lock */
{
	struct tcpfsm_flow *f = container_of(fsm, struct tcpfsm_flow, fsm);
	struct passage *p = ctx;

	tcpfsm_end_reported(f, reason, p->r);
	tcpfsm_count(p->v->tuple.tn, TCPFSM_C_flows_reopened);
}

static struct tfsm_ext *alloc_ext(void *ctx)
{
	struct passage *p = ctx;
	struct tfsm_ext *ext = tcpfsm_flow_alloc_ext(p->v->tuple.tn);

	if (!ext)
		tcpfsm_count(p->v->tuple.tn, TCPFSM_C_no_memory);
	return ext;
}

static void free_ext(void *ctx, struct tfsm_ext *ext)
{
	tcpfsm_flow_free_ext(ext);
}

static bool end_serves(void *ctx, enum tfsm_evidence evidence, bool sender)
{
	struct tcpfsm_view *v = ((struct passage *)ctx)->v;
	u8 i = sender ? v->from : !v->from;
	const struct tcpfsm_service_key key = service_key(&v->tuple, i);

	switch (evidence) {
	case TFSM_BY_LISTENER:
		return (sender ? v->from_local : v->to_local) &&
		       tcpfsm_socket_listens(v, i);
	case TFSM_BY_SERVICE:
		return tcpfsm_service_known(&key);
	default:
		return ntohs(v->tuple.port[i]) <= ntohs(v->tuple.port[!i]);
	}
}

static const struct tfsm_keeper keeper = {
	.alloc_ext = alloc_ext,
	.free_ext  = free_ext,
	.serves	   = end_serves,
	.end	   = replace_flow,
	.open	   = open_flow,
};

/* ---- segments ---- */

/* A segment for which there is no flow. Return: look again, there is one now. */
static noinline bool open_from_segment(struct tcpfsm_view *v)
{
	enum tfsm_kind kind = v->seg.kind;
	struct tcpfsm_net *tn = v->tuple.tn;
	struct passage p = { .v = v };

	if (!tfsm_opens(kind)) {
		enum tfsm_note why = tfsm_why_no_flow(kind);

		tcpfsm_count(tn, why == TFSM_NOTES ? TCPFSM_C_foreign_rst :
						     (enum tcpfsm_counter)why);
		tcpfsm_count(tn, TCPFSM_C_no_flow);
		return false;
	}
	if (tcpfsm_packet_corrupt(v)) {
		tcpfsm_count(tn, TCPFSM_C_bad_checksum);
		return false;
	}
	return tfsm_shell_open(&keeper, &p, &v->seg) == TFSM_RACED;
}

/* IPVS sends on what came in for a socket here: the same tuple, which LOCAL_IN has had. */
static bool is_second_look(const struct tcpfsm_flow *f, const struct tcpfsm_view *v)
{
	return v->repeat && f->fsm.flags & (v->from == f->orig ? TCPFSM_F_LOCAL_RESP :
								 TCPFSM_F_LOCAL_ORIG);
}

/* What a transition needs beyond the segment. */
static void prefetch_flow(const struct tcpfsm_flow *f)
{
	prefetchw(&f->history[1]);
}

/*
 * Is the segment corrupt? If not, *@now tells the time, where it matters. It is taken under the
 * flow's lock: of two segments on two processors, the one that moves the flow first is the earlier.
 */
static bool check_segment(const struct tcpfsm_flow *f, const struct tcpfsm_view *v, u64 *now)
{
	lockdep_assert_held(&f->lock);
	*now = 0;
	if (!tfsm_moves(&f->fsm, &v->seg))
		return false;
	if (tcpfsm_packet_corrupt(v))
		return true;
	*now = ktime_get_ns();
	return false;
}

/* The flags that, beside the pair, decide the time-out class. */
#define CLASS_FLAGS	(TCPFSM_F_UNCONFIRMED | TCPFSM_F_SUSPECT | TFSM_F_TAILS)

/*
 * A segment that may move its flow.
 * Return: look again, it belongs to another flow.
 */
static bool move_flow(struct tcpfsm_flow *f, struct tcpfsm_view *v)
	__releases(&f->lock)
{
	struct tcpfsm_report r tcpfsm_uninitialized;
	struct tfsm_out o tcpfsm_uninitialized;
	struct passage p = { .v = v, .r = &r };
	u32 flags = f->fsm.flags;
	enum tfsm_verdict verdict;
	struct tcpfsm_audit audit;
	u64 now;

	prefetch_flow(f);
	v->seg.made_here = v->from_local && v->seg.flags & TFSM_RST &&
			   flags & TCPFSM_F_FORWARDED;
	v->seg.own = v->from_local && !(flags & TCPFSM_F_FORWARDED);
	if (check_segment(f, v, &now)) {
		spin_unlock(&f->lock);
		tcpfsm_count(v->tuple.tn, TCPFSM_C_bad_checksum);
		return false;
	}
	tfsm_init_out(&o, now);
	tcpfsm_commit_begin(&r, f);
	verdict = tfsm_shell_track(&keeper, &p, &f->fsm, &v->seg, &o);
	if (unlikely(o.moves && !o.now))
		o.now = ktime_get_ns();
	if (tfsm_belongs(verdict)) {
		tcpfsm_flow_sent(f, v->seg.dir, v->packets, v->bytes);
		note_place(f, v, v->seg.dir);
	} else if (verdict == TFSM_KEPT) {
		tfsm_count_kept(&f->fsm, v->seg.dir, v->packets, v->bytes);
	}
	if (unlikely(f->fsm.flags & TFSM_F_EXT))
		tcpfsm_flow_count_kept(f);
	if (unlikely(o.notes & TFSM_REFUSALS) && f->refused < U8_MAX)
		f->refused++;
	tcpfsm_commit_moves(&r, f, &o);
	if (unlikely(verdict >= TFSM_NEW)) {
		tcpfsm_hand_over(&f->lock);	/* to replace_flow() */
		return tfsm_shell_replace(&keeper, &p, &f->fsm, &v->seg, verdict);
	}
	if (verdict == TFSM_OK)
		tcpfsm_timeout_touch(f);
	if (o.moves || o.time_wait || (flags ^ f->fsm.flags) & CLASS_FLAGS)
		tcpfsm_timeout_update(f, o.time_wait);
	tcpfsm_audit(f, v, &audit);
	spin_unlock(&f->lock);
	if (unlikely(o.notes & TFSM_REFUSALS))
		tcpfsm_trace_ignored(v, o.notes);
	if (unlikely(audit.differs))
		tcpfsm_trace_audit(v, audit.shown, audit.socket);
	tcpfsm_commit_deliver(&r);
	return false;
}

/* The first look at a flow for this segment. Return: look again, it belongs to another flow. */
static noinline bool take_segment(struct tcpfsm_flow *f, struct tcpfsm_view *v)
	__releases(&f->lock)
{
	if (likely(!is_second_look(f, v)))
		return move_flow(f, v);
	spin_unlock(&f->lock);
	tcpfsm_count(v->tuple.tn, TCPFSM_C_seen_twice);
	return false;
}

/* Another flow has the tuple now: the segment's, or another processor's. */
static noinline void take_segment_again(struct tcpfsm_view *v)
{
	struct tcpfsm_flow *f;
	unsigned int tries;

	for (tries = 1; tries < TFSM_TRIES; tries++) {
		f = tcpfsm_table_find_lock(&v->tuple);
		if (f) {
			set_direction(v, f);
			if (!move_flow(f, v))
				return;
		} else if (!open_from_segment(v)) {
			return;
		}
	}
	tcpfsm_count(v->tuple.tn, TCPFSM_C_gave_up);
}

void tcpfsm_segment(struct tcpfsm_view *v)
{
	struct tcpfsm_flow *f = tcpfsm_table_find_lock(&v->tuple);
	struct tcpfsm_audit audit;

	if (!f) {
		if (open_from_segment(v))
			take_segment_again(v);
		return;
	}
	set_direction(v, f);
	if (v->repeat || !tfsm_in_order(&f->fsm, &v->seg)) {
		if (take_segment(f, v))
			take_segment_again(v);
		return;
	}
	tcpfsm_flow_sent(f, v->seg.dir, v->packets, v->bytes);
	note_place(f, v, v->seg.dir);
	f->last = (u32)jiffies;
	tcpfsm_audit(f, v, &audit);
	spin_unlock(&f->lock);
	if (unlikely(audit.differs))
		tcpfsm_trace_audit(v, audit.shown, audit.socket);
}
