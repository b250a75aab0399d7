// SPDX-License-Identifier: GPL-2.0
/* Verb monitor: transitions as they happen, or flows as they end. */
#include "filter/filter.h"
#include "filter/pushdown.h"
#include "kernel/follow.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "record/writer.h"
#include "show/flow.h"
#include "verbs/verb.h"

struct monitor {
	struct follow follow;
	struct filter *filter;
	u64 printed;
	struct recorder *recorder;	/* or NULL */
	struct flow flow;		/* of the transition at hand */
};

static void count_printed(struct monitor *m)
{
	if (++m->printed == opt.count)
		m->follow.done = true;
}

static void show_event(const struct entry *entry, const struct event *e, void *arg)
{
	struct monitor *m = arg;

	entry_as_flow(entry, e, &m->flow);
	if (!filter_event(m->filter, &m->flow, e))
		return;
	event_print(e);
	if (m->recorder)
		recorder_event(m->recorder, &m->flow, e);
	count_printed(m);
}

static void show_end(const struct flow *f, void *arg)
{
	struct monitor *m = arg;

	if (!filter_flow(m->filter, f, f->ended))
		return;
	if (!m->printed)
		flow_ended_header();
	flow_print_ended(f);
	if (m->recorder)
		recorder_end(m->recorder, f);
	count_printed(m);
}

static void show_loss(const struct loss *l, void *arg)
{
	struct monitor *m = arg;

	loss_print(l);
	if (m->recorder)
		recorder_loss(m->recorder, l);
}

static void pass_record(void *arg)
{
	struct monitor *m = arg;

	if (recorder_tick(m->recorder))
		recorder_pass(m->recorder);
}

static int run_monitor(int argc, char **argv)
{
	struct monitor m = { .follow = { .on_lost = show_loss, .arg = &m } };
	const struct recorder_words words = {
		.verb = "monitor", .path = opt.record, .is_file = true,
	};
	int status;

	if (!filter_parse(&m.filter, argc, argv) || (opt.flows && !filter_flows_only(m.filter)))
		return EXIT_ERROR;
	if (opt.record) {
		m.recorder = recorder_open(&words);
		if (!m.recorder) {
			filter_free(m.filter);
			return EXIT_ERROR;
		}
		m.follow.on_tick = pass_record;
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
	if (m.recorder && !recorder_close(m.recorder))
		status = EXIT_ERROR;
	filter_free(m.filter);
	return status;
}

static const struct verb_option option_record = {
	.id = OPTION_RECORD, .name = "record", .arg = "FILE",
	.help = "write what is printed to a file as well, for replay and --from",
	.string = &opt.record,
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
