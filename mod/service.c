// SPDX-License-Identifier: GPL-2.0
/*
 * Services. A row lives while it has flows; then it waits in the list of idle rows, oldest
 * first, from which a full table takes. Locks nest bucket, then idle_lock.
 */
#include <linux/rculist.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "cpu.h"
#include "netns.h"
#include "report.h"
#include "service.h"

#define BUCKETS 4096

static struct {
	struct hlist_head head;
	spinlock_t lock;	/* of the chain */
} *table;

static struct list_head idle_rows[TCPFSM_OWNERS] = {
	LIST_HEAD_INIT(idle_rows[TCPFSM_HOST]),
	LIST_HEAD_INIT(idle_rows[TCPFSM_GUEST]),
};

static DEFINE_SPINLOCK(idle_lock);
static atomic_t rows[TCPFSM_OWNERS];

static unsigned int bucket_of(const struct tcpfsm_tuple *t, u8 i)
{
	u64 words[3] = {
		t->addr[i].words[0], t->addr[i].words[1],
		(u64)(__force u16)t->port[i] << 32 | t->l3,
	};

	return hsiphash(words, sizeof(words), (const hsiphash_key_t *)t->tn->secret) % BUCKETS;
}

static bool is_service(const struct tcpfsm_service *s, const struct tcpfsm_tuple *t, u8 i)
{
	if (s->tn != t->tn || s->port != t->port[i] || s->family != t->family || s->l3 != t->l3)
		return false;
	return s->family == AF_INET ? s->addr.ip4 == t->addr[i].ip4 :
				      ipv6_addr_equal(&s->addr.ip6, &t->addr[i].ip6);
}

static struct tcpfsm_service *find_row(unsigned int b, const struct tcpfsm_tuple *t, u8 i)
{
	struct tcpfsm_service *s;

	hlist_for_each_entry_rcu(s, &table[b].head, node)
		if (is_service(s, t, i))
			return s;
	return NULL;
}

bool tcpfsm_service_known(const struct tcpfsm_tuple *t, u8 i)
{
	return find_row(bucket_of(t, i), t, i);
}

/*
 * A flow that finds no place among the services is counted in the row of the others. Where that
 * would lose its routing domain, it has a row of its own, in no table.
 */
static struct tcpfsm_service *other_row(const struct tcpfsm_tuple *t)
{
	struct tcpfsm_service *s = t->tn->other;

	tcpfsm_count(t->tn, TCPFSM_C_services_other);
	if (t->l3) {
		s = kzalloc(sizeof(*s), GFP_ATOMIC | __GFP_NOWARN);
		if (!s)
			return NULL;
		s->tn = t->tn;
		s->l3 = t->l3;
	}
	atomic_inc(&s->flows);
	return s;
}

/* Where what happens to its flows is counted. */
static struct tcpfsm_service *counted_row(struct tcpfsm_service *s)
{
	return s->family ? s : s->tn->other;
}

/* Bucket of @s locked, and it has no flows. */
static void remove_row(struct tcpfsm_service *s)
{
	spin_lock(&idle_lock);
	list_del_init(&s->idle);
	spin_unlock(&idle_lock);
	hlist_del_init_rcu(&s->node);
	atomic_dec(&rows[s->owner]);
	kfree_rcu(s, rcu);
}

/* Make room by the owner's row that has been idle for longest. */
static bool evict_row(u8 owner)
{
	struct tcpfsm_service *s;
	bool done = false;
	unsigned int b;

	rcu_read_lock();
	spin_lock(&idle_lock);
	s = list_first_entry_or_null(&idle_rows[owner], struct tcpfsm_service, idle);
	if (s)
		list_del_init(&s->idle);
	spin_unlock(&idle_lock);
	if (s) {
		b = s->bucket;
		spin_lock(&table[b].lock);
		if (!hlist_unhashed(&s->node) && !atomic_read(&s->flows)) {
			remove_row(s);
			done = true;
		}
		spin_unlock(&table[b].lock);
	}
	rcu_read_unlock();
	return done;
}

/* As with flows, half is the host's; since a row with flows stays, others never have more. */
static bool has_room(u8 owner)
{
	unsigned int own = atomic_read(&rows[owner]), other = atomic_read(&rows[!owner]);
	unsigned int half = tcpfsm_max_services / 2;

	if (own + other < tcpfsm_max_services && (owner == TCPFSM_HOST || own < half))
		return true;
	return (other > half && evict_row(!owner)) || evict_row(owner) ||
	       (owner == TCPFSM_HOST && evict_row(!owner));
}

static struct tcpfsm_service *add_row(unsigned int b, const struct tcpfsm_tuple *t, u8 i)
{
	struct tcpfsm_service *s = kzalloc(sizeof(*s), GFP_ATOMIC | __GFP_NOWARN);

	if (!s)
		return NULL;
	s->tn = t->tn;
	s->owner = t->tn->owner;
	s->bucket = b;
	s->l3 = t->l3;
	s->family = t->family;
	s->port = t->port[i];
	s->addr = t->addr[i];
	atomic_set(&s->flows, 1);
	INIT_LIST_HEAD(&s->idle);
	hlist_add_head_rcu(&s->node, &table[b].head);
	return s;
}

static void take_row(struct tcpfsm_service *s)
{
	if (atomic_inc_not_zero(&s->flows))
		return;
	spin_lock(&idle_lock);
	if (atomic_inc_return(&s->flows) == 1)
		list_del_init(&s->idle);
	spin_unlock(&idle_lock);
}

struct tcpfsm_service *tcpfsm_service_get(const struct tcpfsm_tuple *t, u8 i)
{
	unsigned int b = bucket_of(t, i);
	struct tcpfsm_service *s;

	spin_lock(&table[b].lock);
	s = find_row(b, t, i);
	if (s)
		take_row(s);
	spin_unlock(&table[b].lock);
	if (likely(s))
		return s;
	if (!has_room(t->tn->owner))
		return other_row(t);
	spin_lock(&table[b].lock);
	s = find_row(b, t, i);
	if (s) {
		take_row(s);
	} else {
		s = add_row(b, t, i);
		if (s)
			atomic_inc(&rows[t->tn->owner]);
	}
	spin_unlock(&table[b].lock);
	return s ?: other_row(t);
}

void tcpfsm_service_put(struct tcpfsm_service *s)
{
	if (!s->family) {
		if (atomic_dec_and_test(&s->flows) && s->l3)
			kfree_rcu(s, rcu);
		return;
	}
	if (!atomic_dec_and_lock(&s->flows, &idle_lock))
		return;
	list_add_tail(&s->idle, &idle_rows[s->owner]);
	spin_unlock(&idle_lock);
}

/*
 * A RST took the end out of a state. If it turns out to have been ignored, rst_ignored counts it.
 */
static void count_reset(struct tcpfsm_service *s, u8 state)
{
	if (state == TCPFSM_LISTEN)
		atomic64_inc(&s->refused);
	else if (state != TCPFSM_SYN_SENT && state != TCPFSM_SYN_RCVD)
		atomic64_inc(&s->reset);
}

static void count_move(struct tcpfsm_service *s, const struct tfsm_move *m, u64 since_syn)
{
	if (m->cause == TCPFSM_SND_SYNACK && m->to == TCPFSM_SYN_RCVD) {
		atomic64_inc(&s->connects);
		atomic64_add(since_syn, &s->connect_ns);
	} else if (m->cause == TCPFSM_SYN_ACKED && m->to == TCPFSM_ESTABLISHED) {
		atomic64_inc(&s->established);
		atomic64_add(since_syn, &s->accept_ns);
	} else if (m->cause == TCPFSM_SND_RST || m->cause == TCPFSM_RCV_RST) {
		count_reset(s, m->from);
	}
}

void tcpfsm_service_report(const struct tcpfsm_report *r)
{
	struct tcpfsm_service *s = counted_row(r->service);
	u8 before = r->before[TCPFSM_RESP], after = r->after[TCPFSM_RESP], i;

	for (i = 0; i < r->moves; i++)
		if (r->move[i].end == TCPFSM_RESP)
			count_move(s, &r->move[i], r->age);
	if (r->opened)
		atomic64_inc(&s->opened);
	if (before == after)
		return;
	if (!r->opened)
		atomic64_dec(&s->state[before]);
	atomic64_inc(&s->state[after]);
}

void tcpfsm_service_synack_resent(struct tcpfsm_service *s)
{
	atomic64_inc(&counted_row(s)->synack_resent);
}

void tcpfsm_service_ended(struct tcpfsm_service *s, u8 state)
{
	atomic64_dec(&counted_row(s)->state[state]);
}

/* Position: bucket in the high half, index in the low; then the row of the others. */
struct tcpfsm_service *tcpfsm_service_next(const struct tcpfsm_net *tn, u64 *pos)
{
	unsigned int b = *pos >> 32, skip = (u32)*pos, i;
	struct tcpfsm_service *s;

	for (; b < BUCKETS; b++, skip = 0) {
		i = 0;
		hlist_for_each_entry_rcu(s, &table[b].head, node) {
			if (i++ < skip || s->tn != tn)
				continue;
			*pos = (u64)b << 32 | i;
			return s;
		}
	}
	if (b > BUCKETS || !atomic64_read(&tn->other->opened))
		return NULL;
	*pos = (u64)(BUCKETS + 1) << 32;
	return tn->other;
}

int tcpfsm_service_net_init(struct tcpfsm_net *tn)
{
	tn->other = kzalloc(sizeof(*tn->other), GFP_KERNEL);
	if (!tn->other)
		return -ENOMEM;
	tn->other->tn = tn;
	return 0;
}

/* All flows of the namespace are gone, so all its rows are idle. */
void tcpfsm_service_net_exit(struct tcpfsm_net *tn)
{
	struct tcpfsm_service *s;
	struct hlist_node *next;
	unsigned int b;

	for (b = 0; b < BUCKETS; b++) {
		if (hlist_empty(&table[b].head))
			continue;
		spin_lock_bh(&table[b].lock);
		hlist_for_each_entry_safe(s, next, &table[b].head, node)
			if (s->tn == tn)
				remove_row(s);
		spin_unlock_bh(&table[b].lock);
	}
	if (tn->other)
		kfree_rcu(tn->other, rcu);	/* readers under RCU may still look at it */
}

int __init tcpfsm_service_init(void)
{
	unsigned int b;

	table = kvmalloc_array(BUCKETS, sizeof(*table), GFP_KERNEL | __GFP_ZERO);
	if (!table)
		return -ENOMEM;
	for (b = 0; b < BUCKETS; b++)
		spin_lock_init(&table[b].lock);
	return 0;
}

void tcpfsm_service_exit(void)
{
	kvfree(table);
}
