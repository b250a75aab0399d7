/* SPDX-License-Identifier: GPL-2.0 */
/* The arcs of RFC 793's figure, and what moved along them. */
#ifndef SHOW_ARCS_H
#define SHOW_ARCS_H

#include "lib/format.h"
#include "show/figure.h"

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
