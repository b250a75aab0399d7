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

static int on_entry(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *arg)
{
	const struct receiver *to = arg;
	struct conntrack c = { 0 };
	u32 status;

	(void)type;
	if (nfct_get_attr_u8(ct, ATTR_L4PROTO) != IPPROTO_TCP)
		return NFCT_CB_CONTINUE;
	c.tuple.family = nfct_get_attr_u8(ct, ATTR_L3PROTO);
	take_address(c.tuple.src, ct, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC, c.tuple.family);
	take_address(c.tuple.dst, ct, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC, c.tuple.family);
	c.tuple.sport = ntohs(nfct_get_attr_u16(ct, ATTR_ORIG_PORT_SRC));
	c.tuple.dport = ntohs(nfct_get_attr_u16(ct, ATTR_REPL_PORT_SRC));
	status = nfct_get_attr_u32(ct, ATTR_STATUS);
	c.state = name_state(ct);
	c.timeout = nfct_get_attr_u32(ct, ATTR_TIMEOUT);
	c.assured = status & IPS_ASSURED;
	c.offloaded = status & (IPS_OFFLOAD | IPS_HW_OFFLOAD);
	to->fn(&c, to->arg);
	return NFCT_CB_CONTINUE;
}

bool conntrack_there(void)
{
	return access("/proc/sys/net/netfilter/nf_conntrack_count", F_OK) == 0;
}

int conntrack_each(void (*fn)(const struct conntrack *c, void *arg), void *arg)
{
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	struct receiver to = { fn, arg };
	u32 family = AF_UNSPEC;
	int err = 0;

	if (!h)
		return -errno;
	nfct_callback_register(h, NFCT_T_ALL, on_entry, &to);
	if (nfct_query(h, NFCT_Q_DUMP, &family) < 0)
		err = -errno;
	nfct_close(h);
	return err;
}
