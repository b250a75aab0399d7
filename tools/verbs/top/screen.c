// SPDX-License-Identifier: GPL-2.0
/* The terminal of `top`: it is set up and left clean here; and when to ask the module again. */
#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/live.h"
#include "lib/message.h"
#include "lib/options.h"
#include "verbs/top/draw.h"
#include "verbs/top/keys.h"
#include "verbs/top/pieces.h"
#include "verbs/top/screen.h"

#define ESCAPE_DELAY	50	/* ms within which the rest of a key's sequence comes */

static struct screen screen;

static void take_note(const char *text)
{
	snprintf(screen.message, sizeof(screen.message), "%s", text);
}

static u64 time_of_sample(const struct screen *s)
{
	return s->paused ? ~0ULL : s->t->sampled + opt.interval_ns;
}

/* Return: ms for poll() */
static int time_to_poll(const struct screen *s, u64 end)
{
	u64 when = time_of_sample(s), now = clock_now();

	if (end && end < when)
		when = end;
	if (when == ~0ULL)
		return -1;
	return when <= now ? 0 : poll_ms(when - now);
}

/* Samples, and begins a dump, if it is time. Return: 0 or a negative errno */
static int ask_if_due(struct screen *s)
{
	int err = 0;

	if (clock_now() >= time_of_sample(s)) {
		err = top_sample(s->t);
		s->changed = true;
	}
	if (!err && !s->paused && top_dump_due(s->t))
		err = top_dump_begin(s->t);
	return err;
}

static bool read_keys(struct screen *s)
{
	int key;

	while ((key = getch()) != ERR) {
		s->changed = true;
		if (!top_press(s, key))
			return false;
	}
	return true;
}

/* Reads the next piece of a dump, which is shown when it is complete. */
static int read_dump(struct screen *s)
{
	int err = top_dump_read(s->t);

	s->changed |= !top_dumping(s->t);
	return err;
}

static int run_loop(struct screen *s, int signals)
{
	struct pollfd fds[] = {
		{ STDIN_FILENO, POLLIN, 0 }, { signals, POLLIN, 0 }, { -1, POLLIN, 0 },
	};
	u64 end = opt.for_ns ? clock_now() + opt.for_ns : 0;
	int err = ask_if_due(s);

	s->changed = true;
	while (!err) {
		if (s->changed)
			draw(s);
		if ((end && clock_now() >= end) || s->t->samples == opt.count)
			break;
		fds[2].fd = top_dumping(s->t) ? top_fd(s->t) : -1;
		if (poll(fds, 3, time_to_poll(s, end)) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents || fds[0].revents & (POLLHUP | POLLERR) || !read_keys(s))
			break;
		if (fds[2].revents)
			err = read_dump(s);
		if (!err)
			err = ask_if_due(s);
	}
	return err;
}

static int set_up_terminal(struct screen *s)
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return fail("top: standard output is not a terminal; for plain text: tcpfsm top -b");
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

	/* Resolving names would block the screen. */
	opt.resolve = false;
	s->t = t;
	for (i = 0; i < argc && len < sizeof(s->filter); i++)
		len += snprintf(s->filter + len, sizeof(s->filter) - len, "%s%s", i ? " " : "",
				argv[i]);
	memcpy(s->line, s->filter, sizeof(s->line));
	err = top_sample(t);
	if (err)
		return top_fail(t, err);
	if (set_up_terminal(s) == EXIT_ERROR)
		return EXIT_ERROR;
	signals = catch_signals();
	err = run_loop(s, signals);
	note_to(NULL);
	endwin();
	if (signals >= 0)
		close(signals);
	return err ? top_fail(t, err) : EXIT_FOUND;
}
