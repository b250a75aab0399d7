/* SPDX-License-Identifier: GPL-2.0 */
/* What the user asked for on the command line. cli/ fills it in, everybody reads it. */
#ifndef LIB_OPTIONS_H
#define LIB_OPTIONS_H

#include "lib/base.h"

struct options {
	bool json;
	bool resolve;
	bool no_header;
	bool explain;
	bool extended;
	bool processes;
	bool all_netns;
	bool quiet;
	bool flows;
	bool counters;
	bool checksums;
	bool no_expire;
	int family;		/* AF_INET, AF_INET6 or AF_UNSPEC */
	const char *netns;
	u64 count;		/* 0: no limit */
	u64 top;		/* rows; 0: all */
	const char *sort;	/* a column; NULL: the verb's default */
	const char *output;	/* columns; NULL: the verb's default */
	const char *by;		/* keys to count by; NULL: do not count */
	const char *interface;	/* NULL: the default */
	u64 buffer;		/* bytes, 0: the default */
	u64 for_ns;		/* 0: no limit */
	u64 interval_ns;	/* 0: the verb's default, or none */
	const char *format;	/* NULL: the verb's default */
	bool graph;
	const char *listen;	/* NULL: the default */
	const char *record;	/* NULL: do not record */
	const char *from;	/* a record that is asked; NULL: the module is */
	u64 since, until;	/* ns since 1970; 0: no limit */
	u64 last;		/* transitions; 0: all */
	bool ended;
	u64 size;		/* bytes; 0: the default */
	u64 keep_ns;		/* 0: no limit */
	const char *spool;	/* NULL: the default */
	u64 spool_limit;	/* bytes, 0: the default */
	bool batch;
};

extern struct options opt;

#endif
