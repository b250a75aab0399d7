// SPDX-License-Identifier: GPL-2.0
/* Deadline queues, without policy. */
#include <linux/jiffies.h>

#include "flow.h"
#include "netns.h"
#include "owner.h"
#include "queue.h"

/*
 * Have the work run after @delay. The timer wheel may be late by an eighth of a long delay, so the
 * work runs earlier by as much, and waits for the rest then.
 */
static void arm_work(struct tcpfsm_queues *q, unsigned long delay)
{
	u32 at;

	if (delay > 2 * HZ)
		delay -= delay / 8;
	at = (u32)jiffies + delay;
	lockdep_assert_held(&q->lock);
	if (q->closing || (q->armed && !time_before32(at, q->wake_at)))
		return;
	q->armed = true;
	q->wake_at = at;
	mod_delayed_work(system_power_efficient_wq, &q->work, delay);
}

static void stamp_flow(struct tcpfsm_queues *q, struct tcpfsm_flow *f, unsigned int queue)
{
	f->queue = queue;
	f->stamp = (u32)jiffies;
	arm_work(q, READ_ONCE(q->wait[queue]));
}

void tcpfsm_queue_add(struct tcpfsm_net *tn, struct tcpfsm_flow *f, unsigned int queue)
{
	struct tcpfsm_queues *q = &tn->queues;

	lockdep_assert_held(&f->lock);
	spin_lock(&q->lock);
	WRITE_ONCE(q->flows, q->flows + 1);
	list_add_tail(&f->queued, &q->head[queue]);
	if (!q->closing)
		tcpfsm_owner_enlist(tn);
	stamp_flow(q, f, queue);
	spin_unlock(&q->lock);
}

void tcpfsm_queue_move(struct tcpfsm_net *tn, struct tcpfsm_flow *f, unsigned int queue)
{
	struct tcpfsm_queues *q = &tn->queues;

	lockdep_assert_held(&f->lock);
	spin_lock(&q->lock);
	list_move_tail(&f->queued, &q->head[queue]);
	stamp_flow(q, f, queue);
	spin_unlock(&q->lock);
}

void tcpfsm_queue_remove(struct tcpfsm_net *tn, struct tcpfsm_flow *f)
{
	struct tcpfsm_queues *q = &tn->queues;

	lockdep_assert_held(&f->lock);
	spin_lock(&q->lock);
	list_del_init(&f->queued);
	WRITE_ONCE(q->flows, q->flows - 1);
	spin_unlock(&q->lock);
}

/* Jiffies until the flow's time is over; not above 0: it is. */
static s32 time_left(const struct tcpfsm_queues *q, const struct tcpfsm_flow *f,
		     unsigned int queue)
{
	return f->stamp + (u32)READ_ONCE(q->wait[queue]) - (u32)jiffies;
}

bool tcpfsm_queue_waited(const struct tcpfsm_net *tn, const struct tcpfsm_flow *f)
{
	lockdep_assert_held(&f->lock);
	return time_left(&tn->queues, f, f->queue) <= 0;
}

static struct tcpfsm_flow *first_of(struct tcpfsm_queues *q, unsigned int queue)
{
	lockdep_assert_held(&q->lock);
	return list_first_entry_or_null(&q->head[queue], struct tcpfsm_flow, queued);
}

struct tcpfsm_flow *tcpfsm_queue_head(struct tcpfsm_net *tn, unsigned int queue)
{
	struct tcpfsm_queues *q = &tn->queues;
	struct tcpfsm_flow *f;

	spin_lock(&q->lock);
	f = first_of(q, queue);
	spin_unlock(&q->lock);
	return f;
}

struct tcpfsm_flow *tcpfsm_queue_due(struct tcpfsm_net *tn, unsigned int queue,
				     unsigned long *delay)
{
	struct tcpfsm_queues *q = &tn->queues;
	struct tcpfsm_flow *f;
	s32 left;

	spin_lock_bh(&q->lock);
	f = first_of(q, queue);
	left = f ? time_left(q, f, queue) : 0;
	spin_unlock_bh(&q->lock);
	if (left <= 0)
		return f;
	*delay = min_t(unsigned long, *delay, left);
	return NULL;
}

void tcpfsm_queue_work_begins(struct tcpfsm_net *tn)
{
	spin_lock_bh(&tn->queues.lock);
	tn->queues.armed = false;
	spin_unlock_bh(&tn->queues.lock);
}

void tcpfsm_queue_work_ends(struct tcpfsm_net *tn, unsigned long delay)
{
	struct tcpfsm_queues *q = &tn->queues;

	spin_lock_bh(&q->lock);
	if (q->flows)
		arm_work(q, delay);
	else
		tcpfsm_owner_delist(tn);
	spin_unlock_bh(&q->lock);
}

void tcpfsm_queue_set_waits(struct tcpfsm_net *tn,
			    unsigned long (*wait_of)(const struct tcpfsm_net *tn,
						     unsigned int queue))
{
	struct tcpfsm_queues *q = &tn->queues;
	unsigned int i;

	spin_lock_bh(&q->lock);
	for (i = 0; i < TCPFSM_QUEUES; i++)
		WRITE_ONCE(q->wait[i], wait_of(tn, i));
	if (tn->listed)
		arm_work(q, 0);
	spin_unlock_bh(&q->lock);
}

void tcpfsm_queue_net_init(struct tcpfsm_net *tn, work_func_t work)
{
	struct tcpfsm_queues *q = &tn->queues;
	unsigned int i;

	spin_lock_init(&q->lock);
	for (i = 0; i < TCPFSM_QUEUES; i++)
		INIT_LIST_HEAD(&q->head[i]);
	INIT_LIST_HEAD(&tn->peers);
	INIT_DELAYED_WORK(&q->work, work);
}

void tcpfsm_queue_net_close(struct tcpfsm_net *tn)
{
	struct tcpfsm_queues *q = &tn->queues;

	spin_lock_bh(&q->lock);
	WRITE_ONCE(q->closing, true);		/* read without the lock, too */
	tcpfsm_owner_delist(tn);
	spin_unlock_bh(&q->lock);
}

void tcpfsm_queue_net_stop(struct tcpfsm_net *tn)
{
	cancel_delayed_work_sync(&tn->queues.work);
}
