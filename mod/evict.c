// SPDX-License-Identifier: GPL-2.0
/* Who makes room in a full table. */
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/sched.h>

#include "cpu.h"
#include "end.h"
#include "evict.h"
#include "netns.h"
#include "owner.h"
#include "queue.h"
#include "timeout.h"

#define LOOKS		4U	/* at flows of a queue, for one to evict */
#define TRIM_LOOKS	1024U	/* likewise, when the table has become smaller */
#define IDLE		(300 * HZ)	/* without a segment, an established flow is not active */
#define BATCH		64	/* flows between two chances for others to run */

static const u8 evicted_as[TFSM_CLASSES] = {
	[TFSM_CLASS_CLOSED]	 = TCPFSM_C_evicted_closed,
	[TFSM_CLASS_OPENING]	 = TCPFSM_C_evicted_opening,
	[TFSM_CLASS_TIME_WAIT]	 = TCPFSM_C_evicted_time_wait,
	[TFSM_CLASS_CLOSING]	 = TCPFSM_C_evicted_closing,
	[TFSM_CLASS_ESTABLISHED] = TCPFSM_C_evicted_established,
	[TFSM_CLASS_HALF_CLOSED] = TCPFSM_C_evicted_half_closed,
};

/* Active established flows are never evicted. */
static bool is_evictable(const struct tcpfsm_flow *f, enum tfsm_class class)
{
	return class != TFSM_CLASS_ESTABLISHED ||
	       time_after32((u32)jiffies, READ_ONCE(f->last) + IDLE);
}

/*
 * Look at the head of a queue, and end it if it may go; else it is out of the way of the next look.
 * Return: it has ended.
 */
static bool evict_head(struct tcpfsm_net *tn, struct tcpfsm_flow *f, unsigned int queue,
		       unsigned int *looks)
{
	enum tfsm_class class = tcpfsm_timeout_class_of(queue);
	unsigned int belongs;

	if (!tcpfsm_flow_lock_of(f, tn))
		return false;	/* another processor was faster: the next is the oldest */
	--*looks;
	belongs = queue == TCPFSM_QUEUE_RECHECK ? queue : tcpfsm_timeout_queue_of(f);
	if (f->queue == queue && belongs == queue && is_evictable(f, class)) {
		tcpfsm_count(tn, evicted_as[class]);
		tcpfsm_end_flow(f, TCPFSM_REASON_EVICTED);
		return true;
	}
	if (f->queue == queue)
		tcpfsm_timeout_wait_in(f, belongs);	/* active, or of another class by now */
	spin_unlock(&f->lock);
	return false;
}

/* End the oldest flow of a queue that may go, as far as a few looks tell. */
static bool evict_from(struct tcpfsm_net *tn, unsigned int queue, unsigned int looks)
{
	struct tcpfsm_flow *f;

	while (looks && (f = tcpfsm_queue_head(tn, queue)))
		if (evict_head(tn, f, queue, &looks))
			return true;
	return false;
}

static bool evict_within(struct tcpfsm_net *tn, unsigned int looks)
{
	enum tfsm_class class;

	for (class = 0; class < TFSM_CLASSES; class++)
		if (evict_from(tn, TCPFSM_QUEUE_REMOTE + class, looks) ||
		    (class != TFSM_CLASS_CLOSED &&
		     evict_from(tn, TCPFSM_QUEUE_LOCAL + class, looks)))
			return true;
	return evict_from(tn, TCPFSM_QUEUE_RECHECK, looks);
}

static bool evict_of_owner(u8 owner)
{
	struct tcpfsm_net *fattest = tcpfsm_owner_fattest(owner);

	return fattest && evict_within(fattest, LOOKS);
}

/* Does a namespace hold at least its share of its owner's flows? */
static bool has_its_share(const struct tcpfsm_net *tn)
{
	unsigned int namespaces = max(1U, tcpfsm_owner_namespaces(tn->owner));

	return READ_ONCE(tn->queues.flows) >= tcpfsm_owner_flows(tn->owner) / namespaces;
}

bool tcpfsm_evict_one(struct tcpfsm_net *tn)
{
	bool fat = has_its_share(tn);
	u8 own = tn->owner, other = !tn->owner;

	if (tcpfsm_owner_over_half(other) && evict_of_owner(other))
		return true;
	if (fat && evict_within(tn, LOOKS))
		return true;
	if (evict_of_owner(own))
		return true;
	if (own == TCPFSM_HOST && evict_of_owner(other))
		return true;
	return !fat && evict_within(tn, LOOKS);
}

/* Of the fattest namespaces first, and when these have nothing to give, of each in turn. */
static bool trim_owner(u8 owner)
{
	struct tcpfsm_net *tn;
	unsigned int i;

	if (evict_of_owner(owner))
		return true;
	for (i = 0; i < tcpfsm_owner_namespaces(owner); i++) {
		tn = tcpfsm_owner_next(owner);
		if (tn && evict_within(tn, TRIM_LOOKS))
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
