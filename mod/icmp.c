// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors: from a packet at a hook to the flow whose segment it quotes.
 *
 * Where the module looks, the quotation has the flow's own tuple, whatever NAT does: conntrack
 * translates it in the hooks in which it translates the answers to what is quoted. So an error that
 * comes in has been turned back by PREROUTING, and one that is made here by OUTPUT, before the
 * module sees it; what POSTROUTING and INPUT still do to it comes behind.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/ktime.h>
#include <linux/skbuff.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>

#include "commit.h"
#include "compat.h"
#include "core/shell.h"
#include "cpu.h"
#include "icmp.h"
#include "table.h"
#include "timeout.h"

/* What an error quotes of TCP at least (RFC 792); more is not needed. */
struct quoted {
	__be16 source, dest;
	__be32 seq;
};

/* ---- packets ---- */

/* No ICMP error is so big that it needs fragments; one that comes in such is not believed. */
static int find_icmp4(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (iph->protocol != IPPROTO_ICMP || iph->frag_off & htons(IP_OFFSET | IP_MF))
		return -1;
	return skb_network_offset(skb) + iph->ihl * 4;
}

/* Behind an IPv6 header at @offset. Return: offset of this header, or negative. */
static int find_header6(const struct sk_buff *skb, const struct ipv6hdr *ip6h, int offset,
			u8 wanted, __be16 *frag)
{
	u8 next = ip6h->nexthdr;

	*frag = 0;
	offset = ipv6_skip_exthdr(skb, offset + sizeof(*ip6h), &next, frag);
	return next == wanted ? offset : -1;
}

static int find_icmp6(const struct sk_buff *skb)
{
	__be16 frag;
	int offset = find_header6(skb, ipv6_hdr(skb), skb_network_offset(skb), IPPROTO_ICMPV6,
				  &frag);

	return frag ? -1 : offset;
}

/* The header itself is the same in both families. */
static bool read_error(struct tcpfsm_error *e, const struct sk_buff *skb, u8 family)
{
	struct icmphdr buf;
	const struct icmphdr *ih = skb_header_pointer(skb, e->offset, sizeof(buf), &buf);

	if (!ih)
		return false;
	e->icmp.type = ih->type;
	e->icmp.code = ih->code;
	e->icmp.sort = tfsm_icmp_sort(family == AF_INET6, ih->type, ih->code);
	if (e->icmp.sort == TFSM_ICMP_SORTS)
		return false;
	e->icmp.mtu = 0;
	if (e->icmp.sort == TFSM_ICMP_MTU)
		e->icmp.mtu = family == AF_INET ? ntohs(ih->un.frag.mtu) : ntohl(ih->un.gateway);
	return true;
}

static bool read_quoted(struct tcpfsm_error *e, const struct sk_buff *skb, int offset,
			union tcpfsm_addr src, union tcpfsm_addr dst)
{
	struct quoted buf;
	const struct quoted *q = skb_header_pointer(skb, offset, sizeof(buf), &buf);

	if (!q)
		return false;
	e->icmp.seq = ntohl(q->seq);
	e->from = tcpfsm_tuple_set_ends(&e->tuple, src, q->source, dst, q->dest);
	return true;
}

static bool read_quotation4(struct tcpfsm_error *e, const struct sk_buff *skb, int offset)
{
	struct iphdr buf;
	const struct iphdr *iph = skb_header_pointer(skb, offset, sizeof(buf), &buf);

	if (!iph || iph->version != 4 || iph->ihl < 5 || iph->protocol != IPPROTO_TCP ||
	    iph->frag_off & htons(IP_OFFSET))
		return false;
	return read_quoted(e, skb, offset + iph->ihl * 4, tcpfsm_addr_of_ip4(iph->saddr),
			   tcpfsm_addr_of_ip4(iph->daddr));
}

static bool read_quotation6(struct tcpfsm_error *e, const struct sk_buff *skb, int offset)
{
	struct ipv6hdr buf;
	const struct ipv6hdr *ip6h = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	__be16 frag;

	if (!ip6h || ip6h->version != 6)
		return false;
	offset = find_header6(skb, ip6h, offset, IPPROTO_TCP, &frag);
	if (offset < 0)
		return false;
	return read_quoted(e, skb, offset, (union tcpfsm_addr) { .ip6 = ip6h->saddr },
			   (union tcpfsm_addr) { .ip6 = ip6h->daddr });
}

bool tcpfsm_icmp_view(struct tcpfsm_error *e, const struct sk_buff *skb, u8 family)
{
	int offset = family == AF_INET ? find_icmp4(skb) : find_icmp6(skb);
	union tcpfsm_addr origin;

	if (offset < 0)
		return false;
	e->skb = skb;
	e->offset = offset;
	e->tuple.family = family;
	if (!read_error(e, skb, family))
		return false;
	offset += sizeof(struct icmphdr);
	if (family == AF_INET) {
		origin = tcpfsm_addr_of_ip4(ip_hdr(skb)->saddr);
		if (!read_quotation4(e, skb, offset))
			return false;
	} else {
		origin.ip6 = ipv6_hdr(skb)->saddr;
		if (!read_quotation6(e, skb, offset))
			return false;
	}
	BUILD_BUG_ON(sizeof(e->icmp.origin) != sizeof(origin));
	memcpy(e->icmp.origin, &origin, sizeof(origin));
	return true;
}

/* Read-only, as tcpfsm_packet_corrupt(). */
static bool is_corrupt(const struct tcpfsm_error *e)
{
	const struct sk_buff *skb = e->skb;
	unsigned int len = skb->len - e->offset;
	__wsum sum;

	if (skb->ip_summed != CHECKSUM_NONE && skb->ip_summed != CHECKSUM_COMPLETE)
		return false;
	if (!tcpfsm_frags_readable(skb))
		return false;
	sum = skb_checksum(skb, e->offset, len, 0);
	if (e->tuple.family == AF_INET)
		return csum_fold(sum);
	return csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, len, IPPROTO_ICMPV6,
			       sum);
}

/* ---- flows ---- */

static struct tfsm_ext *alloc_ext_for_error(void *tn)
{
	struct tfsm_ext *ext = tcpfsm_flow_alloc_ext(tn);

	if (!ext)
		tcpfsm_count(tn, TCPFSM_C_no_memory);
	return ext;
}

static const struct tfsm_keeper keeper = { .alloc_ext = alloc_ext_for_error };

/* Linux gives up a connect() at the first such error: the socket may be gone in a moment. */
static bool may_kill(const struct tcpfsm_flow *f, const struct tfsm_icmp *e)
{
	return e->sort == TFSM_ICMP_UNREACHABLE &&
	       f->fsm.end[e->dir].state == TCPFSM_SYN_SENT &&
	       tcpfsm_timeout_local_ends(f->fsm.flags) & 1U << e->dir;
}

static void tell_flow(struct tcpfsm_flow *f, struct tcpfsm_error *e)
	__releases(&f->lock)
{
	struct tcpfsm_report r tcpfsm_uninitialized;
	struct tfsm_out o tcpfsm_uninitialized;

	e->icmp.dir = e->from == f->orig ? TCPFSM_ORIG : TCPFSM_RESP;
	tfsm_init_out(&o, ktime_get_ns());
	tcpfsm_commit_begin(&r, f);
	if (tfsm_shell_icmp(&keeper, e->tuple.tn, &f->fsm, &e->icmp, &o) == TFSM_OK &&
	    may_kill(f, &e->icmp))
		tcpfsm_timeout_ask(f);
	tcpfsm_commit_moves(&r, f, &o);
	spin_unlock(&f->lock);
	tcpfsm_commit_deliver(&r);
}

void tcpfsm_icmp(struct tcpfsm_error *e)
{
	struct tcpfsm_net *tn = e->tuple.tn;
	struct tcpfsm_flow *f;

	tcpfsm_count(tn, TCPFSM_C_icmp_errors);
	f = tcpfsm_table_find_lock(&e->tuple);
	if (!f) {
		tcpfsm_count(tn, TCPFSM_C_icmp_no_flow);
	} else if (is_corrupt(e)) {
		spin_unlock(&f->lock);
		tcpfsm_count(tn, TCPFSM_C_icmp_bad_checksum);
	} else {
		tell_flow(f, e);
	}
}
