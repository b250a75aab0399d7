// SPDX-License-Identifier: GPL-2.0
/* Verb transitions: how often an end moved from one state to another. */
#include "data/names.h"
#include "kernel/kernel.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/stats.h"
#include "verbs/verb.h"

/* The counts are by states and not by causes; what the causes in events mean stands below. */
static void explain_causes(void)
{
	unsigned int i;

	out_object("causes");
	out_line();
	for (i = 1; i < TCPFSM_CAUSES; i++) {
		out_str(NULL, -14, cause_name(i));
		out_str(cause_name(i), -1, cause_help(i));
		out_line();
	}
	out_end();
}

static void print_transitions(const struct stats *s, void *arg)
{
	out_object(OUT_ITEM);
	matrix_print(arg, s->netns, s->moves);
	if (opt.explain && !out_is_text())
		explain_causes();
	out_end();
}

static int run_transitions(int argc, char **argv)
{
	struct matrix shape = { "transitions", "from", "to", "count", false };
	int status;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	if (opt.all_netns)
		out_array(NULL);
	status = kernel_stats_once(print_transitions, &shape, opt.explain);
	if (status == EXIT_ERROR)
		return status;
	if (status == EXIT_NONE)
		out_object(NULL);	/* without the module, the explanations alone */
	if (opt.explain && (out_is_text() || status == EXIT_NONE))
		explain_causes();
	out_end();
	return EXIT_FOUND;
}

const struct verb verb_transitions = {
	.name = "transitions", .args = "",
	.help = "moves between states so far",
	.options = { &option_netns, &option_all_netns, &option_explain },
	.run = run_transitions,
};
