// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "kernel/nat.h"
#include "kernel/netns.h"
#include "lib/htab.h"
#include "lib/memory.h"

struct translation {
	struct hnode node;
	struct conntrack ct;
};

static struct htab translations;

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
	if (netns_enter(ns))
		return 0;
	if (conntrack_there())
		conntrack_each_translated(keep_translation, NULL);
	netns_leave();
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
