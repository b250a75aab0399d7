// SPDX-License-Identifier: GPL-2.0
/*
 * The shells know no word of the tool: they ask it for candidates.
 *
 *   tcpfsm --complete WORDS...   the words so far behind "tcpfsm", but for the one to complete
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "filter/filter.h"

/* The option that waits for its value. */
static const struct verb_option *find_option(const char *word, const struct verb *v)
{
	size_t i;

	if (*word != '-')
		return NULL;
	if (word[1] != '-')
		return word[1] && !word[2] ? option_of_letter(word[1], v) : NULL;
	for (i = 0; i < OPTIONS; i++)
		if (!strcmp(word + 2, options[i]->name))
			return options[i];
	return NULL;
}

static bool complete_value(const struct verb_option *o, const struct verb *v)
{
	const struct verb_says *said = o ? option_said_by(o, v) : NULL;
	void (*print)(void) = said && said->complete ? said->complete : o ? o->complete : NULL;

	if (print)
		print();
	return print;
}

static void complete_options(const struct verb *v)
{
	size_t i;

	for (i = 0; i < OPTIONS; i++) {
		const struct verb_option *o = options[i];

		if (!option_fits(o, v))
			continue;
		printf("--%s\n", o->name);
		if (o->letter)
			printf("-%c\n", o->letter);
	}
}

static void complete_verbs(void)
{
	const struct verb *const *v;

	for (v = verbs; *v; v++)
		puts((*v)->name);
}

int complete(int argc, char **argv)
{
	const char *last = argc ? argv[argc - 1] : "";
	const struct verb *v = find_verb_among(argc, argv);

	if (complete_value(find_option(last, v), v))
		return EXIT_FOUND;
	if (v && v->complete && !strcmp(last, v->name)) {
		v->complete();
	} else if (!filter_print_values(last, v && v->filter >= FILTER_OF_LIVING)) {
		if (!v)
			complete_verbs();
		else if (has_filter(v))
			filter_print_words(v->filter == FILTER_OF_SERVICES);
		complete_options(v);
	}
	return EXIT_FOUND;
}
