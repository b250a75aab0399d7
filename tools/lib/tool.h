/* SPDX-License-Identifier: GPL-2.0 */
/* What all parts of the tool share: options, exit status, messages, the table of verbs. */
#ifndef TOOL_H
#define TOOL_H

#include "core/types.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define NSEC		1000000000ULL
#define NSEC_PER_MS	1000000ULL

/* As grep: something was found, nothing was, it went wrong. */
enum { EXIT_FOUND, EXIT_NONE, EXIT_ERROR };

struct options {
	bool json;
	bool resolve;
	bool no_header;
	bool explain;
	bool extended;
	bool all_netns;
	bool quiet;
	bool flows;
	bool counters;
	bool checksums;
	bool no_expire;
	int family;		/* AF_INET, AF_INET6 or AF_UNSPEC */
	const char *netns;
	u64 count;		/* 0: no limit */
	int buffer;		/* bytes, 0: the default */
	u64 for_ns;		/* 0: no limit */
	u64 interval_ns;	/* 0: the verb's default, or none */
	const char *format;	/* NULL: the verb's default */
	bool graph;
	const char *listen;	/* NULL: the default */
	const char *record;	/* NULL: do not */
	const char *spool;	/* NULL: the default */
	u64 spool_limit;	/* bytes, 0: the default */
	bool batch;
};

extern struct options opt;

/* A sentence on stderr, behind the tool's name. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* From now on notes go there; NULL: to stderr again. */
void note_to(void (*fn)(const char *text));
/* A note. Return: EXIT_ERROR */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * How far a long answer is, twice a second from the first second on; if stderr is a terminal, and
 * the data go elsewhere: progress_wanted(). @all: about so many, or 0. progress_end() removes it.
 */
bool progress_wanted(void);
void progress(u64 done, u64 all, const char *what);
void progress_end(void);
/* calloc() that does not return without memory */
void *zalloc(size_t size);
/* Room for one more behind the n elements of an array; NULL is one of none. Likewise. */
void *array_grow(void *array, size_t n, size_t size);

struct verb {
	const char *name;
	const char *args;
	const char *help;
	const char *options;	/* letters of its own options, see main.c */
	int (*run)(int argc, char **argv);
};

extern const struct verb verbs[];	/* ends with a name of NULL */

int verb_states(int argc, char **argv);
int verb_pairs(int argc, char **argv);
int verb_transitions(int argc, char **argv);
int verb_flows(int argc, char **argv);
int verb_services(int argc, char **argv);
int verb_counters(int argc, char **argv);
int verb_dwell(int argc, char **argv);
int verb_log(int argc, char **argv);
int verb_monitor(int argc, char **argv);
int verb_doctor(int argc, char **argv);
int verb_export(int argc, char **argv);
int verb_ship(int argc, char **argv);
int verb_ipfix(int argc, char **argv);
int verb_flow(int argc, char **argv);
int verb_top(int argc, char **argv);
int verb_graph(int argc, char **argv);
int verb_replay(int argc, char **argv);

/* main.c, for complete.c: the options of a verb, or of all if NULL */
void print_options(const char *verb);
/* The nth long option that only some verbs know, this one among them. NULL: it has no more */
const char *own_option(const struct verb *v, unsigned int n);
/* complete.c: candidates for the shell */
int complete(int argc, char **argv);
/* manual.c: a part of the manual page */
int manual(const char *part);

#endif
