// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family: requests for other things than flows, and its table of operations. */
#include <net/genetlink.h>

#include "compat.h"
#include "genl.h"
#include "genl_filter.h"
#include "genl_flow.h"
#include "genl_msg.h"
#include "genl_put.h"
#include "cpu.h"
#include "event.h"
#include "log.h"
#include "netns.h"
#include "service.h"

struct dump_position {
	u64 pos;
	bool done;
};

static struct dump_position *position_of(struct netlink_callback *cb)
{
	return TCPFSM_CURSOR(struct dump_position, cb);
}

/* ---- states of a namespace ---- */

#define STATS_SIZE (sizeof(struct tcpfsm_stats) + 256)

static int stats_get(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *skb = genlmsg_new(STATS_SIZE, GFP_KERNEL);
	struct tcpfsm_stats *sums = kmalloc(sizeof(*sums), GFP_KERNEL);
	int err = -ENOMEM;
	void *header;

	if (!skb || !sums)
		goto out;
	header = tcpfsm_msg_reply(skb, info, TCPFSM_CMD_STATS_GET);
	err = header ? tcpfsm_put_stats(skb, tcpfsm_net(genl_info_net(info)), sums) : -EMSGSIZE;
	if (err)
		goto out;
	genlmsg_end(skb, header);
	err = genlmsg_reply(skb, info);
	skb = NULL;
out:
	kfree(sums);
	nlmsg_free(skb);
	return err;
}

static int stats_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = STATS_SIZE + 1024;
	return 0;
}

static int put_stats(struct sk_buff *skb, const struct netlink_callback *cb, struct tcpfsm_net *tn,
		     struct tcpfsm_stats *sums)
{
	void *header = tcpfsm_msg_dump(skb, cb, 0, TCPFSM_CMD_STATS_GET);

	return header ? tcpfsm_msg_end(skb, header, tcpfsm_put_stats(skb, tn, sums)) : -EMSGSIZE;
}

/* The next namespace that has seen TCP, in the order of their tags, which stay; or NULL. */
static struct tcpfsm_net *next_namespace(u32 after)
{
	struct tcpfsm_net *tn;

	while ((tn = tcpfsm_netns_next(after)) && !tcpfsm_cpu_ready(tn))
		after = tn->tag;
	return tn;
}

/* RCU keeps a namespace from going away while it is put into the message. */
static int put_namespaces(struct sk_buff *skb, struct netlink_callback *cb,
			  struct tcpfsm_stats *sums)
{
	struct dump_position *position = position_of(cb);
	struct tcpfsm_net *tn;
	int err = 0;

	rcu_read_lock();
	while (!err && (tn = next_namespace(position->pos))) {
		err = put_stats(skb, cb, tn, sums);
		if (!err)
			position->pos = tn->tag;
	}
	rcu_read_unlock();
	return err;
}

/* Of every namespace for a reader in the initial one. */
static int stats_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_position *position = position_of(cb);
	struct net *own = sock_net(cb->skb->sk);
	struct tcpfsm_stats *sums;
	int err;

	if (position->done)
		return 0;
	sums = kmalloc(sizeof(*sums), GFP_KERNEL);
	if (!sums)
		return -ENOMEM;
	if (net_eq(own, &init_net))
		err = put_namespaces(skb, cb, sums);
	else
		err = put_stats(skb, cb, tcpfsm_net(own), sums);
	kfree(sums);
	position->done = !err;
	return skb->len ?: err;
}

/* ---- counters ---- */

static int put_counter(struct sk_buff *skb, const struct netlink_callback *cb, unsigned int c)
{
	void *header = tcpfsm_msg_dump(skb, cb, 0, TCPFSM_CMD_COUNTER_GET);
	u64 value = tcpfsm_cpu_counter(tcpfsm_net(sock_net(cb->skb->sk)), c);

	return header ? tcpfsm_msg_end(skb, header, tcpfsm_put_counter(skb, c, value)) : -EMSGSIZE;
}

static int counter_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_position *position = position_of(cb);

	for (; position->pos < TCPFSM_COUNTERS; position->pos++)
		if (put_counter(skb, cb, position->pos))
			break;
	return skb->len;
}

/* ---- services ---- */

static int put_service(struct sk_buff *skb, const struct netlink_callback *cb,
		       struct tcpfsm_service *s)
{
	void *header = tcpfsm_msg_dump(skb, cb, 0, TCPFSM_CMD_SERVICE_GET);

	return header ? tcpfsm_msg_end(skb, header, tcpfsm_put_service(skb, s)) : -EMSGSIZE;
}

static int service_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_position *position = position_of(cb);
	struct tcpfsm_net *tn = tcpfsm_net(sock_net(cb->skb->sk));
	struct tcpfsm_service *s;
	u64 pos = position->pos;

	rcu_read_lock();
	while ((s = tcpfsm_service_next(tn, &pos))) {
		if (put_service(skb, cb, s))
			break;
		position->pos = pos;
	}
	rcu_read_unlock();
	return skb->len;
}

/* ---- log ---- */

static int put_log(struct sk_buff *skb, const struct netlink_callback *cb, u32 cpu,
		   const struct tcpfsm_log_entry *e)
{
	void *header = tcpfsm_msg_dump(skb, cb, 0, TCPFSM_CMD_LOG_GET);

	return header ? tcpfsm_msg_end(skb, header, tcpfsm_put_log(skb, cpu, e)) : -EMSGSIZE;
}

/* Where a dump of the log goes on. */
struct log_dump {
	struct tcpfsm_log_entry e;
	bool left;			/* e did not fit into the last message */
	struct tcpfsm_log_cursor cursor;	/* must be last */
};

static struct log_dump **log_dump_of(struct netlink_callback *cb)
{
	return TCPFSM_CURSOR(struct log_dump *, cb);
}

static int log_dump_start(struct netlink_callback *cb)
{
	struct log_dump *d = kvzalloc(offsetof(struct log_dump, cursor) + tcpfsm_log_cursor_size(),
				      GFP_KERNEL);

	if (!d)
		return -ENOMEM;
	tcpfsm_log_begin(tcpfsm_net(sock_net(cb->skb->sk)), &d->cursor);
	*log_dump_of(cb) = d;
	return 0;
}

static int log_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct tcpfsm_net *tn = tcpfsm_net(sock_net(cb->skb->sk));
	struct log_dump *d = *log_dump_of(cb);

	while (d->left || tcpfsm_log_next(tn, &d->cursor, &d->e)) {
		d->left = put_log(skb, cb, d->cursor.cpu, &d->e);
		if (d->left)
			break;
	}
	return skb->len;
}

static int log_dump_done(struct netlink_callback *cb)
{
	kvfree(*log_dump_of(cb));
	return 0;
}

/* ---- family ---- */

static const struct nla_policy flow_policy[TCPFSM_A_FLOW + 1] = {
	[TCPFSM_A_FILTER] = NLA_POLICY_NESTED(tcpfsm_filter_policy),
	[TCPFSM_A_FLOW] = NLA_POLICY_NESTED(tcpfsm_tuple_policy),
};

/* Requests without attributes: any that comes is refused by name. */
static const struct nla_policy no_policy[TCPFSM_A_PAD + 1] = {
	[TCPFSM_A_PAD] = { .type = NLA_REJECT },
};

#define FLOW_POLICY .policy = flow_policy, .maxattr = ARRAY_SIZE(flow_policy) - 1
#define NO_POLICY .policy = no_policy, .maxattr = ARRAY_SIZE(no_policy) - 1

static const struct genl_ops ops[] = {
	{
		.cmd = TCPFSM_CMD_FLOW_GET, .flags = GENL_UNS_ADMIN_PERM,
		.doit = tcpfsm_genl_flow_get, .start = tcpfsm_genl_flow_start,
		.dumpit = tcpfsm_genl_flow_dump, .done = tcpfsm_genl_flow_done,
		FLOW_POLICY,
	}, {
		.cmd = TCPFSM_CMD_STATS_GET, .flags = GENL_UNS_ADMIN_PERM,
		.doit = stats_get, .start = stats_start, .dumpit = stats_dump,
		NO_POLICY,
	}, {
		.cmd = TCPFSM_CMD_COUNTER_GET, .flags = GENL_UNS_ADMIN_PERM,
		.dumpit = counter_dump, NO_POLICY,
	}, {
		.cmd = TCPFSM_CMD_SERVICE_GET, .flags = GENL_UNS_ADMIN_PERM,
		.dumpit = service_dump, NO_POLICY,
	}, {
		.cmd = TCPFSM_CMD_LOG_GET, .flags = GENL_UNS_ADMIN_PERM,
		.start = log_dump_start, .dumpit = log_dump, .done = log_dump_done, NO_POLICY,
	},
};

static const struct genl_multicast_group groups[] = {
	[TCPFSM_GROUP_TRANSITION] = { .name = TCPFSM_GENL_GRP_TRANSITION, TCPFSM_GROUP_FLAGS },
	[TCPFSM_GROUP_FLOW]	  = { .name = TCPFSM_GENL_GRP_FLOW, TCPFSM_GROUP_FLAGS },
};

static struct genl_family family __ro_after_init = {
	.name		= TCPFSM_GENL_NAME,
	.version	= TCPFSM_GENL_VERSION,
	.maxattr	= TCPFSM_A_FLOW,
	.netnsok	= true,
	.parallel_ops	= true,
	.ops		= ops,
	.n_ops		= ARRAY_SIZE(ops),
	.mcgrps		= groups,
	.n_mcgrps	= ARRAY_SIZE(groups),
	.module		= THIS_MODULE,
};

int __init tcpfsm_genl_init(void)
{
	int err;

	tcpfsm_msg_init(&family);
	err = genl_register_family(&family);
	if (!err)
		tcpfsm_msg_open_events();
	return err;
}

void tcpfsm_genl_exit(void)
{
	tcpfsm_msg_close_events();
	genl_unregister_family(&family);
}
