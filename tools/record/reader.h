/* SPDX-License-Identifier: GPL-2.0 */
/* Reads a record: a directory of files, or one file. */
#ifndef RECORD_READER_H
#define RECORD_READER_H

#include <stdio.h>

#include "data/stats.h"
#include "filter/filter.h"

/*
 * What is asked for, and who is told of it, in the order of time: what --since, --until and --netns
 * leave. Functions may be NULL.
 */
struct record_reader {
	const char *name;		/* of the record, for messages */
	const struct filter *filter;	/* whole blocks without such flows are passed over */

	/*
	 * @f: number, tuple, namespace and translation are known, states are those after the move.
	 * Not filtered yet. It lasts no longer than the call, but for the namespace, which is the
	 * same pointer whenever it is told of, as long as the program.
	 */
	void (*on_event)(const struct flow *f, const struct event *e, void *arg);
	void (*on_end)(const struct flow *f, void *arg);
	void (*on_lost)(const struct loss *l, void *arg);
	void (*on_growth)(const struct counter *c, void *arg);	/* value is what it has grown */
	void *arg;
};

/* Does a file begin as one of a record? Nothing is read from it for good. */
bool record_is(FILE *file);

/* What is damaged is passed over, and said. Return: EXIT_FOUND, or EXIT_ERROR and said why */
int record_read_file(struct record_reader *r, FILE *file);
int record_read(struct record_reader *r, const char *path);

#endif
