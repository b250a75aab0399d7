/* SPDX-License-Identifier: GPL-2.0 */
/* What flows, or their ends, can be counted by. */
#ifndef SHOW_TALLY_KEY_H
#define SHOW_TALLY_KEY_H

#include "data/flow.h"

#define FMT_PROCESS	40

/* Who has the socket of this end, in less than FMT_PROCESS bytes; NULL: nobody here. */
typedef const char *(*tally_process_fn)(const struct flow *f, unsigned int end);

/* What a key is taken of. */
struct tally_subject {
	const struct flow *flow;
	unsigned int end;
	unsigned int bits4, bits6;	/* of src and dst: what of an address counts */
	tally_process_fn process;
};

struct tally_key {
	const char *name;
	unsigned int size;
	bool number;			/* in JSON */
	bool of_end, has_bits;
	/* Bytes that are equal for what counts together; they are zero before. */
	void (*put)(u8 *to, const struct tally_subject *s);
	/* Return: NULL: there is none */
	const char *(*spell)(char *text, const u8 *from);
	const char *live;		/* what it tells that a capture does not; NULL: nothing */
};

/* Return: NULL: none is called so */
const struct tally_key *tally_find_key(const char *word, size_t len);

/* For completion: their names, one a line. */
void tally_print_keys(void);

#endif
