// SPDX-License-Identifier: GPL-2.0
/*
 * The table: buckets of one cache line each, with places for seven flows and a chain of those
 * that found none. A place holds a part of the flow's hash beside the pointer, so that a lookup
 * as a rule touches one line here and no flow but the one that it is for.
 *
 * A flow keeps its place. The chain ends in a mark that tells whose chain it is: a flow that is
 * freed and used anew can carry a reader into another bucket's chain, and the mark shows it.
 */
#include <linux/processor.h>	/* cpu_relax(), which bit_spinlock.h of 6.12 needs before it */
#include <linux/bit_spinlock.h>
#include <linux/mm.h>
#include <linux/prefetch.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#include "charge.h"
#include "compat.h"
#include "owner.h"
#include "service.h"
#include "table.h"

#define PLACES		7
/*
 * Flows in a chain: chance needs a table much too small for so many. A namespace that may be out to
 * fill a bucket stops earlier, and leaves room for the host's flows.
 */
#define CHAIN_MOST	64
#define CHAIN_OTHERS	24
#define LOCK_BIT	1

struct bucket {
	unsigned long place[PLACES];	/* to_place(), or 0 */
	unsigned long more;		/* the chain: its first flow or its end; LOCK_BIT: locked */
} __aligned(8 * sizeof(long));

static struct bucket *buckets __read_mostly;
static unsigned int mask __read_mostly;
static struct kmem_cache *slab4 __read_mostly, *slab6 __read_mostly;

/* ---- places and chains ---- */

/*
 * Slabs are in the linear mapping, which is smaller than 2^52 bytes: above the flow's offset
 * there is room for a tag. Not where pointers themselves carry one. What does not survive it
 * (KFENCE has its objects elsewhere on some machines) goes into the chain.
 */
#if BITS_PER_LONG == 64 && !defined(CONFIG_KASAN_SW_TAGS) && !defined(CONFIG_KASAN_HW_TAGS)
#define TAG_BITS	12
#define BASE		((unsigned long)PAGE_OFFSET - PAGE_SIZE)	/* so that none is 0 */
#else
#define TAG_BITS	0
#define BASE		0UL
#endif
#define TAG_MASK	((1UL << TAG_BITS) - 1)

static unsigned long to_place(const struct tcpfsm_flow *f, u32 hash)
{
	return ((unsigned long)f - BASE) << TAG_BITS | ((u64)hash >> (32 - TAG_BITS) & TAG_MASK);
}

static struct tcpfsm_flow *from_place(unsigned long place)
{
	return (struct tcpfsm_flow *)((place >> TAG_BITS) + BASE);
}

static bool is_in(unsigned long place, const struct tcpfsm_flow *f)
{
	return place && from_place(place) == f;
}

/* May a flow with this hash be in this place? */
static bool tag_fits(unsigned long place, u32 hash)
{
	return place && !((place ^ (u64)hash >> (32 - TAG_BITS)) & TAG_MASK);
}

static struct tcpfsm_flow *end_of(unsigned int bucket)
{
	return (struct tcpfsm_flow *)(1UL | (unsigned long)bucket << 2);
}

static bool is_end(const struct tcpfsm_flow *f)
{
	return (unsigned long)f & 1;
}

/* The first flow of the chain, or its end. */
static struct tcpfsm_flow *chain_of(const struct bucket *b)
{
	/* As rcu_dereference(): what the pointer leads to is read after it. */
	return (struct tcpfsm_flow *)(READ_ONCE(b->more) & ~BIT(LOCK_BIT));
}

/* The lock is in the line that is written anyway. */
static void lock_bucket(struct bucket *b)
	__acquires(bitlock)
{
	bit_spin_lock(LOCK_BIT, &b->more);
}

static void unlock_bucket(struct bucket *b)
	__releases(bitlock)
{
	bit_spin_unlock(LOCK_BIT, &b->more);
}

/* Bucket locked. The flow is whole before a lookup can find it. */
static void set_chain(struct bucket *b, const struct tcpfsm_flow *f)
{
	/* See chain_of(). */
	smp_store_release(&b->more, (unsigned long)f | BIT(LOCK_BIT));
}

/* ---- keys ---- */

static u32 hash_quickly(const struct tcpfsm_tuple *t, u32 ports)
{
	const u64 *secret = t->tn->secret;

	if (t->family == AF_INET)
		return tfsm_hash4(secret, ports, t->l3, (__force u32)t->addr[0].ip4,
				  (__force u32)t->addr[1].ip4);
	return tfsm_hash6(secret, ports, t->l3, t->addr[0].words, t->addr[1].words);
}

static noinline u32 hash_safely(const struct tcpfsm_tuple *t, u32 ports)
{
	const hsiphash_key_t *key = (const hsiphash_key_t *)t->tn->secret;
	struct {
		u64 words[5];
	} __aligned(HSIPHASH_ALIGNMENT) all;

	if (t->family == AF_INET)
		return hsiphash_4u32((__force u32)t->addr[0].ip4, (__force u32)t->addr[1].ip4,
				     ports, t->l3, key);
	all.words[0] = t->addr[0].words[0];
	all.words[1] = t->addr[0].words[1];
	all.words[2] = t->addr[1].words[0];
	all.words[3] = t->addr[1].words[1];
	all.words[4] = (u64)ports << 32 | t->l3;
	return hsiphash(&all, sizeof(all), key);
}

/*
 * The secret is the namespace's: from its own, nobody learns how to aim at another's buckets. But
 * they are in one table, and a dump shows its order: the root of a container, with or without a
 * user namespace, could find tuples of its own that share a bucket, were they not hashed in a way
 * that tells nothing of the secret.
 */
void tcpfsm_table_hash(struct tcpfsm_tuple *t)
{
	u32 ports = (__force u32)t->port[0] << 16 | (__force u32)t->port[1];

	if (t->family == AF_INET) {
		t->key = ((union { __be32 ip4[2]; u64 key; }) {
			.ip4 = { t->addr[0].ip4, t->addr[1].ip4 }
		}).key;
	} else {
		const u64 *a = t->addr[0].words, *b = t->addr[1].words;

		t->key = a[0] ^ rol64(a[1], 16) ^ rol64(b[0], 32) ^ rol64(b[1], 48);
	}
	t->hash = likely(t->tn->initial) ? hash_quickly(t, ports) :
					   hash_safely(t, ports);
	prefetch(&buckets[t->hash & mask]);
}

/* May it be this flow? Asked without its lock; it tells most others apart. */
static bool may_be(const struct tcpfsm_flow *f, const struct tcpfsm_tuple *t)
{
	return READ_ONCE(f->key) == t->key && READ_ONCE(f->ports) == t->ports &&
	       READ_ONCE(f->tag) == t->tn->tag;
}

/* Is it this flow, and alive? Under its lock, or its bucket's lock if it is there. */
static bool is_flow(const struct tcpfsm_flow *f, const struct tcpfsm_tuple *t)
{
	if (f->l3 != t->l3 || !may_be(f, t) ||
	    tcpfsm_flow_family(f) != t->family)
		return false;
	return !f->is_ip6 || (ipv6_addr_equal(&f->ip6[0], &t->addr[0].ip6) &&
			      ipv6_addr_equal(&f->ip6[1], &t->addr[1].ip6));
}

/* ---- lookup ---- */

/* Fetch what a segment in order needs. */
static void fetch_flow(const struct tcpfsm_flow *f)
{
	prefetchw(f);
	prefetchw((const char *)f + 64);
	prefetchw((const char *)f + offsetof(struct tcpfsm_flow, stamp) - 1);
}

/* Return: it is the one that is looked for, and is locked: the lock is handed over. */
typedef bool lock_if(struct tcpfsm_flow *f, const void *wanted);

/* Written out for each caller, for segments come this way. */
static __always_inline struct tcpfsm_flow *find_in_bucket(u32 hash, lock_if *lock_if_wanted,
							  const void *wanted)
{
	unsigned int bucket = hash & mask, i;
	const struct bucket *b = &buckets[bucket];
	struct tcpfsm_flow *f;
	unsigned long place;

	for (i = 0; i < PLACES; i++) {
		place = READ_ONCE(b->place[i]);
		if (!tag_fits(place, hash))
			continue;
		f = from_place(place);
		if (TAG_BITS)
			fetch_flow(f);
		if (lock_if_wanted(f, wanted))
			return f;
	}
again:
	for (f = chain_of(b); !is_end(f); f = rcu_dereference(f->next))
		if (lock_if_wanted(f, wanted))
			return f;
	if (f != end_of(bucket))
		goto again;
	return NULL;
}

static bool lock_if_flow(struct tcpfsm_flow *f, const void *tuple)
{
	const struct tcpfsm_tuple *t = tuple;

	if (!may_be(f, t))
		return false;
	spin_lock(&f->lock);
	if (likely(is_flow(f, t))) {
		tcpfsm_hand_over(&f->lock);
		return true;
	}
	spin_unlock(&f->lock);
	return false;
}

struct tcpfsm_flow *tcpfsm_table_do_find_lock(const struct tcpfsm_tuple *t)
{
	return find_in_bucket(t->hash, lock_if_flow, t);
}

static bool lock_if_holder(struct tcpfsm_flow *f, const void *holder)
{
	const struct tcpfsm_holder *h = holder;

	spin_lock(&f->lock);
	if (f->tag == h->tag && f->queue == h->queue && f->stamp == h->stamp &&
	    (u16)tcpfsm_flow_id(f) == h->id) {
		tcpfsm_hand_over(&f->lock);
		return true;
	}
	spin_unlock(&f->lock);
	return false;
}

struct tcpfsm_flow *tcpfsm_table_do_find_holder(const struct tcpfsm_holder *h)
{
	return find_in_bucket(h->hash, lock_if_holder, h);
}

u32 tcpfsm_table_hash_of(const struct tcpfsm_flow *f)
{
	struct tcpfsm_tuple t = {
		.tn = tcpfsm_flow_net(f), .l3 = f->l3, .port = { f->port[0], f->port[1] },
		.family = tcpfsm_flow_family(f),
	};
	u8 i;

	for (i = 0; i < 2; i++)
		tcpfsm_flow_addr(f, i, &t.addr[i]);
	tcpfsm_table_hash(&t);
	return t.hash;
}

/* ---- changes ---- */

/* May a flow with this tuple come into the bucket? Bucket locked. */
static int check_bucket(const struct bucket *b, const struct tcpfsm_tuple *t)
{
	const struct tcpfsm_flow *f;
	unsigned int i, n = 0;

	for (i = 0; i < PLACES; i++)
		if (tag_fits(b->place[i], t->hash) && is_flow(from_place(b->place[i]), t))
			return -EEXIST;
	for (f = chain_of(b); !is_end(f);
	     f = rcu_dereference_protected(f->next, true), n++)
		if (is_flow(f, t))
			return -EEXIST;
	return n < (t->tn->initial ? CHAIN_MOST : CHAIN_OTHERS) ? 0 : -ENOSPC;
}

int tcpfsm_table_insert(struct tcpfsm_flow *f, const struct tcpfsm_tuple *t)
{
	unsigned int bucket = t->hash & mask, i;
	struct bucket *b = &buckets[bucket];
	int err;

	lockdep_assert_held(&f->lock);
	lock_bucket(b);
	err = check_bucket(b, t);
	if (err) {
		unlock_bucket(b);
		return err;
	}
	for (i = 0; i < PLACES && b->place[i]; i++)
		;
	if (i < PLACES && is_in(to_place(f, t->hash), f)) {
		/* The flow is whole before a lookup, which takes its lock, can find it. */
		smp_store_release(&b->place[i], to_place(f, t->hash));
	} else {
		RCU_INIT_POINTER(f->next, chain_of(b));
		set_chain(b, f);
	}
	unlock_bucket(b);
	return 0;
}

/* Bucket locked. The flow's own pointer stays: readers go on from it. */
static void unchain_flow(struct bucket *b, const struct tcpfsm_flow *f)
{
	struct tcpfsm_flow *next = rcu_dereference_protected(f->next, true), *at = chain_of(b);

	if (at == f) {
		set_chain(b, next);
		return;
	}
	while (rcu_dereference_protected(at->next, true) != f)
		at = rcu_dereference_protected(at->next, true);
	rcu_assign_pointer(at->next, next);
}

void tcpfsm_table_remove(struct tcpfsm_flow *f)
{
	struct bucket *b = &buckets[tcpfsm_table_hash_of(f) & mask];
	unsigned int i;

	lockdep_assert_held(&f->lock);
	lock_bucket(b);
	for (i = 0; i < PLACES && !is_in(b->place[i], f); i++)
		;
	if (i < PLACES)
		WRITE_ONCE(b->place[i], 0);
	else
		unchain_flow(b, f);
	unlock_bucket(b);
}

static struct kmem_cache *slab_of(u8 family)
{
	return family == AF_INET ? slab4 : slab6;
}

struct tcpfsm_flow *tcpfsm_table_alloc(const struct tcpfsm_net *tn, u8 family)
{
	return tcpfsm_charge(tn, kmem_cache_alloc(slab_of(family), tcpfsm_charge_gfp(tn)));
}

void tcpfsm_table_free(struct tcpfsm_flow *f, const struct tcpfsm_net *tn)
{
	kmem_cache_free(slab_of(tcpfsm_flow_family(f)), f);
	tcpfsm_owner_uncharge(tn->owner);
}

/* ---- walks ---- */

unsigned int tcpfsm_table_buckets(void)
{
	return mask + 1;
}

/*
 * Copy a flow met under RCU, if the walk wants it and its id is between @after and @below. Return:
 * its id, or 0.
 */
static u64 copy_flow(struct tcpfsm_flow *f, u64 after, u64 below, const struct tcpfsm_walk *w,
		     struct tcpfsm_snap *snap)
{
	u64 id;

	/* Others' flows are not locked: whoever reads would slow them down. */
	if (READ_ONCE(f->tag) != w->tag)
		return 0;
	spin_lock(&f->lock);
	id = f->tag == w->tag ? tcpfsm_flow_id(f) : 0;
	if (id <= after || id >= below || f->start > w->begun ||
	    (w->want && !w->want(f, w->arg)))
		id = 0;
	else
		tcpfsm_flow_snapshot(f, snap);
	spin_unlock(&f->lock);
	return id;
}

/* Copy the flow of a bucket's chain with the lowest id above @after. Return: its id, or 0. */
static u64 copy_from_chain(unsigned int bucket, u64 after, const struct tcpfsm_walk *w,
			   struct tcpfsm_snap *snap)
{
	struct tcpfsm_flow *f;
	u64 id, found, below;

again:
	found = 0;
	below = U64_MAX;
	for (f = chain_of(&buckets[bucket]); !is_end(f);
	     f = rcu_dereference_bh(f->next)) {
		id = copy_flow(f, after, below, w, snap);
		if (id) {
			found = id;
			below = id;
		}
	}
	if (f != end_of(bucket))
		goto again;
	return found;
}

bool tcpfsm_table_next(unsigned int bucket, u64 *at, const struct tcpfsm_walk *w,
		       struct tcpfsm_snap *snap)
{
	unsigned long place;
	u64 id = 0;

	rcu_read_lock_bh();
	while (!id && *at < PLACES) {
		place = READ_ONCE(buckets[bucket].place[(*at)++]);
		if (*at < PLACES)
			/* To be read: if it is another's, its line stays where it is. */
			prefetch(&from_place(READ_ONCE(buckets[bucket].place[*at]))->tag);
		if (place)
			id = copy_flow(from_place(place), 0, U64_MAX, w, snap);
	}
	if (!id) {
		id = copy_from_chain(bucket, *at - PLACES, w, snap);
		*at = PLACES + id;
	}
	rcu_read_unlock_bh();
	return id;
}

/* ---- init ---- */

/* The lock outlives the flow: a late reader may hold it while the memory becomes another flow. */
static void construct_flow(void *p)
{
	struct tcpfsm_flow *f = p;

	spin_lock_init(&f->lock);
	f->tag = 0;
}

int __init tcpfsm_table_init(unsigned int hashsize)
{
	unsigned int i;

	mask = hashsize / (PLACES + 1) - 1;
	buckets = kvmalloc_array(mask + 1, sizeof(*buckets), GFP_KERNEL | __GFP_ZERO);
	slab4 = tcpfsm_typesafe_slab("tcpfsm_flow4", offsetof(struct tcpfsm_flow, ip6),
				     offsetof(struct tcpfsm_flow, service), construct_flow);
	slab6 = tcpfsm_typesafe_slab("tcpfsm_flow6", sizeof(struct tcpfsm_flow),
				     offsetof(struct tcpfsm_flow, service), construct_flow);
	if (!buckets || !slab4 || !slab6) {
		tcpfsm_table_exit();
		return -ENOMEM;
	}
	for (i = 0; i <= mask; i++)
		buckets[i].more = (unsigned long)end_of(i);
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
