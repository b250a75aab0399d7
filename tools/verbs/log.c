// SPDX-License-Identifier: GPL-2.0
/* Verb log: the last transitions, which the module keeps. */
#include <stdlib.h>

#include "filter/filter.h"
#include "kernel/holder.h"
#include "kernel/kernel.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/flow.h"
#include "verbs/verb.h"

/* With --all-netns, each waits until those of the other namespaces are read. */
struct kept {
	struct event event;
	struct flow flow;
	size_t number;		/* in the order of reading */
};

struct log {
	const struct filter *filter;
	struct kept *kept;
	size_t nr_kept;
	const struct netns *netns;	/* whose log is being read */
	u64 *next;		/* number of the next transition of each ring, 0: not known */
	u32 rings;
	u64 printed;
};

/* Number of the next transition of this ring. */
static u64 *next_of(struct log *log, u32 ring)
{
	for (; log->rings <= ring; log->rings++) {
		log->next = array_grow(log->next, log->rings, sizeof(*log->next));
		log->next[log->rings] = 0;
	}
	return &log->next[ring];
}

static void keep_entry(struct log *log, const struct flow *f, const struct event *e)
{
	log->kept = array_grow(log->kept, log->nr_kept, sizeof(*log->kept));
	log->kept[log->nr_kept] = (struct kept){ *e, *f, log->nr_kept };
	log->nr_kept++;
}

/* The log does not say which ends are of this host: those that have a socket are. */
static void print_entry(const struct flow *f, const struct event *e)
{
	struct process process[TCPFSM_ENDS];
	struct event shown = *e;
	struct flow flow = *f;
	const struct process *p;
	unsigned int end;

	flow.flags |= TCPFSM_F_LOCAL_ORIG | TCPFSM_F_LOCAL_RESP;
	for (end = 0; end < TCPFSM_ENDS && opt.processes; end++) {
		p = holder_of(&flow, end);
		if (!p)
			continue;
		process[end] = *p;
		shown.process[end] = &process[end];
	}
	event_print(&shown);
}

static void show_entry(const struct flow *f, const struct event *e, void *arg)
{
	struct log *log = arg;
	struct loss loss = { .group = "log", .cpu = (int)e->ring - 1, .netns = e->netns };
	u64 *next;

	if (e->netns != log->netns)
		log->rings = 0;		/* another namespace has numbers of its own */
	log->netns = e->netns;
	next = next_of(log, e->ring);
	loss.first = *next;
	loss.count = e->seq - *next;
	if (*next && e->seq > *next)
		loss_print(&loss);
	*next = e->seq + 1;
	if (!filter_event(log->filter, f, e))
		return;
	log->printed++;
	if (opt.all_netns)
		keep_entry(log, f, e);
	else
		print_entry(f, e);
}

static int by_time(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->event.when != y->event.when)
		return x->event.when < y->event.when ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

static void show_kept(struct log *log)
{
	size_t i;

	if (log->nr_kept)
		qsort(log->kept, log->nr_kept, sizeof(*log->kept), by_time);
	for (i = 0; i < log->nr_kept; i++) {
		log->kept[i].event.tuple = &log->kept[i].flow.tuple;
		print_entry(&log->kept[i].flow, &log->kept[i].event);
	}
	free(log->kept);
}

static int ask_log(struct kernel *k, void *arg)
{
	return kernel_log(k, show_entry, arg);
}

static int run_log(int argc, char **argv)
{
	struct log log = { 0 };
	struct filter *filter;
	int err;

	if (!filter_parse(&filter, argc, argv))
		return EXIT_ERROR;
	log.filter = filter;
	out_start(OUT_LINES);
	err = kernel_once(ask_log, &log);
	show_kept(&log);
	filter_free(filter);
	free(log.next);
	if (err)
		return err;
	return log.printed ? EXIT_FOUND : EXIT_NONE;
}

const struct verb verb_log = {
	.name = "log", .args = "[FILTER]",
	.help = "the last transitions, oldest first",
	.filter = FILTER_OF_EVENTS,
	.options = {
		&option_netns, &option_all_netns, &option_ipv4, &option_ipv6, &option_processes,
	},
	.run = run_log,
};
