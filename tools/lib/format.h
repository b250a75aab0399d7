/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers and times as text. Functions with a @buf return it, terminated. */
#ifndef LIB_FORMAT_H
#define LIB_FORMAT_H

#include "lib/base.h"

#define FMT_U64		24
#define FMT_TIME	48
#define FMT_SPAN	32
#define FMT_SHORT	12

/* Decimal digits at p, not terminated. Return: where they end */
char *put_u64(char *p, u64 v);

/* RFC 3339 in UTC, with so many digits of the second */
char *fmt_time(char *buf, u64 ns, unsigned int digits);
/* For people: 850us, 1.25s, 3m20s, 2d04h */
char *fmt_span(char *buf, u64 ns);
/* A count or a rate in few characters: 0, 0.5, 12, 3400, 34.0k, 1.2M */
char *fmt_short(char *buf, double v);
/* A and B with a slash between */
char *fmt_two(char *buf, u64 a, u64 b);

#endif
