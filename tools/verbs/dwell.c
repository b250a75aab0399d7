// SPDX-License-Identifier: GPL-2.0
/* Verb dwell: how long endpoints stayed in each state. */
#include <string.h>

#include "data/names.h"
#include "kernel/kernel.h"
#include "lib/format.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "record/reader.h"
#include "show/netns.h"
#include "show/stats.h"
#include "verbs/verb.h"

#define BAR	40

/* Bucket n holds spans of [2^n, 2^(n+1)) us; bucket 0 holds shorter ones, too. */
static u64 bucket_start(unsigned int n)
{
	return n ? (1ULL << n) * 1000 : 0;
}

static u64 bucket_end(unsigned int n)
{
	return (2ULL << n) * 1000;
}

/* The span than which @percent of all are shorter, if each bucket's are spread evenly. */
static u64 find_percentile(const u64 *bucket, u64 total, unsigned int percent)
{
	double want = total * (percent / 100.0), seen = 0;
	unsigned int n;

	for (n = 0; n < TCPFSM_DWELL_BUCKETS; n++) {
		u64 start = bucket_start(n), width = bucket_end(n) - start;

		if (bucket[n] && seen + bucket[n] >= want)
			return start + (u64)(width * ((want - seen) / bucket[n]));
		seen += bucket[n];
	}
	return 0;
}

static void print_buckets(const u64 *bucket)
{
	char from[FMT_SPAN], to[FMT_SPAN], bar[BAR + 1];
	unsigned int first = 0, last = TCPFSM_DWELL_BUCKETS, n;
	u64 most = 0;

	while (!bucket[first])
		first++;
	while (!bucket[last - 1])
		last--;
	for (n = first; n < last; n++)
		most = bucket[n] > most ? bucket[n] : most;
	out_array("buckets");
	for (n = first; n < last; n++) {
		unsigned int len = (double)bucket[n] / most * BAR;

		memset(bar, '@', len);
		memset(bar + len, ' ', BAR - len);
		bar[BAR] = '\0';
		out_text("  %8s .. %-8s", fmt_span(from, bucket_start(n)),
			 fmt_span(to, bucket_end(n)));
		out_object(OUT_ITEM);
		out_num("from_ns", 0, bucket_start(n));
		out_num("to_ns", 0, bucket_end(n));
		out_num("count", 10, bucket[n]);
		out_end();
		out_text(" |%s|", bar);
		out_line();
	}
	out_end();
}

static void print_dwell(const struct stats *s, unsigned int state)
{
	static const struct { unsigned int percent; const char *key, *label; } points[] = {
		{ 50, "p50_ns", "p50" }, { 90, "p90_ns", "p90" }, { 99, "p99_ns", "p99" },
	};
	const u64 *bucket = s->dwell[state];
	char text[FMT_SPAN];
	u64 total = 0, v;
	unsigned int n;

	for (n = 0; n < TCPFSM_DWELL_BUCKETS; n++)
		total += bucket[n];
	if (!total)
		return;
	out_object(OUT_ITEM);
	out_str("state", -12, state_name(state));
	out_str(NULL, -1, "count");
	out_num("count", -10, total);
	for (n = 0; n < ARRAY_SIZE(points); n++) {
		v = find_percentile(bucket, total, points[n].percent);
		out_num(points[n].key, 0, v);
		out_str(NULL, -1, points[n].label);
		out_str(NULL, -7, fmt_span(text, v));
	}
	out_line();
	print_buckets(bucket);
	out_end();
}

static void print_dwells(const struct stats *s, void *arg)
{
	unsigned int i;

	(void)arg;
	out_object(OUT_ITEM);
	out_netns(s->netns);
	if (opt.all_netns)
		out_text("netns %s\n", s->netns->name);
	out_array("dwell");
	for (i = 0; i < STATES_LISTED; i++)
		print_dwell(s, state_order[i]);
	out_end();
	out_end();
}

static unsigned int bucket_of(u64 ns)
{
	unsigned int n = 0;

	while (n + 1 < TCPFSM_DWELL_BUCKETS && ns >= bucket_end(n))
		n++;
	return n;
}

static void count_dwell(const struct flow *f, const struct event *e, void *arg)
{
	struct stats *s = arg;

	(void)f;
	s->dwell[e->from][bucket_of(e->dwell)]++;
}

/* Of all namespaces together, or of that of --netns. */
static int read_dwells(void)
{
	struct stats s = { 0 };
	struct record_reader reader = {
		.on_event = count_dwell, .arg = &s,
	};
	int status;

	if (opt.all_netns)
		return fail("dwell: --from counts all namespaces together, or with --netns one: without --all-netns");
	status = record_read(&reader, opt.from);
	if (status == EXIT_FOUND)
		print_dwells(&s, NULL);
	return status;
}

static int run_dwell(int argc, char **argv)
{
	int err;

	(void)argc;
	(void)argv;
	if (!check_times("dwell", false))
		return EXIT_ERROR;
	out_start(OUT_DOCUMENT);
	if (opt.all_netns)
		out_array(NULL);
	err = opt.from ? read_dwells() : kernel_stats_once(print_dwells, NULL, false);
	if (err)
		return err;
	out_end();
	if (opt.explain && out_is_text())
		states_explain();
	return EXIT_FOUND;
}

const struct verb verb_dwell = {
	.name = "dwell", .args = "",
	.help = "how long endpoints stayed in each state",
	.options = {
		&option_netns, &option_all_netns, &option_explain, &option_from, &option_since,
		&option_until,
	},
	.run = run_dwell,
};
