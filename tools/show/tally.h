/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many flows there are of each kind: by their addresses, ports, states and what else a list of
 * keys names. Memory grows with the kinds, not with the flows.
 */
#ifndef SHOW_TALLY_H
#define SHOW_TALLY_H

#include "data/flow.h"
#include "lib/htab.h"
#include "show/tally_key.h"

#define TALLY_KEYS	6	/* in a list */
#define TALLY_SORT_HELP	"the largest first of flows (default), oldest, packets or bytes"

struct tally_part {
	const struct tally_key *key;
	unsigned int bits4, bits6;	/* of src and dst: what of an address counts */
};

struct tally {
	tally_process_fn process;	/* NULL: the flows are a capture's */

	struct tally_part part[TALLY_KEYS];
	unsigned int parts, size;
	bool of_ends;			/* ends are counted, not flows */
	bool of_netns;			/* it is one of the keys */
	enum tally_order { TALLY_FLOWS, TALLY_OLDEST, TALLY_PACKETS, TALLY_BYTES } order;
	u64 all;			/* flows, or ends */
	struct htab table;
};

/* @keys: words with commas between. @order: NULL: flows. Return: false, and said why. */
bool tally_init(struct tally *t, const char *keys, const char *order);
/* @now: the time of day */
void tally_add(struct tally *t, const struct flow *f, u64 now);
/* Prints the first @top groups; 0: all. */
void tally_print(struct tally *t, u64 top);
void tally_free(struct tally *t);

/* For completion: the orders, one a line. */
void tally_print_orders(void);

#endif
