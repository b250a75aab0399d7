// SPDX-License-Identifier: GPL-2.0
/* What becomes of a flow whose time is over; local sockets are asked first. */
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "core/shell.h"
#include "end.h"
#include "expire.h"
#include "netns.h"
#include "queue.h"
#include "socket.h"
#include "timeout.h"

#define PAUSE	(HZ / 10)	/* between two runs: what is due comes in batches */
#define DAY	(86400 * HZ)
#define BATCH	64		/* flows between two chances for others to run */

/* The ends that a RST has closed: their sockets may live on. */
static u8 reset_ends(const struct tcpfsm_flow *f)
{
	return (f->fsm.end[TCPFSM_ORIG].under ? 1U << TCPFSM_ORIG : 0) |
	       (f->fsm.end[TCPFSM_RESP].under ? 1U << TCPFSM_RESP : 0);
}

static u8 ends_in(const struct tcpfsm_snap *s, u32 states)
{
	return (states & BIT(s->state[TCPFSM_ORIG]) ? 1U << TCPFSM_ORIG : 0) |
	       (states & BIT(s->state[TCPFSM_RESP]) ? 1U << TCPFSM_RESP : 0);
}

/* Which of these local ends have a socket? The stack is asked without the flow's lock. */
static u8 living_ends(const struct tcpfsm_snap *s, u8 ends)
{
	u8 end, mask = 0;

	for (end = 0; end < TCPFSM_ENDS; end++)
		if (ends & 1U << end && tcpfsm_socket_lives(s, end))
			mask |= 1U << end;
	return mask;
}

/* Whom to ask about: ends that RSTs have closed, if both are closed, else those that are open. */
static u8 ends_to_ask(const struct tcpfsm_flow *f, const struct tcpfsm_snap *s,
		      enum tfsm_class class)
{
	const u32 closed = BIT(TCPFSM_CLOSED) | BIT(TCPFSM_LISTEN);
	u8 local = tcpfsm_timeout_local_ends(s->flags);

	return local & (class == TFSM_CLASS_CLOSED ? reset_ends(f) : ~ends_in(s, closed));
}

/* The sockets of a flow were asked; it has not moved since. @alive, @dead: masks of ends */
static void act_on_answer(struct tcpfsm_flow *f, const struct tcpfsm_snap *s, u8 alive, u8 dead)
	__releases(&f->lock)
{
	switch (tcpfsm_timeout_class_of(f->queue)) {
	case TFSM_CLASS_CLOSED:
		if (alive)
			tcpfsm_end_lives(f, alive);
		else
			tcpfsm_end_flow(f, tfsm_timeout_reason(&f->fsm));
		return;
	case TFSM_CLASS_TIME_WAIT:
		/* TIME_WAIT lasts until both the deadline and the local socket are over. */
		if (!(alive & ends_in(s, BIT(TCPFSM_TIME_WAIT)))) {
			tcpfsm_end_time_wait(f);
			return;
		}
		tcpfsm_timeout_wait_in(f, TCPFSM_QUEUE_RECHECK);
		break;
	default:
		if (dead) {
			tcpfsm_end_gone(f, dead);
			return;
		}
		tcpfsm_timeout_wait_in(f, f->queue);	/* alive: it stays, however long */
	}
	spin_unlock(&f->lock);
}

/* A flow with local ends whose usual time is over. */
static void ask_sockets(struct tcpfsm_flow *f)
	__releases(&f->lock)
{
	u8 queue = f->queue, alive, asked;
	struct tcpfsm_snap snap;

	tcpfsm_flow_snapshot(f, &snap);
	asked = ends_to_ask(f, &snap, tcpfsm_timeout_class_of(queue));
	spin_unlock(&f->lock);
	alive = living_ends(&snap, asked);
	if (!tcpfsm_flow_lock(f, snap.id))
		return;
	if (tfsm_step(&f->fsm) == snap.step && f->queue == queue)
		act_on_answer(f, &snap, alive, tcpfsm_timeout_local_ends(snap.flags) & ~alive);
	else
		spin_unlock(&f->lock);		/* it has moved meanwhile */
}

/* Return: false if the flow has to wait on, and does so; it is still locked in either case. */
static bool is_over(struct tcpfsm_net *tn, struct tcpfsm_flow *f)
{
	unsigned int queue = f->queue;

	if (!tcpfsm_queue_waited(tn, f))
		return false;
	/* Confirmed, or no longer suspect, meanwhile. */
	if (queue != TCPFSM_QUEUE_RECHECK && tcpfsm_timeout_queue_of(f) != queue) {
		tcpfsm_timeout_wait_in(f, tcpfsm_timeout_queue_of(f));
		return false;
	}
	if (tcpfsm_timeout_refreshed(tn, f)) {
		tcpfsm_timeout_wait_in(f, queue);
		return false;
	}
	return true;
}

/* A flow that was the head of this queue, and due. */
static void expire_flow(struct tcpfsm_net *tn, struct tcpfsm_flow *f, unsigned int queue)
{
	enum tfsm_class class = tcpfsm_timeout_class_of(queue);

	if (!tcpfsm_flow_lock_of(f, tn))
		return;
	if (f->queue != queue || !is_over(tn, f))
		spin_unlock(&f->lock);
	else if (tcpfsm_timeout_local_ends(f->fsm.flags) &&
		 (class != TFSM_CLASS_CLOSED || reset_ends(f)))
		ask_sockets(f);
	else if (class == TFSM_CLASS_TIME_WAIT)
		tcpfsm_end_time_wait(f);
	else
		tcpfsm_end_flow(f, tfsm_timeout_reason(&f->fsm));
}

/* Return: there was one that was due; else lowers *@delay to when there will be. */
static bool expire_head(struct tcpfsm_net *tn, unsigned int queue, unsigned long *delay)
{
	struct tcpfsm_flow *f;

	rcu_read_lock();	/* the head may be freed, its memory not */
	f = tcpfsm_queue_due(tn, queue, delay);
	if (f) {
		local_bh_disable();
		expire_flow(tn, f, queue);
		local_bh_enable();
	}
	rcu_read_unlock();
	return f;
}

static void expire_work(struct work_struct *work)
{
	struct tcpfsm_net *tn = container_of(to_delayed_work(work), struct tcpfsm_net, queues.work);
	unsigned long delay = DAY;
	unsigned int queue, n = 0;

	tcpfsm_queue_work_begins(tn);
	for (queue = 0; queue < TCPFSM_QUEUES; queue++)
		while (expire_head(tn, queue, &delay) && !READ_ONCE(tn->queues.closing))
			if (++n % BATCH == 0)
				cond_resched();
	tcpfsm_queue_work_ends(tn, max_t(unsigned long, delay, PAUSE));
}

void tcpfsm_expire_net_init(struct tcpfsm_net *tn)
{
	tcpfsm_queue_net_init(tn, expire_work);
}

void tcpfsm_expire_net_pre_exit(struct tcpfsm_net *tn)
{
	tcpfsm_queue_net_close(tn);
}

void tcpfsm_expire_net_exit(struct tcpfsm_net *tn)
{
	tcpfsm_queue_net_stop(tn);
	tcpfsm_end_all(tn);
}
