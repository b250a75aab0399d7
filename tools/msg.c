// SPDX-License-Identifier: GPL-2.0
/* Messages to people, on stderr. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "out.h"
#include "tool.h"

static void (*to)(const char *text);

void note_to(void (*fn)(const char *text))
{
	to = fn;
}

static void vnote(const char *fmt, va_list ap)
{
	char text[512];

	if (to) {
		vsnprintf(text, sizeof(text), fmt, ap);
		to(text);
		return;
	}
	out_flush();		/* what was found before stands before */
	fputs("tcpfsm: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vnote(fmt, ap);
	va_end(ap);
}

int fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vnote(fmt, ap);
	va_end(ap);
	return EXIT_ERROR;
}

void *zalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		exit(fail("out of memory"));
	return p;
}

void *array_grow(void *array, size_t n, size_t size)
{
	/* It doubles at each power of two. */
	if (n & (n - 1))
		return array;
	array = reallocarray(array, n ? 2 * n : 1, size);
	if (!array)
		exit(fail("out of memory"));
	return array;
}
