/* SPDX-License-Identifier: GPL-2.0 */
/* For verbs that go on until somebody ends them. */
#ifndef LIVE_H
#define LIVE_H

#include <limits.h>

#include "lib/tool.h"

/* CLOCK_MONOTONIC, ns */
u64 clock_now(void);
/* CLOCK_REALTIME, ns */
u64 clock_of_day(void);

/*
 * From now on, signals that end the program are read from the descriptor returned.
 * It may be -1: then they are ignored.
 */
int catch_signals(void);

/* For poll(): when so long has passed, or, if that is very long, earlier. */
static inline int poll_ms(u64 ns)
{
	u64 ms = ns / NSEC_PER_MS + 1;

	return ms < INT_MAX ? (int)ms : INT_MAX;
}

#endif
