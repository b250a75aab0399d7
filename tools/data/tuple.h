/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses and ports: those of a flow, and how they are written. */
#ifndef DATA_TUPLE_H
#define DATA_TUPLE_H

#include <netinet/in.h>

#include "lib/base.h"

/* The tuple of a flow: src and sport are orig's. */
struct tuple {
	u8 family;		/* AF_INET, AF_INET6; AF_UNSPEC: not known */
	u16 sport, dport;	/* host order */
	u8 src[16], dst[16];	/* network order */
};

/* As the other end sees it. */
struct tuple tuple_reversed(const struct tuple *t);
bool tuple_equal(const struct tuple *a, const struct tuple *b);
/* The same in either direction. */
bool tuple_is_between(const struct tuple *a, const struct tuple *b);
/* The same for both directions. */
u64 tuple_hash(const struct tuple *t);

/*
 * Takes HOST:PORT or [HOST]:PORT apart in place; either part may be empty.
 * Return: false if there is no colon.
 */
bool split_endpoint(char *word, char **host, char **port);

#define FMT_ADDR	INET6_ADDRSTRLEN
#define FMT_ENDPOINT	320	/* a host's name, brackets, a service's name */

char *fmt_addr(char *buf, int family, const u8 *addr);
/* ADDR:PORT, with IPv6 in brackets; names if the user wants names. */
char *fmt_endpoint(char *buf, int family, const u8 *addr, u16 port);
/* One end of a tuple. */
char *fmt_src(char *buf, const struct tuple *t);
char *fmt_dst(char *buf, const struct tuple *t);

static inline unsigned int addr_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

#endif
