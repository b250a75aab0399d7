// SPDX-License-Identifier: GPL-2.0
/* Numbers, times and addresses as text; without printf where a million lines pass. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/fmt.h"

struct tuple tuple_reversed(const struct tuple *t)
{
	struct tuple r = { .family = t->family, .sport = t->dport, .dport = t->sport };

	memcpy(r.src, t->dst, sizeof(r.src));
	memcpy(r.dst, t->src, sizeof(r.dst));
	return r;
}

bool split_endpoint(char *word, char **host, char **port)
{
	char *colon = strrchr(word, ':');

	if (!colon)
		return false;
	*colon = '\0';
	*port = colon + 1;
	*host = word;
	if (*word == '[' && colon[-1] == ']') {
		(*host)++;
		colon[-1] = '\0';
	}
	return true;
}

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

char *fmt_addr(char *buf, int family, const u8 *addr)
{
	char *p = buf;
	int i;

	if (family == AF_INET6) {
		if (!inet_ntop(AF_INET6, addr, buf, FMT_ADDR))
			strcpy(buf, "?");
		return buf;
	}
	for (i = 0; i < 4; i++) {
		p = put_u64(p, addr[i]);
		*p++ = '.';
	}
	p[-1] = '\0';
	return buf;
}

static bool resolved(char *buf, int family, const u8 *addr, u16 port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr *sa = (struct sockaddr *)&in6;
	socklen_t len = sizeof(in6);
	char host[256], serv[32];

	memcpy(&in6.sin6_addr, addr, 16);
	if (family == AF_INET) {
		memcpy(&in.sin_addr, addr, 4);
		sa = (struct sockaddr *)&in;
		len = sizeof(in);
	}
	if (getnameinfo(sa, len, host, sizeof(host), serv, sizeof(serv), 0))
		return false;
	snprintf(buf, FMT_ENDPOINT, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, serv);
	return true;
}

char *fmt_endpoint(char *buf, int family, const u8 *addr, u16 port)
{
	bool v6 = family == AF_INET6;
	char *p = buf;

	if (opt.resolve && resolved(buf, family, addr, port))
		return buf;
	if (v6)
		*p++ = '[';
	fmt_addr(p, family, addr);
	p += strlen(p);
	if (v6)
		*p++ = ']';
	*p++ = ':';
	*put_u64(p, port) = '\0';
	return buf;
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

	/* Many lines share a second. */
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

/* Two units, the smaller one with two digits. */
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
