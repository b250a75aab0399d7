// SPDX-License-Identifier: GPL-2.0
/* Verb states: how many ends are in each state now, and how many ever entered it. */
#include <string.h>

#include "data/names.h"
#include "kernel/kernel.h"
#include "kernel/netns.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/stats.h"
#include "verbs/verb.h"

static void print_object(const struct stats *s)
{
	char name[NETNS_NAME];

	out_object(OUT_ITEM);
	stats_print(s, netns_name(name, s->netns), NULL);
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

	*c++ = (struct out_column){ "netns", -12, NULL };
	*c++ = (struct out_column){ "name", -16, NULL };
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
	char name[NETNS_NAME];
	unsigned int i;

	if (!out_is_text()) {
		print_object(s);
		return;
	}
	print_netns_header(t);
	out_row(t->columns);
	out_row_num(s->netns);
	out_row_str(netns_name(name, s->netns));
	out_row_num(s->entries);
	for (i = 0; i < STATES_LISTED; i++)
		out_row_num(stats_orig(s, state_order[i]) + stats_resp(s, state_order[i]));
	out_line();
}

static int ask_all(struct kernel *k, void *arg)
{
	return kernel_all_stats(k, print_netns, arg);
}

static int print_all(void)
{
	struct table table = { 0 };
	int status;

	set_columns(&table);
	out_array(NULL);
	status = kernel_once(ask_all, &table);
	if (status != EXIT_FOUND)
		return status;
	print_netns_header(&table);	/* no segment may have passed anywhere yet */
	out_end();
	return EXIT_FOUND;
}

/* ---- the network namespace that was asked for ---- */

static int run_states(int argc, char **argv)
{
	struct stats s = { 0 };
	int status;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	if (opt.all_netns)
		return print_all();
	status = kernel_stats_once(&s, opt.explain);
	if (status == EXIT_FOUND) {
		print_object(&s);
	} else if (status == EXIT_NONE) {
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
