// SPDX-License-Identifier: GPL-2.0
/* How flows end, and what moves them without a segment. */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "commit.h"
#include "compat.h"
#include "cpu.h"
#include "end.h"
#include "netns.h"
#include "owner.h"
#include "queue.h"
#include "table.h"
#include "timeout.h"

#define BATCH	32	/* flows between two chances for others to run */

void tcpfsm_end_reported(struct tcpfsm_flow *f, u8 reason, struct tcpfsm_report *r)
	__releases(&f->lock)
{
	struct tcpfsm_local *local = tcpfsm_flow_local(f);
	struct tfsm_ext *ext = tfsm_ext(&f->fsm);

	if (unlikely(ext)) {
		tfsm_drop_all_kept(&f->fsm);
		tcpfsm_flow_count_kept(f);
	}
	tcpfsm_commit_end(r, f, reason);
	tcpfsm_table_remove(f);
	tcpfsm_timeout_stop(f);
	tcpfsm_owner_left(r->tn);
	WRITE_ONCE(f->tag, 0);
	spin_unlock(&f->lock);
	tcpfsm_table_free(f, r->tn);
	tcpfsm_flow_free_ext(ext);
	kfree(local);
	tcpfsm_commit_deliver(r);
}

void tcpfsm_end_flow(struct tcpfsm_flow *f, u8 reason)
	__releases(&f->lock)
{
	struct tcpfsm_report r tcpfsm_uninitialized;

	tcpfsm_commit_begin(&r, f);
	tcpfsm_end_reported(f, reason, &r);
}

/* It moved without a segment. */
static void commit_moves(struct tcpfsm_flow *f, const struct tfsm_out *o, struct tcpfsm_report *r,
			 bool restart)
	__releases(&f->lock)
{
	tcpfsm_commit_moves(r, f, o);
	/* Its ticket was taken, so without another it would stay for ever. */
	if (unlikely(!tcpfsm_timeout_update(f, restart))) {
		tcpfsm_end_reported(f, TCPFSM_REASON_EVICTED, r);
		return;
	}
	spin_unlock(&f->lock);
	tcpfsm_commit_deliver(r);
}

void tcpfsm_end_time_wait(struct tcpfsm_flow *f)
	__releases(&f->lock)
{
	struct tfsm_out o = { .now = ktime_get_ns() };
	struct tcpfsm_report r tcpfsm_uninitialized;

	tcpfsm_commit_begin(&r, f);
	tfsm_expire(&f->fsm, &o);
	commit_moves(f, &o, &r, false);
}

/* The stack was asked for these ends: tell the engine what it said of each. */
static void tell_engine(struct tcpfsm_flow *f, u8 end_mask,
			void (*tell)(struct tfsm *f, u8 end, struct tfsm_out *o))
	__releases(&f->lock)
{
	struct tfsm_out o = { .now = ktime_get_ns() };
	struct tcpfsm_report r tcpfsm_uninitialized;
	u8 end;

	tcpfsm_commit_begin(&r, f);
	for (end = 0; end < TCPFSM_ENDS; end++)
		if (end_mask & 1U << end)
			tell(&f->fsm, end, &o);
	commit_moves(f, &o, &r, true);
}

void tcpfsm_end_gone(struct tcpfsm_flow *f, u8 end_mask)
	__releases(&f->lock)
{
	f->fsm.flags &= ~((end_mask & 1U << TCPFSM_ORIG ? TCPFSM_F_LOCAL_ORIG : 0) |
			  (end_mask & 1U << TCPFSM_RESP ? TCPFSM_F_LOCAL_RESP : 0));
	tell_engine(f, end_mask, tfsm_gone);
}

void tcpfsm_end_lives(struct tcpfsm_flow *f, u8 end_mask)
	__releases(&f->lock)
{
	tell_engine(f, end_mask, tfsm_lives);
}

static void end_ticket(struct tcpfsm_net *tn, unsigned int queue, const struct tcpfsm_ticket *t)
{
	struct tcpfsm_flow *f;

	rcu_read_lock();
	local_bh_disable();
	f = tcpfsm_queue_lock(tn, queue, t);
	if (f)
		tcpfsm_end_flow(f, TCPFSM_REASON_FLUSHED);
	local_bh_enable();
	rcu_read_unlock();
}

/* End all flows that have their ticket here. Return: there were tickets. */
static bool end_flows_of(struct tcpfsm_cpu *c, struct tcpfsm_net *tn)
{
	struct tcpfsm_ticket tickets[BATCH];
	unsigned long delay = HZ;
	unsigned int queue, n, i;
	bool any = false;

	tcpfsm_queue_work_begins(c, true);	/* it does not have some of them in its hands */
	for (queue = 0; queue < TCPFSM_QUEUES; queue++) {
		while ((n = tcpfsm_queue_take_due(c, queue, tickets, BATCH, &delay))) {
			for (i = 0; i < n; i++)
				end_ticket(tn, queue, &tickets[i]);
			any = true;
			cond_resched();
		}
	}
	tcpfsm_queue_work_ends(c, HZ);
	return any;
}

void tcpfsm_end_all(struct tcpfsm_net *tn)
{
	struct tcpfsm_cpu *c;
	unsigned int i;
	bool any;

	/*
	 * A work that has tickets in its hands may give them back to a processor that is done. Once
	 * segments pass again, new flows keep coming.
	 */
	do {
		any = false;
		tcpfsm_for_each_cpu(i, c, tn)
			any |= end_flows_of(c, tn);
	} while (any && !READ_ONCE(tn->hooked));
}
