// SPDX-License-Identifier: GPL-2.0
#include <linux/genetlink.h>

#include "kernel/request.h"

struct nlmsghdr *request_begin(char *buf, u16 family, u8 cmd, u8 version, u16 flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

static void put_prefix(struct nlmsghdr *nlh, u16 type, u8 family, const u8 *addr, u8 len)
{
	if (!family)
		return;
	mnl_attr_put(nlh, type, addr_len(family), addr);
	mnl_attr_put_u32(nlh, type + 1, len);
}

/* Zero means any, which goes without saying. */
static void put_u32_if_set(struct nlmsghdr *nlh, u16 type, u32 value)
{
	if (value)
		mnl_attr_put_u32(nlh, type, value);
}

static void put_u64_if_set(struct nlmsghdr *nlh, u16 type, u64 value)
{
	if (value)
		mnl_attr_put_u64(nlh, type, value);
}

void request_put_filter(struct nlmsghdr *nlh, const struct kernel_filter *f)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, TCPFSM_A_FILTER);

	_Static_assert(TCPFSM_FILTER_SRC_LEN == TCPFSM_FILTER_SRC + 1 &&
		       TCPFSM_FILTER_DST_LEN == TCPFSM_FILTER_DST + 1, "put_prefix()");
	put_u64_if_set(nlh, TCPFSM_FILTER_ID, f->id);
	put_u32_if_set(nlh, TCPFSM_FILTER_FAMILY, f->family);
	put_u32_if_set(nlh, TCPFSM_FILTER_ORIG_STATES, f->orig_states);
	put_u32_if_set(nlh, TCPFSM_FILTER_RESP_STATES, f->resp_states);
	put_u32_if_set(nlh, TCPFSM_FILTER_ANY_STATES, f->any_states);
	put_prefix(nlh, TCPFSM_FILTER_SRC, f->src_family, f->src, f->src_len);
	put_prefix(nlh, TCPFSM_FILTER_DST, f->dst_family, f->dst, f->dst_len);
	put_u32_if_set(nlh, TCPFSM_FILTER_SPORT_MIN, f->sport_min);
	put_u32_if_set(nlh, TCPFSM_FILTER_SPORT_MAX, f->sport_max);
	put_u32_if_set(nlh, TCPFSM_FILTER_DPORT_MIN, f->dport_min);
	put_u32_if_set(nlh, TCPFSM_FILTER_DPORT_MAX, f->dport_max);
	put_u64_if_set(nlh, TCPFSM_FILTER_AGE_MIN, f->age_min);
	put_u64_if_set(nlh, TCPFSM_FILTER_IDLE_MIN, f->idle_min);
	/* The nest's length is not set before its end. */
	if (mnl_nlmsg_get_payload_tail(nlh) != mnl_attr_get_payload(nest))
		mnl_attr_nest_end(nlh, nest);
	else
		mnl_attr_nest_cancel(nlh, nest);
}

void request_put_tuple(struct nlmsghdr *nlh, const struct tuple *t)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, TCPFSM_A_FLOW);

	mnl_attr_put(nlh, TCPFSM_FLOW_SRC, addr_len(t->family), t->src);
	mnl_attr_put(nlh, TCPFSM_FLOW_DST, addr_len(t->family), t->dst);
	mnl_attr_put_u32(nlh, TCPFSM_FLOW_SPORT, t->sport);
	mnl_attr_put_u32(nlh, TCPFSM_FLOW_DPORT, t->dport);
	mnl_attr_nest_end(nlh, nest);
}
