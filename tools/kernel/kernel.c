// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "kernel/kernel.h"
#include "kernel/message.h"
#include "kernel/netlink.h"
#include "lib/memory.h"

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
};

struct kernel {
	struct netlink *nl;
	/* What kernel_read() reads. */
	netlink_fn part;
	struct sink sink;
};

struct kernel *kernel_open(int *err)
{
	struct netlink *nl = netlink_open(err);
	struct kernel *k;

	if (!nl)
		return NULL;
	k = zalloc(sizeof(*k));
	k->nl = nl;
	return k;
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	netlink_close(k->nl);
	free(k);
}

int kernel_fd(const struct kernel *k)
{
	return netlink_fd(k->nl);
}

int kernel_fail(const struct kernel *k, int err)
{
	return netlink_fail(k ? k->nl : NULL, err);
}

static int take_stats(const struct nlmsghdr *nlh, void *arg)
{
	stats_parse(arg, nlh);
	return 0;
}

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

	if (counter_parse(&c, nlh))
		sink->counter(&c, sink->arg);
	return 0;
}

static int pass_service(const struct nlmsghdr *nlh, void *arg)
{
	struct sink *sink = arg;
	struct service s;

	if (service_parse(&s, nlh))
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
	sink->flow(&f, sink->arg);
	return 0;
}

static int pass_event(const struct nlmsghdr *nlh, void *arg)
{
	struct sink *sink = arg;
	struct event e;
	struct flow f;

	if (log_parse(&f, &e, nlh))
		sink->event(&f, &e, sink->arg);
	return 0;
}

int kernel_stats(struct kernel *k, struct stats *s)
{
	return netlink_ask(k->nl, TCPFSM_CMD_STATS_GET, false, NULL, take_stats, s);
}

int kernel_all_stats(struct kernel *k, stats_fn fn, void *arg)
{
	struct sink sink = { .stats = fn, .arg = arg };

	return netlink_ask(k->nl, TCPFSM_CMD_STATS_GET, true, NULL, pass_stats, &sink);
}

int kernel_counters(struct kernel *k, counter_fn fn, void *arg)
{
	struct sink sink = { .counter = fn, .arg = arg };

	return netlink_ask(k->nl, TCPFSM_CMD_COUNTER_GET, true, NULL, pass_counter, &sink);
}

int kernel_services(struct kernel *k, service_fn fn, void *arg)
{
	struct sink sink = { .service = fn, .arg = arg };

	return netlink_ask(k->nl, TCPFSM_CMD_SERVICE_GET, true, NULL, pass_service, &sink);
}

int kernel_flows(struct kernel *k, const struct kernel_filter *filter, flow_fn fn, void *arg)
{
	struct sink sink = { .flow = fn, .arg = arg };

	return netlink_ask(k->nl, TCPFSM_CMD_FLOW_GET, true, filter, pass_flow, &sink);
}

int kernel_flow(struct kernel *k, const struct tuple *tuple, flow_fn fn, void *arg)
{
	struct sink sink = { .flow = fn, .arg = arg };

	return netlink_ask_flow(k->nl, tuple, pass_flow, &sink);
}

int kernel_log(struct kernel *k, event_fn fn, void *arg)
{
	struct sink sink = { .event = fn, .arg = arg };

	return netlink_ask(k->nl, TCPFSM_CMD_LOG_GET, true, NULL, pass_event, &sink);
}

int kernel_begin_services(struct kernel *k, service_fn fn, void *arg)
{
	k->part = pass_service;
	k->sink = (struct sink){ .service = fn, .arg = arg };
	return netlink_request(k->nl, TCPFSM_CMD_SERVICE_GET, true, NULL);
}

int kernel_begin_flows(struct kernel *k, const struct kernel_filter *filter, flow_fn fn, void *arg)
{
	k->part = pass_flow;
	k->sink = (struct sink){ .flow = fn, .arg = arg };
	return netlink_request(k->nl, TCPFSM_CMD_FLOW_GET, true, filter);
}

int kernel_read(struct kernel *k)
{
	return netlink_read(k->nl, k->part, &k->sink);
}

int kernel_once(int (*ask)(struct kernel *k, void *arg), void *arg)
{
	struct kernel *k;
	int err;

	k = kernel_open(&err);
	if (k)
		err = ask(k, arg);
	if (err)
		err = kernel_fail(k, err);
	kernel_close(k);
	return err;
}

int kernel_stats_once(struct stats *s, bool optional)
{
	struct kernel *k;
	int err;

	k = kernel_open(&err);
	if (err == -ENOENT && optional)
		return EXIT_NONE;
	if (k)
		err = kernel_stats(k, s);
	if (err)
		err = kernel_fail(k, err);
	kernel_close(k);
	return err;
}
