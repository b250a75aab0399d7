// SPDX-License-Identifier: GPL-2.0
/* Verb pairs: flows now by the states of both ends. */
#include "kernel/kernel.h"
#include "kernel/netns.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/stats.h"
#include "verbs/verb.h"

static int run_pairs(int argc, char **argv)
{
	char name[NETNS_NAME];
	struct stats s = { 0 };
	int status;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	status = kernel_stats_once(&s, false);
	if (status != EXIT_FOUND)
		return status;
	out_object(NULL);
	stats_print_netns(&s, netns_name(name, s.netns));
	matrix_print("pairs", "orig", "resp", "flows", s.pairs);
	out_end();
	if (opt.explain && out_is_text())
		states_explain();
	return EXIT_FOUND;
}

const struct verb verb_pairs = {
	.name = "pairs", .args = "",
	.help = "flows by their pair of states",
	.options = { &option_netns, &option_explain },
	.run = run_pairs,
};
