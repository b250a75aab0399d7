// SPDX-License-Identifier: GPL-2.0
/* Queues of flows that wait, without policy. */
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "charge.h"
#include "cpu.h"
#include "flow.h"
#include "netns.h"
#include "queue.h"
#include "table.h"

#define FEW	1024U	/* tickets, which are never too many */
#define MANY	4U	/* times the tickets that were valid last: most of them are void */

struct tcpfsm_queues {
	spinlock_t		lock;
	struct tcpfsm_fifo	fifo[TCPFSM_QUEUES];
	u32			early[TCPFSM_QUEUES];	/* tickets to meet before their turn */
	u32			nr;		/* tickets in all of them */
	u32			most;		/* with more, all are met early */
	bool			crowded;	/* the work does so */
	bool			armed;		/* the work runs at wake_at */
	u32			wake_at;	/* jiffies */
	struct tcpfsm_cpu	*cpu;
	struct tcpfsm_net	*tn;
	struct mutex		busy;		/* tickets are taken, and not yet done with */
	struct delayed_work	work;
};

/*
 * A processor's own workers are for what cannot wait; ours may have a million flows to go through.
 */
static struct workqueue_struct *workers;
static void (*meet)(struct tcpfsm_cpu *c, struct tcpfsm_net *tn);

/*
 * Have the work run after @delay. The timer wheel may be late by an eighth of a long delay, so the
 * work runs earlier by as much, and waits for the rest then.
 */
static void arm_work(struct tcpfsm_queues *q, unsigned long delay)
{
	u32 at;

	lockdep_assert_held(&q->lock);
	if (delay > 2 * HZ)
		delay -= delay / 8;
	at = (u32)jiffies + delay;
	if (READ_ONCE(q->tn->closing) || (q->armed && !time_before32(at, q->wake_at)))
		return;
	q->armed = true;
	q->wake_at = at;
	mod_delayed_work(workers, &q->work, delay);
}

bool tcpfsm_queue_push(struct tcpfsm_flow *f, unsigned int queue)
{
	struct tcpfsm_net *tn = tcpfsm_flow_net(f);
	struct tcpfsm_cpu *c = tcpfsm_cpu_get(tn);
	struct tcpfsm_queues *q = c->queues;
	const struct tcpfsm_ticket t = {
		.where = tcpfsm_table_hash_of(f), .mark = (u16)tcpfsm_flow_id(f),
		.stamp = (u32)jiffies,
	};
	bool pushed;

	lockdep_assert_held(&f->lock);
	spin_lock(&q->lock);
	/* Charged to nobody: a payer whose limit page cache fills must not lose its flows. */
	pushed = tcpfsm_fifo_push(&q->fifo[queue], &t);
	if (likely(pushed)) {
		f->queue = queue;
		f->stamp = t.stamp;
		arm_work(q, unlikely(++q->nr > q->most) ? 0 : READ_ONCE(tn->meet[queue]));
	}
	spin_unlock(&q->lock);
	tcpfsm_cpu_put(c);
	return pushed;
}

struct tcpfsm_flow *tcpfsm_queue_do_lock(const struct tcpfsm_net *tn, unsigned int queue,
					 const struct tcpfsm_ticket *t)
{
	return tcpfsm_table_do_find_holder(&(struct tcpfsm_holder) {
		.hash = t->where, .tag = tn->tag, .stamp = t->stamp, .id = t->mark, .queue = queue,
	});
}

static void pop_ticket(struct tcpfsm_queues *q, unsigned int queue)
{
	lockdep_assert_held(&q->lock);
	tcpfsm_fifo_pop(&q->fifo[queue]);
	q->nr--;
}

/* Jiffies until the turn of this ticket, which is the queue's first. */
static s32 time_left(const struct tcpfsm_queues *q, unsigned int queue,
		     const struct tcpfsm_ticket *t)
{
	return t->stamp + READ_ONCE(q->tn->meet[queue]) - (u32)jiffies;
}

unsigned int tcpfsm_queue_take_due(struct tcpfsm_cpu *c, unsigned int queue,
				   struct tcpfsm_ticket *to, unsigned int n, unsigned long *delay)
{
	struct tcpfsm_queues *q = c->queues;
	unsigned int taken = 0;
	s32 left = 0;

	spin_lock_bh(&q->lock);
	while (taken < n && tcpfsm_fifo_first(&q->fifo[queue], &to[taken])) {
		left = time_left(q, queue, &to[taken]);
		if (left > 0 && !q->early[queue])
			break;
		if (q->early[queue])
			q->early[queue]--;
		left = 0;
		taken++;
		pop_ticket(q, queue);
	}
	spin_unlock_bh(&q->lock);
	if (left > 0)
		*delay = min_t(unsigned long, *delay, left);
	return taken;
}

int tcpfsm_queue_take(struct tcpfsm_cpu *c, unsigned int queue, u32 age, bool wait,
		      struct tcpfsm_ticket *to)
{
	struct tcpfsm_queues *q = c->queues;
	bool taken;

	/* Most queues are empty. */
	if (!READ_ONCE(q->fifo[queue].nr))
		return 0;
	if (wait)
		spin_lock(&q->lock);
	else if (!spin_trylock(&q->lock))
		return -EBUSY;
	taken = tcpfsm_fifo_first(&q->fifo[queue], to) && (u32)jiffies - to->stamp >= age;
	if (taken)
		pop_ticket(q, queue);
	spin_unlock(&q->lock);
	return taken;
}

void tcpfsm_queue_rearm(struct tcpfsm_net *tn)
{
	struct tcpfsm_cpu *c;
	unsigned int i;

	tcpfsm_for_each_cpu(i, c, tn) {
		spin_lock_bh(&c->queues->lock);
		arm_work(c->queues, 0);
		spin_unlock_bh(&c->queues->lock);
	}
}

static void run_work(struct work_struct *work)
{
	struct tcpfsm_queues *q = container_of(to_delayed_work(work), struct tcpfsm_queues, work);

	meet(q->cpu, q->tn);
}

void tcpfsm_queue_work_begins(struct tcpfsm_cpu *c, bool all)
{
	struct tcpfsm_queues *q = c->queues;
	unsigned int i;

	mutex_lock(&q->busy);
	spin_lock_bh(&q->lock);
	q->armed = false;
	q->crowded = q->nr > q->most;
	for (i = 0; i < TCPFSM_QUEUES; i++)
		q->early[i] = all || q->crowded ? q->fifo[i].nr : 0;
	spin_unlock_bh(&q->lock);
}

void tcpfsm_queue_work_ends(struct tcpfsm_cpu *c, unsigned long delay)
{
	struct tcpfsm_queues *q = c->queues;
	u32 most;

	spin_lock_bh(&q->lock);
	/* What is left of a crowd was valid just now. */
	most = max(FEW, MANY * q->nr);
	if (q->crowded || most < q->most)
		q->most = most;
	if (q->nr)
		arm_work(q, delay);
	spin_unlock_bh(&q->lock);
	mutex_unlock(&q->busy);
}

static bool make_queues(struct tcpfsm_cpu *c, struct tcpfsm_net *tn)
{
	struct tcpfsm_queues *q = tcpfsm_charge(tn, kzalloc(sizeof(*q), tcpfsm_charge_gfp(tn)));

	if (!q)
		return false;
	spin_lock_init(&q->lock);
	mutex_init(&q->busy);
	INIT_DELAYED_WORK(&q->work, run_work);
	q->cpu = c;
	q->tn = tn;
	q->most = FEW;
	c->queues = q;
	return true;
}

static void free_queues(struct tcpfsm_cpu *c)
{
	unsigned int i;

	if (!c->queues)
		return;
	for (i = 0; i < TCPFSM_QUEUES; i++)
		tcpfsm_fifo_free(&c->queues->fifo[i]);
	kfree(c->queues);
}

const struct tcpfsm_cpu_part tcpfsm_queue_part = { .make = make_queues, .free = free_queues };

void tcpfsm_queue_net_close(struct tcpfsm_net *tn)
{
	WRITE_ONCE(tn->closing, true);
}

void tcpfsm_queue_net_stop(struct tcpfsm_net *tn)
{
	struct tcpfsm_cpu *c;
	unsigned int i;

	tcpfsm_for_each_cpu(i, c, tn)
		cancel_delayed_work_sync(&c->queues->work);
}

int __init tcpfsm_queue_init(void (*work)(struct tcpfsm_cpu *c, struct tcpfsm_net *tn))
{
	meet = work;
	workers = alloc_workqueue("tcpfsm", WQ_UNBOUND, 0);
	return workers ? 0 : -ENOMEM;
}

void tcpfsm_queue_exit(void)
{
	destroy_workqueue(workers);
}
