// SPDX-License-Identifier: GPL-2.0
/* Verb flows: the flows that fulfil a filter. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/names.h"
#include "filter/filter.h"
#include "kernel/message.h"
#include "lib/live.h"
#include "lib/out.h"

struct flows {
	const struct filter *filter;
	u64 now;
	u64 entries;		/* in the table */
	u64 read, count;
	bool headed;
};

/* Once, and not before an error. */
static void print_header(struct flows *s)
{
	if (!s->headed)
		flow_header();
	s->headed = true;
}

static int on_flow(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *nest = message_attr(nlh, TCPFSM_A_FLOW);
	struct flows *s = arg;
	struct flow f;

	if (!nest)
		return 0;
	progress(s->read++, s->entries, "flows");
	flow_parse(&f, nest);
	if (!filter_flow(s->filter, &f, s->now))
		return 0;
	s->count++;
	print_header(s);
	flow_print(&f);
	return 0;
}

static int ask(struct kernel *k, struct flows *s)
{
	struct kernel_filter kf;
	struct stats stats = { 0 };
	int err;

	filter_kernel(s->filter, &kf);
	if (!kf.id) {
		if (!s->filter && progress_wanted())
			kernel_ask(k, TCPFSM_CMD_STATS_GET, false, NULL, stats_take, &stats);
		s->entries = stats.entries;
		err = kernel_ask(k, TCPFSM_CMD_FLOW_GET, true, &kf, on_flow, s);
		progress_end();
		return err;
	}
	kf = (struct kernel_filter){ .id = kf.id, .sport_max = 0xffff, .dport_max = 0xffff };
	err = kernel_ask(k, TCPFSM_CMD_FLOW_GET, false, &kf, on_flow, s);
	return err == -ENOENT ? 0 : err;
}

/* For people. */
static void explain_flags(void)
{
	unsigned int i;

	out_line();
	for (i = 0; flag_name(i); i++) {
		out_str(NULL, -14, flag_name(i));
		out_str(NULL, -1, flag_help(i));
		out_line();
	}
}

int verb_flows(int argc, char **argv)
{
	struct flows s = { 0 };
	struct filter *filter;
	struct kernel *k;
	int err;

	if (!filter_parse(&filter, argc, argv) || !filter_flows_only(filter) ||
	    !filter_of_living(filter))
		return EXIT_ERROR;
	out_start(OUT_LINES);
	k = kernel_open(&err);
	if (!k) {
		filter_free(filter);
		return kernel_fail(k, err);
	}
	s.filter = filter;
	s.now = clock_of_day();
	err = ask(k, &s);
	if (err) {
		err = kernel_fail(k, err);
	} else {
		print_header(&s);
		if (opt.explain)
			explain_flags();
	}
	kernel_close(k);
	filter_free(filter);
	return err ? err : s.count ? EXIT_FOUND : EXIT_NONE;
}
