// SPDX-License-Identifier: GPL-2.0
/*
 * The grammar of filter expressions, by recursive descent.
 *
 *   expr := all { or all }
 *   all  := not { [and] not }
 *   not  := ! not | ( expr ) | term
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "filter/lexer.h"
#include "filter/node.h"
#include "filter/term.h"
#include "lib/memory.h"
#include "lib/options.h"

#define DEPTH_MAX	100	/* of the stack, too */

static bool is_at_or(const struct lexer *p)
{
	return lexer_at(p, "or") || lexer_at(p, "|") || lexer_at(p, "||");
}

static bool take_and(struct lexer *p)
{
	return lexer_take(p, "and") || lexer_take(p, "&&") || lexer_take(p, "&");
}

static struct filter *parse_expr(struct lexer *p);

static struct filter *parse_not(struct lexer *p)
{
	struct filter *f = NULL;

	if (++p->depth > DEPTH_MAX) {
		lexer_fail(p, "nested too deeply");
	} else if (lexer_take(p, "!") || lexer_take(p, "not")) {
		f = node_join(NODE_NOT, parse_not(p), NULL);
	} else if (lexer_take(p, "(")) {
		f = parse_expr(p);
		if (f && !lexer_take(p, ")")) {
			lexer_fail(p, "expected ')'");
			filter_free(f);
			f = NULL;
		}
	} else {
		f = term_parse(p);
	}
	p->depth--;
	return f;
}

/* As in ss, states that just follow each other are alternatives: "state a state b". */
static bool merge_states(struct filter **run, struct filter *f)
{
	struct filter **same = &run[f->ends];

	if (f->kind != NODE_STATE)
		return false;
	if (!*same) {
		*same = f;
		return false;
	}
	(*same)->states |= f->states;
	filter_free(f);
	return true;
}

static struct filter *parse_all(struct lexer *p)
{
	struct filter *run[ENDS_ANY + 1] = { NULL };
	struct filter *all = NULL, *f;
	bool explicit, group;

	do {
		explicit = all && take_and(p);
		if (explicit)
			memset(run, 0, sizeof(run));
		group = lexer_at(p, "(");
		f = parse_not(p);
		if (!f) {
			filter_free(all);
			return NULL;
		}
		if (!group && merge_states(run, f))
			continue;
		all = all ? node_join(NODE_AND, all, f) : f;
	} while (*p->token && !is_at_or(p) && !lexer_at(p, ")"));
	return all;
}

static struct filter *parse_expr(struct lexer *p)
{
	struct filter *f = parse_all(p);

	while (f && is_at_or(p)) {
		lexer_next(p);
		f = node_join(NODE_OR, f, parse_all(p));
	}
	return f;
}

static char *join_words(int argc, char **argv)
{
	size_t len = 1;
	char *text, *s;
	int i;

	for (i = 0; i < argc; i++)
		len += strlen(argv[i]) + 1;
	text = zalloc(len);
	s = text;
	for (i = 0; i < argc; i++)
		s += sprintf(s, "%s%s", i ? " " : "", argv[i]);
	return text;
}

static struct filter *parse_words(int argc, char **argv)
{
	struct filter *f;
	struct lexer p;

	lexer_begin(&p, join_words(argc, argv));
	f = parse_expr(&p);
	if (f && *p.token) {
		lexer_fail(&p, "expected 'and', 'or', or the end");
		filter_free(f);
		f = NULL;
	}
	lexer_end(&p);
	return f;
}

bool filter_parse(struct filter **f, int argc, char **argv)
{
	struct filter *family;

	*f = NULL;
	if (argc > 0) {
		*f = parse_words(argc, argv);
		if (!*f)
			return false;
	}
	if (opt.family != AF_UNSPEC) {
		family = node_new(NODE_FAMILY);
		family->value = opt.family;
		*f = *f ? node_join(NODE_AND, *f, family) : family;
	}
	return true;
}
