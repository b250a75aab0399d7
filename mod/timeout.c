// SPDX-License-Identifier: GPL-2.0
/* Which queue a flow waits in, and for how long. */
#include <linux/jiffies.h>

#include "core/shell.h"
#include "netns.h"
#include "service.h"
#include "timeout.h"

/*
 * Seconds after which the stack is asked whether a local socket still lives, where Linux is done
 * with a state sooner than the time-out for remote ends.
 */
#define ASK_ESTABLISHED	900	/* tcp_retries2 gives up after 924.6 s */
#define ASK_HALF_CLOSED	60	/* tcp_fin_timeout */
#define RECHECK		(HZ / 2)
#define IDLE_MOST	(1U << 30)	/* more is not told apart: with a time-out, below 2^31 */

enum tfsm_class tcpfsm_timeout_class_of(unsigned int queue)
{
	/* What is checked again are sockets that outlive their TIME_WAIT. */
	return queue == TCPFSM_QUEUE_RECHECK ? TFSM_CLASS_TIME_WAIT : queue % TFSM_CLASSES;
}

u8 tcpfsm_timeout_local_ends(u32 flags)
{
	return (flags & TCPFSM_F_LOCAL_ORIG ? 1U << TCPFSM_ORIG : 0) |
	       (flags & TCPFSM_F_LOCAL_RESP ? 1U << TCPFSM_RESP : 0);
}

unsigned int tcpfsm_timeout_queue_of(const struct tcpfsm_flow *f)
{
	enum tfsm_class class = tfsm_class(&f->fsm);

	if (class == TFSM_CLASS_CLOSED || !tcpfsm_timeout_local_ends(f->fsm.flags))
		return TCPFSM_QUEUE_REMOTE + class;
	return TCPFSM_QUEUE_LOCAL + class;
}

bool tcpfsm_timeout_refreshed(const struct tcpfsm_net *tn, const struct tcpfsm_flow *f)
{
	u32 wait = READ_ONCE(tn->queues.wait[f->queue]);

	return tfsm_class_refreshed(tcpfsm_timeout_class_of(f->queue)) &&
	       time_before32((u32)jiffies, READ_ONCE(f->last) + wait);
}

void tcpfsm_timeout_start(struct tcpfsm_flow *f)
{
	tcpfsm_queue_add(f->tn, f, tcpfsm_timeout_queue_of(f));
}

void tcpfsm_timeout_wait_in(struct tcpfsm_flow *f, unsigned int queue)
{
	u32 now = (u32)jiffies;

	lockdep_assert_held(&f->lock);
	if (now - f->last > IDLE_MOST)
		WRITE_ONCE(f->last, now - IDLE_MOST);
	tcpfsm_queue_move(f->tn, f, queue);
}

void tcpfsm_timeout_update(struct tcpfsm_flow *f, bool restart)
{
	unsigned int queue = tcpfsm_timeout_queue_of(f);
	bool stays = queue == f->queue;

	/* A socket that outlives its TIME_WAIT is checked again until the class is another. */
	if (f->queue == TCPFSM_QUEUE_RECHECK)
		stays = queue % TFSM_CLASSES == TFSM_CLASS_TIME_WAIT;
	if (restart || !stays)
		tcpfsm_timeout_wait_in(f, queue);
}

/* How long the flows of a queue wait, in seconds. */
static unsigned int seconds_of(const struct tcpfsm_net *tn, unsigned int queue)
{
	unsigned int seconds = READ_ONCE(tn->timeout[tcpfsm_timeout_class_of(queue)]);

	if (queue == TCPFSM_QUEUE_LOCAL + TFSM_CLASS_ESTABLISHED)
		return min_t(unsigned int, seconds, ASK_ESTABLISHED);
	if (queue == TCPFSM_QUEUE_LOCAL + TFSM_CLASS_HALF_CLOSED)
		return min_t(unsigned int, seconds, ASK_HALF_CLOSED);
	return seconds;
}

static unsigned long wait_of(const struct tcpfsm_net *tn, unsigned int queue)
{
	return queue == TCPFSM_QUEUE_RECHECK ? RECHECK : (unsigned long)seconds_of(tn, queue) * HZ;
}

void tcpfsm_timeout_apply(struct tcpfsm_net *tn)
{
	tcpfsm_queue_set_waits(tn, wait_of);
}
