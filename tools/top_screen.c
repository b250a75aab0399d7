// SPDX-License-Identifier: GPL-2.0
/* The terminal of `top`: setting it up and leaving it clean, keys, and when to ask again. */
#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "live.h"
#include "top_draw.h"
#include "top_screen.h"

#define ESCAPE		27
#define REDRAW		12	/* control and L */
#define ERASE_LINE	21	/* control and U */
#define ERASE_WORD	23	/* control and W */
#define ESCAPE_DELAY	50	/* ms, in which the rest of a key's sequence comes */

static struct screen screen;

static void take_note(const char *text)
{
	snprintf(screen.message, sizeof(screen.message), "%s", text);
}

/* ---- orders, intervals, filters ---- */

static void order(struct screen *s)
{
	struct view *v = &s->view[s->focus];

	top_order_by(s->t, s->focus, v->column, v->reverse);
	v->cursor = 0;
	note("%s%s", top_panels[s->focus].columns[v->column].what,
	     v->reverse ? ", the other way round" : "");
}

static void next_order(struct screen *s)
{
	struct view *v = &s->view[s->focus];

	v->column = top_next_order(s->focus, v->column);
	order(s);
}

static void previous_order(struct screen *s)
{
	struct view *v = &s->view[s->focus];
	unsigned int at = v->column, before;

	do {
		before = at;
		at = top_next_order(s->focus, at);
	} while (at != v->column);
	v->column = before;
	order(s);
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

/* Return: false if it is none, and said why; the one before stays in force. */
static bool set_filter(struct screen *s, const char *text)
{
	char *words = (char *)text;
	struct filter *filter;

	if (!filter_parse(&filter, *text ? 1 : 0, &words))
		return false;
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

static void type(struct screen *s, int key)
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

static void on_socket(const struct sock *sock, void *arg)
{
	const struct process *p;
	struct screen *s = arg;
	unsigned int i;

	for (i = 0; i < TCPFSM_ENDS; i++) {
		p = s->flow.end[i].cookie == sock->cookie ? process_of(sock->inode) : NULL;
		if (p)
			s->process[i] = *p;
	}
}

static void show_flow(struct screen *s, const struct flow *f)
{
	s->flow = *f;
	s->flow_read = s->t->dumped;
	memset(s->process, 0, sizeof(s->process));
	processes_forget();
	if (f->end[TCPFSM_ORIG].cookie || f->end[TCPFSM_RESP].cookie)
		sock_each(1U << f->end[TCPFSM_ORIG].state | 1U << f->end[TCPFSM_RESP].state,
			  on_socket, s);
	set_overlay(s, OVERLAY_FLOW);
}

/* From a state or a service to its flows, from a flow to all that is known of it. */
static void enter(struct screen *s)
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

static void back(struct screen *s)
{
	if (s->overlay)
		s->overlay = OVERLAY_NONE;
	else if (s->zoomed)
		s->zoomed = false;
	else if (*s->filter)
		set_filter(s, "");
	s->pointing = false;
}

static void move_key(struct screen *s, int key)
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
		move_by(s, -RANK_ROWS);
		break;
	case KEY_END:
		move_by(s, RANK_ROWS);
		break;
	}
}

static void focus(struct screen *s, unsigned int list)
{
	s->focus = list % TOP_LISTS;
	s->overlay = OVERLAY_NONE;
}

static void panel_key(struct screen *s, int key)
{
	switch (key) {
	case '\t':
		focus(s, s->focus + 1);
		break;
	case KEY_BTAB:
		focus(s, s->focus + TOP_LISTS - 1);
		break;
	case '1':
	case '2':
	case '3':
		focus(s, key - '1');
		break;
	case 's':
		next_order(s);
		break;
	case 'S':
		previous_order(s);
		break;
	case 'r':
		s->view[s->focus].reverse ^= true;
		order(s);
		break;
	case 'z':
		s->zoomed ^= true;
		break;
	case 'g':
		s->rates ^= true;
		break;
	default:
		move_key(s, key);
	}
}

/* Return: false to quit */
static bool press(struct screen *s, int key)
{
	if (key == KEY_RESIZE)
		return true;
	s->message[0] = '\0';
	if (s->typing) {
		type(s, key);
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
		enter(s);
		break;
	case ESCAPE:
		back(s);
		break;
	case REDRAW:
		clearok(curscr, TRUE);
		break;
	default:
		panel_key(s, key);
	}
	return true;
}

/* ---- the loop ---- */

static u64 next_sample(const struct screen *s)
{
	return s->paused ? ~0ULL : s->t->sampled + opt.interval_ns;
}

/* Return: ms for poll() */
static int poll_time(const struct screen *s, u64 end)
{
	u64 when = next_sample(s), now = clock_now();

	if (end && end < when)
		when = end;
	if (when == ~0ULL)
		return -1;
	return when <= now ? 0 : (int)((when - now) / NSEC_PER_MS) + 1;
}

/* What time has come for. Return: 0 or a negative errno */
static int ask(struct screen *s)
{
	int err = 0;

	if (clock_now() >= next_sample(s)) {
		err = top_sample(s->t);
		s->changed = true;
	}
	if (!err && !s->paused && top_dump_due(s->t))
		err = top_dump_begin(s->t);
	return err;
}

static bool keys(struct screen *s)
{
	int key;

	while ((key = getch()) != ERR) {
		s->changed = true;
		if (!press(s, key))
			return false;
	}
	return true;
}

/* The next piece of a dump, which is shown when it is complete. */
static int read_dump(struct screen *s)
{
	int err = top_dump_read(s->t);

	s->changed |= !top_dumping(s->t);
	return err;
}

static int loop(struct screen *s, int signals)
{
	struct pollfd fds[] = {
		{ STDIN_FILENO, POLLIN, 0 }, { signals, POLLIN, 0 }, { -1, POLLIN, 0 },
	};
	u64 end = opt.for_ns ? clock_now() + opt.for_ns : 0;
	int err = ask(s);

	s->changed = true;
	while (!err) {
		if (s->changed)
			draw(s);
		if ((end && clock_now() >= end) || s->t->samples == opt.count)
			break;
		fds[2].fd = top_dumping(s->t) ? top_fd(s->t) : -1;
		if (poll(fds, 3, poll_time(s, end)) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents || fds[0].revents & (POLLHUP | POLLERR) || !keys(s))
			break;
		if (fds[2].revents)
			err = read_dump(s);
		if (!err)
			err = ask(s);
	}
	return err;
}

static int set_up(struct screen *s)
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return fail("top: this is no terminal; for plain text: tcpfsm top -b");
	if (!term || !*term || !strcmp(term, "dumb"))
		return fail("top: TERM=%s shows no screen; for plain text: tcpfsm top -b",
			    term ? term : "");
	setlocale(LC_CTYPE, "");
	s->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	if (!newterm(NULL, stdout, stdin))
		return fail("top: TERM=%s is not known here; for plain text: tcpfsm top -b", term);
	set_escdelay(ESCAPE_DELAY);
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	draw_begin();
	note_to(take_note);
	return EXIT_FOUND;
}

int top_screen(struct top *t, int argc, char **argv)
{
	struct screen *s = &screen;
	int err, signals, i;
	size_t len = 0;

	/* Nobody waits for names while he looks at the screen. */
	opt.resolve = false;
	s->t = t;
	for (i = 0; i < argc && len < sizeof(s->filter); i++)
		len += snprintf(s->filter + len, sizeof(s->filter) - len, "%s%s", i ? " " : "",
				argv[i]);
	memcpy(s->line, s->filter, sizeof(s->line));
	err = top_sample(t);
	if (err)
		return top_fail(t, err);
	if (set_up(s) == EXIT_ERROR)
		return EXIT_ERROR;
	signals = catch_signals();
	err = loop(s, signals);
	note_to(NULL);
	endwin();
	if (signals >= 0)
		close(signals);
	return err ? top_fail(t, err) : EXIT_FOUND;
}
