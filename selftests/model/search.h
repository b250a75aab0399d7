/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Breadth first, so that the first trace to a violation is the shortest. Worlds are kept whole
 * only in the two layers at work; of the others a 64 bit hash of the whole world, the world it
 * came from and the action that made it.
 */
#ifndef _MODEL_SEARCH_H
#define _MODEL_SEARCH_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

struct node {
	u32 parent;
	struct action by;
};

struct layer {
	struct world *world;
	u32 *node;
	size_t n, room;
};

/* A kind of violation: one trace is printed for each. */
struct finding {
	u8 property, truth[2], view[2];
	const char *why;
	u32 node;
	unsigned long count;
};

static struct {
	u64 *hash;		/* open addressing, 0: empty */
	size_t size, nodes, nodes_room;
	struct node *node;
	struct layer now, next;
	struct finding finding[64];
	int findings;
	unsigned long known[KNOWNS], transitions, depth, violations;
	u32 at;			/* node being checked */
} search;

static void *grown(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p) {
		printf("Bail out! no memory\n");
		exit(1);
	}
	return p;
}

/* What lies between the members of a kept SYN is anything. */
static void blank_seg(struct tfsm_seg *s)
{
	struct tfsm_seg t;

	memset(&t, 0, sizeof(t));
	t.seq = s->seq;
	t.ack = s->ack;
	t.len = s->len;
	t.win = s->win;
	t.flags = s->flags;
	t.kind = s->kind;
	t.dir = s->dir;
	memcpy(s, &t, sizeof(t));
}

static void blank_stray(struct tfsm_stray *s)
{
	struct tfsm_stray t;

	memset(&t, 0, sizeof(t));
	t.count = s->count;
	t.fin_moved = s->fin_moved;
	if (s->count || s->fin_moved)
		t.end = s->end;
	if (s->count) {
		t.ack = s->ack;
		t.win = s->win;
		t.fin = s->fin;
	}
	if (t.fin) {
		t.fin_end = s->fin_end;
		t.fin_ack = s->fin_ack;
	}
	memcpy(s, &t, sizeof(t));
}

/* Numbers that the engine says are void, or only counts, must not tell two worlds apart. */
static void blank(struct world *w)
{
	u8 i;

	for (i = 0; i < TCPFSM_ENDS; i++) {
		if (!(w->w.flow.end[i].facts & TFSM_E_MARK))
			w->w.flow.end[i].mark = 0;
		w->w.flow.end[i].moves = 0;
		blank_stray(&w->w.ext.stray[i]);
		if (w->w.ext.syn[i].kept)
			blank_seg(&w->w.ext.syn[i].seg);
		else
			memset(&w->w.ext.syn[i], 0, sizeof(w->w.ext.syn[i]));
	}
}

static u64 hash_of(const struct world *whole)
{
	struct world blanked = *whole, *w = &blanked;
	const u64 *p = (const u64 *)w;
	u64 h = 0x9e3779b97f4a7c15ull;
	size_t i;

	_Static_assert(offsetof(struct world, twin) % 8 == 0, "whole words");
	blank(w);
	for (i = 0; i < offsetof(struct world, twin) / 8; i++) {
		unsigned __int128 m = (unsigned __int128)(h ^ p[i]) * 0xd6e8feb86659fd93ull;

		h = (u64)m ^ (u64)(m >> 64) ^ (i + 1) * 0xa0761d6478bd642full;
	}
	return h ? h : 1;
}

static void rehash(void)
{
	size_t size = search.size * 2, i, at;
	u64 *hash = calloc(size, sizeof(*hash));

	if (!hash) {
		printf("Bail out! no memory\n");
		exit(1);
	}
	for (i = 0; i < search.size; i++) {
		if (!search.hash[i])
			continue;
		for (at = search.hash[i] & (size - 1); hash[at]; at = (at + 1) & (size - 1))
			;
		hash[at] = search.hash[i];
	}
	free(search.hash);
	search.hash = hash;
	search.size = size;
}

/* Return: it was not there. */
static bool add_hash(u64 h)
{
	size_t at;

	for (at = h & (search.size - 1); search.hash[at]; at = (at + 1) & (search.size - 1))
		if (search.hash[at] == h)
			return false;
	search.hash[at] = h;
	if (search.nodes * 3 > search.size * 2)
		rehash();
	return true;
}

static u32 add_node(u32 parent, struct action by)
{
	if (search.nodes == search.nodes_room) {
		search.nodes_room = search.nodes_room ? search.nodes_room * 2 : 1 << 16;
		search.node = grown(search.node, search.nodes_room * sizeof(struct node));
	}
	search.node[search.nodes] = (struct node) { parent, by };
	return search.nodes++;
}

static void add_world(struct layer *l, const struct world *w, u32 node)
{
	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 1 << 10;
		l->world = grown(l->world, l->room * sizeof(*w));
		l->node = grown(l->node, l->room * sizeof(u32));
	}
	l->world[l->n] = *w;
	l->node[l->n++] = node;
}

static void found(const struct world *w, enum property p, const char *why)
{
	struct finding f = { p, { w->tcp[0].state, w->tcp[1].state },
			     { shown(&w->w, 0), shown(&w->w, 1) }, why, search.at, 1 };
	int k = known(w, p), i;

	if (k >= 0) {
		search.known[k]++;
		return;
	}
	search.violations++;
	for (i = 0; i < search.findings; i++) {
		struct finding *o = &search.finding[i];

		if (o->property == p && o->why == why && !memcmp(o->truth, f.truth, 2) &&
		    !memcmp(o->view, f.view, 2)) {
			o->count++;
			return;
		}
	}
	if (search.findings < 64)
		search.finding[search.findings++] = f;
}

static void visit(const struct world *w, u32 parent, struct action by)
{
	if (!add_hash(hash_of(w)))
		return;
	search.at = add_node(parent, by);
	add_world(&search.next, w, search.at);
	check(w, found);
}

static void expand(const struct world *w, u32 node)
{
	struct actions l;
	struct world next;
	u8 i;

	enabled(w, &l);
	for (i = 0; i < l.n; i++) {
		next = *w;
		act(&next, l.a[i]);
		search.transitions++;
		visit(&next, node, l.a[i]);
	}
}

static void forget(void)
{
	free(search.hash);
	free(search.node);
	free(search.now.world);
	free(search.now.node);
	free(search.next.world);
	free(search.next.node);
	memset(&search, 0, sizeof(search));
}

static void run_search(void)
{
	struct world w;
	struct layer l;
	size_t i;

	forget();
	search.size = 1 << 16;
	search.hash = calloc(search.size, sizeof(u64));
	watch_moves = 0;
	begin(&w);
	visit(&w, 0, (struct action) { ACTS });
	while (search.next.n) {
		l = search.now;
		search.now = search.next;
		search.next = l;
		search.next.n = 0;
		for (i = 0; i < search.now.n; i++)
			expand(&search.now.world[i], search.now.node[i]);
		search.depth++;
	}
}

static const char *const state_names[TCPFSM_STATES] = {
	"-",
#define X(name, ss, means, waits, tells) [TCPFSM_##name] = #name,
	TCPFSM_STATE_LIST(X)
#undef X
};

static void print_path(const char *whose, u64 path)
{
	int n = 60;

	printf("# %s path", whose);
	for (; n >= 0; n -= 4)
		if (path >> n & 0xf)
			printf(" %s", state_names[path >> n & 0xf]);
	printf("\n");
}

static void print_finding(const struct finding *f)
{
	struct action list[256];
	struct world w;
	u32 at = f->node;
	int n = 0;

	for (; search.node[at].by.act != ACTS && n < 256; at = search.node[at].parent)
		list[n++] = search.node[at].by;
	printf("# %s: %s; %lu worlds with true %s:%s shown %s:%s\n", property_names[f->property],
	       f->why, f->count, state_names[f->truth[0]], state_names[f->truth[1]],
	       state_names[f->view[0]], state_names[f->view[1]]);
	tell = true;
	begin(&w);
	while (n--) {
		act(&w, list[n]);
		printf("#        true %s:%s  shown %s:%s\n", state_names[w.tcp[0].state],
		       state_names[w.tcp[1].state], state_names[shown(&w.w, 0)],
		       state_names[shown(&w.w, 1)]);
	}
	tell = false;
	watch_broken = NULL;
	if (f->property != PATH)
		return;
	print_path("client's true", true_path(&w, 0));
	print_path("client's shown", w.w.path[0]);
	print_path("server's true", true_path(&w, 1));
	print_path("server's shown", w.w.path[1]);
}

#endif /* _MODEL_SEARCH_H */
