// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family: requests. Events are in event.c. */
#include <linux/ktime.h>
#include <net/genetlink.h>

#include "event.h"
#include "genl.h"
#include "genl_put.h"
#include "log.h"
#include "service.h"
#include "stats.h"
#include "table.h"

/* Where a dump goes on; lives in netlink_callback.ctx. */
struct flow_cursor {
	struct tcpfsm_filter *filter;
	u64 below;		/* flows that did not exist when it began */
	u64 at;			/* within the bucket */
	u32 bucket;
	bool parsed;		/* the filter */
	bool begun;
};

struct place {
	u64 pos;
	bool done;
};

#define CURSOR(type, cb) ({						\
	BUILD_BUG_ON(sizeof(type) > sizeof((cb)->ctx));			\
	(type *)(cb)->ctx; })

static void *put_header(struct sk_buff *skb, const struct netlink_callback *cb, int flags, u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			   &tcpfsm_genl_family, NLM_F_MULTI | flags, cmd);
}

static struct user_namespace *reader_ns(const struct sk_buff *request)
{
	return sk_user_ns(NETLINK_CB(request).sk);
}

/* ---- flows ---- */

static int flow_parse(struct netlink_callback *cb)
{
	struct flow_cursor *c = CURSOR(struct flow_cursor, cb);
	int err = tcpfsm_filter_parse(c->filter, tcpfsm_dump_attrs(cb)[TCPFSM_A_FILTER],
				      cb->extack);

	c->filter->tn = tcpfsm_net(sock_net(cb->skb->sk));
	c->parsed = !err;
	return err;
}

static int flow_start(struct netlink_callback *cb)
{
	struct flow_cursor *c = CURSOR(struct flow_cursor, cb);
	/* Before 6.7 nothing said here reaches the reader: then the first dump reads it. */
	int err = 0;

	c->filter = kmalloc(sizeof(*c->filter), GFP_KERNEL);
	if (!c->filter)
		return -ENOMEM;
	if (cb->extack)
		err = flow_parse(cb);
	if (err) {
		kfree(c->filter);
		return err;
	}
	c->below = tcpfsm_flow_next_id();
	/* One message may carry a position for each processor. */
	cb->min_dump_alloc = min_t(u32, 32768, 4096 + num_possible_cpus() * 40);
	return 0;
}

static int flow_done(struct netlink_callback *cb)
{
	kfree(CURSOR(struct flow_cursor, cb)->filter);
	return 0;
}

static int put_positions(struct sk_buff *skb, const struct netlink_callback *cb, int flags,
			 struct tcpfsm_net *tn)
{
	void *header = put_header(skb, cb, flags, TCPFSM_CMD_FLOW_GET);
	int err;

	if (!header)
		return -EMSGSIZE;
	err = tcpfsm_event_positions(tn, skb);
	if (err)
		genlmsg_cancel(skb, header);
	else
		genlmsg_end(skb, header);
	return err;
}

static int put_one_flow(struct sk_buff *skb, const struct netlink_callback *cb, int flags,
			const struct tcpfsm_snap *snap, const struct tcpfsm_clock *clock)
{
	void *header = put_header(skb, cb, flags, TCPFSM_CMD_FLOW_GET);

	if (!header)
		return -EMSGSIZE;
	if (tcpfsm_put_flow(skb, snap, clock, reader_ns(cb->skb))) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

static int flow_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct flow_cursor *c = CURSOR(struct flow_cursor, cb);
	struct tcpfsm_net *tn = tcpfsm_net(sock_net(cb->skb->sk));
	int flags, err = c->parsed ? 0 : flow_parse(cb);
	const struct tcpfsm_walk walk = {
		.below = c->below, .want = tcpfsm_filter_wants, .arg = c->filter,
	};
	const struct tcpfsm_clock clock = tcpfsm_clock(ktime_get_ns());
	struct tcpfsm_snap snap;
	u64 at;

	if (err)
		return err;
	flags = c->filter->any ? NLM_F_DUMP_FILTERED : 0;
	if (!c->begun) {
		if (put_positions(skb, cb, flags, tn))
			return -EMSGSIZE;
		c->begun = true;
	}
	for (; c->bucket < tcpfsm_table_buckets(); c->bucket++, c->at = 0) {
		at = c->at;
		while (tcpfsm_table_next(c->bucket, &at, &walk, &snap)) {
			if (put_one_flow(skb, cb, flags, &snap, &clock))
				return skb->len;
			c->at = at;
		}
		if (c->bucket % 1024 == 0)
			cond_resched();
	}
	return skb->len;
}

static int flow_get(struct sk_buff *request, struct genl_info *info)
{
	struct tcpfsm_filter filter;
	struct tcpfsm_walk walk = { .want = tcpfsm_filter_wants, .arg = &filter };
	const struct tcpfsm_clock clock = tcpfsm_clock(ktime_get_ns());
	struct tcpfsm_snap snap;
	struct sk_buff *skb;
	unsigned int b;
	u64 at;
	void *header;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, TCPFSM_A_FILTER))
		return -EINVAL;
	err = tcpfsm_filter_parse(&filter, info->attrs[TCPFSM_A_FILTER], info->extack);
	if (err)
		return err;
	if (!filter.id) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[TCPFSM_A_FILTER],
				    "one flow is asked for by its id; dump to ask for more");
		return -EINVAL;
	}
	filter.tn = tcpfsm_net(genl_info_net(info));
	walk.below = filter.id + 1;
	for (b = 0; b < tcpfsm_table_buckets(); b++) {
		at = 0;
		if (tcpfsm_table_next(b, &at, &walk, &snap))
			break;
		if (b % 1024 == 0)
			cond_resched();
	}
	if (b == tcpfsm_table_buckets()) {
		NL_SET_ERR_MSG(info->extack, "no flow with this id");
		return -ENOENT;
	}
	skb = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	header = genlmsg_put_reply(skb, info, &tcpfsm_genl_family, 0, TCPFSM_CMD_FLOW_GET);
	if (!header || tcpfsm_put_flow(skb, &snap, &clock, reader_ns(request))) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return genlmsg_reply(skb, info);
}

/* ---- states of a namespace ---- */

static int put_stats(struct sk_buff *skb, struct tcpfsm_net *tn)
{
	struct tcpfsm_sums *sums = kmalloc(sizeof(*sums), GFP_KERNEL);
	int err;

	if (!sums)
		return -ENOMEM;
	tcpfsm_stats_sum(tn, sums);
	err = nla_put_u32(skb, TCPFSM_A_NETNS, tn->net->ns.inum) ?:
	      nla_put_u64_64bit(skb, TCPFSM_A_ENTRIES, tcpfsm_flows_shown(tn), TCPFSM_A_PAD) ?:
	      nla_put_u64_64bit(skb, TCPFSM_A_LIMIT, READ_ONCE(tcpfsm_max_flows), TCPFSM_A_PAD) ?:
	      nla_put(skb, TCPFSM_A_PAIRS, sizeof(sums->pair), sums->pair) ?:
	      nla_put(skb, TCPFSM_A_TRANSITIONS, sizeof(sums->transition), sums->transition) ?:
	      nla_put(skb, TCPFSM_A_DWELL, sizeof(sums->dwell), sums->dwell);
	kfree(sums);
	return err;
}

#define STATS_SIZE (sizeof(struct tcpfsm_sums) + 256)

static int stats_get(struct sk_buff *request, struct genl_info *info)
{
	struct sk_buff *skb = genlmsg_new(STATS_SIZE, GFP_KERNEL);
	void *header;
	int err;

	if (!skb)
		return -ENOMEM;
	header = genlmsg_put_reply(skb, info, &tcpfsm_genl_family, 0, TCPFSM_CMD_STATS_GET);
	err = header ? put_stats(skb, tcpfsm_net(genl_info_net(info))) : -EMSGSIZE;
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	genlmsg_end(skb, header);
	return genlmsg_reply(skb, info);
}

static int stats_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = STATS_SIZE + 1024;
	return 0;
}

static int put_stats_message(struct sk_buff *skb, const struct netlink_callback *cb,
			     struct tcpfsm_net *tn)
{
	void *header = put_header(skb, cb, 0, TCPFSM_CMD_STATS_GET);
	int err = header ? put_stats(skb, tn) : -EMSGSIZE;

	if (!header)
		return err;
	if (err)
		genlmsg_cancel(skb, header);
	else
		genlmsg_end(skb, header);
	return err;
}

/* Every namespace for a reader in the initial one, in the order of the kernel's list. */
static int stats_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct place *place = CURSOR(struct place, cb);
	struct net *own = sock_net(cb->skb->sk), *net;
	u64 i = 0;
	int err = 0;

	if (place->done)
		return 0;
	if (!net_eq(own, &init_net)) {
		place->done = true;
		return put_stats_message(skb, cb, tcpfsm_net(own)) ?: skb->len;
	}
	down_read(&net_rwsem);
	for_each_net(net) {
		struct tcpfsm_net *tn = tcpfsm_net(net);

		if (i++ < place->pos || !tcpfsm_stats_seen(tn))
			continue;
		err = put_stats_message(skb, cb, tn);
		if (err)
			break;
		place->pos = i;
	}
	up_read(&net_rwsem);
	if (!err)
		place->done = true;
	return skb->len ?: err;
}

/* ---- counters ---- */

static int put_counter(struct sk_buff *skb, const struct netlink_callback *cb,
		       enum tcpfsm_counter c, u64 value)
{
	void *header = put_header(skb, cb, 0, TCPFSM_CMD_COUNTER_GET);
	struct nlattr *nest;

	if (!header)
		return -EMSGSIZE;
	nest = nla_nest_start(skb, TCPFSM_A_COUNTER);
	if (!nest || nla_put_string(skb, TCPFSM_COUNTER_NAME, tcpfsm_counter_name[c]) ||
	    nla_put_u64_64bit(skb, TCPFSM_COUNTER_VALUE, value, TCPFSM_COUNTER_PAD) ||
	    nla_put_string(skb, TCPFSM_COUNTER_HELP, tcpfsm_counter_help[c])) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	genlmsg_end(skb, header);
	return 0;
}

static int counter_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct place *place = CURSOR(struct place, cb);
	struct tcpfsm_net *tn = tcpfsm_net(sock_net(cb->skb->sk));

	for (; place->pos < TCPFSM_COUNTERS; place->pos++)
		if (put_counter(skb, cb, place->pos, tcpfsm_stats_counter(tn, place->pos)))
			break;
	return skb->len;
}

/* ---- services ---- */

static int put_service_totals(struct sk_buff *skb, const struct tcpfsm_service *s)
{
	const struct {
		int attr;
		u64 value;
	} totals[] = {
		{ TCPFSM_SERVICE_FLOWS, atomic64_read(&s->opened) },
		{ TCPFSM_SERVICE_ESTABLISHED, atomic64_read(&s->established) },
		{ TCPFSM_SERVICE_REFUSED, atomic64_read(&s->refused) },
		{ TCPFSM_SERVICE_RESET, atomic64_read(&s->reset) },
		{ TCPFSM_SERVICE_SYNACK_RESENT, atomic64_read(&s->synack_resent) },
		{ TCPFSM_SERVICE_CONNECT_NS, atomic64_read(&s->connect_ns) },
		{ TCPFSM_SERVICE_CONNECTS, atomic64_read(&s->connects) },
		{ TCPFSM_SERVICE_ACCEPT_NS, atomic64_read(&s->accept_ns) },
		{ TCPFSM_SERVICE_ACCEPTS, atomic64_read(&s->established) },
	};
	u64 states[TCPFSM_STATES];
	unsigned int i;

	for (i = 0; i < TCPFSM_STATES; i++)
		states[i] = max_t(s64, 0, atomic64_read(&s->state[i]));
	if (nla_put(skb, TCPFSM_SERVICE_STATES, sizeof(states), states))
		return -EMSGSIZE;
	for (i = 0; i < ARRAY_SIZE(totals); i++)
		if (nla_put_u64_64bit(skb, totals[i].attr, totals[i].value, TCPFSM_SERVICE_PAD))
			return -EMSGSIZE;
	return 0;
}

static int put_service(struct sk_buff *skb, const struct netlink_callback *cb,
		       const struct tcpfsm_service *s)
{
	void *header = put_header(skb, cb, 0, TCPFSM_CMD_SERVICE_GET);
	struct nlattr *nest;

	if (!header)
		return -EMSGSIZE;
	nest = nla_nest_start(skb, TCPFSM_A_SERVICE);
	if (!nest || (s->family &&
		      (nla_put_u32(skb, TCPFSM_SERVICE_FAMILY, s->family) ||
		       tcpfsm_put_addr(skb, TCPFSM_SERVICE_ADDR, s->family, &s->addr) ||
		       nla_put_u32(skb, TCPFSM_SERVICE_PORT, ntohs(s->port)))) ||
	    put_service_totals(skb, s)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	genlmsg_end(skb, header);
	return 0;
}

static int service_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct place *place = CURSOR(struct place, cb);
	struct tcpfsm_net *tn = tcpfsm_net(sock_net(cb->skb->sk));
	const struct tcpfsm_service *s;
	u64 pos = place->pos;

	rcu_read_lock();
	while ((s = tcpfsm_service_next(tn, &pos))) {
		if (put_service(skb, cb, s))
			break;
		place->pos = pos;
	}
	rcu_read_unlock();
	return skb->len;
}

/* ---- log ---- */

static int put_log(struct sk_buff *skb, const struct netlink_callback *cb,
		   const struct tcpfsm_log_entry *e)
{
	void *header = put_header(skb, cb, 0, TCPFSM_CMD_LOG_GET);
	u64 when = e->when + tcpfsm_clock(e->when).to_wall;
	struct nlattr *nest;

	if (!header)
		return -EMSGSIZE;
	nest = nla_nest_start(skb, TCPFSM_A_LOG);
	if (!nest ||
	    nla_put_u64_64bit(skb, TCPFSM_LOG_SEQ, atomic64_read(&e->seq), TCPFSM_LOG_PAD) ||
	    tcpfsm_put_transition(skb, TCPFSM_LOG_TRANSITION, e->flow, when, e->dwell, e->step,
				  &e->move) ||
	    nla_put_u32(skb, TCPFSM_LOG_FAMILY, e->family) ||
	    tcpfsm_put_addr(skb, TCPFSM_LOG_SRC, e->family, &e->src) ||
	    tcpfsm_put_addr(skb, TCPFSM_LOG_DST, e->family, &e->dst) ||
	    nla_put_u32(skb, TCPFSM_LOG_SPORT, ntohs(e->sport)) ||
	    nla_put_u32(skb, TCPFSM_LOG_DPORT, ntohs(e->dport))) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);
	genlmsg_end(skb, header);
	return 0;
}

static int log_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct place *place = CURSOR(struct place, cb);
	struct tcpfsm_net *tn = tcpfsm_net(sock_net(cb->skb->sk));
	struct tcpfsm_log_entry e;

	/* The position is a sequence number: what the ring dropped meanwhile shows as a gap. */
	while (tcpfsm_log_next(tn, &place->pos, &e)) {
		if (put_log(skb, cb, &e))
			break;
		place->pos++;
	}
	return skb->len;
}

/* ---- family ---- */

static const struct nla_policy flow_policy[TCPFSM_A_FILTER + 1] = {
	[TCPFSM_A_FILTER] = NLA_POLICY_NESTED(tcpfsm_filter_policy),
};

/* Requests without attributes: whatever comes is refused by name. */
static const struct nla_policy no_policy[TCPFSM_A_PAD + 1] = {
	[TCPFSM_A_PAD] = { .type = NLA_REJECT },
};

#define FLOW_POLICY .policy = flow_policy, .maxattr = ARRAY_SIZE(flow_policy) - 1
#define NO_POLICY .policy = no_policy, .maxattr = ARRAY_SIZE(no_policy) - 1

static const struct genl_ops ops[] = {
	{
		.cmd = TCPFSM_CMD_FLOW_GET, .flags = GENL_UNS_ADMIN_PERM,
		.doit = flow_get, .start = flow_start, .dumpit = flow_dump, .done = flow_done,
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
		.dumpit = log_dump, NO_POLICY,
	},
};

static const struct genl_multicast_group groups[] = {
	[TCPFSM_GROUP_TRANSITION] = { .name = TCPFSM_GENL_GRP_TRANSITION, TCPFSM_GROUP_FLAGS },
	[TCPFSM_GROUP_FLOW]	  = { .name = TCPFSM_GENL_GRP_FLOW, TCPFSM_GROUP_FLAGS },
};

struct genl_family tcpfsm_genl_family __ro_after_init = {
	.name		= TCPFSM_GENL_NAME,
	.version	= TCPFSM_GENL_VERSION,
	.maxattr	= TCPFSM_A_FILTER,
	.netnsok	= true,
	.parallel_ops	= true,
	.ops		= ops,
	.n_ops		= ARRAY_SIZE(ops),
	.mcgrps		= groups,
	.n_mcgrps	= ARRAY_SIZE(groups),
	.module		= THIS_MODULE,
};

bool tcpfsm_genl_open __read_mostly;

int __init tcpfsm_genl_init(void)
{
	int err = genl_register_family(&tcpfsm_genl_family);

	if (!err)
		WRITE_ONCE(tcpfsm_genl_open, true);
	return err;
}

void tcpfsm_genl_exit(void)
{
	WRITE_ONCE(tcpfsm_genl_open, false);
	synchronize_net();	/* who multicasts does so with bottom halves off */
	genl_unregister_family(&tcpfsm_genl_family);
}
