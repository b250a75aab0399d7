// SPDX-License-Identifier: GPL-2.0
#include "data/stats.h"

static u64 sum_column(const state_matrix m, unsigned int j)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < TCPFSM_STATES; i++)
		sum += m[i][j];
	return sum;
}

u64 stats_orig(const struct stats *s, unsigned int state)
{
	u64 sum = 0;
	unsigned int j;

	for (j = 0; j < TCPFSM_STATES; j++)
		sum += s->pairs[state][j];
	return sum;
}

u64 stats_resp(const struct stats *s, unsigned int state)
{
	return sum_column(s->pairs, state);
}

u64 stats_entered(const struct stats *s, unsigned int state)
{
	return sum_column(s->moves, state);
}
