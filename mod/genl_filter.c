// SPDX-License-Identifier: GPL-2.0
/*
 * What requests ask for: filters of dumps, parsed once, then asked of each flow; and tuples.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <net/ipv6.h>

#include "genl_filter.h"
#include "service.h"

#define STATES_MASK (BIT(TCPFSM_STATES) - 2)

static struct netlink_range_validation port_range = {
	.max = U16_MAX,
};

const struct nla_policy tcpfsm_filter_policy[TCPFSM_FILTER_MAX + 1] = {
	[TCPFSM_FILTER_ID]		= { .type = NLA_U64 },
	[TCPFSM_FILTER_FAMILY]		= { .type = NLA_U32 },
	[TCPFSM_FILTER_ORIG_STATES]	= NLA_POLICY_MASK(NLA_U32, STATES_MASK),
	[TCPFSM_FILTER_RESP_STATES]	= NLA_POLICY_MASK(NLA_U32, STATES_MASK),
	[TCPFSM_FILTER_ANY_STATES]	= NLA_POLICY_MASK(NLA_U32, STATES_MASK),
	[TCPFSM_FILTER_SRC]		= { .type = NLA_BINARY, .len = 16 },
	[TCPFSM_FILTER_SRC_LEN]		= NLA_POLICY_MAX(NLA_U32, 128),
	[TCPFSM_FILTER_DST]		= { .type = NLA_BINARY, .len = 16 },
	[TCPFSM_FILTER_DST_LEN]		= NLA_POLICY_MAX(NLA_U32, 128),
	[TCPFSM_FILTER_SPORT_MIN]	= NLA_POLICY_FULL_RANGE(NLA_U32, &port_range),
	[TCPFSM_FILTER_SPORT_MAX]	= NLA_POLICY_FULL_RANGE(NLA_U32, &port_range),
	[TCPFSM_FILTER_DPORT_MIN]	= NLA_POLICY_FULL_RANGE(NLA_U32, &port_range),
	[TCPFSM_FILTER_DPORT_MAX]	= NLA_POLICY_FULL_RANGE(NLA_U32, &port_range),
	[TCPFSM_FILTER_AGE_MIN]		= { .type = NLA_U64 },
	[TCPFSM_FILTER_IDLE_MIN]	= { .type = NLA_U64 },
};

/* ---- parsing ---- */

/* An address and its prefix length; both decide the family. */
static int parse_prefix(struct tcpfsm_filter *f, u8 end, const struct nlattr *addr,
			const struct nlattr *len, struct netlink_ext_ack *extack)
{
	u8 family;

	f->len[end] = -1;
	if (!addr) {
		if (!len)
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, len, "a prefix length needs an address beside it");
		return -EINVAL;
	}
	if (nla_len(addr) != 4 && nla_len(addr) != 16) {
		NL_SET_ERR_MSG_ATTR(extack, addr, "an address has 4 or 16 bytes");
		return -EINVAL;
	}
	family = nla_len(addr) == 4 ? AF_INET : AF_INET6;
	if (f->family && f->family != family) {
		NL_SET_ERR_MSG_ATTR(extack, addr, "the address is not of the family asked for");
		return -EINVAL;
	}
	f->family = family;
	f->len[end] = len ? nla_get_u32(len) : nla_len(addr) * 8;
	if (f->len[end] > nla_len(addr) * 8) {
		NL_SET_ERR_MSG_ATTR(extack, len, "the prefix is longer than the address");
		return -EINVAL;
	}
	nla_memcpy(&f->addr[end], addr, sizeof(f->addr[end]));
	return 0;
}

static int parse_ports(struct tcpfsm_filter *f, u8 end, const struct nlattr *min,
		       const struct nlattr *max, struct netlink_ext_ack *extack)
{
	f->port_min[end] = min ? nla_get_u32(min) : 0;
	f->port_max[end] = max ? nla_get_u32(max) : U16_MAX;
	if (f->port_min[end] <= f->port_max[end])
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, min, "the lowest port is above the highest");
	return -EINVAL;
}

/* 0 if it is absent. */
static u32 u32_of(const struct nlattr *a)
{
	return a ? nla_get_u32(a) : 0;
}

static u64 u64_of(const struct nlattr *a)
{
	return a ? nla_get_u64(a) : 0;
}

int tcpfsm_filter_parse(struct tcpfsm_filter *f, const struct nlattr *attr,
			struct netlink_ext_ack *extack)
{
	struct nlattr *tb[TCPFSM_FILTER_MAX + 1] = {};
	int err;

	memset(f, 0, sizeof(*f));
	if (attr) {
		err = nla_parse_nested(tb, TCPFSM_FILTER_MAX, attr, tcpfsm_filter_policy, extack);
		if (err)
			return err;
		f->any = nla_len(attr);
	}
	if (tb[TCPFSM_FILTER_FAMILY]) {
		u32 family = nla_get_u32(tb[TCPFSM_FILTER_FAMILY]);

		if (family != AF_INET && family != AF_INET6) {
			NL_SET_ERR_MSG_ATTR(extack, tb[TCPFSM_FILTER_FAMILY],
					    "the family is neither AF_INET nor AF_INET6");
			return -EINVAL;
		}
		f->family = family;
	}
	err = parse_prefix(f, TCPFSM_ORIG, tb[TCPFSM_FILTER_SRC], tb[TCPFSM_FILTER_SRC_LEN],
			   extack) ?:
	      parse_prefix(f, TCPFSM_RESP, tb[TCPFSM_FILTER_DST], tb[TCPFSM_FILTER_DST_LEN],
			   extack) ?:
	      parse_ports(f, TCPFSM_ORIG, tb[TCPFSM_FILTER_SPORT_MIN],
			  tb[TCPFSM_FILTER_SPORT_MAX], extack) ?:
	      parse_ports(f, TCPFSM_RESP, tb[TCPFSM_FILTER_DPORT_MIN],
			  tb[TCPFSM_FILTER_DPORT_MAX], extack);
	f->id = u64_of(tb[TCPFSM_FILTER_ID]);
	f->states[TCPFSM_ORIG] = u32_of(tb[TCPFSM_FILTER_ORIG_STATES]);
	f->states[TCPFSM_RESP] = u32_of(tb[TCPFSM_FILTER_RESP_STATES]);
	f->any_states = u32_of(tb[TCPFSM_FILTER_ANY_STATES]);
	f->age_min = u64_of(tb[TCPFSM_FILTER_AGE_MIN]);
	f->idle_min = u64_of(tb[TCPFSM_FILTER_IDLE_MIN]);
	return err;
}

/* ---- matching ---- */

static bool in_prefix(const struct tcpfsm_flow *f, u8 i, const union tcpfsm_addr *p, int len)
{
	if (len < 0)
		return true;
	if (f->is_ip6)
		return ipv6_prefix_equal(&f->ip6[i], &p->ip6, len);
	return !len || !((f->ip4[i] ^ p->ip4) & htonl(~0U << (32 - len)));
}

static bool wants_end(const struct tcpfsm_flow *f, const struct tcpfsm_filter *w, u8 end)
{
	u8 i = end == TCPFSM_ORIG ? f->orig : !f->orig;
	u16 port = ntohs(f->port[i]);

	if (w->states[end] && !(w->states[end] & BIT(f->fsm.end[end].state)))
		return false;
	return port >= w->port_min[end] && port <= w->port_max[end] &&
	       in_prefix(f, i, &w->addr[end], w->len[end]);
}

bool tcpfsm_filter_wants(const struct tcpfsm_flow *f, const void *filter)
{
	const struct tcpfsm_filter *w = filter;

	if (!w->any)
		return true;
	if ((w->id && tcpfsm_flow_id(f) != w->id) ||
	    (w->family && tcpfsm_flow_family(f) != w->family))
		return false;
	if (w->any_states && !(w->any_states & (BIT(f->fsm.end[TCPFSM_ORIG].state) |
						BIT(f->fsm.end[TCPFSM_RESP].state))))
		return false;
	if (w->age_min && ktime_get_ns() - f->start < w->age_min)
		return false;
	if (w->idle_min && jiffies64_to_nsecs((u32)jiffies - f->last) < w->idle_min)
		return false;
	return wants_end(f, w, TCPFSM_ORIG) && wants_end(f, w, TCPFSM_RESP);
}

/* ---- tuples ---- */

const struct nla_policy tcpfsm_tuple_policy[TCPFSM_FLOW_IFINDEX + 1] = {
	[TCPFSM_FLOW_ID]	= { .type = NLA_U64 },
	[TCPFSM_FLOW_FAMILY]	= { .type = NLA_U32 },
	[TCPFSM_FLOW_SRC]	= { .type = NLA_BINARY, .len = 16 },
	[TCPFSM_FLOW_DST]	= { .type = NLA_BINARY, .len = 16 },
	[TCPFSM_FLOW_SPORT]	= NLA_POLICY_FULL_RANGE(NLA_U32, &port_range),
	[TCPFSM_FLOW_DPORT]	= NLA_POLICY_FULL_RANGE(NLA_U32, &port_range),
	[TCPFSM_FLOW_IFINDEX]	= { .type = NLA_U32 },
};

static u8 addr_family(const struct nlattr *addr)
{
	return nla_len(addr) == 4 ? AF_INET : nla_len(addr) == 16 ? AF_INET6 : AF_UNSPEC;
}

/* All that it takes is there, and of one family. */
static int check_tuple(struct nlattr **tb, const struct nlattr *attr,
		       struct netlink_ext_ack *extack)
{
	const struct nlattr *src = tb[TCPFSM_FLOW_SRC], *dst = tb[TCPFSM_FLOW_DST];
	const struct nlattr *family = tb[TCPFSM_FLOW_FAMILY];

	if (!src || !dst || !tb[TCPFSM_FLOW_SPORT] || !tb[TCPFSM_FLOW_DPORT]) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "one flow is asked for by src, dst, sport and dport");
		return -EINVAL;
	}
	if (!addr_family(src) || !addr_family(dst)) {
		NL_SET_ERR_MSG_ATTR(extack, addr_family(src) ? dst : src,
				    "an address has 4 or 16 bytes");
		return -EINVAL;
	}
	if (addr_family(src) != addr_family(dst)) {
		NL_SET_ERR_MSG_ATTR(extack, dst, "the addresses are not of one family");
		return -EINVAL;
	}
	if (family && nla_get_u32(family) != addr_family(src)) {
		NL_SET_ERR_MSG_ATTR(extack, family, "the family is not that of the addresses");
		return -EINVAL;
	}
	return 0;
}

int tcpfsm_tuple_parse(struct tcpfsm_tuple *t, u64 *id, const struct nlattr *attr,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[TCPFSM_FLOW_IFINDEX + 1];
	union tcpfsm_addr src = {}, dst = {};
	__be16 sport, dport;
	bool swap;
	int err;

	err = nla_parse_nested(tb, TCPFSM_FLOW_IFINDEX, attr, tcpfsm_tuple_policy, extack) ?:
	      check_tuple(tb, attr, extack);
	if (err)
		return err;
	nla_memcpy(&src, tb[TCPFSM_FLOW_SRC], sizeof(src));
	nla_memcpy(&dst, tb[TCPFSM_FLOW_DST], sizeof(dst));
	sport = htons(nla_get_u32(tb[TCPFSM_FLOW_SPORT]));
	dport = htons(nla_get_u32(tb[TCPFSM_FLOW_DPORT]));
	swap = tcpfsm_tuple_sorts_behind(&src, sport, &dst, dport);
	t->family = addr_family(tb[TCPFSM_FLOW_SRC]);
	t->l3 = u32_of(tb[TCPFSM_FLOW_IFINDEX]);
	t->addr[swap] = src;
	t->addr[!swap] = dst;
	t->port[swap] = sport;
	t->port[!swap] = dport;
	*id = u64_of(tb[TCPFSM_FLOW_ID]);
	return 0;
}
