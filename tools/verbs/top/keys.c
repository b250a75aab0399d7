// SPDX-License-Identifier: GPL-2.0
#include <curses.h>
#include <stdio.h>
#include <string.h>

#include "kernel/holder.h"
#include "lib/message.h"
#include "lib/options.h"
#include "verbs/top/keys.h"

#define ESCAPE		27
#define REDRAW		12	/* control and L */
#define ERASE_LINE	21	/* control and U */
#define ERASE_WORD	23	/* control and W */

/* ---- orders, intervals, filters ---- */

static void apply_order(struct screen *s)
{
	struct view *v = &s->view[s->focus];

	top_order_by(s->t, s->focus, v->column, v->reverse);
	v->cursor = 0;
	note("%s%s", top_panels[s->focus].columns[v->column].what,
	     v->reverse ? ", the other way round" : "");
}

static void take_next_order(struct screen *s)
{
	struct view *v = &s->view[s->focus];

	v->column = top_next_order(s->focus, v->column);
	apply_order(s);
}

static void take_previous_order(struct screen *s)
{
	struct view *v = &s->view[s->focus];
	unsigned int at = v->column, before;

	do {
		before = at;
		at = top_next_order(s->focus, at);
	} while (at != v->column);
	v->column = before;
	apply_order(s);
}

static void change_interval(int by)
{
	static const u64 steps[] = {
		100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000,
	};
	int i = 0, last = ARRAY_SIZE(steps) - 1;

	while (i < last && steps[i] * NSEC_PER_MS < opt.interval_ns)
		i++;
	if (by < 0 && i > 0)
		i--;
	else if (by > 0 && steps[i] * NSEC_PER_MS == opt.interval_ns && i < last)
		i++;
	opt.interval_ns = steps[i] * NSEC_PER_MS;
}

/* Return: false, and said why, if it is no filter; then the one before stays in force. */
static bool set_filter(struct screen *s, const char *text)
{
	char *words = (char *)text;
	struct filter *filter;

	if (!filter_parse(&filter, *text ? 1 : 0, &words))
		return false;
	if (!filter_flows_only(filter)) {
		filter_free(filter);
		return false;
	}
	top_set_filter(s->t, filter);
	snprintf(s->filter, sizeof(s->filter), "%s", text);
	snprintf(s->line, sizeof(s->line), "%s", s->filter);
	s->view[TOP_FLOWS].cursor = 0;
	return true;
}

/* ---- keys ---- */

static void erase_word(char *line)
{
	size_t len = strlen(line);

	while (len && line[len - 1] == ' ')
		len--;
	while (len && line[len - 1] != ' ')
		len--;
	line[len] = '\0';
}

static void type_key(struct screen *s, int key)
{
	size_t len = strlen(s->line);

	switch (key) {
	case ESCAPE:
		s->typing = false;
		snprintf(s->line, sizeof(s->line), "%s", s->filter);
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
		s->typing = false;
		if (set_filter(s, s->line))
			s->focus = TOP_FLOWS;
		break;
	case KEY_BACKSPACE:
	case '\b':
	case 0x7f:
		if (len)
			s->line[len - 1] = '\0';
		break;
	case ERASE_LINE:
		s->line[0] = '\0';
		break;
	case ERASE_WORD:
		erase_word(s->line);
		break;
	default:
		if (key >= ' ' && key < 0x7f && len + 1 < sizeof(s->line)) {
			s->line[len] = (char)key;
			s->line[len + 1] = '\0';
		}
	}
}

static void move_by(struct screen *s, int rows)
{
	struct view *v = &s->view[s->focus];
	int n = (int)s->t->list[s->focus].n, at = (int)v->cursor + rows;

	if (s->overlay) {
		at = (int)s->overlay_first + rows;
		s->overlay_first = at > 0 ? at : 0;
		return;
	}
	s->pointing = true;
	v->cursor = at < 0 || !n ? 0 : at < n ? at : n - 1;
	if (s->focus == TOP_STATES && n) {
		const struct top_state *row = rank_row(&s->t->list[TOP_STATES], v->cursor);

		note("%s", state_help(row->state, STATE_MANY));
	}
}

static void set_overlay(struct screen *s, enum overlay overlay)
{
	s->overlay = s->overlay == overlay ? OVERLAY_NONE : overlay;
	s->overlay_first = 0;
}

static void show_flow(struct screen *s, const struct flow *f)
{
	const struct process *p;
	unsigned int i;

	s->flow = *f;
	s->flow_read = s->t->dumped;
	memset(s->process, 0, sizeof(s->process));
	holders_forget();
	for (i = 0; i < TCPFSM_ENDS; i++) {
		p = holder_of(f, i);
		if (p)
			s->process[i] = *p;
	}
	set_overlay(s, OVERLAY_FLOW);
}

/* Leads from a state or a service to its flows, and from a flow to everything known of it. */
static void open_row(struct screen *s)
{
	const struct rank *r = &s->t->list[s->focus];
	unsigned int at = s->view[s->focus].cursor;
	char text[TOP_CELL + 8];

	if (s->overlay || at >= r->n)
		s->overlay = OVERLAY_NONE;
	else if (s->focus == TOP_FLOWS)
		show_flow(s, rank_row(r, at));
	else if (top_panels[s->focus].flows(text, rank_row(r, at)) && set_filter(s, text))
		s->focus = TOP_FLOWS;
}

static void go_back(struct screen *s)
{
	if (s->overlay)
		s->overlay = OVERLAY_NONE;
	else if (s->zoomed)
		s->zoomed = false;
	else if (*s->filter)
		set_filter(s, "");
	s->pointing = false;
}

static void press_move_key(struct screen *s, int key)
{
	int page = (int)s->view[s->focus].rows;

	switch (key) {
	case KEY_UP:
	case 'k':
		move_by(s, -1);
		break;
	case KEY_DOWN:
	case 'j':
		move_by(s, 1);
		break;
	case KEY_PPAGE:
		move_by(s, -page);
		break;
	case KEY_NPAGE:
		move_by(s, page);
		break;
	case KEY_HOME:
		move_by(s, -TOP_ROWS);
		break;
	case KEY_END:
		move_by(s, TOP_ROWS);
		break;
	}
}

static void focus_on(struct screen *s, unsigned int list)
{
	s->focus = list % TOP_LISTS;
	s->overlay = OVERLAY_NONE;
}

static void press_panel_key(struct screen *s, int key)
{
	switch (key) {
	case '\t':
		focus_on(s, s->focus + 1);
		break;
	case KEY_BTAB:
		focus_on(s, s->focus + TOP_LISTS - 1);
		break;
	case '1':
	case '2':
	case '3':
		focus_on(s, key - '1');
		break;
	case 's':
		take_next_order(s);
		break;
	case 'S':
		take_previous_order(s);
		break;
	case 'r':
		s->view[s->focus].reverse ^= true;
		apply_order(s);
		break;
	case 'z':
		s->zoomed ^= true;
		break;
	case 'P':
		opt.processes ^= true;
		break;
	case 'g':
		s->rates ^= true;
		break;
	default:
		press_move_key(s, key);
	}
}

bool top_press(struct screen *s, int key)
{
	if (key == KEY_RESIZE)
		return true;
	s->message[0] = '\0';
	if (s->typing) {
		type_key(s, key);
		return true;
	}
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case 'h':
	case '?':
		set_overlay(s, OVERLAY_HELP);
		break;
	case 'f':
	case '/':
		s->typing = true;
		break;
	case 'p':
	case ' ':
		s->paused ^= true;
		break;
	case '+':
	case '=':
		change_interval(1);
		break;
	case '-':
		change_interval(-1);
		break;
	case '\n':
	case '\r':
	case KEY_ENTER:
		open_row(s);
		break;
	case ESCAPE:
		go_back(s);
		break;
	case REDRAW:
		clearok(curscr, TRUE);
		break;
	default:
		press_panel_key(s, key);
	}
	return true;
}
