/* SPDX-License-Identifier: GPL-2.0 */
/* The pieces that the screen is drawn of; curses knows where they stand. */
#ifndef VERBS_TOP_PIECES_H
#define VERBS_TOP_PIECES_H

#include <curses.h>

#include "verbs/top/view.h"

enum { PAIR_ODD = 1, PAIR_BAD, PAIR_PAST };

#define ALL_COLUMNS	78	/* from here on, all panels show */

/* Once, when the terminal is set up. */
void draw_begin(void);

/* Of a colour, or none if the terminal has none. */
attr_t draw_colour(int pair);
attr_t draw_attr(enum top_look look);

/* At most @width cells; of what is longer the front, or front and end. */
void draw_front(const struct screen *s, int y, int x, int width, const char *text);
void draw_middle(const struct screen *s, int y, int x, int width, const char *text);
void draw_cell(const struct screen *s, int y, int x, int width, bool right, const char *text);
/* The same character over the whole width, in the attributes in force. */
void draw_fill(int y, int x, int width, chtype c);
/* The last samples of a state, the newest at the right. */
void draw_past(const struct screen *s, int y, int x, int width, unsigned int state);
/* As fmt_span(), with whole seconds without a fraction. */
const char *draw_span(char *buf, u64 ns);

#endif
