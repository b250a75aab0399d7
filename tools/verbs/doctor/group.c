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
	g->mixed = !strcmp(key, others);
	g->next = *groups;
	*groups = g;
	return g;
}

void group_add(struct group *g, u64 value, const struct flow *f)
{
	if (!g->count++)
		g->tuple = f->tuple;
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
	f->oldest = oldest ? g->most : 0;
	if (g->mixed)
		return;
	f->pid = g->pid;
	f->service = string_copy(fmt_dst(where, &g->tuple));
}

char *group_scope(char *buf, const struct group *g)
{
	char word[FMT_TARGET];

	*buf = '\0';
	if (!g->mixed)
		sprintf(buf, " dst %s", fmt_target_word(word, g->tuple.family, g->tuple.dst,
							g->tuple.dport));
	return buf;
}
