/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the doctor share: what he has found, and what he has looked at. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "data/event.h"
#include "data/flow.h"
#include "data/service.h"
#include "data/stats.h"


/* How bad it is, for the order in which findings are told. */
enum rank {
	RANK_NOTE,		/* somebody should know */
	RANK_WARNING,		/* will break something if it goes on */
	RANK_SERIOUS,		/* breaks something now */
};

struct finding {
	struct finding *next;
	enum rank rank;
	const char *id;		/* for programs: what kind of finding it is */
	u64 weight;		/* among those of a rank, the heaviest first */
	char *what;		/* a sentence */
	char *evidence[4];
	unsigned int nr_evidence;
	char *look;		/* the command that tells more, or NULL */
};

/* A new finding; sentence and command as printf() takes them. Does not return without memory. */
struct finding *finding(enum rank rank, const char *id, u64 weight, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* One more line of evidence, as long as there is room. */
void evidence(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The flow behind a finding; @how: which of them it is. */
void evidence_flow(struct finding *f, const char *how, const struct flow *flow);
void look_with(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What he goes by. All of the network namespace that he was called in. */
struct patient {
	struct stats stats;
	struct flow *flow;		/* every one */
	size_t flows;
	struct service *service;
	size_t services;
	struct event *event;		/* of the log; tuple points into tuples */
	struct tuple *tuple;
	size_t events;
	u64 now;			/* time of day */
};

/* Numbers in the first line of a file of /proc or /sys. Return: how many */
unsigned int numbers_in(const char *path, u64 *number, unsigned int most);
/* What the module counted, by its name. */
u64 doctor_counter(const char *name);

/* The number in a file of /proc or /sys, or if that cannot be read. */
u64 number_in(const char *path, u64 otherwise);

/* The end of a noun of which there are so many. */
const char *s_of(u64 n);

/* flows.c: what flows and sockets show */
void doctor_flows(const struct patient *p);
/* conntrack.c: what nf_conntrack and flowtables make of them; it puts p->flow in another order */
void doctor_conntrack(const struct patient *p);
/* queues.c: accept queues and half-open connections, against their limits */
void doctor_queues(const struct patient *p);
/* host.c: the module's table and the installation */
void doctor_host(const struct patient *p);
/* host.c: why there is no module to ask. Return: EXIT_ERROR */
int doctor_no_module(void);

#endif
