// SPDX-License-Identifier: GPL-2.0
#include <linux/genetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/attr.h"
#include "kernel/message.h"
#include "kernel/netns.h"

static void parse_end(struct flow_end *e, u8 family, const struct nlattr *nest)
{
	const struct nlattr *tb[TCPFSM_END_MAX + 1];

	attr_nest(tb, TCPFSM_END_MAX, nest);
	e->state = attr_u32(tb[TCPFSM_END_STATE]);
	e->history = attr_u64(tb[TCPFSM_END_HISTORY]);
	e->dwell = attr_u64(tb[TCPFSM_END_DWELL]);
	e->packets = attr_u64(tb[TCPFSM_END_PACKETS]);
	e->bytes = attr_u64(tb[TCPFSM_END_BYTES]);
	e->cookie = attr_u64(tb[TCPFSM_END_COOKIE]);
	e->has_uid = tb[TCPFSM_END_UID];
	e->uid = attr_u32(tb[TCPFSM_END_UID]);
	if (!tb[TCPFSM_END_SK_SRC])
		return;
	e->sk.family = family;
	attr_copy(e->sk.src, sizeof(e->sk.src), tb[TCPFSM_END_SK_SRC]);
	attr_copy(e->sk.dst, sizeof(e->sk.dst), tb[TCPFSM_END_SK_DST]);
	e->sk.sport = attr_u32(tb[TCPFSM_END_SK_SPORT]);
	e->sk.dport = attr_u32(tb[TCPFSM_END_SK_DPORT]);
}

static void parse_told(struct told *t, const struct nlattr *nest)
{
	const struct nlattr *tb[TCPFSM_ICMP_MAX + 1];

	if (!nest)
		return;
	attr_nest(tb, TCPFSM_ICMP_MAX, nest);
	t->type = attr_u32(tb[TCPFSM_ICMP_TYPE]);
	t->code = attr_u32(tb[TCPFSM_ICMP_CODE]);
	attr_copy(t->origin, sizeof(t->origin), tb[TCPFSM_ICMP_ORIGIN]);
	t->end = attr_u32(tb[TCPFSM_ICMP_END]);
	t->count = attr_u32(tb[TCPFSM_ICMP_COUNT]);
	t->mtu = attr_u32(tb[TCPFSM_ICMP_MTU]);
	t->pends = attr_u32(tb[TCPFSM_ICMP_PENDING]);
}

void flow_parse(struct flow *f, const struct nlattr *nest)
{
	const struct nlattr *tb[TCPFSM_FLOW_MAX + 1];

	attr_nest(tb, TCPFSM_FLOW_MAX, nest);
	memset(f, 0, sizeof(*f));
	f->id = attr_u64(tb[TCPFSM_FLOW_ID]);
	f->tuple.family = attr_u32(tb[TCPFSM_FLOW_FAMILY]);
	attr_copy(f->tuple.src, sizeof(f->tuple.src), tb[TCPFSM_FLOW_SRC]);
	attr_copy(f->tuple.dst, sizeof(f->tuple.dst), tb[TCPFSM_FLOW_DST]);
	f->tuple.sport = attr_u32(tb[TCPFSM_FLOW_SPORT]);
	f->tuple.dport = attr_u32(tb[TCPFSM_FLOW_DPORT]);
	f->ifindex = attr_u32(tb[TCPFSM_FLOW_IFINDEX]);
	f->flags = attr_u32(tb[TCPFSM_FLOW_FLAGS]);
	f->step = attr_u32(tb[TCPFSM_FLOW_STEP]);
	f->start = attr_u64(tb[TCPFSM_FLOW_START]);
	f->idle = attr_u64(tb[TCPFSM_FLOW_IDLE]);
	f->refused = attr_u32(tb[TCPFSM_FLOW_REFUSED]);
	f->reason = attr_u32(tb[TCPFSM_FLOW_REASON]);
	parse_end(&f->end[TCPFSM_ORIG], f->tuple.family, tb[TCPFSM_FLOW_ORIG]);
	parse_end(&f->end[TCPFSM_RESP], f->tuple.family, tb[TCPFSM_FLOW_RESP]);
	parse_told(&f->told[TOLD_UNREACHABLE], tb[TCPFSM_FLOW_UNREACHABLE]);
	parse_told(&f->told[TOLD_MTU], tb[TCPFSM_FLOW_MTU]);
}

void event_parse(struct event *e, const struct nlattr *a)
{
	const struct nlattr *tb[TCPFSM_TRANSITION_MAX + 1];
	u32 move;

	attr_nest(tb, TCPFSM_TRANSITION_MAX, a);
	e->flow = attr_u64(tb[TCPFSM_TRANSITION_FLOW]);
	e->when = attr_u64(tb[TCPFSM_TRANSITION_WHEN]);
	e->dwell = attr_u64(tb[TCPFSM_TRANSITION_DWELL]);
	move = attr_u32(tb[TCPFSM_TRANSITION_MOVE]);
	e->step = TCPFSM_MOVE_STEP(move);
	e->end = TCPFSM_MOVE_END(move);
	e->flags = TCPFSM_MOVE_FLAGS(move);
	e->from = TCPFSM_MOVE_FROM(move);
	e->to = TCPFSM_MOVE_TO(move);
	e->cause = TCPFSM_MOVE_CAUSE(move);
}

const struct nlattr *message_attr(const struct nlmsghdr *nlh, unsigned int type)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(a) == type)
			return a;
	return NULL;
}

void stats_parse(struct stats *s, const struct nlmsghdr *nlh)
{
	s->netns = netns_of(attr_u32(message_attr(nlh, TCPFSM_A_NETNS)));
	s->entries = attr_u64(message_attr(nlh, TCPFSM_A_ENTRIES));
	s->limit = attr_u64(message_attr(nlh, TCPFSM_A_LIMIT));
	attr_copy(s->pairs, sizeof(s->pairs), message_attr(nlh, TCPFSM_A_PAIRS));
	attr_copy(s->moves, sizeof(s->moves), message_attr(nlh, TCPFSM_A_TRANSITIONS));
	attr_copy(s->dwell, sizeof(s->dwell), message_attr(nlh, TCPFSM_A_DWELL));
}

bool service_parse(struct service *s, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[TCPFSM_SERVICE_MAX + 1], *nest;

	nest = message_attr(nlh, TCPFSM_A_SERVICE);
	if (!nest)
		return false;
	attr_nest(tb, TCPFSM_SERVICE_MAX, nest);
	s->family = attr_u32(tb[TCPFSM_SERVICE_FAMILY]);
	s->port = attr_u32(tb[TCPFSM_SERVICE_PORT]);
	attr_copy(s->addr, sizeof(s->addr), tb[TCPFSM_SERVICE_ADDR]);
	attr_copy(s->count, sizeof(s->count), tb[TCPFSM_SERVICE_STATES]);
	s->flows = attr_u64(tb[TCPFSM_SERVICE_FLOWS]);
	s->handshakes = attr_u64(tb[TCPFSM_SERVICE_ESTABLISHED]);
	s->refused = attr_u64(tb[TCPFSM_SERVICE_REFUSED]);
	s->reset = attr_u64(tb[TCPFSM_SERVICE_RESET]);
	s->synack_resent = attr_u64(tb[TCPFSM_SERVICE_SYNACK_RESENT]);
	s->connects = attr_u64(tb[TCPFSM_SERVICE_CONNECTS]);
	s->connect_ns = attr_u64(tb[TCPFSM_SERVICE_CONNECT_NS]);
	s->accepts = attr_u64(tb[TCPFSM_SERVICE_ACCEPTS]);
	s->accept_ns = attr_u64(tb[TCPFSM_SERVICE_ACCEPT_NS]);
	s->unreachable = attr_u64(tb[TCPFSM_SERVICE_UNREACHABLE]);
	s->mtu = attr_u64(tb[TCPFSM_SERVICE_MTU]);
	return true;
}

bool log_parse(struct flow *f, struct event *e, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[TCPFSM_LOG_MAX + 1], *nest;

	nest = message_attr(nlh, TCPFSM_A_LOG);
	if (!nest)
		return false;
	attr_nest(tb, TCPFSM_LOG_MAX, nest);
	*e = (struct event){ 0 };
	event_parse(e, tb[TCPFSM_LOG_TRANSITION]);
	e->seq = attr_u64(tb[TCPFSM_LOG_SEQ]);
	e->ring = 1 + attr_u32(tb[TCPFSM_LOG_CPU]);
	*f = (struct flow){ .id = e->flow };
	f->tuple.family = attr_u32(tb[TCPFSM_LOG_FAMILY]);
	attr_copy(f->tuple.src, sizeof(f->tuple.src), tb[TCPFSM_LOG_SRC]);
	attr_copy(f->tuple.dst, sizeof(f->tuple.dst), tb[TCPFSM_LOG_DST]);
	f->tuple.sport = attr_u32(tb[TCPFSM_LOG_SPORT]);
	f->tuple.dport = attr_u32(tb[TCPFSM_LOG_DPORT]);
	e->tuple = &f->tuple;
	return true;
}

bool counter_parse(struct counter *c, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[TCPFSM_COUNTER_MAX + 1], *nest;

	nest = message_attr(nlh, TCPFSM_A_COUNTER);
	if (!nest)
		return false;
	attr_nest(tb, TCPFSM_COUNTER_MAX, nest);
	c->name = attr_str(tb[TCPFSM_COUNTER_NAME]);
	c->help = attr_str(tb[TCPFSM_COUNTER_HELP]);
	c->value = attr_u64(tb[TCPFSM_COUNTER_VALUE]);
	return c->name;
}
