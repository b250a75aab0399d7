// SPDX-License-Identifier: GPL-2.0
/*
 * The log of a namespace is a ring of pages, each allocated when it is first written.
 *
 * A writer takes a number, claims its slot and writes it. The slot's own number is WRITING
 * meanwhile, and tells a reader whether it has seen one whole entry.
 */
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "log.h"
#include "netns.h"
#include "report.h"
#include "stats.h"

#define PER_PAGE (PAGE_SIZE / sizeof(struct tcpfsm_log_entry))
#define WRITING	 (-1)

static DEFINE_MUTEX(resizing);

struct tcpfsm_log {
	atomic64_t		last;		/* number given out last */
	unsigned int		size;
	u64			first;		/* lowest number of this ring */
	unsigned int		pages;
	struct tcpfsm_log_entry	*page[];
};

static struct tcpfsm_log *allocate_ring(unsigned int size, u64 last, gfp_t gfp)
{
	unsigned int pages = DIV_ROUND_UP(size, PER_PAGE);
	struct tcpfsm_log *log;

	log = gfp == GFP_KERNEL ? kvzalloc(struct_size(log, page, pages), gfp) :
				  kzalloc(struct_size(log, page, pages), gfp);
	if (!log)
		return NULL;
	log->size = size;
	log->pages = pages;
	log->first = last + 1;
	atomic64_set(&log->last, last);
	return log;
}

static void release_ring(struct tcpfsm_log *log)
{
	unsigned int i;

	for (i = 0; i < log->pages; i++)
		free_page((unsigned long)log->page[i]);
	kvfree(log);
}

/* A segment makes only the small ring of default size: another size comes from a resize. */
static struct tcpfsm_log *get_ring(struct tcpfsm_net *tn)
{
	struct tcpfsm_log *log = READ_ONCE(tn->log), *old;

	if (likely(log))
		return log;
	log = allocate_ring(TCPFSM_LOG_SIZE_DEFAULT, 0, GFP_ATOMIC | __GFP_NOWARN);
	if (!log)
		return NULL;
	old = cmpxchg(&tn->log, NULL, log);
	if (!old)
		return log;
	kfree(log);
	return old;
}

static u32 index_of(const struct tcpfsm_log *log, u64 seq)
{
	u32 i;

	div_u64_rem(seq - log->first, log->size, &i);
	return i;
}

static struct tcpfsm_log_entry *slot_at(struct tcpfsm_log *log, u32 i, bool make)
{
	struct tcpfsm_log_entry **page, *new;

	page = &log->page[i / PER_PAGE];
	if (!READ_ONCE(*page)) {
		if (!make)
			return NULL;
		new = (void *)get_zeroed_page(GFP_ATOMIC | __GFP_NOWARN);
		if (!new)
			return NULL;
		if (cmpxchg(page, NULL, new))
			free_page((unsigned long)new);
	}
	return READ_ONCE(*page) + i % PER_PAGE;
}

/* Return: false if another writer, a whole ring ahead or behind, has the slot. */
static bool write_entry(struct tcpfsm_log_entry *e, s64 seq, const struct tcpfsm_report *r,
			unsigned int i)
{
	const struct tcpfsm_flow_tuple *t = &r->snap.tuple;
	s64 was = atomic64_read(&e->seq);

	/* A reader who sees any of what follows sees that it is being written. */
	if (was == WRITING || was > seq || atomic64_cmpxchg(&e->seq, was, WRITING) != was)
		return false;
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
	atomic64_set(&e->seq, seq);
	return true;
}

void tcpfsm_log_report(const struct tcpfsm_report *r)
{
	struct tcpfsm_log *log;
	struct tcpfsm_log_entry *e;
	unsigned int i;
	u64 seq = 0;
	u32 at = 0;

	rcu_read_lock();
	log = get_ring(r->tn);
	if (log) {
		seq = atomic64_add_return(r->moves, &log->last) - r->moves + 1;
		at = index_of(log, seq);
	}
	for (i = 0; i < r->moves; i++) {
		e = log ? slot_at(log, at, true) : NULL;
		if (!e || !write_entry(e, seq + i, r, i))
			tcpfsm_count(r->tn, TCPFSM_C_log_lost);
		if (log && ++at == log->size)
			at = 0;
	}
	rcu_read_unlock();
}

bool tcpfsm_log_next(struct tcpfsm_net *tn, u64 *seq, struct tcpfsm_log_entry *to)
{
	const struct tcpfsm_log_entry *e;
	struct tcpfsm_log *log;
	bool found = false;
	u64 last;

	rcu_read_lock();
	log = READ_ONCE(tn->log);
	if (!log)
		goto out;
	last = atomic64_read(&log->last);
	if (*seq < log->first)
		*seq = log->first;
	if (last >= log->size && *seq <= last - log->size)
		*seq = last - log->size + 1;
	for (; *seq <= last && !found; ++*seq) {
		e = slot_at(log, index_of(log, *seq), false);
		if (!e || atomic64_read(&e->seq) != *seq)
			continue;
		smp_rmb();	/* the number, then the entry */
		data_race(*to = *e);
		smp_rmb();	/* the entry, then the number again */
		found = atomic64_read(&e->seq) == *seq;
		if (found)
			break;
	}
out:
	rcu_read_unlock();
	return found;
}

/* Put in a ring of this size. Return: the old one, NULL if there was none, or an error. */
static struct tcpfsm_log *exchange_ring(struct tcpfsm_net *tn, unsigned int size)
{
	struct tcpfsm_log *old = READ_ONCE(tn->log), *new;

	lockdep_assert_held(&resizing);
	if (size == tn->log_size)
		return NULL;
	new = allocate_ring(size, old ? atomic64_read(&old->last) : 0, GFP_KERNEL);
	if (!new)
		return ERR_PTR(-ENOMEM);
	WRITE_ONCE(tn->log_size, size);
	/* Between the two, a writer may take a number twice: once in each ring. */
	return xchg(&tn->log, new);
}

int tcpfsm_log_resize(struct tcpfsm_net *tn, unsigned int size)
{
	struct tcpfsm_log *old;

	mutex_lock(&resizing);
	old = exchange_ring(tn, size);
	mutex_unlock(&resizing);
	if (IS_ERR_OR_NULL(old))
		return PTR_ERR_OR_ZERO(old);
	synchronize_rcu();
	release_ring(old);
	return 0;
}

void tcpfsm_log_free(struct tcpfsm_net *tn)
{
	if (tn->log)
		release_ring(tn->log);
}
