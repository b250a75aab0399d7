// SPDX-License-Identifier: GPL-2.0
/* Services: the addresses and ports that connections were opened to. */
#include <stdlib.h>
#include <string.h>

#include "capture/track_flow.h"
#include "lib/memory.h"

struct known_service {
	struct hnode node;
	u8 family;
	u8 addr[16];
	u16 port;
};

static struct known_service *find_service(const struct track *t, u8 family, const u8 *addr,
					  u16 port, u64 *hash)
{
	struct hnode *n;

	*hash = hash_bytes(hash_mix((u64)family << 16 | port), addr, 16);
	for (n = htab_first(&t->services, *hash); n; n = htab_next(n)) {
		struct known_service *s = container_of(n, struct known_service, node);

		if (s->family == family && s->port == port && !memcmp(s->addr, addr, 16))
			return s;
	}
	return NULL;
}

bool track_is_service(const struct track *t, u8 family, const u8 *addr, u16 port)
{
	u64 hash;

	return find_service(t, family, addr, port, &hash);
}

void track_learn_service(struct track *t, u8 family, const u8 *addr, u16 port)
{
	struct known_service *s;
	u64 hash;

	if (find_service(t, family, addr, port, &hash))
		return;
	s = zalloc(sizeof(*s));
	s->family = family;
	s->port = port;
	memcpy(s->addr, addr, sizeof(s->addr));
	htab_add(&t->services, &s->node, hash);
}

static bool free_service(struct hnode *n, void *unused)
{
	(void)unused;
	free(container_of(n, struct known_service, node));
	return true;
}

void track_free_services(struct track *t)
{
	htab_sweep(&t->services, free_service, NULL);
	htab_free(&t->services);
}
