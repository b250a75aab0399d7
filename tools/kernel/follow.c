// SPDX-License-Identifier: GPL-2.0
/*
 * It subscribes, dumps (the dump tells the tuples of the flows that exist, and each CPU's position
 * in its numbers), and follows; after a loss it dumps again. The dump has a socket of its own and
 * is read between events, so that they do not pile up.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "kernel/attr.h"
#include "kernel/follow.h"
#include "kernel/message.h"
#include "kernel/netlink.h"
#include "kernel/seqs.h"
#include "lib/live.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"

#define BATCHES		64		/* of events, before anything else gets its turn */
#define LAST_EVENTS	30		/* ms; they leave the kernel within 10 */
#define DUMP_EVERY	NSEC
#define ASKS		20		/* for single flows, a second */
#define TICK		(NSEC / 5)
#define PATIENCE	(10 * NSEC)	/* the longest to read events without a pause */

struct follower {
	struct follow *f;
	const char *verb;
	struct netlink *events, *dump, *query;
	struct cache cache;
	struct seqs seqs;
	u64 now;		/* CLOCK_MONOTONIC */
	u64 settled;		/* every event sent before that is read */
	u64 dumped;		/* when the latest dump began */
	u64 known;		/* flows of the first dump */
	u64 asked_since;
	unsigned int asked;	/* how often for single flows, since then */
	u64 seq;
	bool lost;		/* another dump is needed */
	bool overrun;		/* the socket has ever lost events */
	bool drained;		/* no event waits in the socket */
	bool stopped;		/* by a signal, or by --for */
};

static const char * const group_names[SEQS_GROUPS] = { "transition", "flow" };

/* ---- what is told ---- */

static void tell_event(struct entry *entry, struct event *e, void *arg)
{
	struct follower *m = arg;

	e->seq = ++m->seq;
	e->tuple = entry->tuple.family ? &entry->tuple : NULL;
	if (!m->f->done && m->f->on_event)
		m->f->on_event(entry, e, m->f->arg);
}

static void tell_loss(enum seqs_group group, u32 cpu, u64 first, u64 count, void *arg)
{
	struct loss loss = { group_names[group], count, first, (int)cpu };
	struct follower *m = arg;

	if (group == SEQS_TRANSITION)
		m->seq += count;
	if (!m->f->done && m->f->on_lost)
		m->f->on_lost(&loss, m->f->arg);
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

static void ask_for_entry(struct entry *entry, void *arg)
{
	struct kernel_filter kf = { .id = entry->id };
	struct follower *m = arg;
	struct flow f = { 0 };

	/* Each question is a walk through the table; if many flows are missing, a dump is due. */
	if (m->now - m->asked_since >= NSEC) {
		m->asked_since = m->now;
		m->asked = 0;
	}
	if (m->asked++ >= ASKS)
		return;
	if (!netlink_ask(m->query, TCPFSM_CMD_FLOW_GET, true, &kf, on_queried, &f) && f.id)
		cache_fill(&m->cache, entry, &f);
}

/* Return: false if the position is impossible */
static bool take_position(struct follower *m, const struct nlattr *nest)
{
	const struct nlattr *tb[TCPFSM_POSITION_MAX + 1];
	u32 cpu;

	attr_nest(tb, TCPFSM_POSITION_MAX, nest);
	cpu = attr_u32(tb[TCPFSM_POSITION_CPU]);
	if (cpu >= SEQS_CPUS)
		return false;
	seqs_position(&m->seqs, SEQS_TRANSITION, cpu, attr_u64(tb[TCPFSM_POSITION_TRANSITION]),
		      m->now);
	seqs_position(&m->seqs, SEQS_FLOW, cpu, attr_u64(tb[TCPFSM_POSITION_FLOW]), m->now);
	return true;
}

static int on_dump(const struct nlmsghdr *nlh, void *arg)
{
	struct follower *m = arg;
	const struct nlattr *a;
	struct flow f;

	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(a)) {
		case TCPFSM_A_POSITION:
			if (!take_position(m, a))
				return -EPROTO;
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

static void on_flow(struct follower *m, const struct nlattr *nest)
{
	struct flow f;

	flow_parse(&f, nest);
	if (!f.reason) {
		cache_learn(&m->cache, &f, true);
		return;
	}
	cache_end(&m->cache, &f, m->now);
	if (!m->f->done && m->f->on_end)
		m->f->on_end(&f, m->f->arg);
}

/* A message holds many events; its number is the number of the first. */
static int on_event(const struct nlmsghdr *nlh, void *arg)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct follower *m = arg;
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
			if (cpu >= SEQS_CPUS)
				return -EPROTO;
			break;
		case TCPFSM_A_SEQ:
			seq = attr_u64(a);
			break;
		case TCPFSM_A_COUNT:
			count = attr_u32(a);
			lost = seqs_take(&m->seqs, group, cpu, seq, count, &first);
			if (lost)
				tell_loss(group, cpu, first, lost, m);
			break;
		case TCPFSM_A_TRANSITION:
			event_parse(&e, a);
			cache_transition(&m->cache, &e, m->now);
			break;
		case TCPFSM_A_FLOW:
			on_flow(m, a);
			break;
		}
		if (m->f->done)
			return -ECANCELED;
	}
	return 0;
}

/* ---- the loop ---- */

static int begin_dump(struct follower *m)
{
	m->lost = false;
	m->dumped = m->now;
	cache_dump_begin(&m->cache);
	return netlink_request(m->dump, TCPFSM_CMD_FLOW_GET, true, NULL);
}

static void end_dump(struct follower *m)
{
	cache_dump_end(&m->cache, m->now);
	if (!m->seqs.based && !opt.quiet)
		note("%s: %llu flows so far; following", m->verb,
		     (unsigned long long)m->known);
	m->seqs.based = true;
}

static int read_dump(struct follower *m)
{
	int ret = netlink_read(m->dump, on_dump, m);

	if (ret)
		return ret < 0 ? ret : 0;
	end_dump(m);
	return 0;
}

static int read_events(struct follower *m)
{
	int i, ret = 0;

	for (i = 0; i < BATCHES && !m->f->done; i++) {
		m->now = clock_now();
		ret = netlink_events(m->events, on_event, m);
		m->drained = ret == -EAGAIN;
		if (m->f->done || m->drained) {
			return 0;
		} else if (ret == -ENOBUFS) {
			if (!m->lost)
				note("%s: events came faster than they were read; reading all flows again",
				     m->verb);
			m->lost = true;
			m->overrun = true;
		} else if (ret < 0) {
			return ret;
		}
	}
	return 0;
}

/* Return: ms for poll() */
static int wait_time(struct follower *m, u64 until)
{
	u64 wait;

	/* An event that is waited for may stand behind those that are not read yet. */
	if (m->drained)
		m->settled = m->now;
	else if (m->settled + PATIENCE < m->now)
		m->settled = m->now - PATIENCE;
	wait = cache_tick(&m->cache, m->settled);
	if (m->drained)
		seqs_overdue(&m->seqs, m->now, tell_loss, m);
	out_flush();
	if (m->f->on_tick)
		m->f->on_tick(m->f->arg);
	if (m->f->on_tick || m->lost || m->dumped + 2 * NSEC > m->now)
		wait = wait < TICK ? wait : TICK;
	if (until && (until < m->now ? 0 : until - m->now) < wait)
		wait = until < m->now ? 0 : until - m->now;
	return wait == ~0ULL ? -1 : poll_ms(wait);
}

static int take_step(struct follower *m, struct pollfd *fds, u64 until)
{
	int ret;

	m->now = clock_now();
	fds[1].fd = m->cache.dumping ? netlink_fd(m->dump) : -1;
	if (poll(fds, 3, wait_time(m, until)) < 0)
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

/* Events from before the stop are still on their way. */
static int read_last(struct follower *m)
{
	int err;

	poll(NULL, 0, LAST_EVENTS);
	do {
		err = read_events(m);
	} while (!err && !m->f->done && !m->drained);
	return err;
}

/* No later event tells of the last losses. The positions at the head of a dump, of no flow, do. */
static int count_last(struct follower *m)
{
	struct kernel_filter none = { .id = 1ULL << 62 };
	int err = netlink_ask(m->query, TCPFSM_CMD_FLOW_GET, true, &none, on_dump, m);

	if (!err)
		err = read_last(m);
	if (!err)
		seqs_overdue(&m->seqs, ~0ULL, tell_loss, m);
	return err;
}

static int run_loop(struct follower *m, int signals)
{
	struct pollfd fds[] = {
		{ netlink_fd(m->events), POLLIN, 0 }, { -1, POLLIN, 0 }, { signals, POLLIN, 0 },
	};
	u64 until;
	int err;

	m->now = clock_now();
	until = opt.for_ns ? m->now + opt.for_ns : 0;
	err = netlink_join(m->events);
	if (!err)
		err = begin_dump(m);
	while (!err && !m->f->done && !m->stopped)
		err = take_step(m, fds, until);
	if (!err && !m->f->done)
		err = read_last(m);
	if (!err && !m->f->done && m->overrun)
		err = count_last(m);
	return err;
}

static int open_and_run(struct follower *m)
{
	int err, status = EXIT_FOUND, signals;

	m->events = netlink_open(&err);
	if (m->events)
		m->dump = netlink_open(&err);
	if (m->dump)
		m->query = netlink_open(&err);
	if (!m->query)
		return netlink_fail(NULL, err);
	signals = catch_signals();
	err = run_loop(m, signals);
	if (err == -ENODEV)
		status = fail("%s: the kernel module was unloaded", m->verb);
	else if (err)
		status = netlink_fail(m->cache.dumping ? m->dump : m->events, err);
	if (signals >= 0)
		close(signals);
	return status;
}

int follow(struct follow *f, const char *verb)
{
	struct follower m = { .f = f, .verb = verb,
			      .cache = { .show = tell_event, .ask = ask_for_entry, .arg = &m } };
	int status = open_and_run(&m);

	cache_free(&m.cache);
	seqs_free(&m.seqs);
	netlink_close(m.events);
	netlink_close(m.dump);
	netlink_close(m.query);
	return status;
}
