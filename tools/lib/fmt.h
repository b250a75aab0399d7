/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers, times and addresses as text. Functions with a @buf return it, terminated. */
#ifndef FMT_H
#define FMT_H

#include <netinet/in.h>

#include "lib/tool.h"

/* The tuple of a flow: src and sport are orig's. */
struct tuple {
	u8 family;		/* AF_INET, AF_INET6; AF_UNSPEC: not known */
	u16 sport, dport;	/* host order */
	u8 src[16], dst[16];	/* network order */
};

/* As the other end sees it. */
struct tuple tuple_reversed(const struct tuple *t);

/*
 * HOST:PORT or [HOST]:PORT, taken apart in place; either may be empty.
 * Return: false if there is no colon.
 */
bool split_endpoint(char *word, char **host, char **port);

#define FMT_U64		24
#define FMT_TIME	48
#define FMT_SPAN	32
#define FMT_SHORT	12
#define FMT_ADDR	INET6_ADDRSTRLEN
#define FMT_ENDPOINT	320	/* a host's name, brackets, a service's name */

/* Decimal digits at p. Return: where they end; not terminated. */
char *put_u64(char *p, u64 v);

char *fmt_addr(char *buf, int family, const u8 *addr);
/* ADDR:PORT, IPv6 in brackets; names if asked for */
char *fmt_endpoint(char *buf, int family, const u8 *addr, u16 port);
/* RFC 3339 in UTC with so many digits of the second */
char *fmt_time(char *buf, u64 ns, unsigned int digits);
/* For people: 850us, 1.25s, 3m20s, 2d04h */
char *fmt_span(char *buf, u64 ns);
/* The other way round, one number and its unit: 500ms, 10s or 10, 1.5m, 2h, 1d. False: none. */
bool read_span(const char *word, u64 *ns);
/* A count or a rate in few characters: 0, 0.5, 12, 3400, 34.0k, 1.2M */
char *fmt_short(char *buf, double v);
/* A and B with a slash between */
char *fmt_two(char *buf, u64 a, u64 b);

static inline unsigned int addr_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

#endif
