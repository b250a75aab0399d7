// SPDX-License-Identifier: GPL-2.0
/* The options that several verbs take. */
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>

#include "kernel/netns.h"
#include "lib/live.h"
#include "lib/message.h"
#include "lib/number.h"
#include "lib/options.h"
#include "lib/when.h"
#include "show/tally.h"
#include "verbs/verb.h"

bool take_number(const char *value, u64 max, u64 *v, const char *what, const char *takes)
{
	if (read_u64(value, 1, max, v))
		return true;
	fail("'%s' is not a valid %s: %s", value, what, takes);
	return false;
}

static bool take_ipv4(const char *value)
{
	(void)value;
	opt.family = AF_INET;
	return true;
}

static bool take_ipv6(const char *value)
{
	(void)value;
	opt.family = AF_INET6;
	return true;
}

static bool take_count(const char *value)
{
	return take_number(value, ~0ULL, &opt.count, "count", "--count takes 1 or more");
}

bool take_time(const char *value, u64 *ns, const char *option)
{
	if (read_span(value, ns) && *ns)
		return true;
	fail("'%s' is not a time: --%s takes one like 500ms, 10s or 2h", value, option);
	return false;
}

static bool take_for(const char *value)
{
	return take_time(value, &opt.for_ns, "for");
}

static bool take_interval(const char *value)
{
	return take_time(value, &opt.interval_ns, "interval");
}

static bool take_top(const char *value)
{
	return take_number(value, ~0ULL, &opt.top, "number of rows", "--top takes 1 or more");
}

bool take_size(const char *value, u64 max, u64 *v, const char *option)
{
	if (read_size(value, 1, max, v))
		return true;
	fail("'%s' is not a valid size: %s takes bytes, 1 to %llu, as 65536, 100M or 2G", value,
	     option, (unsigned long long)max);
	return false;
}

static bool take_buffer(const char *value)
{
	return take_size(value, INT_MAX, &opt.buffer, "--buffer");
}

static bool take_when(const char *value, bool comes, u64 *when, const char *option)
{
	if (read_when(value, clock_of_day(), comes, when))
		return true;
	fail("'%s' is not a time: --%s takes one like " WHEN_EXAMPLES, value, option);
	return false;
}

static bool take_since(const char *value)
{
	return take_when(value, false, &opt.since, "since");
}

static bool take_until(const char *value)
{
	return take_when(value, true, &opt.until, "until");
}

static void complete_format(void)
{
	puts("text\ndot\nsvg");
}

bool check_times(const char *verb, bool log)
{
	if (opt.until && opt.until < opt.since)
		fail("%s: --until is before --since", verb);
	else if (!log && !opt.from && (opt.since || opt.until))
		fail("%s: --%s is of a record: it goes with --from PATH", verb,
		     opt.since ? "since" : "until");
	else
		return true;
	return false;
}

const struct verb_option option_netns = {
	.id = OPTION_NETNS, .letter = 'N', .name = "netns", .arg = "NAME",
	.help = "look into a network namespace: name, container, path, process id or inode",
	.string = &opt.netns, .complete = netns_print,
};

const struct verb_option option_ipv4 = {
	.id = OPTION_IPV4, .letter = '4', .name = "ipv4", .help = "IPv4 only", .take = take_ipv4,
};

const struct verb_option option_ipv6 = {
	.id = OPTION_IPV6, .letter = '6', .name = "ipv6", .help = "IPv6 only", .take = take_ipv6,
};

const struct verb_option option_all_netns = {
	.id = OPTION_ALL_NETNS, .letter = 'A', .name = "all-netns",
	.help = "every network namespace, with its name (from the initial one)",
	.flag = &opt.all_netns,
};

const struct verb_option option_explain = {
	.id = OPTION_EXPLAIN, .name = "explain", .help = "say in a sentence what each word means",
	.flag = &opt.explain,
};

const struct verb_option option_processes = {
	.id = OPTION_PROCESSES, .letter = 'p', .name = "processes",
	.help = "show the processes that have the sockets", .flag = &opt.processes,
};

const struct verb_option option_count = {
	.id = OPTION_COUNT, .letter = 'c', .name = "count", .arg = "N",
	.help = "stop after N transitions, records (ipfix) or samples (top)", .take = take_count,
};

const struct verb_option option_for = {
	.id = OPTION_FOR, .name = "for", .arg = "TIME", .help = "stop after this time",
	.take = take_for,
};

const struct verb_option option_quiet = {
	.id = OPTION_QUIET, .letter = 'q', .name = "quiet",
	.help = "print no transitions (replay), no notes of progress (monitor)", .flag = &opt.quiet,
};

const struct verb_option option_flows = {
	.id = OPTION_FLOWS, .name = "flows",
	.help = "print a line for each flow: at the end (replay), as it ends (monitor); send flows only (ship)",
	.flag = &opt.flows,
};

const struct verb_option option_buffer = {
	.id = OPTION_BUFFER, .name = "buffer", .arg = "BYTES",
	.help = "size of the socket buffer (default 128 MiB)", .take = take_buffer,
};

const struct verb_option option_from = {
	.id = OPTION_FROM, .name = "from", .arg = "PATH",
	.help = "ask a record, a directory or a file, instead of the module", .string = &opt.from,
};

const struct verb_option option_since = {
	.id = OPTION_SINCE, .name = "since", .arg = "WHEN",
	.help = "leave out what happened before: 14:02, 2026-11-21T14:02, yesterday, 10m (ago)",
	.take = take_since,
};

const struct verb_option option_until = {
	.id = OPTION_UNTIL, .name = "until", .arg = "WHEN", .help = "leave out what happened after",
	.take = take_until,
};

const struct verb_option option_interval = {
	.id = OPTION_INTERVAL, .letter = 'i', .name = "interval", .arg = "TIME",
	.help = "time between samples (top, 1s) or deliveries (ship, 10s); measure rates over it (graph)",
	.take = take_interval,
};

const struct verb_option option_format = {
	.id = OPTION_FORMAT, .name = "format", .arg = "FORMAT",
	.help = "draw the figure as text (default), dot or svg", .string = &opt.format,
	.complete = complete_format,
};

const struct verb_option option_sort = {
	.id = OPTION_SORT, .name = "sort", .arg = "COLUMN",
	.help = "print the largest first of this column", .string = &opt.sort,
	.complete = tally_print_orders,
};

const struct verb_option option_top = {
	.id = OPTION_TOP, .name = "top", .arg = "N", .help = "print the first N rows",
	.take = take_top,
};
