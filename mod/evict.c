// SPDX-License-Identifier: GPL-2.0
/* Who makes room in a full table. */
#include <linux/jiffies.h>
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
#define BATCH		64	/* flows between two chances for others to run */

static DEFINE_PER_CPU(unsigned int, next_cpu);

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
	bool	     patient;	/* waits for locks, and asks every processor: process context */
};

static const struct search quick_search = { .looks = 8 };
static const struct search merciless_search = { .looks = 8, .any = true };
static const struct search patient_search = { .looks = 1024, .patient = true };

/* An established flow without a segment for this long is not active. */
static bool is_evictable(const struct tcpfsm_flow *f, const struct search *s)
{
	return s->any || tcpfsm_timeout_class_of(f->waits) != TFSM_CLASS_ESTABLISHED ||
	       time_after32((u32)jiffies, READ_ONCE(f->last) + IDLE);
}

/* End a flow whose ticket was taken from this queue, if it may go. */
static bool evict_flow(struct tcpfsm_flow *f, unsigned int queue, const struct search *s)
	__releases(&f->lock)
{
	enum tfsm_class class = tcpfsm_timeout_class_of(f->waits);
	bool here = (queue == TCPFSM_QUEUE_SOON || class == tcpfsm_timeout_class_of(queue)) &&
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
		       const struct search *s)
{
	unsigned int looks = s->looks;
	struct tcpfsm_ticket t;

	while (looks-- && tcpfsm_queue_take(c, queue, age, s->patient, &t))
		if (evict_ticket(tn, queue, &t, s))
			return true;
	return false;
}

static bool evict_class(struct tcpfsm_net *tn, struct tcpfsm_cpu *c, enum tfsm_class class, u32 age,
			const struct search *s)
{
	return evict_from(tn, c, TCPFSM_QUEUE_REMOTE + class, age, s) ||
	       evict_from(tn, c, TCPFSM_QUEUE_LOCAL + class, age, s);
}

/* Do half-open flows fill an eighth of the table? Asked anew once in a jiffy. */
static bool is_flooded(void)
{
	static unsigned long asked;
	static bool flooded;

	if (time_after(jiffies, READ_ONCE(asked))) {
		WRITE_ONCE(asked, jiffies);
		WRITE_ONCE(flooded, tcpfsm_timeout_opening() > READ_ONCE(tcpfsm_max_flows) / 8);
	}
	return READ_ONCE(flooded);
}

/*
 * Among the flows that have their ticket at a processor: first those that are over, or soon will
 * be. Handshakes in progress go before TIME_WAIT only if they are many, or take long: else each new
 * connection would end the slowest client's.
 */
static bool evict_at(struct tcpfsm_net *tn, struct tcpfsm_cpu *c, const struct search *s)
{
	return evict_class(tn, c, TFSM_CLASS_CLOSED, 0, s) ||
	       evict_from(tn, c, TCPFSM_QUEUE_SOON, 0, s) ||
	       evict_class(tn, c, TFSM_CLASS_OPENING, is_flooded() ? 0 : SLOW, s) ||
	       evict_class(tn, c, TFSM_CLASS_TIME_WAIT, 0, s) ||
	       evict_class(tn, c, TFSM_CLASS_OPENING, 0, s) ||
	       evict_class(tn, c, TFSM_CLASS_CLOSING, 0, s) ||
	       evict_class(tn, c, TFSM_CLASS_ESTABLISHED, 0, s) ||
	       evict_class(tn, c, TFSM_CLASS_HALF_CLOSED, 0, s) ||
	       evict_from(tn, c, TCPFSM_QUEUE_RECHECK, 0, s);
}

static bool evict_at_cpu(struct tcpfsm_net *tn, unsigned int cpu, const struct search *s)
{
	struct tcpfsm_cpu *c = tcpfsm_cpu_of(tn, cpu);

	if (!c || !evict_at(tn, c, s))
		return false;
	if (READ_ONCE(tn->victims_at) != cpu)
		WRITE_ONCE(tn->victims_at, cpu);
	return true;
}

/* At this processor, else where there was something to give last, else at a few in turn. */
static bool evict_within(struct tcpfsm_net *tn, const struct search *s)
{
	unsigned int n = s->patient ? nr_cpu_ids + 1 : OTHERS;

	if (evict_at_cpu(tn, smp_processor_id(), s) ||
	    evict_at_cpu(tn, READ_ONCE(tn->victims_at), s))
		return true;
	while (n--)
		if (evict_at_cpu(tn, this_cpu_inc_return(next_cpu) % (nr_cpu_ids + 1), s))
			return true;
	return false;
}

static bool evict_of_owner(u8 owner, const struct search *s)
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

/* Does a namespace hold at least its share of its owner's flows? */
static bool has_its_share(const struct tcpfsm_net *tn)
{
	unsigned int namespaces = max(1U, tcpfsm_owner_namespaces(tn->owner));

	return tcpfsm_owner_share(tn) >= tcpfsm_owner_flows(tn->owner) / namespaces;
}

bool tcpfsm_evict_one(struct tcpfsm_net *tn)
{
	bool fat = has_its_share(tn);
	u8 own = tn->owner, other = !tn->owner;

	/* Whoever has more than is his to keep gives way, whatever his flows are. */
	if (tcpfsm_owner_over_half(other) && evict_of_owner(other, &quick_search))
		return true;
	if (fat && evict_within(tn, &quick_search))
		return true;
	if (evict_of_owner(own, &quick_search))
		return true;
	if (own == TCPFSM_HOST && evict_of_owner(other, &quick_search))
		return true;
	if (!fat && evict_within(tn, &quick_search))
		return true;
	return tcpfsm_owner_over_half(other) && evict_of_owner(other, &merciless_search);
}

/* Of the fattest namespaces first, and when these have nothing to give, of each in turn. */
static bool trim_owner(u8 owner)
{
	struct tcpfsm_net *tn;
	unsigned int i;

	if (evict_of_owner(owner, &quick_search))
		return true;
	for (i = 0; i < tcpfsm_owner_namespaces(owner); i++) {
		tn = tcpfsm_owner_turn(owner);
		if (tn && evict_within(tn, &patient_search))
			return true;
	}
	return false;
}

/* Return: a flow has gone. */
static bool trim_table(void)
{
	bool evicted;

	rcu_read_lock();
	local_bh_disable();
	evicted = (tcpfsm_owner_over_half(TCPFSM_GUEST) && trim_owner(TCPFSM_GUEST)) ||
		  trim_owner(TCPFSM_HOST) || trim_owner(TCPFSM_GUEST);
	local_bh_enable();
	rcu_read_unlock();
	return evicted;
}

void tcpfsm_evict_surplus(void)
{
	unsigned int n = 0;

	while (tcpfsm_owner_too_many() && trim_table())
		if (++n % BATCH == 0)
			cond_resched();
}
