// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "lib/memory.h"
#include "verbs/doctor/group.h"

#define GROUPS	64	/* of a kind; what comes later counts among the others */

struct group *group_of(struct group **groups, const char *key)
{
	static const char others[] = "Others, too many to name:";
	unsigned int n = 0;
	struct group *g;

	for (g = *groups; g; g = g->next, n++)
		if (!strcmp(g->key, key))
			return g;
	if (n >= GROUPS && strcmp(key, others))
		return group_of(groups, others);
	g = zalloc(sizeof(*g));
	snprintf(g->key, sizeof(g->key), "%s", key);
	g->least = ~0ULL;
	g->next = *groups;
	*groups = g;
	return g;
}

void group_add(struct group *g, u64 value, const struct flow *f)
{
	g->count++;
	if (!g->worst || value > g->most) {
		g->most = value;
		g->worst = f;
	}
	if (value < g->least)
		g->least = value;
}

struct group *group_take(struct group **groups)
{
	struct group *g = *groups;

	if (g)
		*groups = g->next;
	return g;
}

void group_tell(struct finding *f, const struct group *g, bool oldest)
{
	char where[FMT_ENDPOINT];

	f->count = g->count;
	f->pid = g->pid;
	f->oldest = oldest ? g->most : 0;
	f->service = g->tuple.family ? string_copy(fmt_dst(where, &g->tuple)) : NULL;
}

char *word_of_service(char *buf, const struct tuple *t)
{
	return fmt_target_word(buf, t->family, t->dst, t->dport);
}
