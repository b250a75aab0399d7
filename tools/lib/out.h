/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The print layer: one call says a value for text and for JSON.
 *
 * A value has a key, its name as a JSON member, and a width, its cell in a line of text:
 * positive aligns to the right, negative to the left. Without a key it is for text alone,
 * without a width for JSON alone; what stands in an array takes OUT_ITEM. Objects and arrays
 * show in JSON only, out_line() in text only.
 *
 * A table has one description of its columns. out_header() prints their names; each value of a
 * row, begun with out_row(), takes the next column's key and width.
 */
#ifndef LIB_OUT_H
#define LIB_OUT_H

#include "lib/json.h"

enum out_shape {
	OUT_TEXT,
	OUT_LINES,		/* JSON, one object a line */
	OUT_DOCUMENT,		/* JSON, one document */
};

#define OUT_ITEM	""

/* @shape: which form of JSON, if the user wants JSON at all. An open document is dropped. */
void out_start(enum out_shape shape);
bool out_is_text(void);
/* The writer beneath, for what has a spelling in JSON of its own; NULL for text. */
struct json *out_json(void);
/* After the writer was used: prints what is complete. */
void out_json_done(void);

void out_object(const char *key);
void out_array(const char *key);
void out_end(void);

void out_num(const char *key, int width, u64 v);
/* In JSON only. */
void out_real(const char *key, double v);
/* @s: NULL is null in JSON, a dash in text. */
void out_str(const char *key, int width, const char *s);
void out_true(const char *key);

struct out_column {
	const char *name;
	int width;
	const char *key;	/* NULL: in text only */
};

/* Up to a column without a name; nothing if the user wants no header. */
void out_header(const struct out_column *columns);
void out_row(const struct out_column *columns);
void out_row_num(u64 v);
void out_row_str(const char *s);

/* The next cell of text stands out, on a terminal, unless NO_COLOR is set. */
enum out_paint { OUT_PLAIN, OUT_GOOD, OUT_ODD, OUT_BAD, OUT_OVER };
void out_paint(enum out_paint paint);

void out_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_line(void);

/* Hands what is printed so far over to the kernel. */
void out_flush(void);

#endif
