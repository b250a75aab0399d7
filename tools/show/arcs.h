/* SPDX-License-Identifier: GPL-2.0 */
/* What RFC 793's figure shows: ends in the states, and moves along the arcs. */
#ifndef SHOW_ARCS_H
#define SHOW_ARCS_H

#include "data/stats.h"
#include "lib/format.h"

struct figure {
	u64 orig[TCPFSM_STATES], resp[TCPFSM_STATES];	/* ends in each state */
	state_matrix moves;
	double seconds;		/* that the moves took; 0: all that there ever were */
	const char *title;
	const struct netns *netns;	/* NULL: of several, or of a capture */
};

#define ARCS		16
#define ARCS_BESIDE_MAX	(TCPFSM_STATES * TCPFSM_STATES)
#define FMT_ARC		(FMT_SHORT + 3)

struct arc {
	u8 from, to;
	u8 cause;		/* that the figure writes beside it */
};

extern const struct arc arcs_drawn[ARCS];

/* The arcs that the figure leaves out, where something moved: resets, corrections, midstream. */
unsigned int arcs_beside(const struct figure *f, struct arc *list);

/* How much moved along an arc, a second if the figure is of rates. */
double arc_rate(const struct figure *f, const struct arc *a);
/* The same as text: 12, 3.4k, 3.4k/s */
char *fmt_arc(char *buf, const struct figure *f, const struct arc *a);

#endif
