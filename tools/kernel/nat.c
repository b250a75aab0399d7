// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "kernel/conntrack.h"
#include "kernel/nat.h"
#include "kernel/netns.h"
#include "lib/htab.h"
#include "lib/memory.h"

struct translation {
	struct hnode node;
	struct tuple tuple;		/* as the module sees it */
	struct nat nat;
};

static struct htab translations;

static void keep_translation(const struct conntrack *c, void *arg)
{
	struct translation *t = zalloc(sizeof(*t));

	(void)arg;
	t->tuple = c->tuple;
	t->nat = (struct nat){ true, c->orig, c->resp };
	htab_add(&translations, &t->node, tuple_hash(&t->tuple));
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

static const struct nat *find_nat(const struct tuple *tuple)
{
	struct hnode *n;

	for (n = htab_first(&translations, tuple_hash(tuple)); n; n = htab_next(n)) {
		const struct translation *t = container_of(n, struct translation, node);

		if (tuple_equal(&t->tuple, tuple))
			return &t->nat;
	}
	return NULL;
}

void nat_find(struct flow *f)
{
	struct tuple back = tuple_reversed(&f->tuple);
	const struct nat *n = find_nat(&f->tuple);

	if (n) {
		f->nat = *n;
		return;
	}
	/* Orig of a flow that was met midstream may be nf_conntrack's server. */
	n = find_nat(&back);
	if (n)
		f->nat = (struct nat){ true, tuple_reversed(&n->resp), tuple_reversed(&n->orig) };
}
