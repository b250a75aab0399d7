/* SPDX-License-Identifier: GPL-2.0 */
/* What the parser's two files share: filter.c has the expression, filter_term.c the terms. */
#ifndef FILTER_PARSE_H
#define FILTER_PARSE_H

#include "filter/node.h"

struct parser {
	char *text;
	const char *next;
	char *token;		/* "" at the end */
	unsigned int at;	/* its place, counted from 1 */
	unsigned int depth;
	bool failed;
};

/* Say what is wrong with the token at hand, once. Return: false */
bool filter_bad(struct parser *p, const char *what);
void filter_advance(struct parser *p);
bool filter_is(const struct parser *p, const char *word);
bool filter_eat(struct parser *p, const char *word);

struct filter *filter_node(enum node_kind kind);
/* Takes both; NULL if one is. NODE_NOT has no right one. */
struct filter *filter_join(enum node_kind kind, struct filter *left, struct filter *right);

/* Return: NULL, and said why. */
struct filter *filter_term(struct parser *p);

#endif
