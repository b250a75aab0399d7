// SPDX-License-Identifier: GPL-2.0
/*
 * IPv4, IPv6 with its extension headers, TCP, and ICMP errors that quote it. Lengths come from the
 * IP header, for a capture may hold less than passed.
 */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "capture/link.h"
#include "capture/packet.h"

static u32 add_words(u32 sum, const u8 *p, u32 len)
{
	for (; len > 1; p += 2, len -= 2) {
		sum += read_be16(p);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (len)
		sum += *p << 8;
	return (sum & 0xffff) + (sum >> 16);
}

/* RFC 9293 3.1: the checksum covers a pseudo header, too. */
static u32 add_pseudo_header(const struct tuple *t, u8 protocol, u32 len)
{
	u32 sum = protocol + (len >> 16) + (len & 0xffff);

	sum = add_words(sum, t->src, addr_len(t->family));
	return add_words(sum, t->dst, addr_len(t->family));
}

static bool is_sum_right(u32 sum, const u8 *p, u32 len)
{
	sum = add_words(sum, p, len);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

static bool is_checksum_right(const struct tuple *t, const u8 *tcp, u32 len)
{
	return is_sum_right(add_pseudo_header(t, IPPROTO_TCP, len), tcp, len);
}

/* RFC 792; RFC 4443 2.3 */
static bool is_icmp_checksum_right(const struct tuple *t, const u8 *icmp, u32 len)
{
	u32 sum = t->family == AF_INET ? 0 : add_pseudo_header(t, IPPROTO_ICMPV6, len);

	return is_sum_right(sum, icmp, len);
}

/* @len: bytes of TCP header and payload, by the IP header */
static enum decoded take_tcp(const struct decoder *d, const struct cursor *c, u32 len,
			     struct segment *s)
{
	const u8 *p = c->p;
	u32 header;

	if (len < 20)
		return DECODED_short_header;
	if (c->left < 20)
		return DECODED_cut_short;
	header = (p[12] >> 4) * 4;
	if (header < 20 || header > len)
		return DECODED_short_header;
	s->tuple.sport = read_be16(p);
	s->tuple.dport = read_be16(p + 2);
	s->seg.seq = read_be32(p + 4);
	s->seg.ack = read_be32(p + 8);
	tfsm_set_flags(&s->seg, p[13]);
	s->seg.win = read_be16(p + 14);
	s->sum = read_be16(p + 16);
	s->seg.len = len - header;
	if (s->seg.flags & TFSM_SYN) {
		/* A SYN without its options would be taken for one that scales nothing. */
		if (c->left < header)
			return DECODED_cut_short;
		tfsm_read_options(&s->seg, p + 20, header - 20);
	}
	if (d->checksums && !s->seg.partial && c->left >= len &&
	    !is_checksum_right(&s->tuple, p, len))
		return DECODED_bad_checksum;
	return DECODED_segment;
}

/* RFC 8200 4: is there another header behind one of this kind? */
static bool is_extension(u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS ||
	       next == IPPROTO_FRAGMENT || next == IPPROTO_AH;
}

/*
 * Return: DECODED_segment when c is behind all extension headers, and *@next tells what is there;
 * @left: bytes of the packet behind
 */
static enum decoded skip_extensions(struct cursor *c, u8 *next, u32 *left, bool *partial)
{
	while (is_extension(*next)) {
		const u8 *p = c->p;
		u32 len;

		if (c->left < 8)
			return DECODED_cut_short;
		len = (p[1] + 1) * 8;
		if (*next == IPPROTO_AH)
			len = (p[1] + 2) * 4;
		if (*next == IPPROTO_FRAGMENT) {
			len = 8;
			if (read_be16(p + 2) & 0xfff8)
				return p[0] == IPPROTO_TCP ? DECODED_later_fragments :
							     DECODED_other_ip;
			*partial = read_be16(p + 2) & 1;
		}
		if (len > *left)
			return DECODED_malformed;
		*next = p[0];
		*left -= len;
		if (!cursor_skip(c, len))
			return DECODED_cut_short;
	}
	return DECODED_segment;
}

/* ---- ICMP errors ---- */

/* Ports and SEQ: more need not be there. */
static enum decoded take_quoted_tcp(const struct cursor *c, struct segment *s)
{
	if (c->left < 8)
		return DECODED_cut_short;
	s->tuple.sport = read_be16(c->p);
	s->tuple.dport = read_be16(c->p + 2);
	s->icmp.seq = read_be32(c->p + 4);
	return DECODED_icmp_error;
}

static enum decoded take_quoted_ipv4(struct cursor *c, struct segment *s)
{
	const u8 *p = c->p;
	u32 header;

	if (c->left < 20)
		return DECODED_cut_short;
	header = (p[0] & 0xf) * 4;
	if (p[0] >> 4 != 4 || header < 20 || p[9] != IPPROTO_TCP || read_be16(p + 6) & 0x1fff)
		return DECODED_other_ip;
	memcpy(s->tuple.src, p + 12, 4);
	memcpy(s->tuple.dst, p + 16, 4);
	return cursor_skip(c, header) ? take_quoted_tcp(c, s) : DECODED_cut_short;
}

static enum decoded take_quoted_ipv6(struct cursor *c, struct segment *s)
{
	const u8 *p = c->p;
	u32 left = ~0U;		/* what it was followed by, before it was cut */
	bool partial;
	u8 next;

	if (c->left < 40)
		return DECODED_cut_short;
	if (p[0] >> 4 != 6)
		return DECODED_other_ip;
	next = p[6];
	memcpy(s->tuple.src, p + 8, 16);
	memcpy(s->tuple.dst, p + 24, 16);
	cursor_skip(c, 40);
	if (skip_extensions(c, &next, &left, &partial) != DECODED_segment || next != IPPROTO_TCP)
		return DECODED_other_ip;
	return take_quoted_tcp(c, s);
}

/* The tuple becomes that of the segment that it quotes. @len: bytes of ICMP, by the IP header */
static enum decoded take_icmp(const struct decoder *d, struct cursor *c, u32 len,
			      struct segment *s)
{
	bool ip6 = s->tuple.family == AF_INET6;
	const u8 *p = c->p;

	if (c->left < 8)
		return DECODED_cut_short;
	s->icmp.type = p[0];
	s->icmp.code = p[1];
	s->icmp.sort = tfsm_icmp_sort(ip6, p[0], p[1]);
	if (s->icmp.sort == TFSM_ICMP_SORTS || s->seg.partial)
		return DECODED_other_ip;
	if (d->checksums && c->left >= len && !is_icmp_checksum_right(&s->tuple, p, len))
		return DECODED_bad_checksum;
	if (s->icmp.sort == TFSM_ICMP_MTU)
		s->icmp.mtu = ip6 ? read_be32(p + 4) : read_be16(p + 6);
	memcpy(s->icmp.origin, s->tuple.src, sizeof(s->icmp.origin));
	cursor_skip(c, 8);
	return ip6 ? take_quoted_ipv6(c, s) : take_quoted_ipv4(c, s);
}

/* ---- IP ---- */

static enum decoded take_ipv4(const struct decoder *d, struct cursor *c, struct segment *s)
{
	const u8 *p = c->p;
	u32 header, total;

	if (c->left < 20)
		return DECODED_cut_short;
	header = (p[0] & 0xf) * 4;
	total = read_be16(p + 2);
	if (!total)
		total = c->left;	/* the device was to cut it into segments */
	if (header < 20 || header > total)
		return DECODED_malformed;
	if (p[9] != IPPROTO_TCP && p[9] != IPPROTO_ICMP)
		return DECODED_other_ip;
	if (read_be16(p + 6) & 0x1fff)
		return p[9] == IPPROTO_TCP ? DECODED_later_fragments : DECODED_other_ip;
	s->seg.partial = read_be16(p + 6) & 0x2000;
	s->id = read_be16(p + 4);
	s->tuple.family = AF_INET;
	memcpy(s->tuple.src, p + 12, 4);
	memcpy(s->tuple.dst, p + 16, 4);
	s->bytes = total;
	if (!cursor_skip(c, header))
		return DECODED_cut_short;
	if (p[9] == IPPROTO_ICMP)
		return take_icmp(d, c, total - header, s);
	return take_tcp(d, c, total - header, s);
}

static enum decoded take_ipv6(const struct decoder *d, struct cursor *c, struct segment *s)
{
	const u8 *p = c->p;
	enum decoded result;
	bool partial = false;
	u32 left;
	u8 next;

	if (c->left < 40)
		return DECODED_cut_short;
	left = read_be16(p + 4);
	if (!left)
		left = c->left - 40;	/* BIG TCP, or the device was to cut it into segments */
	s->tuple.family = AF_INET6;
	memcpy(s->tuple.src, p + 8, 16);
	memcpy(s->tuple.dst, p + 24, 16);
	s->bytes = left + 40;
	next = p[6];
	cursor_skip(c, 40);
	result = skip_extensions(c, &next, &left, &partial);
	if (result != DECODED_segment)
		return result;
	s->seg.partial = partial;
	if (next == IPPROTO_ICMPV6)
		return take_icmp(d, c, left, s);
	return next == IPPROTO_TCP ? take_tcp(d, c, left, s) : DECODED_other_ip;
}

enum decoded packet_decode(const struct decoder *d, const u8 *frame, u32 captured,
			   struct segment *s)
{
	struct cursor c = { frame, captured };
	u16 type;

	memset(s, 0, sizeof(*s));
	if (!link_skip(&c, d->link, &type))
		return DECODED_cut_short;
	if (type && type != ETHERTYPE_IP && type != ETHERTYPE_IPV6)
		return DECODED_other_link;
	if (!c.left)
		return DECODED_cut_short;
	switch (c.p[0] >> 4) {
	case 4:
		return type == ETHERTYPE_IPV6 ? DECODED_malformed : take_ipv4(d, &c, s);
	case 6:
		return type == ETHERTYPE_IP ? DECODED_malformed : take_ipv6(d, &c, s);
	default:
		return type ? DECODED_malformed : DECODED_other_link;
	}
}
