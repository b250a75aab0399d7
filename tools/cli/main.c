// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "kernel/netns.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "tcpfsm_version.h"

static int run_verb(const struct verb *v, int argc, char **argv)
{
	int status;

	if (argc && !*v->args)
		return fail("%s takes no argument, but got '%s'", v->name, argv[0]);
	if (opt.netns && !netns_enter(opt.netns))
		return EXIT_ERROR;
	status = v->run(argc, argv);
	out_flush();
	return status;
}

int main(int argc, char **argv)
{
	bool given[OPTIONS] = { false };
	const struct verb *v;

	options_collect();
	if (argc > 1 && !strcmp(argv[1], "--complete"))
		return complete(argc - 2, argv + 2);
	if (argc == 3 && !strcmp(argv[1], "--manual"))
		return manual(argv[2]);
	opterr = 0;
	if (!options_parse(argc, argv, given))
		return EXIT_ERROR;
	if (given[OPTION_VERSION]) {
		printf("tcpfsm %s\n", TCPFSM_VERSION);
		return EXIT_FOUND;
	}
	v = find_verb(argv[optind]);
	if (argv[optind] && !v)
		return fail("no such verb: '%s'; see tcpfsm --help", argv[optind]);
	if (given[OPTION_HELP])
		return help(v);
	if (!v)
		return fail("which verb? See tcpfsm --help");
	if (!options_check(v, given))
		return EXIT_ERROR;
	return run_verb(v, argc - optind - 1, argv + optind + 1);
}
