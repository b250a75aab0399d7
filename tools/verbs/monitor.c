// SPDX-License-Identifier: GPL-2.0
/* Verb monitor: transitions as they happen, or flows as they end. */
#include <stdio.h>
#include <string.h>

#include "capture/record.h"
#include "filter/filter.h"
#include "filter/pushdown.h"
#include "kernel/follow.h"
#include "lib/live.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/flow.h"
#include "verbs/verb.h"

struct monitor {
	struct follow follow;
	struct filter *filter;
	u64 printed;
	FILE *record;		/* or NULL */
};

static void count_printed(struct monitor *m)
{
	if (++m->printed == opt.count)
		m->follow.done = true;
}

static bool is_wanted(const struct monitor *m, const struct entry *entry, const struct event *e)
{
	struct flow f;

	if (!m->filter)
		return true;
	memset(&f, 0, sizeof(f));
	f.id = entry->id;
	f.tuple = entry->tuple;
	f.flags = entry->flags;
	f.start = entry->start;
	f.end[TCPFSM_ORIG].state = entry->state[TCPFSM_ORIG];
	f.end[TCPFSM_RESP].state = entry->state[TCPFSM_RESP];
	return filter_event(m->filter, &f, e);
}

static void show_event(const struct entry *entry, const struct event *e, void *arg)
{
	struct monitor *m = arg;

	if (!is_wanted(m, entry, e))
		return;
	event_print(e);
	if (m->record)
		record_event(m->record, e);
	count_printed(m);
}

static void show_end(const struct flow *f, void *arg)
{
	struct monitor *m = arg;

	if (!filter_flow(m->filter, f, clock_of_day()))
		return;
	if (out_is_text())
		flow_print_final(f);
	else
		flow_print(f);
	count_printed(m);
}

static void show_loss(const struct loss *l, void *arg)
{
	struct monitor *m = arg;

	loss_print(l);
	if (m->record)
		record_loss(m->record, l);
}

static int run_monitor(int argc, char **argv)
{
	struct monitor m = { .follow = { .on_lost = show_loss, .arg = &m } };
	int status;

	if (opt.record && opt.flows)
		return fail("monitor: --record keeps transitions: without --flows");
	if (!filter_parse(&m.filter, argc, argv) || (opt.flows && !filter_flows_only(m.filter)))
		return EXIT_ERROR;
	if (opt.record) {
		m.record = record_open(opt.record);
		if (!m.record) {
			filter_free(m.filter);
			return EXIT_ERROR;
		}
	}
	m.follow.wants_nat = opt.json || opt.record || filter_push_down(m.filter).wants_nat;
	if (opt.flows)
		m.follow.on_end = show_end;
	else
		m.follow.on_event = show_event;
	out_start(OUT_LINES);
	status = follow(&m.follow, "monitor");
	if (status == EXIT_FOUND && !m.printed && opt.for_ns)
		status = EXIT_NONE;
	if (m.record && !record_close(m.record, opt.record))
		status = EXIT_ERROR;
	filter_free(m.filter);
	return status;
}

static const struct verb_option option_record = {
	.id = OPTION_RECORD, .name = "record", .arg = "FILE",
	.help = "write what is printed to a file as well, for replay", .string = &opt.record,
};

const struct verb verb_monitor = {
	.name = "monitor", .args = "[FILTER]",
	.help = "transitions as they happen",
	.filter = FILTER_OF_EVENTS,
	.options = {
		&option_netns, &option_all_netns, &option_ipv4, &option_ipv6, &option_processes,
		&option_count, &option_for, &option_buffer, &option_quiet, &option_flows,
		&option_record,
	},
	.says = {
		{ OPTION_COUNT, "stop after N transitions, or flows" },
		{ OPTION_QUIET, "print no notes of progress" },
		{ OPTION_FLOWS, "print a line for each flow as it ends, instead of transitions" },
	},
	.run = run_monitor,
};
