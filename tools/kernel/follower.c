// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/attr.h"
#include "kernel/follower.h"
#include "kernel/holder.h"
#include "kernel/message.h"
#include "kernel/nat.h"
#include "lib/live.h"
#include "lib/memory.h"
#include "lib/options.h"

#define DUMP_EVERY	NSEC
#define ASKS		20		/* for single flows, a second */

static const char * const group_names[SEQS_GROUPS] = { "transition", "flow" };

/* ---- what is told ---- */

/* A process may close its socket before the flow's last transitions: who was found stays known. */
static void add_holders(struct follower *m, struct entry *entry, struct event *e)
{
	const struct flow f = { .netns = m->netns, .tuple = entry->tuple, .flags = entry->flags };
	const struct process *p;
	unsigned int end;

	for (end = 0; end < TCPFSM_ENDS; end++) {
		p = entry->process[end].pid ? NULL : holder_of(&f, end);
		if (p)
			entry->process[end] = *p;
		if (entry->process[end].pid)
			e->process[end] = &entry->process[end];
	}
}

/* Once, as soon as it can be known. */
static void ask_for_nat(struct follower *m, struct entry *entry)
{
	struct flow f;

	if (!m->nat || !entry->tuple.family || entry->nat_asked)
		return;
	memset(&f, 0, sizeof(f));
	f.netns = m->netns;
	f.tuple = entry->tuple;
	entry->nat_asked = nat_ask(m->nat, &f);
	if (!f.nat.known)
		return;
	entry->nat = zalloc(sizeof(*entry->nat));
	*entry->nat = f.nat;
}

static void tell_event(struct entry *entry, struct event *e, void *arg)
{
	struct follower *m = arg;
	struct follow *f = m->all->f;

	e->seq = ++m->all->seq;
	e->netns = m->netns;
	e->tuple = entry->tuple.family ? &entry->tuple : NULL;
	ask_for_nat(m, entry);
	e->nat = entry->nat;
	if (opt.processes && e->tuple)
		add_holders(m, entry, e);
	if (!f->done && f->on_event)
		f->on_event(entry, e, f->arg);
}

static void tell_loss(enum seqs_group group, u32 cpu, u64 first, u64 count, void *arg)
{
	struct follower *m = arg;
	struct loss loss = { group_names[group], count, first, (int)cpu, m->netns };
	struct follow *f = m->all->f;

	if (group == SEQS_TRANSITION)
		m->all->seq += count;
	if (!f->done && f->on_lost)
		f->on_lost(&loss, f->arg);
	m->lost = true;
}

/* ---- questions ---- */

static int on_queried(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *nest = message_attr(nlh, TCPFSM_A_FLOW);

	if (nest)
		flow_parse(arg, nest);
	return 0;
}

/* By a socket that lasts no longer than the question. */
static int ask_once(struct follower *m, const struct kernel_filter *filter, netlink_fn fn,
		    void *arg)
{
	int err;
	struct netlink *nl = netlink_open(m->netns, &err);

	if (nl)
		err = netlink_ask(nl, TCPFSM_CMD_FLOW_GET, true, filter, fn, arg);
	netlink_close(nl);
	return err;
}

static void ask_for_entry(struct entry *entry, void *arg)
{
	struct kernel_filter kf = { .id = entry->id };
	struct follower *m = arg;
	struct flow f = { 0 };

	/* Each question is a walk through the table; if many flows are missing, a dump is due. */
	if (m->all->now - m->asked_since >= NSEC) {
		m->asked_since = m->all->now;
		m->asked = 0;
	}
	if (m->asked++ >= ASKS)
		return;
	if (!ask_once(m, &kf, on_queried, &f) && f.id)
		cache_fill(&m->cache, entry, &f);
}

/* ---- messages ---- */

/* Return: false if the position is impossible */
static bool take_position(struct follower *m, const struct nlattr *nest)
{
	const struct nlattr *tb[TCPFSM_POSITION_MAX + 1];
	u64 now = m->all->now;
	u32 cpu;

	attr_nest(tb, TCPFSM_POSITION_MAX, nest);
	cpu = attr_u32(tb[TCPFSM_POSITION_CPU]);
	if (cpu >= SEQS_CPUS)
		return false;
	seqs_position(&m->seqs, SEQS_TRANSITION, cpu, attr_u64(tb[TCPFSM_POSITION_TRANSITION]),
		      now);
	seqs_position(&m->seqs, SEQS_FLOW, cpu, attr_u64(tb[TCPFSM_POSITION_FLOW]), now);
	return true;
}

static int on_dump(const struct nlmsghdr *nlh, void *arg)
{
	struct follower *m = arg;
	const struct nlattr *a;
	struct flow f;

	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(a)) {
		case TCPFSM_A_POSITION:
			if (!take_position(m, a))
				return -EPROTO;
			break;
		case TCPFSM_A_FLOW:
			flow_parse(&f, a);
			cache_learn(&m->cache, &f, false);
			m->known++;
			break;
		}
	}
	return 0;
}

/* Its sockets are closed, but those who had them may be known. */
static void name_holders(struct flow *f, const struct entry *entry)
{
	unsigned int end;

	for (end = 0; end < TCPFSM_ENDS; end++)
		if (entry->process[end].pid)
			f->end[end].process = &entry->process[end];
}

static void on_flow(struct follower *m, const struct nlattr *nest)
{
	struct follow *to = m->all->f;
	struct entry *entry;
	struct flow f;

	flow_parse(&f, nest);
	f.netns = m->netns;
	if (!f.reason) {
		cache_learn(&m->cache, &f, true);
		return;
	}
	f.ended = clock_of_day();
	entry = cache_end(&m->cache, &f, m->all->now);
	if (opt.processes)
		name_holders(&f, entry);
	ask_for_nat(m, entry);
	if (entry->nat)
		f.nat = *entry->nat;
	if (!to->done && to->on_end)
		to->on_end(&f, to->arg);
}

static void on_transition(struct follower *m, const struct nlattr *nest)
{
	struct event e = { 0 };

	event_parse(&e, nest);
	cache_transition(&m->cache, &e, m->all->now);
}

/* A message holds many events; its number is the number of the first. */
int follower_take(struct follower *m, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	enum seqs_group group;
	const struct nlattr *a;
	u32 cpu = 0;
	u64 seq = 0, first, lost;

	if (genl->cmd == TCPFSM_CMD_TRANSITION_NTF)
		group = SEQS_TRANSITION;
	else if (genl->cmd == TCPFSM_CMD_FLOW_NTF)
		group = SEQS_FLOW;
	else
		return 0;
	mnl_attr_for_each(a, nlh, sizeof(*genl)) {
		switch (mnl_attr_get_type(a)) {
		case TCPFSM_A_CPU:
			cpu = attr_u32(a);
			if (cpu >= SEQS_CPUS)
				return -EPROTO;
			break;
		case TCPFSM_A_SEQ:
			seq = attr_u64(a);
			break;
		case TCPFSM_A_COUNT:
			lost = seqs_take(&m->seqs, group, cpu, seq, attr_u32(a), &first);
			if (lost)
				tell_loss(group, cpu, first, lost, m);
			break;
		case TCPFSM_A_TRANSITION:
			on_transition(m, a);
			break;
		case TCPFSM_A_FLOW:
			on_flow(m, a);
			break;
		}
		if (m->all->f->done)
			return -ECANCELED;
	}
	return 0;
}

/* ---- dumps ---- */

bool follower_needs_dump(const struct follower *m)
{
	return m->lost && !m->dump && (!m->dumped || m->all->now - m->dumped >= DUMP_EVERY);
}

int follower_begin_dump(struct follower *m)
{
	int err;

	m->lost = false;
	m->dumped = m->all->now;
	if (!m->cache.dumping)
		cache_dump_begin(&m->cache);
	m->dump = netlink_open(m->netns, &err);
	return m->dump ? netlink_request(m->dump, TCPFSM_CMD_FLOW_GET, true, NULL) : err;
}

int follower_read_dump(struct follower *m)
{
	int ret = netlink_read(m->dump, on_dump, m);

	if (ret)
		return ret;
	netlink_close(m->dump);
	m->dump = NULL;
	cache_dump_end(&m->cache, m->all->now);
	m->seqs.based = true;
	return 0;
}

int follower_ask_positions(struct follower *m)
{
	struct kernel_filter none = { .id = 1ULL << 62 };

	return ask_once(m, &none, on_dump, m);
}

void follower_give_up(struct follower *m)
{
	seqs_overdue(&m->seqs, ~0ULL, tell_loss, m);
}

u64 follower_tick(struct follower *m, u64 settled, bool drained)
{
	u64 wait = cache_tick(&m->cache, settled);

	if (drained)
		seqs_overdue(&m->seqs, m->all->now, tell_loss, m);
	return wait;
}

struct follower *follower_new(struct following *all, const struct netns *ns, int nsid)
{
	struct follower *m = zalloc(sizeof(*m));

	m->all = all;
	m->netns = ns;
	m->nsid = nsid;
	m->nat = all->f->wants_nat ? nat_asker_new(ns) : NULL;
	m->lost = true;
	m->cache.show = tell_event;
	m->cache.ask = ask_for_entry;
	m->cache.arg = m;
	cache_dump_begin(&m->cache);
	return m;
}

void follower_free(struct follower *m)
{
	cache_free(&m->cache);
	seqs_free(&m->seqs);
	nat_asker_free(m->nat);
	netlink_close(m->dump);
	free(m);
}
