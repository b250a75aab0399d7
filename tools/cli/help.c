// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/verbs.h"

static const char *help_of_option(const struct verb_option *o, const struct verb *v)
{
	const struct verb_says *said = option_said_by(o, v);

	return said ? said->help : o->help;
}

static void print_option_help(const struct verb *v)
{
	char name[64];
	size_t i;

	for (i = 0; i < OPTIONS; i++) {
		const struct verb_option *o = options[i];

		if (!option_fits(o, v))
			continue;
		snprintf(name, sizeof(name), "--%s%s%s", o->name, o->arg ? " " : "",
			 o->arg ? o->arg : "");
		printf("  %c%c%c %-18s %s\n", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
		       o->letter ? ',' : ' ', name, help_of_option(o, v));
	}
}

static void print_verb_help(void)
{
	const struct verb *const *v;

	for (v = verbs; *v; v++)
		printf("  %-12s %-14s %s\n", (*v)->name, (*v)->args, (*v)->help);
}

static void print_filter_help(enum filter_of of)
{
	if (of == FILTER_OF_NONE)
		return;
	if (of == FILTER_OF_SERVICES) {
		printf("\nFILTER is made of: dst|host ADDR[/LEN][:PORT], dport|port [OP] :PORT; and, or, not, ( ).\n"
		       "  OP is = != < <= > >=. See tcpfsm(8).\n");
		return;
	}
	printf("\nFILTER is made of: state STATE, exclude STATE, orig|resp state STATE, pair A:B,\n"
	       "  sport|dport|port [OP] :PORT, src|dst|host ADDR[/LEN][:PORT], age|idle|dwell [OP] TIME,\n"
	       "  %s%sflag FLAG, id N; and, or, not, ( ). OP is = != < <= > >=. See tcpfsm(8).\n",
	       of >= FILTER_OF_EVENTS ? "from|to STATE, cause CAUSE, " : "",
	       of >= FILTER_OF_FLOWS ? "reason REASON, " : "");
}

int help(const struct verb *v)
{
	if (v) {
		printf("Usage: tcpfsm [OPTIONS] %s %s\n\n  %s\n\nOptions:\n", v->name, v->args,
		       v->help);
	} else {
		printf("Usage: tcpfsm [OPTIONS] COMMAND [ARGS]\n\n"
		       "The RFC 9293 states of both endpoints of every TCP flow.\n\nCommands:\n");
		print_verb_help();
		printf("\nOptions, before or behind the command (tcpfsm COMMAND --help: which are its own):\n");
	}
	print_option_help(v);
	print_filter_help(v ? v->filter : FILTER_OF_EVENTS);
	return EXIT_FOUND;
}
