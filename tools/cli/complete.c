// SPDX-License-Identifier: GPL-2.0
/*
 * Candidates for the shell's completion, so that it knows no word of its own.
 *
 *   tcpfsm --complete WORDS...   the words so far behind "tcpfsm", but for the one to complete
 */
#include <stdio.h>
#include <string.h>

#include "data/names.h"
#include "filter/filter.h"
#include "kernel/netns.h"

static const struct verb *verb_among(int argc, char **argv)
{
	const struct verb *v;
	int i;

	for (i = 0; i < argc; i++)
		for (v = verbs; v->name; v++)
			if (!strcmp(argv[i], v->name))
				return v;
	return NULL;
}

int complete(int argc, char **argv)
{
	const char *last = argc ? argv[argc - 1] : "";
	const struct verb *v = verb_among(argc, argv), *w;

	if (!strcmp(last, "-N") || !strcmp(last, "--netns")) {
		netns_print();
	} else if (v && strstr(v->args, "FILTER") &&
		   (!strcmp(last, "state") || !strcmp(last, "exclude") || !strcmp(last, "pair") ||
		    !strcmp(last, "from") || !strcmp(last, "to"))) {
		names_print_states();
	} else if (!strcmp(last, "--format")) {
		puts("text\ndot\nsvg");
	} else if (!strcmp(last, "cause")) {
		names_print_causes();
	} else if (!strcmp(last, "reason")) {
		names_print_reasons();
	} else if (!strcmp(last, "flag")) {
		names_print_flags();
	} else if (!v) {
		for (w = verbs; w->name; w++)
			puts(w->name);
		print_options(NULL);
	} else {
		if (strstr(v->args, "FILTER"))
			filter_print_words();
		print_options(v->name);
	}
	return EXIT_FOUND;
}
