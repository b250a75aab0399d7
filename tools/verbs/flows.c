// SPDX-License-Identifier: GPL-2.0
/* Verb flows: the flows that fulfil a filter. */
#include <stdlib.h>
#include <string.h>

#include "data/names.h"
#include "filter/filter.h"
#include "filter/pushdown.h"
#include "kernel/holder.h"
#include "kernel/kernel.h"
#include "lib/live.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/flow.h"
#include "verbs/verb.h"

struct flows {
	const struct filter *filter;
	u64 now;
	u64 entries;		/* in the table */
	u64 read, count;
	bool headed;
};

/* Prints it once, and not before an error. */
static void print_header(struct flows *s)
{
	if (!s->headed)
		flow_header();
	s->headed = true;
}

static void show_flow(const struct flow *f, void *arg)
{
	struct flows *s = arg;
	struct flow held;

	progress(s->read++, s->entries, "flows");
	if (!filter_flow(s->filter, f, s->now))
		return;
	s->count++;
	print_header(s);
	if (opt.processes) {
		held = *f;
		flow_add_holders(&held);
		f = &held;
	}
	flow_print(f);
}

static int ask_flows(struct kernel *k, void *arg)
{
	struct flows *s = arg;
	struct kernel_filter filter = filter_push_down(s->filter);
	struct stats stats = { 0 };
	int err;

	if (!s->filter && progress_wanted())
		kernel_stats(k, &stats);
	s->entries = stats.entries;
	filter.wants_nat |= opt.extended || opt.json;
	err = kernel_flows(k, &filter, show_flow, s);
	progress_end();
	return err;
}

/* In text only. */
static void explain_flags(void)
{
	unsigned int i;

	out_line();
	for (i = 0; flag_name(i); i++) {
		out_str(NULL, -14, flag_name(i));
		out_str(NULL, -1, flag_help(i));
		out_line();
	}
}

static int run_flows(int argc, char **argv)
{
	struct flows s = { 0 };
	struct filter *filter;
	int err;

	if (!filter_parse(&filter, argc, argv) || !filter_flows_only(filter) ||
	    !filter_of_living(filter))
		return EXIT_ERROR;
	out_start(OUT_LINES);
	s.filter = filter;
	s.now = clock_of_day();
	err = kernel_once(ask_flows, &s);
	if (err == EXIT_FOUND) {
		print_header(&s);
		if (opt.explain)
			explain_flags();
	}
	filter_free(filter);
	return err ? err : s.count ? EXIT_FOUND : EXIT_NONE;
}

static const struct verb_option option_extended = {
	.id = OPTION_EXTENDED, .letter = 'e', .name = "extended",
	.help = "print a second line: history, sockets, start", .flag = &opt.extended,
};

const struct verb verb_flows = {
	.name = "flows", .args = "[FILTER]",
	.help = "flows now, one a line",
	.filter = FILTER_OF_LIVING,
	.options = {
		&option_netns, &option_all_netns, &option_ipv4, &option_ipv6, &option_extended,
		&option_processes, &option_explain,
	},
	.run = run_flows,
};
