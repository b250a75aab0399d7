/* SPDX-License-Identifier: GPL-2.0 */
/* RFC 793's figure of the states, with numbers. */
#ifndef SHOW_FIGURE_H
#define SHOW_FIGURE_H

#include "data/stats.h"

struct figure {
	u64 orig[TCPFSM_STATES], resp[TCPFSM_STATES];	/* ends in each state */
	state_matrix moves;
	double seconds;		/* that the moves took; 0: all that there ever were */
	const char *title;
};

/* Does figure_print() know the form that the user asked for? If not, says so. */
bool figure_format_known(void);

/* In that form. Return: EXIT_FOUND or EXIT_ERROR. */
int figure_print(const struct figure *f);

#endif
