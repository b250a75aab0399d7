// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tcpfsm_names.h"
#include "data/names.h"
#include "kernel/netns.h"
#include "kernel/procfs.h"
#include "lib/number.h"

#define PROC	"/proc/thread-self/net/tcpfsm/"

/* Calls @fn for each line of a file but the first, which is its header. */
static int each_line(const char *path, void (*fn)(char *line, void *arg), void *arg)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!f)
		return -errno;
	if (getline(&line, &size, f) > 0)
		while (getline(&line, &size, f) > 0)
			fn(line, arg);
	free(line);
	fclose(f);
	return 0;
}

/* Ends a line behind its first word. Return: the rest; NULL: there is none */
static const char *cut_word(char *line)
{
	char *end = strchr(line, ' ');

	if (!end)
		return NULL;
	*end = '\0';
	return end + 1;
}

/* A row of numbers behind the name of a state. */
struct rows {
	u64 *first;		/* the row of state 0 */
	unsigned int width;	/* from one row to the next */
	const u8 *place;	/* of each column; NULL: as they stand */
	unsigned int columns;
};

static void take_row(char *line, void *arg)
{
	const struct rows *r = arg;
	const char *at = cut_word(line);
	unsigned int state = at ? state_find(line) : 0, i;
	u64 *row = r->first + (size_t)state * r->width;

	for (i = 0; state && i < r->columns; i++)
		if (!scan_u64(&at, &row[r->place ? r->place[i] : i]))
			return;
}

static int read_matrix(const char *path, state_matrix m)
{
	const struct rows rows = { m[0], TCPFSM_STATES, state_order, STATES_LISTED };

	return each_line(path, take_row, (void *)&rows);
}

static int read_dwell(struct stats *s)
{
	const struct rows rows = { s->dwell[0], TCPFSM_DWELL_BUCKETS, NULL, TCPFSM_DWELL_BUCKETS };

	return each_line(PROC "dwell", take_row, (void *)&rows);
}

static void take_table(char *line, void *arg)
{
	struct stats *s = arg;
	const char *at = cut_word(line);
	u64 n;

	if (!at || !scan_u64(&at, &n))
		return;
	if (!strcmp(line, "table_entries"))
		s->entries = n;
	else if (!strcmp(line, "table_limit"))
		s->limit = n;
}

int procfs_stats(struct stats *s)
{
	int err;

	*s = (struct stats){ .netns = netns_here() };
	err = read_matrix(PROC "pairs", s->pairs);
	if (!err)
		err = read_matrix(PROC "transitions", s->moves);
	if (!err)
		err = read_dwell(s);
	return err ? err : each_line(PROC "counters", take_table, s);
}

/* ---- counters ---- */

static const struct {
	const char *name, *help;
} known[] = {
#define X(name, help)	{ #name, help },
	TCPFSM_NOTE_LIST(X)
	TCPFSM_SHELL_LIST(X)
#undef X
};

struct counter_sink {
	void (*fn)(const struct counter *c, void *arg);
	void *arg;
	const struct netns *netns;
};

/* The table's size is no counter. */
static void take_counter(char *line, void *arg)
{
	const struct counter_sink *sink = arg;
	const char *at = cut_word(line);
	struct counter c = { .netns = sink->netns };
	size_t i;

	if (!at || !scan_u64(&at, &c.value))
		return;
	if (!strcmp(line, "table_entries") || !strcmp(line, "table_limit"))
		return;
	c.name = line;
	for (i = 0; i < ARRAY_SIZE(known) && !c.help; i++)
		if (!strcmp(known[i].name, line))
			c.help = known[i].help;
	sink->fn(&c, sink->arg);
}

int procfs_counters(void (*fn)(const struct counter *c, void *arg), void *arg)
{
	const struct counter_sink sink = { fn, arg, netns_here() };

	return each_line(PROC "counters", take_counter, (void *)&sink);
}
