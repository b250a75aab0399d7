// SPDX-License-Identifier: GPL-2.0
/*
 * Segments in great number, from nobody: floods from sources at random, one ACK of a connection
 * again and again, and frames of any shape around a connection that is there.
 *
 *   flood syn|ack|again|shapes [-i DEVICE -m MAC] -s SOURCE -d DESTINATION -p SPORT -q DPORT
 *         [-S SEQ -A ACK] -n COUNT [-r SEED]
 *
 * syn and ack take SOURCE and SPORT at random, DESTINATION is an address like 10.0.2.1 or fd02::1.
 * With -i frames leave a device for the one with that address; without, packets pass the host's
 * own output. Prints ns a frame, for the first tenth and for the last.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <error.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH	32
#define FRAME	2048

enum what { FLOOD_SYN, FLOOD_ACK, FLOOD_AGAIN, FLOOD_SHAPES };

static struct options {
	enum what what;
	const char *device;
	struct ether_header ether;
	int family;
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	uint32_t seq, ack;
	unsigned long count;
} opt;

static uint8_t frames[BATCH][FRAME];
static struct iovec iov[BATCH];
static struct mmsghdr msgs[BATCH];
static unsigned int queued;
static int fd;
static struct sockaddr_storage to;
static socklen_t to_len;

/* ---- chance: xorshift64* ---- */

static uint64_t state;

static uint32_t rnd(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL >> 32;
}

static unsigned int below(unsigned int n)
{
	return (uint64_t)rnd() * n >> 32;
}

static bool percent(unsigned int n)
{
	return below(100) < n;
}

static void scribble(uint8_t *p, unsigned int n)
{
	while (n--)
		*p++ = rnd();
}

/* ---- sums ---- */

static uint32_t add(uint32_t sum, const void *data, unsigned int len)
{
	const uint8_t *p = data;

	for (; len > 1; p += 2, len -= 2)
		sum += p[0] << 8 | p[1];
	return len ? sum + (p[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static unsigned int address_size(void)
{
	return opt.family == AF_INET ? 4 : 16;
}

/* Of a segment between two addresses, 0 if the sum that it carries is right. */
static uint16_t tcp_sum(const uint8_t *src, const uint8_t *dst, const uint8_t *tcp,
			unsigned int len)
{
	uint32_t sum = IPPROTO_TCP + len;

	sum = add(sum, src, address_size());
	sum = add(sum, dst, address_size());
	return ~fold(add(sum, tcp, len));
}

/* ---- packets ---- */

static void flush(void)
{
	unsigned int sent = 0;
	int n;

	while (sent < queued) {
		n = sendmmsg(fd, msgs + sent, queued - sent, 0);
		if (n < 0 && errno != ENOBUFS && errno != EINVAL && errno != EMSGSIZE &&
		    errno != EACCES && errno != EPERM && errno != ENETUNREACH)
			error(1, errno, "cannot send");
		sent += n < 0 ? 1 : n;		/* what the stack does not take is left out */
	}
	queued = 0;
}

static void put(const uint8_t *packet, unsigned int len)
{
	unsigned int head = opt.device ? sizeof(opt.ether) : 0;
	uint8_t *frame = frames[queued];

	if (len > FRAME - head)
		len = FRAME - head;
	memcpy(frame, &opt.ether, head);
	memcpy(frame + head, packet, len);
	iov[queued] = (struct iovec) { frame, head + len };
	msgs[queued].msg_hdr = (struct msghdr) {
		.msg_iov = &iov[queued], .msg_iovlen = 1,
		.msg_name = to_len ? &to : NULL, .msg_namelen = to_len,
	};
	if (++queued == BATCH)
		flush();
}

static unsigned int ip4_header(uint8_t *p, const uint8_t *src, unsigned int total, unsigned int id,
			       unsigned int fragment, unsigned int version)
{
	struct iphdr *ip = (struct iphdr *)p;

	*ip = (struct iphdr) {
		.tot_len = htons(total), .id = htons(id), .frag_off = htons(fragment),
		.ttl = 64, .protocol = IPPROTO_TCP,
	};
	p[0] = version;
	memcpy(&ip->saddr, src, 4);
	memcpy(&ip->daddr, opt.dst, 4);
	ip->check = htons(~fold(add(0, p, sizeof(*ip))));
	return sizeof(*ip);
}

static unsigned int ip6_header(uint8_t *p, const uint8_t *src, unsigned int payload, uint8_t next,
			       uint8_t hops)
{
	struct ip6_hdr *ip6 = (struct ip6_hdr *)p;

	*ip6 = (struct ip6_hdr) { .ip6_plen = htons(payload), .ip6_nxt = next, .ip6_hlim = hops };
	ip6->ip6_vfc = 6 << 4;
	memcpy(&ip6->ip6_src, src, 16);
	memcpy(&ip6->ip6_dst, opt.dst, 16);
	return sizeof(*ip6);
}

/* A segment and its sum, made wrong on demand. Return: its length. */
static unsigned int segment(uint8_t *p, const uint8_t *src, uint16_t sport, uint32_t seq,
			    uint32_t ack, unsigned int words, uint8_t flags, unsigned int options,
			    unsigned int data, bool wrong)
{
	struct tcphdr *th = (struct tcphdr *)p;
	unsigned int len = sizeof(*th) + options + data;

	*th = (struct tcphdr) {
		.source = htons(sport), .dest = htons(opt.dport), .seq = htonl(seq),
		.ack_seq = htonl(ack), .window = htons(rnd()),
	};
	p[12] = words << 4;
	p[13] = flags;
	scribble(p + sizeof(*th), options + data);
	th->check = htons(tcp_sum(src, opt.dst, p, len) ^ (wrong ? 1 + below(0xfffe) : 0));
	return len;
}

/* ---- floods ---- */

static void flood(void)
{
	uint8_t packet[FRAME], src[16], *tcp;
	bool syn = opt.what == FLOOD_SYN;
	unsigned int len, head;

	head = opt.family == AF_INET ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
	tcp = packet + head;
	if (opt.what == FLOOD_AGAIN) {
		memcpy(src, opt.src, sizeof(src));
		len = segment(tcp, src, opt.sport, opt.seq, opt.ack, 5, TH_ACK, 0, 0, false);
	} else {
		scribble(src, sizeof(src));
		if (opt.family == AF_INET6)
			src[0] = 0x20;
		len = segment(tcp, src, 1024 + below(64512), rnd(), syn ? 0 : rnd(), 5,
			      syn ? TH_SYN : TH_ACK, 0, syn ? 0 : 10, false);
	}
	if (opt.family == AF_INET)
		ip4_header(packet, src, head + len, rnd(), 0, 0x45);
	else
		ip6_header(packet, src, len, IPPROTO_TCP, 64);
	put(packet, head + len);
}

/* ---- any shape ---- */

static uint8_t any_flags(void)
{
	static const uint8_t usual[] = {
		TH_SYN, TH_RST, TH_FIN | TH_ACK, TH_ACK, TH_RST | TH_ACK, TH_SYN | TH_ACK,
	};

	return percent(50) ? usual[below(sizeof(usual))] : rnd();
}

/*
 * What a receiver would check if this were all that it gets: a length that lies may have made a
 * wrong sum right.
 */
static void spoil(uint8_t *tcp, unsigned int len)
{
	if (len >= sizeof(struct tcphdr) && !tcp_sum(opt.src, opt.dst, tcp, len))
		tcp[16] ^= 0x55;
}

/* IPv6 extension headers, of which some lie. Return: their length; *next: the first's kind. */
static unsigned int extensions(uint8_t *p, uint8_t *next)
{
	static const uint8_t kinds[] = { 0, 43, 60, 51, 44 };
	unsigned int n = percent(50) ? 0 : below(6), size, len = 0;
	uint8_t chain[6];
	unsigned int i;

	chain[n] = IPPROTO_TCP;
	for (i = 0; i < n; i++)
		chain[i] = kinds[below(sizeof(kinds))];
	for (i = 0; i < n; i++) {
		size = chain[i] == 44 ? 8 : 8 * (1 + below(3));
		memset(p + len, 0, size);
		p[len] = chain[i + 1];
		if (chain[i] != 44)
			p[len + 1] = percent(90) ? size / 8 - 1 : rnd();
		else if (percent(20))
			scribble(p + len + 1, 7);
		len += size;
	}
	*next = chain[0];
	return len;
}

static unsigned int fragment_header(uint8_t *p, unsigned int at, bool more, uint32_t id)
{
	struct ip6_frag *f = (struct ip6_frag *)p;

	*f = (struct ip6_frag) {
		.ip6f_nxt = IPPROTO_TCP, .ip6f_offlg = htons(at | more), .ip6f_ident = htonl(id),
	};
	return sizeof(*f);
}

/* One segment in pieces, tiny or overlapping, in any order, some of them twice. */
static void fragments(const uint8_t *tcp, unsigned int len)
{
	unsigned int id = rnd(), n = 2 + below(3), head, at, size, more;
	uint8_t packet[FRAME];

	while (n--) {
		at = below(len) & ~7;
		size = percent(50) ? len - at : 8 * (1 + below(3));
		size = size > len - at ? len - at : size;
		more = at + size < len;
		if (opt.family == AF_INET) {
			head = ip4_header(packet, opt.src, sizeof(struct iphdr) + size, id,
					  at / 8 | (more ? IP_MF : 0), 0x45);
		} else {
			head = ip6_header(packet, opt.src, 8 + size, 44, 64);
			head += fragment_header(packet + head, at, more, id);
		}
		memcpy(packet + head, tcp + at, size);
		put(packet, head + size);
	}
}

static void whole4(const uint8_t *tcp, unsigned int len, bool wrong)
{
	unsigned int head = sizeof(struct iphdr), total = head + len;
	const unsigned int lies[] = { 0, head, 65535, total + 9, total - 3 };
	uint8_t packet[FRAME];

	if (wrong && percent(10))
		total = lies[below(5)];
	memcpy(packet + head, tcp, len);
	if (wrong && total > head && total <= head + len)
		spoil(packet + head, total - head);
	ip4_header(packet, opt.src, total, rnd(), percent(90) ? 0 : rnd(),
		   percent(95) ? 0x45 : rnd());
	put(packet, head + len);
}

static void whole6(const uint8_t *tcp, unsigned int len, bool wrong)
{
	unsigned int head = sizeof(struct ip6_hdr), extra, payload;
	uint8_t packet[FRAME], next;

	extra = extensions(packet + head, &next);
	payload = extra + len;
	if (wrong && percent(10)) {
		const unsigned int lies[] = { 0, 8, 65535, payload - 3 };

		payload = lies[below(4)];
	}
	ip6_header(packet, opt.src, payload, next, percent(95) ? 64 : 1);
	memcpy(packet + head + extra, tcp, len);
	if (wrong && payload > extra && payload <= extra + len)
		spoil(packet + head + extra, payload - extra);
	put(packet, head + extra + len);
}

/*
 * Around the connection: with a sum that is wrong, or in its place (one in ten) with numbers
 * that are far outside. None may move it.
 */
static void shape(void)
{
	bool wrong = percent(90);
	unsigned int options = 4 * below(percent(50) ? 1 : 11), words = 5 + options / 4, len;
	static const uint32_t off[] = { 0, 0, 1, -1, 1U << 30 };
	uint32_t seq = opt.seq + off[below(5)], ack = opt.ack + off[below(4)];
	uint8_t tcp[FRAME], flags = any_flags();
	uint16_t sport = opt.sport;

	if (!wrong) {
		seq = opt.seq + (1U << 30) + below(1U << 29);
		ack = opt.ack + (1U << 30) + below(1U << 29);
	} else {
		if (percent(30))
			sport = rnd();
		if (percent(30))
			words = below(16);
	}
	len = segment(tcp, opt.src, sport, seq, ack, words, flags, options,
		      percent(50) ? 0 : below(200), wrong);
	if (wrong && percent(10))
		len = below(len);
	if (wrong && len && percent(10))
		fragments(tcp, len);
	else if (opt.family == AF_INET)
		whole4(tcp, len, wrong);
	else
		whole6(tcp, len, wrong);
}

/* ---- */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void open_socket(void)
{
	struct sockaddr_ll *ll = (struct sockaddr_ll *)&to;

	if (opt.device) {
		fd = socket(AF_PACKET, SOCK_RAW, 0);
		ll->sll_family = AF_PACKET;
		ll->sll_ifindex = if_nametoindex(opt.device);
		if (!ll->sll_ifindex)
			error(1, errno, "no device '%s'", opt.device);
		to_len = sizeof(*ll);
		if (fd >= 0 && setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &(int){ 1 },
					  sizeof(int)))
			error(1, errno, "cannot go past the queues");
	} else {
		fd = socket(opt.family, SOCK_RAW, IPPROTO_RAW);
		to.ss_family = opt.family;
		if (opt.family == AF_INET) {
			memcpy(&((struct sockaddr_in *)&to)->sin_addr, opt.dst, 4);
			to_len = sizeof(struct sockaddr_in);
		} else {
			memcpy(&((struct sockaddr_in6 *)&to)->sin6_addr, opt.dst, 16);
			to_len = sizeof(struct sockaddr_in6);
		}
	}
	if (fd < 0)
		error(1, errno, "cannot open a socket");
}

static void address(uint8_t *a, const char *word)
{
	opt.family = strchr(word, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(opt.family, word, a) != 1)
		error(1, 0, "no address: '%s'", word);
}

static void mac(const char *word)
{
	unsigned int b[6];
	int i;

	if (sscanf(word, "%x:%x:%x:%x:%x:%x", b, b + 1, b + 2, b + 3, b + 4, b + 5) != 6)
		error(1, 0, "no address of a device: '%s'", word);
	for (i = 0; i < 6; i++)
		opt.ether.ether_dhost[i] = b[i];
}

static void arguments(int argc, char **argv)
{
	static const char *const kinds[] = { "syn", "ack", "again", "shapes" };
	int c, n = sizeof(kinds) / sizeof(*kinds);

	for (c = 0; c < n; c++)
		if (argc > 1 && !strcmp(argv[1], kinds[c]))
			break;
	if (c == n)
		error(1, 0, "the first word is syn, ack, again or shapes, not '%s'",
		      argc > 1 ? argv[1] : "");
	opt.what = c;
	state = 1;
	while ((c = getopt(argc - 1, argv + 1, "i:m:s:d:p:q:S:A:n:r:")) != -1) {
		switch (c) {
		case 'i':
			opt.device = optarg;
			break;
		case 'm':
			mac(optarg);
			break;
		case 's':
			address(opt.src, optarg);
			break;
		case 'd':
			address(opt.dst, optarg);
			break;
		case 'p':
			opt.sport = strtoul(optarg, NULL, 0);
			break;
		case 'q':
			opt.dport = strtoul(optarg, NULL, 0);
			break;
		case 'S':
			opt.seq = strtoul(optarg, NULL, 0);
			break;
		case 'A':
			opt.ack = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			opt.count = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			state = strtoull(optarg, NULL, 0) * 2 + 1;
			break;
		default:
			exit(1);
		}
	}
	opt.ether.ether_type = htons(opt.family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6);
}

int main(int argc, char **argv)
{
	unsigned long i, tenth;
	uint64_t began, first = 0, last;

	arguments(argc, argv);
	open_socket();
	tenth = opt.count / 10 ? opt.count / 10 : 1;
	began = last = now();
	for (i = 0; i < opt.count; i++) {
		if (i == tenth)
			first = now() - began;
		if (i == opt.count - tenth)
			last = now();
		if (opt.what == FLOOD_SHAPES)
			shape();
		else
			flood();
	}
	flush();
	printf("%.0f %.0f\n", (double)first / tenth, (double)(now() - last) / tenth);
	return 0;
}
