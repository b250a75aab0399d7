// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "kernel/conntrack.h"

struct receiver {
	void (*fn)(const struct conntrack *c, void *arg);
	void *arg;
	u32 status, mask;	/* those whose status is this, of these bits */
	bool one;		/* the first is enough */
};

static const char *name_state(const struct nf_conntrack *ct)
{
	static const char * const names[] = {
		[TCP_CONNTRACK_NONE] = "NONE", [TCP_CONNTRACK_SYN_SENT] = "SYN_SENT",
		[TCP_CONNTRACK_SYN_RECV] = "SYN_RECV",
		[TCP_CONNTRACK_ESTABLISHED] = "ESTABLISHED",
		[TCP_CONNTRACK_FIN_WAIT] = "FIN_WAIT", [TCP_CONNTRACK_CLOSE_WAIT] = "CLOSE_WAIT",
		[TCP_CONNTRACK_LAST_ACK] = "LAST_ACK", [TCP_CONNTRACK_TIME_WAIT] = "TIME_WAIT",
		[TCP_CONNTRACK_CLOSE] = "CLOSE", [TCP_CONNTRACK_SYN_SENT2] = "SYN_SENT2",
	};
	u8 state = nfct_get_attr_u8(ct, ATTR_TCP_STATE);

	return state < ARRAY_SIZE(names) && names[state] ? names[state] : "?";
}

static void take_address(u8 *to, const struct nf_conntrack *ct, enum nf_conntrack_attr v4,
			 enum nf_conntrack_attr v6, u8 family)
{
	const void *addr = nfct_get_attr(ct, family == AF_INET ? v4 : v6);

	if (addr)
		memcpy(to, addr, addr_len(family));
}

/* From the packets of its client, and those of its server turned round. */
static void take_tuples(struct conntrack *c, const struct nf_conntrack *ct)
{
	u8 family = nfct_get_attr_u8(ct, ATTR_L3PROTO);

	c->orig.family = family;
	take_address(c->orig.src, ct, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC, family);
	take_address(c->orig.dst, ct, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST, family);
	c->orig.sport = ntohs(nfct_get_attr_u16(ct, ATTR_ORIG_PORT_SRC));
	c->orig.dport = ntohs(nfct_get_attr_u16(ct, ATTR_ORIG_PORT_DST));
	c->resp.family = family;
	take_address(c->resp.src, ct, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_DST, family);
	take_address(c->resp.dst, ct, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC, family);
	c->resp.sport = ntohs(nfct_get_attr_u16(ct, ATTR_REPL_PORT_DST));
	c->resp.dport = ntohs(nfct_get_attr_u16(ct, ATTR_REPL_PORT_SRC));
	c->tuple = c->orig;
	memcpy(c->tuple.dst, c->resp.dst, sizeof(c->tuple.dst));
	c->tuple.dport = c->resp.dport;
}

static int on_entry(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *arg)
{
	const struct receiver *to = arg;
	struct conntrack c = { 0 };
	u32 status = nfct_get_attr_u32(ct, ATTR_STATUS);

	(void)type;
	if (nfct_get_attr_u8(ct, ATTR_L4PROTO) != IPPROTO_TCP || (status & to->mask) != to->status)
		return NFCT_CB_CONTINUE;
	take_tuples(&c, ct);
	c.state = name_state(ct);
	c.timeout = nfct_get_attr_u32(ct, ATTR_TIMEOUT);
	c.assured = status & IPS_ASSURED;
	c.offloaded = status & (IPS_OFFLOAD | IPS_HW_OFFLOAD);
	to->fn(&c, to->arg);
	return to->one ? NFCT_CB_STOP : NFCT_CB_CONTINUE;
}

bool conntrack_there(void)
{
	return access("/proc/sys/net/netfilter/nf_conntrack_count", F_OK) == 0;
}

/* A kernel that knows no filter by status tells of all. */
static int dump_entries(struct nfct_handle *h, const struct receiver *to)
{
	struct nfct_filter_dump_mark status = { .val = to->status, .mask = to->mask };
	struct nfct_filter_dump *filter = nfct_filter_dump_create();
	int err;

	if (!filter)
		return -ENOMEM;
	nfct_filter_dump_set_attr(filter, NFCT_FILTER_DUMP_STATUS, &status);
	err = nfct_query(h, NFCT_Q_DUMP_FILTER, filter) < 0 ? -errno : 0;
	nfct_filter_dump_destroy(filter);
	return err;
}

static int ask_conntrack(struct receiver *to)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	u32 family = AF_UNSPEC;
	int err = 0;

	if (!h)
		return -errno;
	nfct_callback_register(h, NFCT_T_ALL, on_entry, to);
	if (to->mask)
		err = dump_entries(h, to);
	else if (nfct_query(h, NFCT_Q_DUMP, &family) < 0)
		err = -errno;
	nfct_close(h);
	return err;
}

int conntrack_each(void (*fn)(const struct conntrack *c, void *arg), void *arg)
{
	return ask_conntrack(&(struct receiver){ .fn = fn, .arg = arg });
}

int conntrack_each_translated(void (*fn)(const struct conntrack *c, void *arg), void *arg)
{
	struct receiver src = { fn, arg, IPS_SRC_NAT, IPS_SRC_NAT, false };
	struct receiver dst_alone = { fn, arg, IPS_DST_NAT, IPS_SRC_NAT | IPS_DST_NAT, false };
	int err = ask_conntrack(&src);

	return err ? err : ask_conntrack(&dst_alone);
}

static void note_one(const struct conntrack *c, void *arg)
{
	bool *any = arg;

	(void)c;
	*any = true;
}

bool conntrack_translates(void)
{
	bool any = false;
	struct receiver src = { note_one, &any, IPS_SRC_NAT, IPS_SRC_NAT, true };
	struct receiver dst = { note_one, &any, IPS_DST_NAT, IPS_DST_NAT, true };

	ask_conntrack(&src);
	if (!any)
		ask_conntrack(&dst);
	return any;
}

/* ---- single flows ---- */

struct nfct_handle *conntrack_open(void)
{
	return nfct_open(CONNTRACK, 0);
}

void conntrack_close(struct nfct_handle *h)
{
	if (h)
		nfct_close(h);
}

struct answer {
	struct conntrack *c;
	bool any;
};

static void take_answer(const struct conntrack *c, void *arg)
{
	struct answer *a = arg;

	*a->c = *c;
	a->any = true;
}

static void set_tuple(struct nf_conntrack *ct, const struct tuple *t)
{
	bool v6 = t->family == AF_INET6;

	nfct_set_attr_u8(ct, ATTR_L3PROTO, t->family);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr(ct, v6 ? ATTR_IPV6_SRC : ATTR_IPV4_SRC, t->src);
	nfct_set_attr(ct, v6 ? ATTR_IPV6_DST : ATTR_IPV4_DST, t->dst);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(t->sport));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(t->dport));
}

static bool ask_for_tuple(struct nfct_handle *h, const struct tuple *t, struct conntrack *c)
{
	struct answer answer = { c, false };
	struct receiver to = { .fn = take_answer, .arg = &answer };
	struct nf_conntrack *ct = nfct_new();

	if (!ct)
		return false;
	set_tuple(ct, t);
	nfct_callback_register(h, NFCT_T_ALL, on_entry, &to);
	nfct_query(h, NFCT_Q_GET, ct);
	nfct_callback_unregister(h);
	nfct_destroy(ct);
	return answer.any;
}

/* The kernel finds an entry by the tuple of either of its directions. */
bool conntrack_get(struct nfct_handle *h, const struct tuple *tuple, struct conntrack *c)
{
	const struct tuple back = tuple_reversed(tuple);

	return ask_for_tuple(h, tuple, c) || ask_for_tuple(h, &back, c);
}
