// SPDX-License-Identifier: GPL-2.0
#include <curses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/netns.h"
#include "lib/format.h"
#include "lib/live.h"
#include "lib/options.h"
#include "verbs/top/draw.h"

#define STATES_HEIGHT	(1 + STATES_LISTED)
#define STATES_WIDTH	43		/* on the smallest screen that shows all panels */
#define STATES_MOST	(32 + TOP_PAST)
#define LEAST_COLUMNS	20		/* on less, nothing is drawn */
#define LEAST_LINES	4
#define ALL_COLUMNS	78
#define ALL_LINES	(2 + STATES_HEIGHT + 4 + 1)
#define TWO_LINES	16		/* from here on, the header has two */

enum { PAIR_ODD = 1, PAIR_BAD, PAIR_PAST };

static bool colours;

struct box {
	int y, x, height, width;
};

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

static attr_t pair_attr(int pair)
{
	return colours ? COLOR_PAIR(pair) : 0;
}

static attr_t attr_of_look(enum top_look look)
{
	switch (look) {
	case TOP_DIM:
		return A_DIM;
	case TOP_ODD:
		return A_BOLD | pair_attr(PAIR_ODD);
	case TOP_BAD:
		return A_BOLD | pair_attr(PAIR_BAD);
	default:
		return A_NORMAL;
	}
}

/* ---- pieces ---- */

/* At most @width cells, of what is longer the front. */
static void put_front(const struct screen *s, int y, int x, int width, const char *text)
{
	bool cut = (int)strlen(text) > width;

	if (width <= 0)
		return;
	mvaddnstr(y, x, text, cut ? width - 1 : width);
	if (cut)
		addstr(s->utf8 ? "…" : "~");
}

/* The same; of what is longer, the middle is left out. */
static void put_middle(const struct screen *s, int y, int x, int width, const char *text)
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

static void put_cell(const struct screen *s, int y, int x, int width, bool right, const char *text)
{
	int len = strlen(text);

	if (right && len < width) {
		x += width - len;
		width = len;
	}
	put_middle(s, y, x, width, text);
}

/* Blanks or a rule over the whole width, in the attributes in force. */
static void fill_row(int y, int x, int width, chtype c)
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
 * The last samples, the newest at the right. Where there is less room than samples, a cell is the
 * most of several, always the same ones, so that nothing jumps.
 */
static void put_past(const struct screen *s, int y, int x, int width, unsigned int state)
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

/* Whole seconds without a fraction. */
static const char *fmt_whole_span(char *buf, u64 ns)
{
	if (ns >= 60 * NSEC || ns % NSEC)
		return fmt_span(buf, ns);
	snprintf(buf, FMT_SPAN, "%llus", (unsigned long long)(ns / NSEC));
	return buf;
}

/* ---- the header ---- */

static enum top_look look_of_table(const struct top *t)
{
	double part = (double)t->stats.entries / (t->stats.limit ? t->stats.limit : 1);

	return part >= 0.9 ? TOP_BAD : part >= 0.7 ? TOP_ODD : TOP_PLAIN;
}

/* How full the table is. Return: where it begins */
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
	attrset(attr_of_look(look_of_table(t)));
	put_middle(s, 0, x, right - x, text);
	return x;
}

static void draw_title(const struct screen *s, int right)
{
	char text[320], time[FMT_TIME], name[256], span[FMT_SPAN];
	const char *netns = netns_name(name, s->t->stats.netns);

	/* The day is the same on all lines. */
	fmt_time(time, clock_of_day(), 0);
	snprintf(text, sizeof(text), "tcpfsm%s%s  %s  every %s", netns ? "  " : "",
		 netns ? netns : "", time + 11, fmt_whole_span(span, opt.interval_ns));
	attrset(A_BOLD);
	if (s->paused)
		put_middle(s, 0, 0, right - 1, "tcpfsm  paused, p goes on");
	else if ((int)strlen(text) < right)
		put_middle(s, 0, 0, right - 1, text);
	else
		put_middle(s, 0, 0, right - 1, netns ? netns : "tcpfsm");
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

/* As many rates as there is room for. */
static void draw_rates(const struct screen *s, int y)
{
	char text[FMT_SHORT];
	int x = 0, width;
	unsigned int i;

	attrset(A_NORMAL);
	if (COLS >= ALL_COLUMNS) {
		put_middle(s, y, 0, COLS, "per second:");
		x = 12;
	}
	for (i = 0; i < TOP_RATES; i++) {
		width = (int)strlen(top_rate_name(i)) + 1 + 5;
		if (x + width > COLS)
			break;
		attrset(attr_of_look(rate_look(s->t, i)));
		mvprintw(y, x, "%s %s", top_rate_name(i),
			 top_rated(s->t) ? fmt_short(text, s->t->rate[i]) : "-");
		x += width + 1;
	}
}

/* ---- a panel ---- */

static bool is_shown(const struct top_column *c, const struct box *b)
{
	return b->width >= (int)c->from && (!c->below || b->width < (int)c->below);
}

/* What the columns leave goes to those that grow. Return: for each of them */
static int share_width(const struct top_column *c, const struct box *b)
{
	int left = b->width + 1, growing = 0;

	for (; c->name; c++) {
		if (!is_shown(c, b))
			continue;
		left -= abs(c->width) + 1;
		growing += c->most > 0;
	}
	return left > 0 && growing ? left / growing : 0;
}

static int width_of_column(const struct top_column *c, int more)
{
	int width = abs(c->width);

	return width + more < c->most ? width + more : c->most > width ? c->most : width;
}

static void draw_heading(const struct screen *s, enum top_list list, const struct box *b, int more)
{
	const struct top_column *columns = top_panels[list].columns, *c;
	const struct view *v = &s->view[list];
	char name[64];
	int x = b->x, width, at;

	attrset(s->focus == list ? A_REVERSE : A_UNDERLINE);
	fill_row(b->y, b->x, b->width, ' ');
	for (c = columns; c->name; c++) {
		if (!is_shown(c, b))
			continue;
		width = width_of_column(c, more);
		snprintf(name, sizeof(name), "%s", c->name);
		if (c == columns && list != TOP_FLOWS)
			snprintf(name, sizeof(name), "%u %s", list + 1, c->name);
		else if (!c->number && !c->text && s->rates)
			snprintf(name, sizeof(name), "past new/s");
		put_cell(s, b->y, x, width, c->width > 0, name);
		if (c == &columns[v->column]) {
			at = c->width > 0 ? x + width - (int)strlen(name) - 1 :
					    x + (int)strlen(name);
			mvaddstr(b->y, at, s->utf8 ? v->reverse ? "▴" : "▾" :
						     v->reverse ? "^" : "v");
		}
		x += width + 1;
	}
}

static void draw_row(const struct screen *s, enum top_list list, const struct box *b, int y,
		     const void *row, bool current, int more)
{
	const struct top_column *c = top_panels[list].columns;
	char text[TOP_CELL];
	int x = b->x, width;

	attrset(current ? A_REVERSE : A_NORMAL);
	if (current)
		fill_row(y, b->x, b->width, ' ');
	for (; c->name; c++) {
		if (!is_shown(c, b))
			continue;
		width = width_of_column(c, more);
		attrset(attr_of_look(top_look(list, c, row)) | (current ? A_REVERSE : 0));
		if (c->number || c->text) {
			top_cell(text, s->t, c, row);
			put_cell(s, y, x, width, c->width > 0, text);
		} else {
			attrset(pair_attr(PAIR_PAST) | (current ? A_REVERSE : 0));
			put_past(s, y, x, width, ((const struct top_state *)row)->state);
		}
		x += width + 1;
	}
}

/* The cursor stays among the rows, and is shown. */
static void settle_view(struct view *v, unsigned int n)
{
	if (v->cursor >= n)
		v->cursor = n ? n - 1 : 0;
	if (v->first > v->cursor)
		v->first = v->cursor;
	if (v->rows && v->cursor >= v->first + v->rows)
		v->first = v->cursor - v->rows + 1;
	if (v->first + v->rows > n)
		v->first = n > v->rows ? n - v->rows : 0;
}

static void draw_panel(struct screen *s, enum top_list list, const struct box *b)
{
	const struct rank *r = &s->t->list[list];
	struct view *v = &s->view[list];
	int more = share_width(top_panels[list].columns, b);
	unsigned int i;

	v->rows = b->height > 1 ? b->height - 1 : 0;
	settle_view(v, r->n);
	draw_heading(s, list, b, more);
	for (i = 0; i < v->rows && v->first + i < r->n; i++)
		draw_row(s, list, b, b->y + 1 + (int)i, rank_row(r, v->first + i),
			 s->pointing && s->focus == list && v->first + i == v->cursor, more);
}

/* Which flows these are, how many, and of when. */
static void draw_flows(struct screen *s, const struct box *b)
{
	const struct rank *r = &s->t->list[TOP_FLOWS];
	const struct box rows = { b->y + 1, b->x, b->height - 1, b->width };
	const char *which = filter_has_states(s->t->filter) ? "" : "stuck ";
	char title[TOP_LINE + 64], when[160] = " reading ", span[FMT_SPAN];
	int width;

	if (s->t->matched)
		snprintf(when, sizeof(when), " %llu, read %s ago ", (unsigned long long)r->offered,
			 fmt_whole_span(span, top_since_dump(s->t) / NSEC * NSEC));
	snprintf(title, sizeof(title), " 3 %sflows%s%s ", which, *s->filter ? ": " : "", s->filter);
	width = (int)strlen(when) + 1;
	attrset(A_DIM);
	fill_row(b->y, b->x, b->width, s->utf8 ? ACS_HLINE : '-');
	attrset(s->focus == TOP_FLOWS ? A_BOLD : A_NORMAL);
	put_front(s, b->y, b->x + 1, b->width - width - 2, title);
	attrset(A_NORMAL);
	if (b->width > width)
		put_middle(s, b->y, b->x + b->width - width, width, when);
	draw_panel(s, TOP_FLOWS, &rows);
	attrset(A_DIM);
	if (s->t->matched && !r->n && rows.height > 1)
		put_middle(s, rows.y + 1, rows.x, rows.width,
		    *which && !*s->filter ? "nothing is stuck" : "none");
}

static void draw_panels(struct screen *s, int top)
{
	struct box body = { top, 0, LINES - top - 1, COLS }, states, services;

	if (s->zoomed || COLS < ALL_COLUMNS || LINES < ALL_LINES) {
		if (s->focus == TOP_FLOWS)
			draw_flows(s, &body);
		else
			draw_panel(s, s->focus, &body);
		return;
	}
	states = (struct box){ top, 0, STATES_HEIGHT, STATES_WIDTH + (COLS - 80) / 2 };
	if (states.width > STATES_MOST)
		states.width = STATES_MOST;
	services = (struct box){ top, states.width + 1, STATES_HEIGHT, COLS - states.width - 1 };
	body.y += STATES_HEIGHT;
	body.height -= STATES_HEIGHT;
	draw_panel(s, TOP_STATES, &states);
	draw_panel(s, TOP_SERVICES, &services);
	draw_flows(s, &body);
}

/* ---- the last line ---- */

static const char * const hints[] = {
	"q quit", "h help", "tab panel", "s sort", "r reverse", "f filter", "p pause", "+ -",
	"z zoom", "g past", "enter more",
};

static void draw_last(struct screen *s)
{
	int x = 0, len = (int)strlen(s->line), room = COLS - 9;
	unsigned int i;

	attrset(A_NORMAL);
	curs_set(s->typing);
	if (s->typing) {
		put_middle(s, LINES - 1, 0, COLS, "filter: ");
		addstr(room > 0 && len > room ? s->line + len - room : s->line);
		return;
	}
	if (*s->message) {
		attrset(A_BOLD);
		put_front(s, LINES - 1, 0, COLS - 1, s->message);
		return;
	}
	attrset(A_DIM);
	for (i = 0; i < ARRAY_SIZE(hints); i++) {
		if (x + (int)strlen(hints[i]) >= COLS)
			break;
		mvaddstr(LINES - 1, x, hints[i]);
		x += (int)strlen(hints[i]) + 2;
	}
}

void draw(struct screen *s)
{
	int top = LINES >= TWO_LINES ? 2 : 1;

	s->changed = false;
	erase();
	if (COLS < LEAST_COLUMNS || LINES < LEAST_LINES) {
		refresh();
		return;
	}
	draw_title(s, draw_table(s, COLS));
	if (top == 2)
		draw_rates(s, 1);
	if (s->overlay)
		draw_page(s, top);
	else
		draw_panels(s, top);
	draw_last(s);
	refresh();
}
