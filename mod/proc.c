// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/net/tcpfsm/: one header line, then rows of words. Columns are only ever appended.
 * Files that show addresses are for root (0440).
 */
#include <linux/ktime.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "cpu.h"
#include "log.h"
#include "netns.h"
#include "owner.h"
#include "proc.h"
#include "service.h"
#include "table.h"

static const char *const state_name[TCPFSM_STATES] = {
#define X(name, ss, means, waits, tells) [TCPFSM_##name] = #name,
	TCPFSM_STATE_LIST(X)
#undef X
};

static const u8 state_order[] = {
#define X(name, ss, means, waits, tells) TCPFSM_##name,
	TCPFSM_STATE_LIST(X)
#undef X
};

static const char *const cause_name[TCPFSM_CAUSES] = {
#define X(name, help) [TCPFSM_##name] = #name,
	TCPFSM_CAUSE_LIST(X)
#undef X
};

static struct tcpfsm_net *seq_tn(const struct seq_file *seq)
{
	return tcpfsm_net(seq_file_single_net((struct seq_file *)seq));
}

/* ---- small files, made at one go ---- */

/* The sums for a file, or NULL; kfree() them. */
static struct tcpfsm_stats *sums_of(struct seq_file *seq)
{
	struct tcpfsm_stats *sums = kmalloc(sizeof(*sums), GFP_KERNEL);

	if (sums)
		tcpfsm_cpu_sum(seq_tn(seq), sums);
	return sums;
}

static int states_show(struct seq_file *seq, void *unused)
{
	struct tcpfsm_stats *sums = sums_of(seq);
	unsigned int i, other;

	if (!sums)
		return -ENOMEM;
	seq_puts(seq, "state orig resp entered\n");
	for (i = 0; i < ARRAY_SIZE(state_order); i++) {
		u64 orig = 0, resp = 0, entered = 0;
		u8 state = state_order[i];

		for (other = 0; other < TCPFSM_STATES; other++) {
			orig += sums->pair[state][other];
			resp += sums->pair[other][state];
			entered += sums->transition[other][state];
		}
		seq_printf(seq, "%s %llu %llu %llu\n", state_name[state], orig, resp, entered);
	}
	kfree(sums);
	return 0;
}

static void show_matrix(struct seq_file *seq, const char *corner,
			const u64 matrix[TCPFSM_STATES][TCPFSM_STATES])
{
	unsigned int i, j;

	seq_puts(seq, corner);
	for (j = 0; j < ARRAY_SIZE(state_order); j++)
		seq_printf(seq, " %s", state_name[state_order[j]]);
	seq_putc(seq, '\n');
	for (i = 0; i < ARRAY_SIZE(state_order); i++) {
		seq_puts(seq, state_name[state_order[i]]);
		for (j = 0; j < ARRAY_SIZE(state_order); j++)
			seq_printf(seq, " %llu", matrix[state_order[i]][state_order[j]]);
		seq_putc(seq, '\n');
	}
}

static int pairs_show(struct seq_file *seq, void *unused)
{
	struct tcpfsm_stats *sums = sums_of(seq);

	if (!sums)
		return -ENOMEM;
	show_matrix(seq, "orig:resp", sums->pair);
	kfree(sums);
	return 0;
}

static int transitions_show(struct seq_file *seq, void *unused)
{
	struct tcpfsm_stats *sums = sums_of(seq);

	if (!sums)
		return -ENOMEM;
	show_matrix(seq, "from:to", sums->transition);
	kfree(sums);
	return 0;
}

static int counters_show(struct seq_file *seq, void *unused)
{
	struct tcpfsm_stats *sums = sums_of(seq);
	unsigned int i;

	if (!sums)
		return -ENOMEM;
	seq_puts(seq, "name value\n");
	for (i = 0; i < TCPFSM_COUNTERS; i++)
		seq_printf(seq, "%s %llu\n", tcpfsm_counter_name[i], sums->counter[i]);
	seq_printf(seq, "table_entries %u\n", tcpfsm_owner_flows_shown(seq_tn(seq)));
	seq_printf(seq, "table_limit %u\n", READ_ONCE(tcpfsm_max_flows));
	kfree(sums);
	return 0;
}

static int dwell_show(struct seq_file *seq, void *unused)
{
	struct tcpfsm_stats *sums = sums_of(seq);
	unsigned int i, j;

	if (!sums)
		return -ENOMEM;
	seq_puts(seq, "state");
	for (j = 0; j < TCPFSM_DWELL_BUCKETS; j++)
		seq_printf(seq, " %lluus", 1ULL << j);
	seq_putc(seq, '\n');
	for (i = 0; i < ARRAY_SIZE(state_order); i++) {
		seq_puts(seq, state_name[state_order[i]]);
		for (j = 0; j < TCPFSM_DWELL_BUCKETS; j++)
			seq_printf(seq, " %llu", sums->dwell[state_order[i]][j]);
		seq_putc(seq, '\n');
	}
	kfree(sums);
	return 0;
}

/* ---- what rows share ---- */

static void show_addr(struct seq_file *seq, u8 family, const union tcpfsm_addr *addr)
{
	if (family == AF_INET)
		seq_printf(seq, " %pI4", &addr->ip4);
	else
		seq_printf(seq, " %pI6c", &addr->ip6);
}

static void show_end(struct seq_file *seq, u8 family, const union tcpfsm_addr *addr, __be16 port)
{
	show_addr(seq, family, addr);
	seq_printf(seq, " %u", ntohs(port));
}

/* Oldest first: SYN_SENT>ESTABLISHED */
static void show_history(struct seq_file *seq, u32 history)
{
	int shift = 28;
	bool more = false;

	seq_putc(seq, ' ');
	for (; shift >= 0; shift -= 4) {
		u8 state = history >> shift & 15;

		if (!state || state >= TCPFSM_STATES)
			continue;
		seq_printf(seq, "%s%s", more ? ">" : "", state_name[state]);
		more = true;
	}
}

/* ---- flows ---- */

#define FLOWS_BUFFER	SZ_64K		/* a page has room for twenty flows only */

/* A position that outlasts a read(): the bucket, and how far the walk has come within it. */
struct flow_iter {
	struct seq_net_private p;	/* must be first */
	struct tcpfsm_walk walk;
	u64 at;				/* within the bucket */
	u32 bucket;
	loff_t pos;
	struct tcpfsm_snap snap;
};

static void *flow_advance(struct seq_file *seq, struct flow_iter *it)
{
	for (; it->bucket < tcpfsm_table_buckets(); it->bucket++, it->at = 0) {
		if (tcpfsm_table_next(it->bucket, &it->at, &it->walk, &it->snap))
			return it;
		if (it->bucket % 1024 == 0)
			cond_resched();
	}
	return NULL;
}

/* Reads come in order: each begins where the last one ended, without a new walk. */
static void *flow_start(struct seq_file *seq, loff_t *pos)
{
	struct flow_iter *it = seq->private;

	if (!*pos) {
		it->bucket = 0;
		it->at = 0;
		it->pos = 0;
		it->walk = (struct tcpfsm_walk) {
			.tag = tcpfsm_net(seq_file_net(seq))->tag, .begun = ktime_get_ns(),
		};
		return SEQ_START_TOKEN;
	}
	if (it->pos == *pos && it->snap.tn)
		return it;		/* the row that did not fit */
	if (it->pos + 1 != *pos && it->pos != *pos)
		return NULL;
	it->pos = *pos;
	return flow_advance(seq, it);
}

static void *flow_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct flow_iter *it = seq->private;

	it->pos = ++*pos;
	it->snap.tn = NULL;
	cond_resched();
	return flow_advance(seq, it);
}

static void flow_stop(struct seq_file *seq, void *v)
{
}

/* type/code/origin/end/count, and as a rule of the MTU also /mtu= */
static void show_told(struct seq_file *seq, u8 family, const struct tcpfsm_told *told)
{
	if (!told->count) {
		seq_puts(seq, " -");
		return;
	}
	seq_printf(seq, " %u/%u/", told->type, told->code);
	if (family == AF_INET)
		seq_printf(seq, "%pI4", &told->origin.ip4);
	else
		seq_printf(seq, "%pI6c", &told->origin.ip6);
	seq_printf(seq, "/%s/%u", told->end == TCPFSM_ORIG ? "orig" : "resp", told->count);
	if (told->mtu)
		seq_printf(seq, "/mtu=%u", told->mtu);
}

static int flow_show(struct seq_file *seq, void *v)
{
	const struct flow_iter *it = seq->private;
	const struct tcpfsm_snap *s = &it->snap;
	const struct tcpfsm_flow_tuple *t = &s->tuple;
	u64 now = ktime_get_ns();
	u8 end;

	if (v == SEQ_START_TOKEN) {
		if (seq->size < FLOWS_BUFFER) {
			seq_commit(seq, -1);	/* does not fit: seq_file doubles its buffer */
			return 0;
		}
		seq_puts(seq, "flow src sport dst dport orig resp orig_ns resp_ns idle_ms "
			 "orig_packets orig_bytes resp_packets resp_bytes flags "
			 "orig_history resp_history orig_cookie resp_cookie refused "
			 "unreachable mtu\n");
		return 0;
	}
	seq_printf(seq, "%llu", s->id);
	show_end(seq, t->family, &t->src, t->sport);
	show_end(seq, t->family, &t->dst, t->dport);
	for (end = 0; end < TCPFSM_ENDS; end++)
		seq_printf(seq, " %s", state_name[s->state[end]]);
	for (end = 0; end < TCPFSM_ENDS; end++)
		seq_printf(seq, " %llu", now > s->since[end] ? now - s->since[end] : 0);
	seq_printf(seq, " %llu", jiffies64_to_msecs(s->idle));
	for (end = 0; end < TCPFSM_ENDS; end++)
		seq_printf(seq, " %llu %llu", s->packets[end], s->bytes[end]);
	seq_printf(seq, " 0x%x", s->flags);
	for (end = 0; end < TCPFSM_ENDS; end++)
		show_history(seq, s->history[end]);
	for (end = 0; end < TCPFSM_ENDS; end++)
		seq_printf(seq, " %llu", s->socket[end].cookie);
	seq_printf(seq, " %u", s->refused);
	show_told(seq, t->family, &s->told[TFSM_ICMP_UNREACHABLE]);
	show_told(seq, t->family, &s->told[TFSM_ICMP_MTU]);
	seq_putc(seq, '\n');
	return 0;
}

static const struct seq_operations flow_ops = {
	.start = flow_start, .next = flow_next, .stop = flow_stop, .show = flow_show,
};

/* ---- services ---- */

struct service_iter {
	struct seq_net_private p;	/* must be first */
	u64 here;			/* after the row being shown */
	u64 next;			/* after the last row shown whole */
};

/* As with flows: the place after the last row shown is kept. */
static void *service_start(struct seq_file *seq, loff_t *pos)
	__acquires(RCU)
{
	struct service_iter *it = seq->private;

	rcu_read_lock();
	if (!*pos) {
		it->next = 0;
		return SEQ_START_TOKEN;
	}
	it->here = it->next;
	return tcpfsm_service_next(tcpfsm_net(seq_file_net(seq)), &it->here);
}

static void *service_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct service_iter *it = seq->private;

	if (v != SEQ_START_TOKEN)
		it->next = it->here;	/* the row before was shown whole */
	++*pos;
	it->here = it->next;
	return tcpfsm_service_next(tcpfsm_net(seq_file_net(seq)), &it->here);
}

static void service_stop(struct seq_file *seq, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

static u64 mean_of(u64 sum, u64 n)
{
	return n ? div64_u64(sum, n) : 0;
}

static int service_show(struct seq_file *seq, void *v)
{
	struct tcpfsm_service_counts c;
	struct tcpfsm_service *s = v;
	unsigned int i;

	if (v == SEQ_START_TOKEN) {
		seq_puts(seq, "addr port flows established refused reset synack_resent "
			 "connect_mean_ns accept_mean_ns");
		for (i = 0; i < ARRAY_SIZE(state_order); i++)
			seq_printf(seq, " %s", state_name[state_order[i]]);
		seq_puts(seq, " unreachable mtu\n");
		return 0;
	}
	if (!s->family)
		seq_puts(seq, "other 0");
	else if (s->family == AF_INET)
		seq_printf(seq, "%pI4 %u", &s->addr.ip4, ntohs(s->port));
	else
		seq_printf(seq, "%pI6c %u", &s->addr.ip6, ntohs(s->port));
	tcpfsm_service_sum(s, &c);
	seq_printf(seq, " %llu %llu %llu %llu %llu %llu %llu", c.opened, c.established, c.refused,
		   c.reset, c.synack_resent, mean_of(c.connect_ns, c.connects),
		   mean_of(c.accept_ns, c.established));
	for (i = 0; i < ARRAY_SIZE(state_order); i++)
		seq_printf(seq, " %llu", c.state[state_order[i]]);
	seq_printf(seq, " %llu %llu\n", c.unreachable, c.mtu);
	return 0;
}

static const struct seq_operations service_ops = {
	.start = service_start, .next = service_next, .stop = service_stop, .show = service_show,
};

/* ---- log ---- */

struct log_iter {
	struct seq_net_private p;	/* must be first */
	loff_t pos;			/* of the entry */
	struct tcpfsm_log_entry e;	/* seq is 0: there is none */
	struct tcpfsm_log_cursor cursor;	/* must be last */
};

static size_t log_iter_size(void)
{
	return offsetof(struct log_iter, cursor) + tcpfsm_log_cursor_size();
}

static void *read_entry(struct seq_file *seq, struct log_iter *it, loff_t pos)
{
	it->pos = pos;
	if (tcpfsm_log_next(tcpfsm_net(seq_file_net(seq)), &it->cursor, &it->e))
		return it;
	it->e.seq = 0;
	return NULL;
}

/* Reads come in order, as with flows. */
static void *log_start(struct seq_file *seq, loff_t *pos)
{
	struct log_iter *it = seq->private;

	if (!*pos) {
		it->pos = 0;
		it->e.seq = 0;
		tcpfsm_log_begin(tcpfsm_net(seq_file_net(seq)), &it->cursor);
		return SEQ_START_TOKEN;
	}
	if (it->pos == *pos)
		return it->e.seq ? it : NULL;	/* the row that did not fit */
	return it->pos + 1 == *pos ? read_entry(seq, it, *pos) : NULL;
}

static void *log_next(struct seq_file *seq, void *v, loff_t *pos)
{
	return read_entry(seq, seq->private, ++*pos);
}

static int log_show(struct seq_file *seq, void *v)
{
	const struct log_iter *it = seq->private;
	const struct tcpfsm_log_entry *e = &it->e;
	u64 when;
	u32 ns;

	if (v == SEQ_START_TOKEN) {
		seq_puts(seq, "seq time flow step src sport dst dport end from to cause dwell_ns "
			 "flags cpu\n");
		return 0;
	}
	when = ktime_to_ns(ktime_mono_to_real(ns_to_ktime(e->when)));
	ns = do_div(when, NSEC_PER_SEC);
	seq_printf(seq, "%llu %llu.%09u %llu %u", e->seq, when, ns, e->flow, e->step);
	show_end(seq, e->family, &e->src, e->sport);
	show_end(seq, e->family, &e->dst, e->dport);
	seq_printf(seq, " %s %s %s %s %llu %u %u\n", e->move.end ? "resp" : "orig",
		   state_name[e->move.from], state_name[e->move.to], cause_name[e->move.cause],
		   e->dwell, e->move.flags, it->cursor.cpu);
	return 0;
}

static const struct seq_operations log_ops = {
	.start = log_start, .next = log_next, .stop = flow_stop, .show = log_show,
};

/* ---- init ---- */

static const struct {
	const char *name;
	int (*show)(struct seq_file *seq, void *unused);
} small_files[] = {
	{ "states", states_show },
	{ "pairs", pairs_show },
	{ "transitions", transitions_show },
	{ "counters", counters_show },
	{ "dwell", dwell_show },
};

int tcpfsm_proc_net_init(struct tcpfsm_net *tn)
{
	unsigned int i;
	bool ok = true;

	tn->proc = proc_net_mkdir(tn->net, "tcpfsm", tn->net->proc_net);
	if (!tn->proc)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(small_files); i++)
		ok = ok && proc_create_net_single(small_files[i].name, 0444, tn->proc,
						  small_files[i].show, NULL);
	ok = ok && proc_create_net("flows", 0440, tn->proc, &flow_ops, sizeof(struct flow_iter));
	ok = ok && proc_create_net("services", 0440, tn->proc, &service_ops,
				   sizeof(struct service_iter));
	ok = ok && proc_create_net("log", 0440, tn->proc, &log_ops, log_iter_size());
	if (ok)
		return 0;
	tcpfsm_proc_net_exit(tn);
	return -ENOMEM;
}

void tcpfsm_proc_net_exit(struct tcpfsm_net *tn)
{
	if (tn->proc)
		proc_remove(tn->proc);
	tn->proc = NULL;
}
