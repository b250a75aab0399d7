// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "lib/htab.h"
#include "lib/memory.h"

u64 hash_bytes(u64 h, const void *p, size_t n)
{
	const u8 *at = p;
	u64 word;

	for (; n >= sizeof(word); at += sizeof(word), n -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		h = hash_mix(h ^ word);
	}
	if (!n)
		return h;
	word = 0;
	memcpy(&word, at, n);
	return hash_mix(h ^ word);
}

static void grow_table(struct htab *t)
{
	size_t size = t->size ? t->size * 2 : 256, i;
	struct hnode **slot = zalloc(size * sizeof(*slot));

	for (i = 0; i < t->size; i++) {
		struct hnode *n, *next;

		for (n = t->slot[i]; n; n = next) {
			next = n->next;
			n->next = slot[n->hash & (size - 1)];
			slot[n->hash & (size - 1)] = n;
		}
	}
	free(t->slot);
	t->slot = slot;
	t->size = size;
}

void htab_add(struct htab *t, struct hnode *n, u64 hash)
{
	struct hnode **slot;

	if (t->count == t->size)
		grow_table(t);
	slot = &t->slot[hash & (t->size - 1)];
	n->hash = hash;
	n->next = *slot;
	*slot = n;
	t->count++;
}

void htab_del(struct htab *t, struct hnode *n)
{
	struct hnode **p = &t->slot[n->hash & (t->size - 1)];

	while (*p != n)
		p = &(*p)->next;
	*p = n->next;
	t->count--;
}

struct hnode *htab_first(const struct htab *t, u64 hash)
{
	struct hnode *n = t->size ? t->slot[hash & (t->size - 1)] : NULL;

	while (n && n->hash != hash)
		n = n->next;
	return n;
}

struct hnode *htab_next(const struct hnode *n)
{
	u64 hash = n->hash;
	struct hnode *next = n->next;

	while (next && next->hash != hash)
		next = next->next;
	return next;
}

void htab_sweep(struct htab *t, bool (*take)(struct hnode *n, void *arg), void *arg)
{
	size_t i;

	for (i = 0; i < t->size; i++) {
		struct hnode **p = &t->slot[i];

		while (*p) {
			struct hnode *n = *p, *next = n->next;

			if (take(n, arg)) {
				*p = next;
				t->count--;
			} else {
				p = &n->next;
			}
		}
	}
}

void htab_free(struct htab *t)
{
	free(t->slot);
	*t = (struct htab){ 0 };
}
