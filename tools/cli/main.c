// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
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

static bool enter_netns(const char *word)
{
	const struct netns *ns = netns_find(word);
	int err = ns ? netns_move(ns) : 0;

	if (err)
		netns_fail(ns, err);
	return ns && !err;
}

static int run_verb(const struct verb *v, int argc, char **argv)
{
	int status;

	if (argc && !*v->args)
		return fail("%s takes no argument, but got '%s'", v->name, argv[0]);
	/* Of a record, it is a name. */
	if (opt.netns && !opt.from && !enter_netns(opt.netns))
		return EXIT_ERROR;
	status = v->run(argc, argv);
	out_flush();
	return status;
}

/* Return: EXIT_ERROR, and said what would be right. */
static int fail_command(const char *word)
{
	const struct verb *nearest;
	char names[256];

	if (!word)
		return fail("No command given; try 'tcpfsm --help'.");
	names_like(names, sizeof(names), word);
	if (*names && *word)
		return fail("'%s' begins several commands: %s", word, names);
	nearest = nearest_verb(word);
	if (nearest)
		return fail("no such command: '%s'; did you mean '%s'?", word, nearest->name);
	return fail("no such command: '%s'; see tcpfsm --help", word);
}

/* tcpfsm help [COMMAND] */
static int help_on(const char *word)
{
	const struct verb *v = guess_verb(word);

	return word && !v ? fail_command(word) : help(v);
}

static int print_version(void)
{
	printf("tcpfsm %s\n", TCPFSM_VERSION);
	return EXIT_FOUND;
}

static int run_words(int argc, char **argv)
{
	bool given[OPTIONS] = { false };
	const struct verb *v;
	const char *word;

	if (argc > 1 && !strcmp(argv[1], "--complete"))
		return complete(argc - 2, argv + 2);
	if (argc == 3 && !strcmp(argv[1], "--manual"))
		return manual(argv[2]);
	if (!options_parse(argc, argv, given))
		return EXIT_ERROR;
	word = argv[optind];
	if (given[OPTION_VERSION] || (word && !strcmp(word, "version")))
		return print_version();
	if (word && !strcmp(word, "help"))
		return help_on(argv[optind + 1]);
	v = guess_verb(word);
	if (!v && (word || !given[OPTION_HELP]))
		return fail_command(word);
	if (given[OPTION_HELP])
		return help(v);
	if (!options_check(v, given))
		return EXIT_ERROR;
	return run_verb(v, argc - optind - 1, argv + optind + 1);
}

int main(int argc, char **argv)
{
	int status;

	options_collect();
	opterr = 0;
	status = run_words(argc, argv);
	if (fflush(stdout) || ferror(stdout))
		return fail("cannot write: %s", strerror(errno));
	return status;
}
