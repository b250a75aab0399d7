/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of doctor share: what it has looked at, and what it has found. */
#ifndef VERBS_DOCTOR_DOCTOR_H
#define VERBS_DOCTOR_DOCTOR_H

#include "data/event.h"
#include "data/flow.h"
#include "data/service.h"
#include "data/stats.h"

/* How bad a finding is: the worst are told first. */
enum rank {
	RANK_NOTE,		/* worth knowing */
	RANK_WARNING,		/* something will break if it goes on */
	RANK_SERIOUS,		/* something is broken now */
};

struct finding {
	struct finding *next;
	enum rank rank;
	const struct netns *netns;
	const char *id;		/* the kind of finding, for programs */
	u64 weight;		/* within a rank, the heaviest are told first */
	char *what;		/* a sentence */
	char *evidence[4];
	unsigned int nr_evidence;
	char *look;		/* the command that tells more; or NULL */
	/* For programs; 0, NULL: that is not what it is about. */
	u64 count;		/* of connections */
	char *service;		/* ADDR:PORT */
	int pid;		/* of the process to blame */
	u64 oldest;		/* ns: for how long the oldest has been so */
	u64 flow;		/* the number of one of them */
};

/* A new finding; the sentence is a format of printf(). */
struct finding *finding(enum rank rank, const char *id, u64 weight, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Adds a line of evidence, as long as there is room. */
void evidence(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The flow behind a finding; @how: which of them it is. */
void evidence_flow(struct finding *f, const char *how, const struct flow *flow);
void look_with(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define FMT_TARGET	64
/* An endpoint as a word of a filter that a shell leaves alone; never a name. */
char *fmt_target_word(char *buf, u8 family, const u8 *addr, u16 port);

/* What doctor looks at: everything in one network namespace, which the process is in. */
struct patient {
	bool first;			/* what is the same in all is told of it alone */
	struct stats stats;
	struct flow *flow;		/* all of them */
	size_t flows;
	struct service *service;
	size_t services;
	struct event *event;		/* of the log; their tuples point into @tuple */
	struct tuple *tuple;
	size_t events;
	u64 now;			/* time of day */
};

/* From how many addresses the flows come that fit. */
void evidence_sources(struct finding *f, const struct patient *p,
		      bool (*fits)(const struct flow *f, const void *arg), const void *arg);

/* Reads the numbers in the first line of a file of /proc or /sys. Return: how many there are */
unsigned int numbers_in(const char *path, u64 *number, unsigned int most);
/* A counter of the module, by its name. */
u64 doctor_counter(const char *name);

/* The number in a file of /proc or /sys, or @otherwise if it cannot be read. */
u64 number_in(const char *path, u64 otherwise);

/* The ending of a noun: "s" unless there is one. */
const char *s_of(u64 n);

/* flows.c: what flows and sockets show */
void doctor_flows(const struct patient *p);
/* backed.c: does a socket wait, too, where a local end does? Whoever has none is remembered, */
bool wait_is_backed(const struct flow *f, unsigned int end);
/* and told of here, if that is still so. */
void doctor_backed(void);
/* resets.c: who resets connections, and who refuses them */
void doctor_resets(const struct patient *p);
/* conntrack.c: what nf_conntrack and flowtables make of them; it puts p->flow in another order */
void doctor_conntrack(const struct patient *p);
/* queues.c: accept queues and half-open connections, against their limits */
void doctor_queues(const struct patient *p);
/* host.c: the module's table and the installation */
void doctor_host(const struct patient *p);
/* explain.c: what each kind of finding is about */
void doctor_explain(void);
/* host.c: why there is no module to ask. Return: EXIT_ERROR */
int doctor_no_module(void);

#endif
