// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "kernel/cache.h"
#include "lib/memory.h"

#define HOLD	(100 * NSEC_PER_MS)	/* messages leave the kernel within 10 ms */
#define LINGER	NSEC			/* events of an ended flow may come late */

static struct entry *find_entry(const struct cache *c, u64 id)
{
	struct hnode *n;
	struct entry *e;

	for (n = htab_first(&c->table, hash_mix(id)); n; n = htab_next(n)) {
		e = container_of(n, struct entry, node);
		if (e->id == id)
			return e;
	}
	return NULL;
}

static struct entry *get_entry(struct cache *c, u64 id)
{
	struct entry *e = find_entry(c, id);

	if (e)
		return e;
	e = zalloc(sizeof(*e));
	e->id = id;
	e->generation = c->generation;
	htab_add(&c->table, &e->node, hash_mix(id));
	return e;
}

void entry_as_flow(const struct entry *entry, const struct event *e, struct flow *f)
{
	unsigned int end;

	f->id = entry->id;
	f->netns = e->netns;
	f->tuple = entry->tuple;
	f->flags = entry->flags;
	f->start = entry->start;
	for (end = 0; end < TCPFSM_ENDS; end++)
		f->end[end].state = entry->state[end];
}

/* ---- transitions that wait ---- */

static void hold_event(struct cache *c, struct entry *e, const struct event *event, u64 now)
{
	struct held *h = zalloc(sizeof(*h)), **p = &e->held;

	h->event = *event;
	h->entry = e;
	h->until = now + HOLD;
	while (*p && (*p)->event.step <= event->step)
		p = &(*p)->later;
	h->later = *p;
	*p = h;
	list_append(&c->held, &h->node);
}

static void show_event(struct cache *c, struct entry *e, struct event *event)
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
	list_remove(&h->node);
	show_event(c, e, &h->event);
	free(h);
}

static void show_all(struct cache *c, struct entry *e)
{
	while (e->held)
		show_first(c, e);
}

static bool is_in_turn(const struct entry *e, const struct event *event)
{
	return e->known && (!e->step || event->step <= e->step);
}

static void show_in_turn(struct cache *c, struct entry *e)
{
	while (e->held && is_in_turn(e, &e->held->event))
		show_first(c, e);
}

void cache_transition(struct cache *c, const struct event *event, u64 now)
{
	struct entry *e = get_entry(c, event->flow);
	struct event copy = *event;

	if (!is_in_turn(e, event)) {
		hold_event(c, e, event, now);
		return;
	}
	show_event(c, e, &copy);
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
	struct entry *e = get_entry(c, f->id);

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
	list_append(&c->ended, &e->ended_node);
}

struct entry *cache_end(struct cache *c, const struct flow *f, u64 now)
{
	struct entry *e = get_entry(c, f->id);

	cache_fill(c, e, f);
	show_in_turn(c, e);
	mark_ended(c, e, now);
	return e;
}

static void forget_entry(struct cache *c, struct entry *e)
{
	show_all(c, e);
	list_remove(&e->ended_node);
	htab_del(&c->table, &e->node);
	free(e->nat);
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

/* A flow that the dump did not tell of: its end was among the events lost. */
static bool mark_untold(struct hnode *n, void *arg)
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
	htab_sweep(&c->table, mark_untold, &s);
}

/* ---- time ---- */

static struct held *first_held(const struct cache *c)
{
	struct list_node *n = list_first(&c->held);

	return n ? container_of(n, struct held, node) : NULL;
}

static struct entry *first_ended(const struct cache *c)
{
	struct list_node *n = list_first(&c->ended);

	return n ? container_of(n, struct entry, ended_node) : NULL;
}

u64 cache_tick(struct cache *c, u64 now)
{
	struct held *h;
	struct entry *e;

	while ((h = first_held(c)) && h->until <= now) {
		e = h->entry;
		if (!e->known) {
			if (c->dumping)
				break;
			c->ask(e, c->arg);
			e->known = true;
		}
		show_all(c, e);
	}
	/* A dump that runs may still tell of a flow that ended. */
	while ((e = first_ended(c)) && e->forget <= now && !c->dumping)
		forget_entry(c, e);
	if (h)
		return h->until > now ? h->until - now : NSEC_PER_MS;
	return e ? LINGER : ~0ULL;
}

static bool free_entry(struct hnode *n, void *unused)
{
	struct entry *e = container_of(n, struct entry, node);

	(void)unused;
	free(e->nat);
	free(e);
	return true;
}

void cache_free(struct cache *c)
{
	struct held *h;

	while ((h = first_held(c)))
		show_all(c, h->entry);
	htab_sweep(&c->table, free_entry, NULL);
	htab_free(&c->table);
}
