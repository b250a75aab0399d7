// SPDX-License-Identifier: GPL-2.0
/*
 * Pushes made-up segments through the netfilter hooks of a network namespace, and tells how
 * long that took. It does not know who is registered there.
 *
 * Write words NAME=VALUE to /proc/tcpfsm_bench in that namespace, which has devices 'in' and
 * 'out'; then read the answer from the same open file:
 *
 *	segments 3000000 ns 700000000 longest 30000 dropped 0
 *
 * "longest" is the batch that took most, in ns. What runs is decided by:
 *
 *	op	open: SYN, SYN|ACK, ACK of each flow; data: one segment of each flow a round, the
 *		sides in turn, flows in scrambled order; close: FIN|ACK, FIN|ACK, ACK; life: open,
 *		then close, flow by flow; syn: a SYN of each flow; late: nothing but a timer on
 *		this processor, every ms for "ms", and how late it was at most; clock, lock: for
 *		scale, "rounds" times reading the clock, or taking and releasing a lock
 *	way	forward, in or out: the hooks along it, in their order
 *	family	4 or 6
 *	first, flows	which flows; flow N is always the same tuple
 *	round, rounds	data: how many rounds went before, and how many to do; close: how many
 *			there were
 *	len	bytes of data
 *	checksum	0: vouched for by the device; 1: to be checked
 *	batch	segments between two chances for others to run
 *	together	wait until so many writers want to begin
 *
 * The word "conntrack" alone makes nf_conntrack watch the namespace until the file is closed.
 */
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/nsproxy.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/tcp.h>

#define PORTS	50000		/* of one client address */
#define SERVERS	61
#define HEADERS	(sizeof(struct ipv6hdr) + sizeof(struct tcphdr) + sizeof(syn_options))
#define ISN	1000		/* of clients; of servers ten times as much */

enum op { OPEN, DATA, CLOSE, LIFE, SYN, LATE, CLOCK, LOCK };
enum way { FORWARD, IN, OUT };

static const char * const op_names[] = {
	"open", "data", "close", "life", "syn", "late", "clock", "lock", NULL
};
static const char * const way_names[] = { "forward", "in", "out", NULL };

/* What "open" and "close" send for each flow; numbers relative to the first data. */
static const struct step {
	bool	by_server, is_syn;
	int	seq, ack;
	u8	flags;
} steps_open[] = {
	{ false, true, -1, 0, TCPHDR_SYN },
	{ true, true, -1, 0, TCPHDR_SYN | TCPHDR_ACK },
	{ false, false, 0, 0, TCPHDR_ACK },
}, steps_close[] = {
	{ false, false, 0, 0, TCPHDR_FIN | TCPHDR_ACK },
	{ true, false, 0, 1, TCPHDR_FIN | TCPHDR_ACK },
	{ false, false, 1, 1, TCPHDR_ACK },
};

/* MSS 1460, SACK permitted, window scale 7 */
static const u8 syn_options[12] = { 2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 7 };

struct run {
	/* asked for */
	int	op, way;
	u32	family, first, flows, round, rounds, len, checksum, batch, together, ms;

	struct net *net;
	struct net_device *in, *out;
	struct sk_buff *skb;
	u32	mask;		/* of the scrambled order */
	u64	began;		/* the batch */
	u64	segments, ns, longest, dropped;

	bool	conntrack;
	char	answer[128];
};

static atomic_t arrived = ATOMIC_INIT(0);

/* ---- segments ---- */

static bool allocate(struct run *r)
{
	unsigned int room = HEADERS + r->len;

	r->skb = alloc_skb(room + LL_MAX_HEADER, GFP_ATOMIC);
	if (!r->skb)
		return false;
	skb_reserve(r->skb, LL_MAX_HEADER);
	memset(r->skb->data, 0, room);
	skb_reset_network_header(r->skb);
	skb_set_transport_header(r->skb, r->family == 4 ? sizeof(struct iphdr) :
							  sizeof(struct ipv6hdr));
	r->skb->protocol = r->family == 4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	r->skb->pkt_type = PACKET_HOST;
	return true;
}

static u32 client(u32 flow)
{
	return 0x0a000001 + flow / PORTS;
}

static u32 server(u32 flow)
{
	return 0x0ac80001 + flow % SERVERS;
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
static __sum16 checksum(const struct sk_buff *skb, u32 family, unsigned int header,
			unsigned int len)
{
	__wsum sum = csum_partial(tcp_hdr(skb), header, 0);

	if (family == 4)
		return csum_tcpudp_magic(ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, len, IPPROTO_TCP,
					 sum);
	return csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, len, IPPROTO_TCP, sum);
}

static void write_segment(struct run *r, u32 flow, bool by_server, u32 seq, u32 ack, u8 flags,
			  u32 data)
{
	unsigned int header = sizeof(struct tcphdr), len;
	u32 src = by_server ? server(flow) : client(flow);
	u32 dst = by_server ? client(flow) : server(flow);
	struct sk_buff *skb = r->skb;
	struct tcphdr *th = tcp_hdr(skb);
	__be16 port = htons(1024 + flow % PORTS);

	if (flags & TCPHDR_SYN) {
		memcpy(th + 1, syn_options, sizeof(syn_options));
		header += sizeof(syn_options);
	} else {
		memset(th + 1, 0, sizeof(syn_options));
	}
	len = header + data;
	__skb_set_length(skb, skb_transport_offset(skb) + len);
	if (r->family == 4)
		write_ip4(skb, src, dst, len);
	else
		write_ip6(skb, src, dst, len);
	th->source = by_server ? htons(80) : port;
	th->dest = by_server ? port : htons(80);
	th->seq = htonl(seq);
	th->ack_seq = htonl(ack);
	th->doff = header / 4;
	((u8 *)th)[13] = flags;
	th->window = htons(0xffff);
	th->check = 0;
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	if (r->checksum) {
		th->check = checksum(skb, r->family, header, len);
		skb->ip_summed = CHECKSUM_NONE;
		skb->csum_complete_sw = 0;
		skb->csum_valid = 0;
	}
}

/* ---- batches ---- */

static void begin_batch(struct run *r)
{
	r->began = ktime_get_ns();
	local_bh_disable();
	rcu_read_lock();
}

/* What softirqs have to do after it belongs to it. */
static void end_batch(struct run *r)
{
	u64 took;

	rcu_read_unlock();
	local_bh_enable();
	took = ktime_get_ns() - r->began;
	r->ns += took;
	r->longest = max(r->longest, took);
}

/* ---- hooks ---- */

static bool pass(struct run *r, unsigned int hook, bool in, bool out)
{
	if (nf_hook(r->family == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6, hook, r->net, NULL, r->skb,
		    in ? r->in : NULL, out ? r->out : NULL, NULL) == 1)
		return true;
	r->dropped++;
	r->skb = NULL;
	return false;
}

static bool push(struct run *r)
{
	bool passed;

	r->skb->dev = r->way == OUT ? r->out : r->in;
	switch (r->way) {
	case FORWARD:
		passed = pass(r, NF_INET_PRE_ROUTING, true, false) &&
			 pass(r, NF_INET_FORWARD, true, true) &&
			 pass(r, NF_INET_POST_ROUTING, false, true);
		break;
	case IN:
		passed = pass(r, NF_INET_PRE_ROUTING, true, false) &&
			 pass(r, NF_INET_LOCAL_IN, true, false);
		break;
	default:
		passed = pass(r, NF_INET_LOCAL_OUT, false, true) &&
			 pass(r, NF_INET_POST_ROUTING, false, true);
		break;
	}
	if (passed)
		nf_reset_ct(r->skb);
	else
		passed = allocate(r);
	if (++r->segments % r->batch == 0) {
		end_batch(r);
		cond_resched();
		begin_batch(r);
	}
	return passed;
}

/* ---- which segments ---- */

/* A permutation of the flows: neither caches nor prefetchers know where it goes next. */
static u32 scrambled(const struct run *r, u32 i)
{
	u32 shift = max(1, fls(r->mask) / 2);

	do {
		i = i * 0x9e3779b1 & r->mask;
		i ^= i >> shift;
		i = i * 0x85ebca6b & r->mask;
		i ^= i >> shift;
	} while (i >= r->flows);
	return i;
}

/* What a side has sent before a round: the sides take turns, the client begins. */
static u32 client_seq(const struct run *r, u32 round)
{
	return ISN + 1 + (round + 1) / 2 * r->len;
}

static u32 server_seq(const struct run *r, u32 round)
{
	return 10 * ISN + 1 + round / 2 * r->len;
}

static bool push_step(struct run *r, u32 flow, const struct step *s)
{
	u32 mine = s->by_server ? server_seq(r, r->round) : client_seq(r, r->round);
	u32 theirs = s->by_server ? client_seq(r, r->round) : server_seq(r, r->round);

	write_segment(r, flow, s->by_server, mine + s->seq,
		      s->flags & TCPHDR_ACK ? theirs + s->ack : 0, s->flags, 0);
	return push(r);
}

static bool push_steps(struct run *r, u32 flow, const struct step *s, unsigned int n)
{
	for (; n; n--, s++)
		if (!push_step(r, flow, s))
			return false;
	return true;
}

static bool push_data(struct run *r, u32 flow)
{
	bool by_server = r->round % 2;
	u32 mine = by_server ? server_seq(r, r->round) : client_seq(r, r->round);
	u32 theirs = by_server ? client_seq(r, r->round) : server_seq(r, r->round);

	write_segment(r, flow, by_server, mine, theirs, TCPHDR_ACK | TCPHDR_PSH, r->len);
	return push(r);
}

/* All that there is to do for one flow in one round. */
static bool push_flow(struct run *r, u32 i)
{
	u32 flow = r->first + (r->op == DATA || r->op == CLOSE ? scrambled(r, i) : i);

	switch (r->op) {
	case OPEN:
		return push_steps(r, flow, steps_open, ARRAY_SIZE(steps_open));
	case CLOSE:
		return push_steps(r, flow, steps_close, ARRAY_SIZE(steps_close));
	case LIFE:
		return push_steps(r, flow, steps_open, ARRAY_SIZE(steps_open)) &&
		       push_steps(r, flow, steps_close, ARRAY_SIZE(steps_close));
	case SYN:
		return push_step(r, flow, steps_open);
	default:
		return push_data(r, flow);
	}
}

static int push_all(struct run *r)
{
	u32 last = r->round + (r->op == DATA ? r->rounds : 1), i;
	bool ok = true;

	r->mask = roundup_pow_of_two(r->flows) - 1;
	if (!allocate(r))
		return -ENOMEM;
	begin_batch(r);
	for (; ok && r->round < last; r->round++)
		for (i = 0; ok && i < r->flows; i++)
			ok = push_flow(r, i) && !signal_pending(current);
	end_batch(r);
	kfree_skb(r->skb);
	return signal_pending(current) ? -EINTR : ok ? 0 : -ENOMEM;
}

/* ---- for scale ---- */

static int repeat(struct run *r)
{
	static DEFINE_SPINLOCK(lock);
	u64 began;
	u32 i;

	local_bh_disable();
	began = ktime_get_ns();
	for (i = 0; i < r->rounds; i++) {
		if (r->op == CLOCK) {
			ktime_get_ns();
		} else {
			spin_lock(&lock);
			spin_unlock(&lock);
		}
	}
	r->ns = ktime_get_ns() - began;
	r->segments = r->rounds;
	local_bh_enable();
	return 0;
}

/* ---- how late a timer is ---- */

struct late {
	struct hrtimer timer;
	ktime_t due;
	u64 most;
};

static enum hrtimer_restart on_timer(struct hrtimer *t)
{
	struct late *l = container_of(t, struct late, timer);
	ktime_t now = ktime_get();

	l->most = max_t(u64, l->most, ktime_to_ns(ktime_sub(now, l->due)));
	l->due = ktime_add_ms(now, 1);
	hrtimer_set_expires(t, l->due);
	return HRTIMER_RESTART;
}

/* A softirq's timer: late while bottom halves are off, or another softirq runs. */
static int watch_timer(struct run *r)
{
	struct late l = { .due = ktime_add_ms(ktime_get(), 1) };

	hrtimer_setup_on_stack(&l.timer, on_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_SOFT);
	hrtimer_start(&l.timer, l.due, HRTIMER_MODE_ABS_PINNED_SOFT);
	msleep_interruptible(r->ms);
	hrtimer_cancel(&l.timer);
	destroy_hrtimer_on_stack(&l.timer);
	r->longest = l.most;
	return 0;
}

/* ---- the file ---- */

static int rendezvous(u32 together)
{
	int goal;

	if (together < 2)
		return 0;
	goal = roundup(atomic_inc_return(&arrived), together);
	while (atomic_read(&arrived) < goal) {
		if (signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int parse_word(struct run *r, char *word)
{
	const struct { const char *name; u32 *to; } numbers[] = {
		{ "family", &r->family }, { "first", &r->first }, { "flows", &r->flows },
		{ "round", &r->round }, { "rounds", &r->rounds }, { "len", &r->len },
		{ "checksum", &r->checksum }, { "batch", &r->batch },
		{ "together", &r->together }, { "ms", &r->ms },
	};
	char *value = strchr(word, '=');
	unsigned int i;

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (!strcmp(word, "op")) {
		r->op = match_string(op_names, -1, value);
		return min(r->op, 0);
	}
	if (!strcmp(word, "way")) {
		r->way = match_string(way_names, -1, value);
		return min(r->way, 0);
	}
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(word, numbers[i].name))
			return kstrtou32(value, 0, numbers[i].to);
	return -EINVAL;
}

static void set_defaults(struct run *r)
{
	r->op = DATA;
	r->way = FORWARD;
	r->family = 4;
	r->first = 0;
	r->flows = 1;
	r->round = 0;
	r->rounds = 1;
	r->len = 100;
	r->checksum = 0;
	r->batch = 64;
	r->together = 0;
	r->ms = 1000;
}

static int parse(struct run *r, char *line)
{
	char *word;
	int err;

	while ((word = strsep(&line, " \n"))) {
		err = *word ? parse_word(r, word) : 0;
		if (err) {
			pr_err("tcpfsm_bench: cannot use '%s'\n", word);
			return err;
		}
	}
	return (r->family == 4 || r->family == 6) && r->flows && r->batch && r->len < 8000 ?
	       0 : -EINVAL;
}

static int run(struct run *r)
{
	int err = rendezvous(r->together);

	r->segments = 0;
	r->ns = 0;
	r->longest = 0;
	r->dropped = 0;
	if (err)
		return err;
	if (r->op == CLOCK || r->op == LOCK)
		return repeat(r);
	if (r->op == LATE)
		return watch_timer(r);
	r->in = dev_get_by_name(r->net, "in");
	r->out = dev_get_by_name(r->net, "out");
	err = r->in && r->out ? push_all(r) : -ENODEV;
	dev_put(r->in);
	dev_put(r->out);
	return err;
}

static int bench_open(struct inode *inode, struct file *file)
{
	struct run *r = kzalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return -ENOMEM;
	r->net = get_net(current->nsproxy->net_ns);
	file->private_data = r;
	return 0;
}

static int bench_release(struct inode *inode, struct file *file)
{
	struct run *r = file->private_data;

	if (r->conntrack)
		nf_ct_netns_put(r->net, NFPROTO_INET);
	put_net(r->net);
	kfree(r);
	return 0;
}

static int conntrack(struct run *r)
{
	int err = r->conntrack ? -EALREADY : nf_ct_netns_get(r->net, NFPROTO_INET);

	r->conntrack |= !err;
	return err;
}

static ssize_t bench_write(struct file *file, const char __user *from, size_t n, loff_t *pos)
{
	struct run *r = file->private_data;
	char line[256] = {};
	int err;

	if (n >= sizeof(line) || copy_from_user(line, from, n))
		return -EINVAL;
	if (!strcmp(strim(line), "conntrack"))
		return conntrack(r) ?: n;
	set_defaults(r);
	err = parse(r, line) ?: run(r);
	if (err)
		return err;
	*pos = 0;
	snprintf(r->answer, sizeof(r->answer), "segments %llu ns %llu longest %llu dropped %llu\n",
		 r->segments, r->ns, r->longest, r->dropped);
	return n;
}

static ssize_t bench_read(struct file *file, char __user *to, size_t n, loff_t *pos)
{
	const struct run *r = file->private_data;

	return simple_read_from_buffer(to, n, pos, r->answer, strlen(r->answer));
}

static const struct proc_ops bench_ops = {
	.proc_open	= bench_open,
	.proc_release	= bench_release,
	.proc_write	= bench_write,
	.proc_read	= bench_read,
	.proc_lseek	= default_llseek,
};

static int __init bench_init(void)
{
	return proc_create("tcpfsm_bench", 0600, NULL, &bench_ops) ? 0 : -ENOMEM;
}

static void __exit bench_exit(void)
{
	remove_proc_entry("tcpfsm_bench", NULL);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("Made-up TCP segments through the netfilter hooks, timed");
MODULE_LICENSE("GPL");
