// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "kernel/nat.h"
#include "kernel/netns.h"
#include "lib/htab.h"
#include "lib/live.h"
#include "lib/memory.h"

struct translation {
	struct hnode node;
	struct conntrack ct;
};

#define LOOK_EVERY	(NSEC / 5)

static struct htab translations;
static const struct netns *translations_of;
static u64 translations_read;		/* when they were; 0: never */
static u64 translations_cost;

static void keep_translation(const struct conntrack *c, void *arg)
{
	struct translation *t = zalloc(sizeof(*t));

	(void)arg;
	t->ct = *c;
	htab_add(&translations, &t->node, tuple_hash(&c->tuple));
}

static bool free_translation(struct hnode *n, void *arg)
{
	(void)arg;
	free(container_of(n, struct translation, node));
	return true;
}

size_t nat_read(const struct netns *ns)
{
	htab_sweep(&translations, free_translation, NULL);
	translations_of = ns;
	translations_read = clock_now();
	if (netns_enter(ns))
		return 0;
	if (conntrack_there())
		conntrack_each_translated(keep_translation, NULL);
	netns_leave();
	translations_cost = clock_now() - translations_read;
	return translations.count;
}

void nat_take(struct flow *f, const struct conntrack *c)
{
	f->nat = (struct nat){ !tuple_equal(&c->orig, &c->resp), c->orig, c->resp };
	/* Orig of a flow that was met midstream may be nf_conntrack's server. */
	if (!tuple_equal(&c->tuple, &f->tuple)) {
		f->nat.orig = tuple_reversed(&c->resp);
		f->nat.resp = tuple_reversed(&c->orig);
	}
}

void nat_find(struct flow *f)
{
	struct hnode *n;

	for (n = htab_first(&translations, tuple_hash(&f->tuple)); n; n = htab_next(n)) {
		const struct translation *t = container_of(n, struct translation, node);

		if (tuple_is_between(&t->ct.tuple, &f->tuple)) {
			nat_take(f, &t->ct);
			return;
		}
	}
}

/* ---- flow by flow ---- */

struct nat_asker {
	const struct netns *netns;
	struct nfct_handle *handle;	/* NULL: not needed yet, or not to be had */
	bool translates;		/* when it was looked at last */
	u64 looked, cost;
};

struct nat_asker *nat_asker_new(const struct netns *ns)
{
	struct nat_asker *a = zalloc(sizeof(*a));

	a->netns = ns;
	return a;
}

void nat_asker_free(struct nat_asker *a)
{
	if (a)
		conntrack_close(a->handle);
	free(a);
}

static bool is_time(u64 since, u64 cost)
{
	return !since || clock_now() - since >= pause_after(cost, LOOK_EVERY);
}

static void look_again(struct nat_asker *a)
{
	a->looked = clock_now();
	a->translates = false;
	if (netns_enter(a->netns))
		return;
	a->translates = conntrack_there() && conntrack_translates();
	if (a->translates && !a->handle)
		a->handle = conntrack_open();
	netns_leave();
	a->cost = clock_now() - a->looked;
}

/* Both of its addresses are translated: no entry has this tuple. */
static void find_among_all(struct nat_asker *a, struct flow *f)
{
	if (translations_of != a->netns || is_time(translations_read, translations_cost))
		nat_read(a->netns);
	nat_find(f);
}

bool nat_ask(struct nat_asker *a, struct flow *f)
{
	bool look = is_time(a->looked, a->cost);
	struct conntrack c;

	/* The first of all may be this one. */
	if (look)
		look_again(a);
	if (!a->translates || !a->handle)
		return look;
	if (conntrack_get(a->handle, &f->tuple, &c) && tuple_is_between(&c.tuple, &f->tuple))
		nat_take(f, &c);
	else
		find_among_all(a, f);
	return true;
}
