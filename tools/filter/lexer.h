/* SPDX-License-Identifier: GPL-2.0 */
/* The words of a filter, one at a time, and what is wrong with one. */
#ifndef FILTER_LEXER_H
#define FILTER_LEXER_H

#include "lib/base.h"

struct lexer {
	char *text;
	const char *next;
	char *token;		/* "" at the end */
	unsigned int at;	/* where the token stands, counted from 1 */
	unsigned int depth;	/* of parentheses and negations around it */
	bool failed;
};

/* Takes @text over, and the first token from it. */
void lexer_begin(struct lexer *p, char *text);
void lexer_end(struct lexer *p);

void lexer_next(struct lexer *p);
/* Is the token this word, in any case? */
bool lexer_at(const struct lexer *p, const char *word);
/* Is it? Then the token behind it is next. */
bool lexer_take(struct lexer *p, const char *word);

/* Says what is wrong with the token at hand, but only once. Return: false */
bool lexer_fail(struct lexer *p, const char *what);

#endif
