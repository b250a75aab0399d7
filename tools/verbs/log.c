// SPDX-License-Identifier: GPL-2.0
/* Verb log: the last transitions that the module keeps. */
#include "filter/filter.h"
#include "kernel/message.h"
#include "lib/out.h"

struct log {
	const struct filter *filter;
	u64 next;		/* number of the next transition, 0: not known */
	u64 printed;
};

static int on_entry(const struct nlmsghdr *nlh, void *arg)
{
	struct log *log = arg;
	struct flow f;
	struct event e;

	if (!log_parse(&f, &e, nlh))
		return 0;
	if (log->next && e.seq > log->next)
		lost_print(e.seq - log->next, "log", -1, log->next);
	log->next = e.seq + 1;
	if (!filter_event(log->filter, &f, &e))
		return 0;
	event_print(&e);
	log->printed++;
	return 0;
}

int verb_log(int argc, char **argv)
{
	struct log log = { 0 };
	struct filter *filter;
	int err;

	if (!filter_parse(&filter, argc, argv))
		return EXIT_ERROR;
	log.filter = filter;
	out_start(OUT_LINES);
	err = kernel_once(TCPFSM_CMD_LOG_GET, true, on_entry, &log);
	filter_free(filter);
	if (err)
		return err;
	return log.printed ? EXIT_FOUND : EXIT_NONE;
}
