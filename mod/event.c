// SPDX-License-Identifier: GPL-2.0
/*
 * Events are packed into one message for each namespace, group and processor, which leaves
 * when it is full or 10 ms after its first event. Its header names the number of its first
 * event and how many it holds, so that a listener knows exactly what it has lost.
 */
#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/timer.h>
#include <net/genetlink.h>

#include "compat.h"
#include "charge.h"
#include "cpu.h"
#include "event.h"
#include "genl_msg.h"
#include "genl_put.h"
#include "netns.h"
#include "report.h"

#define DELAY		msecs_to_jiffies(10)
#define QUIET		msecs_to_jiffies(10)	/* after a message that nobody received */
#define MESSAGE_SIZE	SKB_WITH_OVERHEAD(8192UL)

struct group {
	struct sk_buff	*skb;		/* being filled, or NULL */
	void		*header;
	struct nlattr	*count;		/* its TCPFSM_A_COUNT */
	u32		events;		/* in it */
	u64		next;		/* number of the next event */
};

struct tcpfsm_batch {
	spinlock_t		lock;	/* the timer may have moved to another processor */
	struct timer_list	timer;
	struct tcpfsm_net	*tn;
	u32			cpu;
	bool			unheard;	/* events are numbered, and not built */
	unsigned long		unheard_since;	/* jiffies */
	struct group		group[TCPFSM_GROUPS];
};

static const u8 group_cmd[TCPFSM_GROUPS] = {
	[TCPFSM_GROUP_TRANSITION] = TCPFSM_CMD_TRANSITION_NTF,
	[TCPFSM_GROUP_FLOW]	  = TCPFSM_CMD_FLOW_NTF,
};

/* ---- who listens ---- */

/*
 * Whether anybody listens is asked once a jiffy and processor. Nobody is an answer only until
 * positions are asked for again: it is kept with the number of requests that was read before it.
 *
 * So a listener that has joined, and then asks for positions, misses nothing from there on. If a
 * processor reads the number that includes its request, it reads the listener's membership, too:
 * hear_listeners() and the read are a release and an acquire. And it does read that number:
 * - in a flow that the dump has seen, for the dump has held the flow's lock after the request, and
 *   a transition is made, and this asked, under the same lock later;
 * - in a flow that the dump has skipped, for that began by the clock after the request;
 * - in a flow that came into a bucket behind the dump, for that was unlocked, and then the lock of
 *   a queue taken, before this was asked: on all but powerpc, that is a full barrier.
 */
static bool is_quiet(const struct tcpfsm_net *tn, int requests)
{
	const struct tcpfsm_cpu *c = *this_cpu_ptr(tn->cpus);

	return c && jiffies - READ_ONCE(c->quiet_at) < 1 && READ_ONCE(c->quiet_after) == requests;
}

static void be_quiet(struct tcpfsm_net *tn, int requests)
{
	struct tcpfsm_cpu *c = tcpfsm_cpu_get(tn);

	WRITE_ONCE(c->quiet_after, requests);
	WRITE_ONCE(c->quiet_at, jiffies);
	tcpfsm_cpu_put(c);
}

static void hear_listeners(struct tcpfsm_net *tn)
{
	/* A full barrier: every processor can see it before a position or the clock is read. */
	atomic_inc_return(&tn->requests);
}

/* Was a message received by nobody, a short while ago? */
static bool is_unheard(struct tcpfsm_batch *b)
{
	lockdep_assert_held(&b->lock);
	if (b->unheard && jiffies - b->unheard_since >= QUIET)
		b->unheard = false;
	return b->unheard;
}

/* ---- messages ---- */

static void send_message(struct tcpfsm_batch *b, unsigned int group)
{
	struct group *g = &b->group[group];
	struct sk_buff *skb = g->skb;

	lockdep_assert_held(&b->lock);
	if (!skb)
		return;
	g->skb = NULL;
	*(u32 *)nla_data(g->count) = g->events;
	genlmsg_end(skb, g->header);
	/* Those who have joined the group are of other namespaces, or have no room. */
	if (tcpfsm_msg_multicast(b->tn->net, skb, group) == -ESRCH) {
		b->unheard = true;
		b->unheard_since = jiffies;
	}
}

/* Flows first, so that a listener knows whose transitions follow. */
static void send_all(struct tcpfsm_batch *b)
{
	send_message(b, TCPFSM_GROUP_FLOW);
	send_message(b, TCPFSM_GROUP_TRANSITION);
}

static void flush_batch(struct timer_list *t)
{
	struct tcpfsm_batch *b = tcpfsm_timer_owner(b, t, timer);

	spin_lock(&b->lock);
	send_all(b);
	spin_unlock(&b->lock);
}

static bool start_message(struct tcpfsm_batch *b, unsigned int group)
{
	struct group *g = &b->group[group];
	struct sk_buff *skb = tcpfsm_charge(b->tn, genlmsg_new(MESSAGE_SIZE - GENL_HDRLEN -
							       NLMSG_HDRLEN,
							       tcpfsm_charge_gfp(b->tn)));

	if (!skb)
		return false;
	g->header = tcpfsm_msg_event(skb, group_cmd[group]);
	if (!g->header || nla_put_u32(skb, TCPFSM_A_CPU, b->cpu) ||
	    nla_put_u64_64bit(skb, TCPFSM_A_SEQ, g->next, TCPFSM_A_PAD)) {
		nlmsg_free(skb);
		return false;
	}
	g->count = nla_reserve(skb, TCPFSM_A_COUNT, sizeof(u32));
	if (!g->count) {
		nlmsg_free(skb);
		return false;
	}
	g->events = 0;
	g->skb = skb;
	if (!timer_pending(&b->timer))
		mod_timer(&b->timer, jiffies + DELAY);
	return true;
}

/* Room for an attribute in a message of the group, which is a new one if need be. */
static struct sk_buff *make_room(struct tcpfsm_batch *b, unsigned int group, int size)
{
	struct group *g = &b->group[group];

	if (g->skb && skb_tailroom(g->skb) < size) {
		if (group == TCPFSM_GROUP_TRANSITION)
			send_message(b, TCPFSM_GROUP_FLOW);
		send_message(b, group);
	}
	if (g->skb || start_message(b, group))
		return g->skb;
	/* The number is used up all the same, so that a listener sees the loss. */
	g->next++;
	tcpfsm_count(b->tn, TCPFSM_C_events_lost);
	return NULL;
}

static void count_event(struct tcpfsm_batch *b, unsigned int group)
{
	b->group[group].events++;
	b->group[group].next++;
}

static void add_transition(struct tcpfsm_batch *b, const struct tcpfsm_report *r, unsigned int i,
			   const struct tcpfsm_clock *clock)
{
	struct sk_buff *skb = make_room(b, TCPFSM_GROUP_TRANSITION, TCPFSM_TRANSITION_ROOM);

	if (skb && !tcpfsm_put_transition(skb, TCPFSM_A_TRANSITION, r->snap.id,
					  r->now + clock->to_wall,
					  r->dwell[i], r->step + i, &r->move[i]))
		count_event(b, TCPFSM_GROUP_TRANSITION);
}

static void add_flow(struct tcpfsm_batch *b, const struct tcpfsm_report *r,
		     const struct tcpfsm_clock *clock)
{
	struct sk_buff *skb = make_room(b, TCPFSM_GROUP_FLOW, TCPFSM_FLOW_ROOM);

	/* Listeners may be in several user namespaces; the one that owns this netns counts. */
	if (skb && !tcpfsm_put_flow(skb, &r->snap, clock, r->tn->net->user_ns))
		count_event(b, TCPFSM_GROUP_FLOW);
}

/* ---- batches ---- */

static noinline struct tcpfsm_batch __percpu *make_batches(struct tcpfsm_net *tn, gfp_t gfp)
{
	struct tcpfsm_batch __percpu *new, *old;
	int cpu;

	new = tcpfsm_charge(tn, alloc_percpu_gfp(struct tcpfsm_batch, gfp));
	if (!new)
		return NULL;
	for_each_possible_cpu(cpu) {
		struct tcpfsm_batch *b = per_cpu_ptr(new, cpu);

		spin_lock_init(&b->lock);
		timer_setup(&b->timer, flush_batch, TIMER_PINNED);
		b->tn = tn;
		b->cpu = cpu;
	}
	old = cmpxchg(&tn->batch, NULL, new);
	if (!old)
		return new;
	free_percpu(new);
	return old;
}

static bool has_listeners(const struct tcpfsm_report *r, unsigned int group)
{
	return tcpfsm_msg_has_listeners(r->tn->net, group);
}

bool tcpfsm_event_wanted(const struct tcpfsm_report *r)
{
	int requests = atomic_read_acquire(&r->tn->requests);	/* before it looks for listeners */
	bool transitions, flows;

	if (is_quiet(r->tn, requests))
		return false;
	transitions = has_listeners(r, TCPFSM_GROUP_TRANSITION);
	flows = has_listeners(r, TCPFSM_GROUP_FLOW);
	if (!transitions && !flows)
		be_quiet(r->tn, requests);
	return (r->moves && transitions) || ((r->opened || r->reason) && flows);
}

void tcpfsm_event_report(const struct tcpfsm_report *r)
{
	struct tcpfsm_net *tn = r->tn;
	/* How many events of each group somebody listens to. */
	unsigned int transitions = has_listeners(r, TCPFSM_GROUP_TRANSITION) ? r->moves : 0;
	unsigned int flows = has_listeners(r, TCPFSM_GROUP_FLOW) ? r->opened + !!r->reason : 0;
	struct tcpfsm_batch __percpu *batch;
	struct tcpfsm_clock clock;
	struct tcpfsm_batch *b;
	unsigned int i;

	if (!transitions && !flows)
		return;
	clock = tcpfsm_clock(r->moves ? r->now : ktime_get_ns());
	batch = READ_ONCE(tn->batch) ?: make_batches(tn, tcpfsm_charge_gfp(tn));
	if (!batch) {
		/* Nobody has asked for positions yet, so no listener takes up the numbers. */
		tcpfsm_count_many(tn, TCPFSM_C_events_lost, transitions + flows);
		return;
	}
	b = this_cpu_ptr(batch);
	spin_lock(&b->lock);
	if (is_unheard(b)) {
		/* A listener sees by the numbers what it has not got. */
		b->group[TCPFSM_GROUP_TRANSITION].next += transitions;
		b->group[TCPFSM_GROUP_FLOW].next += flows;
		spin_unlock(&b->lock);
		return;
	}
	if (flows && r->opened)
		add_flow(b, r, &clock);
	for (i = 0; i < transitions; i++)
		add_transition(b, r, i, &clock);
	if (flows && r->reason)
		add_flow(b, r, &clock);
	spin_unlock(&b->lock);
}

static int put_position(struct sk_buff *skb, struct tcpfsm_batch *b)
{
	u64 transition, flow;
	struct nlattr *nest;

	spin_lock_bh(&b->lock);
	b->unheard = false;
	transition = b->group[TCPFSM_GROUP_TRANSITION].next;
	flow = b->group[TCPFSM_GROUP_FLOW].next;
	spin_unlock_bh(&b->lock);
	if (!transition && !flow)
		return 0;
	nest = nla_nest_start(skb, TCPFSM_A_POSITION);
	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u32(skb, TCPFSM_POSITION_CPU, b->cpu) ||
	    nla_put_u64_64bit(skb, TCPFSM_POSITION_TRANSITION, transition, TCPFSM_POSITION_PAD) ||
	    nla_put_u64_64bit(skb, TCPFSM_POSITION_FLOW, flow, TCPFSM_POSITION_PAD)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	return 0;
}

int tcpfsm_event_hear(struct tcpfsm_net *tn)
{
	hear_listeners(tn);
	if (READ_ONCE(tn->batch) ||
	    !(tcpfsm_msg_has_listeners(tn->net, TCPFSM_GROUP_TRANSITION) ||
	      tcpfsm_msg_has_listeners(tn->net, TCPFSM_GROUP_FLOW)))
		return 0;
	return make_batches(tn, GFP_KERNEL_ACCOUNT) ? 0 : -ENOMEM;
}

int tcpfsm_event_positions(struct tcpfsm_net *tn, struct sk_buff *skb, u32 *cpu)
{
	struct tcpfsm_batch __percpu *batch = READ_ONCE(tn->batch);

	if (!batch)
		return 0;
	for (; *cpu < nr_cpu_ids; ++*cpu)
		if (cpu_possible(*cpu) && put_position(skb, per_cpu_ptr(batch, *cpu)))
			return -EMSGSIZE;
	return 0;
}

void tcpfsm_event_net_exit(struct tcpfsm_net *tn)
{
	int cpu;

	if (!tn->batch)
		return;
	for_each_possible_cpu(cpu) {
		struct tcpfsm_batch *b = per_cpu_ptr(tn->batch, cpu);

		tcpfsm_timer_shutdown(&b->timer);
		spin_lock_bh(&b->lock);
		send_all(b);
		spin_unlock_bh(&b->lock);
	}
	free_percpu(tn->batch);
}
