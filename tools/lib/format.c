// SPDX-License-Identifier: GPL-2.0
/* No printf() where a million lines pass. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/format.h"

char *put_u64(char *p, u64 v)
{
	char digits[FMT_U64], *d = digits + sizeof(digits);
	size_t len;

	do {
		*--d = '0' + v % 10;
		v /= 10;
	} while (v);
	len = digits + sizeof(digits) - d;
	memcpy(p, d, len);
	return p + len;
}

char *fmt_time(char *buf, u64 ns, unsigned int digits)
{
	static char day[FMT_TIME];
	static size_t len;
	static time_t last;
	time_t now = ns / NSEC;
	u64 part = ns % NSEC;
	unsigned int i;
	struct tm tm;
	char *p;

	/* Many lines in a row are of the same second. */
	if (!len || now != last) {
		if (!gmtime_r(&now, &tm))
			memset(&tm, 0, sizeof(tm));
		len = strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
		last = now;
	}
	memcpy(buf, day, len);
	p = buf + len;
	if (digits)
		*p++ = '.';
	for (i = 9; i > 0; i--) {
		if (i <= digits)
			p[i - 1] = '0' + part % 10;
		part /= 10;
	}
	strcpy(p + digits, "Z");
	return buf;
}

/* Three digits, cut off and not rounded, so that 999 never becomes 1e+03. */
static char *put_three(char *p, u64 v, u64 unit)
{
	u64 whole = v / unit, part = v % unit;

	p = put_u64(p, whole);
	if (whole >= 100)
		return p;
	*p++ = '.';
	*p++ = '0' + part * 10 / unit;
	if (whole < 10)
		*p++ = '0' + part * 100 / unit % 10;
	return p;
}

/* Two units, the smaller with two digits. */
static char *put_units(char *p, u64 v, u64 unit, char big, u64 per, char small)
{
	u64 rest = v % unit / per;

	p = put_u64(p, v / unit);
	*p++ = big;
	*p++ = '0' + rest / 10;
	*p++ = '0' + rest % 10;
	*p++ = small;
	return p;
}

char *fmt_span(char *buf, u64 ns)
{
	const u64 minute = 60 * NSEC, hour = 60 * minute, day = 24 * hour;
	char *p = buf;

	if (ns < NSEC_PER_MS)
		p = stpcpy(put_u64(p, ns / 1000), "us");
	else if (ns < NSEC)
		p = stpcpy(put_three(p, ns, NSEC_PER_MS), "ms");
	else if (ns < minute)
		p = stpcpy(put_three(p, ns, NSEC), "s");
	else if (ns < hour)
		p = put_units(p, ns, minute, 'm', NSEC, 's');
	else if (ns < day)
		p = put_units(p, ns, hour, 'h', minute, 'm');
	else
		p = put_units(p, ns, day, 'd', hour, 'h');
	*p = '\0';
	return buf;
}

char *fmt_short(char *buf, double v)
{
	static const char units[] = " kMGTPE";
	size_t unit = 0;

	if (v < 10000) {
		snprintf(buf, FMT_SHORT, "%.*f", v < 10 && v != (u64)v ? 1 : 0, v);
		return buf;
	}
	while (v >= 1000 && unit < sizeof(units) - 2) {
		v /= 1000;
		unit++;
	}
	snprintf(buf, FMT_SHORT, "%.1f%c", v, units[unit]);
	return buf;
}

char *fmt_two(char *buf, u64 a, u64 b)
{
	char *p = put_u64(buf, a);

	*p++ = '/';
	*put_u64(p, b) = '\0';
	return buf;
}
