// SPDX-License-Identifier: GPL-2.0
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "data/resolve.h"
#include "lib/htab.h"
#include "lib/live.h"
#include "lib/memory.h"
#include "lib/message.h"

#define MOST		(1 << 16)	/* addresses that are remembered */
#define PATIENCE	(3 * NSEC)	/* for answers that do not come, in all */
#define PAUSE		(60 * NSEC)	/* then nobody is asked for so long */

struct host {
	struct hnode node;
	int family;
	u8 addr[16];
	char *name;		/* NULL: it has none */
};

static struct htab hosts;
static u64 waited, ask_again;

static struct host *find_host(int family, const u8 *addr, u64 hash)
{
	struct hnode *n;

	for (n = htab_first(&hosts, hash); n; n = htab_next(n)) {
		struct host *h = (struct host *)n;

		if (h->family == family && !memcmp(h->addr, addr, family == AF_INET ? 4 : 16))
			return h;
	}
	return NULL;
}

static bool forget_host(struct hnode *n, void *arg)
{
	struct host *h = (struct host *)n;

	(void)arg;
	free(h->name);
	free(h);
	return true;
}

static void give_up_for_now(u64 now)
{
	waited = 0;
	ask_again = now + PAUSE;
	note("the resolver does not answer: addresses are shown instead of names");
}

/* Return: false: nobody told. */
static bool ask_resolver(struct host *h)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	bool v4 = h->family == AF_INET;
	u64 began = clock_now(), now;
	char name[NI_MAXHOST];
	int err;

	if (began < ask_again)
		return false;
	/* What resolv.conf(5) calls so, unless the user has set it: by itself it waits for 10 s. */
	setenv("RES_OPTIONS", "timeout:1 attempts:1", 0);
	memcpy(&in.sin_addr, h->addr, sizeof(in.sin_addr));
	memcpy(&in6.sin6_addr, h->addr, sizeof(in6.sin6_addr));
	err = getnameinfo(v4 ? (struct sockaddr *)&in : (struct sockaddr *)&in6,
			  v4 ? sizeof(in) : sizeof(in6), name, sizeof(name), NULL, 0, NI_NAMEREQD);
	now = clock_now();
	if (err == EAI_AGAIN) {
		waited += now - began;
		if (waited >= PATIENCE)
			give_up_for_now(now);
	}
	if (!err)
		h->name = string_copy(name);
	return true;
}

const char *host_name(int family, const u8 *addr)
{
	size_t len = family == AF_INET ? 4 : 16;
	u64 hash = hash_bytes(family, addr, len);
	struct host *h;

	h = find_host(family, addr, hash);
	if (h)
		return h->name;
	h = zalloc(sizeof(*h));
	h->family = family;
	memcpy(h->addr, addr, len);
	if (!ask_resolver(h)) {
		free(h);
		return NULL;
	}
	if (hosts.count == MOST)
		htab_sweep(&hosts, forget_host, NULL);
	htab_add(&hosts, &h->node, hash);
	return h->name;
}

const char *port_name(u16 port)
{
	static struct {
		bool asked;
		char *name;
	} ports[1 << 16];
	const struct servent *s;

	if (!ports[port].asked) {
		ports[port].asked = true;
		s = getservbyport(htons(port), "tcp");
		ports[port].name = s ? string_copy(s->s_name) : NULL;
	}
	return ports[port].name;
}
