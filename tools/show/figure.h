/* SPDX-License-Identifier: GPL-2.0 */
/* RFC 793's figure of the states, with numbers. */
#ifndef GRAPH_H
#define GRAPH_H

#include "kernel/message.h"

struct figure {
	u64 orig[TCPFSM_STATES], resp[TCPFSM_STATES];	/* ends in each state */
	state_matrix moves;
	double seconds;		/* that the moves took; 0: all that there ever were */
	const char *title;
};

/* Is it one that graph_print() knows? If not, says so. */
bool graph_format_known(void);

/* In the form that the user asked for, opt.format. Return: EXIT_FOUND or EXIT_ERROR. */
int graph_print(const struct figure *f);

#endif
