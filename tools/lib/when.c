// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/number.h"
#include "lib/when.h"

/* The fraction of a second, if there is one. */
static const char *read_fraction(const char *s, u64 *ns)
{
	u64 digit = NSEC / 10;

	*ns = 0;
	if (*s != '.')
		return s;
	for (s++; *s >= '0' && *s <= '9'; s++, digit /= 10)
		*ns += (*s - '0') * digit;
	return s;
}

/* HH:MM, HH:MM:SS, HH:MM:SS.FRACTION. Return: what stands behind it, NULL: it is none */
static const char *read_hours(const char *s, struct tm *tm, u64 *ns)
{
	const char *rest = strptime(s, "%H:%M:%S", tm);

	*ns = 0;
	if (rest)
		return read_fraction(rest, ns);
	tm->tm_sec = 0;
	return strptime(s, "%H:%M", tm);
}

static bool set_time(struct tm *tm, bool utc, u64 ns, u64 *when)
{
	time_t t;

	tm->tm_isdst = -1;
	t = utc ? timegm(tm) : mktime(tm);
	*when = t * NSEC + ns;
	return t >= 0;
}

static bool read_date(const char *word, u64 *when)
{
	struct tm tm = { 0 };
	const char *s = strptime(word, "%Y-%m-%d", &tm);
	bool utc = false;
	u64 ns = 0;

	if (!s)
		return false;
	if (*s == 'T' || *s == ' ') {
		s = read_hours(s + 1, &tm, &ns);
		if (!s)
			return false;
		utc = *s == 'Z';
		s += utc;
	}
	return !*s && set_time(&tm, utc, ns, when);
}

/* The beginning of a day, so many days before that of @now. */
static bool read_day(u64 now, int before, u64 *when)
{
	time_t t = now / NSEC;
	struct tm tm;

	localtime_r(&t, &tm);
	tm.tm_mday -= before;
	tm.tm_hour = 0;
	tm.tm_min = 0;
	tm.tm_sec = 0;
	return set_time(&tm, false, 0, when);
}

static bool read_time_of_day(const char *word, u64 now, bool comes, u64 *when)
{
	time_t t = now / NSEC;
	struct tm today, before;
	const char *s;
	u64 ns;

	localtime_r(&t, &today);
	s = read_hours(word, &today, &ns);
	before = today;		/* set_time() may change what does not exist on a day */
	before.tm_mday--;
	if (!s || *s || !set_time(&today, false, ns, when))
		return false;
	return *when <= now || comes || set_time(&before, false, ns, when);
}

static bool read_seconds(const char *word, u64 *when)
{
	u64 seconds, ns;
	const char *s = word + 1;

	if (*word != '@' || !scan_u64(&s, &seconds) || seconds > ~0ULL / NSEC - 1)
		return false;
	s = read_fraction(s, &ns);
	*when = seconds * NSEC + ns;
	return !*s;
}

bool read_when(const char *word, u64 now, bool comes, u64 *when)
{
	u64 span;

	if (!strcmp(word, "today"))
		return read_day(now, 0, when);
	if (!strcmp(word, "yesterday"))
		return read_day(now, 1, when);
	if (!strcmp(word, "now")) {
		*when = now;
		return true;
	}
	if (strchr(word, ':') || strchr(word + (*word == '-'), '-'))
		return read_date(word, when) || read_time_of_day(word, now, comes, when);
	if (*word == '@')
		return read_seconds(word, when);
	if (!read_span(word + (*word == '-'), &span) || span > now)
		return false;
	*when = now - span;
	return true;
}
