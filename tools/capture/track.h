/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The shell around the engine for captures, as the module is for the kernel: the flow table,
 * time-outs by the capture's own clock, and what each flow's path was.
 */
#ifndef CAPTURE_TRACK_H
#define CAPTURE_TRACK_H

#include "capture/copies.h"
#include "capture/packet.h"
#include "data/event.h"
#include "data/flow.h"
#include "lib/htab.h"
#include "lib/list.h"
#include "tcpfsm_names.h"

/* The engine's notes, and those of the module's counters that make sense for a capture. */
struct track_counters {
	u64 notes[TFSM_NOTES];
#define X(name, help) u64 name;
	TCPFSM_SHELL_LIST(X)
#undef X
};

struct track {
	/* Is told of each transition; f->end[] is as after it. */
	void (*on_event)(const struct flow *f, const struct event *e, void *arg);
	/* Is told of each flow that ends, unless it is kept; or NULL. */
	void (*on_end)(const struct flow *f, void *arg);
	void *arg;
	bool keep;		/* flows that ended, too, for track_each() */
	bool no_expire;

	u64 clock;		/* the latest time of a packet so far */
	u64 flows, transitions;
	u64 copies;		/* of segments captured just before, which were left out */
	struct track_counters counters;

	struct copies recent;
	struct htab table;	/* live flows by tuple */
	struct htab services;	/* addresses and ports that SYNs went to */
	struct list queue[TFSM_CLASSES];	/* of flows, by stamp */
	struct track_flow *all;		/* every flow, the latest first; only with keep */
};

/* Tracks a segment; @when: the time of day when it was captured. */
void track_segment(struct track *t, struct segment *s, u64 when);

/* An ICMP error that quotes it passed. */
void track_error(struct track *t, const struct segment *s, u64 when);

/* The time of day, while no packet comes: what is due by then ends or moves. */
void track_tick(struct track *t, u64 now);

/* Tells of every flow in the order of their start, with keep also of those that ended. */
void track_each(struct track *t, void (*fn)(const struct flow *f, void *arg), void *arg);

void track_free(struct track *t);

#endif
