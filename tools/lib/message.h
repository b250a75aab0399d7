/* SPDX-License-Identifier: GPL-2.0 */
/* Sentences for people: on stderr, or wherever a verb with a screen of its own shows them. */
#ifndef LIB_MESSAGE_H
#define LIB_MESSAGE_H

#include "lib/base.h"

/* A sentence behind the tool's name. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same for an error. Return: EXIT_ERROR */
int fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* From now on, notes go to @fn; NULL: to stderr again. */
void note_to(void (*fn)(const char *text));
/* @flush is called before a note, so that the output before it stands before it. */
void note_after(void (*flush)(void));

/*
 * How far a long answer has come, twice a second from the first second on. It shows only if
 * progress_wanted(): stderr is a terminal and stdout is not. @all: about how many, or 0.
 */
bool progress_wanted(void);
void progress(u64 done, u64 all, const char *what);
/* Removes it from the screen. */
void progress_end(void);

#endif
