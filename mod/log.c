// SPDX-License-Identifier: GPL-2.0
/*
 * A ring has pages, each allocated when it is first written. An entry's own number is 0 while it is
 * written, and tells a reader whether it has seen one whole entry.
 */
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "cpu.h"
#include "log.h"
#include "report.h"

#define PER_PAGE (PAGE_SIZE / sizeof(struct tcpfsm_log_entry))

static DEFINE_MUTEX(resizing);

struct tcpfsm_log {
	u64		first;		/* lowest number of this ring */
	u64		next;		/* number of the next entry */
	unsigned int	size;
	unsigned int	pages;		/* at most */
	struct xarray	page;		/* of the ring, by place */

	/* Where the next entry goes: slot PER_PAGE is on the next page. NULL: no memory for it. */
	struct tcpfsm_log_entry *at;
	unsigned int	place, slot;

	struct tcpfsm_log *retired;	/* list of rings to release */
};

static struct tcpfsm_log *allocate_ring(unsigned int size, u64 first, gfp_t gfp)
{
	struct tcpfsm_log *log = kzalloc(sizeof(*log), gfp);

	if (!log)
		return NULL;
	xa_init(&log->page);
	log->size = size;
	log->pages = DIV_ROUND_UP(size, PER_PAGE);
	log->first = first;
	log->next = first;
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
static struct tcpfsm_log_entry *make_page(struct tcpfsm_log *log, unsigned int place)
{
	void *page = xa_load(&log->page, place);

	if (page)
		return page;
	page = (void *)get_zeroed_page(GFP_ATOMIC | __GFP_NOWARN);
	if (!page || !xa_err(xa_store(&log->page, place, page, GFP_ATOMIC | __GFP_NOWARN)))
		return page;
	free_page((unsigned long)page);
	return NULL;
}

static noinline void turn_page(struct tcpfsm_log *log)
{
	log->slot = 0;
	if (++log->place == log->pages)
		log->place = 0;
	log->at = make_page(log, log->place);
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
	for (i = 0; log && i < r->moves; i++) {
		if (log->slot == PER_PAGE)
			turn_page(log);
		if (likely(log->at))
			write_entry(&log->at[log->slot], log->next, r, i);
		else
			tcpfsm_add(&c->stats.counter[TCPFSM_C_log_lost], 1);
		log->slot++;
		WRITE_ONCE(log->next, log->next + 1);
	}
}

/* ---- readers, under RCU ---- */

/* Copy an entry of a ring, if it is still there, and written. */
static bool copy_entry(struct tcpfsm_log *log, u64 seq, struct tcpfsm_log_entry *to)
{
	const struct tcpfsm_log_entry *e;
	u32 slot, place;
	u64 pages = div_u64_rem(seq - log->first, PER_PAGE, &slot);

	div_u64_rem(pages, log->pages, &place);
	e = xa_load(&log->page, place);
	if (!e)
		return false;
	e += slot;
	if (READ_ONCE(e->seq) != seq)
		return false;
	smp_rmb();	/* the number, then the entry */
	data_race(*to = *e);
	smp_rmb();	/* the entry, then the number again */
	return READ_ONCE(e->seq) == seq;
}

/* The lowest number that is kept; *@dropped: there have been lower ones. */
static u64 lowest_kept(const struct tcpfsm_log *log, u64 end, bool *dropped)
{
	*dropped = end - log->first > log->size;
	return *dropped ? end - log->size : log->first;
}

/* Copy the next entry of a ring that is still there. Return: false if there is none. */
static bool find_entry(struct tcpfsm_log *log, struct tcpfsm_log_place *place,
		       struct tcpfsm_log_entry *to)
{
	bool dropped;
	u64 lowest;

	while (place->next < place->end) {
		lowest = lowest_kept(log, READ_ONCE(log->next), &dropped);
		place->next = max(place->next, lowest);
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

/* Begin each ring with the oldest transition since which no ring has dropped one. */
static void begin_rings(struct tcpfsm_net *tn, struct tcpfsm_log_cursor *cursor)
{
	struct tcpfsm_log_entry e;
	bool dropped;
	u64 since = 0;
	unsigned int i;

	for (i = 0; i <= nr_cpu_ids; i++) {
		struct tcpfsm_log_place *place = &cursor->ring[i];
		struct tcpfsm_log *log = ring_of(tn, i);

		*place = (struct tcpfsm_log_place) {};
		if (!log)
			continue;
		place->end = READ_ONCE(log->next);
		place->next = lowest_kept(log, place->end, &dropped);
		if (dropped && find_entry(log, place, &e))
			since = max(since, e.when);
	}
	for (i = 0; i <= nr_cpu_ids; i++) {
		struct tcpfsm_log_place *place = &cursor->ring[i];
		struct tcpfsm_log *log = ring_of(tn, i);

		while (log && find_entry(log, place, &e) && e.when < since)
			place->next++;
	}
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
	struct tcpfsm_log_entry e;
	unsigned int i;
	u64 n = 0;

	rcu_read_lock();
	begin_rings(tn, cursor);
	rcu_read_unlock();
	for (i = 0; i <= nr_cpu_ids; i++)
		n += cursor->ring[i].end - cursor->ring[i].next;
	while (n-- > size && tcpfsm_log_next(tn, cursor, &e))
		;
}

/* ---- sizes ---- */

static bool make_log(struct tcpfsm_cpu *c, struct tcpfsm_net *tn)
{
	struct tcpfsm_log *log = allocate_ring(READ_ONCE(tn->log_size), 1,
					       GFP_ATOMIC | __GFP_NOWARN);

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

/*
 * Its numbers go on. Between the two rings, the writer may take a number twice: once in each. The
 * old ring is put before others that wait to be released.
 */
static int exchange_ring(struct tcpfsm_cpu *c, unsigned int size, struct tcpfsm_log **retired)
{
	struct tcpfsm_log *old = rcu_dereference_protected(c->log, lockdep_is_held(&resizing));
	struct tcpfsm_log *new = allocate_ring(size, READ_ONCE(old->next), GFP_KERNEL);

	if (!new)
		return -ENOMEM;
	rcu_assign_pointer(c->log, new);
	old->retired = *retired;
	*retired = old;
	return 0;
}

int tcpfsm_log_resize(struct tcpfsm_net *tn, unsigned int size)
{
	struct tcpfsm_log *retired = NULL, *next;
	struct tcpfsm_cpu *c;
	unsigned int i;
	int err = 0;

	mutex_lock(&resizing);
	if (size != tn->log_size) {
		WRITE_ONCE(tn->log_size, size);		/* of rings to come, too */
		tcpfsm_for_each_cpu(i, c, tn)
			err = exchange_ring(c, size, &retired) ?: err;
	}
	mutex_unlock(&resizing);
	if (retired)
		synchronize_rcu();
	for (; retired; retired = next) {
		next = retired->retired;
		release_ring(retired);
	}
	return err;
}
