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

static __always_inline void set_ends(struct tcpfsm_view *v, const struct tcphdr *th,
				     union tcpfsm_addr src, union tcpfsm_addr dst)
{
	v->from = tcpfsm_tuple_set_ends(&v->tuple, src, th->source, dst, th->dest);
}

static void set_tuple4(struct tcpfsm_view *v, const struct iphdr *iph, const struct tcphdr *th)
{
	v->tuple.family = AF_INET;
	set_ends(v, th, tcpfsm_addr_of_ip4(iph->saddr), tcpfsm_addr_of_ip4(iph->daddr));
}

static void set_tuple6(struct tcpfsm_view *v, const struct ipv6hdr *ip6h, const struct tcphdr *th)
{
	v->tuple.family = AF_INET6;
	set_ends(v, th, (union tcpfsm_addr) { .ip6 = ip6h->saddr },
		 (union tcpfsm_addr) { .ip6 = ip6h->daddr });
}

/*
 * IPv4 header at the network header. Return: offset of TCP from skb->data, or negative; *@partial:
 * it is a first fragment.
 */
static int read_ip4(const struct tcpfsm_view *v, const struct sk_buff *skb, bool *partial)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (iph->protocol != IPPROTO_TCP)
		return -1;
	*partial = false;
	if (unlikely(iph->frag_off & htons(IP_OFFSET | IP_MF))) {
		if (iph->frag_off & htons(IP_OFFSET)) {
			tcpfsm_count(v->tuple.tn, TCPFSM_C_later_fragments);
			return -1;
		}
		*partial = true;
	}
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

static int read_ip6(const struct tcpfsm_view *v, const struct sk_buff *skb, bool *partial)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	int offset = skb_network_offset(skb) + sizeof(*ip6h);
	u8 next = ip6h->nexthdr;
	__be16 frag = 0;

	*partial = false;
	if (likely(next == IPPROTO_TCP))
		return offset;
	if (!ipv6_ext_hdr(next))
		return -1;
	offset = ipv6_skip_exthdr(skb, offset, &next, &frag);
	if (offset >= 0 && is_later_tcp_fragment(skb, offset, next, frag))
		tcpfsm_count(v->tuple.tn, TCPFSM_C_later_fragments);
	if (offset < 0 || next != IPPROTO_TCP)
		return -1;
	*partial = (frag & htons(IP6_MF)) != 0;
	return offset;
}

/* What it weighs: a packet that the device will cut up has the headers of each of its parts. */
static void weigh_packet(struct tcpfsm_view *v, const struct sk_buff *skb, unsigned int headers)
{
	v->packets = 1;
	v->bytes = skb->len - skb_network_offset(skb);
	if (skb_is_gso(skb) && skb_shinfo(skb)->gso_segs) {
		v->packets = skb_shinfo(skb)->gso_segs;
		v->bytes += (v->packets - 1) * headers;
	}
}

bool tcpfsm_packet_view(struct tcpfsm_view *v, const struct sk_buff *skb, u8 family)
{
	struct tcphdr buf tcpfsm_uninitialized;
	const struct tcphdr *th;
	unsigned int doff, len;
	bool partial;
	int offset;

	offset = family == AF_INET ? read_ip4(v, skb, &partial) : read_ip6(v, skb, &partial);
	if (offset < 0)
		return false;
	th = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	doff = th ? th->doff * 4 : 0;
	len = skb->len - offset;
	if (unlikely(doff < sizeof(*th) || doff > len)) {
		tcpfsm_count(v->tuple.tn, TCPFSM_C_short_header);
		return false;
	}
	v->skb = skb;
	v->offset = offset;
	v->seg = (struct tfsm_seg) {
		.seq = ntohl(th->seq), .ack = ntohl(th->ack_seq), .len = len - doff,
		.win = ntohs(th->window), .partial = partial,
	};
	tfsm_set_flags(&v->seg, ((const u8 *)th)[13]);
	if (v->seg.flags & TFSM_SYN && doff > sizeof(*th))
		read_options(&v->seg, skb, offset + sizeof(*th), doff - sizeof(*th));
	weigh_packet(v, skb, offset + doff - skb_network_offset(skb));
	if (family == AF_INET)
		set_tuple4(v, ip_hdr(skb), th);
	else
		set_tuple6(v, ipv6_hdr(skb), th);
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
