/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The JSON writer: values go into a buffer as they come, commas and colons are its business.
 * What stands in an object has a key; what stands in an array, or alone, ignores it.
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include "lib/buffer.h"

#define JSON_DEPTH	8

struct json {
	struct buffer *to;
	unsigned int depth;
	char close[JSON_DEPTH];		/* '}' or ']' */
	bool more[JSON_DEPTH];		/* a comma goes before the next value */
};

void jsonw_object(struct json *j, const char *key);
void jsonw_array(struct json *j, const char *key);
/* Closes the innermost object or array. */
void jsonw_end(struct json *j);

void jsonw_num(struct json *j, const char *key, u64 v);
/* With so many digits behind the point; JSON_EXACT: as many as tell it from any other. */
#define JSON_EXACT	(-1)
void jsonw_real(struct json *j, const char *key, double v, int digits);
/* @s: NULL, and what is no UTF-8, is null. */
void jsonw_str(struct json *j, const char *key, const char *s);
void jsonw_null(struct json *j, const char *key);
void jsonw_true(struct json *j, const char *key);

bool is_utf8(const char *s);

#endif
