// SPDX-License-Identifier: GPL-2.0
/*
 * Flows and transitions as attributes. There are many of both: room for all of one is made sure
 * of first, then they are written there without a further question.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>

#include "genl_put.h"

/* ---- attributes where there is room ---- */

static struct nlattr *put(void **at, int type, unsigned int len)
{
	struct nlattr *a = *at;

	a->nla_type = type;
	a->nla_len = nla_attr_size(len);
	*at += nla_total_size(len);
	return a;
}

static void put_u32(void **at, int type, u32 value)
{
	*(u32 *)nla_data(put(at, type, sizeof(value))) = value;
}

/* As nla_put_u64_64bit() does it: where the processor wants it, the value is aligned. */
static void put_u64(void **at, int type, u64 value, int pad)
{
	if (!IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) &&
	    IS_ALIGNED((unsigned long)*at, 8))
		put(at, pad, 0);
	memcpy(nla_data(put(at, type, sizeof(value))), &value, sizeof(value));
}

static void put_addr(void **at, int type, u8 family, const union tcpfsm_addr *addr)
{
	if (family == AF_INET)
		put_u32(at, type, (__force u32)addr->ip4);
	else
		memcpy(nla_data(put(at, type, 16)), &addr->ip6, 16);
}

static struct nlattr *nest_start(void **at, int type)
{
	return put(at, type | NLA_F_NESTED, 0);
}

static void nest_end(struct nlattr *nest, void *at)
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
	nest = nest_start(&at, attr);
	put_u64(&at, TCPFSM_TRANSITION_FLOW, flow, TCPFSM_TRANSITION_PAD);
	put_u64(&at, TCPFSM_TRANSITION_WHEN, when, TCPFSM_TRANSITION_PAD);
	put_u64(&at, TCPFSM_TRANSITION_DWELL, dwell, TCPFSM_TRANSITION_PAD);
	put_u32(&at, TCPFSM_TRANSITION_MOVE,
		TCPFSM_MOVE(step, m->end, m->flags, m->cause, m->from, m->to));
	nest_end(nest, at);
	skb_put(skb, nest->nla_len);
	return 0;
}

static void put_socket(void **at, const struct tcpfsm_snap *s, u8 end, struct user_namespace *ns)
{
	const struct tcpfsm_socket *own = &s->socket[end];
	const union tcpfsm_addr *src = end == TCPFSM_ORIG ? &s->src : &s->dst;
	const union tcpfsm_addr *dst = end == TCPFSM_ORIG ? &s->dst : &s->src;
	__be16 sport = end == TCPFSM_ORIG ? s->sport : s->dport;
	__be16 dport = end == TCPFSM_ORIG ? s->dport : s->sport;
	size_t len = s->family == AF_INET ? 4 : 16;

	if (!own->cookie)
		return;
	put_u64(at, TCPFSM_END_COOKIE, own->cookie, TCPFSM_END_PAD);
	put_u32(at, TCPFSM_END_UID, from_kuid_munged(ns, own->uid));
	if (sport == own->sport && dport == own->dport && !memcmp(src, &own->src, len) &&
	    !memcmp(dst, &own->dst, len))
		return;
	put_addr(at, TCPFSM_END_SK_SRC, s->family, &own->src);
	put_addr(at, TCPFSM_END_SK_DST, s->family, &own->dst);
	put_u32(at, TCPFSM_END_SK_SPORT, ntohs(own->sport));
	put_u32(at, TCPFSM_END_SK_DPORT, ntohs(own->dport));
}

static void put_end(void **at, const struct tcpfsm_snap *s, u8 end, u64 now,
		    struct user_namespace *ns)
{
	struct nlattr *nest = nest_start(at, end == TCPFSM_ORIG ? TCPFSM_FLOW_ORIG :
								  TCPFSM_FLOW_RESP);

	put_u32(at, TCPFSM_END_STATE, s->state[end]);
	put_u64(at, TCPFSM_END_HISTORY, s->history[end], TCPFSM_END_PAD);
	put_u64(at, TCPFSM_END_DWELL, now > s->since[end] ? now - s->since[end] : 0,
		TCPFSM_END_PAD);
	put_u64(at, TCPFSM_END_PACKETS, s->packets[end], TCPFSM_END_PAD);
	put_u64(at, TCPFSM_END_BYTES, s->bytes[end], TCPFSM_END_PAD);
	put_socket(at, s, end, ns);
	nest_end(nest, *at);
}

static void put_tuple(void **at, const struct tcpfsm_snap *s)
{
	put_u32(at, TCPFSM_FLOW_FAMILY, s->family);
	put_addr(at, TCPFSM_FLOW_SRC, s->family, &s->src);
	put_addr(at, TCPFSM_FLOW_DST, s->family, &s->dst);
	put_u32(at, TCPFSM_FLOW_SPORT, ntohs(s->sport));
	put_u32(at, TCPFSM_FLOW_DPORT, ntohs(s->dport));
	if (s->l3)
		put_u32(at, TCPFSM_FLOW_IFINDEX, s->l3);
}

int tcpfsm_put_flow(struct sk_buff *skb, const struct tcpfsm_snap *s,
		    const struct tcpfsm_clock *clock, struct user_namespace *ns)
{
	void *at = skb_tail_pointer(skb);
	struct nlattr *nest;

	if (skb_tailroom(skb) < TCPFSM_FLOW_ROOM)
		return -EMSGSIZE;
	nest = nest_start(&at, TCPFSM_A_FLOW);
	put_u64(&at, TCPFSM_FLOW_ID, s->id, TCPFSM_FLOW_PAD);
	put_tuple(&at, s);
	put_u32(&at, TCPFSM_FLOW_FLAGS, s->flags);
	put_u32(&at, TCPFSM_FLOW_STEP, s->step);
	put_u64(&at, TCPFSM_FLOW_START, s->start + clock->to_wall, TCPFSM_FLOW_PAD);
	put_u64(&at, TCPFSM_FLOW_IDLE, jiffies64_to_nsecs(s->idle), TCPFSM_FLOW_PAD);
	put_u32(&at, TCPFSM_FLOW_REFUSED, s->refused);
	if (s->reason)
		put_u32(&at, TCPFSM_FLOW_REASON, s->reason);
	put_end(&at, s, TCPFSM_ORIG, clock->now, ns);
	put_end(&at, s, TCPFSM_RESP, clock->now, ns);
	nest_end(nest, at);
	skb_put(skb, nest->nla_len);
	return 0;
}

int tcpfsm_put_addr(struct sk_buff *skb, int attr, u8 family, const union tcpfsm_addr *addr)
{
	return nla_put(skb, attr, family == AF_INET ? 4 : 16, addr);
}
