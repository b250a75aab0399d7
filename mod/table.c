// SPDX-License-Identifier: GPL-2.0
/*
 * The table: chains of flows, linked one way. A chain ends in a mark that tells which bucket it
 * is of, so that a reader who was carried into another chain, by a flow that was freed and used
 * anew under him, notices.
 */
#include <linux/mm.h>
#include <linux/prefetch.h>
#include <linux/rculist.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#include "service.h"
#include "table.h"

#define LOCKS 1024

static struct tcpfsm_flow __rcu **buckets __read_mostly;
static unsigned int mask __read_mostly;
static spinlock_t locks[LOCKS];
static struct kmem_cache *slab4 __read_mostly, *slab6 __read_mostly;

static struct tcpfsm_flow *end_of(unsigned int bucket)
{
	return (struct tcpfsm_flow *)(1UL | (unsigned long)bucket << 1);
}

static bool is_end(const struct tcpfsm_flow *f)
{
	return (unsigned long)f & 1;
}

static spinlock_t *lock_of(unsigned int bucket)
{
	return &locks[bucket & (LOCKS - 1)];
}

/* ---- keys ---- */

/*
 * With a secret of the namespace, so that nobody can aim flows at one bucket, nor learn from his
 * own namespace how to in another.
 */
void tcpfsm_table_hash(struct tcpfsm_tuple *t)
{
	u32 ports = (__force u32)t->port[0] << 16 | (__force u32)t->port[1];

	if (t->family == AF_INET) {
		t->key = ((union { __be32 ip4[2]; u64 key; }) {
			.ip4 = { t->addr[0].ip4, t->addr[1].ip4 }
		}).key;
		t->hash = hsiphash_4u32((__force u32)t->addr[0].ip4, (__force u32)t->addr[1].ip4,
					ports, t->l3, &t->tn->hash_key);
	} else {
		u64 words[5];

		memcpy(words, &t->addr[0].ip6, 16);
		memcpy(words + 2, &t->addr[1].ip6, 16);
		words[4] = (u64)ports << 32 | t->l3;
		t->key = words[0] ^ rol64(words[1], 16) ^ rol64(words[2], 32) ^ rol64(words[3], 48);
		t->hash = hsiphash(words, sizeof(words), &t->tn->hash_key);
	}
}

/* May it be this flow? Without its lock; most others are told apart. */
static bool may_be(const struct tcpfsm_flow *f, const struct tcpfsm_tuple *t)
{
	return f->key == t->key && f->port[0] == t->port[0] && f->port[1] == t->port[1];
}

/* Is it, and alive? Under its lock, or that of its bucket if it is there. */
static bool is_flow(const struct tcpfsm_flow *f, const struct tcpfsm_tuple *t)
{
	if (!f->service || f->service->tn != t->tn || f->service->l3 != t->l3 || !may_be(f, t) ||
	    f->family != (t->family == AF_INET6))
		return false;
	return !f->family || (ipv6_addr_equal(&f->ip6[0], &t->addr[0].ip6) &&
			      ipv6_addr_equal(&f->ip6[1], &t->addr[1].ip6));
}

/* ---- lookup ---- */

/* What a segment in order needs, in caches before it is asked for. */
static void fetch(const struct tcpfsm_flow *f)
{
	prefetchw(f);
	prefetchw((const char *)f + 64);
	prefetchw((const char *)f + offsetof(struct tcpfsm_flow, stamp) - 1);
}

struct tcpfsm_flow *tcpfsm_table_find(const struct tcpfsm_tuple *t)
{
	unsigned int bucket = t->hash & mask;
	struct tcpfsm_flow *f;

again:
	for (f = rcu_dereference(buckets[bucket]); !is_end(f); f = rcu_dereference(f->next)) {
		fetch(f);
		if (!may_be(f, t))
			continue;
		spin_lock(&f->lock);
		if (likely(is_flow(f, t)))
			return f;
		spin_unlock(&f->lock);
	}
	if (f != end_of(bucket))
		goto again;
	return NULL;
}

/* ---- changes ---- */

bool tcpfsm_table_insert(struct tcpfsm_flow *f, const struct tcpfsm_tuple *t)
{
	unsigned int bucket = t->hash & mask;
	struct tcpfsm_flow *first, *other;
	spinlock_t *lock = lock_of(bucket);

	lockdep_assert_held(&f->lock);
	spin_lock(lock);
	first = rcu_dereference_protected(buckets[bucket], lockdep_is_held(lock));
	for (other = first; !is_end(other); other = rcu_dereference_protected(other->next, true)) {
		if (is_flow(other, t)) {
			spin_unlock(lock);
			return false;
		}
	}
	RCU_INIT_POINTER(f->next, first);
	rcu_assign_pointer(buckets[bucket], f);
	spin_unlock(lock);
	return true;
}

static unsigned int bucket_of(const struct tcpfsm_flow *f)
{
	struct tcpfsm_tuple t = {
		.tn = f->service->tn, .l3 = f->service->l3, .port = { f->port[0], f->port[1] },
		.family = f->family ? AF_INET6 : AF_INET,
	};
	u8 i;

	for (i = 0; i < 2; i++)
		tcpfsm_flow_addr(f, i, &t.addr[i]);
	tcpfsm_table_hash(&t);
	return t.hash & mask;
}

/* Its own pointer stays: readers go on from it. */
void tcpfsm_table_remove(struct tcpfsm_flow *f)
{
	unsigned int bucket = bucket_of(f);
	struct tcpfsm_flow __rcu **at = &buckets[bucket];
	spinlock_t *lock = lock_of(bucket);

	lockdep_assert_held(&f->lock);
	spin_lock(lock);
	while (rcu_dereference_protected(*at, lockdep_is_held(lock)) != f)
		at = &rcu_dereference_protected(*at, lockdep_is_held(lock))->next;
	rcu_assign_pointer(*at, rcu_dereference_protected(f->next, lockdep_is_held(lock)));
	spin_unlock(lock);
}

static struct kmem_cache *slab_of(u8 family)
{
	return family == AF_INET ? slab4 : slab6;
}

struct tcpfsm_flow *tcpfsm_table_alloc(u8 family)
{
	return kmem_cache_alloc(slab_of(family), GFP_ATOMIC | __GFP_NOWARN);
}

void tcpfsm_table_free(struct tcpfsm_flow *f)
{
	kmem_cache_free(slab_of(f->family ? AF_INET6 : AF_INET), f);
}

/* ---- walks ---- */

unsigned int tcpfsm_table_buckets(void)
{
	return mask + 1;
}

bool tcpfsm_table_next(unsigned int bucket, u64 *after, u64 below,
		       bool (*want)(const struct tcpfsm_flow *f, const void *arg),
		       const void *arg, struct tcpfsm_snap *snap)
{
	struct tcpfsm_flow *f;
	bool found = false;
	u64 id, next;

	rcu_read_lock_bh();
again:
	next = below;
	for (f = rcu_dereference_bh(buckets[bucket]); !is_end(f); f = rcu_dereference_bh(f->next)) {
		spin_lock(&f->lock);
		id = f->service ? tcpfsm_flow_id(f) : 0;
		if (id > *after && id < next && want(f, arg)) {
			tcpfsm_flow_snapshot(f, snap);
			next = id;
		}
		spin_unlock(&f->lock);
	}
	if (f != end_of(bucket))
		goto again;
	if (next < below) {
		*after = next;
		found = true;
	}
	rcu_read_unlock_bh();
	return found;
}

/* ---- init ---- */

/* The lock outlives the flow: a late reader may hold it while the memory becomes another. */
static void construct(void *p)
{
	struct tcpfsm_flow *f = p;

	spin_lock_init(&f->lock);
	f->service = NULL;
}

int __init tcpfsm_table_init(unsigned int hashsize)
{
	unsigned int i;

	mask = hashsize - 1;
	buckets = kvmalloc_array(hashsize, sizeof(*buckets), GFP_KERNEL);
	slab4 = tcpfsm_typesafe_slab("tcpfsm_flow4", offsetof(struct tcpfsm_flow, ip6),
				     offsetof(struct tcpfsm_flow, queued), construct);
	slab6 = tcpfsm_typesafe_slab("tcpfsm_flow6", sizeof(struct tcpfsm_flow),
				     offsetof(struct tcpfsm_flow, queued), construct);
	if (!buckets || !slab4 || !slab6) {
		tcpfsm_table_exit();
		return -ENOMEM;
	}
	for (i = 0; i < hashsize; i++)
		RCU_INIT_POINTER(buckets[i], end_of(i));
	for (i = 0; i < LOCKS; i++)
		spin_lock_init(&locks[i]);
	return 0;
}

void tcpfsm_table_exit(void)
{
	/* Readers under RCU may still look at freed flows. */
	rcu_barrier();
	kmem_cache_destroy(slab6);
	kmem_cache_destroy(slab4);
	kvfree(buckets);
}
