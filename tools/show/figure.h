/* SPDX-License-Identifier: GPL-2.0 */
/* RFC 793's figure of the states with numbers, in every form. */
#ifndef SHOW_FIGURE_H
#define SHOW_FIGURE_H

#include "data/event.h"
#include "show/arcs.h"

/*
 * Counts a move, of its end too. Where an end is before its first move is not known, so nothing
 * leaves a state that nothing has entered; nor is the CLOSED that a flow starts from one of its
 * states.
 */
void figure_move(struct figure *f, const struct event *e);

/* Does figure_print() know the form that the user asked for? If not, says so. */
bool figure_format_fits(void);

/* In that form. Return: EXIT_FOUND or EXIT_ERROR. */
int figure_print(const struct figure *f);

#endif
