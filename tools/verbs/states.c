// SPDX-License-Identifier: GPL-2.0
/* Verb states: how many ends are in each state now, and how many ever entered it. */
#include <string.h>

#include "data/names.h"
#include "kernel/kernel.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/stats.h"
#include "verbs/verb.h"

static void print_object(const struct stats *s)
{
	out_object(OUT_ITEM);
	stats_print(s, NULL);
	out_end();
}

/* ---- all namespaces: one a line, how many ends are in each state ---- */

struct table {
	struct out_column columns[3 + STATES_LISTED + 1];
	bool headed;
};

static void set_columns(struct table *t)
{
	struct out_column *c = t->columns;
	const char *name;
	unsigned int i;

	*c++ = (struct out_column){ "netns", -16, NULL };
	*c++ = (struct out_column){ "inode", 10, NULL };
	*c++ = (struct out_column){ "entries", 9, NULL };
	for (i = 0; i < STATES_LISTED; i++) {
		name = state_name(state_order[i]);
		*c++ = (struct out_column){ name, (int)strlen(name), NULL };
	}
}

/* Prints it once, and not before an error. */
static void print_netns_header(struct table *t)
{
	if (!t->headed)
		out_header(t->columns);
	t->headed = true;
}

static void print_netns(const struct stats *s, void *arg)
{
	struct table *t = arg;
	unsigned int i;

	if (!out_is_text()) {
		print_object(s);
		return;
	}
	print_netns_header(t);
	out_row(t->columns);
	out_row_str(s->netns->name);
	out_row_num(s->netns->inode);
	out_row_num(s->entries);
	for (i = 0; i < STATES_LISTED; i++)
		out_row_num(stats_orig(s, state_order[i]) + stats_resp(s, state_order[i]));
	out_line();
}

static int print_all(void)
{
	struct table table = { 0 };
	int status;

	set_columns(&table);
	out_array(NULL);
	status = kernel_stats_once(print_netns, &table, false);
	if (status != EXIT_FOUND)
		return status;
	print_netns_header(&table);	/* no segment may have passed anywhere yet */
	out_end();
	return EXIT_FOUND;
}

/* ---- the network namespace that was asked for ---- */

static void print_one(const struct stats *s, void *arg)
{
	(void)arg;
	print_object(s);
}

static int run_states(int argc, char **argv)
{
	int status;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	if (opt.all_netns)
		return print_all();
	status = kernel_stats_once(print_one, NULL, opt.explain);
	if (status == EXIT_NONE) {
		/* What the words mean can be said without the module. */
		out_object(NULL);
		states_explain();
		out_end();
		note("the kernel module is not loaded: the states without their numbers");
		status = EXIT_FOUND;
	}
	return status;
}

const struct verb verb_states = {
	.name = "states", .args = "",
	.help = "states of both endpoints: how many now, how often entered",
	.options = { &option_netns, &option_all_netns, &option_explain },
	.run = run_states,
};
