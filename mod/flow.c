// SPDX-License-Identifier: GPL-2.0
/* What a flow is: its id, its extension, its local sockets, its times, and what users see. */
#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "charge.h"
#include "cpu.h"
#include "flow.h"
#include "netns.h"
#include "service.h"

static struct kmem_cache *ext_slab __read_mostly;

#define IDS	64	/* that a processor takes at once */

static atomic64_t last_host_id = ATOMIC64_INIT(0);	/* of those taken */

/* ---- what is there, and what few flows have ---- */

struct tcpfsm_local *tcpfsm_flow_local(const struct tcpfsm_flow *f)
{
	return f->local ? (struct tcpfsm_local *)(unsigned long)tfsm_own(&f->fsm) : NULL;
}

u64 tcpfsm_flow_id(const struct tcpfsm_flow *f)
{
	const struct tcpfsm_local *local = tcpfsm_flow_local(f);

	return local ? local->id : tfsm_own(&f->fsm);
}

/* Guests count for themselves: from their ids they do not learn what others do. */
static u64 take_id(struct tcpfsm_net *tn)
{
	atomic64_t *last = tn->owner == TCPFSM_HOST ? &last_host_id : &tn->last_id;
	struct tcpfsm_cpu *c = tcpfsm_cpu_get(tn);
	u64 id;

	if (c->next_id == c->end_of_ids) {
		c->end_of_ids = atomic64_add_return(IDS, last) + 1;
		c->next_id = c->end_of_ids - IDS;
	}
	id = c->next_id++;
	tcpfsm_cpu_put(c);
	return id;
}

struct tcpfsm_local *tcpfsm_flow_add_local(struct tcpfsm_flow *f)
{
	const struct tcpfsm_net *tn = tcpfsm_flow_net(f);
	struct tcpfsm_local *local = tcpfsm_flow_local(f);

	lockdep_assert_held(&f->lock);
	if (local)
		return local;
	local = tcpfsm_charge(tn, kzalloc(sizeof(*local), tcpfsm_charge_gfp(tn)));
	if (local) {
		local->id = tfsm_own(&f->fsm);
		tfsm_set_own(&f->fsm, (unsigned long)local);
		f->local = 1;
	}
	return local;
}

void tcpfsm_flow_carry(struct tcpfsm_flow *f, u8 end)
{
	struct tcpfsm_local *local = tcpfsm_flow_add_local(f);

	if (local)
		local->packets[end]++;
	else
		f->packets[end] = U32_MAX;
}

void tcpfsm_flow_count_kept(struct tcpfsm_flow *f)
{
	u32 packets, bytes;
	u8 end;

	for (end = 0; end < TCPFSM_ENDS; end++)
		if (tfsm_take_uncounted(&f->fsm, end, &packets, &bytes))
			tcpfsm_flow_sent(f, end, packets, bytes);
}

struct tfsm_ext *tcpfsm_flow_alloc_ext(const struct tcpfsm_net *tn)
{
	return tcpfsm_charge(tn, kmem_cache_zalloc(ext_slab, tcpfsm_charge_gfp(tn)));
}

void tcpfsm_flow_free_ext(struct tfsm_ext *ext)
{
	if (ext)
		kmem_cache_free(ext_slab, ext);
}

void tcpfsm_flow_init(struct tcpfsm_flow *f, const struct tcpfsm_tuple *t, u8 orig, u64 now)
{
	u8 i;

	lockdep_assert_held(&f->lock);
	WRITE_ONCE(f->key, t->key);
	WRITE_ONCE(f->ports, t->ports);
	WRITE_ONCE(f->tag, t->tn->tag);
	f->l3 = t->l3;
	f->is_ip6 = t->family == AF_INET6;
	if (f->is_ip6) {
		f->ip6[0] = t->addr[0].ip6;
		f->ip6[1] = t->addr[1].ip6;
	}
	f->orig = orig;
	f->local = 0;
	f->noted = 0;
	f->refused = 0;
	f->fsm = (struct tfsm) { .own = take_id(t->tn) };
	for (i = 0; i < TCPFSM_ENDS; i++) {
		f->bytes[i] = 0;
		f->packets[i] = 0;
		f->history[i] = TCPFSM_CLOSED;
		f->moved[i] = 0;
	}
	f->start = now;
	f->last = (u32)jiffies;
}

/* ---- locks ---- */

bool tcpfsm_flow_do_lock(struct tcpfsm_flow *f, u32 tag, u64 id)
{
	spin_lock(&f->lock);
	if (f->tag == tag && tcpfsm_flow_id(f) == id) {
		tcpfsm_hand_over(&f->lock);
		return true;
	}
	spin_unlock(&f->lock);
	return false;
}

/* ---- times ---- */

/* A span of ns in 32 bits: 27 of them significant, and by how many places they are shifted. */
static u32 pack_span(u64 ns)
{
	unsigned int shift = max(0, fls64(ns) - 27);

	return shift < 32 ? (u32)(ns >> shift) << 5 | shift : U32_MAX;
}

static u64 unpack_span(u32 span)
{
	return (u64)(span >> 5) << (span & 31);
}

u64 tcpfsm_flow_since(const struct tcpfsm_flow *f, u8 end)
{
	return f->start + unpack_span(f->moved[end]);
}

u64 tcpfsm_flow_moved(struct tcpfsm_flow *f, u8 end, u8 state, u64 age)
{
	u64 before = unpack_span(f->moved[end]);

	f->moved[end] = pack_span(age);
	f->history[end] = f->history[end] << 4 | state;
	return age > before ? age - before : 0;
}

/* ---- what users see ---- */

void tcpfsm_flow_addr(const struct tcpfsm_flow *f, u8 i, union tcpfsm_addr *to)
{
	if (f->is_ip6)
		to->ip6 = f->ip6[i];
	else
		*to = tcpfsm_addr_of_ip4(f->ip4[i]);
}

void tcpfsm_flow_identify(const struct tcpfsm_flow *f, struct tcpfsm_snap *s)
{
	struct tcpfsm_flow_tuple *t = &s->tuple;

	s->id = tcpfsm_flow_id(f);
	tcpfsm_flow_addr(f, f->orig, &t->src);
	tcpfsm_flow_addr(f, !f->orig, &t->dst);
	t->sport = f->port[f->orig];
	t->dport = f->port[!f->orig];
	t->l3 = f->l3;
	t->family = tcpfsm_flow_family(f);
}

/* A flow whose extension the next one on its tuple has taken over has nothing to tell any more. */
static void copy_told(const struct tfsm *fsm, struct tcpfsm_snap *s)
{
	const struct tfsm_told *told;
	enum tfsm_icmp_sort sort;

	for (sort = 0; sort < TFSM_ICMP_SORTS; sort++) {
		struct tcpfsm_told *to = &s->told[sort];

		told = tfsm_told(fsm, sort);
		to->count = told ? told->count : 0;
		if (!told)
			continue;
		memcpy(&to->origin, told->last.origin, sizeof(to->origin));
		to->mtu = told->last.mtu;
		to->type = told->last.type;
		to->code = told->last.code;
		to->end = told->last.dir;
		to->pends = tfsm_told_pends(fsm, told);
	}
}

void tcpfsm_flow_snapshot(const struct tcpfsm_flow *f, struct tcpfsm_snap *s)
{
	const struct tcpfsm_local *local = tcpfsm_flow_local(f);
	u8 i;

	tcpfsm_flow_identify(f, s);
	s->tn = tcpfsm_flow_net(f);
	s->flags = f->fsm.flags & TFSM_F_SHOWN;
	s->step = tfsm_step(&f->fsm);
	s->idle = (u32)jiffies - f->last;
	s->refused = f->refused;
	s->reason = TCPFSM_REASON_UNSET;
	s->start = f->start;
	for (i = 0; i < TCPFSM_ENDS; i++) {
		s->state[i] = f->fsm.end[i].state;
		s->since[i] = tcpfsm_flow_since(f, i);
		s->history[i] = f->history[i];
		s->bytes[i] = f->bytes[i];
		s->packets[i] = f->packets[i];
	}
	copy_told(&f->fsm, s);
	if (!local) {
		memset(s->socket, 0, sizeof(s->socket));
		return;
	}
	memcpy(s->socket, local->end, sizeof(s->socket));
	for (i = 0; i < TCPFSM_ENDS; i++)
		s->packets[i] += (u64)local->packets[i] << 32;
}

/* ---- init ---- */

int __init tcpfsm_flow_slabs_init(void)
{
	ext_slab = kmem_cache_create("tcpfsm_ext", sizeof(struct tfsm_ext), 0, 0, NULL);
	return ext_slab ? 0 : -ENOMEM;
}

void tcpfsm_flow_slabs_exit(void)
{
	kmem_cache_destroy(ext_slab);
}
