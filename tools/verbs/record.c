// SPDX-License-Identifier: GPL-2.0
/* Verb record: what happens, onto the disk, as long as there is room for it. */
#include <stdlib.h>
#include <string.h>

#include "filter/filter.h"
#include "filter/pushdown.h"
#include "kernel/follow.h"
#include "kernel/kernel.h"
#include "lib/htab.h"
#include "lib/live.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/options.h"
#include "record/writer.h"
#include "verbs/verb.h"

#define DEFAULT_SIZE	(1ULL << 30)
#define SIZE_LEAST	(64ULL << 10)
#define COUNT_EVERY	(10 * NSEC)	/* counters: of many namespaces that takes a while */

/* A counter as it was when it was last recorded. */
struct counted {
	struct hnode node;
	u64 value;
	u32 netns;
	char name[];
};

struct record {
	struct follow follow;
	struct filter *filter;
	struct recorder *recorder;
	struct flow flow;		/* of the transition at hand */
	struct kernel *kernel;		/* for counters */
	struct htab counted;
	bool based;			/* what the counters began with is known */
	u64 counted_at;
};

/* ---- counters ---- */

static u64 hash_of_counter(const struct counter *c)
{
	return hash_bytes(c->netns ? c->netns->inode : 0, c->name, strlen(c->name));
}

static struct counted *find_counted(const struct record *r, const struct counter *c, u64 hash)
{
	u32 netns = c->netns ? c->netns->inode : 0;
	struct counted *have;
	struct hnode *n;

	for (n = htab_first(&r->counted, hash); n; n = htab_next(n)) {
		have = container_of(n, struct counted, node);
		if (have->netns == netns && !strcmp(have->name, c->name))
			return have;
	}
	return NULL;
}

static void take_counter(const struct counter *c, void *arg)
{
	struct record *r = arg;
	u64 hash = hash_of_counter(c), before;
	struct counted *have = find_counted(r, c, hash);

	if (!have) {
		have = zalloc(sizeof(*have) + strlen(c->name) + 1);
		have->netns = c->netns ? c->netns->inode : 0;
		strcpy(have->name, c->name);
		/* What a namespace that came later has counted, it has counted since. */
		have->value = r->based ? 0 : c->value;
		htab_add(&r->counted, &have->node, hash);
	}
	before = have->value;
	have->value = c->value;
	if (c->value > before)
		recorder_counter(r->recorder, c->netns, c->name, c->value - before);
}

/* Without an answer there are no counters this time. */
static void record_counters(struct record *r)
{
	kernel_counters(r->kernel, take_counter, r);
	r->based = true;
	r->counted_at = clock_now();
}

static bool free_counted(struct hnode *n, void *unused)
{
	(void)unused;
	free(container_of(n, struct counted, node));
	return true;
}

/* ---- what is followed ---- */

static void record_event(const struct entry *entry, const struct event *e, void *arg)
{
	struct record *r = arg;

	entry_as_flow(entry, e, &r->flow);
	if (filter_event(r->filter, &r->flow, e))
		recorder_event(r->recorder, &r->flow, e);
}

static void record_end(const struct flow *f, void *arg)
{
	struct record *r = arg;

	if (filter_flow(r->filter, f, f->ended))
		recorder_end(r->recorder, f);
}

static void record_loss(const struct loss *l, void *arg)
{
	struct record *r = arg;

	recorder_loss(r->recorder, l);
}

static void pass_block(void *arg)
{
	struct record *r = arg;

	if (!recorder_tick(r->recorder))
		return;
	if (!opt.all_netns || clock_now() - r->counted_at >= COUNT_EVERY)
		record_counters(r);
	recorder_pass(r->recorder);
}

static int follow_and_record(struct record *r)
{
	int err, status;
	bool whole;

	r->kernel = kernel_open(&err);
	if (!r->kernel)
		return kernel_fail(NULL, err);
	record_counters(r);
	status = follow(&r->follow, "record");
	record_counters(r);
	kernel_close(r->kernel);
	whole = recorder_close(r->recorder);
	r->recorder = NULL;
	return whole ? status : EXIT_ERROR;
}

static int run_record(int argc, char **argv)
{
	struct record r = {
		.follow = {
			.on_event = record_event, .on_end = record_end, .on_lost = record_loss,
			.on_tick = pass_block, .wants_nat = true, .arg = &r,
		},
	};
	struct recorder_words words = {
		.verb = "record", .size = opt.size ? opt.size : DEFAULT_SIZE, .keep = opt.keep_ns,
	};
	int status = EXIT_ERROR;

	if (argc < 1)
		return fail("record: where to? Give a directory, as in tcpfsm record /var/lib/tcpfsm");
	words.path = argv[0];
	if (!filter_parse(&r.filter, argc - 1, argv + 1))
		return EXIT_ERROR;
	r.recorder = recorder_open(&words);
	if (r.recorder)
		status = follow_and_record(&r);
	if (r.recorder)
		recorder_close(r.recorder);
	htab_sweep(&r.counted, free_counted, NULL);
	htab_free(&r.counted);
	filter_free(r.filter);
	return status;
}

static bool take_record_size(const char *value)
{
	if (!take_size(value, ~0ULL >> 1, &opt.size, "--size"))
		return false;
	if (opt.size >= SIZE_LEAST)
		return true;
	fail("'%s' is too small: --size takes 64K or more", value);
	return false;
}

static bool take_keep(const char *value)
{
	return take_time(value, &opt.keep_ns, "keep");
}

static const struct verb_option option_size = {
	.id = OPTION_SIZE, .name = "size", .arg = "BYTES",
	.help = "remove the oldest files above this size (default 1G)", .take = take_record_size,
};

static const struct verb_option option_keep = {
	.id = OPTION_KEEP, .name = "keep", .arg = "TIME",
	.help = "remove files that are older, as 24h or 7d (default: by size alone)",
	.take = take_keep,
};

const struct verb verb_record = {
	.name = "record", .args = "DIR [FILTER]",
	.help = "keep transitions and ended flows on disk, for --from",
	.filter = FILTER_OF_EVENTS,
	.prints_nothing = true,
	.options = {
		&option_netns, &option_all_netns, &option_ipv4, &option_ipv6, &option_processes,
		&option_for, &option_buffer, &option_quiet, &option_size, &option_keep,
	},
	.says = {
		{ OPTION_PROCESSES, "record the processes that have the sockets", NULL },
		{ OPTION_QUIET, "print no notes of progress", NULL },
	},
	.run = run_record,
};
