/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The print layer: one call says a value for text and for JSON.
 *
 * A value has a key, its name as a JSON member, and a width, its cell in a line of text:
 * positive aligns to the right, negative to the left. Without a key it is for text alone,
 * without a width for JSON alone; what stands in an array takes OUT_ITEM. Objects and arrays
 * show in JSON only, out_line() in text only.
 */
#ifndef OUT_H
#define OUT_H

#include "lib/tool.h"

enum out_shape {
	OUT_TEXT,
	OUT_LINES,		/* JSON, one object a line */
	OUT_DOCUMENT,		/* JSON, one document */
};

#define OUT_ITEM	""

/* @shape: which form of JSON, if the user wants JSON at all. What was left open is dropped. */
void out_start(enum out_shape shape);
bool out_is_text(void);

void out_object(const char *key);
void out_array(const char *key);
void out_end(void);

void out_num(const char *key, int width, u64 v);
/* In JSON only. */
void out_real(const char *key, double v);
/* @s: NULL is null in JSON, a dash in text */
void out_str(const char *key, int width, const char *s);
void out_true(const char *key);

/* The next cell of text stands out, on a terminal, unless NO_COLOR is set. */
enum out_paint { OUT_PLAIN, OUT_GOOD, OUT_ODD, OUT_BAD, OUT_OVER };
void out_paint(enum out_paint paint);

void out_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_line(void);

/* Header cells, unless the user wants none: pairs of name and width, up to NULL. */
struct out_column {
	const char *name;
	int width;
};
void out_header(const struct out_column *columns);

/* Hand over to the kernel what is printed so far. */
void out_flush(void);

#endif
