// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "data/resolve.h"
#include "data/tuple.h"
#include "lib/format.h"
#include "lib/htab.h"
#include "lib/options.h"

#define FMT_HOST	256	/* RFC 1035 2.3.4: 255 octets at most */

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

char *fmt_endpoint(char *buf, int family, const u8 *addr, u16 port)
{
	const char *host = opt.resolve ? host_name(family, addr) : NULL;
	const char *service = opt.resolve ? port_name(port) : NULL;
	char *p = buf;

	if (host) {
		p += snprintf(p, FMT_HOST, "%s", host);
	} else if (family == AF_INET6) {
		*p++ = '[';
		fmt_addr(p, family, addr);
		p = stpcpy(p + strlen(p), "]");
	} else {
		fmt_addr(p, family, addr);
		p += strlen(p);
	}
	*p++ = ':';
	if (service)
		snprintf(p, buf + FMT_ENDPOINT - p, "%s", service);
	else
		*put_u64(p, port) = '\0';
	return buf;
}

char *fmt_src(char *buf, const struct tuple *t)
{
	return fmt_endpoint(buf, t->family, t->src, t->sport);
}

char *fmt_dst(char *buf, const struct tuple *t)
{
	return fmt_endpoint(buf, t->family, t->dst, t->dport);
}

u64 tuple_hash(const struct tuple *t)
{
	u64 a = hash_bytes(t->sport, t->src, sizeof(t->src));
	u64 b = hash_bytes(t->dport, t->dst, sizeof(t->dst));

	return hash_mix(a + b + t->family);
}

bool tuple_equal(const struct tuple *a, const struct tuple *b)
{
	return a->family == b->family && a->sport == b->sport && a->dport == b->dport &&
	       !memcmp(a->src, b->src, addr_len(a->family)) &&
	       !memcmp(a->dst, b->dst, addr_len(a->family));
}

bool tuple_is_between(const struct tuple *a, const struct tuple *b)
{
	struct tuple back = tuple_reversed(b);

	return tuple_equal(a, b) || tuple_equal(a, &back);
}
