// SPDX-License-Identifier: GPL-2.0
/*
 * What the manual page says in the words of the tables that the tool is made of: scripts/figures
 * puts it there, by tcpfsm --manual PART.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "data/names.h"

/* Words in capitals stand for something. */
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

/* As troff reads it. */
static void print_text(const char *s)
{
	for (; *s; s++) {
		if (*s == '-')
			putchar('\\');
		putchar(*s);
	}
}

/* Verbs with the same arguments share a line. */
static void synopsis(void)
{
	const struct verb *v, *w;

	for (v = verbs; v->name; v++) {
		for (w = verbs; strcmp(w->args, v->args); w++)
			;
		if (w != v)
			continue;
		printf("%s.B tcpfsm\n.RI [ OPTIONS ]\n", v == verbs ? "" : ".br\n");
		for (; w->name; w++)
			if (!strcmp(w->args, v->args))
				printf("%s.B %s\n", w == v ? "" : "|\n", w->name);
		if (*v->args)
			print_args(v->args);
	}
}

static void options(void)
{
	const struct verb *v;
	const char *name;
	unsigned int n;

	puts(".TS\nl lx.");
	for (v = verbs; v->name; v++) {
		printf("\\fB%s\\fR\tT{\n", v->name);
		for (n = 0; (name = own_option(v, n)); n++) {
			fputs(n ? ",\n\\-\\-" : "\\-\\-", stdout);
			print_text(name);
		}
		puts("\nT}");
	}
	puts(".TE");
}

static void word(const char *name, const char *text)
{
	fputs(".TP\n.B ", stdout);
	print_text(name);
	putchar('\n');
	print_text(text);
	putchar('\n');
}

static void states(void)
{
	unsigned int i, part;

	for (i = 0; i < STATES_LISTED; i++) {
		word(state_name(state_order[i]), state_help(state_order[i], STATE_MEANS));
		for (part = STATE_MEANS + 1; part < STATE_HELPS; part++) {
			print_text(state_help(state_order[i], part));
			putchar('\n');
		}
	}
}

static void causes(void)
{
	unsigned int i;

	for (i = 1; i < TCPFSM_CAUSES; i++)
		word(cause_name(i), cause_help(i));
}

static void reasons(void)
{
	unsigned int i;

	for (i = 1; i < TCPFSM_REASONS; i++)
		word(reason_name(i), reason_help(i));
}

int manual(const char *part)
{
	static const struct { const char *name; void (*print)(void); } parts[] = {
		{ "synopsis", synopsis }, { "options", options }, { "states", states },
		{ "causes", causes }, { "reasons", reasons },
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
