// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/number.h"

struct unit {
	const char *name;
	u64 ns;
};

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

bool read_size(const char *word, u64 min, u64 max, u64 *bytes)
{
	static const char units[] = "KMGT";
	const char *end = word, *unit;
	unsigned int shift = 0;

	if (*word == ' ' || *word == '\t' || !scan_u64(&end, bytes))
		return false;
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unit - units + 1);
		end++;
	}
	if (*end || *bytes > ~0ULL >> shift)
		return false;
	*bytes <<= shift;
	return *bytes >= min && *bytes <= max;
}

/* The unit that begins here, among those below @bigger. Return: NULL: none does */
static const struct unit *find_unit(const char *word, size_t len, u64 bigger)
{
	static const struct unit units[] = {
		{ "us", 1000 }, { "ms", NSEC_PER_MS }, { "s", NSEC }, { "", NSEC },
		{ "m", 60 * NSEC }, { "h", 3600 * NSEC }, { "d", 86400 * NSEC },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(units); i++)
		if (strlen(units[i].name) == len && !strncmp(units[i].name, word, len) &&
		    units[i].ns < bigger)
			return &units[i];
	return NULL;
}

bool read_span(const char *word, u64 *ns)
{
	u64 bigger = ~0ULL, sum = 0;
	const struct unit *unit;
	double value;
	char *end;
	size_t len;

	do {
		if (*word < '0' || *word > '9')
			return false;
		value = strtod(word, &end);
		len = strspn(end, "usmhd");
		unit = find_unit(end, len, bigger);
		if (!unit || value * unit->ns >= 9e18 ||
		    __builtin_add_overflow(sum, (u64)(value * unit->ns), &sum))
			return false;
		bigger = unit->ns;
		word = end + len;
	} while (*word);
	*ns = sum;
	return true;
}
