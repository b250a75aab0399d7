// SPDX-License-Identifier: GPL-2.0
/* Verb pairs: flows now by the states of both ends. */
#include "kernel/kernel.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/stats.h"
#include "verbs/verb.h"

static void print_pairs(const struct stats *s, void *arg)
{
	out_object(OUT_ITEM);
	matrix_print(arg, s->netns, s->pairs);
	out_end();
}

static int run_pairs(int argc, char **argv)
{
	struct matrix shape = { "pairs", "orig", "resp", "flows", false };
	int status;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	if (opt.all_netns)
		out_array(NULL);
	status = kernel_stats_once(print_pairs, &shape, false);
	if (status != EXIT_FOUND)
		return status;
	out_end();
	if (opt.explain && out_is_text())
		states_explain();
	return EXIT_FOUND;
}

const struct verb verb_pairs = {
	.name = "pairs", .args = "",
	.help = "flows by their pair of states",
	.options = { &option_netns, &option_all_netns, &option_explain },
	.run = run_pairs,
};
