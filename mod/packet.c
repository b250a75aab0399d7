// SPDX-License-Identifier: GPL-2.0
/* From a packet at a hook to a segment in view. */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "compat.h"
#include "cpu.h"
#include "packet.h"

static void read_options(struct tfsm_seg *seg, const struct sk_buff *skb, unsigned int offset,
			 unsigned int length)
{
	u8 buf[40];
	const u8 *p = skb_header_pointer(skb, offset, length, buf);

	if (p)
		tfsm_read_options(seg, p, length);
}

/* Addresses as they are in the header: source first. */
struct addresses {
	union tcpfsm_addr src, dst;
};

/* Does the source come second in the canonical order? Any order will do. */
static bool sorts_behind(const struct addresses *a, const struct tcphdr *th)
{
	if (a->src.words[1] != a->dst.words[1])
		return a->src.words[1] > a->dst.words[1];
	if (a->src.words[0] != a->dst.words[0])
		return a->src.words[0] > a->dst.words[0];
	return (__force u16)th->source > (__force u16)th->dest;
}

static void set_tuple(struct tcpfsm_view *v, const struct addresses *a, const struct tcphdr *th,
		      u8 family)
{
	struct tcpfsm_tuple *t = &v->tuple;

	v->from = sorts_behind(a, th);
	t->family = family;
	t->addr[v->from] = a->src;
	t->addr[v->from ^ 1] = a->dst;
	t->port[v->from] = th->source;
	t->port[v->from ^ 1] = th->dest;
}

/* IPv4 header at the network header. Return: offset of TCP from skb->data, or negative. */
static int read_ip4(struct tcpfsm_view *v, const struct sk_buff *skb, struct addresses *a)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (iph->protocol != IPPROTO_TCP)
		return -1;
	if (iph->frag_off & htons(IP_OFFSET)) {
		tcpfsm_count(v->tuple.tn, TCPFSM_C_later_fragments);
		return -1;
	}
	v->seg.partial = (iph->frag_off & htons(IP_MF)) != 0;
	a->src = tcpfsm_addr_of_ip4(iph->saddr);
	a->dst = tcpfsm_addr_of_ip4(iph->daddr);
	return skb_network_offset(skb) + iph->ihl * 4;
}

/* Behind the first, the walk over headers ends at the fragment header, which knows what for. */
static bool is_later_tcp_fragment(const struct sk_buff *skb, int offset, u8 next, __be16 frag)
{
	struct frag_hdr buf;
	const struct frag_hdr *fh;

	if (next != NEXTHDR_FRAGMENT || !(frag & htons(IP6_OFFSET)))
		return false;
	fh = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	return fh && fh->nexthdr == IPPROTO_TCP;
}

static int read_ip6(struct tcpfsm_view *v, const struct sk_buff *skb, struct addresses *a)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	int offset = skb_network_offset(skb) + sizeof(*ip6h);
	u8 next = ip6h->nexthdr;
	__be16 frag = 0;

	if (next != IPPROTO_TCP) {
		if (!ipv6_ext_hdr(next))
			return -1;
		offset = ipv6_skip_exthdr(skb, offset, &next, &frag);
		if (offset >= 0 && is_later_tcp_fragment(skb, offset, next, frag))
			tcpfsm_count(v->tuple.tn, TCPFSM_C_later_fragments);
		if (offset < 0 || next != IPPROTO_TCP)
			return -1;
		v->seg.partial = (frag & htons(IP6_MF)) != 0;
	}
	a->src.ip6 = ip6h->saddr;
	a->dst.ip6 = ip6h->daddr;
	return offset;
}

bool tcpfsm_packet_view(struct tcpfsm_view *v, const struct sk_buff *skb, u8 family)
{
	struct tfsm_seg *seg = &v->seg;
	struct addresses a tcpfsm_uninitialized;
	const struct tcphdr *th;
	unsigned int doff, len;
	struct tcphdr buf tcpfsm_uninitialized;
	int offset;

	*seg = (struct tfsm_seg) {};
	offset = family == AF_INET ? read_ip4(v, skb, &a) : read_ip6(v, skb, &a);
	if (offset < 0)
		return false;
	th = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (!th) {
		tcpfsm_count(v->tuple.tn, TCPFSM_C_short_header);
		return false;
	}
	doff = th->doff * 4;
	len = skb->len - offset;
	if (doff < sizeof(*th) || doff > len) {
		tcpfsm_count(v->tuple.tn, TCPFSM_C_short_header);
		return false;
	}
	v->skb = skb;
	v->offset = offset;
	seg->seq = ntohl(th->seq);
	seg->ack = ntohl(th->ack_seq);
	seg->len = len - doff;
	seg->win = ntohs(th->window);
	tfsm_set_flags(seg, ((const u8 *)th)[13]);
	if (seg->flags & TFSM_SYN && doff > sizeof(*th))
		read_options(seg, skb, offset + sizeof(*th), doff - sizeof(*th));
	v->packets = 1;
	v->bytes = skb->len - skb_network_offset(skb);
	if (skb_is_gso(skb) && skb_shinfo(skb)->gso_segs) {
		v->packets = skb_shinfo(skb)->gso_segs;
		v->bytes += (v->packets - 1) * (offset + doff - skb_network_offset(skb));
	}
	set_tuple(v, &a, th, family);
	return true;
}

/*
 * Read-only: skb_checksum_complete() and nf_checksum() would write what they found into the
 * packet. Where the device vouched for it, or is still to fill it in, there is nothing to ask;
 * what cannot be read is taken as vouched for.
 */
bool tcpfsm_packet_corrupt(const struct tcpfsm_view *v)
{
	const struct sk_buff *skb = v->skb;
	u8 family = v->tuple.family, from = v->from;
	unsigned int len = skb->len - v->offset;
	__wsum sum;

	if (skb->ip_summed != CHECKSUM_NONE && skb->ip_summed != CHECKSUM_COMPLETE)
		return false;
	if (v->seg.partial || !tcpfsm_frags_readable(skb))
		return false;
	sum = skb_checksum(skb, v->offset, len, 0);
	if (family == AF_INET)
		return csum_tcpudp_magic(v->tuple.addr[from].ip4, v->tuple.addr[!from].ip4,
					 len, IPPROTO_TCP, sum);
	return csum_ipv6_magic(&v->tuple.addr[from].ip6, &v->tuple.addr[!from].ip6,
			       len, IPPROTO_TCP, sum);
}
