/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What `top` shows, however it shows it: samples of the counts, rates between them, their recent
 * past, and the first of the services and flows.
 *
 * A sample costs the same for ten flows or a million. The dump of services and flows does not:
 * it is filtered in the kernel, left out when the counts tell that nothing would come of it,
 * and taken rarely enough that it uses a twentieth of a processor at most.
 */
#ifndef VERBS_TOP_DATA_H
#define VERBS_TOP_DATA_H

#include "data/names.h"
#include "filter/filter.h"
#include "kernel/kernel.h"
#include "lib/rank.h"

#define TOP_PAST	60	/* samples */
#define TOP_ROWS	200	/* of a list */

enum top_list { TOP_STATES, TOP_SERVICES, TOP_FLOWS, TOP_LISTS };

/* Events a second; a narrow screen leaves the last ones out. */
enum top_rate {
	TOP_OPENED, TOP_RESET, TOP_REFUSED, TOP_TIMEOUT, TOP_EVICTED, TOP_FULL, TOP_FIN,
	TOP_SEGMENTS, TOP_RATES,
};

/* A row of TOP_STATES; those of the others are struct service and struct flow. */
struct top_state {
	u8 state;
	u64 orig, resp;		/* ends in it now */
	double rate;		/* entered a second */
};

struct top {
	struct kernel *counts, *dump;
	struct filter *filter;		/* NULL: flows that may be stuck */
	struct kernel_filter want;	/* the part of it that the kernel evaluates */
	struct rank_order order[TOP_LISTS];
	struct rank list[TOP_LISTS];	/* those shown */
	struct rank next[TOP_LISTS];	/* those being read */

	u64 sampled, begun;		/* CLOCK_MONOTONIC, as all below */
	u64 samples;
	struct stats stats;
	double entered_rate[TCPFSM_STATES];
	u64 counter[TOP_RATES];
	double rate[TOP_RATES];
	u64 past[TCPFSM_STATES][TOP_PAST];		/* ends in the state */
	double past_rate[TCPFSM_STATES][TOP_PAST];	/* entered a second */

	enum top_list reading;		/* what the dump is reading; TOP_STATES: there is no dump */
	bool stale;			/* the user waits for a dump */
	bool matched, matching;		/* the flows shown, those being read, passed it */
	u64 dump_began, dump_cost;
	u64 dumped;			/* when the dump shown began; 0: none */
};

/* Return: EXIT_FOUND, or EXIT_ERROR and said why. */
int top_open(struct top *t);
void top_close(struct top *t);

/* Takes over the filter that flows must pass from now on. */
void top_set_filter(struct top *t, struct filter *filter);
void top_set_order(struct top *t, enum top_list list, const struct rank_order *order);

/* Return: 0, or a negative errno for top_fail(); -ENODEV if the module went away. */
int top_sample(struct top *t);

/* For poll(): a dump begins when it is due, and is read while top_dumping(). */
bool top_dump_due(const struct top *t);
int top_dump_begin(struct top *t);
int top_dump_read(struct top *t);

int top_fd(const struct top *t);

static inline bool top_dumping(const struct top *t)
{
	return t->reading != TOP_STATES;
}

/* Return: EXIT_ERROR */
int top_fail(const struct top *t, int err);

const char *top_rate_name(enum top_rate rate);

/* Rates are known from the second sample on. */
static inline bool top_rated(const struct top *t)
{
	return t->samples > 1;
}

/* The end that holds a flow up: the one in CLOSE_WAIT, else the one stuck for longest. */
const struct flow_end *top_holder(const struct flow *f);
/* How much older the flows have become since they were read. */
u64 top_since_dump(const struct top *t);

#endif
