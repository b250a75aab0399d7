// SPDX-License-Identifier: GPL-2.0
/*
 * Filter expressions: lexer and recursive descent.
 *
 *   expr := all { or all }
 *   all  := not { [and] not }
 *   not  := ! not | ( expr ) | term
 *
 * Terms are in filter_term.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "filter/parse.h"

#define NESTING	100

bool filter_bad(struct parser *p, const char *what)
{
	if (!p->failed) {
		if (*p->token)
			fail("filter, at character %u: '%s': %s", p->at, p->token, what);
		else
			fail("filter, at its end: %s", what);
	}
	p->failed = true;
	return false;
}

/* A word, or one of ( ) ! = == != < <= > >= & && | || */
void filter_advance(struct parser *p)
{
	const char *s = p->next + strspn(p->next, " \t\n");
	size_t len = strcspn(s, " \t\n()!=<>&|");

	if (!len && *s) {
		len = 1;
		if (strchr("!=<>", *s) && s[1] == '=')
			len = 2;
		else if (strchr("&|", *s) && s[1] == *s)
			len = 2;
	}
	free(p->token);
	p->token = strndup(s, len);
	if (!p->token)
		exit(fail("out of memory"));
	p->at = s - p->text + 1;
	p->next = s + len;
}

bool filter_is(const struct parser *p, const char *word)
{
	return !strcasecmp(p->token, word);
}

bool filter_eat(struct parser *p, const char *word)
{
	if (!filter_is(p, word))
		return false;
	filter_advance(p);
	return true;
}

struct filter *filter_node(enum node_kind kind)
{
	struct filter *f = zalloc(sizeof(*f));

	f->kind = kind;
	f->ends = ENDS_ANY;
	return f;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	filter_free(f->left);
	filter_free(f->right);
	free(f);
}

struct filter *filter_join(enum node_kind kind, struct filter *left, struct filter *right)
{
	struct filter *f;

	if (!left || (!right && kind != NODE_NOT)) {
		filter_free(left);
		filter_free(right);
		return NULL;
	}
	f = filter_node(kind);
	f->left = left;
	f->right = right;
	return f;
}

static bool at_or(const struct parser *p)
{
	return filter_is(p, "or") || filter_is(p, "|") || filter_is(p, "||");
}

static bool eat_and(struct parser *p)
{
	return filter_eat(p, "and") || filter_eat(p, "&&") || filter_eat(p, "&");
}

static struct filter *parse_expr(struct parser *p);

static struct filter *parse_not(struct parser *p)
{
	struct filter *f = NULL;

	if (++p->depth > NESTING) {
		filter_bad(p, "nested too deeply");
	} else if (filter_eat(p, "!") || filter_eat(p, "not")) {
		f = filter_join(NODE_NOT, parse_not(p), NULL);
	} else if (filter_eat(p, "(")) {
		f = parse_expr(p);
		if (f && !filter_eat(p, ")")) {
			filter_bad(p, "expected ')'");
			filter_free(f);
			f = NULL;
		}
	} else {
		f = filter_term(p);
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

static struct filter *parse_all(struct parser *p)
{
	struct filter *run[ENDS_ANY + 1] = { NULL };
	struct filter *all = NULL, *f;
	bool explicit, group;

	do {
		explicit = all && eat_and(p);
		if (explicit)
			memset(run, 0, sizeof(run));
		group = filter_is(p, "(");
		f = parse_not(p);
		if (!f) {
			filter_free(all);
			return NULL;
		}
		if (!group && merge_states(run, f))
			continue;
		all = all ? filter_join(NODE_AND, all, f) : f;
	} while (*p->token && !at_or(p) && !filter_is(p, ")"));
	return all;
}

static struct filter *parse_expr(struct parser *p)
{
	struct filter *f = parse_all(p);

	while (f && at_or(p)) {
		filter_advance(p);
		f = filter_join(NODE_OR, f, parse_all(p));
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
	struct parser p = { .text = join_words(argc, argv) };
	struct filter *f;

	p.next = p.text;
	filter_advance(&p);
	f = parse_expr(&p);
	if (f && *p.token) {
		filter_bad(&p, "expected 'and', 'or', or the end");
		filter_free(f);
		f = NULL;
	}
	free(p.token);
	free(p.text);
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
		family = filter_node(NODE_FAMILY);
		family->value = opt.family;
		*f = *f ? filter_join(NODE_AND, *f, family) : family;
	}
	return true;
}
