// SPDX-License-Identifier: GPL-2.0
/* Pages of text in place of the panels: help, and everything known of a flow. */
#include <curses.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "data/history.h"
#include "lib/format.h"
#include "verbs/top/page.h"

static const char * const help_lines[] = {
	"tab, 1 2 3   the next panel; states, services, flows",
	"arrows, PgUp PgDn, Home End   move",
	"enter        the flows in this state, of this service; all about this flow",
	"esc          back, at last without a filter",
	"z            this panel alone, or all of them",
	"s, S         order by the next column, the one before",
	"r            the other way round",
	"f or /       type a FILTER of flows; see tcpfsm --help",
	"P            the process that holds a flow's socket, or not",
	"g            past: ends in the states, or entered a second",
	"p or space   pause, go on",
	"+ -          longer, shorter interval",
	"q            quit",
	"",
	"orig sent a flow's first segment, resp is the other end.",
	"new/s: entered a second. opening: half-open, SYN not answered (LISTEN)",
	"or SYN|ACK not acknowledged (SYN_RCVD; half: these alone).",
	"c-wait, t-wait, estab: CLOSE_WAIT, TIME_WAIT, ESTABLISHED.",
	"Stuck: an end waits for its peer or its application (SYN_SENT, SYN_RCVD,",
	"FIN_WAIT_1/2, CLOSE_WAIT, CLOSING, LAST_ACK). dwell: for so long.",
	"full: a second, flows refused since nothing in the table could go.",
};

/* Lines of text that scroll between the header and the last line. */
struct page {
	int top, y;
};

/* One line of the page, if it is in sight. */
static void put_line(const struct page *p, const char *text, int len)
{
	if (p->y >= p->top && p->y < LINES - 1)
		mvaddnstr(p->y, 0, text, len);
}

/* Text is broken between words where possible; the lines that follow keep its indentation. */
static void __attribute__((format(printf, 2, 3))) add_line(struct page *p, const char *fmt, ...)
{
	char text[1024], *line = text, *end;
	int indent;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	indent = (int)strspn(text, " ");
	while ((int)strlen(line) > COLS) {
		end = memrchr(line + indent, ' ', COLS - indent);
		if (!end)
			end = line + COLS - 1;
		put_line(p, line, (int)(end - line));
		p->y++;
		line = end + 1 - indent;
		memset(line, ' ', indent);
	}
	put_line(p, line, -1);
	p->y++;
}

static void say_help(struct page *p)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(help_lines); i++)
		add_line(p, "%s", help_lines[i]);
}

static void say_end(const struct screen *s, struct page *p, unsigned int which, u64 older)
{
	const struct flow_end *e = &s->flow.end[which];
	char text[FMT_HISTORY], span[FMT_SPAN];

	add_line(p, "%s is in %s for %s", end_name(which), state_name(e->state),
		 fmt_span(span, e->dwell + older));
	add_line(p, "  %s", state_help(e->state, STATE_MEANS));
	add_line(p, "  %s", state_help(e->state, STATE_WAITS));
	*put_history(text, e->history) = '\0';
	add_line(p, "  It came by %s.", text);
	add_line(p, "  It sent %llu packets, %llu bytes.", (unsigned long long)e->packets,
		 (unsigned long long)e->bytes);
	if (e->has_uid)
		add_line(p, "  Its socket is of uid %u, sk:%llx in ss -e.", e->uid,
			 (unsigned long long)e->cookie);
	if (s->process[which].inode)
		add_line(p, "  Held by %s, process %d, as file %d.", s->process[which].name,
			 s->process[which].pid, s->process[which].fd);
}

/* Takes the flow from the last dump. If it is no longer listed, it stays as it was. */
static void renew_flow(struct screen *s)
{
	const struct rank *r = &s->t->list[TOP_FLOWS];
	const struct flow *f;
	unsigned int i;

	for (i = 0; i < r->n; i++) {
		f = rank_row(r, i);
		if (f->id != s->flow.id)
			continue;
		s->flow = *f;
		s->flow_read = s->t->dumped;
	}
}

static void say_flow(const struct screen *s, struct page *p)
{
	const struct flow *f = &s->flow;
	char text[FMT_ENDPOINT], more[FMT_ENDPOINT];
	u64 older = s->t->sampled > s->flow_read ? s->t->sampled - s->flow_read : 0;

	add_line(p, "flow %llu  %s > %s", (unsigned long long)f->id,
		 fmt_src(text, &f->tuple), fmt_dst(more, &f->tuple));
	add_line(p, "%s", "");
	say_end(s, p, TCPFSM_ORIG, older);
	add_line(p, "%s", "");
	say_end(s, p, TCPFSM_RESP, older);
	add_line(p, "%s", "");
	add_line(p, "Since %s, last segment %s ago, flags %s.", fmt_time(text, f->start, 6),
		 fmt_span(more, f->idle + older), fmt_flags(more + FMT_SPAN, f->flags));
}

static void say_page(const struct screen *s, struct page *p)
{
	if (s->overlay == OVERLAY_HELP)
		say_help(p);
	else
		say_flow(s, p);
}

void draw_page(struct screen *s, int top)
{
	struct page p = { LINES, 0 };
	int most;

	if (s->overlay == OVERLAY_FLOW)
		renew_flow(s);
	/* Drawn out of sight first, to learn its length: it scrolls to its end and no further. */
	say_page(s, &p);
	most = p.y - (LINES - 1 - top);
	if ((int)s->overlay_first > most)
		s->overlay_first = most > 0 ? most : 0;
	attrset(A_NORMAL);
	p = (struct page){ top, top - (int)s->overlay_first };
	say_page(s, &p);
}
