// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/message.h"
#include "kernel/nat.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "kernel/procfs.h"
#include "lib/live.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/options.h"

#define FIND_EVERY	(3 * NSEC)	/* namespaces */

/* Where the parts of an answer go. */
struct sink {
	union {
		stats_fn stats;
		counter_fn counter;
		service_fn service;
		flow_fn flow;
		event_fn event;
	};
	void *arg;
	const struct netns *netns;	/* that answers */
	bool translated;		/* some of its flows are */
};

struct question {
	u8 cmd;
	struct kernel_filter filter;	/* all zero: any */
	netlink_fn part;
};

struct kernel {
	struct netlink *nl;			/* in the own namespace */
	bool all;				/* each namespace is asked: */
	const struct netns **place;
	size_t places;
	u64 found;				/* CLOCK_MONOTONIC, when */
	struct netlink *there;			/* in the one that is asked, for as long */
	/* What kernel_read() reads. */
	struct question question;
	struct sink sink;
	size_t at;				/* the place */
};

static bool one_alone;		/* kernel_in_each_netns() goes from one to the next */

/* ---- the namespaces ---- */

/* Whoever is asked at the moment. */
static struct netlink *whom_to_ask(const struct kernel *k)
{
	return k->there ? k->there : k->nl;
}

static void leave_place(struct kernel *k)
{
	netlink_close(k->there);
	k->there = NULL;
}

static void add_place(const struct stats *s, void *arg)
{
	struct kernel *k = arg;

	k->place = array_grow(k->place, k->places, sizeof(*k->place));
	k->place[k->places++] = s->netns;
}

static void note_unreachable(unsigned int n, const struct netns *one)
{
	static bool told;

	if (n && !told)
		note("%u network namespace%s out of reach, as %s: no process is in it, and no name leads to it",
		     n, n == 1 ? " is" : "s are", one->name);
	told |= n;
}

static int find_places(struct kernel *k)
{
	const struct netns *out = NULL;
	unsigned int unreachable = 0;
	size_t i, n = 0;
	int err;

	k->places = 0;
	k->found = clock_now();
	netns_scan();
	err = kernel_each_stats(k, add_place, k);
	for (i = 0; i < k->places; i++) {
		if (netns_is_there(k->place[i])) {
			k->place[n++] = k->place[i];
		} else {
			out = k->place[i];
			unreachable++;
		}
	}
	k->places = n;
	note_unreachable(unreachable, out);
	return err;
}

/* Return: -ENOENT if it has gone meanwhile */
static int go_to_place(struct kernel *k, size_t i)
{
	int err;

	leave_place(k);
	err = netns_enter(k->place[i]);
	if (err)
		return err;
	k->there = netlink_open(NULL, &err);
	netns_leave();
	k->sink.netns = k->place[i];
	return err == -ENOENT ? -ENODEV : err;
}

struct kernel *kernel_open(int *err)
{
	struct netlink *nl = netlink_open(NULL, err);
	struct kernel *k;

	if (!nl)
		return NULL;
	k = zalloc(sizeof(*k));
	k->nl = nl;
	k->all = opt.all_netns && !one_alone;
	if (k->all)
		*err = find_places(k);
	else
		k->sink.netns = netns_here();
	if (!*err)
		return k;
	kernel_close(k);
	return NULL;
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	leave_place(k);
	netlink_close(k->nl);
	free(k->place);
	free(k);
}

int kernel_fd(const struct kernel *k)
{
	return netlink_fd(whom_to_ask(k));
}

int kernel_fail(const struct kernel *k, int err)
{
	return netlink_fail(k ? whom_to_ask(k) : NULL, err);
}

/* ---- answers ---- */

static int pass_stats(const struct nlmsghdr *nlh, void *arg)
{
	struct sink *sink = arg;
	struct stats s;

	stats_parse(&s, nlh);
	sink->stats(&s, sink->arg);
	return 0;
}

static int pass_counter(const struct nlmsghdr *nlh, void *arg)
{
	struct sink *sink = arg;
	struct counter c;

	if (!counter_parse(&c, nlh))
		return 0;
	c.netns = sink->netns;
	sink->counter(&c, sink->arg);
	return 0;
}

static int pass_service(const struct nlmsghdr *nlh, void *arg)
{
	struct sink *sink = arg;
	struct service s;

	if (!service_parse(&s, nlh))
		return 0;
	s.netns = sink->netns;
	sink->service(&s, sink->arg);
	return 0;
}

static int pass_flow(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *nest = message_attr(nlh, TCPFSM_A_FLOW);
	struct sink *sink = arg;
	struct flow f;

	if (!nest)
		return 0;
	flow_parse(&f, nest);
	f.netns = sink->netns;
	if (sink->translated)
		nat_find(&f);
	sink->flow(&f, sink->arg);
	return 0;
}

static int pass_event(const struct nlmsghdr *nlh, void *arg)
{
	struct sink *sink = arg;
	struct event e;
	struct flow f;

	if (!log_parse(&f, &e, nlh))
		return 0;
	f.netns = sink->netns;
	e.netns = sink->netns;
	sink->event(&f, &e, sink->arg);
	return 0;
}

/* ---- questions ---- */

/* Where addresses are translated, those asked for may not be those that the module sees. */
static int begin_question(struct kernel *k)
{
	struct kernel_filter filter = k->question.filter;

	k->sink.translated = filter.wants_nat && nat_read(k->sink.netns);
	if (k->sink.translated)
		filter_drop_addresses(&filter);
	return netlink_request(whom_to_ask(k), k->question.cmd, true, &filter);
}

/* Goes on to the next place that is still there. Return: 1, or 0 if there is none */
static int begin_next(struct kernel *k)
{
	int err = -ENOENT;

	while (err == -ENOENT && k->at < k->places)
		err = go_to_place(k, k->at++);
	if (err == -ENOENT) {
		leave_place(k);
		return 0;
	}
	if (!err)
		err = begin_question(k);
	return err ? err : 1;
}

static int kernel_begin(struct kernel *k, u8 cmd, const struct kernel_filter *filter,
			netlink_fn part)
{
	int ret = 0;

	k->question = (struct question){ .cmd = cmd, .part = part };
	if (filter)
		k->question.filter = *filter;
	k->at = 0;
	if (!k->all)
		return begin_question(k);
	if (clock_now() - k->found > FIND_EVERY)
		ret = find_places(k);
	if (!ret)
		ret = begin_next(k);
	return ret < 0 ? ret : 0;
}

int kernel_read(struct kernel *k)
{
	int ret;

	if (k->all && !k->there)
		return 0;
	ret = netlink_read(whom_to_ask(k), k->question.part, &k->sink);
	return ret || !k->there ? ret : begin_next(k);
}

/* The rest of a question that has begun, unless that failed. */
static int read_answer(struct kernel *k, int err)
{
	if (err)
		return err;
	do {
		err = kernel_read(k);
	} while (err > 0);
	return err;
}

static void keep_stats(const struct stats *s, void *arg)
{
	*(struct stats *)arg = *s;
}

int kernel_own_stats(struct kernel *k, struct stats *s)
{
	struct sink sink = { .stats = keep_stats, .arg = s };
	int err = netlink_ask(k->nl, TCPFSM_CMD_STATS_GET, false, NULL, pass_stats, &sink);

	return err == -EPERM && !procfs_stats(s) ? 0 : err;
}

int kernel_each_stats(struct kernel *k, stats_fn fn, void *arg)
{
	struct sink sink = { .stats = fn, .arg = arg };
	struct stats own = { 0 };
	int err;

	if (k->all)
		return netlink_ask(k->nl, TCPFSM_CMD_STATS_GET, true, NULL, pass_stats, &sink);
	err = kernel_own_stats(k, &own);
	if (!err)
		fn(&own, arg);
	return err;
}

static void add_matrix(state_matrix to, const state_matrix m)
{
	unsigned int i, j;

	for (i = 0; i < TCPFSM_STATES; i++)
		for (j = 0; j < TCPFSM_STATES; j++)
			to[i][j] += m[i][j];
}

static void add_stats(const struct stats *s, void *arg)
{
	struct stats *sum = arg;
	unsigned int i, n;

	add_matrix(sum->pairs, s->pairs);
	add_matrix(sum->moves, s->moves);
	for (i = 0; i < TCPFSM_STATES; i++)
		for (n = 0; n < TCPFSM_DWELL_BUCKETS; n++)
			sum->dwell[i][n] += s->dwell[i][n];
}

int kernel_stats(struct kernel *k, struct stats *s)
{
	struct stats own = { 0 };
	int err = kernel_own_stats(k, &own);

	if (err || !k->all) {
		*s = own;
		return err;
	}
	*s = (struct stats){ .entries = own.entries, .limit = own.limit };
	return kernel_each_stats(k, add_stats, s);
}

int kernel_counters(struct kernel *k, counter_fn fn, void *arg)
{
	int err;

	k->sink.counter = fn;
	k->sink.arg = arg;
	err = read_answer(k, kernel_begin(k, TCPFSM_CMD_COUNTER_GET, NULL, pass_counter));
	return err == -EPERM && !k->all && !procfs_counters(fn, arg) ? 0 : err;
}

int kernel_begin_services(struct kernel *k, service_fn fn, void *arg)
{
	k->sink.service = fn;
	k->sink.arg = arg;
	return kernel_begin(k, TCPFSM_CMD_SERVICE_GET, NULL, pass_service);
}

int kernel_services(struct kernel *k, service_fn fn, void *arg)
{
	return read_answer(k, kernel_begin_services(k, fn, arg));
}

int kernel_begin_flows(struct kernel *k, const struct kernel_filter *filter, flow_fn fn, void *arg)
{
	k->sink.flow = fn;
	k->sink.arg = arg;
	return kernel_begin(k, TCPFSM_CMD_FLOW_GET, filter, pass_flow);
}

int kernel_flows(struct kernel *k, const struct kernel_filter *filter, flow_fn fn, void *arg)
{
	return read_answer(k, kernel_begin_flows(k, filter, fn, arg));
}

int kernel_flow(struct kernel *k, const struct tuple *tuple, flow_fn fn, void *arg)
{
	int err = -ENOENT;
	size_t i;

	k->sink.translated = false;
	k->sink.flow = fn;
	k->sink.arg = arg;
	if (!k->all)
		return netlink_ask_flow(k->nl, tuple, pass_flow, &k->sink);
	for (i = 0; i < k->places && err == -ENOENT; i++) {
		err = go_to_place(k, i);
		if (!err)
			err = netlink_ask_flow(k->there, tuple, pass_flow, &k->sink);
	}
	return err;
}

int kernel_log(struct kernel *k, event_fn fn, void *arg)
{
	k->sink.event = fn;
	k->sink.arg = arg;
	return read_answer(k, kernel_begin(k, TCPFSM_CMD_LOG_GET, NULL, pass_event));
}

/* ---- all at once ---- */

/* @optional: without a module, EXIT_NONE and not a word. */
static int open_and_ask(int (*ask)(struct kernel *k, void *arg), void *arg, bool optional)
{
	struct kernel *k;
	int err;

	k = kernel_open(&err);
	if (err == -ENOENT && optional)
		return EXIT_NONE;
	if (k)
		err = ask(k, arg);
	if (err)
		err = kernel_fail(k, err);
	kernel_close(k);
	return err;
}

int kernel_once(int (*ask)(struct kernel *k, void *arg), void *arg)
{
	return open_and_ask(ask, arg, false);
}

static int ask_stats(struct kernel *k, void *arg)
{
	const struct sink *sink = arg;

	return kernel_each_stats(k, sink->stats, sink->arg);
}

int kernel_stats_once(stats_fn fn, void *arg, bool optional)
{
	struct sink sink = { .stats = fn, .arg = arg };

	return open_and_ask(ask_stats, &sink, optional);
}

static int call_in(const struct netns *ns, int (*fn)(const struct netns *ns, void *arg), void *arg)
{
	int err = netns_enter(ns);

	if (err == -ENOENT)
		return EXIT_NONE;	/* it has gone meanwhile */
	if (err)
		return netns_fail(ns, err);
	err = fn(ns, arg);
	netns_leave();
	return err;
}

int kernel_in_each_netns(int (*fn)(const struct netns *ns, void *arg), void *arg)
{
	int err, status = EXIT_NONE;
	struct kernel *k;
	size_t i;

	if (!opt.all_netns)
		return fn(netns_here(), arg);
	k = kernel_open(&err);
	if (err == -ENOENT)
		return fn(netns_here(), arg);	/* it says what there is to say without a module */
	if (!k)
		return kernel_fail(NULL, err);
	one_alone = true;
	for (i = 0; i < k->places && status != EXIT_ERROR; i++) {
		err = call_in(k->place[i], fn, arg);
		status = err == EXIT_NONE ? status : err;
	}
	one_alone = false;
	kernel_close(k);
	return status;
}
