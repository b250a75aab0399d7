// SPDX-License-Identifier: GPL-2.0
/*
 * Where the module looks: LOCAL_IN, FORWARD and LOCAL_OUT, behind filter (0) and security (50)
 * and before source NAT (100). There a segment has passed the firewall, and every hook sees
 * the same inner tuple in both directions, whatever NAT does. What a chain between the module and
 * source NAT drops, the module has seen all the same. TCP segments pass here, and the ICMP errors
 * that quote them.
 *
 * A hook only watches: it always accepts.
 */
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <net/ip6_fib.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/net_namespace.h>
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_extend.h>
#include <net/netfilter/nf_conntrack_seqadj.h>
#endif

#include "compat.h"
#include "cpu.h"
#include "hook.h"
#include "icmp.h"
#include "netns.h"
#include "packet.h"
#include "segment.h"
#include "table.h"

/*
 * There is one table for the host, so a tuple names the routing domain of its addresses. This and
 * the two below are on the way of each segment, where calls would cost as much as they do.
 */
static __always_inline u32 l3_domain(const struct tcpfsm_tuple *t, const struct net_device *dev)
{
	if (t->family == AF_INET6 &&
	    (ipv6_addr_type(&t->addr[0].ip6) & IPV6_ADDR_LINKLOCAL ||
	     ipv6_addr_type(&t->addr[1].ip6) & IPV6_ADDR_LINKLOCAL))
		return dev->ifindex;
	if (netif_is_l3_master(dev))
		return dev->ifindex;
	return netif_is_l3_slave(dev) ? l3mdev_master_ifindex_rcu(dev) : 0;
}

/* A segment that another hook has had or will have. */
static __always_inline bool seen_elsewhere(const struct nf_hook_state *state)
{
	/* What loops back is taken at LOCAL_OUT: its LOCAL_IN view is not NAT-consistent. */
	if (state->hook == NF_INET_LOCAL_IN)
		return state->in && state->in->flags & IFF_LOOPBACK;
	/* Into a VRF: passes LOCAL_OUT again with the device beneath. */
	return state->hook == NF_INET_LOCAL_OUT && state->out && netif_is_l3_master(state->out);
}

static __always_inline bool is_to_itself(const struct tcpfsm_tuple *t)
{
	return unlikely(t->port[0] == t->port[1]) &&
	       !memcmp(&t->addr[0], &t->addr[1], sizeof(t->addr[0]));
}

static bool is_offloaded(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	enum ip_conntrack_info info;
	const struct nf_conn *ct = nf_ct_get(skb, &info);

	return ct && test_bit(IPS_OFFLOAD_BIT, &ct->status);
#else
	return false;
#endif
}

#if IS_ENABLED(CONFIG_NF_CONNTRACK)
/* What conntrack keeps of the numbers that it changes; found without calling its module. */
static const struct nf_conn_seqadj *seqadj_of(const struct nf_conn *ct)
{
	const struct nf_ct_ext *ext = ct->ext;

	if (!test_bit(IPS_SEQ_ADJUST_BIT, &ct->status) || !ext ||
	    !ext->offset[NF_CT_EXT_SEQADJ])
		return NULL;
	return (const void *)ext + ext->offset[NF_CT_EXT_SEQADJ];
}
#endif

/*
 * SYNPROXY and NAT helpers change numbers behind us, in both directions. What the originator sends
 * is taken as it will be, and what comes to it as it is: both then are in its peer's numbers.
 */
static void renumber_segment(struct tfsm_seg *seg, const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	enum ip_conntrack_info info;
	struct nf_conn *ct = nf_ct_get(skb, &info);
	const struct nf_conn_seqadj *adj = ct ? seqadj_of(ct) : NULL;
	const struct nf_ct_seqadj *sent, *got;

	if (likely(!adj) || CTINFO2DIR(info) != IP_CT_DIR_ORIGINAL)
		return;
	sent = &adj->seq[IP_CT_DIR_ORIGINAL];
	got = &adj->seq[IP_CT_DIR_REPLY];
	spin_lock(&ct->lock);
	seg->seq += tfsm_after(seg->seq, sent->correction_pos) ? sent->offset_after :
								 sent->offset_before;
	seg->ack -= tfsm_after(seg->ack - got->offset_before, got->correction_pos) ?
			got->offset_after : got->offset_before;
	spin_unlock(&ct->lock);
#endif
}

static bool is_ipvs_repeat(const struct sk_buff *skb, u8 hook)
{
#if IS_ENABLED(CONFIG_IP_VS)
	return hook == NF_INET_LOCAL_OUT && skb->ipvs_property;
#else
	return false;
#endif
}

static void note_hook(struct tcpfsm_view *v, const struct sk_buff *skb,
		      const struct nf_hook_state *state)
{
	v->from_local = state->hook == NF_INET_LOCAL_OUT;
	v->to_local = state->hook == NF_INET_LOCAL_IN ||
		      (v->from_local && state->out && state->out->flags & IFF_LOOPBACK);
	v->forwarded = state->hook == NF_INET_FORWARD;
	v->offloaded = is_offloaded(skb);
	v->repeat = is_ipvs_repeat(skb, state->hook);
	if (v->seg.flags & TFSM_RST)
		v->seg.rfc1337 = READ_ONCE(state->net->ipv4.sysctl_tcp_rfc1337);
}

static void watch_packet(struct tcpfsm_net *tn, struct sk_buff *skb,
			 const struct nf_hook_state *state, u8 family)
{
	const struct net_device *dev = state->hook == NF_INET_LOCAL_OUT ? state->out : state->in;
	struct tcpfsm_view v tcpfsm_uninitialized;

	v.tuple.tn = tn;
	if (!tcpfsm_packet_view(&v, skb, family))
		return;
	tcpfsm_count(tn, TCPFSM_C_segments);
	if (seen_elsewhere(state)) {
		tcpfsm_count(tn, TCPFSM_C_seen_twice);
		return;
	}
	if (is_to_itself(&v.tuple)) {
		tcpfsm_count(tn, TCPFSM_C_self_connected);
		return;
	}
	v.dev = dev;		/* that of the skb is not set at LOCAL_OUT */
	v.asked = 0;
	v.listens = 0;
	v.tuple.l3 = dev ? l3_domain(&v.tuple, dev) : 0;
	tcpfsm_table_hash(&v.tuple);
	/* While the table's line is on its way, what else there is to know. */
	v.now = v.seg.flags & TFSM_SYN ? ktime_get_ns() : 0;
	note_hook(&v, skb, state);
	renumber_segment(&v.seg, skb);
	tcpfsm_segment(&v);
}

/*
 * The device by which the quoted segment passes here. An error that this host makes about its own
 * segment loops back; its route knows of which link the address is, as for the stack's own lookup
 * (ip6_rcv_core()).
 */
static const struct net_device *device_of_error(const struct sk_buff *skb,
						const struct nf_hook_state *state, u8 family)
{
#if IS_ENABLED(CONFIG_IPV6)
	const struct inet6_dev *idev;

	if (family == AF_INET6 && state->hook == NF_INET_LOCAL_OUT && skb_dst(skb)) {
		idev = ip6_dst_idev(skb_dst(skb));
		if (idev)
			return idev->dev;
	}
#endif
	return state->hook == NF_INET_LOCAL_OUT ? state->out : state->in;
}

static void watch_error(struct tcpfsm_net *tn, struct sk_buff *skb,
			const struct nf_hook_state *state, u8 family)
{
	struct tcpfsm_error e tcpfsm_uninitialized;
	const struct net_device *dev;

	e.tuple.tn = tn;
	if (!tcpfsm_icmp_view(&e, skb, family) || seen_elsewhere(state) || is_to_itself(&e.tuple))
		return;
	dev = device_of_error(skb, state, family);
	e.tuple.l3 = dev ? l3_domain(&e.tuple, dev) : 0;
	tcpfsm_table_hash(&e.tuple);
	tcpfsm_icmp(&e);
}

typedef void watcher(struct tcpfsm_net *tn, struct sk_buff *skb, const struct nf_hook_state *state,
		     u8 family);

static __always_inline unsigned int take_packet(struct sk_buff *skb,
						const struct nf_hook_state *state, u8 family,
						watcher *watch)
{
	struct tcpfsm_net *tn = tcpfsm_net(state->net);
	bool enable;

	/* LOCAL_OUT runs in process context too. */
	enable = !in_softirq();
	if (enable)
		local_bh_disable();
	watch(tn, skb, state, family);
	if (enable)
		local_bh_enable();
	return NF_ACCEPT;
}

static unsigned int hook_ip4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (likely(ip_hdr(skb)->protocol == IPPROTO_TCP))
		return take_packet(skb, state, AF_INET, watch_packet);
	if (ip_hdr(skb)->protocol == IPPROTO_ICMP)
		return take_packet(skb, state, AF_INET, watch_error);
	return NF_ACCEPT;
}

static unsigned int hook_ip6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	u8 next = ipv6_hdr(skb)->nexthdr;

	if (likely(next == IPPROTO_TCP))
		return take_packet(skb, state, AF_INET6, watch_packet);
	if (ipv6_ext_hdr(next))		/* either may be behind it */
		take_packet(skb, state, AF_INET6, watch_packet);
	if (next == IPPROTO_ICMPV6 || ipv6_ext_hdr(next))
		take_packet(skb, state, AF_INET6, watch_error);
	return NF_ACCEPT;
}

#define HOOK(family, number) {				\
	.hook		= hook_ip##family,			\
	.pf		= (family) == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6, \
	.hooknum	= number,			\
}

static struct nf_hook_ops ops[] __ro_after_init = {
	HOOK(4, NF_INET_LOCAL_IN),
	HOOK(4, NF_INET_FORWARD),
	HOOK(4, NF_INET_LOCAL_OUT),
#if IS_ENABLED(CONFIG_IPV6)
	HOOK(6, NF_INET_LOCAL_IN),
	HOOK(6, NF_INET_FORWARD),
	HOOK(6, NF_INET_LOCAL_OUT),
#endif
};

/* Hook in or out, if it is not so. */
static int set_hooked(struct tcpfsm_net *tn, bool on)
{
	int err = 0;

	lockdep_assert_held(&tn->hooking);
	if (on == tn->hooked)
		return 0;
	if (on)
		err = nf_register_net_hooks(tn->net, ops, ARRAY_SIZE(ops));
	else
		nf_unregister_net_hooks(tn->net, ops, ARRAY_SIZE(ops));
	WRITE_ONCE(tn->hooked, on && !err);
	return err;
}

void tcpfsm_hook_net_init(struct tcpfsm_net *tn)
{
	mutex_init(&tn->hooking);
}

int tcpfsm_hook_open(struct tcpfsm_net *tn)
{
	int err;

	mutex_lock(&tn->hooking);
	err = set_hooked(tn, true);
	tn->watched = !err;
	mutex_unlock(&tn->hooking);
	return err;
}

int tcpfsm_hook_enable(struct tcpfsm_net *tn, bool on)
{
	int err = 0;

	mutex_lock(&tn->hooking);
	if (tn->watched)
		err = set_hooked(tn, on);
	if (!err)
		WRITE_ONCE(tn->enabled, on);
	mutex_unlock(&tn->hooking);
	return err;
}

void tcpfsm_hook_close(struct tcpfsm_net *tn)
{
	mutex_lock(&tn->hooking);
	set_hooked(tn, false);
	tn->watched = false;
	mutex_unlock(&tn->hooking);
}

void __init tcpfsm_hook_init(int priority)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		ops[i].priority = priority;
}
