// SPDX-License-Identifier: GPL-2.0
/* Verb graph: RFC 793's figure, with the ends that are in the states now, and moves. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "data/names.h"
#include "kernel/netlink.h"
#include "lib/out.h"
#include "show/figure.h"

#define WIDTH	80

/* The arcs of the figure, and the event that it writes beside each. */
static const struct arc {
	u8 from, to, cause;
} arcs[] = {
#define ARC(from, to, cause) { TCPFSM_##from, TCPFSM_##to, TCPFSM_##cause }
	ARC(CLOSED, LISTEN, PASSIVE_OPEN),
	ARC(CLOSED, SYN_SENT, SND_SYN),
	ARC(LISTEN, SYN_RCVD, SND_SYNACK),
	ARC(SYN_SENT, SYN_RCVD, SND_SYNACK),
	ARC(SYN_SENT, ESTABLISHED, TOOK_SYNACK),
	ARC(SYN_RCVD, ESTABLISHED, SYN_ACKED),
	ARC(SYN_RCVD, FIN_WAIT_1, SND_FIN),
	ARC(ESTABLISHED, FIN_WAIT_1, SND_FIN),
	ARC(ESTABLISHED, CLOSE_WAIT, TOOK_FIN),
	ARC(FIN_WAIT_1, FIN_WAIT_2, FIN_ACKED),
	ARC(FIN_WAIT_1, CLOSING, TOOK_FIN),
	ARC(FIN_WAIT_2, TIME_WAIT, TOOK_FIN),
	ARC(CLOSING, TIME_WAIT, FIN_ACKED),
	ARC(CLOSE_WAIT, LAST_ACK, SND_FIN),
	ARC(LAST_ACK, CLOSED, FIN_ACKED),
	ARC(TIME_WAIT, CLOSED, EXPIRE),
#undef ARC
};

/*
 * {X}: the ends in a state, {X>Y}: what moves along an arc, each as wide as its braces. A field
 * that ends in < is set to the right.
 */
static const char * const drawing[] = {
	"                                +---------------+",
	"                                |    CLOSED     |",
	"                                |{C            }|",
	"                                +---------------+",
	"            {C>L              <}  |           |  {C>S               }",
	"                 +----------------+           +----------------+",
	"                 v                                             v",
	"         +---------------+                             +---------------+",
	"         |    LISTEN     |                             |   SYN_SENT    |",
	"         |{L            }|                             |{S            }|",
	"         +---------------+                             +---------------+",
	"                 | {L>R               }                  |         |",
	"                 v                                       |         |",
	"         +---------------+     {S>R                }     |         |",
	"         |   SYN_RCVD    |<------------------------------+         |",
	"         |{R            }|                                         |",
	"         +---------------+ {R>E                }                   |",
	"             |       |          +---------------+ {S>E          <} |",
	"             |       +--------->|  ESTABLISHED  |<-----------------+",
	"             |                  |{E            }|",
	"             | {R>F1          } +---------------+",
	"             |   {E>F1         <} |           | {E>W               }",
	"             |   +----------------+           +----------------+",
	"             v   v                                             v",
	"         +---------------+                             +---------------+",
	"         |  FIN_WAIT_1   |                             |  CLOSE_WAIT   |",
	"         |{F1           }|                             |{W            }|",
	"         +---------------+                             +---------------+",
	"             |       | {F1>G              }                    |",
	"             |       +------------------+                      |",
	"             | {F1>F2             }     |   {W>A            <} |",
	"             v                          v                      v",
	"         +---------------+      +---------------+      +---------------+",
	"         |  FIN_WAIT_2   |      |    CLOSING    |      |   LAST_ACK    |",
	"         |{F2           }|      |{G            }|      |{A            }|",
	"         +---------------+      +---------------+      +---------------+",
	"                 | {F2>T              } |  {A>C              <} |",
	"                 |                      v {G>T             }   v",
	"                 |              +---------------+      +---------------+",
	"                 +------------->|   TIME_WAIT   |----->|    CLOSED     |",
	"                                |{T            }|      +---------------+",
	"                                +---------------+ {T>C            }",
};

static const struct { const char *code; u8 state; } codes[] = {
	{ "C", TCPFSM_CLOSED }, { "L", TCPFSM_LISTEN }, { "S", TCPFSM_SYN_SENT },
	{ "R", TCPFSM_SYN_RCVD }, { "E", TCPFSM_ESTABLISHED }, { "F1", TCPFSM_FIN_WAIT_1 },
	{ "F2", TCPFSM_FIN_WAIT_2 }, { "W", TCPFSM_CLOSE_WAIT }, { "G", TCPFSM_CLOSING },
	{ "A", TCPFSM_LAST_ACK }, { "T", TCPFSM_TIME_WAIT },
};

static double rate(const struct figure *f, const struct arc *a)
{
	return f->seconds ? f->moves[a->from][a->to] / f->seconds : f->moves[a->from][a->to];
}

/* What moved along an arc: 12, 3.4k, and with /s if it is a rate. */
static const char *amount(char *buf, const struct figure *f, const struct arc *a)
{
	fmt_short(buf, rate(f, a));
	if (f->seconds)
		strcat(buf, "/s");
	return buf;
}

static bool in_figure(unsigned int from, unsigned int to)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(arcs); i++)
		if (arcs[i].from == from && arcs[i].to == to)
			return true;
	return false;
}

/* The arcs that the figure leaves out, where something moved: resets, corrections, midstream. */
static unsigned int others(const struct figure *f, struct arc *list)
{
	unsigned int n = 0, i, j;

	for (i = 0; i < TCPFSM_STATES; i++)
		for (j = 0; j < TCPFSM_STATES; j++)
			if (f->moves[i][j] && !in_figure(i, j))
				list[n++] = (struct arc){ i, j, 0 };
	return n;
}

/* ---- for a terminal ---- */

static unsigned int state_of_code(const char *code, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(codes); i++)
		if (strlen(codes[i].code) == len && !memcmp(codes[i].code, code, len))
			return codes[i].state;
	return TCPFSM_STATE_UNSET;
}

/* What stands in a field: @key is X or X>Y, up to a blank, < or }. */
static void field_text(char *text, size_t size, const struct figure *f, const char *key)
{
	unsigned int from = state_of_code(key, strcspn(key, "> <}"));
	const char *arrow = key + strcspn(key, "> <}");
	char a[FMT_SHORT + 3], b[FMT_SHORT];
	size_t i;

	if (*arrow != '>') {
		snprintf(text, size, "%s / %s", fmt_short(a, f->orig[from]),
			 fmt_short(b, f->resp[from]));
		return;
	}
	for (i = 0; i < ARRAY_SIZE(arcs); i++)
		if (arcs[i].from == from &&
		    arcs[i].to == state_of_code(arrow + 1, strcspn(arrow + 1, " <}")))
			snprintf(text, size, "%s %s", cause_name(arcs[i].cause),
				 amount(a, f, &arcs[i]));
}

/* Return: behind the field */
static const char *print_field(const struct figure *f, const char *field)
{
	const char *end = strchr(field, '}');
	int width = end - field + 1, pad;
	char text[64] = "";

	field_text(text, sizeof(text), f, field + 1);
	pad = width > (int)strlen(text) ? width - (int)strlen(text) : 0;
	if (!memchr(field, '>', width))
		out_text("%*s%s%*s", pad / 2, "", text, pad - pad / 2, "");
	else if (end[-1] == '<')
		out_text("%*s%s", pad, "", text);
	else
		out_text("%s%*s", text, pad, "");
	return end + 1;
}

static void print_others(const struct figure *f)
{
	struct arc list[TCPFSM_STATES * TCPFSM_STATES];
	unsigned int n = others(f, list), i, column = WIDTH;
	char text[96], number[FMT_SHORT + 3];

	if (n)
		out_text("\nNot in the figure:");
	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%s > %s %s%s", state_name(list[i].from),
			 state_name(list[i].to), amount(number, f, &list[i]), i + 1 < n ? "," : "");
		if (column + 1 + strlen(text) > WIDTH) {
			out_text("\n ");
			column = 1;
		}
		out_text(" %s", text);
		column += 1 + strlen(text);
	}
	if (n)
		out_text("\n");
}

static void print_drawing(const struct figure *f)
{
	size_t i;

	out_text("%s\n\n", f->title);
	for (i = 0; i < ARRAY_SIZE(drawing); i++) {
		const char *p = drawing[i];

		while (*p) {
			size_t plain = strcspn(p, "{");

			out_text("%.*s", (int)plain, p);
			p += plain;
			if (*p)
				p = print_field(f, p);
		}
		out_text("\n");
	}
	print_others(f);
	out_text("\nIn the states: ends now, orig's / resp's. At the arcs: moves%s.\n",
		 f->seconds ? " a second" : "");
}

/* ---- for Graphviz ---- */

/* How often it can be divided by ten, at most six times. */
static unsigned int decades(double v)
{
	unsigned int n = 0;

	while (v >= 10 && n < 6) {
		v /= 10;
		n++;
	}
	return n;
}

/* The ranks of the figure, from top to bottom. */
static const char * const ranks[] = {
	"CLOSED", "LISTEN; SYN_SENT", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT_1; CLOSE_WAIT",
	"FIN_WAIT_2; CLOSING; LAST_ACK", "TIME_WAIT",
};

static void dot_state(FILE *out, const struct figure *f, unsigned int state)
{
	char a[FMT_SHORT], b[FMT_SHORT];
	u64 n = f->orig[state] + f->resp[state];

	/* From white to a full colour by the number's length: 1, 10, 100 ... */
	fprintf(out, "  %s [label=\"%s\\n%s / %s\", fillcolor=\"0.58 %.2f 1.0\"];\n",
		state_name(state), state_name(state), fmt_short(a, f->orig[state]),
		fmt_short(b, f->resp[state]), n ? 0.12 + 0.1 * decades(n) : 0.0);
}

static void dot_arc(FILE *out, const struct figure *f, const struct arc *a, bool drawn)
{
	char number[FMT_SHORT + 3];
	double v = rate(f, a);

	fprintf(out, "  %s -> %s [label=\" %s%s%s \", penwidth=%.1f%s%s];\n", state_name(a->from),
		state_name(a->to), drawn ? cause_name(a->cause) : "", drawn ? "\\n" : "",
		amount(number, f, a), 1.0 + decades(v),
		v ? "" : ", color=gray70, fontcolor=gray50",
		drawn ? "" : ", style=dashed, color=firebrick, fontcolor=firebrick, constraint=false");
}

/* Within quotes: a capture's name may have any character. */
static void dot_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
}

static void print_dot(FILE *out, const struct figure *f)
{
	struct arc list[TCPFSM_STATES * TCPFSM_STATES];
	unsigned int n = others(f, list), i;

	fprintf(out, "digraph tcpfsm {\n  label=\"");
	dot_text(out, f->title);
	fprintf(out, "\\nin the states: ends now, orig's / resp's; at the arcs: moves%s\";\n"
		"  labelloc=t; fontname=Helvetica; fontsize=13; nodesep=0.6;\n"
		"  node [shape=box, style=\"rounded,filled\", fontname=Helvetica, fontsize=11];\n"
		"  edge [fontname=Helvetica, fontsize=9];\n",
		f->seconds ? " a second" : "");
	for (i = 0; i < STATES_LISTED; i++)
		dot_state(out, f, state_order[i]);
	for (i = 0; i < ARRAY_SIZE(ranks); i++)
		fprintf(out, "  { rank=same; %s; }\n", ranks[i]);
	for (i = 0; i < ARRAY_SIZE(arcs); i++)
		dot_arc(out, f, &arcs[i], true);
	for (i = 0; i < n; i++)
		dot_arc(out, f, &list[i], false);
	fprintf(out, "}\n");
}

static int print_svg(const struct figure *f)
{
	static char *words[3] = { "dot", "-Tsvg", NULL };
	posix_spawn_file_actions_t actions;
	int status = 1, ends[2], err;
	FILE *dot;
	pid_t pid;

	out_flush();
	signal(SIGPIPE, SIG_IGN);	/* if dot ends early, its status tells */
	if (pipe2(ends, O_CLOEXEC))
		return fail("cannot start Graphviz: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
	err = posix_spawnp(&pid, words[0], &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	dot = fdopen(ends[1], "w");
	if (!dot)
		exit(fail("out of memory"));
	if (!err)
		print_dot(dot, f);
	fclose(dot);
	if (!err)
		waitpid(pid, &status, 0);
	if (status)
		return fail("Graphviz's dot did not draw it: install graphviz, or take --format dot");
	return EXIT_FOUND;
}

/* ---- as JSON ---- */

static void print_json_arc(const struct figure *f, const struct arc *a)
{
	out_object(OUT_ITEM);
	out_str("from", 0, state_name(a->from));
	out_str("to", 0, state_name(a->to));
	out_num("count", 0, f->moves[a->from][a->to]);
	if (f->seconds)
		out_real("per_second", rate(f, a));
	out_end();
}

static void print_json(const struct figure *f)
{
	struct arc list[TCPFSM_STATES * TCPFSM_STATES];
	unsigned int n = others(f, list), i;

	out_start(OUT_DOCUMENT);
	out_object(NULL);
	out_str("title", 0, f->title);
	out_array("states");
	for (i = 0; i < STATES_LISTED; i++) {
		out_object(OUT_ITEM);
		out_str("state", 0, state_name(state_order[i]));
		out_num("orig", 0, f->orig[state_order[i]]);
		out_num("resp", 0, f->resp[state_order[i]]);
		out_end();
	}
	out_end();
	out_array("arcs");
	for (i = 0; i < ARRAY_SIZE(arcs); i++)
		print_json_arc(f, &arcs[i]);
	for (i = 0; i < n; i++)
		print_json_arc(f, &list[i]);
	out_end();
	out_end();
}

/* ---- */

bool graph_format_known(void)
{
	static const char * const known[] = { "text", "dot", "svg" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!opt.format || !strcmp(opt.format, known[i]))
			return true;
	fail("'%s' is no format: --format takes text, dot or svg", opt.format);
	return false;
}

int graph_print(const struct figure *f)
{
	if (opt.json) {
		print_json(f);
		return EXIT_FOUND;
	}
	if (opt.format && !strcmp(opt.format, "svg"))
		return print_svg(f);
	if (opt.format && !strcmp(opt.format, "dot"))
		print_dot(stdout, f);
	else
		print_drawing(f);
	return EXIT_FOUND;
}

/* What moved within the interval, or ever. */
static int measure(struct figure *f, struct stats *now)
{
	struct timespec t = { opt.interval_ns / NSEC, opt.interval_ns % NSEC };
	struct stats before = { 0 };
	unsigned int i, j;
	int status;

	if (opt.interval_ns) {
		status = kernel_once(TCPFSM_CMD_STATS_GET, false, stats_take, &before);
		if (status)
			return status;
		nanosleep(&t, NULL);
		f->seconds = (double)opt.interval_ns / NSEC;
	}
	status = kernel_once(TCPFSM_CMD_STATS_GET, false, stats_take, now);
	for (i = 0; i < TCPFSM_STATES; i++) {
		f->orig[i] = stats_orig(now, i);
		f->resp[i] = stats_resp(now, i);
		for (j = 0; j < TCPFSM_STATES; j++)
			f->moves[i][j] = now->moves[i][j] - before.moves[i][j];
	}
	return status;
}

int verb_graph(int argc, char **argv)
{
	struct figure f = { 0 };
	struct stats now = { 0 };
	char title[128], date[FMT_TIME];
	struct timespec ts;
	int status;

	(void)argc;
	(void)argv;
	if (!graph_format_known())
		return EXIT_ERROR;
	out_start(OUT_DOCUMENT);
	status = measure(&f, &now);
	if (status)
		return status;
	clock_gettime(CLOCK_REALTIME, &ts);
	snprintf(title, sizeof(title), "%llu flows, %s", (unsigned long long)now.entries,
		 fmt_time(date, ts.tv_sec * NSEC + ts.tv_nsec, 0));
	f.title = title;
	return graph_print(&f);
}
