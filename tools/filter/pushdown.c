// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "filter/node.h"
#include "filter/pushdown.h"

/* A range that ends at port 0 cannot be told from any: it is left to the evaluation here. */
static void narrow_ports(u16 *min, u16 *max, enum node_op op, u64 port)
{
	u64 low = 0, high = 0;

	if (op == OP_EQ || op == OP_GE)
		low = port;
	if (op == OP_EQ || op == OP_LE)
		high = port;
	if (op == OP_GT && port < 0xffff)
		low = port + 1;
	if (op == OP_LT && port > 0)
		high = port - 1;
	if (low > *min)
		*min = low;
	if (high && high < 0xffff && (!*max || high < *max))
		*max = high;
}

static void narrow_states(u32 *have, u32 states)
{
	/* An empty set would mean any: it is left to the evaluation here. */
	if (!*have)
		*have = states;
	else if (*have & states)
		*have &= states;
}

static void translate_host(const struct filter *f, struct kernel_filter *k)
{
	if (f->ends == ENDS_ORIG) {
		if (f->family && !k->src_family) {
			k->src_family = f->family;
			k->src_len = f->len;
			memcpy(k->src, f->addr, sizeof(k->src));
		}
		if (f->has_port)
			narrow_ports(&k->sport_min, &k->sport_max, OP_EQ, f->port);
	} else if (f->ends == ENDS_RESP) {
		if (f->family && !k->dst_family) {
			k->dst_family = f->family;
			k->dst_len = f->len;
			memcpy(k->dst, f->addr, sizeof(k->dst));
		}
		if (f->has_port)
			narrow_ports(&k->dport_min, &k->dport_max, OP_EQ, f->port);
	}
}

/* Takes the terms that the kernel knows, of those that all must hold. */
static void translate_term(const struct filter *f, struct kernel_filter *k)
{
	bool at_least = f->op == OP_GT || f->op == OP_GE;

	switch (f->kind) {
	case NODE_AND:
		translate_term(f->left, k);
		translate_term(f->right, k);
		break;
	case NODE_STATE:
		if (f->ends == ENDS_ORIG)
			narrow_states(&k->orig_states, f->states);
		else if (f->ends == ENDS_RESP)
			narrow_states(&k->resp_states, f->states);
		else if (!k->any_states)
			k->any_states = f->states;
		break;
	case NODE_PAIR:
		narrow_states(&k->orig_states, 1U << f->pair[TCPFSM_ORIG]);
		narrow_states(&k->resp_states, 1U << f->pair[TCPFSM_RESP]);
		break;
	case NODE_FAMILY:
		k->family = f->value;
		break;
	case NODE_HOST:
		translate_host(f, k);
		break;
	case NODE_PORT:
		if (f->ends == ENDS_ORIG)
			narrow_ports(&k->sport_min, &k->sport_max, f->op, f->value);
		else if (f->ends == ENDS_RESP)
			narrow_ports(&k->dport_min, &k->dport_max, f->op, f->value);
		break;
	case NODE_AGE:
		if (at_least && f->value > k->age_min)
			k->age_min = f->value;
		break;
	case NODE_IDLE:
		if (at_least && f->value > k->idle_min)
			k->idle_min = f->value;
		break;
	case NODE_ID:
		if (f->op == OP_EQ)
			k->id = f->value;
		break;
	default:
		break;
	}
}

static bool is_contradiction(const struct kernel_filter *k)
{
	u8 family = k->family ? k->family : k->src_family ? k->src_family : k->dst_family;

	return (k->sport_max && k->sport_min > k->sport_max) ||
	       (k->dport_max && k->dport_min > k->dport_max) ||
	       (k->src_family && k->src_family != family) ||
	       (k->dst_family && k->dst_family != family);
}

static bool has_addresses(const struct filter *f)
{
	return f && (f->kind == NODE_HOST || f->kind == NODE_PORT || has_addresses(f->left) ||
		     has_addresses(f->right));
}

struct kernel_filter filter_push_down(const struct filter *f)
{
	struct kernel_filter k = { 0 };

	if (f)
		translate_term(f, &k);
	/* Nothing can match: that is no question for the kernel. */
	if (is_contradiction(&k))
		k = (struct kernel_filter){ 0 };
	k.wants_nat = has_addresses(f);
	return k;
}

void filter_drop_addresses(struct kernel_filter *k)
{
	k->src_family = 0;
	k->dst_family = 0;
	k->sport_min = 0;
	k->sport_max = 0;
	k->dport_min = 0;
	k->dport_max = 0;
}
