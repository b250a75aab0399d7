// SPDX-License-Identifier: GPL-2.0
/* The table of verbs. */
#include <stdio.h>
#include <string.h>

#include "cli/verbs.h"

#define LONGEST_NAME	15	/* of a verb */

const struct verb *const verbs[] = {
	&verb_states, &verb_pairs, &verb_transitions, &verb_flows, &verb_count, &verb_flow,
	&verb_services, &verb_counters, &verb_dwell, &verb_log, &verb_monitor,
	&verb_record, &verb_top,
	&verb_doctor, &verb_graph, &verb_export, &verb_ship, &verb_ipfix, &verb_live, &verb_replay,
	NULL,
};

const struct verb *find_verb(const char *name)
{
	const struct verb *const *v;

	for (v = verbs; *v && name; v++)
		if (!strcmp(name, (*v)->name))
			return *v;
	return NULL;
}

static bool begins_with(const struct verb *v, const char *begin)
{
	return !strncmp(begin, v->name, strlen(begin));
}

const struct verb *guess_verb(const char *begin)
{
	const struct verb *exact = find_verb(begin), *found = NULL;
	const struct verb *const *v;

	if (exact || !begin || !*begin)
		return exact;
	for (v = verbs; *v; v++) {
		if (!begins_with(*v, begin))
			continue;
		if (found)
			return NULL;
		found = *v;
	}
	return found;
}

/*
 * The optimal string alignment distance: letters to insert, remove, replace, or exchange with their
 * neighbour to make one word of the other.
 */
static unsigned int word_distance(const char *a, const char *b)
{
	unsigned int row[3][LONGEST_NAME + 1], *above = row[0], *now = row[1], *last = row[2];
	unsigned int n = strlen(b), i, j;

	for (j = 0; j <= n; j++)
		now[j] = j;
	for (i = 1; a[i - 1]; i++) {
		unsigned int *free_row = above;

		above = last;
		last = now;
		now = free_row;
		now[0] = i;
		for (j = 1; j <= n; j++) {
			unsigned int least = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < least)
				least = last[j] + 1;
			if (now[j - 1] + 1 < least)
				least = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    above[j - 2] + 1 < least)
				least = above[j - 2] + 1;
			now[j] = least;
		}
	}
	return now[n];
}

const struct verb *nearest_verb(const char *word)
{
	const struct verb *nearest = NULL;
	const struct verb *const *v;
	unsigned int least = 3, d;

	for (v = verbs; *v; v++) {
		d = word_distance(word, (*v)->name);
		if (d >= least || d >= strlen((*v)->name))
			continue;
		least = d;
		nearest = *v;
	}
	return nearest;
}

void names_like(char *buf, size_t size, const char *begin)
{
	const struct verb *const *v;
	size_t len = 0;

	*buf = '\0';
	for (v = verbs; *v; v++) {
		if (!begins_with(*v, begin) || len >= size)
			continue;
		len += snprintf(buf + len, size - len, "%s%s", len ? ", " : "", (*v)->name);
	}
}

const struct verb *find_verb_among(int argc, char **argv)
{
	const struct verb *v = NULL;
	int i;

	for (i = 0; i < argc && !v; i++)
		v = find_verb(argv[i]);
	return v;
}

bool has_filter(const struct verb *v)
{
	return v->filter != FILTER_OF_NONE;
}
