// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "filter/lexer.h"
#include "lib/memory.h"
#include "lib/message.h"

void lexer_begin(struct lexer *p, char *text)
{
	*p = (struct lexer){ .text = text, .next = text };
	lexer_next(p);
}

void lexer_end(struct lexer *p)
{
	free(p->token);
	free(p->text);
}

bool lexer_fail(struct lexer *p, const char *what)
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
void lexer_next(struct lexer *p)
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
		out_of_memory();
	p->at = s - p->text + 1;
	p->next = s + len;
}

bool lexer_at(const struct lexer *p, const char *word)
{
	return !strcasecmp(p->token, word);
}

bool lexer_take(struct lexer *p, const char *word)
{
	if (!lexer_at(p, word))
		return false;
	lexer_next(p);
	return true;
}
