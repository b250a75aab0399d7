/* SPDX-License-Identifier: GPL-2.0 */
/* A hash table of nodes that live inside the caller's objects; it grows, and owns nothing. */
#ifndef LIB_HTAB_H
#define LIB_HTAB_H

#include "lib/base.h"

struct hnode {
	struct hnode *next;
	u64 hash;
};

struct htab {
	struct hnode **slot;
	size_t size;		/* a power of two, or 0 */
	size_t count;
};

/* Finalizer of MurmurHash3, public domain. */
static inline u64 hash_mix(u64 h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ULL;
	return h ^ h >> 33;
}

/* Continues a hash over @n bytes. */
u64 hash_bytes(u64 h, const void *p, size_t n);

void htab_add(struct htab *t, struct hnode *n, u64 hash);
void htab_del(struct htab *t, struct hnode *n);
/* The nodes of a hash: the first, and the one after @n. The caller compares keys. */
struct hnode *htab_first(const struct htab *t, u64 hash);
struct hnode *htab_next(const struct hnode *n);
/* Visits all nodes; those for which @take returns true leave the table, and may be freed there. */
void htab_sweep(struct htab *t, bool (*take)(struct hnode *n, void *arg), void *arg);
void htab_free(struct htab *t);

#endif
