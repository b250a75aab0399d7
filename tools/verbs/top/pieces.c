// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/format.h"
#include "verbs/top/pieces.h"

static bool colours;

void draw_begin(void)
{
	const char *no = getenv("NO_COLOR");

	colours = !(no && *no) && has_colors() && start_color() == OK;
	if (!colours)
		return;
	use_default_colors();
	init_pair(PAIR_ODD, COLOR_YELLOW, -1);
	init_pair(PAIR_BAD, COLOR_RED, -1);
	init_pair(PAIR_PAST, COLOR_CYAN, -1);
}

attr_t draw_colour(int pair)
{
	return colours ? COLOR_PAIR(pair) : 0;
}

attr_t draw_attr(enum top_look look)
{
	switch (look) {
	case TOP_DIM:
		return A_DIM;
	case TOP_ODD:
		return A_BOLD | draw_colour(PAIR_ODD);
	case TOP_BAD:
		return A_BOLD | draw_colour(PAIR_BAD);
	default:
		return A_NORMAL;
	}
}

void draw_front(const struct screen *s, int y, int x, int width, const char *text)
{
	bool cut = (int)strlen(text) > width;

	if (width <= 0)
		return;
	mvaddnstr(y, x, text, cut ? width - 1 : width);
	if (cut)
		addstr(s->utf8 ? "…" : "~");
}

void draw_middle(const struct screen *s, int y, int x, int width, const char *text)
{
	int len = strlen(text), left;

	if (width <= 0)
		return;
	if (len <= width) {
		mvaddstr(y, x, text);
		return;
	}
	left = (width - 1) / 2;
	mvaddnstr(y, x, text, left);
	addstr(s->utf8 ? "…" : "~");
	addstr(text + len - (width - 1 - left));
}

void draw_cell(const struct screen *s, int y, int x, int width, bool right, const char *text)
{
	int len = strlen(text);

	if (right && len < width) {
		x += width - len;
		width = len;
	}
	draw_middle(s, y, x, width, text);
}

void draw_fill(int y, int x, int width, chtype c)
{
	if (width > 0)
		mvhline(y, x, c, width);
}

static void put_level(const struct screen *s, double part)
{
	static const char ascii[] = " .:-=+*%@";
	unsigned int level = part > 0 ? 1 + (unsigned int)(part * 7.999) : 0;
	char block[] = "\u2580";	/* the next eight are blocks from low to high */

	if (s->utf8 && level) {
		block[2] = (char)(block[2] + level);
		addstr(block);
	} else {
		addch(ascii[level]);
	}
}

static double past_value(const struct screen *s, unsigned int state, u64 sample)
{
	unsigned int at = sample % TOP_PAST;

	return s->rates ? s->t->past_rate[state][at] : (double)s->t->past[state][at];
}

/*
 * Where there is less room than samples, a cell is the most of several, always the same ones, so
 * that nothing jumps.
 */
void draw_past(const struct screen *s, int y, int x, int width, unsigned int state)
{
	unsigned int cells = width < TOP_PAST ? width : TOP_PAST, i;
	unsigned int per = (TOP_PAST + cells - 1) / cells;
	u64 end = s->t->samples, first = end > TOP_PAST ? end - TOP_PAST : 0, sample;
	u64 cell = (end - 1) / per;
	double most = 0, level[TOP_PAST] = { 0 };

	for (sample = first; sample < end; sample++) {
		u64 back = cell - sample / per;
		double v = past_value(s, state, sample);

		if (back < cells && v > level[back])
			level[back] = v;
	}
	for (i = 0; i < cells; i++)
		most = level[i] > most ? level[i] : most;
	move(y, x + width - (int)cells);
	for (i = cells; i-- > 0;)
		put_level(s, most > 0 ? level[i] / most : 0);
}

const char *draw_span(char *buf, u64 ns)
{
	if (ns >= 60 * NSEC || ns % NSEC)
		return fmt_span(buf, ns);
	snprintf(buf, FMT_SPAN, "%llus", (unsigned long long)(ns / NSEC));
	return buf;
}
