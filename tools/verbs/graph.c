// SPDX-License-Identifier: GPL-2.0
/* Verb graph: RFC 793's figure, with the ends that are in the states now, and moves. */
#include <stdio.h>
#include <time.h>

#include "kernel/kernel.h"
#include "lib/format.h"
#include "lib/live.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "record/reader.h"
#include "show/figure.h"
#include "verbs/verb.h"

static int ask_stats(struct kernel *k, void *arg)
{
	return kernel_stats(k, arg);
}

/* What moved within the interval, or since the module was loaded. */
static int measure_moves(struct figure *f, struct stats *now)
{
	struct timespec t = { opt.interval_ns / NSEC, opt.interval_ns % NSEC };
	struct stats before = { 0 };
	unsigned int i, j;
	int status;

	if (opt.interval_ns) {
		status = kernel_once(ask_stats, &before);
		if (status)
			return status;
		nanosleep(&t, NULL);
		f->seconds = (double)opt.interval_ns / NSEC;
	}
	status = kernel_once(ask_stats, now);
	for (i = 0; i < TCPFSM_STATES; i++) {
		f->orig[i] = stats_orig(now, i);
		f->resp[i] = stats_resp(now, i);
		for (j = 0; j < TCPFSM_STATES; j++)
			f->moves[i][j] = now->moves[i][j] - before.moves[i][j];
	}
	return status;
}

static void count_move(const struct flow *f, const struct event *e, void *arg)
{
	(void)f;
	figure_move(arg, e);
}

static int draw_record(void)
{
	char title[512], since[FMT_TIME], until[FMT_TIME];
	struct figure f = { .title = title };
	struct record_reader reader = {
		.on_event = count_move, .arg = &f,
	};
	int status;

	if (opt.all_netns)
		return fail("graph: --from draws all namespaces together, or with --netns one: without --all-netns");
	if (opt.interval_ns)
		return fail("graph: --interval measures the module: without --from");
	status = record_read(&reader, opt.from);
	if (status != EXIT_FOUND)
		return status;
	snprintf(title, sizeof(title), "%s%s%s%s%s", opt.from, opt.since ? ", from " : "",
		 opt.since ? fmt_time(since, opt.since, 0) : "", opt.until ? ", up to " : "",
		 opt.until ? fmt_time(until, opt.until, 0) : "");
	return figure_print(&f);
}

static int run_graph(int argc, char **argv)
{
	struct figure f = { 0 };
	struct stats now = { 0 };
	char title[128], date[FMT_TIME];
	int status;

	(void)argc;
	(void)argv;
	if (!figure_format_fits() || !check_times("graph", false))
		return EXIT_ERROR;
	out_start(OUT_DOCUMENT);
	if (opt.from)
		return draw_record();
	status = measure_moves(&f, &now);
	if (status)
		return status;
	snprintf(title, sizeof(title), "%llu flows, %s", (unsigned long long)now.entries,
		 fmt_time(date, clock_of_day(), 0));
	f.title = title;
	f.netns = now.netns;
	return figure_print(&f);
}

const struct verb verb_graph = {
	.name = "graph", .args = "",
	.help = "the figure of RFC 793, with the number of ends in each state and on each arc",
	.options = {
		&option_netns, &option_all_netns, &option_format, &option_interval, &option_from,
		&option_since, &option_until,
	},
	.says = {
		{ OPTION_INTERVAL, "count moves over this time, as rates" },
	},
	.run = run_graph,
};
