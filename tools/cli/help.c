// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/verbs.h"

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
		       o->letter ? ',' : ' ', name, o->help);
	}
}

static void print_verb_help(void)
{
	const struct verb *const *v;

	for (v = verbs; *v; v++)
		printf("  %-12s %-14s %s\n", (*v)->name, (*v)->args, (*v)->help);
}

int help(const struct verb *v)
{
	if (v) {
		printf("Usage: tcpfsm [OPTIONS] %s %s\n\n  %s\n\nOptions:\n", v->name, v->args,
		       v->help);
	} else {
		printf("Usage: tcpfsm [OPTIONS] VERB [ARGS]\n\n"
		       "The RFC 9293 states of both endpoints of every TCP flow.\n\nVerbs:\n");
		print_verb_help();
		printf("\nOptions, before or behind the verb (tcpfsm VERB --help: which are its own):\n");
	}
	print_option_help(v);
	if (!v || has_filter(v))
		printf("\nFILTER is made of: state STATE, exclude STATE, orig|resp state STATE, pair A:B,\n"
		       "  sport|dport|port [OP] :PORT, src|dst|host ADDR[/LEN][:PORT], age|idle|dwell [OP] TIME,\n"
		       "  from|to STATE, cause CAUSE, reason REASON, flag FLAG, id N; and, or, not, ( ). OP is = != < <= > >=. See tcpfsm(8).\n");
	return EXIT_FOUND;
}
