// SPDX-License-Identifier: GPL-2.0
/* Verb log: the last transitions, which the module keeps, or those of a record. */
#include <stdio.h>
#include <stdlib.h>

#include "filter/filter.h"
#include "kernel/holder.h"
#include "kernel/kernel.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "lib/out.h"
#include "record/reader.h"
#include "show/flow.h"
#include "verbs/verb.h"

/*
 * With --all-netns, each waits until those of the other namespaces are read; with --last, until it
 * is known whether it is one of these.
 */
struct kept {
	struct event event;
	struct flow flow;	/* with the translation that the event has */
	struct process process[TCPFSM_ENDS];
	size_t number;		/* in the order of reading */
};

/* What was lost before the transition of that number. */
struct kept_loss {
	struct loss loss;
	char group[16];
	size_t number;
};

struct log {
	const struct filter *filter;
	struct kept *kept;
	size_t nr_kept, read;	/* of those read, not more than --last are kept of a record */
	struct kept_loss *lost;
	size_t nr_lost;
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

/* Those of the module come one namespace after the other, those of a record in order. */
static struct kept *get_kept(struct log *log)
{
	struct kept *k;

	if (opt.from && log->nr_kept == opt.last) {
		k = &log->kept[log->read % opt.last];
	} else {
		log->kept = array_grow(log->kept, log->nr_kept, sizeof(*log->kept));
		k = &log->kept[log->nr_kept++];
	}
	*k = (struct kept){ .number = log->read++ };
	return k;
}

static void keep_entry(struct log *log, const struct flow *f, const struct event *e)
{
	struct kept *k = get_kept(log);
	unsigned int i;

	k->event = *e;
	k->flow = *f;
	if (e->nat)
		k->flow.nat = *e->nat;
	for (i = 0; i < TCPFSM_ENDS; i++)
		if (e->process[i])
			k->process[i] = *e->process[i];
}

static void keep_loss(struct log *log, const struct loss *l)
{
	struct kept_loss *k;

	log->lost = array_grow(log->lost, log->nr_lost, sizeof(*log->lost));
	k = &log->lost[log->nr_lost++];
	*k = (struct kept_loss){ .loss = *l, .number = log->read };
	snprintf(k->group, sizeof(k->group), "%s", l->group);
}

/* The log does not say which ends are of this host: those that have a socket are. */
static void print_entry(const struct flow *f, const struct event *e)
{
	struct process process[TCPFSM_ENDS];
	struct event shown = *e;
	struct flow flow = *f;
	const struct process *p;
	unsigned int end;

	for (end = 0; end < TCPFSM_ENDS && !opt.processes; end++)
		shown.process[end] = NULL;
	flow.flags |= TCPFSM_F_LOCAL_ORIG | TCPFSM_F_LOCAL_RESP;
	for (end = 0; end < TCPFSM_ENDS && opt.processes && !opt.from; end++) {
		p = holder_of(&flow, end);
		if (!p)
			continue;
		process[end] = *p;
		shown.process[end] = &process[end];
	}
	event_print(&shown);
}

static bool is_wanted(const struct log *log, const struct flow *f, const struct event *e)
{
	return e->when >= opt.since && (!opt.until || e->when <= opt.until) &&
	       filter_event(log->filter, f, e);
}

/* What a record tells comes in the order of time. */
static void take_entry(struct log *log, const struct flow *f, const struct event *e)
{
	if (!is_wanted(log, f, e))
		return;
	log->printed++;
	if (opt.last || (opt.all_netns && !opt.from))
		keep_entry(log, f, e);
	else
		print_entry(f, e);
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
	take_entry(log, f, e);
}

/* Those of a record stand in their order. */
static int by_time(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (!opt.from && x->event.when != y->event.when)
		return x->event.when < y->event.when ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

static void show_one(struct kept *k)
{
	struct event *e = &k->event;
	unsigned int i;

	e->tuple = &k->flow.tuple;
	e->nat = k->flow.nat.known ? &k->flow.nat : NULL;
	for (i = 0; i < TCPFSM_ENDS; i++)
		e->process[i] = k->process[i].pid ? &k->process[i] : NULL;
	print_entry(&k->flow, e);
}

/* Those before the transition of this number, but for those before @first. Return: the next */
static size_t show_losses(struct log *log, size_t i, size_t first, size_t number)
{
	for (; i < log->nr_lost && log->lost[i].number <= number; i++) {
		log->lost[i].loss.group = log->lost[i].group;
		if (log->lost[i].number >= first)
			loss_print(&log->lost[i].loss);
	}
	return i;
}

static void show_kept(struct log *log)
{
	size_t i = opt.last && log->nr_kept > opt.last ? log->nr_kept - opt.last : 0, lost = 0;
	size_t first;

	if (log->nr_kept)
		qsort(log->kept, log->nr_kept, sizeof(*log->kept), by_time);
	first = i < log->nr_kept ? log->kept[i].number : 0;
	for (; i < log->nr_kept; i++) {
		lost = show_losses(log, lost, first, log->kept[i].number);
		show_one(&log->kept[i]);
	}
	show_losses(log, lost, first, ~(size_t)0);
	free(log->kept);
	free(log->lost);
}

/* ---- of a record ---- */

static void take_recorded(const struct flow *f, const struct event *e, void *arg)
{
	take_entry(arg, f, e);
}

static void take_recorded_loss(const struct loss *l, void *arg)
{
	if (opt.last)
		keep_loss(arg, l);
	else
		loss_print(l);
}

static int read_log(struct log *log)
{
	struct record_reader reader = {
		.filter = log->filter,
		.on_event = take_recorded, .on_lost = take_recorded_loss, .arg = log,
	};

	return record_read(&reader, opt.from);
}

/* ---- */

static int ask_log(struct kernel *k, void *arg)
{
	return kernel_log(k, show_entry, arg);
}

static int run_log(int argc, char **argv)
{
	struct log log = { 0 };
	struct filter *filter;
	int err;

	if (!check_times("log", true) || !filter_parse(&filter, argc, argv))
		return EXIT_ERROR;
	log.filter = filter;
	out_start(OUT_LINES);
	err = opt.from ? read_log(&log) : kernel_once(ask_log, &log);
	show_kept(&log);
	filter_free(filter);
	free(log.next);
	if (err)
		return err;
	return log.printed ? EXIT_FOUND : EXIT_NONE;
}

static bool take_last(const char *value)
{
	return take_number(value, ~0ULL, &opt.last, "number of transitions",
			   "--last takes 1 or more");
}

static const struct verb_option option_last = {
	.id = OPTION_LAST, .name = "last", .arg = "N", .help = "print the last N transitions",
	.take = take_last,
};

const struct verb verb_log = {
	.name = "log", .args = "[FILTER]",
	.help = "the last transitions, oldest first",
	.filter = FILTER_OF_EVENTS,
	.options = {
		&option_netns, &option_all_netns, &option_ipv4, &option_ipv6, &option_processes,
		&option_from, &option_since, &option_until, &option_last,
	},
	.run = run_log,
};
