// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "kernel/cache.h"

#define HOLD	(100 * NSEC_PER_MS)
#define LINGER	NSEC

static struct entry *get(struct cache *c, u64 id)
{
	u64 hash = hash_mix(id);
	struct hnode *n;
	struct entry *e;

	for (n = htab_first(&c->table, hash); n; n = htab_next(n)) {
		e = container_of(n, struct entry, node);
		if (e->id == id)
			return e;
	}
	e = zalloc(sizeof(*e));
	e->id = id;
	e->generation = c->generation;
	htab_add(&c->table, &e->node, hash);
	return e;
}

/* ---- transitions that wait ---- */

static void hold(struct cache *c, struct entry *e, const struct event *event, u64 now)
{
	struct held *h = zalloc(sizeof(*h)), **p = &e->held;

	h->event = *event;
	h->entry = e;
	h->until = now + HOLD;
	while (*p && (*p)->event.step <= event->step)
		p = &(*p)->later;
	h->later = *p;
	*p = h;
	h->before = c->last;
	*(c->last ? &c->last->after : &c->first) = h;
	c->last = h;
}

static void show(struct cache *c, struct entry *e, struct event *event)
{
	if (event->step >= e->step)
		e->step = event->step + 1;
	e->state[event->end] = event->to;
	c->show(e, event, c->arg);
}

static void show_first(struct cache *c, struct entry *e)
{
	struct held *h = e->held;

	e->held = h->later;
	*(h->before ? &h->before->after : &c->first) = h->after;
	*(h->after ? &h->after->before : &c->last) = h->before;
	show(c, e, &h->event);
	free(h);
}

static void show_all(struct cache *c, struct entry *e)
{
	while (e->held)
		show_first(c, e);
}

static bool in_turn(const struct entry *e, const struct event *event)
{
	return e->known && (!e->step || event->step <= e->step);
}

static void show_in_turn(struct cache *c, struct entry *e)
{
	while (e->held && in_turn(e, &e->held->event))
		show_first(c, e);
}

void cache_transition(struct cache *c, const struct event *event, u64 now)
{
	struct entry *e = get(c, event->flow);
	struct event copy = *event;

	if (!in_turn(e, event)) {
		hold(c, e, event, now);
		return;
	}
	show(c, e, &copy);
	if (e->held)
		show_in_turn(c, e);
}

/* ---- flows ---- */

void cache_fill(struct cache *c, struct entry *e, const struct flow *f)
{
	unsigned int i;

	e->generation = c->generation;
	e->flags = f->flags;
	e->ifindex = f->ifindex;
	e->start = f->start;
	if (e->known && e->tuple.family)
		return;
	e->tuple = f->tuple;
	for (i = 0; i < TCPFSM_ENDS; i++)
		if (!e->state[i])
			e->state[i] = f->end[i].state;
	e->known = true;
}

void cache_learn(struct cache *c, const struct flow *f, bool born)
{
	struct entry *e = get(c, f->id);

	if (born && !e->known && !e->step)
		e->step = 1;
	cache_fill(c, e, f);
	show_in_turn(c, e);
}

static void mark_ended(struct cache *c, struct entry *e, u64 now)
{
	if (e->ended)
		return;
	e->ended = true;
	e->forget = now + LINGER;
	*(c->last_ended ? &c->last_ended->next_ended : &c->first_ended) = e;
	c->last_ended = e;
}

void cache_end(struct cache *c, const struct flow *f, u64 now)
{
	struct entry *e = get(c, f->id);

	cache_fill(c, e, f);
	show_in_turn(c, e);
	mark_ended(c, e, now);
}

static void forget(struct cache *c, struct entry *e)
{
	show_all(c, e);
	c->first_ended = e->next_ended;
	if (!c->first_ended)
		c->last_ended = NULL;
	htab_del(&c->table, &e->node);
	free(e);
}

/* ---- dumps ---- */

void cache_dump_begin(struct cache *c)
{
	c->dumping = true;
	c->generation++;
}

struct sweep {
	struct cache *cache;
	u64 now;
};

/* Its end was among the events lost. */
static bool end_untold(struct hnode *n, void *arg)
{
	struct entry *e = container_of(n, struct entry, node);
	struct sweep *s = arg;

	if (e->known && e->generation != s->cache->generation)
		mark_ended(s->cache, e, s->now);
	return false;
}

void cache_dump_end(struct cache *c, u64 now)
{
	struct sweep s = { c, now };

	c->dumping = false;
	htab_sweep(&c->table, end_untold, &s);
}

/* ---- time ---- */

u64 cache_tick(struct cache *c, u64 now)
{
	while (c->first && c->first->until <= now) {
		struct entry *e = c->first->entry;

		if (!e->known) {
			if (c->dumping)
				break;
			c->ask(e, c->arg);
			e->known = true;
		}
		show_all(c, e);
	}
	/* An ended flow stays while a dump runs, which may still tell of it. */
	while (c->first_ended && c->first_ended->forget <= now && !c->dumping)
		forget(c, c->first_ended);
	if (c->first)
		return c->first->until > now ? c->first->until - now : NSEC_PER_MS;
	return c->first_ended ? LINGER : ~0ULL;
}

static bool free_entry(struct hnode *n, void *unused)
{
	(void)unused;
	free(container_of(n, struct entry, node));
	return true;
}

void cache_free(struct cache *c)
{
	while (c->first)
		show_all(c, c->first->entry);
	htab_sweep(&c->table, free_entry, NULL);
	htab_free(&c->table);
}
