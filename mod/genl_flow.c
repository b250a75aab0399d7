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
	struct nlattr **attrs = tcpfsm_dump_attrs(cb);
	int err;

	if (attrs[TCPFSM_A_FLOW]) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[TCPFSM_A_FLOW],
				    "a tuple is for one flow; a dump takes a filter");
		return -EINVAL;
	}
	err = tcpfsm_filter_parse(c->filter, attrs[TCPFSM_A_FILTER], cb->extack);
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
			if (c->filter->id) {
				c->bucket = tcpfsm_table_buckets();
				return skb->len;
			}
		}
		if (c->bucket % 1024 == 0)
			cond_resched();
	}
	return skb->len;
}

/* Copy the flow with this tuple, if it lives and has this @id, if not 0. Bottom halves are off. */
static bool copy_flow_of(const struct tcpfsm_tuple *tuple, u64 id, struct tcpfsm_snap *snap)
{
	struct tcpfsm_flow *f = tcpfsm_table_find_lock(tuple);
	bool found;

	if (!f)
		return false;
	found = !id || tcpfsm_flow_id(f) == id;
	if (found)
		tcpfsm_flow_snapshot(f, snap);
	spin_unlock(&f->lock);
	return found;
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
	struct tcpfsm_tuple tuple = { .tn = tcpfsm_net(genl_info_net(info)) };
	struct tcpfsm_snap snap;
	bool found;
	u64 id;
	int err;

	if (tcpfsm_attr_missing(info, TCPFSM_A_FLOW))
		return -EINVAL;
	if (info->attrs[TCPFSM_A_FILTER]) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[TCPFSM_A_FILTER],
				    "a filter is for a dump; one flow is asked for by its tuple");
		return -EINVAL;
	}
	err = tcpfsm_tuple_parse(&tuple, &id, info->attrs[TCPFSM_A_FLOW], info->extack);
	if (err)
		return err;
	tcpfsm_table_hash(&tuple);
	rcu_read_lock();
	local_bh_disable();
	found = copy_flow_of(&tuple, id, &snap);
	local_bh_enable();
	rcu_read_unlock();
	if (found)
		return reply_flow(request, info, &snap);
	NL_SET_ERR_MSG(info->extack, "no such flow");
	return -ENOENT;
}
