// SPDX-License-Identifier: GPL-2.0
/* RFC 793's figure for Graphviz, and through it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/names.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/out.h"
#include "show/dot.h"

/* How often a number can be divided by ten, at most six times. */
static unsigned int count_decades(double v)
{
	unsigned int n = 0;

	while (v >= 10 && n < 6) {
		v /= 10;
		n++;
	}
	return n;
}

/* States that stand side by side, from top to bottom. */
static const char * const ranks[] = {
	"CLOSED", "LISTEN; SYN_SENT", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT_1; CLOSE_WAIT",
	"FIN_WAIT_2; CLOSING; LAST_ACK", "TIME_WAIT",
};

static void print_state(FILE *out, const struct figure *f, unsigned int state)
{
	char a[FMT_SHORT], b[FMT_SHORT];
	u64 n = f->orig[state] + f->resp[state];

	/* The more digits the number has, the deeper the colour. */
	fprintf(out, "  %s [label=\"%s\\n%s / %s\", fillcolor=\"0.58 %.2f 1.0\"];\n",
		state_name(state), state_name(state), fmt_short(a, f->orig[state]),
		fmt_short(b, f->resp[state]), n ? 0.12 + 0.1 * count_decades(n) : 0.0);
}

static void print_arc(FILE *out, const struct figure *f, const struct arc *a, bool drawn)
{
	char number[FMT_ARC];
	double v = arc_rate(f, a);

	fprintf(out, "  %s -> %s [label=\" %s%s%s \", penwidth=%.1f%s%s];\n", state_name(a->from),
		state_name(a->to), drawn ? cause_name(a->cause) : "", drawn ? "\\n" : "",
		fmt_arc(number, f, a), 1.0 + count_decades(v),
		v ? "" : ", color=gray70, fontcolor=gray50",
		drawn ? "" : ", style=dashed, color=firebrick, fontcolor=firebrick, constraint=false");
}

/* Text within quotes: the name of a capture may have any character. */
static void print_quoted(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
}

void dot_print(FILE *out, const struct figure *f)
{
	struct arc list[ARCS_BESIDE_MAX];
	unsigned int n = arcs_beside(f, list), i;

	fprintf(out, "digraph tcpfsm {\n  label=\"");
	print_quoted(out, f->title);
	fprintf(out, "\\nin the states: ends now, orig's / resp's; at the arcs: moves%s\";\n"
		"  labelloc=t; fontname=Helvetica; fontsize=13; nodesep=0.6;\n"
		"  node [shape=box, style=\"rounded,filled\", fontname=Helvetica, fontsize=11];\n"
		"  edge [fontname=Helvetica, fontsize=9];\n",
		f->seconds ? " a second" : "");
	for (i = 0; i < STATES_LISTED; i++)
		print_state(out, f, state_order[i]);
	for (i = 0; i < ARRAY_SIZE(ranks); i++)
		fprintf(out, "  { rank=same; %s; }\n", ranks[i]);
	for (i = 0; i < ARCS; i++)
		print_arc(out, f, &arcs_drawn[i], true);
	for (i = 0; i < n; i++)
		print_arc(out, f, &list[i], false);
	fprintf(out, "}\n");
}

int dot_print_svg(const struct figure *f)
{
	static char *words[3] = { "dot", "-Tsvg", NULL };
	posix_spawn_file_actions_t actions;
	int status = 1, ends[2], err;
	FILE *dot;
	pid_t pid;

	out_flush();
	signal(SIGPIPE, SIG_IGN);	/* if dot ends early, its exit status tells */
	if (pipe2(ends, O_CLOEXEC))
		return fail("cannot start Graphviz: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
	err = posix_spawnp(&pid, words[0], &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[0]);
	dot = fdopen(ends[1], "w");
	if (!dot)
		out_of_memory();
	if (!err)
		dot_print(dot, f);
	fclose(dot);
	if (!err)
		waitpid(pid, &status, 0);
	if (status)
		return fail("Graphviz's dot did not draw it: install graphviz, or take --format dot");
	return EXIT_FOUND;
}
