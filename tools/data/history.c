// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "data/history.h"
#include "data/names.h"

unsigned int history_states(u64 history, u8 *state)
{
	unsigned int n = 0, i;

	for (i = HISTORY_STATES; i-- > 0;) {
		u8 s = history >> 4 * i & 0xf;

		if (s)
			state[n++] = s;
	}
	return n;
}

char *put_history(char *p, u64 history)
{
	u8 state[HISTORY_STATES];
	unsigned int n = history_states(history, state), i;

	if (!n)
		return stpcpy(p, "-");
	for (i = 0; i < n; i++) {
		if (i)
			*p++ = '>';
		p = stpcpy(p, state_name(state[i]));
	}
	return p;
}
