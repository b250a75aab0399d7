// SPDX-License-Identifier: GPL-2.0
/*
 * Services.
 *
 * A flow holds no reference to its row: a row's flows are counted as all else is, by the processor
 * on which they join it, leave it for another row, or end. A row whose count is 0 may be taken out
 * of the table; free_retired_rows() tells when it is freed.
 */
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <linux/rculist.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/workqueue.h>
#include <net/ipv6.h>

#include "charge.h"
#include "cpu.h"
#include "netns.h"
#include "report.h"
#include "service.h"

#define BUCKETS	4096
#define SLOTS	128	/* services of which a processor counts without the row; even */
#define IDLERS	64U	/* rows that a full table can give up before the next search for such */

static struct {
	struct hlist_head head;
	spinlock_t lock;	/* of the chain */
} *table;

static atomic_t rows[TCPFSM_OWNERS];

/* ---- what a processor counts ---- */

struct delta {
	struct tcpfsm_service	     *of;
	struct tcpfsm_service_counts counts;
};

struct own {
	spinlock_t	      lock;	/* with PREEMPT_RT: bottom halves preempt each other */
	unsigned int	      turn;	/* 0 or 1: which of two was claimed last */
	struct tcpfsm_service *last;	/* found here */
	struct delta	      delta[SLOTS];	/* a service's is in its slot, or the next */
};

static struct own __percpu *owns;

static void add_counts(struct tcpfsm_service_counts *to, const struct tcpfsm_service_counts *from)
{
	const u64 *value = (const u64 *)from;
	u64 *sum = (u64 *)to;
	size_t i;

	for (i = 0; i < sizeof(*to) / sizeof(*sum); i++)
		tcpfsm_add(&sum[i], READ_ONCE(value[i]));
}

/* Under the row's lock: what of the row's counts the processor has is the row's from here on. */
static void fold_locked(struct tcpfsm_service *s, struct delta *d)
{
	if (READ_ONCE(d->of) != s)
		return;
	add_counts(&s->folded, &d->counts);
	memset(&d->counts, 0, sizeof(d->counts));
	/* Whoever sees that they are nobody's sees them empty: claim_delta(). */
	smp_store_release(&d->of, NULL);
}

static void fold_delta(struct tcpfsm_service *s, struct delta *d)
{
	write_seqlock(&s->lock);
	fold_locked(s, d);
	write_sequnlock(&s->lock);
}

/* Counts are 0 before they become a row's. */
static noinline void claim_delta(struct delta *d, struct tcpfsm_service *s)
{
	/* If another processor has folded them, it has emptied them: fold_locked(). */
	struct tcpfsm_service *of = smp_load_acquire(&d->of);

	if (of)
		fold_delta(of, d);
	/* Whoever sees the row's name sees them empty, or later: sum_once(). */
	smp_store_release(&d->of, s);
}

/*
 * This processor's own counts of a row. Of two places they take either in turn, so that two busy
 * services of the same slot find one each, whoever else has been there.
 */
static struct tcpfsm_service_counts *counts_of(struct own *own, struct tcpfsm_service *s)
{
	struct delta *d = &own->delta[s->slot];

	if (likely(READ_ONCE(d[0].of) == s))
		return &d[0].counts;
	if (likely(READ_ONCE(d[1].of) == s))
		return &d[1].counts;
	own->turn = !own->turn;
	claim_delta(&d[own->turn], s);
	return &d[own->turn].counts;
}

static void lock_own(struct own *own)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		spin_lock(&own->lock);
}

static void unlock_own(struct own *own)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		spin_unlock(&own->lock);
}

/*
 * If counts are folded meanwhile, the sums are wrong, and the lock's sequence tells: it changes
 * before anything is counted for another row in the same place.
 */
static void sum_once(struct tcpfsm_service *s, struct tcpfsm_service_counts *sums)
{
	unsigned int i;
	int cpu;

	*sums = data_race(s->folded);	/* the caller finds out */
	for_each_possible_cpu(cpu) {
		const struct delta *d = &per_cpu_ptr(owns, cpu)->delta[s->slot];

		for (i = 0; i < 2; i++)
			/* Not the counts of the row before: claim_delta(). */
			if (smp_load_acquire(&d[i].of) == s)
				add_counts(sums, &d[i].counts);
	}
}

/*
 * What is folded meanwhile is read anew, so that it counts once. Processors whose services share a
 * place fold all the time, so the second time they have to wait.
 */
static void sum_counts(struct tcpfsm_service *s, struct tcpfsm_service_counts *sums)
{
	unsigned int seq = read_seqbegin(&s->lock);

	sum_once(s, sums);
	if (likely(!read_seqretry(&s->lock, seq)))
		return;
	read_seqlock_excl_bh(&s->lock);
	sum_once(s, sums);
	read_sequnlock_excl_bh(&s->lock);
}

void tcpfsm_service_sum(struct tcpfsm_service *s, struct tcpfsm_service_counts *sums)
{
	unsigned int i;

	sum_counts(s, sums);
	/* A gauge read between two processors' halves of a move may be one below zero. */
	for (i = 0; i < TCPFSM_STATES; i++)
		if ((s64)sums->state[i] < 0)
			sums->state[i] = 0;
}

/*
 * While flows join the row, this is a guess: of one that comes and one that goes, the sum may have
 * seen the second only. A processor's count is below 0 if more flows leave there than join.
 */
static bool has_flows(struct tcpfsm_service *s)
{
	struct tcpfsm_service_counts sums;

	sum_counts(s, &sums);
	return (u32)sums.flows;		/* what every machine reads at once */
}

/* ---- the table ---- */

static unsigned int bucket_of(const struct tcpfsm_service_key *key)
{
	u64 words[3] = {
		key->addr->words[0], key->addr->words[1],
		(u64)(__force u16)key->port << 32 | key->l3,
	};

	return hsiphash(words, sizeof(words), (const hsiphash_key_t *)key->tn->secret) % BUCKETS;
}

static bool is_service(const struct tcpfsm_service *s, const struct tcpfsm_service_key *key)
{
	return s->tn == key->tn && s->port == key->port && s->family == key->family &&
	       s->l3 == key->l3 && s->addr.words[0] == key->addr->words[0] &&
	       s->addr.words[1] == key->addr->words[1];
}

static struct tcpfsm_service *find_row(unsigned int b, const struct tcpfsm_service_key *key)
{
	struct tcpfsm_service *s;

	hlist_for_each_entry_rcu(s, &table[b].head, node)
		if (is_service(s, key))
			return s;
	return NULL;
}

/*
 * May a row come into the bucket? Chance makes none so full; a namespace that may be out to fill
 * it stops earlier, and leaves room for the host's services. Bucket locked.
 */
static bool bucket_has_room(unsigned int b, const struct tcpfsm_net *tn)
{
	unsigned int most = 16 + tcpfsm_max_services / BUCKETS * 2, n = 0;
	const struct tcpfsm_service *s;

	hlist_for_each_entry(s, &table[b].head, node)
		n++;
	return n < (tn->initial ? 2 * most : most);
}

/* The row found last is looked at first; it may have been taken out of the table. */
static struct tcpfsm_service *look_up(const struct tcpfsm_service_key *key)
{
	struct own *own = this_cpu_ptr(owns);
	struct tcpfsm_service *s = READ_ONCE(own->last);

	if (s && is_service(s, key) && !hlist_unhashed_lockless(&s->node))
		return s;
	s = find_row(bucket_of(key), key);
	if (s) {
		WRITE_ONCE(own->last, s);
		if (time_after(jiffies, READ_ONCE(s->used) + HZ))
			WRITE_ONCE(s->used, jiffies);
	}
	return s;
}

bool tcpfsm_service_known(const struct tcpfsm_service_key *key)
{
	return look_up(key);
}

static struct tcpfsm_service *other_row(struct tcpfsm_net *tn)
{
	tcpfsm_count(tn, TCPFSM_C_services_other);
	return tn->other;
}

static struct tcpfsm_service *allocate_row(struct tcpfsm_net *tn, gfp_t gfp)
{
	static atomic64_t last_number = ATOMIC64_INIT(0);
	struct tcpfsm_service *s = tcpfsm_charge(tn, kzalloc(sizeof(*s), gfp));

	if (!s)
		return NULL;
	s->tn = tn;
	s->owner = tn->owner;
	s->used = jiffies;
	s->number = atomic64_inc_return(&last_number);
	s->slot = (u32)s->number * 2 % SLOTS;
	INIT_LIST_HEAD(&s->retired);
	seqlock_init(&s->lock);
	return s;
}

/* Bucket locked. */
static struct tcpfsm_service *add_row(unsigned int b, const struct tcpfsm_service_key *key)
{
	struct tcpfsm_service *s;

	if (!bucket_has_room(b, key->tn))
		return NULL;
	s = allocate_row(key->tn, tcpfsm_charge_gfp(key->tn));
	if (!s)
		return NULL;
	s->bucket = b;
	s->l3 = key->l3;
	s->family = key->family;
	s->port = key->port;
	s->addr = *key->addr;
	hlist_add_head_rcu(&s->node, &table[b].head);
	atomic_inc(&rows[s->owner]);
	return s;
}

/* ---- rows that go ---- */

static LIST_HEAD(retired_rows);		/* out of the table, not freed yet */
static LIST_HEAD(idle_rows);		/* had no flows when they were searched for, oldest first */
static unsigned int nr_idle;
static DEFINE_SPINLOCK(lists_lock);	/* nests inside a bucket's lock */

static void tidy_rows(struct work_struct *work);
static DECLARE_DELAYED_WORK(tidy, tidy_rows);

/* Bucket locked. */
static void retire_row(struct tcpfsm_service *s)
{
	hlist_del_init_rcu(&s->node);
	atomic_dec(&rows[s->owner]);
	spin_lock(&lists_lock);
	if (!list_empty(&s->retired))
		nr_idle--;
	list_move_tail(&s->retired, &retired_rows);
	spin_unlock(&lists_lock);
	mod_delayed_work(system_unbound_wq, &tidy, 0);
}

static struct tcpfsm_service *take_idle_row(u8 owner)
{
	struct tcpfsm_service *s, *found = NULL;

	spin_lock(&lists_lock);
	list_for_each_entry(s, &idle_rows, retired) {
		if (s->owner == owner) {
			found = s;
			list_del_init(&s->retired);
			nr_idle--;
			break;
		}
	}
	spin_unlock(&lists_lock);
	return found;
}

/* Make room by the owner's row that has not been used for longest. */
static bool evict_row(u8 owner)
{
	struct tcpfsm_service *s;
	bool done = false;

	while (!done && (s = take_idle_row(owner))) {
		spin_lock(&table[s->bucket].lock);
		if (!hlist_unhashed(&s->node) && !has_flows(s)) {
			retire_row(s);
			done = true;
		}
		spin_unlock(&table[s->bucket].lock);
	}
	if (READ_ONCE(nr_idle) < IDLERS / 4)
		mod_delayed_work(system_unbound_wq, &tidy, 0);
	return done;
}

/* Rows that may be taken before the table is full and idle ones are searched for. */
static unsigned int rows_before_search(void)
{
	return tcpfsm_max_services - min(IDLERS, tcpfsm_max_services / 4);
}

/* As with flows, half is the host's; since a row with flows stays, others never have more. */
static bool has_room(u8 owner)
{
	unsigned int own = atomic_read(&rows[owner]), other = atomic_read(&rows[!owner]);
	unsigned int half = tcpfsm_max_services / 2;

	if (own + other == rows_before_search() || own + 1 == half)
		mod_delayed_work(system_unbound_wq, &tidy, 0);
	if (own + other < tcpfsm_max_services && (owner == TCPFSM_HOST || own < half))
		return true;
	return (other > half && evict_row(!owner)) || evict_row(owner) ||
	       (owner == TCPFSM_HOST && evict_row(!owner));
}

struct tcpfsm_service *tcpfsm_service_find(const struct tcpfsm_service_key *key)
{
	return look_up(key) ?: key->tn->other;
}

struct tcpfsm_service *tcpfsm_service_get(const struct tcpfsm_service_key *key)
{
	struct tcpfsm_service *s = look_up(key);
	unsigned int b;

	if (likely(s))
		return s;
	if (!has_room(key->tn->owner))
		return other_row(key->tn);
	b = bucket_of(key);
	spin_lock(&table[b].lock);
	s = find_row(b, key) ?: add_row(b, key);
	spin_unlock(&table[b].lock);
	return s ?: other_row(key->tn);
}

static int compare_used(const void *a, const void *b)
{
	const struct tcpfsm_service *const *x = a, *const *y = b;

	return time_before((*x)->used, (*y)->used) ? -1 : time_after((*x)->used, (*y)->used);
}

/* Put rows without flows into the list, at most IDLERS of each owner. */
static void list_idle_rows(struct tcpfsm_service **found, unsigned int n)
{
	unsigned int left[TCPFSM_OWNERS] = { IDLERS, IDLERS }, i;

	sort(found, n, sizeof(*found), compare_used, NULL);
	spin_lock_bh(&lists_lock);
	for (i = 0; i < n; i++) {
		if (!left[found[i]->owner] || !list_empty(&found[i]->retired) ||
		    hlist_unhashed_lockless(&found[i]->node))
			continue;
		left[found[i]->owner]--;
		list_add_tail(&found[i]->retired, &idle_rows);
		nr_idle++;
	}
	spin_unlock_bh(&lists_lock);
}

static void search_idle_rows(void)
{
	unsigned int most = tcpfsm_max_services, n = 0, b;
	struct tcpfsm_service **found = kvmalloc_array(most, sizeof(*found), GFP_KERNEL);
	struct tcpfsm_service *s;

	if (!found)
		return;
	/* Rows are freed by this work only, after a grace period: those found here stay. */
	for (b = 0; b < BUCKETS; b++) {
		rcu_read_lock();
		hlist_for_each_entry_rcu(s, &table[b].head, node)
			if (n < most && !has_flows(s))
				found[n++] = s;
		rcu_read_unlock();
		cond_resched();
	}
	list_idle_rows(found, n);
	kvfree(found);
}

/*
 * Nobody finds the row, and nobody counts for it, any more. What processors still have of it is
 * folded, so that they do not need it either.
 */
static void release_row(struct tcpfsm_service *s)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct own *own = per_cpu_ptr(owns, cpu);

		cmpxchg(&own->last, s, NULL);
		local_bh_disable();
		fold_delta(s, &own->delta[s->slot]);
		fold_delta(s, &own->delta[s->slot + 1]);
		local_bh_enable();
	}
	kfree_rcu(s, rcu);
}

/* Those that have flows wait on. */
static void put_back_rows_with_flows(struct list_head *list)
{
	struct tcpfsm_service *s, *next;
	LIST_HEAD(busy);

	list_for_each_entry_safe(s, next, list, retired)
		if (has_flows(s))
			list_move_tail(&s->retired, &busy);
	spin_lock_bh(&lists_lock);
	list_splice_tail(&busy, &retired_rows);
	spin_unlock_bh(&lists_lock);
}

/*
 * Free retired rows that have no flows. A segment finds a row and counts its flow in one section of
 * RCU, so after the first grace period all who found the row have counted, and no flow joins it.
 *
 * From there on the processors' counts only fall, so a sum of them, read one after the other, is
 * never below what they add up to when the last is read, which is the flows that have not been
 * counted out: it is 0 only if there are none. After the second grace period, whoever reported
 * something else of such a flow when it was counted out is done, too.
 */
static void free_retired_rows(void)
{
	struct tcpfsm_service *s, *next;
	LIST_HEAD(mine);

	spin_lock_bh(&lists_lock);
	list_splice_init(&retired_rows, &mine);
	spin_unlock_bh(&lists_lock);
	if (list_empty(&mine))
		return;
	synchronize_rcu();
	put_back_rows_with_flows(&mine);
	if (list_empty(&mine))
		return;
	synchronize_rcu();
	list_for_each_entry_safe(s, next, &mine, retired)
		release_row(s);
}

/* Will the table be full soon, and does it know too few rows to give up? */
static bool needs_idle_rows(void)
{
	unsigned int guests = atomic_read(&rows[TCPFSM_GUEST]);
	unsigned int all = guests + atomic_read(&rows[TCPFSM_HOST]);

	return READ_ONCE(nr_idle) < IDLERS / 4 &&
	       (all >= rows_before_search() || guests >= rows_before_search() / 2);
}

static void tidy_rows(struct work_struct *work)
{
	free_retired_rows();
	if (needs_idle_rows())
		search_idle_rows();
	if (!list_empty_careful(&retired_rows))
		queue_delayed_work(system_unbound_wq, &tidy, HZ);
}

/* ---- the sink ---- */

/*
 * A RST took the end out of a state. If it turns out to have been ignored, rst_ignored counts it.
 */
static void count_reset(struct tcpfsm_service_counts *c, u8 state)
{
	if (state == TCPFSM_LISTEN)
		tcpfsm_add(&c->refused, 1);
	else if (state != TCPFSM_SYN_SENT && state != TCPFSM_SYN_RCVD)
		tcpfsm_add(&c->reset, 1);
}

static void count_move(struct tcpfsm_service_counts *c, const struct tfsm_move *m, u64 since_syn)
{
	if (m->cause == TCPFSM_SND_SYNACK && m->to == TCPFSM_SYN_RCVD) {
		tcpfsm_add(&c->connects, 1);
		tcpfsm_add(&c->connect_ns, since_syn);
	} else if (m->cause == TCPFSM_SYN_ACKED && m->to == TCPFSM_ESTABLISHED) {
		tcpfsm_add(&c->established, 1);
		tcpfsm_add(&c->accept_ns, since_syn);
	} else if (m->cause == TCPFSM_SND_RST || m->cause == TCPFSM_RCV_RST) {
		count_reset(c, m->from);
	}
}

static void count_notes(struct tcpfsm_service_counts *c, u64 notes)
{
	if (notes & BIT_ULL(TFSM_NOTE_synack_resent))
		tcpfsm_add(&c->synack_resent, 1);
	if (notes & BIT_ULL(TFSM_NOTE_icmp_unreachable))
		tcpfsm_add(&c->unreachable, 1);
	if (notes & BIT_ULL(TFSM_NOTE_icmp_mtu))
		tcpfsm_add(&c->mtu, 1);
}

/* The flow was counted in this row before. */
static void count_leaver(struct tcpfsm_service_counts *c, u8 state)
{
	tcpfsm_add(&c->state[state], -1);
	tcpfsm_add(&c->opened, -1);
	tcpfsm_add(&c->flows, -1);
}

void tcpfsm_service_report(const struct tcpfsm_report *r)
{
	u8 before = r->before[TCPFSM_RESP], after = r->after[TCPFSM_RESP], i;
	bool joins = r->opened || r->left;
	struct tcpfsm_service_counts *c;
	struct own *own = this_cpu_ptr(owns);

	lock_own(own);
	if (unlikely(r->left))
		count_leaver(counts_of(own, r->left), before);
	c = counts_of(own, r->service);
	for (i = 0; i < r->moves; i++)
		if (r->move[i].end == TCPFSM_RESP)
			count_move(c, &r->move[i], r->age);
	if (unlikely(r->notes & TCPFSM_SERVICE_NOTES))
		count_notes(c, r->notes);
	if (joins) {
		tcpfsm_add(&c->opened, 1);
		tcpfsm_add(&c->flows, 1);
	} else if (before != after || r->reason) {
		tcpfsm_add(&c->state[before], -1);
	}
	if (r->reason)
		tcpfsm_add(&c->flows, -1);
	if (!r->reason && (joins || before != after))
		tcpfsm_add(&c->state[after], 1);
	unlock_own(own);
}

/* ---- readers ---- */

#define NUMBER_BITS	51	/* of a position: a row's number; above them, its bucket */

/* The namespace's row with the lowest number above @after, for those before it may be gone. */
static struct tcpfsm_service *next_row(const struct tcpfsm_net *tn, unsigned int b, u64 after)
{
	struct tcpfsm_service *s, *found = NULL;

	hlist_for_each_entry_rcu(s, &table[b].head, node)
		if (s->tn == tn && s->number > after && (!found || s->number < found->number))
			found = s;
	return found;
}

/* Behind the last bucket there is the row of the others. */
struct tcpfsm_service *tcpfsm_service_next(const struct tcpfsm_net *tn, u64 *pos)
{
	unsigned int b = *pos >> NUMBER_BITS;
	u64 after = *pos & (BIT_ULL(NUMBER_BITS) - 1);
	struct tcpfsm_service_counts sums;
	struct tcpfsm_service *s;

	for (; b < BUCKETS; b++, after = 0) {
		s = next_row(tn, b, after);
		if (!s)
			continue;
		*pos = (u64)b << NUMBER_BITS | s->number;
		return s;
	}
	if (after)
		return NULL;
	*pos = (u64)BUCKETS << NUMBER_BITS | 1;
	sum_counts(tn->other, &sums);
	return sums.opened ? tn->other : NULL;
}

/* ---- init ---- */

int tcpfsm_service_net_init(struct tcpfsm_net *tn)
{
	tn->other = allocate_row(tn, GFP_KERNEL_ACCOUNT);
	return tn->other ? 0 : -ENOMEM;
}

static void retire_rows_of(struct tcpfsm_net *tn, unsigned int b)
{
	struct tcpfsm_service *s;
	struct hlist_node *next;

	spin_lock_bh(&table[b].lock);
	hlist_for_each_entry_safe(s, next, &table[b].head, node)
		if (s->tn == tn)
			retire_row(s);
	spin_unlock_bh(&table[b].lock);
}

/* All flows of the namespace are gone. */
void tcpfsm_service_net_exit(struct tcpfsm_net *tn)
{
	unsigned int b;

	if (!tn->other)
		return;
	for (b = 0; b < BUCKETS; b++)
		if (!hlist_empty(&table[b].head))
			retire_rows_of(tn, b);
	spin_lock_bh(&lists_lock);
	list_add_tail(&tn->other->retired, &retired_rows);
	spin_unlock_bh(&lists_lock);
	mod_delayed_work(system_unbound_wq, &tidy, 0);
}

int __init tcpfsm_service_init(void)
{
	unsigned int b;
	int cpu;

	table = kvmalloc_array(BUCKETS, sizeof(*table), GFP_KERNEL | __GFP_ZERO);
	owns = alloc_percpu(struct own);
	if (!table || !owns) {
		free_percpu(owns);
		kvfree(table);
		return -ENOMEM;
	}
	for (b = 0; b < BUCKETS; b++)
		spin_lock_init(&table[b].lock);
	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(owns, cpu)->lock);
	return 0;
}

/* There are no namespaces any more, hence no flows. */
void tcpfsm_service_exit(void)
{
	cancel_delayed_work_sync(&tidy);
	free_retired_rows();
	WARN_ON(!list_empty(&retired_rows));
	free_percpu(owns);
	kvfree(table);
}
