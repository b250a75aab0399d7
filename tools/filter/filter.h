/* SPDX-License-Identifier: GPL-2.0 */
/* Filter expressions, in the words of ss(8). tcpfsm(8) has the grammar. */
#ifndef FILTER_FILTER_H
#define FILTER_FILTER_H

#include "data/event.h"
#include "data/flow.h"
#include "data/service.h"

struct filter;

/*
 * Parses the words that are left on the command line; -4 and -6 count as terms, too. *@f is NULL
 * without a filter.
 * Return: false, and said why, if it is not well formed.
 */
bool filter_parse(struct filter **f, int argc, char **argv);
void filter_free(struct filter *f);

/* Does it hold for a flow? A NULL filter always does. @now: time of day, for the age */
bool filter_flow(const struct filter *f, const struct flow *flow, u64 now);

/*
 * Does it hold for a transition? The states of the end that moves are from and to, the other
 * end counts for pairs only. @flow: what is known of the flow, end[].state after the move.
 */
bool filter_event(const struct filter *f, const struct flow *flow, const struct event *e);

/* Return: false, and said so, if it asks for something that only transitions have. */
bool filter_flows_only(const struct filter *f);

/* Return: false, and said so, if it asks for something that only flows have that are over. */
bool filter_of_living(const struct filter *f);

/*
 * Does it hold for a service? Terms of either end are of its address and port. A NULL filter always
 * does, another never for the sum of the others.
 */
bool filter_service(const struct filter *f, const struct service *s);
/* Return: false, and said so, if it asks for something that services do not have. */
bool filter_of_services(const struct filter *f);

/* One end of a flow. */
struct filter_end {
	u8 family;
	u8 addr[16];		/* network order */
	u16 port;		/* host order */
};

/* Reads one address with a port, ADDR:PORT or [ADDR]:PORT. Return: false if the word is none. */
bool filter_read_end(const char *word, struct filter_end *end);

/* What a term asks for that an index can know. */
struct filter_key {
	enum { FILTER_KEY_ADDRESS, FILTER_KEY_PORT, FILTER_KEY_ID } kind;
	u8 family;
	const u8 *addr;			/* network order */
	u64 value;			/* a port, or the number of a flow */
};

/*
 * May it hold for any flow of a set? @has: whether a flow of the set may have this. Return: false
 * if it cannot.
 */
bool filter_may_hold(const struct filter *f,
		     bool (*has)(const struct filter_key *key, void *arg), void *arg);

/* Does it ask for states, or for one flow? */
bool filter_has_states(const struct filter *f);

/* For completion: the words that may begin a term, or one of a service. */
void filter_print_words(bool services);
/* The values that may follow one; @state: where it may be a state, too. False: it has no list. */
bool filter_print_values(const char *word, bool state);

#endif
