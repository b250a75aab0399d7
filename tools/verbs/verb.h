/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a verb declares of itself: its name, its arguments, its options. cli/ makes the parser, the
 * help, the completion and parts of the manual page from that.
 */
#ifndef VERBS_VERB_H
#define VERBS_VERB_H

#include "lib/base.h"

/* In the order in which help lists them. */
enum option_id {
	OPTION_JSON, OPTION_NUMERIC, OPTION_RESOLVE, OPTION_NO_HEADER, OPTION_NETNS, OPTION_IPV4,
	OPTION_IPV6, OPTION_ALL_NETNS, OPTION_EXTENDED, OPTION_PROCESSES, OPTION_SORT, OPTION_TOP,
	OPTION_OUTPUT, OPTION_BY, OPTION_EXPLAIN, OPTION_COUNT, OPTION_FOR, OPTION_BATCH,
	OPTION_BUFFER, OPTION_QUIET, OPTION_FLOWS, OPTION_ENDED, OPTION_COUNTERS, OPTION_FROM,
	OPTION_SINCE, OPTION_UNTIL, OPTION_LAST, OPTION_RECORD, OPTION_SIZE, OPTION_KEEP,
	OPTION_CHECKSUMS, OPTION_NO_EXPIRE, OPTION_INTERFACE, OPTION_INTERVAL, OPTION_GRAPH,
	OPTION_FORMAT, OPTION_LISTEN, OPTION_SPOOL, OPTION_SPOOL_LIMIT, OPTION_HELP,
	OPTION_VERSION, OPTIONS,
};

struct verb_option {
	enum option_id id;
	char letter;			/* or 0 */
	const char *name, *arg, *help;
	/* What it does: sets one of these, or */
	bool *flag;
	const char **string;
	/* takes its value. Return: false if the value is none, and said why */
	bool (*take)(const char *value);
	void (*complete)(void);		/* prints the values that there are; or NULL */
};

#define VERB_OPTIONS	17
#define VERB_SAYS	6

/* What a FILTER may ask for: each takes what those before it take. */
enum filter_of {
	FILTER_OF_NONE,
	FILTER_OF_SERVICES,		/* their address and port alone */
	FILTER_OF_LIVING,
	FILTER_OF_FLOWS,		/* why they ended, too */
	FILTER_OF_EVENTS,
};

struct verb {
	const char *name;
	const char *args;		/* "": it takes none */
	const char *help;
	enum filter_of filter;
	bool prints_nothing;		/* how it is printed, cannot be chosen */
	const struct verb_option *options[VERB_OPTIONS];	/* up to NULL */
	/* What an option of several verbs does to this one, instead of what the option says. */
	struct verb_says {
		enum option_id id;
		const char *help;
		void (*complete)(void);		/* or NULL */
	} says[VERB_SAYS];		/* up to help NULL */
	void (*complete)(void);		/* prints the values of the first argument; or NULL */
	int (*run)(int argc, char **argv);
};

/* Options of several verbs. */
extern const struct verb_option option_netns, option_ipv4, option_ipv6, option_all_netns,
	option_explain, option_count, option_for, option_quiet, option_flows, option_interval,
	option_format, option_sort, option_top, option_processes, option_buffer, option_from,
	option_since, option_until;

/* The number of an option's value, from 1 on. Return: false, and said that it is no @what */
bool take_number(const char *value, u64 max, u64 *v, const char *what, const char *takes);
/*
 * Do --since and --until go with what is asked? @log: the module knows the past, too. Return:
 * false, and said why
 */
bool check_times(const char *verb, bool log);
/* A span other than 0, as read_span() reads it. Return: the same */
bool take_time(const char *value, u64 *ns, const char *option);
/* Bytes, as read_size() reads them. Return: the same */
bool take_size(const char *value, u64 max, u64 *v, const char *option);

#endif
