// SPDX-License-Identifier: GPL-2.0
/*
 * How many flows each owner has, and in which namespaces.
 *
 * Flows are issued to processors in batches, for a count that every one of them writes would be the
 * slowest thing about a new flow. What processors have left over is small beside the table; in a
 * small table a batch is one, and nothing is left over.
 *
 * Of each owner, as many are issued as there are flows and left-overs together; while something
 * goes from one to the other, more, never fewer. No left-over is ever below 0. So there are never
 * more flows than max_flows.
 */
#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/xarray.h>

#include "cpu.h"
#include "netns.h"
#include "owner.h"

#define LOOKS	4U	/* at namespaces, for the one with most flows */
#define BATCH	32U	/* flows issued at once, at most */
#define SLACK	128U	/* part of the table that all batches of an owner are: one of so many */
#define SMALL	16384U	/* in a table below that, a batch is one */

/* Flows, and what processors have left over. Nothing else is written nearly as often. */
static struct {
	atomic_t flows[TCPFSM_OWNERS];
} ____cacheline_aligned_in_smp issued;

/* Namespaces with flows now, or a short while ago. Read under RCU, without a lock. */
static struct list {
	struct xarray namespaces;
	unsigned int  nr;
} lists[TCPFSM_OWNERS] = {
	[TCPFSM_HOST]  = { XARRAY_INIT(lists[TCPFSM_HOST].namespaces, XA_FLAGS_ALLOC) },
	[TCPFSM_GUEST] = { XARRAY_INIT(lists[TCPFSM_GUEST].namespaces, XA_FLAGS_ALLOC) },
};

/* Where a processor is in a list: places, for namespaces come and go. */
struct position {
	unsigned long next;
	unsigned long fattest;		/* of those looked at lately */
};

static DEFINE_PER_CPU(struct position[TCPFSM_OWNERS], positions);

/* What a processor has left over; others only take it away. */
struct left_over {
	atomic_t flows[TCPFSM_OWNERS];
};

static DEFINE_PER_CPU(struct left_over, left_over);

unsigned int tcpfsm_owner_flows(u8 owner)
{
	return atomic_read(&issued.flows[owner]);
}

static unsigned int count_issued_flows(void)
{
	return tcpfsm_owner_flows(TCPFSM_HOST) + tcpfsm_owner_flows(TCPFSM_GUEST);
}

static int batch_size(void)
{
	unsigned int most = READ_ONCE(tcpfsm_max_flows);

	return most < SMALL ? 1 : clamp(most / (SLACK * nr_cpu_ids), 1U, BATCH);
}

/* Issue flows, if there are so many. */
static bool issue_flows(u8 owner, int n)
{
	/* By its own number: of several that come at once, only those above the limit are. */
	unsigned int own = atomic_add_return(n, &issued.flows[owner]);

	return own + tcpfsm_owner_flows(!owner) <= READ_ONCE(tcpfsm_max_flows);
}

/* Issue a batch; what is not used at once is left over. */
static bool issue_batch(u8 owner, atomic_t *left)
{
	int batch = batch_size();

	if (batch == 1 || count_issued_flows() + batch > READ_ONCE(tcpfsm_max_flows))
		return false;
	if (issue_flows(owner, batch)) {
		atomic_add(batch - 1, left);
		return true;
	}
	atomic_sub(batch, &issued.flows[owner]);
	return false;
}

/* Take so many of a left-over, if there still are: others may have collected it. */
static bool take_left_over(atomic_t *left, int n)
{
	int have = atomic_read(left);

	do {
		if (have < n)
			return false;
	} while (!atomic_try_cmpxchg(left, &have, have - n));
	return true;
}

/* Take back what processors have left over. */
static void collect_left_over(void)
{
	u8 owner;
	int cpu;

	for_each_possible_cpu(cpu) {
		for (owner = 0; owner < TCPFSM_OWNERS; owner++) {
			atomic_t *left = &per_cpu(left_over, cpu).flows[owner];

			if (atomic_read(left))
				atomic_sub(atomic_xchg(left, 0), &issued.flows[owner]);
		}
	}
}

/* The table is full but for left-overs, maybe. Return: these were collected just now. */
static bool collect_once_a_jiffy(void)
{
	static unsigned long collected;
	unsigned long last = READ_ONCE(collected), now = jiffies;

	if (batch_size() == 1 || now - last < 1 || cmpxchg(&collected, last, now) != last)
		return false;
	collect_left_over();
	return true;
}

bool tcpfsm_owner_charge(u8 owner)
{
	atomic_t *left = &this_cpu_ptr(&left_over)->flows[owner];

	if (likely(atomic_dec_if_positive(left) >= 0) || issue_batch(owner, left) ||
	    issue_flows(owner, 1))
		return true;
	return collect_once_a_jiffy() && count_issued_flows() <= READ_ONCE(tcpfsm_max_flows);
}

void tcpfsm_owner_uncharge(u8 owner)
{
	atomic_t *left = &this_cpu_ptr(&left_over)->flows[owner];
	int batch = batch_size();

	/* Where flows have to make room for others, what one leaves is for the one that comes. */
	if (batch == 1 || count_issued_flows() > READ_ONCE(tcpfsm_max_flows))
		atomic_dec(&issued.flows[owner]);
	else if (atomic_inc_return(left) >= 2 * batch && take_left_over(left, batch))
		atomic_sub(batch, &issued.flows[owner]);
}

static unsigned int count_all_flows(void)
{
	int n = count_issued_flows(), cpu;
	u8 owner;

	for_each_possible_cpu(cpu)
		for (owner = 0; owner < TCPFSM_OWNERS; owner++)
			n -= atomic_read(&per_cpu(left_over, cpu).flows[owner]);
	return max(n, 0);
}

bool tcpfsm_owner_too_many(void)
{
	collect_left_over();	/* in a table that is small now, nobody else does */
	return count_issued_flows() > READ_ONCE(tcpfsm_max_flows);
}

bool tcpfsm_owner_over_half(u8 owner)
{
	return tcpfsm_owner_flows(owner) > READ_ONCE(tcpfsm_max_flows) / 2;
}

/* Exact while no flow comes or goes. */
static unsigned int count_flows_of(const struct tcpfsm_net *tn)
{
	const struct tcpfsm_cpu *c;
	int n = atomic_read(&tn->flows);
	unsigned int i;

	tcpfsm_for_each_cpu(i, c, tn)
		n += READ_ONCE(c->flows);
	return max(n, 0);
}

unsigned int tcpfsm_owner_flows_shown(const struct tcpfsm_net *tn)
{
	return net_eq(tn->net, &init_net) ? count_all_flows() : count_flows_of(tn);
}

unsigned int tcpfsm_owner_share(const struct tcpfsm_net *tn)
{
	return max(atomic_read(&tn->flows), 0);
}

/* Each processor counts up to a batch before it tells the namespace. */
static void count_flow(struct tcpfsm_net *tn, int n)
{
	struct tcpfsm_cpu *c = tcpfsm_cpu_get(tn);

	WRITE_ONCE(c->flows, c->flows + n);
	if (unlikely(abs(c->flows) >= (int)BATCH)) {
		atomic_add(c->flows, &tn->flows);
		WRITE_ONCE(c->flows, 0);
	}
	tcpfsm_cpu_put(c);
}

static noinline void enlist_namespace(struct tcpfsm_net *tn)
{
	struct list *l = &lists[tn->owner];

	xa_lock(&l->namespaces);
	if (!tn->listed && !READ_ONCE(tn->closing) &&
	    !__xa_alloc(&l->namespaces, &tn->place, tn, xa_limit_31b, GFP_ATOMIC | __GFP_NOWARN)) {
		WRITE_ONCE(tn->listed, true);
		WRITE_ONCE(l->nr, l->nr + 1);
	}
	xa_unlock(&l->namespaces);
}

/* Under the lock of its list. */
static void delist_namespace(struct tcpfsm_net *tn)
{
	struct list *l = &lists[tn->owner];

	if (!tn->listed)
		return;
	WRITE_ONCE(tn->listed, false);
	__xa_erase(&l->namespaces, tn->place);
	WRITE_ONCE(l->nr, l->nr - 1);
}

void tcpfsm_owner_joined(struct tcpfsm_net *tn)
{
	count_flow(tn, 1);
	/* If it is being taken off the list just now, the next flow puts it back. */
	if (unlikely(!READ_ONCE(tn->listed)))
		enlist_namespace(tn);
}

void tcpfsm_owner_left(struct tcpfsm_net *tn)
{
	count_flow(tn, -1);
}

/* Sums over all processors only if there may be few flows, or none. */
bool tcpfsm_owner_holds_flows(const struct tcpfsm_net *tn)
{
	return atomic_read(&tn->flows) > (int)(BATCH * num_possible_cpus()) || count_flows_of(tn);
}

void tcpfsm_owner_settle(struct tcpfsm_net *tn)
{
	struct xarray *namespaces = &lists[tn->owner].namespaces;

	if (!READ_ONCE(tn->listed) || tcpfsm_owner_holds_flows(tn))
		return;
	xa_lock_bh(namespaces);
	if (!tcpfsm_owner_holds_flows(tn))
		delist_namespace(tn);
	xa_unlock_bh(namespaces);
}

void tcpfsm_owner_delist(struct tcpfsm_net *tn)
{
	xa_lock_bh(&lists[tn->owner].namespaces);
	delist_namespace(tn);
	xa_unlock_bh(&lists[tn->owner].namespaces);
}

unsigned int tcpfsm_owner_namespaces(u8 owner)
{
	return READ_ONCE(lists[owner].nr);
}

struct tcpfsm_net *tcpfsm_owner_at(u8 owner, unsigned long place)
{
	return xa_load(&lists[owner].namespaces, place);
}

struct tcpfsm_net *tcpfsm_owner_next(u8 owner, unsigned long *place)
{
	struct xarray *namespaces = &lists[owner].namespaces;
	struct tcpfsm_net *tn = xa_find_after(namespaces, place, ULONG_MAX, XA_PRESENT);

	if (tn)
		return tn;
	*place = 0;
	return xa_find(namespaces, place, ULONG_MAX, XA_PRESENT);
}

struct tcpfsm_net *tcpfsm_owner_turn(u8 owner)
{
	return tcpfsm_owner_next(owner, &this_cpu_ptr(positions)[owner].next);
}

struct tcpfsm_net *tcpfsm_owner_fattest(u8 owner)
{
	struct position *p = &this_cpu_ptr(positions)[owner];
	struct tcpfsm_net *most = tcpfsm_owner_at(owner, p->fattest), *tn;
	unsigned int i;

	for (i = 0; i < min(LOOKS, tcpfsm_owner_namespaces(owner)); i++) {
		tn = tcpfsm_owner_turn(owner);
		if (tn && (!most || tcpfsm_owner_share(tn) > tcpfsm_owner_share(most))) {
			most = tn;
			p->fattest = p->next;
		}
	}
	return most;
}
