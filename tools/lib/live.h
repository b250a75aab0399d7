/* SPDX-License-Identifier: GPL-2.0 */
/* Clocks, and the end of verbs that go on until somebody ends them. */
#ifndef LIB_LIVE_H
#define LIB_LIVE_H

#include <limits.h>

#include "lib/base.h"

/* CLOCK_MONOTONIC, ns */
u64 clock_now(void);
/* CLOCK_REALTIME, ns */
u64 clock_of_day(void);

/*
 * How long to wait before what took @cost is done again, so that it uses a twentieth of a processor
 * at most; @least: and no less than that.
 */
static inline u64 pause_after(u64 cost, u64 least)
{
	return 20 * cost > least ? 20 * cost : least;
}

/*
 * From now on, signals that end the program are read from the descriptor returned. If that is -1,
 * they are ignored.
 */
int catch_signals(void);

/* For poll(): ms until @ns have passed, or less if poll() cannot wait for so long. */
static inline int poll_ms(u64 ns)
{
	u64 ms = ns / NSEC_PER_MS + 1;

	return ms < INT_MAX ? (int)ms : INT_MAX;
}

#endif
