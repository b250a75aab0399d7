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
 *		scale, "rounds" times reading the clock, or taking and releasing a lock; turns:
 *		all segments of connections, processors taking turns (turns.h); work: what a
 *		function of the kernel does for "ms"
 *	way	forward, in or out: the hooks along it, in their order
 *	family	4 or 6
 *	first, flows	which flows; flow N is always the same tuple
 *	round, rounds	data: how many rounds went before, and how many to do; close: how many
 *			there were
 *	len	bytes of data
 *	checksum	0: vouched for by the device; 1: to be checked
 *	parts	how many packets each segment counts as, below 65536 (default 1)
 *	batch	segments between two chances for others to run
 *	together	wait until so many writers want to begin
 *	services	how many addresses servers have
 *	cpus, warm, split, syns, row	turns: see there; row also for work
 *	work	the function
 *	text	address-address of a module; entry: of where interrupts enter the kernel
 *
 * The word "conntrack" alone makes nf_conntrack watch the namespace until the file is closed.
 */
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <net/netfilter/nf_conntrack.h>

#include "segments.h"
#include "turns.h"

enum op { OPEN, DATA, CLOSE, LIFE, SYN, LATE, CLOCK, LOCK, TURNS, WORK };

static const char * const op_names[] = {
	"open", "data", "close", "life", "syn", "late", "clock", "lock", "turns", "work", NULL
};
static const char * const way_names[] = { "forward", "in", "out", NULL };

/* What "open" and "close" send for each flow; numbers relative to the first data. */
static const struct step {
	bool	by_server;
	int	seq, ack;
	u8	flags;
} steps_open[] = {
	{ false, -1, 0, TCPHDR_SYN },
	{ true, -1, 0, TCPHDR_SYN | TCPHDR_ACK },
	{ false, 0, 0, TCPHDR_ACK },
};

static const struct step steps_close[] = {
	{ false, 0, 0, TCPHDR_FIN | TCPHDR_ACK },
	{ true, 0, 1, TCPHDR_FIN | TCPHDR_ACK },
	{ false, 1, 1, TCPHDR_ACK },
};

#define SERVICES 61	/* if not said */

struct run {
	/* asked for */
	int	op;
	u32	first, flows, round, rounds, len, batch, together, ms;
	struct bench_path path;
	struct bench_turns turns;
	char	work[64];

	u32	mask;		/* of the scrambled order */
	u64	began;		/* the batch */
	u64	segments, ns, longest, dropped;

	bool	conntrack;
	char	answer[128];
};

static atomic_t arrived = ATOMIC_INIT(0);

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

/* Return: false if there is no memory to go on. */
static bool push_segment(struct run *r, const struct bench_segment *segment)
{
	bool ready = true;

	bench_write(&r->path, segment);
	if (bench_pass(&r->path)) {
		nf_reset_ct(r->path.skb);
	} else {
		r->dropped++;
		ready = bench_allocate(&r->path, r->len);
	}
	if (++r->segments % r->batch == 0) {
		end_batch(r);
		cond_resched();
		begin_batch(r);
	}
	return ready;
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
	return BENCH_ISN + 1 + (round + 1) / 2 * r->len;
}

static u32 server_seq(const struct run *r, u32 round)
{
	return 10 * BENCH_ISN + 1 + round / 2 * r->len;
}

static bool push_step(struct run *r, u32 flow, const struct step *s)
{
	u32 mine = s->by_server ? server_seq(r, r->round) : client_seq(r, r->round);
	u32 theirs = s->by_server ? client_seq(r, r->round) : server_seq(r, r->round);

	return push_segment(r, &(struct bench_segment) {
		.flow = flow, .by_server = s->by_server, .seq = mine + s->seq,
		.ack = s->flags & TCPHDR_ACK ? theirs + s->ack : 0, .flags = s->flags,
	});
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

	return push_segment(r, &(struct bench_segment) {
		.flow = flow, .by_server = by_server, .seq = mine, .ack = theirs,
		.flags = TCPHDR_ACK | TCPHDR_PSH, .len = r->len,
	});
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
	if (!bench_allocate(&r->path, r->len))
		return -ENOMEM;
	begin_batch(r);
	for (; ok && r->round < last; r->round++)
		for (i = 0; ok && i < r->flows; i++)
			ok = push_flow(r, i) && !signal_pending(current);
	end_batch(r);
	kfree_skb(r->path.skb);
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

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup_on_stack(&l.timer, on_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_SOFT);
#else
	hrtimer_init_on_stack(&l.timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_SOFT);
	l.timer.function = on_timer;
#endif
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
		{ "family", &r->path.family }, { "services", &r->path.services },
		{ "checksum", &r->path.checksum }, { "parts", &r->path.parts },
		{ "first", &r->first }, { "flows", &r->flows },
		{ "round", &r->round }, { "rounds", &r->rounds }, { "len", &r->len },
		{ "batch", &r->batch }, { "together", &r->together }, { "ms", &r->ms },
		{ "cpus", &r->turns.cpus }, { "warm", &r->turns.warm },
		{ "split", &r->turns.split }, { "syns", &r->turns.syns },
		{ "row", &r->turns.row },
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
		r->path.way = match_string(way_names, -1, value);
		return min(r->path.way, 0);
	}
	if (!strcmp(word, "work"))
		return strscpy(r->work, value, sizeof(r->work)) > 0 ? 0 : -EINVAL;
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(word, numbers[i].name))
			return kstrtou32(value, 0, numbers[i].to);
	return -EINVAL;
}

static void set_defaults(struct run *r)
{
	r->op = DATA;
	r->path.way = BENCH_FORWARD;
	r->path.family = 4;
	r->path.services = SERVICES;
	r->path.checksum = 0;
	r->turns = (struct bench_turns) { .cpus = 1 };
	r->first = 0;
	r->flows = 1;
	r->round = 0;
	r->rounds = 1;
	r->len = 100;
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
	return (r->path.family == 4 || r->path.family == 6) && r->path.services && r->flows &&
	       r->batch && r->len < 8000 ? 0 : -EINVAL;
}

static int push_in_turns_or_all(struct run *r)
{
	int err;

	if (r->op != TURNS)
		return push_all(r);
	r->turns.path = &r->path;
	r->turns.first = r->first;
	r->turns.flows = r->flows;
	r->turns.len = r->len;
	err = bench_take_turns(&r->turns);
	r->segments = r->turns.segments;
	r->dropped = r->turns.dropped;
	return err;
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
	if (r->op == WORK)
		return bench_count_work(r->work, r->turns.row, r->ms);
	r->path.in = dev_get_by_name(r->path.net, "in");
	r->path.out = dev_get_by_name(r->path.net, "out");
	err = r->path.in && r->path.out ? push_in_turns_or_all(r) : -ENODEV;
	dev_put(r->path.in);
	dev_put(r->path.out);
	return err;
}

static int open_file(struct inode *inode, struct file *file)
{
	struct run *r = kzalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return -ENOMEM;
	r->path.net = get_net(current->nsproxy->net_ns);
	file->private_data = r;
	return 0;
}

static int release_file(struct inode *inode, struct file *file)
{
	struct run *r = file->private_data;

	if (r->conntrack)
		nf_ct_netns_put(r->path.net, NFPROTO_INET);
	put_net(r->path.net);
	kfree(r);
	return 0;
}

static int conntrack(struct run *r)
{
	int err = r->conntrack ? -EALREADY : nf_ct_netns_get(r->path.net, NFPROTO_INET);

	r->conntrack |= !err;
	return err;
}

static ssize_t write_file(struct file *file, const char __user *from, size_t n, loff_t *pos)
{
	struct run *r = file->private_data;
	char line[256] = {};
	int err;

	if (n >= sizeof(line) || copy_from_user(line, from, n))
		return -EINVAL;
	if (!strcmp(strim(line), "conntrack"))
		return conntrack(r) ?: n;
	if (strstarts(line, "text=") || strstarts(line, "entry="))
		return bench_name_text(line) ?: n;
	set_defaults(r);
	err = parse(r, line) ?: run(r);
	if (err)
		return err;
	*pos = 0;
	snprintf(r->answer, sizeof(r->answer), "segments %llu ns %llu longest %llu dropped %llu\n",
		 r->segments, r->ns, r->longest, r->dropped);
	return n;
}

static ssize_t read_file(struct file *file, char __user *to, size_t n, loff_t *pos)
{
	const struct run *r = file->private_data;

	return simple_read_from_buffer(to, n, pos, r->answer, strlen(r->answer));
}

static const struct proc_ops bench_ops = {
	.proc_open	= open_file,
	.proc_release	= release_file,
	.proc_write	= write_file,
	.proc_read	= read_file,
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
