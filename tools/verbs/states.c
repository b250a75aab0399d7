// SPDX-License-Identifier: GPL-2.0
/* Verbs that print gauges and totals: states, pairs, transitions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/names.h"
#include "kernel/message.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "lib/out.h"
#include "show/tables.h"

static void print_netns(const struct stats *s)
{
	char name[256];

	out_num("netns", 0, s->netns);
	out_str("name", 0, netns_name(name, s->netns));
}

static void explain_state(unsigned int state)
{
	out_str("means", 0, state_help(state, STATE_MEANS));
	out_str("waits", 0, state_help(state, STATE_WAITS));
	out_str("many", 0, state_help(state, STATE_MANY));
	out_text("    %s\n    %s\n    %s\n", state_help(state, STATE_MEANS),
		 state_help(state, STATE_WAITS), state_help(state, STATE_MANY));
}

/* @s: NULL: the explanations alone */
static void print_states(const struct stats *s, const double *rate)
{
	const struct out_column columns[] = {
		{ "state", -12 }, { "orig", 10 }, { "resp", 10 }, { "entered", 12 },
		{ rate ? "entered/s" : NULL, 10 }, { NULL, 0 },
	};
	char text[FMT_SHORT];
	unsigned int i, state;

	if (s)
		out_header(columns);
	out_array("states");
	for (i = 0; i < STATES_LISTED; i++) {
		state = state_order[i];
		out_object(OUT_ITEM);
		out_str("state", -12, state_name(state));
		if (s) {
			out_num("orig", 10, stats_orig(s, state));
			out_num("resp", 10, stats_resp(s, state));
			out_num("entered", 12, stats_entered(s, state));
		}
		if (rate) {
			out_real("entered_per_second", rate[state]);
			out_str(NULL, 10, fmt_short(text, rate[state]));
		}
		out_line();
		if (opt.explain)
			explain_state(state);
		out_end();
	}
	out_end();
}

void stats_print(const struct stats *s, const double *rate)
{
	print_netns(s);
	out_num("entries", 0, s->entries);
	out_num("limit", 0, s->limit);
	print_states(s, rate);
}

static void print_states_object(const struct stats *s)
{
	out_object(OUT_ITEM);
	stats_print(s, NULL);
	out_end();
}

/* All namespaces as a table, one a line: how many ends are in each state. */
static void print_line(const struct stats *s)
{
	char name[256];
	unsigned int i;

	out_num("netns", -12, s->netns);
	out_str("name", -16, netns_name(name, s->netns));
	out_num("entries", 9, s->entries);
	for (i = 0; i < STATES_LISTED; i++)
		out_num(NULL, strlen(state_name(state_order[i])),
			stats_orig(s, state_order[i]) + stats_resp(s, state_order[i]));
	out_line();
}

static void print_line_header(void)
{
	struct out_column columns[STATES_LISTED + 4] = {
		{ "netns", -12 }, { "name", -16 }, { "entries", 9 },
	};
	unsigned int i;

	for (i = 0; i < STATES_LISTED; i++) {
		columns[3 + i].name = state_name(state_order[i]);
		columns[3 + i].width = strlen(columns[3 + i].name);
	}
	out_header(columns);
}

static int on_each(const struct nlmsghdr *nlh, void *arg)
{
	u64 *seen = arg;
	struct stats s;

	stats_parse(&s, nlh);
	if (!out_is_text()) {
		print_states_object(&s);
		return 0;
	}
	if (!(*seen)++)
		print_line_header();
	print_line(&s);
	return 0;
}

static int ask(bool dump, kernel_fn fn, void *arg)
{
	struct kernel *k = NULL;
	int err, status;

	k = kernel_open(&err);
	if (k)
		err = kernel_ask(k, TCPFSM_CMD_STATS_GET, dump, NULL, fn, arg);
	if (err == -ENOENT && !k && opt.explain && fn == stats_take)
		status = EXIT_NONE;	/* what the words mean needs no module */
	else
		status = err ? kernel_fail(k, err) : EXIT_FOUND;
	kernel_close(k);
	return status;
}

int verb_states(int argc, char **argv)
{
	struct stats s = { 0 };
	u64 seen = 0;
	int status;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	if (opt.all_netns) {
		out_array(NULL);
		status = ask(true, on_each, &seen);
		if (status == EXIT_ERROR)
			return status;
		if (!seen)
			print_line_header();	/* no segment has passed anywhere yet */
		out_end();
		return status;
	}
	status = ask(false, stats_take, &s);
	if (status == EXIT_FOUND) {
		print_states_object(&s);
	} else if (status == EXIT_NONE) {
		out_object(NULL);
		print_states(NULL, NULL);
		out_end();
		note("the kernel module is not loaded: the states without their numbers");
	}
	return status == EXIT_ERROR ? EXIT_ERROR : EXIT_FOUND;
}

/* The cells of a matrix that are not zero, largest first. */
struct cell {
	u8 i, j;
	u64 count;
};

static int by_count(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;

	return x->count < y->count ? 1 : x->count > y->count ? -1 :
	       x->i != y->i ? x->i - y->i : x->j - y->j;
}

static unsigned int cells(struct cell *cell, const state_matrix m)
{
	unsigned int n = 0, i, j;

	for (i = 0; i < TCPFSM_STATES; i++)
		for (j = 0; j < TCPFSM_STATES; j++)
			if (m[i][j])
				cell[n++] = (struct cell){ i, j, m[i][j] };
	qsort(cell, n, sizeof(*cell), by_count);
	return n;
}

static void print_cells(const char *key, const char *from, const char *to, const char *count,
			const state_matrix m)
{
	struct cell cell[TCPFSM_STATES * TCPFSM_STATES];
	const struct out_column columns[] = {
		{ from, -12 }, { to, -12 }, { count, 12 }, { NULL, 0 },
	};
	unsigned int n = cells(cell, m), i;

	out_header(columns);
	out_array(key);
	for (i = 0; i < n; i++) {
		out_object(OUT_ITEM);
		out_str(from, -12, state_name(cell[i].i));
		out_str(to, -12, state_name(cell[i].j));
		out_num(count, 12, cell[i].count);
		out_line();
		out_end();
	}
	out_end();
}

int verb_pairs(int argc, char **argv)
{
	struct stats s = { 0 };
	int status;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	status = ask(false, stats_take, &s);
	if (status == EXIT_ERROR)
		return status;
	out_object(NULL);
	print_netns(&s);
	print_cells("pairs", "orig", "resp", "flows", s.pairs);
	out_end();
	return EXIT_FOUND;
}

/* The counts are by states, not by causes; what the causes in events mean stands below. */
static void explain_causes(void)
{
	unsigned int i;

	out_object("causes");
	out_line();
	for (i = 1; i < TCPFSM_CAUSES; i++) {
		out_str(NULL, -14, cause_name(i));
		out_str(cause_name(i), -1, cause_help(i));
		out_line();
	}
	out_end();
}

int verb_transitions(int argc, char **argv)
{
	struct stats s = { 0 };
	int status;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	status = ask(false, stats_take, &s);
	if (status == EXIT_ERROR)
		return status;
	out_object(NULL);
	print_netns(&s);
	print_cells("transitions", "from", "to", "count", s.moves);
	if (opt.explain)
		explain_causes();
	out_end();
	return EXIT_FOUND;
}
