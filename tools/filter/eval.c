// SPDX-License-Identifier: GPL-2.0
/* Whether a flow or a transition fulfils a filter. */
#include <string.h>
#include <sys/socket.h>

#include "data/event.h"
#include "data/flow.h"
#include "filter/node.h"
#include "lib/message.h"

/* What a filter is evaluated against: a flow, or a transition. */
struct subject {
	const struct flow *flow;
	const struct nat *nat;			/* of the flow, or as the transition has it */
	u32 states[TCPFSM_ENDS];		/* of each end; two while it moves */
	u8 pair[2][TCPFSM_ENDS];		/* now, and before the transition */
	u64 age, idle;
	u32 from[TCPFSM_ENDS], to[TCPFSM_ENDS];	/* of a transition, of the end that moves */
	u8 cause;
	u64 dwell[TCPFSM_ENDS];
};

static bool compare_values(u64 a, enum node_op op, u64 b)
{
	switch (op) {
	case OP_EQ:
		return a == b;
	case OP_NE:
		return a != b;
	case OP_LT:
		return a < b;
	case OP_LE:
		return a <= b;
	case OP_GT:
		return a > b;
	case OP_GE:
		return a >= b;
	}
	return false;
}

static bool is_in_prefix(const u8 *addr, const u8 *net, unsigned int len)
{
	unsigned int whole = len / 8, rest = len % 8;

	if (memcmp(addr, net, whole))
		return false;
	return !rest || !((addr[whole] ^ net[whole]) >> (8 - rest));
}

static bool host_is(const struct filter *f, const struct tuple *t, unsigned int end)
{
	const u8 *addr = end == TCPFSM_ORIG ? t->src : t->dst;
	u16 port = end == TCPFSM_ORIG ? t->sport : t->dport;

	if (f->family && (f->family != t->family || !is_in_prefix(addr, f->addr, f->len)))
		return false;
	return !f->has_port || port == f->port;
}

static bool host_holds(const struct filter *f, const struct subject *s, unsigned int end)
{
	const struct tuple *t = &s->flow->tuple;
	const struct nat *n = s->nat;

	return (t->family && host_is(f, t, end)) ||
	       (n->known && (host_is(f, &n->orig, end) || host_is(f, &n->resp, end)));
}

static bool port_is(const struct filter *f, const struct tuple *t, unsigned int end)
{
	return compare_values(end == TCPFSM_ORIG ? t->sport : t->dport, f->op, f->value);
}

/* "port != 80" means that none of those that the end is known by is. */
static bool port_holds(const struct filter *f, const struct subject *s, unsigned int end)
{
	const struct tuple *t = &s->flow->tuple;
	const struct nat *n = s->nat;
	bool seen = port_is(f, t, end);

	if (!t->family || !n->known)
		return t->family && seen;
	if (f->op == OP_NE)
		return seen && port_is(f, &n->orig, end) && port_is(f, &n->resp, end);
	return seen || port_is(f, &n->orig, end) || port_is(f, &n->resp, end);
}

/* Does a term hold at this end? */
static bool end_holds(const struct filter *f, const struct subject *s, unsigned int end)
{
	switch (f->kind) {
	case NODE_STATE:
		return s->states[end] & f->states;
	case NODE_FROM:
		return s->from[end] & f->states;
	case NODE_TO:
		return s->to[end] & f->states;
	case NODE_DWELL:
		return compare_values(s->dwell[end], f->op, f->value);
	case NODE_HOST:
		return host_holds(f, s, end);
	case NODE_PORT:
		return port_holds(f, s, end);
	default:
		return false;
	}
}

static bool ends_hold(const struct filter *f, const struct subject *s)
{
	/* "port != 80" means that neither port is */
	bool all = f->kind == NODE_PORT && f->op == OP_NE && f->ends == ENDS_ANY;
	unsigned int end;

	for (end = 0; end < TCPFSM_ENDS; end++)
		if (f->ends & 1U << end && end_holds(f, s, end) != all)
			return !all;
	return all;
}

static bool node_holds(const struct filter *f, const struct subject *s)
{
	switch (f->kind) {
	case NODE_AND:
		return node_holds(f->left, s) && node_holds(f->right, s);
	case NODE_OR:
		return node_holds(f->left, s) || node_holds(f->right, s);
	case NODE_NOT:
		return !node_holds(f->left, s);
	case NODE_PAIR:
		return !memcmp(f->pair, s->pair[0], TCPFSM_ENDS) ||
		       !memcmp(f->pair, s->pair[1], TCPFSM_ENDS);
	case NODE_FAMILY:
		return s->flow->tuple.family == f->value;
	case NODE_AGE:
		return compare_values(s->age, f->op, f->value);
	case NODE_IDLE:
		return compare_values(s->idle, f->op, f->value);
	case NODE_REASON:
		return s->flow->reason == f->value;
	case NODE_FLAG:
		return s->flow->flags & f->value;
	case NODE_CAUSE:
		return s->cause == f->value;
	case NODE_ID:
		return compare_values(s->flow->id, f->op, f->value);
	default:
		return ends_hold(f, s);
	}
}

static u64 time_since(u64 when, u64 start)
{
	return when > start ? when - start : 0;
}

bool filter_flow(const struct filter *f, const struct flow *flow, u64 now)
{
	struct subject s = { .flow = flow, .nat = &flow->nat };
	unsigned int i;

	if (!f)
		return true;
	s.age = time_since(now, flow->start);
	s.idle = flow->idle;
	for (i = 0; i < TCPFSM_ENDS; i++) {
		s.states[i] = 1U << flow->end[i].state;
		s.pair[0][i] = flow->end[i].state;
		s.dwell[i] = flow->end[i].dwell;
	}
	memcpy(s.pair[1], s.pair[0], sizeof(s.pair[1]));
	return node_holds(f, &s);
}

bool filter_event(const struct filter *f, const struct flow *flow, const struct event *e)
{
	struct subject s = { .flow = flow, .nat = e->nat ? e->nat : &flow->nat };
	unsigned int i;

	if (!f)
		return true;
	s.age = flow->start ? time_since(e->when, flow->start) : 0;
	for (i = 0; i < TCPFSM_ENDS; i++)
		s.pair[0][i] = flow->end[i].state;
	memcpy(s.pair[1], s.pair[0], sizeof(s.pair[1]));
	s.pair[0][e->end] = e->to;
	s.pair[1][e->end] = e->from;
	s.states[e->end] = 1U << e->from | 1U << e->to;
	s.from[e->end] = 1U << e->from;
	s.to[e->end] = 1U << e->to;
	s.cause = e->cause;
	s.dwell[e->end] = e->dwell;
	return node_holds(f, &s);
}

bool filter_flows_only(const struct filter *f)
{
	if (!f)
		return true;
	if (f->kind == NODE_FROM || f->kind == NODE_TO || f->kind == NODE_CAUSE) {
		fail("from, to and cause are of transitions: monitor, log and replay have them");
		return false;
	}
	return filter_flows_only(f->left) && filter_flows_only(f->right);
}

bool filter_of_living(const struct filter *f)
{
	if (!f)
		return true;
	if (f->kind == NODE_REASON) {
		fail("reason is of flows that are over: monitor --flows, replay --flows and ipfix have them");
		return false;
	}
	return filter_of_living(f->left) && filter_of_living(f->right);
}

bool filter_service(const struct filter *f, const struct service *s)
{
	struct flow both_ends = { .tuple = { .family = s->family, .sport = s->port,
					     .dport = s->port } };

	memcpy(both_ends.tuple.src, s->addr, sizeof(s->addr));
	memcpy(both_ends.tuple.dst, s->addr, sizeof(s->addr));
	return !f || (s->family && filter_flow(f, &both_ends, 0));
}

bool filter_of_services(const struct filter *f)
{
	if (!f)
		return true;
	switch (f->kind) {
	case NODE_AND:
	case NODE_OR:
	case NODE_NOT:
		return filter_of_services(f->left) && filter_of_services(f->right);
	case NODE_FAMILY:
		return true;
	case NODE_HOST:
	case NODE_PORT:
		if (f->ends & ENDS_RESP)
			return true;
		break;
	default:
		break;
	}
	fail("services are chosen by dst, dport, host and port alone; 'tcpfsm flows' takes every FILTER");
	return false;
}

typedef bool (*has_fn)(const struct filter_key *key, void *arg);

static bool host_may_hold(const struct filter *f, has_fn has, void *arg)
{
	const struct filter_key addr = {
		.kind = FILTER_KEY_ADDRESS, .family = f->family, .addr = f->addr,
	};
	const struct filter_key port = { .kind = FILTER_KEY_PORT, .value = f->port };

	if (f->family && f->len == 8 * addr_len(f->family) && !has(&addr, arg))
		return false;
	return !f->has_port || has(&port, arg);
}

static bool equal_may_hold(const struct filter *f, has_fn has, void *arg)
{
	const struct filter_key key = {
		.kind = f->kind == NODE_ID ? FILTER_KEY_ID : FILTER_KEY_PORT, .value = f->value,
	};

	return f->op != OP_EQ || has(&key, arg);
}

bool filter_may_hold(const struct filter *f, has_fn has, void *arg)
{
	if (!f)
		return true;
	switch (f->kind) {
	case NODE_AND:
		return filter_may_hold(f->left, has, arg) && filter_may_hold(f->right, has, arg);
	case NODE_OR:
		return filter_may_hold(f->left, has, arg) || filter_may_hold(f->right, has, arg);
	case NODE_HOST:
		return host_may_hold(f, has, arg);
	case NODE_PORT:
	case NODE_ID:
		return equal_may_hold(f, has, arg);
	default:
		return true;
	}
}

bool filter_has_states(const struct filter *f)
{
	return f && (f->kind == NODE_STATE || f->kind == NODE_PAIR || f->kind == NODE_ID ||
		     filter_has_states(f->left) || filter_has_states(f->right));
}
