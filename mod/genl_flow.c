// SPDX-License-Identifier: GPL-2.0
/* Requests for flows. */
#include <linux/ktime.h>
#include <linux/sched.h>

#include "compat.h"
#include "event.h"
#include "genl_filter.h"
#include "genl_flow.h"
#include "genl_msg.h"
#include "genl_put.h"
#include "netns.h"
#include "table.h"

/* Where a dump goes on. */
struct flow_cursor {
	struct tcpfsm_filter *filter;
	u64 begun;		/* ktime: after it took the positions of events; 0: it has not */
	u64 at;			/* within the bucket */
	u32 bucket;
	u32 cpu;		/* whose position is next */
	bool parsed;		/* the filter */
};

static struct user_namespace *reader_ns(const struct sk_buff *request)
{
	return sk_user_ns(NETLINK_CB(request).sk);
}

static int parse_filter(struct netlink_callback *cb)
{
	struct flow_cursor *c = TCPFSM_CURSOR(struct flow_cursor, cb);
	int err = tcpfsm_filter_parse(c->filter, tcpfsm_dump_attrs(cb)[TCPFSM_A_FILTER],
				      cb->extack);

	c->parsed = !err;
	return err;
}

int tcpfsm_genl_flow_start(struct netlink_callback *cb)
{
	struct flow_cursor *c = TCPFSM_CURSOR(struct flow_cursor, cb);
	/*
	 * Before 6.7 an error here does not reach the reader: the first dump parses the filter
	 * then.
	 */
	int err = 0;

	c->filter = kmalloc(sizeof(*c->filter), GFP_KERNEL);
	if (!c->filter)
		return -ENOMEM;
	if (cb->extack)
		err = parse_filter(cb);
	err = err ?: tcpfsm_event_hear(tcpfsm_net(sock_net(cb->skb->sk)));
	if (err) {
		kfree(c->filter);
		return err;
	}
	return 0;
}

int tcpfsm_genl_flow_done(struct netlink_callback *cb)
{
	kfree(TCPFSM_CURSOR(struct flow_cursor, cb)->filter);
	return 0;
}

/* Return: 0 if all positions have been put; 1 if more are for the next message. */
static int put_positions(struct sk_buff *skb, const struct netlink_callback *cb, int flags,
			 struct tcpfsm_net *tn, u32 *cpu)
{
	void *header = tcpfsm_msg_dump(skb, cb, flags, TCPFSM_CMD_FLOW_GET);
	u32 first = *cpu;
	int err;

	if (!header)
		return -EMSGSIZE;
	err = tcpfsm_event_positions(tn, skb, cpu);
	if (err && *cpu == first)
		return tcpfsm_msg_end(skb, header, err);
	tcpfsm_msg_end(skb, header, 0);
	return err ? 1 : 0;
}

static int put_flow(struct sk_buff *skb, const struct netlink_callback *cb, int flags,
		    const struct tcpfsm_snap *snap, const struct tcpfsm_clock *clock)
{
	void *header = tcpfsm_msg_dump(skb, cb, flags, TCPFSM_CMD_FLOW_GET);

	if (!header)
		return -EMSGSIZE;
	return tcpfsm_msg_end(skb, header, tcpfsm_put_flow(skb, snap, clock, reader_ns(cb->skb)));
}

int tcpfsm_genl_flow_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct flow_cursor *c = TCPFSM_CURSOR(struct flow_cursor, cb);
	struct tcpfsm_net *tn = tcpfsm_net(sock_net(cb->skb->sk));
	int flags, err = c->parsed ? 0 : parse_filter(cb);
	const struct tcpfsm_clock clock = tcpfsm_clock(ktime_get_ns());
	struct tcpfsm_walk walk = {
		.tag = tn->tag, .want = tcpfsm_filter_wants, .arg = c->filter,
	};
	struct tcpfsm_snap snap;
	u64 at;

	if (err)
		return err;
	flags = c->filter->any ? NLM_F_DUMP_FILTERED : 0;
	if (!c->begun) {
		err = put_positions(skb, cb, flags, tn, &c->cpu);
		if (err)
			return err < 0 ? err : skb->len;
		c->begun = ktime_get_ns();
	}
	walk.begun = c->begun;
	for (; c->bucket < tcpfsm_table_buckets(); c->bucket++, c->at = 0) {
		at = c->at;
		while (tcpfsm_table_next(c->bucket, &at, &walk, &snap)) {
			if (put_flow(skb, cb, flags, &snap, &clock))
				return skb->len;
			c->at = at;
		}
		if (c->bucket % 1024 == 0)
			cond_resched();
	}
	return skb->len;
}

/* Find a flow by the id that the filter asks for. Return: false if there is none. */
static bool find_flow(const struct tcpfsm_net *tn, const struct tcpfsm_filter *filter,
		      struct tcpfsm_snap *snap)
{
	const struct tcpfsm_walk walk = {
		.tag = tn->tag, .begun = U64_MAX, .want = tcpfsm_filter_wants, .arg = filter,
	};
	unsigned int b;
	u64 at;

	for (b = 0; b < tcpfsm_table_buckets(); b++) {
		at = 0;
		if (tcpfsm_table_next(b, &at, &walk, snap))
			return true;
		if (b % 1024 == 0)
			cond_resched();
	}
	return false;
}

static int reply_flow(struct sk_buff *request, struct genl_info *info,
		      const struct tcpfsm_snap *snap)
{
	const struct tcpfsm_clock clock = tcpfsm_clock(ktime_get_ns());
	struct sk_buff *skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *header;

	if (!skb)
		return -ENOMEM;
	header = tcpfsm_msg_reply(skb, info, TCPFSM_CMD_FLOW_GET);
	if (!header || tcpfsm_put_flow(skb, snap, &clock, reader_ns(request))) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return genlmsg_reply(skb, info);
}

int tcpfsm_genl_flow_get(struct sk_buff *request, struct genl_info *info)
{
	struct tcpfsm_filter filter;
	struct tcpfsm_snap snap;
	int err;

	if (tcpfsm_attr_missing(info, TCPFSM_A_FILTER))
		return -EINVAL;
	err = tcpfsm_filter_parse(&filter, info->attrs[TCPFSM_A_FILTER], info->extack);
	if (err)
		return err;
	if (!filter.id) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[TCPFSM_A_FILTER],
				    "one flow is asked for by its id; dump to ask for more");
		return -EINVAL;
	}
	if (find_flow(tcpfsm_net(genl_info_net(info)), &filter, &snap))
		return reply_flow(request, info, &snap);
	NL_SET_ERR_MSG(info->extack, "no flow with this id");
	return -ENOENT;
}
