// SPDX-License-Identifier: GPL-2.0
/* What becomes of a flow whose time is over; local sockets are asked first. */
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "core/shell.h"
#include "cpu.h"
#include "end.h"
#include "expire.h"
#include "netns.h"
#include "owner.h"
#include "queue.h"
#include "socket.h"
#include "timeout.h"

#define PAUSE	(HZ / 10)	/* between two runs: what is due comes in batches */
#define DAY	(86400 * HZ)
#define BATCH	32		/* flows between two chances for others to run */

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

/* Its time is not over: it waits on, unless there is no memory for that. */
static void go_on(struct tcpfsm_flow *f, bool has_ticket)
	__releases(&f->lock)
{
	if (likely(has_ticket)) {
		spin_unlock(&f->lock);
		return;
	}
	tcpfsm_count(tcpfsm_flow_net(f), TCPFSM_C_no_memory);
	tcpfsm_end_flow(f, TCPFSM_REASON_EVICTED);
}

/* The sockets of a flow were asked; it has not moved since. @alive, @dead: masks of ends */
static void act_on_answer(struct tcpfsm_flow *f, const struct tcpfsm_snap *s, u8 alive, u8 dead)
	__releases(&f->lock)
{
	switch (tcpfsm_timeout_class_of(f->waits)) {
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
		if (f->waits != TCPFSM_QUEUE_RECHECK) {
			go_on(f, tcpfsm_timeout_wait_in(f, TCPFSM_QUEUE_RECHECK));
			return;
		}
		break;
	default:
		if (dead) {
			tcpfsm_end_gone(f, dead);
			return;
		}
	}
	spin_unlock(&f->lock);		/* alive: it stays, however long */
}

/* A flow with local ends whose usual time is over. */
static void ask_sockets(struct tcpfsm_flow *f)
	__releases(&f->lock)
{
	struct tcpfsm_snap snap;
	u8 alive, asked;
	u32 stamp;

	/* What becomes of it meanwhile needs it to have a ticket. */
	if (!tcpfsm_timeout_outlive(f)) {
		go_on(f, false);
		return;
	}
	stamp = f->stamp;
	tcpfsm_flow_snapshot(f, &snap);
	asked = ends_to_ask(f, &snap, tcpfsm_timeout_class_of(f->waits));
	spin_unlock(&f->lock);
	alive = living_ends(&snap, asked);
	if (!tcpfsm_flow_lock(f, snap.tn->tag, snap.id))
		return;
	if (tfsm_step(&f->fsm) == snap.step && f->stamp == stamp)
		act_on_answer(f, &snap, alive, tcpfsm_timeout_local_ends(snap.flags) & ~alive);
	else
		spin_unlock(&f->lock);		/* it has moved meanwhile */
}

/* The ticket of a locked flow was met. */
static void meet_flow(struct tcpfsm_flow *f)
	__releases(&f->lock)
{
	enum tfsm_class class = tcpfsm_timeout_class_of(f->waits);

	if (!tcpfsm_timeout_is_over(f) && !tcpfsm_timeout_is_to_ask(f))
		go_on(f, tcpfsm_timeout_go_on(f));
	else if (tcpfsm_timeout_local_ends(f->fsm.flags) &&
		 (class != TFSM_CLASS_CLOSED || reset_ends(f)))
		ask_sockets(f);
	else if (class == TFSM_CLASS_TIME_WAIT)
		tcpfsm_end_time_wait(f);
	else
		tcpfsm_end_flow(f, tfsm_timeout_reason(&f->fsm));
}

static void meet_ticket(struct tcpfsm_net *tn, unsigned int queue, const struct tcpfsm_ticket *t)
{
	struct tcpfsm_flow *f;

	rcu_read_lock();
	local_bh_disable();
	f = tcpfsm_queue_lock(tn, queue, t);
	if (f)
		meet_flow(f);
	local_bh_enable();
	rcu_read_unlock();
}

/* Return: there were tickets whose turn had come; else lowers *@delay to when there will be. */
static bool meet_some(struct tcpfsm_cpu *c, struct tcpfsm_net *tn, unsigned int queue,
		      unsigned long *delay)
{
	struct tcpfsm_ticket tickets[BATCH];
	unsigned int n = tcpfsm_queue_take_due(c, queue, tickets, BATCH, delay), i;

	for (i = 0; i < n; i++)
		meet_ticket(tn, queue, &tickets[i]);
	cond_resched();
	return n;
}

static void expire_flows(struct tcpfsm_cpu *c, struct tcpfsm_net *tn)
{
	unsigned long delay = DAY;
	unsigned int queue;

	tcpfsm_queue_work_begins(c, false);
	for (queue = 0; queue < TCPFSM_QUEUES; queue++)
		while (meet_some(c, tn, queue, &delay) && !READ_ONCE(tn->closing))
			;
	tcpfsm_queue_work_ends(c, max_t(unsigned long, delay, PAUSE));
	tcpfsm_owner_settle(tn);
}

void tcpfsm_expire_net_pre_exit(struct tcpfsm_net *tn)
{
	tcpfsm_queue_net_close(tn);
	tcpfsm_owner_delist(tn);
}

void tcpfsm_expire_net_exit(struct tcpfsm_net *tn)
{
	tcpfsm_queue_net_stop(tn);
	tcpfsm_end_all(tn);
	WARN_ON_ONCE(tcpfsm_owner_holds_flows(tn));	/* one without a ticket */
}

int __init tcpfsm_expire_init(void)
{
	return tcpfsm_queue_init(expire_flows);
}

void tcpfsm_expire_exit(void)
{
	tcpfsm_queue_exit();
}
