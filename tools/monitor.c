// SPDX-License-Identifier: GPL-2.0
/*
 * Verb monitor: transitions as they happen.
 *
 * Subscribe, dump (for the tuples of flows that exist, and for where each CPU's numbers are),
 * follow; after a loss, dump again. The dump is read from a socket of its own in between, so
 * that events do not pile up meanwhile.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cache.h"
#include "filter.h"
#include "kernel.h"
#include "live.h"
#include "out.h"
#include "parse.h"
#include "record.h"
#include "seqs.h"

#define BATCHES		64		/* of events, before anything else has its turn */
#define LAST_EVENTS	30		/* ms; they leave the kernel within 10 */
#define DUMP_EVERY	NSEC
#define ASKS		20		/* for single flows, a second */

struct monitor {
	struct kernel *events, *dump, *query;
	struct filter *filter;
	struct cache cache;
	struct seqs seqs;
	u64 now;		/* CLOCK_MONOTONIC */
	u64 dumped;		/* when the last dump began */
	u64 known;		/* flows of the first dump */
	u64 asked_since;
	unsigned int asked;	/* for single flows, since then */
	u64 seq, printed;
	FILE *record;		/* or NULL */
	bool lost;		/* dump again */
	bool drained;		/* no event waits to be read */
	bool stopped;		/* by hand, or by time */
	bool done;		/* all that was asked for is printed */
};

static const char * const group_names[SEQS_GROUPS] = { "transition", "flow" };

/* ---- what is printed ---- */

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

static void show(struct entry *entry, struct event *e, void *arg)
{
	struct monitor *m = arg;

	e->seq = ++m->seq;
	e->tuple = entry->tuple.family ? &entry->tuple : NULL;
	if (opt.flows || m->done || !wanted(m, entry, e))
		return;
	event_print(e);
	if (m->record)
		record_event(m->record, e);
	if (++m->printed == opt.count)
		m->done = true;
}

/* The last that is told of a flow. */
static void show_end(const struct flow *f, struct monitor *m)
{
	if (m->done || !filter_flow(m->filter, f, clock_of_day()))
		return;
	if (out_is_text())
		flow_print_final(f);
	else
		flow_print(f);
	if (++m->printed == opt.count)
		m->done = true;
}

static void lose(enum seqs_group group, u32 cpu, u64 first, u64 count, void *arg)
{
	struct monitor *m = arg;

	if (group == SEQS_TRANSITION)
		m->seq += count;
	if (!m->done)
		lost_print(count, group_names[group], cpu, first);
	if (!m->done && m->record)
		record_lost(m->record, count, group_names[group], cpu, first);
	m->lost = true;
}

/* ---- messages ---- */

static int on_queried(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *nest = message_attr(nlh, TCPFSM_A_FLOW);

	if (nest)
		flow_parse(arg, nest);
	return 0;
}

static void ask(struct entry *entry, void *arg)
{
	struct kernel_filter kf = { .id = entry->id, .sport_max = 0xffff, .dport_max = 0xffff };
	struct monitor *m = arg;
	struct flow f = { 0 };

	/* The kernel walks its table for each; when many are missing, a dump is due anyway. */
	if (m->now - m->asked_since >= NSEC) {
		m->asked_since = m->now;
		m->asked = 0;
	}
	if (m->asked++ >= ASKS)
		return;
	if (!kernel_ask(m->query, TCPFSM_CMD_FLOW_GET, false, &kf, on_queried, &f) && f.id)
		cache_fill(&m->cache, entry, &f);
}

static void take_position(struct monitor *m, const struct nlattr *nest)
{
	const struct nlattr *tb[TCPFSM_POSITION_MAX + 1];
	u32 cpu;

	attr_nest(tb, TCPFSM_POSITION_MAX, nest);
	cpu = attr_u32(tb[TCPFSM_POSITION_CPU]);
	seqs_position(&m->seqs, SEQS_TRANSITION, cpu, attr_u64(tb[TCPFSM_POSITION_TRANSITION]),
		      m->now);
	seqs_position(&m->seqs, SEQS_FLOW, cpu, attr_u64(tb[TCPFSM_POSITION_FLOW]), m->now);
}

static int on_dump(const struct nlmsghdr *nlh, void *arg)
{
	struct monitor *m = arg;
	const struct nlattr *a;
	struct flow f;

	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(a)) {
		case TCPFSM_A_POSITION:
			take_position(m, a);
			break;
		case TCPFSM_A_FLOW:
			flow_parse(&f, a);
			cache_learn(&m->cache, &f, false);
			m->known++;
			break;
		}
	}
	return 0;
}

static void on_flow(struct monitor *m, const struct nlattr *nest)
{
	struct flow f;

	flow_parse(&f, nest);
	if (!f.reason) {
		cache_learn(&m->cache, &f, true);
		return;
	}
	cache_end(&m->cache, &f, m->now);
	if (opt.flows)
		show_end(&f, m);
}

/* A message holds many events; its number is that of the first. */
static int on_event(const struct nlmsghdr *nlh, void *arg)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct monitor *m = arg;
	enum seqs_group group;
	const struct nlattr *a;
	u32 cpu = 0, count = 0;
	u64 seq = 0, first, lost;
	struct event e = { 0 };

	if (genl->cmd == TCPFSM_CMD_TRANSITION_NTF)
		group = SEQS_TRANSITION;
	else if (genl->cmd == TCPFSM_CMD_FLOW_NTF)
		group = SEQS_FLOW;
	else
		return 0;
	mnl_attr_for_each(a, nlh, sizeof(*genl)) {
		switch (mnl_attr_get_type(a)) {
		case TCPFSM_A_CPU:
			cpu = attr_u32(a);
			break;
		case TCPFSM_A_SEQ:
			seq = attr_u64(a);
			break;
		case TCPFSM_A_COUNT:
			count = attr_u32(a);
			lost = seqs_take(&m->seqs, group, cpu, seq, count, &first);
			if (lost)
				lose(group, cpu, first, lost, m);
			break;
		case TCPFSM_A_TRANSITION:
			event_parse(&e, a);
			cache_transition(&m->cache, &e, m->now);
			break;
		case TCPFSM_A_FLOW:
			on_flow(m, a);
			break;
		}
		if (m->done)
			return -ECANCELED;
	}
	return 0;
}

/* ---- the loop ---- */

static int begin_dump(struct monitor *m)
{
	m->lost = false;
	m->dumped = m->now;
	cache_dump_begin(&m->cache);
	return kernel_request(m->dump, TCPFSM_CMD_FLOW_GET, true, NULL);
}

static void end_dump(struct monitor *m)
{
	cache_dump_end(&m->cache, m->now);
	if (!m->seqs.based && !opt.quiet)
		note("monitor: %llu flows so far; following", (unsigned long long)m->known);
	m->seqs.based = true;
}

static int read_dump(struct monitor *m)
{
	int ret = kernel_read(m->dump, on_dump, m);

	if (ret)
		return ret < 0 ? ret : 0;
	end_dump(m);
	return 0;
}

static int read_events(struct monitor *m)
{
	int i, ret = 0;

	for (i = 0; i < BATCHES && !m->done; i++) {
		m->now = clock_now();
		ret = kernel_events(m->events, on_event, m);
		m->drained = ret == -EAGAIN;
		if (m->done || m->drained) {
			return 0;
		} else if (ret == -ENOBUFS) {
			if (!m->lost)
				note("monitor: events came faster than they were read; reading all flows again");
			m->lost = true;
		} else if (ret < 0) {
			return ret;
		}
	}
	return 0;
}

/* Return: ms for poll() */
static int timeout(struct monitor *m, u64 until)
{
	u64 wait = cache_tick(&m->cache, m->now);

	if (m->drained)
		seqs_overdue(&m->seqs, m->now, lose, m);
	out_flush();
	if (m->lost || m->dumped + 2 * NSEC > m->now)
		wait = wait < NSEC / 5 ? wait : NSEC / 5;
	if (until && (until < m->now ? 0 : until - m->now) < wait)
		wait = until < m->now ? 0 : until - m->now;
	return wait == ~0ULL ? -1 : poll_ms(wait);
}

static int step(struct monitor *m, struct pollfd *fds, u64 until)
{
	int ret;

	m->now = clock_now();
	fds[1].fd = m->cache.dumping ? kernel_fd(m->dump) : -1;
	if (poll(fds, 3, timeout(m, until)) < 0)
		return errno == EINTR ? 0 : -errno;
	m->now = clock_now();
	m->stopped = fds[2].revents || (until && m->now >= until);
	m->drained = !fds[0].revents;
	ret = fds[0].revents ? read_events(m) : 0;
	if (!ret && fds[1].revents)
		ret = read_dump(m);
	if (!ret && m->lost && !m->cache.dumping && m->now - m->dumped >= DUMP_EVERY)
		ret = begin_dump(m);
	return ret;
}

static int follow(struct monitor *m, int signals)
{
	struct pollfd fds[] = {
		{ kernel_fd(m->events), POLLIN, 0 }, { -1, POLLIN, 0 }, { signals, POLLIN, 0 },
	};
	u64 until;
	int err;

	m->now = clock_now();
	until = opt.for_ns ? m->now + opt.for_ns : 0;
	err = kernel_join(m->events);
	if (!err)
		err = begin_dump(m);
	while (!err && !m->done && !m->stopped)
		err = step(m, fds, until);
	if (err || m->done)
		return err;
	/* What happened before it was stopped is still on its way. */
	poll(NULL, 0, LAST_EVENTS);
	do {
		err = read_events(m);
	} while (!err && !m->done && !m->drained);
	return err;
}

static int monitor(struct monitor *m)
{
	int err, status = EXIT_FOUND, signals;

	m->events = kernel_open(&err);
	if (m->events)
		m->dump = kernel_open(&err);
	if (m->dump)
		m->query = kernel_open(&err);
	if (!m->query)
		return kernel_fail(NULL, err);
	signals = catch_signals();
	err = follow(m, signals);
	if (err == -ENODEV)
		status = fail("monitor: the kernel module was unloaded");
	else if (err)
		status = kernel_fail(m->cache.dumping ? m->dump : m->events, err);
	if (signals >= 0)
		close(signals);
	return status;
}

int verb_monitor(int argc, char **argv)
{
	struct monitor m = { 0 };
	int status;

	if (!filter_parse(&m.filter, argc, argv) || (opt.flows && !filter_flows_only(m.filter)))
		return EXIT_ERROR;
	if (opt.record) {
		m.record = record_open(opt.record);
		if (!m.record) {
			filter_free(m.filter);
			return EXIT_ERROR;
		}
	}
	out_start(OUT_LINES);
	m.cache.show = show;
	m.cache.ask = ask;
	m.cache.arg = &m;
	status = monitor(&m);
	cache_free(&m.cache);
	if (status == EXIT_FOUND && !m.printed && opt.for_ns)
		status = EXIT_NONE;
	if (m.record && !record_close(m.record, opt.record))
		status = EXIT_ERROR;
	seqs_free(&m.seqs);
	kernel_close(m.events);
	kernel_close(m.dump);
	kernel_close(m.query);
	filter_free(m.filter);
	return status;
}
