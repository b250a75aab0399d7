// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"

bool scan_u64(const char **at, u64 *v)
{
	const char *s = *at + strspn(*at, " \t");
	u64 n = 0;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *s - '0', &n))
			return false;
	*at = s;
	*v = n;
	return true;
}

bool read_u64(const char *word, u64 min, u64 max, u64 *v)
{
	const char *end = word;

	return *word != ' ' && *word != '\t' && scan_u64(&end, v) && !*end && *v >= min &&
	       *v <= max;
}

bool read_span(const char *word, u64 *ns)
{
	static const struct { const char *name; u64 ns; } units[] = {
		{ "us", 1000 }, { "ms", NSEC_PER_MS }, { "s", NSEC }, { "", NSEC },
		{ "m", 60 * NSEC }, { "h", 3600 * NSEC }, { "d", 86400 * NSEC },
	};
	double value;
	char *end;
	size_t i;

	if (*word < '0' || *word > '9')
		return false;
	value = strtod(word, &end);
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name) || value * units[i].ns >= 1e19)
			continue;
		*ns = value * units[i].ns;
		return true;
	}
	return false;
}
