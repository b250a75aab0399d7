// SPDX-License-Identifier: GPL-2.0
/* Messages to people, on stderr. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/live.h"
#include "lib/out.h"
#include "lib/tool.h"

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
	progress_end();
	out_flush();		/* what was found before stands before */
	flockfile(stderr);	/* ship has two threads */
	fputs("tcpfsm: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
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

#define PROGRESS_FIRST	NSEC
#define PROGRESS_NEXT	(NSEC / 2)

static u64 progress_due;
static bool progress_shown;

bool progress_wanted(void)
{
	static int wanted = -1;

	if (wanted < 0)
		wanted = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
	return wanted;
}

void progress(u64 done, u64 all, const char *what)
{
	u64 now;

	if (done & 0xff || !progress_wanted())
		return;
	now = clock_now();
	if (!progress_due)
		progress_due = now + PROGRESS_FIRST;
	if (now < progress_due)
		return;
	progress_due = now + PROGRESS_NEXT;
	progress_shown = true;
	fprintf(stderr, "\r%llu", (unsigned long long)done);
	if (all)
		fprintf(stderr, " of about %llu", (unsigned long long)(all > done ? all : done));
	fprintf(stderr, " %s\033[K", what);
	fflush(stderr);
}

void progress_end(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = false;
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
