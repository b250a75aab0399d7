// SPDX-License-Identifier: GPL-2.0
/*
 * The parts of the manual page that the tool's own tables tell. scripts/figures puts what
 * tcpfsm --manual PART prints into the page.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/verbs.h"
#include "data/names.h"
#include "lib/message.h"
#include "tcpfsm_names.h"

/* Words in capitals are placeholders. */
static void print_args(const char *s)
{
	bool capitals = false;

	for (; *s; s++) {
		if (!!isupper(*s) != capitals) {
			capitals = !capitals;
			fputs(capitals ? "\\fI" : "\\fR", stdout);
		}
		putchar(*s);
	}
	puts(capitals ? "\\fR" : "");
}

/* A hyphen of text is \\- to troff. */
static void print_text(const char *s)
{
	for (; *s; s++) {
		if (*s == '-')
			putchar('\\');
		putchar(*s);
	}
}

/* Verbs with the same arguments share a line. */
static void print_synopsis(void)
{
	const struct verb *const *v, *const *w;

	for (v = verbs; *v; v++) {
		for (w = verbs; strcmp((*w)->args, (*v)->args); w++)
			;
		if (w != v)
			continue;
		printf("%s.B tcpfsm\n.RI [ OPTIONS ]\n", v == verbs ? "" : ".br\n");
		for (; *w; w++)
			if (!strcmp((*w)->args, (*v)->args))
				printf("%s.B %s\n", w == v ? "" : "|\n", (*w)->name);
		if (*(*v)->args)
			print_args((*v)->args);
	}
}

static void print_option_table(void)
{
	const struct verb *const *v;
	unsigned int n, i;

	puts(".TS\nl lx.");
	for (v = verbs; *v; v++) {
		printf("\\fB%s\\fR\tT{\n", (*v)->name);
		for (i = 0, n = 0; i < OPTIONS; i++) {
			if (!option_is_own(options[i], *v))
				continue;
			fputs(n++ ? ",\n\\-\\-" : "\\-\\-", stdout);
			print_text(options[i]->name);
		}
		puts("\nT}");
	}
	puts(".TE");
}

static void print_word(const char *name, const char *text)
{
	fputs(".TP\n.B ", stdout);
	print_text(name);
	putchar('\n');
	print_text(text);
	putchar('\n');
}

static void print_states(void)
{
	unsigned int i, part;

	for (i = 0; i < STATES_LISTED; i++) {
		print_word(state_name(state_order[i]), state_help(state_order[i], STATE_MEANS));
		for (part = STATE_MEANS + 1; part < STATE_HELPS; part++) {
			print_text(state_help(state_order[i], part));
			putchar('\n');
		}
	}
}

static void print_causes(void)
{
	unsigned int i;

	for (i = 1; i < TCPFSM_CAUSES; i++)
		print_word(cause_name(i), cause_help(i));
}

static void print_reasons(void)
{
	unsigned int i;

	for (i = 1; i < TCPFSM_REASONS; i++)
		print_word(reason_name(i), reason_help(i));
}

/* With the name of each class's sysctl, and its default. */
static void print_classes(void)
{
	static const struct { const char *name, *help; unsigned int seconds; } classes[] = {
#define X(id, name, seconds, help) { #name, help, seconds },
		TCPFSM_CLASS_LIST(X)
#undef X
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		printf(".TP\n.BR timeout_%s \" (%u)\"\n", classes[i].name, classes[i].seconds);
		print_text(classes[i].help);
		putchar('\n');
	}
}

int manual(const char *part)
{
	static const struct { const char *name; void (*print)(void); } parts[] = {
		{ "synopsis", print_synopsis }, { "options", print_option_table },
		{ "states", print_states }, { "causes", print_causes },
		{ "reasons", print_reasons }, { "classes", print_classes },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if (!strcmp(part, parts[i].name)) {
			parts[i].print();
			return EXIT_FOUND;
		}
	}
	return fail("no such part of the manual: '%s'", part);
}
