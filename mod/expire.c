// SPDX-License-Identifier: GPL-2.0
/* How flows end without a segment: time-outs, sockets that are gone, a full table. */
#include <linux/jiffies.h>

#include "expire.h"
#include "service.h"
#include "socket.h"
#include "stats.h"

/* Seconds after which the stack is asked whether a local socket still lives, where Linux is
 * done with a state sooner than the time-out for remote ends.
 */
#define ASK_ESTABLISHED	900	/* tcp_retries2 gives up after 924.6 s */
#define ASK_HALF_CLOSED	60	/* tcp_fin_timeout */
#define RECHECK		(HZ / 2)
#define PAUSE		(HZ / 10)	/* between two runs: what is due comes in batches */
#define DAY		(86400 * HZ)
#define BATCH		64	/* flows between two chances for others to run */
#define LOOKS		4U	/* at flows or namespaces, for one to evict */
#define TRIM_LOOKS	1024U	/* at flows, when the table has become smaller */
#define IDLE		(300 * HZ)	/* without a segment: an established flow may be evicted */
#define IDLE_MOST	(1U << 30)	/* more is not told apart: with a time-out, below 2^31 */

/* The namespaces of an owner that have flows now, or had a short while ago. */
struct side {
	struct list_head  actives;
	unsigned int	  nr;
	struct tcpfsm_net *fattest;	/* of those looked at lately */
};

static struct side sides[TCPFSM_OWNERS] = {
	[TCPFSM_HOST]  = { .actives = LIST_HEAD_INIT(sides[TCPFSM_HOST].actives) },
	[TCPFSM_GUEST] = { .actives = LIST_HEAD_INIT(sides[TCPFSM_GUEST].actives) },
};

static DEFINE_SPINLOCK(sides_lock);	/* of their lists; inside a namespace's queue_lock */

/* How long the head of a queue waits, in jiffies. */
static unsigned long timeout(const struct tcpfsm_net *tn, unsigned int queue)
{
	unsigned long t;

	if (queue == TCPFSM_QUEUE_RECHECK)
		return RECHECK;
	t = READ_ONCE(tn->timeout[queue % TFSM_CLASSES]);
	if (queue == TCPFSM_QUEUE_LOCAL + TFSM_CLASS_ESTABLISHED)
		t = min_t(unsigned long, t, ASK_ESTABLISHED);
	else if (queue == TCPFSM_QUEUE_LOCAL + TFSM_CLASS_HALF_CLOSED)
		t = min_t(unsigned long, t, ASK_HALF_CLOSED);
	return t * HZ;
}

/* Of the flows that it holds. Those checked again are sockets that outlive their TIME_WAIT. */
static enum tfsm_class class_of(unsigned int queue)
{
	return queue == TCPFSM_QUEUE_RECHECK ? TFSM_CLASS_TIME_WAIT : queue % TFSM_CLASSES;
}

/* Does segment after segment prolong a flow's stay in its queue? */
static bool refreshed(unsigned int queue)
{
	return class_of(queue) != TFSM_CLASS_TIME_WAIT && class_of(queue) != TFSM_CLASS_CLOSED;
}

static bool is_local(const struct tcpfsm_flow *f)
{
	return f->fsm.flags & (TCPFSM_F_LOCAL_ORIG | TCPFSM_F_LOCAL_RESP);
}

static unsigned int queue_of(const struct tcpfsm_flow *f)
{
	enum tfsm_class class = tfsm_class(&f->fsm);

	if (class == TFSM_CLASS_CLOSED || !is_local(f))
		return TCPFSM_QUEUE_REMOTE + class;
	return TCPFSM_QUEUE_LOCAL + class;
}

/* ---- queues ---- */

/*
 * Have the work run when the head of a queue that begins to wait now is due. The timer wheel
 * may be late by an eighth of a long delay: run earlier by as much, and wait for the rest then.
 */
static void arm(struct tcpfsm_net *tn, unsigned long delay)
{
	u32 at;

	if (delay > 2 * HZ)
		delay -= delay / 8;
	at = (u32)jiffies + delay;
	lockdep_assert_held(&tn->queue_lock);
	if (tn->closing || (tn->armed && !time_before32(at, tn->wake_at)))
		return;
	tn->armed = true;
	tn->wake_at = at;
	mod_delayed_work(system_power_efficient_wq, &tn->expire, delay);
}

static void activate(struct tcpfsm_net *tn)
{
	struct side *side = &sides[tn->owner];

	lockdep_assert_held(&tn->queue_lock);
	if (tn->active || tn->closing)
		return;
	tn->active = true;
	spin_lock(&sides_lock);
	list_add_tail(&tn->actives, &side->actives);
	WRITE_ONCE(side->nr, side->nr + 1);
	spin_unlock(&sides_lock);
}

static void deactivate(struct tcpfsm_net *tn)
{
	struct side *side = &sides[tn->owner];

	lockdep_assert_held(&tn->queue_lock);
	if (!tn->active)
		return;
	tn->active = false;
	spin_lock(&sides_lock);
	list_del_init(&tn->actives);
	WRITE_ONCE(side->nr, side->nr - 1);
	if (side->fattest == tn)
		side->fattest = NULL;
	spin_unlock(&sides_lock);
}

void tcpfsm_expire_queue(struct tcpfsm_flow *f)
{
	struct tcpfsm_net *tn = f->service->tn;

	lockdep_assert_held(&f->lock);
	f->queue = queue_of(f);
	f->stamp = (u32)jiffies;
	spin_lock(&tn->queue_lock);
	WRITE_ONCE(tn->flows, tn->flows + 1);
	list_add_tail(&f->queued, &tn->queue[f->queue]);
	activate(tn);
	arm(tn, timeout(tn, f->queue));
	spin_unlock(&tn->queue_lock);
}

static void requeue(struct tcpfsm_flow *f, unsigned int queue)
{
	struct tcpfsm_net *tn = f->service->tn;
	u32 now = (u32)jiffies;

	lockdep_assert_held(&f->lock);
	if (now - f->last > IDLE_MOST)
		WRITE_ONCE(f->last, now - IDLE_MOST);
	spin_lock(&tn->queue_lock);
	f->queue = queue;
	f->stamp = now;
	list_move_tail(&f->queued, &tn->queue[queue]);
	arm(tn, timeout(tn, queue));
	spin_unlock(&tn->queue_lock);
}

void tcpfsm_expire_requeue(struct tcpfsm_flow *f, bool restart)
{
	unsigned int queue = queue_of(f);

	if (restart || (queue != f->queue && f->queue != TCPFSM_QUEUE_RECHECK))
		requeue(f, queue);
	else if (f->queue == TCPFSM_QUEUE_RECHECK && queue % TFSM_CLASSES != TFSM_CLASS_TIME_WAIT)
		requeue(f, queue);
}

void tcpfsm_expire_dequeue(struct tcpfsm_flow *f)
{
	struct tcpfsm_net *tn = f->service->tn;

	lockdep_assert_held(&f->lock);
	spin_lock(&tn->queue_lock);
	list_del_init(&f->queued);
	WRITE_ONCE(tn->flows, tn->flows - 1);
	spin_unlock(&tn->queue_lock);
}

/*
 * Bottom halves off, under RCU: it may be gone once it is locked, or another flow of the
 * namespace that has the memory now, hence in a queue's tail; see tcpfsm_flow_lock_of().
 */
static struct tcpfsm_flow *head(struct tcpfsm_net *tn, unsigned int queue)
{
	struct tcpfsm_flow *f;

	spin_lock(&tn->queue_lock);
	f = list_first_entry_or_null(&tn->queue[queue], struct tcpfsm_flow, queued);
	spin_unlock(&tn->queue_lock);
	return f;
}

/* ---- time-outs ---- */

static u8 local_ends(u32 flags)
{
	return (flags & TCPFSM_F_LOCAL_ORIG ? 1U << TCPFSM_ORIG : 0) |
	       (flags & TCPFSM_F_LOCAL_RESP ? 1U << TCPFSM_RESP : 0);
}

/* Those that a RST has closed: did it? */
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

/* Which of these local ends have a socket? Asked without the flow's lock. */
static u8 living(const struct tcpfsm_snap *s, u8 ends)
{
	u8 end, mask = 0;

	for (end = 0; end < TCPFSM_ENDS; end++)
		if (ends & 1U << end && tcpfsm_socket_lives(s, end))
			mask |= 1U << end;
	return mask;
}

/* A flow with local ends whose usual time is over. */
static void ask(struct tcpfsm_flow *f, unsigned int queue)
	__releases(&f->lock)
{
	const u32 closed = BIT(TCPFSM_CLOSED) | BIT(TCPFSM_LISTEN);
	struct tcpfsm_snap snap;
	u8 asked, alive, local;

	tcpfsm_flow_snapshot(f, &snap);
	local = local_ends(snap.flags);
	asked = local & (class_of(queue) == TFSM_CLASS_CLOSED ? reset_ends(f) :
								~ends_in(&snap, closed));
	spin_unlock(&f->lock);
	alive = living(&snap, asked);
	if (!tcpfsm_flow_lock(f, snap.id))
		return;
	if (tfsm_step(&f->fsm) != snap.step || f->queue != queue) {
		spin_unlock(&f->lock);		/* it moved meanwhile */
	} else if (class_of(queue) == TFSM_CLASS_CLOSED) {
		if (alive)
			tcpfsm_flow_lives(f, alive);
		else
			tcpfsm_flow_remove(f, f->fsm.reason);
	} else if (class_of(queue) == TFSM_CLASS_TIME_WAIT) {
		/* TIME_WAIT lasts until both the deadline and the local socket are over. */
		if (alive & ends_in(&snap, BIT(TCPFSM_TIME_WAIT))) {
			requeue(f, TCPFSM_QUEUE_RECHECK);
			spin_unlock(&f->lock);
		} else {
			tcpfsm_flow_expire(f);
		}
	} else if (local & ~alive) {
		tcpfsm_flow_gone(f, local & ~alive);
	} else {
		requeue(f, queue);		/* alive: it stays, however long */
		spin_unlock(&f->lock);
	}
}

/* The head of a queue is due. */
static void due(struct tcpfsm_net *tn, struct tcpfsm_flow *f, unsigned int queue)
{
	if (!tcpfsm_flow_lock_of(f, tn))
		return;
	if (f->queue != queue ||
	    time_before32((u32)jiffies, f->stamp + (u32)timeout(tn, queue))) {
		spin_unlock(&f->lock);
		return;
	}
	if (queue != TCPFSM_QUEUE_RECHECK && queue_of(f) != queue) {
		requeue(f, queue_of(f));	/* confirmed, or no longer suspect, meanwhile */
		spin_unlock(&f->lock);
	} else if (refreshed(queue) &&
		   time_before32((u32)jiffies, READ_ONCE(f->last) + (u32)timeout(tn, queue))) {
		requeue(f, queue);	/* lazily: an idle flow goes between T and 2T */
		spin_unlock(&f->lock);
	} else if (is_local(f) && (class_of(queue) != TFSM_CLASS_CLOSED || reset_ends(f))) {
		ask(f, queue);
	} else if (class_of(queue) == TFSM_CLASS_TIME_WAIT) {
		tcpfsm_flow_expire(f);
	} else {
		tcpfsm_flow_remove(f, f->fsm.reason);
	}
}

/* The head of a queue if it is due; else lowers *@delay to when it will be. */
static struct tcpfsm_flow *due_head(struct tcpfsm_net *tn, unsigned int queue,
				    unsigned long *delay)
{
	struct tcpfsm_flow *f;
	s32 left;

	spin_lock_bh(&tn->queue_lock);
	f = list_first_entry_or_null(&tn->queue[queue], struct tcpfsm_flow, queued);
	if (f) {
		left = f->stamp + (u32)timeout(tn, queue) - (u32)jiffies;
		if (left > 0) {
			*delay = min_t(unsigned long, *delay, left);
			f = NULL;
		}
	}
	spin_unlock_bh(&tn->queue_lock);
	return f;
}

static void expire(struct work_struct *work)
{
	struct tcpfsm_net *tn = container_of(to_delayed_work(work), struct tcpfsm_net, expire);
	unsigned long delay = DAY;
	unsigned int queue, n = 0;
	struct tcpfsm_flow *f;

	spin_lock_bh(&tn->queue_lock);
	tn->armed = false;
	spin_unlock_bh(&tn->queue_lock);
	for (queue = 0; queue < TCPFSM_QUEUES; queue++) {
		do {
			rcu_read_lock();	/* the head may be freed, its memory not */
			f = due_head(tn, queue, &delay);
			if (f) {
				local_bh_disable();
				due(tn, f, queue);
				local_bh_enable();
			}
			rcu_read_unlock();
			if (++n % BATCH == 0)
				cond_resched();
		} while (f && !READ_ONCE(tn->closing));
	}
	spin_lock_bh(&tn->queue_lock);
	if (!tn->flows)
		deactivate(tn);
	else
		arm(tn, max_t(unsigned long, delay, PAUSE));
	spin_unlock_bh(&tn->queue_lock);
}

void tcpfsm_expire_retime(struct tcpfsm_net *tn)
{
	spin_lock_bh(&tn->queue_lock);
	if (tn->active)
		arm(tn, 0);
	spin_unlock_bh(&tn->queue_lock);
}

/* ---- eviction ---- */

/* May an unhappy flow of this queue make room? An active established flow may not. */
static bool may_go(const struct tcpfsm_flow *f, unsigned int class)
{
	return class != TFSM_CLASS_ESTABLISHED ||
	       time_after32((u32)jiffies, READ_ONCE(f->last) + IDLE);
}

static const u8 evicted_as[TFSM_CLASSES] = {
	[TFSM_CLASS_CLOSED]	 = TCPFSM_C_evicted_closed,
	[TFSM_CLASS_OPENING]	 = TCPFSM_C_evicted_opening,
	[TFSM_CLASS_TIME_WAIT]	 = TCPFSM_C_evicted_time_wait,
	[TFSM_CLASS_CLOSING]	 = TCPFSM_C_evicted_closing,
	[TFSM_CLASS_ESTABLISHED] = TCPFSM_C_evicted_established,
	[TFSM_CLASS_HALF_CLOSED] = TCPFSM_C_evicted_half_closed,
};

/* End the oldest flow of a queue that may go, as far as a few looks tell. */
static bool evict_from(struct tcpfsm_net *tn, unsigned int queue, unsigned int looks)
{
	enum tfsm_class class = class_of(queue);
	struct tcpfsm_flow *f;
	unsigned int now;

	while (looks && (f = head(tn, queue))) {
		if (!tcpfsm_flow_lock_of(f, tn))
			continue;	/* another processor was faster: the next is the oldest */
		looks--;
		now = queue == TCPFSM_QUEUE_RECHECK ? queue : queue_of(f);
		if (f->queue == queue && now == queue && may_go(f, class)) {
			tcpfsm_count(tn, evicted_as[class]);
			tcpfsm_flow_remove(f, TCPFSM_REASON_EVICTED);
			return true;
		}
		/* An active one, or of another class by now: out of the way of the next look. */
		if (f->queue == queue)
			requeue(f, now);
		spin_unlock(&f->lock);
	}
	return false;
}

/* In the order of enum tfsm_class; those with local sockets after the others. */
static bool evict_within(struct tcpfsm_net *tn, unsigned int looks)
{
	unsigned int class;

	for (class = 0; class < TFSM_CLASSES; class++)
		if (evict_from(tn, TCPFSM_QUEUE_REMOTE + class, looks) ||
		    (class != TFSM_CLASS_CLOSED &&
		     evict_from(tn, TCPFSM_QUEUE_LOCAL + class, looks)))
			return true;
	return evict_from(tn, TCPFSM_QUEUE_RECHECK, looks);
}

/*
 * The namespace with most flows, as far as a few looks at a time tell: who makes thousands of
 * namespaces must not make each eviction dear. Under RCU it stays: the list is left before a
 * grace period.
 */
static struct tcpfsm_net *fattest(struct side *side)
{
	struct tcpfsm_net *tn, *most;
	unsigned int i;

	spin_lock(&sides_lock);
	most = side->fattest;
	for (i = 0; i < min(LOOKS, side->nr); i++) {
		tn = list_first_entry(&side->actives, struct tcpfsm_net, actives);
		list_move_tail(&tn->actives, &side->actives);
		if (!most || READ_ONCE(tn->flows) > READ_ONCE(most->flows))
			most = tn;
	}
	side->fattest = most;
	spin_unlock(&sides_lock);
	return most;
}

static bool evict_among(struct side *side)
{
	struct tcpfsm_net *most = fattest(side);

	return most && evict_within(most, LOOKS);
}

/* Does an owner hold more than he is sure of? */
static bool over_half(u8 owner)
{
	return tcpfsm_flows_of(owner) > READ_ONCE(tcpfsm_max_flows) / 2;
}

bool tcpfsm_expire_evict(struct tcpfsm_net *tn)
{
	struct side *own = &sides[tn->owner], *other = &sides[!tn->owner];
	unsigned int share = tcpfsm_flows_of(tn->owner) / max(1U, READ_ONCE(own->nr));
	bool fat = READ_ONCE(tn->flows) >= share;

	if (over_half(!tn->owner) && evict_among(other))
		return true;
	if (fat && evict_within(tn, LOOKS))
		return true;
	if (evict_among(own))
		return true;
	if (tn->owner == TCPFSM_HOST && evict_among(other))
		return true;
	return !fat && evict_within(tn, LOOKS);
}

/* Of the fattest namespaces first, and when these have nothing to give, of each in turn. */
static bool trim_side(struct side *side)
{
	struct tcpfsm_net *tn;
	unsigned int i;

	if (evict_among(side))
		return true;
	for (i = 0; i < READ_ONCE(side->nr); i++) {
		spin_lock(&sides_lock);
		tn = list_first_entry_or_null(&side->actives, struct tcpfsm_net, actives);
		if (tn)
			list_move_tail(&tn->actives, &side->actives);
		spin_unlock(&sides_lock);
		if (tn && evict_within(tn, TRIM_LOOKS))
			return true;
	}
	return false;
}

void tcpfsm_expire_trim(void)
{
	struct side *host = &sides[TCPFSM_HOST], *guest = &sides[TCPFSM_GUEST];
	bool evicted = true;
	unsigned int n = 0;

	while (evicted && tcpfsm_flows_of(TCPFSM_HOST) + tcpfsm_flows_of(TCPFSM_GUEST) >
			  READ_ONCE(tcpfsm_max_flows)) {
		rcu_read_lock();
		local_bh_disable();
		evicted = (over_half(TCPFSM_GUEST) && trim_side(guest)) || trim_side(host) ||
			  trim_side(guest);
		local_bh_enable();
		rcu_read_unlock();
		if (++n % BATCH == 0)
			cond_resched();
	}
}

/* ---- namespaces ---- */

void tcpfsm_expire_flush(struct tcpfsm_net *tn)
{
	unsigned int queue, n = 0;
	struct tcpfsm_flow *f;

	for (queue = 0; queue < TCPFSM_QUEUES; queue++) {
		do {
			rcu_read_lock();
			local_bh_disable();
			f = head(tn, queue);
			if (f && tcpfsm_flow_lock_of(f, tn))
				tcpfsm_flow_remove(f, TCPFSM_REASON_FLUSHED);
			local_bh_enable();
			rcu_read_unlock();
			if (++n % BATCH == 0)
				cond_resched();
		} while (f);
	}
}

void tcpfsm_expire_net_init(struct tcpfsm_net *tn)
{
	unsigned int i;

	spin_lock_init(&tn->queue_lock);
	for (i = 0; i < TCPFSM_QUEUES; i++)
		INIT_LIST_HEAD(&tn->queue[i]);
	INIT_LIST_HEAD(&tn->actives);
	INIT_DELAYED_WORK(&tn->expire, expire);
}

void tcpfsm_expire_net_pre_exit(struct tcpfsm_net *tn)
{
	spin_lock_bh(&tn->queue_lock);
	WRITE_ONCE(tn->closing, true);		/* read without the lock, too */
	deactivate(tn);
	spin_unlock_bh(&tn->queue_lock);
}

void tcpfsm_expire_net_exit(struct tcpfsm_net *tn)
{
	cancel_delayed_work_sync(&tn->expire);
	tcpfsm_expire_flush(tn);
}
