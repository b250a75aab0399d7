// SPDX-License-Identifier: GPL-2.0
/*
 * What netlink messages say. Flows and transitions are many: their functions make sure first that
 * there is room for all of one, then write without checking further.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>

#include "genl_put.h"
#include "log.h"
#include "netns.h"
#include "owner.h"
#include "service.h"
#include "cpu.h"

/* ---- attributes that are known to have room ---- */

static struct nlattr *append_attr(void **at, int type, unsigned int len)
{
	struct nlattr *a = *at;

	a->nla_type = type;
	a->nla_len = nla_attr_size(len);
	*at += nla_total_size(len);
	return a;
}

static void append_u32(void **at, int type, u32 value)
{
	*(u32 *)nla_data(append_attr(at, type, sizeof(value))) = value;
}

/* As nla_put_u64_64bit() does it: where the processor wants it, the value is aligned. */
static void append_u64(void **at, int type, u64 value, int pad)
{
	if (!IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) &&
	    IS_ALIGNED((unsigned long)*at, 8))
		append_attr(at, pad, 0);
	memcpy(nla_data(append_attr(at, type, sizeof(value))), &value, sizeof(value));
}

static void append_addr(void **at, int type, u8 family, const union tcpfsm_addr *addr)
{
	if (family == AF_INET)
		append_u32(at, type, (__force u32)addr->ip4);
	else
		memcpy(nla_data(append_attr(at, type, 16)), &addr->ip6, 16);
}

static struct nlattr *start_nest(void **at, int type)
{
	return append_attr(at, type | NLA_F_NESTED, 0);
}

static void end_nest(struct nlattr *nest, void *at)
{
	nest->nla_len = at - (void *)nest;
}

/* ---- messages ---- */

struct tcpfsm_clock tcpfsm_clock(u64 now)
{
	return (struct tcpfsm_clock) {
		.now = now, .to_wall = ktime_to_ns(ktime_mono_to_real(ns_to_ktime(now))) - now,
	};
}

int tcpfsm_put_transition(struct sk_buff *skb, int attr, u64 flow, u64 when, u64 dwell, u32 step,
			  const struct tfsm_move *m)
{
	void *at = skb_tail_pointer(skb);
	struct nlattr *nest;

	if (skb_tailroom(skb) < TCPFSM_TRANSITION_ROOM)
		return -EMSGSIZE;
	nest = start_nest(&at, attr);
	append_u64(&at, TCPFSM_TRANSITION_FLOW, flow, TCPFSM_TRANSITION_PAD);
	append_u64(&at, TCPFSM_TRANSITION_WHEN, when, TCPFSM_TRANSITION_PAD);
	append_u64(&at, TCPFSM_TRANSITION_DWELL, dwell, TCPFSM_TRANSITION_PAD);
	append_u32(&at, TCPFSM_TRANSITION_MOVE,
		   TCPFSM_MOVE(step, m->end, m->flags, m->cause, m->from, m->to));
	end_nest(nest, at);
	skb_put(skb, nest->nla_len);
	return 0;
}

static void append_socket(void **at, const struct tcpfsm_snap *s, u8 end, struct user_namespace *ns)
{
	const struct tcpfsm_socket *own = &s->socket[end];
	const union tcpfsm_addr *src = end == TCPFSM_ORIG ? &s->tuple.src : &s->tuple.dst;
	const union tcpfsm_addr *dst = end == TCPFSM_ORIG ? &s->tuple.dst : &s->tuple.src;
	__be16 sport = end == TCPFSM_ORIG ? s->tuple.sport : s->tuple.dport;
	__be16 dport = end == TCPFSM_ORIG ? s->tuple.dport : s->tuple.sport;
	size_t len = s->tuple.family == AF_INET ? 4 : 16;

	if (!own->cookie)
		return;
	append_u64(at, TCPFSM_END_COOKIE, own->cookie, TCPFSM_END_PAD);
	append_u32(at, TCPFSM_END_UID, from_kuid_munged(ns, own->uid));
	if (sport == own->sport && dport == own->dport && !memcmp(src, &own->src, len) &&
	    !memcmp(dst, &own->dst, len))
		return;
	append_addr(at, TCPFSM_END_SK_SRC, s->tuple.family, &own->src);
	append_addr(at, TCPFSM_END_SK_DST, s->tuple.family, &own->dst);
	append_u32(at, TCPFSM_END_SK_SPORT, ntohs(own->sport));
	append_u32(at, TCPFSM_END_SK_DPORT, ntohs(own->dport));
}

static void append_end(void **at, const struct tcpfsm_snap *s, u8 end, u64 now,
		       struct user_namespace *ns)
{
	struct nlattr *nest = start_nest(at, end == TCPFSM_ORIG ? TCPFSM_FLOW_ORIG :
								  TCPFSM_FLOW_RESP);

	append_u32(at, TCPFSM_END_STATE, s->state[end]);
	append_u64(at, TCPFSM_END_HISTORY, s->history[end], TCPFSM_END_PAD);
	append_u64(at, TCPFSM_END_DWELL, now > s->since[end] ? now - s->since[end] : 0,
		   TCPFSM_END_PAD);
	append_u64(at, TCPFSM_END_PACKETS, s->packets[end], TCPFSM_END_PAD);
	append_u64(at, TCPFSM_END_BYTES, s->bytes[end], TCPFSM_END_PAD);
	append_socket(at, s, end, ns);
	end_nest(nest, *at);
}

static void append_tuple(void **at, const struct tcpfsm_snap *s)
{
	append_u32(at, TCPFSM_FLOW_FAMILY, s->tuple.family);
	append_addr(at, TCPFSM_FLOW_SRC, s->tuple.family, &s->tuple.src);
	append_addr(at, TCPFSM_FLOW_DST, s->tuple.family, &s->tuple.dst);
	append_u32(at, TCPFSM_FLOW_SPORT, ntohs(s->tuple.sport));
	append_u32(at, TCPFSM_FLOW_DPORT, ntohs(s->tuple.dport));
	if (s->tuple.l3)
		append_u32(at, TCPFSM_FLOW_IFINDEX, s->tuple.l3);
}

static void append_told(void **at, const struct tcpfsm_snap *s, int attr, enum tfsm_icmp_sort sort)
{
	const struct tcpfsm_told *told = &s->told[sort];
	struct nlattr *nest;

	if (!told->count)
		return;
	nest = start_nest(at, attr);
	append_u32(at, TCPFSM_ICMP_TYPE, told->type);
	append_u32(at, TCPFSM_ICMP_CODE, told->code);
	append_addr(at, TCPFSM_ICMP_ORIGIN, s->tuple.family, &told->origin);
	append_u32(at, TCPFSM_ICMP_END, told->end);
	append_u32(at, TCPFSM_ICMP_COUNT, told->count);
	if (told->mtu)
		append_u32(at, TCPFSM_ICMP_MTU, told->mtu);
	if (told->pends)
		append_u32(at, TCPFSM_ICMP_PENDING, 1);
	end_nest(nest, *at);
}

int tcpfsm_put_flow(struct sk_buff *skb, const struct tcpfsm_snap *s,
		    const struct tcpfsm_clock *clock, struct user_namespace *ns)
{
	void *at = skb_tail_pointer(skb);
	struct nlattr *nest;

	if (skb_tailroom(skb) < TCPFSM_FLOW_ROOM)
		return -EMSGSIZE;
	nest = start_nest(&at, TCPFSM_A_FLOW);
	append_u64(&at, TCPFSM_FLOW_ID, s->id, TCPFSM_FLOW_PAD);
	append_tuple(&at, s);
	append_u32(&at, TCPFSM_FLOW_FLAGS, s->flags);
	append_u32(&at, TCPFSM_FLOW_STEP, s->step);
	append_u64(&at, TCPFSM_FLOW_START, s->start + clock->to_wall, TCPFSM_FLOW_PAD);
	append_u64(&at, TCPFSM_FLOW_IDLE, jiffies64_to_nsecs(s->idle), TCPFSM_FLOW_PAD);
	append_u32(&at, TCPFSM_FLOW_REFUSED, s->refused);
	if (s->reason)
		append_u32(&at, TCPFSM_FLOW_REASON, s->reason);
	append_end(&at, s, TCPFSM_ORIG, clock->now, ns);
	append_end(&at, s, TCPFSM_RESP, clock->now, ns);
	append_told(&at, s, TCPFSM_FLOW_UNREACHABLE, TFSM_ICMP_UNREACHABLE);
	append_told(&at, s, TCPFSM_FLOW_MTU, TFSM_ICMP_MTU);
	end_nest(nest, at);
	skb_put(skb, nest->nla_len);
	return 0;
}

int tcpfsm_put_addr(struct sk_buff *skb, int attr, u8 family, const union tcpfsm_addr *addr)
{
	return nla_put(skb, attr, family == AF_INET ? 4 : 16, addr);
}

int tcpfsm_put_stats(struct sk_buff *skb, struct tcpfsm_net *tn, struct tcpfsm_stats *sums)
{
	u64 flows = tcpfsm_owner_flows_shown(tn);

	tcpfsm_cpu_sum(tn, sums);
	return nla_put_u32(skb, TCPFSM_A_NETNS, tn->net->ns.inum) ?:
	       nla_put_u64_64bit(skb, TCPFSM_A_ENTRIES, flows, TCPFSM_A_PAD) ?:
	       nla_put_u64_64bit(skb, TCPFSM_A_LIMIT, READ_ONCE(tcpfsm_max_flows), TCPFSM_A_PAD) ?:
	       nla_put(skb, TCPFSM_A_PAIRS, sizeof(sums->pair), sums->pair) ?:
	       nla_put(skb, TCPFSM_A_TRANSITIONS, sizeof(sums->transition), sums->transition) ?:
	       nla_put(skb, TCPFSM_A_DWELL, sizeof(sums->dwell), sums->dwell);
}

int tcpfsm_put_counter(struct sk_buff *skb, unsigned int c, u64 value)
{
	struct nlattr *nest = nla_nest_start(skb, TCPFSM_A_COUNTER);

	if (!nest || nla_put_string(skb, TCPFSM_COUNTER_NAME, tcpfsm_counter_name[c]) ||
	    nla_put_u64_64bit(skb, TCPFSM_COUNTER_VALUE, value, TCPFSM_COUNTER_PAD) ||
	    nla_put_string(skb, TCPFSM_COUNTER_HELP, tcpfsm_counter_help[c]))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_service_totals(struct sk_buff *skb, const struct tcpfsm_service_counts *c)
{
	const struct {
		int attr;
		u64 value;
	} totals[] = {
		{ TCPFSM_SERVICE_FLOWS, c->opened },
		{ TCPFSM_SERVICE_ESTABLISHED, c->established },
		{ TCPFSM_SERVICE_REFUSED, c->refused },
		{ TCPFSM_SERVICE_RESET, c->reset },
		{ TCPFSM_SERVICE_SYNACK_RESENT, c->synack_resent },
		{ TCPFSM_SERVICE_CONNECT_NS, c->connect_ns },
		{ TCPFSM_SERVICE_CONNECTS, c->connects },
		{ TCPFSM_SERVICE_ACCEPT_NS, c->accept_ns },
		{ TCPFSM_SERVICE_ACCEPTS, c->established },
		{ TCPFSM_SERVICE_UNREACHABLE, c->unreachable },
		{ TCPFSM_SERVICE_MTU, c->mtu },
	};
	unsigned int i;

	if (nla_put(skb, TCPFSM_SERVICE_STATES, sizeof(c->state), c->state))
		return -EMSGSIZE;
	for (i = 0; i < ARRAY_SIZE(totals); i++)
		if (nla_put_u64_64bit(skb, totals[i].attr, totals[i].value, TCPFSM_SERVICE_PAD))
			return -EMSGSIZE;
	return 0;
}

int tcpfsm_put_service(struct sk_buff *skb, struct tcpfsm_service *s)
{
	struct nlattr *nest = nla_nest_start(skb, TCPFSM_A_SERVICE);
	struct tcpfsm_service_counts counts;

	if (!nest)
		return -EMSGSIZE;
	if (s->family && (nla_put_u32(skb, TCPFSM_SERVICE_FAMILY, s->family) ||
			  tcpfsm_put_addr(skb, TCPFSM_SERVICE_ADDR, s->family, &s->addr) ||
			  nla_put_u32(skb, TCPFSM_SERVICE_PORT, ntohs(s->port))))
		return -EMSGSIZE;
	tcpfsm_service_sum(s, &counts);
	if (put_service_totals(skb, &counts))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int tcpfsm_put_log(struct sk_buff *skb, u32 cpu, const struct tcpfsm_log_entry *e)
{
	u64 when = e->when + tcpfsm_clock(e->when).to_wall;
	struct nlattr *nest = nla_nest_start(skb, TCPFSM_A_LOG);

	if (!nest ||
	    nla_put_u64_64bit(skb, TCPFSM_LOG_SEQ, e->seq, TCPFSM_LOG_PAD) ||
	    nla_put_u32(skb, TCPFSM_LOG_CPU, cpu) ||
	    tcpfsm_put_transition(skb, TCPFSM_LOG_TRANSITION, e->flow, when, e->dwell, e->step,
				  &e->move) ||
	    nla_put_u32(skb, TCPFSM_LOG_FAMILY, e->family) ||
	    tcpfsm_put_addr(skb, TCPFSM_LOG_SRC, e->family, &e->src) ||
	    tcpfsm_put_addr(skb, TCPFSM_LOG_DST, e->family, &e->dst) ||
	    nla_put_u32(skb, TCPFSM_LOG_SPORT, ntohs(e->sport)) ||
	    nla_put_u32(skb, TCPFSM_LOG_DPORT, ntohs(e->dport)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}
