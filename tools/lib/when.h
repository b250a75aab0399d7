/* SPDX-License-Identifier: GPL-2.0 */
/* Points in time, as people say them. */
#ifndef LIB_WHEN_H
#define LIB_WHEN_H

#include "lib/base.h"

/*
 * In local time: 14:02, 14:02:30.5, today, yesterday, now, 2026-11-21, 2026-11-21 14:02 (or with a
 * T between), @SECONDS since 1970; with Z behind a date's time, in UTC. A span is that long ago.
 * A time without a date is the latest one before @now, or today's if @comes: it may be to come.
 * Return: false if it is none
 */
bool read_when(const char *word, u64 now, bool comes, u64 *when);

#define WHEN_EXAMPLES "14:02, 2026-11-21T14:02:30, yesterday, or 10m for ten minutes ago"

#endif
