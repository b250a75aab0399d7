/* SPDX-License-Identifier: GPL-2.0 */
/* Reading numbers and spans of time: the only parser that the tool has for them. */
#ifndef LIB_NUMBER_H
#define LIB_NUMBER_H

#include "lib/base.h"

/*
 * The decimal number at *@at, with or without blanks before it; *@at moves behind it.
 * Return: false if there is none, or it does not fit.
 */
bool scan_u64(const char **at, u64 *v);
/* Bytes: a number, or one with K, M, G or T behind it for powers of 1024. Return: as read_u64() */
bool read_size(const char *word, u64 min, u64 max, u64 *bytes);
/* A word that is a number and nothing else. Return: whether it is one from @min to @max. */
bool read_u64(const char *word, u64 min, u64 max, u64 *v);
/*
 * Numbers and their units, the largest first: 500ms, 10s or 10, 1.5m, 2h, 1d; as fmt_span() prints
 * them: 1m05s, 2d04h. Return: false if it is none.
 */
bool read_span(const char *word, u64 *ns);

#endif
