// SPDX-License-Identifier: GPL-2.0
/* Verb flows: the flows that fulfil a filter, or those of a record that ended. */
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
#include "record/reader.h"
#include "show/flow.h"
#include "show/flow_column.h"
#include "verbs/verb.h"

struct flows {
	const struct filter *filter;
	u64 now;
	u64 entries;		/* in the table */
	u64 read, count;
	bool headed;
	bool ranked;		/* not printed before all are read */
	struct rank rank;
	struct rank_order order;
};

/* Prints it once, and not before an error. */
static void print_header(struct flows *s)
{
	if (!s->headed)
		flow_header();
	s->headed = true;
}

static void show_flow(struct flows *s, const struct flow *f)
{
	struct flow held;

	print_header(s);
	if (opt.processes) {
		held = *f;
		flow_add_holders(&held);
		f = &held;
	}
	flow_print(f);
}

static void take_flow_to_show(const struct flow *f, void *arg)
{
	struct flows *s = arg;

	progress(s->read++, s->entries, "flows");
	if (!filter_flow(s->filter, f, s->now))
		return;
	s->count++;
	if (s->ranked)
		rank_offer(&s->rank, f);
	else
		show_flow(s, f);
}

static void show_ranked(struct flows *s)
{
	size_t i;

	rank_sort(&s->rank, &s->order);
	for (i = 0; i < s->rank.n; i++)
		show_flow(s, rank_row(&s->rank, i));
	if (s->rank.n < s->count)
		note("and %llu more flows", (unsigned long long)(s->count - s->rank.n));
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
	filter.wants_nat |= opt.extended || opt.json || flow_column_is_shown("nat");
	err = kernel_flows(k, &filter, take_flow_to_show, s);
	progress_end();
	return err;
}

/* ---- of a record ---- */

static void take_recorded_end(const struct flow *f, void *arg)
{
	struct flows *s = arg;
	struct flow shown = *f;
	unsigned int end;

	if (!filter_flow(s->filter, f, f->ended))
		return;
	if (!s->headed)
		flow_ended_header();
	s->headed = true;
	s->count++;
	for (end = 0; end < TCPFSM_ENDS && !opt.processes; end++)
		shown.end[end].process = NULL;
	flow_print_ended(&shown);
}

static int read_flows(struct flows *s)
{
	struct record_reader reader = {
		.filter = s->filter,
		.on_end = take_recorded_end, .arg = s,
	};

	return record_read(&reader, opt.from);
}

/* Return: false, and said why */
static bool check_history(void)
{
	if (opt.from && !opt.ended)
		fail("flows: a record has flows that ended: --from goes with --ended");
	else if (opt.ended && !opt.from)
		fail("flows: --ended is of a record: it goes with --from PATH");
	else if (opt.from && (opt.sort || opt.top || opt.output))
		fail("flows: --sort, --top and --output are of flows that live: without --from");
	else
		return check_times("flows", false);
	return false;
}

/* ---- */

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

/* The rows, their order and their columns. Return: false, and said why */
static bool take_table(struct flows *s)
{
	if (opt.output && opt.json) {
		fail("flows: --output chooses columns of text; with --json a flow has all its members");
		return false;
	}
	if (opt.output && !flow_columns_choose(opt.output))
		return false;
	opt.processes |= flow_column_is_shown("process");
	s->ranked = opt.sort || opt.top;
	return !s->ranked || flow_columns_order(opt.sort ? opt.sort : "dwell", &s->order);
}

static int run_flows(int argc, char **argv)
{
	struct flows s = { 0 };
	struct filter *filter;
	int err;

	if (!check_history() || !take_table(&s))
		return EXIT_ERROR;
	if (!filter_parse(&filter, argc, argv) || !filter_flows_only(filter) ||
	    (!opt.from && !filter_of_living(filter)))
		return EXIT_ERROR;
	out_start(OUT_LINES);
	s.filter = filter;
	s.now = clock_of_day();
	rank_init(&s.rank, sizeof(struct flow), opt.top);
	rank_begin(&s.rank, &s.order);
	err = opt.from ? read_flows(&s) : kernel_once(ask_flows, &s);
	if (err == EXIT_FOUND && !opt.from) {
		if (s.ranked)
			show_ranked(&s);
		print_header(&s);
	}
	if (err == EXIT_FOUND && opt.explain)
		explain_flags();
	rank_free(&s.rank);
	filter_free(filter);
	return err ? err : s.count ? EXIT_FOUND : EXIT_NONE;
}

static const struct verb_option option_extended = {
	.id = OPTION_EXTENDED, .letter = 'e', .name = "extended",
	.help = "print a second line: history, sockets, start", .flag = &opt.extended,
};

static const struct verb_option option_output = {
	.id = OPTION_OUTPUT, .letter = 'o', .name = "output", .arg = "COLUMN,...",
	.help = "print these columns, as src,dst,pair,age,process; see tcpfsm(8)",
	.string = &opt.output, .complete = flow_columns_list,
};

static const struct verb_option option_ended = {
	.id = OPTION_ENDED, .name = "ended", .help = "flows that ended, of a record (--from)",
	.flag = &opt.ended,
};

const struct verb verb_flows = {
	.name = "flows", .args = "[FILTER]",
	.help = "flows now, one a line",
	.filter = FILTER_OF_FLOWS,
	.options = {
		&option_netns, &option_all_netns, &option_ipv4, &option_ipv6, &option_extended,
		&option_processes, &option_sort, &option_top, &option_output, &option_explain,
		&option_ended, &option_from, &option_since, &option_until,
	},
	.says = {
		{ OPTION_SORT,
		  "the largest first of dwell (default), idle, age, packets or bytes; see tcpfsm(8)",
		  flow_columns_list_orders },
	},
	.run = run_flows,
};
