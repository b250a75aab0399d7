// SPDX-License-Identifier: GPL-2.0
/* The first lines of the screen: the title, how full the table is, rates. */
#include <stdio.h>
#include <string.h>

#include "lib/format.h"
#include "lib/live.h"
#include "lib/options.h"
#include "verbs/top/header.h"
#include "verbs/top/pieces.h"

static enum top_look look_of_table(const struct top *t)
{
	double part = (double)t->stats.entries / (t->stats.limit ? t->stats.limit : 1);

	return part >= 0.9 ? TOP_BAD : part >= 0.7 ? TOP_ODD : TOP_PLAIN;
}

/* How full the table is, at the right. Return: where the text begins */
static int draw_table(const struct screen *s, int right)
{
	const struct top *t = s->t;
	double percent = t->stats.limit ? 100.0 * t->stats.entries / t->stats.limit : 0;
	char text[96];
	int x;

	snprintf(text, sizeof(text), "table %llu of %llu, %.1f%%",
		 (unsigned long long)t->stats.entries, (unsigned long long)t->stats.limit, percent);
	x = right - (int)strlen(text);
	if (x < 0)
		x = 0;
	attrset(draw_attr(look_of_table(t)));
	draw_middle(s, 0, x, right - x, text);
	return x;
}

static void draw_title(const struct screen *s, int right)
{
	char text[320], time[FMT_TIME], span[FMT_SPAN];
	const struct netns *ns = s->t->stats.netns;
	const char *netns = ns ? ns->name : "all network namespaces";

	/* The time without the day. */
	fmt_time(time, clock_of_day(), 0);
	snprintf(text, sizeof(text), "tcpfsm  %s  %s  every %s", netns, time + 11,
		 draw_span(span, opt.interval_ns));
	attrset(A_BOLD);
	if (s->paused)
		draw_middle(s, 0, 0, right - 1, "tcpfsm  paused, p goes on");
	else if ((int)strlen(text) < right)
		draw_middle(s, 0, 0, right - 1, text);
	else
		draw_middle(s, 0, 0, right - 1, netns);
}

static enum top_look rate_look(const struct top *t, enum top_rate rate)
{
	if (!(t->rate[rate] > 0))
		return TOP_DIM;
	if (rate == TOP_EVICTED || rate == TOP_FULL)
		return TOP_BAD;
	return rate == TOP_RESET || rate == TOP_REFUSED || rate == TOP_TIMEOUT ? TOP_ODD :
									 TOP_PLAIN;
}

/* As many rates as fit. */
static void draw_rates(const struct screen *s, int y)
{
	char text[FMT_SHORT];
	int x = 0, width;
	unsigned int i;

	attrset(A_NORMAL);
	if (COLS >= ALL_COLUMNS) {
		draw_middle(s, y, 0, COLS, "per second:");
		x = 12;
	}
	for (i = 0; i < TOP_RATES; i++) {
		width = (int)strlen(top_rate_name(i)) + 1 + 5;
		if (x + width > COLS)
			break;
		attrset(draw_attr(rate_look(s->t, i)));
		mvprintw(y, x, "%s %s", top_rate_name(i),
			 top_rated(s->t) ? fmt_short(text, s->t->rate[i]) : "-");
		x += width + 1;
	}
}

void draw_header(const struct screen *s, int lines)
{
	draw_title(s, draw_table(s, COLS));
	if (lines == 2)
		draw_rates(s, 1);
}
