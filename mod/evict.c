// SPDX-License-Identifier: GPL-2.0
/* Who makes room in a full table. */
#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/sched.h>

#include "cpu.h"
#include "end.h"
#include "evict.h"
#include "netns.h"
#include "owner.h"
#include "queue.h"
#include "timeout.h"

#define OTHERS		4U	/* processors, or namespaces, that are asked in turn */
#define SLOW		(5 * HZ)	/* handshakes that take longer */
#define IDLE		(300 * HZ)	/* without a segment, an established flow is not active */
#define FAILURES	16U	/* searches that find nothing, until the jiffy is over */
#define COUNT_EVERY	msecs_to_jiffies(10)	/* half-open flows */

static DEFINE_PER_CPU(unsigned int, next_cpu);

/* Of each owner's flows: quick searches, and merciless ones. */
struct found_none {
	struct tcpfsm_failures of[TCPFSM_OWNERS][2];
};

static DEFINE_PER_CPU(struct found_none, found_none);

static const u8 evicted_as[TFSM_CLASSES] = {
	[TFSM_CLASS_CLOSED]	 = TCPFSM_C_evicted_closed,
	[TFSM_CLASS_OPENING]	 = TCPFSM_C_evicted_opening,
	[TFSM_CLASS_TIME_WAIT]	 = TCPFSM_C_evicted_time_wait,
	[TFSM_CLASS_CLOSING]	 = TCPFSM_C_evicted_closing,
	[TFSM_CLASS_ESTABLISHED] = TCPFSM_C_evicted_established,
	[TFSM_CLASS_HALF_CLOSED] = TCPFSM_C_evicted_half_closed,
};

/* How hard to look for a flow to evict. */
struct search {
	unsigned int looks;	/* at tickets of a queue */
	bool	     any;	/* active flows, too */
	bool	     patient;	/* waits for locks: process context */
	bool	     unsure;	/* out: there may be more, for a queue was not looked through */
};

#define QUICK_SEARCH		{ .looks = 8 }
#define MERCILESS_SEARCH	{ .looks = 8, .any = true }
#define PATIENT_SEARCH		{ .looks = 1024, .patient = true }

/* An established flow without a segment for this long is not active. */
static bool is_evictable(const struct tcpfsm_flow *f, const struct search *s)
{
	return s->any || tcpfsm_timeout_class_of(f->waits) != TFSM_CLASS_ESTABLISHED ||
	       time_after32((u32)jiffies, READ_ONCE(f->last) + IDLE);
}

/* Does a flow that is nearly over end then? If it has a local socket, that is asked only. */
static bool ends_soon(const struct tcpfsm_flow *f)
{
	return tcpfsm_timeout_class_of(f->waits) == TFSM_CLASS_TIME_WAIT ||
	       !tcpfsm_timeout_local_ends(f->fsm.flags);
}

/* End a flow whose ticket was taken from this queue, if it may go. */
static bool evict_flow(struct tcpfsm_flow *f, unsigned int queue, const struct search *s)
	__releases(&f->lock)
{
	enum tfsm_class class = tcpfsm_timeout_class_of(f->waits);
	bool here = (queue == TCPFSM_QUEUE_SOON ? ends_soon(f) :
						  class == tcpfsm_timeout_class_of(queue)) &&
		    is_evictable(f, s);

	/* Active, or of another class by now: it goes behind the others. */
	if (!here && tcpfsm_timeout_go_on(f)) {
		spin_unlock(&f->lock);
		return false;
	}
	tcpfsm_count(tcpfsm_flow_net(f), evicted_as[class]);
	tcpfsm_end_flow(f, TCPFSM_REASON_EVICTED);
	return true;
}

/* The same, if the ticket is not void. */
static bool evict_ticket(struct tcpfsm_net *tn, unsigned int queue, const struct tcpfsm_ticket *t,
			 const struct search *s)
{
	struct tcpfsm_flow *f = tcpfsm_queue_lock(tn, queue, t);

	if (!f)
		return false;
	return evict_flow(f, queue, s);
}

/* End the oldest flow of a queue that may go, as far as a few looks tell. @age: of its ticket */
static bool evict_from(struct tcpfsm_net *tn, struct tcpfsm_cpu *c, unsigned int queue, u32 age,
		       struct search *s)
{
	unsigned int looks = s->looks;
	struct tcpfsm_ticket t;
	int taken = 1;

	while (looks-- && taken > 0) {
		taken = tcpfsm_queue_take(c, queue, age, s->patient, &t);
		if (taken > 0 && evict_ticket(tn, queue, &t, s))
			return true;
	}
	s->unsure |= taken != 0;
	return false;
}

static bool evict_class(struct tcpfsm_net *tn, struct tcpfsm_cpu *c, enum tfsm_class class, u32 age,
			struct search *s)
{
	return evict_from(tn, c, TCPFSM_QUEUE_REMOTE + class, age, s) ||
	       evict_from(tn, c, TCPFSM_QUEUE_LOCAL + class, age, s);
}

/* Do half-open flows fill an eighth of the table? One processor counts now and then. */
static bool is_flooded(void)
{
	static unsigned long counted;
	static bool flooded;
	unsigned long last = READ_ONCE(counted), now = jiffies;

	if (now - last >= COUNT_EVERY && cmpxchg(&counted, last, now) == last)
		WRITE_ONCE(flooded, tcpfsm_timeout_opening() > READ_ONCE(tcpfsm_max_flows) / 8);
	return READ_ONCE(flooded);
}

/* ---- where to look ---- */

/*
 * Among the flows that have their ticket at a processor, those that are over, or soon will be, and
 * handshakes in progress if they are many, or take long: otherwise each new connection would end
 * the slowest client's.
 */
static bool evict_finished(struct tcpfsm_net *tn, struct tcpfsm_cpu *c, struct search *s)
{
	return evict_class(tn, c, TFSM_CLASS_CLOSED, 0, s) ||
	       evict_from(tn, c, TCPFSM_QUEUE_SOON, 0, s) ||
	       evict_class(tn, c, TFSM_CLASS_OPENING, is_flooded() ? 0 : SLOW, s) ||
	       evict_class(tn, c, TFSM_CLASS_TIME_WAIT, 0, s);
}

/* The others. */
static bool evict_open(struct tcpfsm_net *tn, struct tcpfsm_cpu *c, struct search *s)
{
	return evict_class(tn, c, TFSM_CLASS_OPENING, 0, s) ||
	       evict_class(tn, c, TFSM_CLASS_CLOSING, 0, s) ||
	       evict_class(tn, c, TFSM_CLASS_ESTABLISHED, 0, s) ||
	       evict_class(tn, c, TFSM_CLASS_HALF_CLOSED, 0, s) ||
	       evict_from(tn, c, TCPFSM_QUEUE_RECHECK, 0, s);
}

/* In this order, wherever they have their tickets. */
static bool (*const evict_kind[])(struct tcpfsm_net *tn, struct tcpfsm_cpu *c,
				  struct search *s) = { evict_finished, evict_open };

static bool evict_at(struct tcpfsm_net *tn, unsigned int cpu, unsigned int kind,
		     struct search *s)
{
	struct tcpfsm_cpu *c = tcpfsm_cpu_of(tn, cpu);

	return c && evict_kind[kind](tn, c, s);
}

/* At this processor, else where there was something to give last, else at a few in turn. */
static bool evict_somewhere(struct tcpfsm_net *tn, unsigned int kind, struct search *s)
{
	unsigned int n = OTHERS, cpu;

	if (evict_at(tn, smp_processor_id(), kind, s) ||
	    evict_at(tn, READ_ONCE(tn->victims_at), kind, s))
		return true;
	while (n--) {
		cpu = this_cpu_inc_return(next_cpu) % (nr_cpu_ids + 1);
		if (evict_at(tn, cpu, kind, s)) {
			WRITE_ONCE(tn->victims_at, cpu);
			return true;
		}
	}
	return false;
}

/*
 * In a flood, the same search would fail for each segment. After a few failures in a row a
 * processor does not search again in this jiffy; what a search has moved behind others, or what
 * becomes evictable, is met in the next.
 */
static bool is_futile(const struct tcpfsm_failures *f)
{
	return f->nr >= FAILURES && jiffies - f->jiffy < 1;
}

/* Return: whether the search has found something. */
static bool note_result(struct tcpfsm_failures *f, bool found)
{
	if (found) {
		f->nr = 0;
		return true;
	}
	if (jiffies - f->jiffy >= 1)
		*f = (struct tcpfsm_failures) { .jiffy = jiffies };
	f->nr++;
	return false;
}

/*
 * What goes on gives way only if there is nothing that is over: while it is not sure that there is
 * none, no flow does, or those that are idle would be lost to a flood, one by one.
 */
static bool evict_within(struct tcpfsm_net *tn, struct search *s)
{
	struct tcpfsm_cpu *here = *this_cpu_ptr(tn->cpus);
	unsigned int kind;

	for (kind = 0; kind < ARRAY_SIZE(evict_kind); kind++) {
		/* NULL: of the first segments here, or there is no memory. */
		struct tcpfsm_failures *f = s->any || !here ? NULL : &here->found_none[kind];

		if (f && is_futile(f))
			continue;
		s->unsure = false;
		if (evict_somewhere(tn, kind, s))
			return !f || note_result(f, true);
		if (s->unsure && !s->any)
			return false;
		if (f)
			note_result(f, false);
	}
	return false;
}

static bool search_owner(u8 owner, struct search *s)
{
	struct tcpfsm_net *tn = tcpfsm_owner_fattest(owner);
	unsigned int i;

	if (!tn)
		return false;
	if (evict_within(tn, s))
		return true;
	for (i = 0; i < min(OTHERS, tcpfsm_owner_namespaces(owner)); i++) {
		tn = tcpfsm_owner_turn(owner);
		if (tn && evict_within(tn, s))
			return true;
	}
	return false;
}

static bool evict_of_owner(u8 owner, struct search *s)
{
	struct tcpfsm_failures *f = &this_cpu_ptr(&found_none)->of[owner][s->any];

	return !is_futile(f) && note_result(f, search_owner(owner, s));
}

/* ---- who gives way ---- */

/* Does a namespace hold at least its share of its owner's flows? */
static bool has_its_share(const struct tcpfsm_net *tn)
{
	unsigned int namespaces = tcpfsm_owner_namespaces(tn->owner);

	return namespaces <= 1 ||
	       tcpfsm_owner_share(tn) >= tcpfsm_owner_flows(tn->owner) / namespaces;
}

bool tcpfsm_evict_one(struct tcpfsm_net *tn)
{
	struct search quick = QUICK_SEARCH, merciless = MERCILESS_SEARCH;
	bool fat = has_its_share(tn);
	u8 own = tn->owner, other = !tn->owner;

	/* Whoever has more than is his to keep gives way, whatever his flows are. */
	if (tcpfsm_owner_over_half(other) && evict_of_owner(other, &quick))
		return true;
	if (fat && evict_within(tn, &quick))
		return true;
	if (evict_of_owner(own, &quick))
		return true;
	if (own == TCPFSM_HOST && evict_of_owner(other, &quick))
		return true;
	if (!fat && evict_within(tn, &quick))
		return true;
	return tcpfsm_owner_over_half(other) && evict_of_owner(other, &merciless);
}

/* ---- a table that has become smaller ---- */

/* Where a search of all namespaces of an owner, and of all processors, is. */
struct tour {
	unsigned long place;	/* of a namespace */
	unsigned int  cpu;
};

static bool trim_quickly(u8 owner)
{
	struct search quick = QUICK_SEARCH;
	bool evicted;

	rcu_read_lock();
	local_bh_disable();
	evicted = evict_of_owner(owner, &quick);
	local_bh_enable();
	rcu_read_unlock();
	return evicted;
}

static bool trim_here(u8 owner, const struct tour *t)
{
	struct search patient = PATIENT_SEARCH;
	struct tcpfsm_net *tn;
	bool evicted;

	rcu_read_lock();
	local_bh_disable();
	tn = tcpfsm_owner_at(owner, t->place);
	evicted = tn && (evict_at(tn, t->cpu, 0, &patient) || evict_at(tn, t->cpu, 1, &patient));
	local_bh_enable();
	rcu_read_unlock();
	return evicted;
}

static void go_to_next_stop(u8 owner, struct tour *t)
{
	if (++t->cpu <= nr_cpu_ids)
		return;
	t->cpu = 0;
	rcu_read_lock();
	tcpfsm_owner_next(owner, &t->place);
	rcu_read_unlock();
}

/*
 * Of the fattest namespaces first; when these have nothing to give, wherever there is something,
 * and there for as long as there is.
 */
static bool trim_owner(u8 owner, struct tour *t)
{
	unsigned long stops = (tcpfsm_owner_namespaces(owner) + 1UL) * (nr_cpu_ids + 1);

	if (trim_quickly(owner))
		return true;
	while (stops--) {
		if (trim_here(owner, t))
			return true;
		go_to_next_stop(owner, t);
		cond_resched();
	}
	return false;
}

void tcpfsm_evict_surplus(void)
{
	struct tour tours[TCPFSM_OWNERS] = {};
	bool evicted = true;

	while (evicted && tcpfsm_owner_too_many()) {
		evicted = (tcpfsm_owner_over_half(TCPFSM_GUEST) &&
			   trim_owner(TCPFSM_GUEST, &tours[TCPFSM_GUEST])) ||
			  trim_owner(TCPFSM_HOST, &tours[TCPFSM_HOST]) ||
			  trim_owner(TCPFSM_GUEST, &tours[TCPFSM_GUEST]);
		cond_resched();
	}
}
