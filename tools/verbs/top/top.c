// SPDX-License-Identifier: GPL-2.0
/* Verb top: the states as they change, who waits, and since when; in plain text and JSON. */
#include <poll.h>
#include <unistd.h>

#include "kernel/holder.h"
#include "lib/format.h"
#include "lib/live.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/flow.h"
#include "show/service.h"
#include "show/stats.h"
#include "verbs/top/panel.h"
#include "verbs/top/screen.h"
#include "verbs/verb.h"

#define INTERVAL	NSEC
#define SHORTEST	(100 * NSEC_PER_MS)
#define BATCH_ROWS	10		/* of services, and of flows */

/* ---- a snapshot ---- */

static void print_title(const struct top *t)
{
	char time[FMT_TIME];

	out_str("ts", -20, fmt_time(time, clock_of_day(), out_is_text() ? 0 : 9));
	if (t->stats.netns)
		out_text(" netns %s", t->stats.netns->name);
	out_text(" table %llu of %llu", (unsigned long long)t->stats.entries,
		 (unsigned long long)t->stats.limit);
	out_line();
}

static void print_rates(const struct top *t)
{
	struct out_column columns[TOP_RATES + 2] = { { "per second:", -11, NULL } };
	char text[FMT_SHORT];
	unsigned int i;

	for (i = 0; i < TOP_RATES; i++)
		columns[i + 1] = (struct out_column){ top_rate_name(i), 8, NULL };
	out_header(columns);
	out_row(columns);
	out_row_str("");
	out_object("per_second");
	for (i = 0; i < TOP_RATES; i++) {
		out_real(top_rate_name(i), t->rate[i]);
		out_row_str(fmt_short(text, t->rate[i]));
	}
	out_end();
	out_line();
}

static unsigned int count_shown(const struct rank *list)
{
	return list->n < BATCH_ROWS ? list->n : BATCH_ROWS;
}

static void print_services(const struct rank *list)
{
	unsigned int i;

	out_array("services");
	if (list->n)
		service_header();
	for (i = 0; i < count_shown(list); i++)
		service_print(rank_row(list, i));
	out_end();
}

static void print_flows(const struct rank *list, u64 older)
{
	unsigned int i;

	out_num("flows_matched", 0, list->offered);
	out_array("flows");
	if (list->n)
		flow_header();
	for (i = 0; i < count_shown(list); i++) {
		struct flow f = *(const struct flow *)rank_row(list, i);

		f.idle += older;
		f.end[TCPFSM_ORIG].dwell += older;
		f.end[TCPFSM_RESP].dwell += older;
		if (opt.processes)
			flow_add_holders(&f);
		flow_print(&f);
	}
	out_end();
}

static void print_snapshot(const struct top *t)
{
	out_object(NULL);
	print_title(t);
	out_num("dump_age_ns", 0, top_since_dump(t));
	print_rates(t);
	out_line();
	stats_print(&t->stats, t->entered_rate);
	out_line();
	print_services(&t->list[TOP_SERVICES]);
	out_line();
	print_flows(&t->list[TOP_FLOWS], top_since_dump(t));
	out_line();
	out_end();
	out_flush();
}

/* ---- the loop ---- */

static int read_whole_dump(struct top *t)
{
	int err = top_dump_due(t) ? top_dump_begin(t) : 0;

	while (!err && top_dumping(t))
		err = top_dump_read(t);
	return err;
}

/* Return: false if a signal came, or time is up */
static bool wait_until(u64 when, u64 end, int signals)
{
	struct pollfd fd = { signals, POLLIN, 0 };
	u64 next = end && end < when ? end : when, now;

	while ((now = clock_now()) < next)
		if (poll(&fd, 1, poll_ms(next - now)) > 0)
			return false;
	return next == when;
}

/* The first sample is not printed: the rates of the second count from it. */
static int run_batch(struct top *t)
{
	u64 start = clock_now(), end = opt.for_ns ? start + opt.for_ns : 0, n = 0, when;
	int signals = catch_signals(), err;

	out_start(OUT_LINES);
	err = top_sample(t);
	for (when = start + opt.interval_ns; !err && wait_until(when, end, signals);) {
		err = top_sample(t);
		if (!err)
			err = read_whole_dump(t);
		if (err)
			break;
		print_snapshot(t);
		if (++n == opt.count)
			break;
		when += opt.interval_ns;
		if (when < clock_now())
			when = clock_now();
	}
	if (signals >= 0)
		close(signals);
	return err ? top_fail(t, err) : EXIT_FOUND;
}

static int run_top(int argc, char **argv)
{
	struct top t = { 0 };
	struct filter *filter;
	unsigned int i;
	int status;

	if (!opt.interval_ns)
		opt.interval_ns = INTERVAL;
	if (opt.interval_ns < SHORTEST)
		return fail("top: --interval takes 100ms or more");
	if (!filter_parse(&filter, argc, argv) || !filter_flows_only(filter))
		return EXIT_ERROR;
	status = top_open(&t);
	top_set_filter(&t, filter);
	for (i = 0; i < TOP_LISTS; i++)
		top_order_by(&t, i, 0, false);
	if (status == EXIT_FOUND)
		status = opt.batch || opt.json ? run_batch(&t) : top_screen(&t, argc, argv);
	top_close(&t);
	return status;
}

static const struct verb_option option_batch = {
	.id = OPTION_BATCH, .letter = 'b', .name = "batch",
	.help = "print plain text, one sample after the other", .flag = &opt.batch,
};

const struct verb verb_top = {
	.name = "top", .args = "[FILTER]",
	.help = "live: states and their rates, services, flows that are stuck",
	.filter = FILTER_OF_LIVING,
	.options = {
		&option_netns, &option_all_netns, &option_ipv4, &option_ipv6, &option_batch,
		&option_interval, &option_count, &option_for, &option_processes,
	},
	.says = {
		{ OPTION_INTERVAL, "time between samples (default 1s)", NULL },
		{ OPTION_COUNT, "stop after N samples", NULL },
	},
	.run = run_top,
};
