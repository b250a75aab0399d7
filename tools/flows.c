// SPDX-License-Identifier: GPL-2.0
/* Verb flows: the flows that fulfil a filter. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "filter.h"
#include "names.h"
#include "out.h"
#include "parse.h"

#define TRIES	5

struct flows {
	const struct filter *filter;
	u64 now;
	u64 *printed;		/* ids */
	size_t count, room;
	size_t sorted;		/* so many of them, from dumps before this one */
	bool headed;
};

static int by_id(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* If the table is resized, the dump is made anew: print each flow only once. */
static bool printed_before(struct flows *s, u64 id)
{
	if (s->sorted && bsearch(&id, s->printed, s->sorted, sizeof(id), by_id))
		return true;
	if (s->count == s->room) {
		s->room = s->room ? s->room * 2 : 1024;
		s->printed = realloc(s->printed, s->room * sizeof(id));
		if (!s->printed)
			exit(fail("out of memory"));
	}
	s->printed[s->count++] = id;
	return false;
}

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
	flow_parse(&f, nest);
	if (!filter_flow(s->filter, &f, s->now) || printed_before(s, f.id))
		return 0;
	print_header(s);
	flow_print(&f);
	return 0;
}

static int dump(struct kernel *k, struct flows *s, const struct kernel_filter *kf)
{
	int tries, err = -EINTR;

	for (tries = 0; tries < TRIES && err == -EINTR; tries++) {
		s->sorted = s->count;
		if (s->sorted)
			qsort(s->printed, s->sorted, sizeof(*s->printed), by_id);
		err = kernel_ask(k, TCPFSM_CMD_FLOW_GET, true, kf, on_flow, s);
	}
	if (err == -EINTR) {
		note("the table was resized again and again: some flows may be missing");
		return 0;
	}
	return err;
}

static int ask(struct kernel *k, struct flows *s)
{
	struct kernel_filter kf;
	int err;

	filter_kernel(s->filter, &kf);
	if (!kf.id)
		return dump(k, s, &kf);
	kf = (struct kernel_filter){ .id = kf.id, .sport_max = 0xffff, .dport_max = 0xffff };
	err = kernel_ask(k, TCPFSM_CMD_FLOW_GET, false, &kf, on_flow, s);
	return err == -ENOENT ? 0 : err;
}

/* For people; in JSON, every flow that ended carries its sentence. */
static void explain_reasons(void)
{
	unsigned int i;

	out_line();
	for (i = 1; i < TCPFSM_REASONS; i++) {
		out_str(NULL, -10, reason_name(i));
		out_str(NULL, -1, reason_help(i));
		out_line();
	}
}

int verb_flows(int argc, char **argv)
{
	struct flows s = { 0 };
	struct filter *filter;
	struct timespec now;
	struct kernel *k;
	int err;

	if (!filter_parse(&filter, argc, argv))
		return EXIT_ERROR;
	out_start(OUT_LINES);
	k = kernel_open(&err);
	if (!k) {
		filter_free(filter);
		return kernel_fail(k, err);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	s.filter = filter;
	s.now = now.tv_sec * NSEC + now.tv_nsec;
	err = ask(k, &s);
	if (err) {
		err = kernel_fail(k, err);
	} else {
		print_header(&s);
		if (opt.explain)
			explain_reasons();
	}
	kernel_close(k);
	filter_free(filter);
	free(s.printed);
	return err ? err : s.count ? EXIT_FOUND : EXIT_NONE;
}
