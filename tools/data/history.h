/* SPDX-License-Identifier: GPL-2.0 */
/* The last states of an end, four bits each, the latest in the lowest. */
#ifndef DATA_HISTORY_H
#define DATA_HISTORY_H

#include "lib/base.h"

#define HISTORY_STATES	16
#define FMT_HISTORY	(HISTORY_STATES * 12 + 1)

/* Takes a history apart, the oldest state first. Return: how many there are */
unsigned int history_states(u64 history, u8 *state);
/* The states with > between, not terminated; a dash for none. Return: where they end */
char *put_history(char *p, u64 history);

#endif
