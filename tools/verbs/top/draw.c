// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/format.h"
#include "lib/options.h"
#include "verbs/top/draw.h"
#include "verbs/top/header.h"
#include "verbs/top/page.h"
#include "verbs/top/pieces.h"

#define STATES_HEIGHT	(1 + STATES_LISTED)
#define STATES_WIDTH	43		/* on the narrowest screen that shows all panels */
#define STATES_MOST	(32 + TOP_PAST)
#define LEAST_COLUMNS	20		/* on a smaller screen, nothing is drawn */
#define LEAST_LINES	4
#define ALL_LINES	(2 + STATES_HEIGHT + 4 + 1)
#define TWO_LINES	16		/* from so many on, the header has two */

struct box {
	int y, x, height, width;
};

/* ---- a panel ---- */

/* What is asked for by an option takes its cells first. */
static bool is_shown(const struct top_column *columns, const struct top_column *c,
		     const struct box *b)
{
	const struct top_column *k;
	int width = b->width;

	for (k = columns; k->name; k++)
		if (k->only && *k->only)
			width -= abs(k->width) + 1;
	return (!c->only || *c->only) && width >= (int)c->from &&
	       (!c->below || width < (int)c->below);
}

/* Columns that grow share the cells that are left. Return: cells for each of them */
static int share_width(const struct top_column *columns, const struct box *b)
{
	const struct top_column *c;
	int left = b->width + 1, growing = 0;

	for (c = columns; c->name; c++) {
		if (!is_shown(columns, c, b))
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
	draw_fill(b->y, b->x, b->width, ' ');
	for (c = columns; c->name; c++) {
		if (!is_shown(columns, c, b))
			continue;
		width = width_of_column(c, more);
		snprintf(name, sizeof(name), "%s", c->name);
		if (c == columns && list != TOP_FLOWS)
			snprintf(name, sizeof(name), "%u %s", list + 1, c->name);
		else if (!c->number && !c->text && s->rates)
			snprintf(name, sizeof(name), "past new/s");
		draw_cell(s, b->y, x, width, c->width > 0, name);
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
	const struct top_column *columns = top_panels[list].columns, *c;
	char text[TOP_CELL];
	int x = b->x, width;

	attrset(current ? A_REVERSE : A_NORMAL);
	if (current)
		draw_fill(y, b->x, b->width, ' ');
	for (c = columns; c->name; c++) {
		if (!is_shown(columns, c, b))
			continue;
		width = width_of_column(c, more);
		attrset(draw_attr(top_look(list, c, row)) | (current ? A_REVERSE : 0));
		if (c->number || c->text) {
			top_cell(text, s->t, c, row);
			draw_cell(s, y, x, width, c->width > 0, text);
		} else {
			attrset(draw_colour(PAIR_PAST) | (current ? A_REVERSE : 0));
			draw_past(s, y, x, width, ((const struct top_state *)row)->state);
		}
		x += width + 1;
	}
}

/* Keeps the cursor among the rows, and in sight. */
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

/* The title tells which flows these are, how many, and how old. */
static void draw_flows(struct screen *s, const struct box *b)
{
	const struct rank *r = &s->t->list[TOP_FLOWS];
	const struct box rows = { b->y + 1, b->x, b->height - 1, b->width };
	const char *which = filter_has_states(s->t->filter) ? "" : "stuck ";
	char title[TOP_LINE + 64], when[160] = " reading ", span[FMT_SPAN];
	int width;

	if (s->t->matched)
		snprintf(when, sizeof(when), " %llu, read %s ago ", (unsigned long long)r->offered,
			 draw_span(span, top_since_dump(s->t) / NSEC * NSEC));
	snprintf(title, sizeof(title), " 3 %sflows%s%s ", which, *s->filter ? ": " : "", s->filter);
	width = (int)strlen(when) + 1;
	attrset(A_DIM);
	draw_fill(b->y, b->x, b->width, s->utf8 ? ACS_HLINE : '-');
	attrset(s->focus == TOP_FLOWS ? A_BOLD : A_NORMAL);
	draw_front(s, b->y, b->x + 1, b->width - width - 2, title);
	attrset(A_NORMAL);
	if (b->width > width)
		draw_middle(s, b->y, b->x + b->width - width, width, when);
	draw_panel(s, TOP_FLOWS, &rows);
	attrset(A_DIM);
	if (s->t->matched && !r->n && rows.height > 1)
		draw_middle(s, rows.y + 1, rows.x, rows.width,
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
	"z zoom", "P process", "g past", "enter more",
};

static void draw_last(struct screen *s)
{
	int x = 0, len = (int)strlen(s->line), room = COLS - 9;
	unsigned int i;

	attrset(A_NORMAL);
	curs_set(s->typing);
	if (s->typing) {
		draw_middle(s, LINES - 1, 0, COLS, "filter: ");
		addstr(room > 0 && len > room ? s->line + len - room : s->line);
		return;
	}
	if (*s->message) {
		attrset(A_BOLD);
		draw_front(s, LINES - 1, 0, COLS - 1, s->message);
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
	draw_header(s, top);
	if (s->overlay)
		draw_page(s, top);
	else
		draw_panels(s, top);
	draw_last(s);
	refresh();
}
