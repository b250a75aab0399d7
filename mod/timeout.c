// SPDX-License-Identifier: GPL-2.0
/* Which queue a flow waits in, and for how long. */
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/percpu.h>

#include "core/shell.h"
#include "cpu.h"
#include "netns.h"
#include "queue.h"
#include "timeout.h"

/*
 * Seconds after which the stack is asked whether a local socket still lives, where Linux is done
 * with a state sooner than the time-out for remote ends.
 */
#define ASK_ESTABLISHED	900	/* tcp_retries2 gives up after 924.6 s */
#define ASK_HALF_CLOSED	60	/* tcp_fin_timeout */
#define RECHECK		(HZ / 2)
#define IDLE_MOST	(1U << 30)	/* more is not told apart: with a time-out, below 2^31 */
#define SOON		(4 * HZ)	/* so much later than its time-out, a flow may end */
#define ASK		(HZ / 100 + 1)	/* by then a socket that an ICMP error ends is gone */
#define ASK_AGAIN	(HZ / 2)	/* a virtual processor may have stood still till then */
#define MEET_MOST	(60 * HZ)	/* void tickets do not stay for longer */

enum tfsm_class tcpfsm_timeout_class_of(unsigned int queue)
{
	static const u8 class_of[TCPFSM_QUEUES] = {
#define X(id, name, seconds, help)					\
		[TCPFSM_QUEUE_REMOTE + TFSM_CLASS_##id] = TFSM_CLASS_##id, \
		[TCPFSM_QUEUE_LOCAL + TFSM_CLASS_##id] = TFSM_CLASS_##id,
		TCPFSM_CLASS_LIST(X)
#undef X
		/* What is checked again are sockets that outlive their TIME_WAIT. */
		[TCPFSM_QUEUE_RECHECK] = TFSM_CLASS_TIME_WAIT,
		/* No flow belongs to these, but their tickets are met on time. */
		[TCPFSM_QUEUE_SOON] = TFSM_CLASS_CLOSED,
		[TCPFSM_QUEUE_ASK] = TFSM_CLASS_CLOSED,
		[TCPFSM_QUEUE_ASK_AGAIN] = TFSM_CLASS_CLOSED,
	};

	return class_of[queue];
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

/*
 * Flows of this queue are met when their time is over, not later. It began when they came there, or
 * when 2MSL started anew: no other segment counts.
 */
static bool is_exact(unsigned int queue)
{
	enum tfsm_class class = tcpfsm_timeout_class_of(queue);

	return class == TFSM_CLASS_TIME_WAIT || class == TFSM_CLASS_CLOSED;
}

/* ---- half-open flows, which are too many when somebody floods ---- */

static DEFINE_PER_CPU(int, opening);

static void count_opening(unsigned int queue, int n)
{
	if (tcpfsm_timeout_class_of(queue) != TFSM_CLASS_OPENING)
		return;
	/* That bottom halves are off is enough, but with PREEMPT_RT. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		this_cpu_add(opening, n);
	else
		__this_cpu_add(opening, n);
}

unsigned int tcpfsm_timeout_opening(void)
{
	int cpu, n = 0;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu(opening, cpu));
	return max(n, 0);
}

/* ---- flows ---- */

static void belong_to(struct tcpfsm_flow *f, unsigned int queue)
{
	lockdep_assert_held(&f->lock);
	f->waits = queue;
}

bool tcpfsm_timeout_start(struct tcpfsm_flow *f)
{
	unsigned int queue = tcpfsm_timeout_queue_of(f);

	belong_to(f, queue);
	if (!tcpfsm_queue_push(f, queue))
		return false;
	count_opening(queue, 1);
	return true;
}

void tcpfsm_timeout_stop(struct tcpfsm_flow *f)
{
	count_opening(f->waits, -1);
}

void tcpfsm_timeout_touch(struct tcpfsm_flow *f)
{
	if (!is_exact(f->waits))
		f->last = (u32)jiffies;
}

static u32 wait_in(const struct tcpfsm_flow *f, unsigned int queue)
{
	return READ_ONCE(tcpfsm_flow_net(f)->wait[queue]);
}

static u32 meet_in(const struct tcpfsm_flow *f, unsigned int queue)
{
	return READ_ONCE(tcpfsm_flow_net(f)->meet[queue]);
}

/* Is the flow's ticket met too late for a queue that it comes to now? */
static bool is_met_late(const struct tcpfsm_flow *f, unsigned int queue)
{
	return time_after32(f->stamp + meet_in(f, f->queue), (u32)jiffies + wait_in(f, queue));
}

static void change_queue(struct tcpfsm_flow *f, unsigned int queue)
{
	count_opening(f->waits, -1);
	belong_to(f, queue);
	count_opening(queue, 1);
}

bool tcpfsm_timeout_update(struct tcpfsm_flow *f, bool restart)
{
	unsigned int queue = tcpfsm_timeout_queue_of(f);
	bool comes = tcpfsm_timeout_class_of(queue) != tcpfsm_timeout_class_of(f->waits);

	/* A socket that outlives its TIME_WAIT is checked again until the class is another. */
	if (!restart && !comes && (queue == f->waits || f->waits == TCPFSM_QUEUE_RECHECK))
		return true;
	change_queue(f, queue);
	if (restart || is_exact(queue))
		f->last = (u32)jiffies;
	/* A ticket that is met too early is no harm, but one more. */
	if (!(comes && is_exact(queue)) && !is_met_late(f, queue))
		return true;
	if (tcpfsm_queue_push(f, queue))
		return true;
	tcpfsm_count(tcpfsm_flow_net(f), TCPFSM_C_no_memory);
	return false;
}

bool tcpfsm_timeout_wait_in(struct tcpfsm_flow *f, unsigned int queue)
{
	change_queue(f, queue);
	return tcpfsm_queue_push(f, queue);
}

void tcpfsm_timeout_ask(struct tcpfsm_flow *f)
{
	/* However many errors there are, it is asked about once in a while. */
	if (f->queue != TCPFSM_QUEUE_ASK)
		tcpfsm_queue_push(f, TCPFSM_QUEUE_ASK);
}

bool tcpfsm_timeout_is_to_ask(const struct tcpfsm_flow *f)
{
	return (f->queue == TCPFSM_QUEUE_ASK || f->queue == TCPFSM_QUEUE_ASK_AGAIN) &&
	       f->waits == tcpfsm_timeout_queue_of(f) &&
	       tcpfsm_timeout_class_of(f->waits) == TFSM_CLASS_OPENING;
}

bool tcpfsm_timeout_outlive(struct tcpfsm_flow *f)
{
	return tcpfsm_queue_push(f, f->queue == TCPFSM_QUEUE_ASK ? TCPFSM_QUEUE_ASK_AGAIN :
								   f->waits);
}

static u32 span_waited(const struct tcpfsm_flow *f)
{
	return (u32)jiffies - (f->waits == TCPFSM_QUEUE_RECHECK ? f->stamp : READ_ONCE(f->last));
}

/* In which queue is a flow met in time that waits for so much longer? Else it is met more often. */
static unsigned int queue_for(const struct tcpfsm_flow *f, s32 left)
{
	if (left >= (s32)meet_in(f, f->waits))
		return f->waits;
	return is_exact(f->waits) && left <= SOON ? TCPFSM_QUEUE_RECHECK : TCPFSM_QUEUE_SOON;
}

bool tcpfsm_timeout_go_on(struct tcpfsm_flow *f)
{
	u32 now = (u32)jiffies;

	if (now - f->last > IDLE_MOST)
		WRITE_ONCE(f->last, now - IDLE_MOST);
	/* It has been seen to have a local socket, meanwhile. */
	if (f->waits != TCPFSM_QUEUE_RECHECK && f->waits != tcpfsm_timeout_queue_of(f))
		change_queue(f, tcpfsm_timeout_queue_of(f));
	return tcpfsm_queue_push(f, queue_for(f, wait_in(f, f->waits) - span_waited(f)));
}

bool tcpfsm_timeout_is_over(const struct tcpfsm_flow *f)
{
	if (f->waits != TCPFSM_QUEUE_RECHECK && f->waits != tcpfsm_timeout_queue_of(f))
		return false;
	return span_waited(f) >= wait_in(f, f->waits);
}

/* ---- settings ---- */

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

static u32 wait_of(const struct tcpfsm_net *tn, unsigned int queue)
{
	switch (queue) {
	case TCPFSM_QUEUE_RECHECK:
		return RECHECK;
	case TCPFSM_QUEUE_SOON:
		return SOON;
	case TCPFSM_QUEUE_ASK:
		return ASK;
	case TCPFSM_QUEUE_ASK_AGAIN:
		return ASK_AGAIN;
	default:
		return seconds_of(tn, queue) * HZ;
	}
}

void tcpfsm_timeout_apply(struct tcpfsm_net *tn)
{
	u32 meet = MEET_MOST;
	unsigned int i;

	for (i = 0; i < TCPFSM_QUEUES; i++) {
		WRITE_ONCE(tn->wait[i], wait_of(tn, i));
		if (!is_exact(i) && i != TCPFSM_QUEUE_SOON)
			meet = min(meet, tn->wait[i]);
	}
	/*
	 * A flow may be of another class by then: its ticket is met within the shortest time-out.
	 */
	for (i = 0; i < TCPFSM_QUEUES; i++)
		WRITE_ONCE(tn->meet[i], is_exact(i) ? tn->wait[i] : meet);
	WRITE_ONCE(tn->meet[TCPFSM_QUEUE_SOON], min_t(u32, meet, SOON));
	tcpfsm_queue_rearm(tn);
}
