// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "filter/node.h"
#include "lib/memory.h"

struct filter *node_new(enum node_kind kind)
{
	struct filter *f = zalloc(sizeof(*f));

	f->kind = kind;
	f->ends = ENDS_ANY;
	return f;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	filter_free(f->left);
	filter_free(f->right);
	free(f);
}

struct filter *node_join(enum node_kind kind, struct filter *left, struct filter *right)
{
	struct filter *f;

	if (!left || (!right && kind != NODE_NOT)) {
		filter_free(left);
		filter_free(right);
		return NULL;
	}
	f = node_new(kind);
	f->left = left;
	f->right = right;
	return f;
}
