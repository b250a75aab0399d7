// SPDX-License-Identifier: GPL-2.0
/* Verb monitor: transitions as they happen, or flows as they end. */
#include <string.h>

#include "capture/record.h"
#include "filter/filter.h"
#include "kernel/follow.h"
#include "lib/live.h"
#include "lib/out.h"

struct monitor {
	struct follow follow;
	struct filter *filter;
	u64 printed;
	FILE *record;		/* or NULL */
};

static void count(struct monitor *m)
{
	if (++m->printed == opt.count)
		m->follow.done = true;
}

static bool wanted(const struct monitor *m, const struct entry *entry, const struct event *e)
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

static void show(const struct entry *entry, const struct event *e, void *arg)
{
	struct monitor *m = arg;

	if (!wanted(m, entry, e))
		return;
	event_print(e);
	if (m->record)
		record_event(m->record, e);
	count(m);
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
	count(m);
}

static void show_lost(u64 count, const char *group, u32 cpu, u64 first, void *arg)
{
	struct monitor *m = arg;

	lost_print(count, group, cpu, first);
	if (m->record)
		record_lost(m->record, count, group, cpu, first);
}

int verb_monitor(int argc, char **argv)
{
	struct monitor m = { .follow = { .on_lost = show_lost, .arg = &m } };
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
	if (opt.flows)
		m.follow.on_end = show_end;
	else
		m.follow.on_event = show;
	out_start(OUT_LINES);
	status = follow(&m.follow, "monitor");
	if (status == EXIT_FOUND && !m.printed && opt.for_ns)
		status = EXIT_NONE;
	if (m.record && !record_close(m.record, opt.record))
		status = EXIT_ERROR;
	filter_free(m.filter);
	return status;
}
