// SPDX-License-Identifier: GPL-2.0
/* Verb count: how many flows there are of each kind. */
#include <stdio.h>

#include "filter/filter.h"
#include "kernel/holder.h"
#include "kernel/kernel.h"
#include "lib/live.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "record/reader.h"
#include "show/tally.h"
#include "verbs/verb.h"

struct count {
	const struct filter *filter;
	struct tally tally;
	u64 now, read;
};

static const char *name_process(const struct flow *f, unsigned int end)
{
	const struct process *p = opt.from ? f->end[end].process : holder_of(f, end);
	static char text[FMT_PROCESS];

	if (!p)
		return NULL;
	snprintf(text, sizeof(text), "%s(%d)", p->name, p->pid);
	return text;
}

static void take_flow_to_count(const struct flow *f, void *arg)
{
	struct count *c = arg;

	progress(c->read++, 0, "flows");
	if (filter_flow(c->filter, f, c->now))
		tally_add(&c->tally, f, c->now);
}

static int ask_and_count(struct kernel *k, void *arg)
{
	struct count *c = arg;
	const struct kernel_filter filter = filter_push_down(c->filter);
	int err = kernel_flows(k, &filter, take_flow_to_count, c);

	progress_end();
	return err;
}

static void count_recorded_end(const struct flow *f, void *arg)
{
	struct count *c = arg;

	if (filter_flow(c->filter, f, f->ended))
		tally_add(&c->tally, f, f->ended);
}

static int read_ends(struct count *c)
{
	struct record_reader reader = {
		.filter = c->filter,
		.on_end = count_recorded_end, .arg = c,
	};

	return record_read(&reader, opt.from);
}

static int run_count(int argc, char **argv)
{
	struct count c = { .tally = { .process = name_process } };
	struct filter *filter;
	int status;

	if (argc < 1)
		return fail("count: by what? Give keys, as in tcpfsm count dst,dport; see tcpfsm count --help");
	if (!check_times("count", false))
		return EXIT_ERROR;
	if (opt.from && opt.all_netns)
		return fail("count: --from counts all namespaces together, or with --netns one: without --all-netns; the key netns tells them apart");
	if (!tally_init(&c.tally, argv[0], opt.sort) || !filter_parse(&filter, argc - 1, argv + 1))
		return EXIT_ERROR;
	if (!filter_flows_only(filter) || (!opt.from && !filter_of_living(filter))) {
		filter_free(filter);
		return EXIT_ERROR;
	}
	out_start(OUT_LINES);
	c.filter = filter;
	c.now = clock_of_day();
	status = opt.from ? read_ends(&c) : kernel_once(ask_and_count, &c);
	if (status == EXIT_FOUND) {
		tally_print(&c.tally, opt.top);
		status = c.tally.all ? EXIT_FOUND : EXIT_NONE;
	}
	tally_free(&c.tally);
	filter_free(filter);
	return status;
}

const struct verb verb_count = {
	.name = "count", .args = "KEY[,KEY...] [FILTER]",
	.help = "flows by what they have in common, the most frequent first",
	.filter = FILTER_OF_FLOWS,
	.options = {
		&option_netns, &option_all_netns, &option_ipv4, &option_ipv6, &option_sort,
		&option_top, &option_from, &option_since, &option_until,
	},
	.says = {
		{ OPTION_SORT, TALLY_SORT_HELP, NULL },
	},
	.complete = tally_print_keys,
	.run = run_count,
};
