// SPDX-License-Identifier: GPL-2.0
/* Verb log: the last transitions, which the module keeps. */
#include "filter/filter.h"
#include "kernel/kernel.h"
#include "lib/out.h"
#include "show/flow.h"
#include "verbs/verb.h"

struct log {
	const struct filter *filter;
	u64 next;		/* number of the next transition, 0: not known */
	u64 printed;
};

static void show_entry(const struct flow *f, const struct event *e, void *arg)
{
	struct log *log = arg;
	const struct loss loss = { "log", e->seq - log->next, log->next, -1 };

	if (log->next && e->seq > log->next)
		loss_print(&loss);
	log->next = e->seq + 1;
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
	if (err)
		return err;
	return log.printed ? EXIT_FOUND : EXIT_NONE;
}

const struct verb verb_log = {
	.name = "log", .args = "[FILTER]",
	.help = "the last transitions, oldest first",
	.options = { &option_netns, &option_ipv4, &option_ipv6 },
	.run = run_log,
};
