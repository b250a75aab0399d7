/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writes a record. What is told is collected for a second; a thread of its own packs it, writes it
 * and has it on the disk before the next, so that a slow disk does not keep the caller from reading
 * what the kernel tells. What the disk does not take is lost, and the loss stands in the record.
 */
#ifndef RECORD_WRITER_H
#define RECORD_WRITER_H

#include "data/event.h"
#include "data/flow.h"

struct recorder;

struct recorder_words {
	const char *verb;	/* that says what goes wrong */
	const char *path;	/* a directory of files, or one file */
	bool is_file;
	u64 size;		/* of all files, bytes; 0: no limit */
	u64 keep;		/* how long, ns; 0: no limit */
};

/* The directory is made, if it is not there. Return: NULL, and said why */
struct recorder *recorder_open(const struct recorder_words *words);

/* @f: its states are those after the move; a transition of an unknown flow has no tuple. */
void recorder_event(struct recorder *r, const struct flow *f, const struct event *e);
void recorder_end(struct recorder *r, const struct flow *f);
void recorder_loss(struct recorder *r, const struct loss *l);
/* How far a counter has grown since this was last told. */
void recorder_counter(struct recorder *r, const struct netns *ns, const char *name, u64 growth);

/*
 * To be called a few times a second: says what has gone wrong. Return: what was collected is a
 * second old, so it is time for counters, and recorder_pass()
 */
bool recorder_tick(struct recorder *r);
/* Hands over what was collected. */
void recorder_pass(struct recorder *r);

/* Waits until all is on the disk. Return: false, and said why, if any of it is not */
bool recorder_close(struct recorder *r);

#endif
