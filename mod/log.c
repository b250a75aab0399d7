// SPDX-License-Identifier: GPL-2.0
/*
 * A ring has pages, each allocated when it is first written. An entry's own number is 0 while it is
 * written, and tells a reader whether it has seen one whole entry.
 *
 * A ring's entries are nearly in order of time: a flow that begins with a SYN that was kept has its
 * first moves at the time of that SYN. So readers go by the latest time so far, which each page
 * begins with: it never falls, and can be searched.
 */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "charge.h"
#include "cpu.h"
#include "log.h"
#include "report.h"

#define PER_PAGE ((PAGE_SIZE - sizeof(u64)) / sizeof(struct tcpfsm_log_entry))

static DEFINE_MUTEX(resizing);

struct log_page {
	u64			before;	/* the latest time of the entries before it */
	struct tcpfsm_log_entry entry[PER_PAGE];
};

static_assert(sizeof(struct log_page) <= PAGE_SIZE);

struct tcpfsm_log {
	u64		first;		/* lowest number of this ring */
	u64		next;		/* number of the next entry */
	u64		latest;		/* time of the entries so far */
	unsigned int	size;
	unsigned int	pages;		/* at most */
	struct xarray	page;		/* struct log_page, by place */

	/* Where the next entry goes: slot PER_PAGE is on the next page. NULL: no memory for it. */
	struct tcpfsm_log_entry *at;
	unsigned int	place, slot;

	struct tcpfsm_log *link;	/* in a list of rings to use, or to release */
};

/* Its numbers go on from @first. */
static void number_ring(struct tcpfsm_log *log, u64 first)
{
	log->first = first;
	log->next = first;
}

static struct tcpfsm_log *allocate_ring(struct tcpfsm_net *tn, unsigned int size, gfp_t gfp)
{
	struct tcpfsm_log *log = tcpfsm_charge(tn, kzalloc(sizeof(*log), gfp));

	if (!log)
		return NULL;
	xa_init_flags(&log->page, tn->memcg ? XA_FLAGS_ACCOUNT : 0);
	log->size = size;
	log->pages = DIV_ROUND_UP(size, PER_PAGE);
	number_ring(log, 1);
	log->place = log->pages - 1;	/* the first entry turns it, to the first page */
	log->slot = PER_PAGE;
	return log;
}

static void release_ring(struct tcpfsm_log *log)
{
	unsigned long i;
	void *page;

	xa_for_each(&log->page, i, page)
		free_page((unsigned long)page);
	xa_destroy(&log->page);
	kfree(log);
}

/* The page at this place, a new one if need be; NULL if there is no memory. */
static struct log_page *make_page(struct tcpfsm_log *log, unsigned int place,
				  const struct tcpfsm_net *tn)
{
	void *page = xa_load(&log->page, place);
	gfp_t gfp = tcpfsm_charge_gfp(tn);

	if (page)
		return page;
	page = (void *)tcpfsm_charge(tn, get_zeroed_page(gfp));
	if (!page || !xa_err(tcpfsm_charge(tn, xa_store(&log->page, place, page, gfp))))
		return page;
	free_page((unsigned long)page);
	return NULL;
}

static noinline void turn_page(struct tcpfsm_log *log, const struct tcpfsm_net *tn)
{
	struct log_page *page;

	log->slot = 0;
	if (++log->place == log->pages)
		log->place = 0;
	page = make_page(log, log->place, tn);
	log->at = page ? page->entry : NULL;
	if (page)
		WRITE_ONCE(page->before, log->latest);
}

static void write_entry(struct tcpfsm_log_entry *e, u64 seq, const struct tcpfsm_report *r,
			unsigned int i)
{
	const struct tcpfsm_flow_tuple *t = &r->snap.tuple;

	WRITE_ONCE(e->seq, 0);
	smp_wmb();	/* a reader who sees any of what follows sees that it is being written */
	e->flow = r->snap.id;
	e->when = r->now;
	e->dwell = r->dwell[i];
	e->step = (u16)(r->step + i);
	e->move = r->move[i];
	e->family = t->family;
	e->sport = t->sport;
	e->dport = t->dport;
	e->src = t->src;
	e->dst = t->dst;
	smp_wmb();	/* a reader who sees the number sees all of the entry */
	WRITE_ONCE(e->seq, seq);
}

void tcpfsm_log_report(struct tcpfsm_cpu *c, const struct tcpfsm_report *r)
{
	struct tcpfsm_log *log;
	unsigned int i;

	log = rcu_dereference_bh(c->log);
	if (log && log->latest < r->now)
		log->latest = r->now;
	for (i = 0; log && i < r->moves; i++) {
		if (log->slot == PER_PAGE)
			turn_page(log, r->tn);
		if (likely(log->at))
			write_entry(&log->at[log->slot], log->next, r, i);
		else
			tcpfsm_add(&c->stats.counter[TCPFSM_C_log_lost], 1);
		log->slot++;
		WRITE_ONCE(log->next, log->next + 1);
	}
}

/* ---- readers, under RCU ---- */

/* On which of a ring's pages an entry is, counted on from lap to lap; *@slot: where there. */
static u64 page_of(const struct tcpfsm_log *log, u64 seq, u32 *slot)
{
	return div_u64_rem(seq - log->first, PER_PAGE, slot);
}

/* The page that is where this one was written. */
static struct log_page *find_page(struct tcpfsm_log *log, u64 page)
{
	u32 place;

	div_u64_rem(page, log->pages, &place);
	return xa_load(&log->page, place);
}

/* Copy an entry of a ring, if it is still there, and written. */
static bool copy_entry(struct tcpfsm_log *log, u64 seq, struct tcpfsm_log_entry *to)
{
	const struct tcpfsm_log_entry *e;
	const struct log_page *page;
	u32 slot;

	page = find_page(log, page_of(log, seq, &slot));
	if (!page)
		return false;
	e = &page->entry[slot];
	if (READ_ONCE(e->seq) != seq)
		return false;
	smp_rmb();	/* the number, then the entry */
	data_race(*to = *e);
	smp_rmb();	/* the entry, then the number again */
	return READ_ONCE(e->seq) == seq;
}

/* The lowest number that is kept. */
static u64 lowest_kept(const struct tcpfsm_log *log)
{
	u64 next = READ_ONCE(log->next);

	return next - log->first > log->size ? next - log->size : log->first;
}

/* Copy the next entry of a ring that is still there. Return: false if there is none. */
static bool find_entry(struct tcpfsm_log *log, struct tcpfsm_log_place *place,
		       struct tcpfsm_log_entry *to)
{
	while (place->next < place->end) {
		place->next = max(place->next, lowest_kept(log));
		if (place->next < place->end && copy_entry(log, place->next, to))
			return true;
		place->next++;		/* it was never written, or is being written over */
	}
	return false;
}

static struct tcpfsm_log *ring_of(struct tcpfsm_net *tn, unsigned int i)
{
	struct tcpfsm_cpu *c = tcpfsm_cpu_of(tn, i);

	return c ? rcu_dereference(c->log) : NULL;
}

size_t tcpfsm_log_cursor_size(void)
{
	return struct_size((struct tcpfsm_log_cursor *)NULL, ring, nr_cpu_ids + 1);
}

/* What is recorded from now on is not read. */
static void end_rings(struct tcpfsm_net *tn, struct tcpfsm_log_cursor *cursor)
{
	struct tcpfsm_log *log;
	unsigned int i;

	for (i = 0; i <= nr_cpu_ids; i++) {
		cursor->ring[i] = (struct tcpfsm_log_place) {};
		rcu_read_lock();
		log = ring_of(tn, i);
		if (log)
			cursor->ring[i].end = READ_ONCE(log->next);
		rcu_read_unlock();
	}
	smp_rmb();	/* the numbers, then the pages: write_entry(), after turn_page() */
}

/*
 * Is all that comes before this page older? Not known, hence false, if it has been written over or
 * there was no memory for it.
 */
static bool is_old_until(struct tcpfsm_log *log, u64 page, u64 since)
{
	const struct log_page *p = find_page(log, page);

	return p && READ_ONCE(p->before) < since;
}

/* The first entry that is not older; all that come after it count as that late, too. */
static u64 find_since(struct tcpfsm_log *log, u64 end, u64 since)
{
	u64 seq = lowest_kept(log), low, high, middle;
	struct tcpfsm_log_entry e;
	u32 slot;

	if (seq >= end)
		return end;
	low = page_of(log, seq, &slot);
	high = page_of(log, end - 1, &slot);
	while (low < high) {
		middle = high - (high - low) / 2;
		if (is_old_until(log, middle, since))
			low = middle;
		else
			high = middle - 1;
	}
	seq = max(seq, log->first + low * PER_PAGE);
	end = min(end, log->first + (low + 1) * PER_PAGE);
	while (seq < end && !(copy_entry(log, seq, &e) && e.when >= since))
		seq++;
	return seq;
}

/* Begin each ring with what is not older. Return: how many entries that makes. */
static u64 begin_rings(struct tcpfsm_net *tn, struct tcpfsm_log_cursor *cursor, u64 since)
{
	struct tcpfsm_log *log;
	unsigned int i;
	u64 n = 0;

	for (i = 0; i <= nr_cpu_ids; i++) {
		struct tcpfsm_log_place *place = &cursor->ring[i];

		rcu_read_lock();
		log = ring_of(tn, i);
		place->next = log ? find_since(log, place->end, since) : place->end;
		rcu_read_unlock();
		n += place->end - place->next;
		cond_resched();
	}
	return n;
}

/* The ring whose next entry is the oldest, or -1. */
static int oldest_ring(struct tcpfsm_net *tn, struct tcpfsm_log_cursor *cursor,
		       struct tcpfsm_log_entry *e)
{
	u64 oldest = U64_MAX;
	unsigned int i;
	int found = -1;

	for (i = 0; i <= nr_cpu_ids; i++) {
		struct tcpfsm_log_place *place = &cursor->ring[i];
		struct tcpfsm_log *log;

		if (place->next >= place->end)
			continue;
		if (!place->when) {
			log = ring_of(tn, i);
			if (!log || !find_entry(log, place, e)) {
				place->next = place->end;
				continue;
			}
			place->when = e->when;
		}
		if (place->when < oldest) {
			oldest = place->when;
			found = i;
		}
	}
	return found;
}

bool tcpfsm_log_next(struct tcpfsm_net *tn, struct tcpfsm_log_cursor *cursor,
		     struct tcpfsm_log_entry *to)
{
	struct tcpfsm_log_place *place;
	struct tcpfsm_log *log;
	bool copied = false;
	int i;

	rcu_read_lock();
	while (!copied) {
		i = oldest_ring(tn, cursor, to);
		if (i < 0)
			break;
		place = &cursor->ring[i];
		log = ring_of(tn, i);
		/* What its writer overtakes meanwhile is not in order any more, but not lost. */
		copied = log && find_entry(log, place, to);
		place->when = 0;
		place->next++;
		cursor->cpu = i;
	}
	rcu_read_unlock();
	return copied;
}

void tcpfsm_log_begin(struct tcpfsm_net *tn, struct tcpfsm_log_cursor *cursor)
{
	const unsigned int size = READ_ONCE(tn->log_size);
	u64 since = 0, too_late, middle, most, n;
	struct tcpfsm_log_entry e;

	end_rings(tn, cursor);
	most = begin_rings(tn, cursor, since);
	/* The rings may have many times as many. Since when are there just enough? */
	too_late = ktime_get_ns() + 1;
	while (most > size && too_late - since > 1) {
		middle = since + (too_late - since) / 2;
		n = begin_rings(tn, cursor, middle);
		if (n >= size) {
			since = middle;
			most = n;
		} else {
			too_late = middle;
		}
	}
	most = begin_rings(tn, cursor, since);
	while (most-- > size && tcpfsm_log_next(tn, cursor, &e))	/* of the same time */
		cond_resched();
}

/* ---- sizes ---- */

static bool make_log(struct tcpfsm_cpu *c, struct tcpfsm_net *tn)
{
	struct tcpfsm_log *log = allocate_ring(tn, READ_ONCE(tn->log_size), tcpfsm_charge_gfp(tn));

	RCU_INIT_POINTER(c->log, log);
	return log;
}

static void free_log(struct tcpfsm_cpu *c)
{
	struct tcpfsm_log *log = rcu_dereference_protected(c->log, true);

	if (log)
		release_ring(log);
}

const struct tcpfsm_cpu_part tcpfsm_log_part = { .make = make_log, .free = free_log };

static void push_ring(struct tcpfsm_log **list, struct tcpfsm_log *log)
{
	log->link = *list;
	*list = log;
}

static struct tcpfsm_log *pop_ring(struct tcpfsm_log **list)
{
	struct tcpfsm_log *log = *list;

	*list = log->link;
	return log;
}

static struct tcpfsm_log *ring_to_resize(struct tcpfsm_cpu *c, unsigned int size)
{
	struct tcpfsm_log *log = rcu_dereference_protected(c->log, lockdep_is_held(&resizing));

	return log->size == size ? NULL : log;
}

/* As many new rings as there are to exchange. */
static int allocate_rings(struct tcpfsm_net *tn, unsigned int size, struct tcpfsm_log **made)
{
	struct tcpfsm_log *log;
	struct tcpfsm_cpu *c;
	unsigned int i;

	tcpfsm_for_each_cpu(i, c, tn) {
		if (!ring_to_resize(c, size))
			continue;
		log = allocate_ring(tn, size, GFP_KERNEL_ACCOUNT);
		if (!log)
			return -ENOMEM;
		push_ring(made, log);
	}
	return 0;
}

/* Their numbers go on. Between two rings, the writer may take a number twice: once in each. */
static void exchange_rings(struct tcpfsm_net *tn, unsigned int size, struct tcpfsm_log **made,
			   struct tcpfsm_log **retired)
{
	struct tcpfsm_log *old, *new;
	struct tcpfsm_cpu *c;
	unsigned int i;

	tcpfsm_for_each_cpu(i, c, tn) {
		old = ring_to_resize(c, size);
		if (!old)
			continue;
		new = pop_ring(made);
		number_ring(new, READ_ONCE(old->next));
		rcu_assign_pointer(c->log, new);
		push_ring(retired, old);
	}
}

static int resize_rings(struct tcpfsm_net *tn, unsigned int size, struct tcpfsm_log **made,
			struct tcpfsm_log **retired)
{
	unsigned int old = tn->log_size;
	int err;

	lockdep_assert_held(&resizing);
	WRITE_ONCE(tn->log_size, size);
	synchronize_rcu();	/* rings that are made from here on have this size */
	err = allocate_rings(tn, size, made);
	if (err)
		WRITE_ONCE(tn->log_size, old);
	else
		exchange_rings(tn, size, made, retired);
	return err;
}

static void release_rings(struct tcpfsm_log *list)
{
	while (list)
		release_ring(pop_ring(&list));
}

int tcpfsm_log_resize(struct tcpfsm_net *tn, unsigned int size)
{
	struct tcpfsm_log *made = NULL, *retired = NULL;
	int err;

	mutex_lock(&resizing);
	err = resize_rings(tn, size, &made, &retired);
	mutex_unlock(&resizing);
	if (retired)
		synchronize_rcu();
	release_rings(retired);
	release_rings(made);
	return err;
}
