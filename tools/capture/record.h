/* SPDX-License-Identifier: GPL-2.0 */
/* Transitions in a file, as monitor --json prints them: one JSON object a line. */
#ifndef CAPTURE_RECORD_H
#define CAPTURE_RECORD_H

#include <stdio.h>

#include "data/event.h"

/* Return: NULL, and said why. */
FILE *record_open(const char *path);
void record_event(FILE *file, const struct event *e);
void record_loss(FILE *file, const struct loss *l);
/* Return: false, and said why, if some of it did not reach the file. */
bool record_close(FILE *file, const char *path);

struct record_reader {
	/* e->tuple is never NULL, but its family may be AF_UNSPEC. */
	void (*on_event)(const struct event *e, void *arg);
	void (*on_lost)(const struct loss *l, void *arg);
	void *arg;
};

/* Does a file begin as such a record? Nothing is read from it for good. */
bool record_is(FILE *file);
/* Return: EXIT_FOUND, or EXIT_ERROR and said in which line. */
int record_read(FILE *file, const char *name, const struct record_reader *r);

#endif
