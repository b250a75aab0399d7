// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "data/names.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/dot.h"
#include "show/drawing.h"
#include "show/figure.h"
#include "show/netns.h"

static void print_arc_json(const struct figure *f, const struct arc *a)
{
	out_object(OUT_ITEM);
	out_str("from", 0, state_name(a->from));
	out_str("to", 0, state_name(a->to));
	out_num("count", 0, f->moves[a->from][a->to]);
	if (f->seconds)
		out_real("per_second", arc_rate(f, a));
	out_end();
}

static void print_figure_json(const struct figure *f)
{
	struct arc list[ARCS_BESIDE_MAX];
	unsigned int n = arcs_beside(f, list), i;

	out_start(OUT_DOCUMENT);
	out_object(NULL);
	out_str("title", 0, f->title);
	if (f->netns)
		out_netns(f->netns);
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
	for (i = 0; i < ARCS; i++)
		print_arc_json(f, &arcs_drawn[i]);
	for (i = 0; i < n; i++)
		print_arc_json(f, &list[i]);
	out_end();
	out_end();
}

void figure_move(struct figure *f, const struct event *e)
{
	u64 *ends = e->end == TCPFSM_ORIG ? f->orig : f->resp;
	bool corrected = e->cause == TCPFSM_RESUME || e->cause == TCPFSM_NO_FIN;

	if (ends[e->from] && (e->from != TCPFSM_CLOSED || corrected))
		ends[e->from]--;
	ends[e->to]++;
	f->moves[e->from][e->to]++;
}

bool figure_format_fits(void)
{
	static const char * const known[] = { "text", "dot", "svg" };
	size_t i;

	if (opt.json && opt.format) {
		fail("--json and --format '%s' are two forms of the figure: give one of them",
		     opt.format);
		return false;
	}
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!opt.format || !strcmp(opt.format, known[i]))
			return true;
	fail("'%s' is not a format: --format takes text, dot or svg", opt.format);
	return false;
}

int figure_print(const struct figure *f)
{
	if (opt.json) {
		print_figure_json(f);
		return EXIT_FOUND;
	}
	if (opt.format && !strcmp(opt.format, "svg"))
		return dot_print_svg(f);
	if (opt.format && !strcmp(opt.format, "dot"))
		dot_print(stdout, f);
	else
		drawing_print(f);
	return EXIT_FOUND;
}
