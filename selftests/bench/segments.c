// SPDX-License-Identifier: GPL-2.0
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/netfilter/nf_conntrack.h>

#include "segments.h"

#define PORTS	50000		/* of one client address */
#define HEADERS	(sizeof(struct ipv6hdr) + sizeof(struct tcphdr) + sizeof(syn_options))

/* MSS 1460, SACK permitted, window scale 7 */
static const u8 syn_options[12] = { 2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 7 };

bool bench_allocate(struct bench_path *p, u32 len)
{
	unsigned int room = HEADERS + len;

	p->skb = alloc_skb(room + LL_MAX_HEADER, GFP_ATOMIC);
	if (!p->skb)
		return false;
	skb_reserve(p->skb, LL_MAX_HEADER);
	memset(p->skb->data, 0, room);
	skb_reset_network_header(p->skb);
	skb_set_transport_header(p->skb, p->family == 4 ? sizeof(struct iphdr) :
							  sizeof(struct ipv6hdr));
	p->skb->protocol = p->family == 4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	p->skb->pkt_type = PACKET_HOST;
	return true;
}

static u32 client_of(u32 flow)
{
	return 0x0a000001 + flow / PORTS;
}

static u32 server_of(const struct bench_path *p, u32 flow)
{
	return 0x0ac80001 + flow % p->services;
}

static void write_ip4(struct sk_buff *skb, u32 src, u32 dst, unsigned int len)
{
	struct iphdr *iph = ip_hdr(skb);

	iph->version = 4;
	iph->ihl = 5;
	iph->tot_len = htons(sizeof(*iph) + len);
	iph->ttl = 64;
	iph->protocol = IPPROTO_TCP;
	iph->saddr = htonl(src);
	iph->daddr = htonl(dst);
	iph->check = 0;
	iph->check = ip_fast_csum(iph, iph->ihl);
}

static void write_ip6(struct sk_buff *skb, u32 src, u32 dst, unsigned int len)
{
	struct ipv6hdr *ip6h = ipv6_hdr(skb);

	ip6h->version = 6;
	ip6h->payload_len = htons(len);
	ip6h->nexthdr = IPPROTO_TCP;
	ip6h->hop_limit = 64;
	ip6h->saddr.s6_addr32[0] = htonl(0xfd000000);
	ip6h->saddr.s6_addr32[3] = htonl(src);
	ip6h->daddr.s6_addr32[0] = htonl(0xfd000000);
	ip6h->daddr.s6_addr32[3] = htonl(dst);
}

/* The data is all zeros, so the sum is that of the headers. */
static __sum16 sum_headers(const struct sk_buff *skb, u32 family, unsigned int header,
			   unsigned int len)
{
	__wsum sum = csum_partial(tcp_hdr(skb), header, 0);

	if (family == 4)
		return csum_tcpudp_magic(ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, len, IPPROTO_TCP,
					 sum);
	return csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, len, IPPROTO_TCP, sum);
}

void bench_write(struct bench_path *p, const struct bench_segment *s)
{
	unsigned int header = sizeof(struct tcphdr), len;
	u32 client = client_of(s->flow), server = server_of(p, s->flow);
	u32 src = s->by_server ? server : client, dst = s->by_server ? client : server;
	struct sk_buff *skb = p->skb;
	struct tcphdr *th = tcp_hdr(skb);
	__be16 port = htons(1024 + s->flow % PORTS);

	if (s->flags & TCPHDR_SYN) {
		memcpy(th + 1, syn_options, sizeof(syn_options));
		header += sizeof(syn_options);
	} else {
		memset(th + 1, 0, sizeof(syn_options));
	}
	len = header + s->len;
	__skb_set_length(skb, skb_transport_offset(skb) + len);
	if (p->family == 4)
		write_ip4(skb, src, dst, len);
	else
		write_ip6(skb, src, dst, len);
	th->source = s->by_server ? htons(80) : port;
	th->dest = s->by_server ? port : htons(80);
	th->seq = htonl(s->seq);
	th->ack_seq = htonl(s->ack);
	th->doff = header / 4;
	((u8 *)th)[13] = s->flags;
	th->window = htons(0xffff);
	th->check = 0;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	if (p->checksum) {
		th->check = sum_headers(skb, p->family, header, len);
		skb->ip_summed = CHECKSUM_NONE;
		skb->csum_complete_sw = 0;
		skb->csum_valid = 0;
	}
	skb_shinfo(skb)->gso_size = p->parts ? 1 : 0;
	skb_shinfo(skb)->gso_segs = p->parts;
	skb->dev = p->way == BENCH_OUT ? p->out : p->in;
}

static bool pass_hook(struct bench_path *p, unsigned int hook, bool in, bool out)
{
	if (nf_hook(p->family == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6, hook, p->net, NULL, p->skb,
		    in ? p->in : NULL, out ? p->out : NULL, NULL) == 1)
		return true;
	p->skb = NULL;
	return false;
}

bool bench_pass(struct bench_path *p)
{
	switch (p->way) {
	case BENCH_FORWARD:
		return pass_hook(p, NF_INET_PRE_ROUTING, true, false) &&
		       pass_hook(p, NF_INET_FORWARD, true, true) &&
		       pass_hook(p, NF_INET_POST_ROUTING, false, true);
	case BENCH_IN:
		return pass_hook(p, NF_INET_PRE_ROUTING, true, false) &&
		       pass_hook(p, NF_INET_LOCAL_IN, true, false);
	default:
		return pass_hook(p, NF_INET_LOCAL_OUT, false, true) &&
		       pass_hook(p, NF_INET_POST_ROUTING, false, true);
	}
}
