// SPDX-License-Identifier: GPL-2.0
/*
 * IPv4, IPv6 with its extension headers, TCP. Lengths come from the IP header, for a capture may
 * hold less than passed.
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
static bool is_checksum_right(const struct tuple *t, const u8 *tcp, u32 len)
{
	u32 sum = IPPROTO_TCP + (len >> 16) + (len & 0xffff);

	sum = add_words(sum, t->src, addr_len(t->family));
	sum = add_words(sum, t->dst, addr_len(t->family));
	sum = add_words(sum, tcp, len);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
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
	if (p[9] != IPPROTO_TCP)
		return DECODED_other_ip;
	if (read_be16(p + 6) & 0x1fff)
		return DECODED_later_fragments;
	s->seg.partial = read_be16(p + 6) & 0x2000;
	s->id = read_be16(p + 4);
	s->tuple.family = AF_INET;
	memcpy(s->tuple.src, p + 12, 4);
	memcpy(s->tuple.dst, p + 16, 4);
	s->bytes = total;
	if (!cursor_skip(c, header))
		return DECODED_cut_short;
	return take_tcp(d, c, total - header, s);
}

/* RFC 8200 4. Return: DECODED_segment when c is at TCP; @left: bytes of the packet behind */
static enum decoded skip_extensions(struct cursor *c, u8 next, u32 *left, bool *partial)
{
	while (next != IPPROTO_TCP) {
		const u8 *p = c->p;
		u32 len;

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS &&
		    next != IPPROTO_FRAGMENT && next != IPPROTO_AH)
			return DECODED_other_ip;
		if (c->left < 8)
			return DECODED_cut_short;
		len = (p[1] + 1) * 8;
		if (next == IPPROTO_AH)
			len = (p[1] + 2) * 4;
		if (next == IPPROTO_FRAGMENT) {
			len = 8;
			if (read_be16(p + 2) & 0xfff8)
				return p[0] == IPPROTO_TCP ? DECODED_later_fragments :
							     DECODED_other_ip;
			*partial = read_be16(p + 2) & 1;
		}
		if (len > *left)
			return DECODED_malformed;
		next = p[0];
		*left -= len;
		if (!cursor_skip(c, len))
			return DECODED_cut_short;
	}
	return DECODED_segment;
}

static enum decoded take_ipv6(const struct decoder *d, struct cursor *c, struct segment *s)
{
	const u8 *p = c->p;
	enum decoded result;
	bool partial = false;
	u32 left;

	if (c->left < 40)
		return DECODED_cut_short;
	left = read_be16(p + 4);
	if (!left)
		left = c->left - 40;	/* BIG TCP, or the device was to cut it into segments */
	s->tuple.family = AF_INET6;
	memcpy(s->tuple.src, p + 8, 16);
	memcpy(s->tuple.dst, p + 24, 16);
	s->bytes = left + 40;
	cursor_skip(c, 40);
	result = skip_extensions(c, p[6], &left, &partial);
	if (result != DECODED_segment)
		return result;
	s->seg.partial = partial;
	return take_tcp(d, c, left, s);
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
