// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/live.h"
#include "lib/message.h"

static void (*receiver)(const char *text);
static void (*flush_output)(void);

void note_to(void (*fn)(const char *text))
{
	receiver = fn;
}

void note_after(void (*flush)(void))
{
	flush_output = flush;
}

static void print_note(const char *fmt, va_list ap)
{
	char text[512];

	if (receiver) {
		vsnprintf(text, sizeof(text), fmt, ap);
		receiver(text);
		return;
	}
	progress_end();
	if (flush_output)
		flush_output();
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
	print_note(fmt, ap);
	va_end(ap);
}

int fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_note(fmt, ap);
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
