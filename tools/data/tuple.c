// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "data/tuple.h"
#include "lib/format.h"
#include "lib/options.h"

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

static bool resolve_endpoint(char *buf, int family, const u8 *addr, u16 port)
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

	if (opt.resolve && resolve_endpoint(buf, family, addr, port))
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

char *fmt_src(char *buf, const struct tuple *t)
{
	return fmt_endpoint(buf, t->family, t->src, t->sport);
}

char *fmt_dst(char *buf, const struct tuple *t)
{
	return fmt_endpoint(buf, t->family, t->dst, t->dport);
}

bool tuple_equal(const struct tuple *a, const struct tuple *b)
{
	return a->family == b->family && a->sport == b->sport && a->dport == b->dport &&
	       !memcmp(a->src, b->src, addr_len(a->family)) &&
	       !memcmp(a->dst, b->dst, addr_len(a->family));
}
