// SPDX-License-Identifier: GPL-2.0
/* Verb transitions: how often an end moved from one state to another. */
#include "data/names.h"
#include "kernel/kernel.h"
#include "kernel/netns.h"
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

static int run_transitions(int argc, char **argv)
{
	char name[NETNS_NAME];
	struct stats s = { 0 };
	int status;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	status = kernel_stats_once(&s, opt.explain);
	if (status == EXIT_ERROR)
		return status;
	out_object(NULL);
	stats_print_netns(&s, netns_name(name, s.netns));
	matrix_print("transitions", "from", "to", "count", s.moves);
	if (opt.explain)
		explain_causes();
	out_end();
	return EXIT_FOUND;
}

const struct verb verb_transitions = {
	.name = "transitions", .args = "",
	.help = "moves between states so far",
	.options = { &option_netns, &option_explain },
	.run = run_transitions,
};
