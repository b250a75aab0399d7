// SPDX-License-Identifier: GPL-2.0
/* Verb log: the last transitions, which the module keeps. */
#include <stdlib.h>

#include "filter/filter.h"
#include "kernel/kernel.h"
#include "lib/memory.h"
#include "lib/out.h"
#include "show/flow.h"
#include "verbs/verb.h"

struct log {
	const struct filter *filter;
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

static void show_entry(const struct flow *f, const struct event *e, void *arg)
{
	struct log *log = arg;
	u64 *next = next_of(log, e->ring);
	const struct loss loss = { "log", e->seq - *next, *next, (int)e->ring - 1 };

	if (*next && e->seq > *next)
		loss_print(&loss);
	*next = e->seq + 1;
	if (!filter_event(log->filter, f, e))
		return;
	event_print(e);
	log->printed++;
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
	.options = { &option_netns, &option_ipv4, &option_ipv6 },
	.run = run_log,
};
