/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The shell around the engine for captures, as the module is for the kernel: the flow table,
 * time-outs by the capture's own clock, and what each flow's path was.
 */
#ifndef CAPTURE_TRACK_H
#define CAPTURE_TRACK_H

#include "capture/packet.h"
#include "data/event.h"
#include "data/flow.h"
#include "lib/htab.h"
#include "lib/list.h"
#include "tcpfsm_names.h"

/* What is counted: the engine's notes and as many of the module's counters as make sense. */
struct track_counters {
	u64 notes[TFSM_NOTES];
#define X(name, help) u64 name;
	TCPFSM_SHELL_LIST(X)
#undef X
};

struct track {
	/* Told of each transition; f->end[] is as after it. */
	void (*on_event)(const struct flow *f, const struct event *e, void *arg);
	void *arg;
	bool keep;		/* ended flows, for track_flows() */
	bool no_expire;

	u64 clock;		/* the latest time in the capture so far */
	u64 flows, transitions;
	struct track_counters counters;

	struct htab table;	/* live flows by tuple */
	struct htab services;	/* address and port that SYNs went to */
	struct list queue[TFSM_CLASSES];	/* of flows, by stamp */
	struct track_flow *all;		/* if keep: every flow, latest first */
};

/* Track a segment captured at a time of day. */
void track_segment(struct track *t, struct segment *s, u64 when);

/* Every flow in order of start. Only with keep. */
void track_each(struct track *t, void (*fn)(const struct flow *f, void *arg), void *arg);

void track_free(struct track *t);

#endif
