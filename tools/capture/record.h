/* SPDX-License-Identifier: GPL-2.0 */
/* Transitions in a file, as monitor -j prints them: one object of JSON a line. */
#ifndef RECORD_H
#define RECORD_H

#include <stdio.h>

#include "data/flow.h"

/* Return: NULL, and said why. */
FILE *record_open(const char *path);
void record_event(FILE *file, const struct event *e);
void record_lost(FILE *file, u64 count, const char *group, int cpu, u64 first);
/* Return: false, and said why, if not all of it is on its way to the disk. */
bool record_close(FILE *file, const char *path);

struct record_reader {
	/* e->tuple is never NULL, but its family may be AF_UNSPEC. */
	void (*on_event)(const struct event *e, void *arg);
	void (*on_lost)(u64 count, const char *group, int cpu, u64 first, void *arg);
	void *arg;
};

/* Does a file begin as such a record? Nothing is taken from it. */
bool record_is(FILE *file);
/* Return: EXIT_FOUND, or EXIT_ERROR and said in which line. */
int record_read(FILE *file, const char *name, const struct record_reader *r);

#endif
