// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "data/names.h"
#include "lib/format.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/netns.h"
#include "show/stats.h"

#define W_STATE	(-12)

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
		{ "state", W_STATE, "state" }, { "orig", 10, "orig" }, { "resp", 10, "resp" },
		{ "entered", 12, "entered" }, { rate ? "entered/s" : NULL, 10, NULL }, { 0 },
	};
	char text[FMT_SHORT];
	unsigned int i, state;

	if (s)
		out_header(columns);
	out_array("states");
	for (i = 0; i < STATES_LISTED; i++) {
		state = state_order[i];
		out_object(OUT_ITEM);
		out_row(columns);
		out_row_str(state_name(state));
		if (s) {
			out_row_num(stats_orig(s, state));
			out_row_num(stats_resp(s, state));
			out_row_num(stats_entered(s, state));
		}
		if (rate) {
			out_real("entered_per_second", rate[state]);
			out_row_str(fmt_short(text, rate[state]));
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
	out_netns(s->netns);
	if (s->netns)
		out_num("netns_inode", 0, s->netns->inode);
	out_num("entries", 0, s->entries);
	out_num("limit", 0, s->limit);
	print_states(s, rate);
}

void states_explain(void)
{
	print_states(NULL, NULL);
}

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

static unsigned int sort_cells(struct cell *cell, const state_matrix m)
{
	unsigned int n = 0, i, j;

	for (i = 0; i < TCPFSM_STATES; i++)
		for (j = 0; j < TCPFSM_STATES; j++)
			if (m[i][j])
				cell[n++] = (struct cell){ i, j, m[i][j] };
	qsort(cell, n, sizeof(*cell), by_count);
	return n;
}

void matrix_print(struct matrix *shape, const struct netns *ns, const state_matrix m)
{
	struct cell cell[TCPFSM_STATES * TCPFSM_STATES];
	const struct out_column columns[] = {
		NETNS_COLUMN, { shape->from, W_STATE, shape->from },
		{ shape->to, W_STATE, shape->to }, { shape->count, 12, shape->count }, { 0 },
	};
	unsigned int n = sort_cells(cell, m), i;

	if (!shape->headed)
		out_header(netns_columns(columns));
	shape->headed = true;
	out_netns(ns);
	out_array(shape->key);
	for (i = 0; i < n; i++) {
		out_object(OUT_ITEM);
		out_row(netns_columns(columns));
		out_row_netns(ns);
		out_row_str(state_name(cell[i].i));
		out_row_str(state_name(cell[i].j));
		out_row_num(cell[i].count);
		out_line();
		out_end();
	}
	out_end();
}
