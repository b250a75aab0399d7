// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "lib/htab.h"
#include "record/index.h"

#define HASHES		4
#define BITS_PER_KEY	8
#define SMALLEST	8	/* bytes */

/* The kinds of keys: an address is not a port. */
enum { KEY_ADDRESS = 1, KEY_PORT, KEY_ID };

struct index {
	u8 *bits;
	u64 mask;
};

static u64 hash_of_id(u64 id)
{
	return hash_mix(hash_mix(id) ^ KEY_ID);
}

static u64 hash_of_port(u16 port)
{
	return hash_mix(hash_mix(port) ^ KEY_PORT);
}

static u64 hash_of_address(const u8 *addr, int family)
{
	return hash_bytes(KEY_ADDRESS, addr, addr_len(family));
}

/* ---- making one ---- */

static void put_key(const struct index *x, u64 hash)
{
	u64 step = hash >> 32 | 1;
	unsigned int i;

	for (i = 0; i < HASHES; i++, hash += step)
		x->bits[(hash & x->mask) / 8] |= 1U << (hash & 7);
}

static void put_tuple(const struct index *x, const struct tuple *t)
{
	if (!t->family)
		return;
	put_key(x, hash_of_address(t->src, t->family));
	put_key(x, hash_of_address(t->dst, t->family));
	put_key(x, hash_of_port(t->sport));
	put_key(x, hash_of_port(t->dport));
}

static void put_flow(const struct index *x, u64 id, const struct tuple *t, const struct nat *n)
{
	put_key(x, hash_of_id(id));
	put_tuple(x, t);
	if (!n->known)
		return;
	put_tuple(x, &n->orig);
	put_tuple(x, &n->resp);
}

static void put_ended(const struct index *x, const struct flow *f)
{
	put_flow(x, f->id, &f->tuple, &f->nat);
}

void index_pack(const struct block *b, struct buffer *to)
{
	/* Of a flow, its number and one port are its own; the rest it shares with others. */
	size_t keys = 2 * (b->flow.n + b->end.n) + 2, size = SMALLEST, i;
	struct index x;

	while (8 * size < keys * BITS_PER_KEY)
		size *= 2;
	x.bits = (u8 *)buffer_room(to, size);
	x.mask = 8 * size - 1;
	memset(x.bits, 0, size);
	/* A loss concerns whoever asks. */
	if (b->loss.n)
		memset(x.bits, 0xff, size);
	for (i = 0; i < b->flow.n; i++)
		put_flow(&x, b->flow.at[i].id, &b->flow.at[i].tuple, &b->flow.at[i].nat);
	for (i = 0; i < b->end.n; i++)
		put_ended(&x, &b->end.at[i].flow);
	to->len += size;
}

/* ---- asking one ---- */

static bool has_key(const struct index *x, u64 hash)
{
	u64 step = hash >> 32 | 1;
	unsigned int i;

	for (i = 0; i < HASHES; i++, hash += step)
		if (!(x->bits[(hash & x->mask) / 8] & 1U << (hash & 7)))
			return false;
	return true;
}

static bool may_be(const struct filter_key *key, void *arg)
{
	const struct index *x = arg;

	switch (key->kind) {
	case FILTER_KEY_ADDRESS:
		return has_key(x, hash_of_address(key->addr, key->family));
	case FILTER_KEY_PORT:
		return has_key(x, hash_of_port(key->value));
	case FILTER_KEY_ID:
		return has_key(x, hash_of_id(key->value));
	}
	return true;
}

bool index_may_hold(const u8 *index, size_t size, const struct filter *f)
{
	struct index x = { (u8 *)index, 8 * size - 1 };

	return filter_may_hold(f, may_be, &x);
}
