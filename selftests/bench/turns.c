// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/netfilter/nf_conntrack.h>

#include "sharing/marker.h"
#include "turns.h"

/* ---- what the plugin is told ---- */

#ifdef CONFIG_X86_64
#define marker(code)							\
	asm volatile(".byte 0x0f, 0x1f, 0x80\n\t.long %c0"		\
		     : : "i" (MARKER_MAGIC << 16 | (code)) : "memory")
#else
#define marker(code)	do { } while (0)	/* only that emulator has the plugin */
#endif

static void send_value(u64 value)
{
	unsigned int i;

	for (i = 0; i < 64; i++, value <<= 1) {
		if (value >> 63)
			marker(MARKER_BIT | 1);
		else
			marker(MARKER_BIT | 0);
	}
}

#define COMMAND(x)	case x: marker(MARKER_COMMAND | x); break

static void tell_plugin(enum marker_command command, u64 value)
{
	preempt_disable();
	send_value(value);
	switch (command) {
	COMMAND(MARKER_ROW);
	COMMAND(MARKER_TEXT_BEGIN);
	COMMAND(MARKER_TEXT_END);
	COMMAND(MARKER_ENTRY_BEGIN);
	COMMAND(MARKER_ENTRY_END);
	COMMAND(MARKER_FORGET_TEXTS);
	COMMAND(MARKER_START);
	COMMAND(MARKER_STOP);
	}
	preempt_enable();
}

#define BEGIN(x)	case x: marker(MARKER_BEGIN | x); break

static __always_inline void begin_window(enum marker_kind kind)
{
	switch (kind) {
	BEGIN(MARKER_SYN);
	BEGIN(MARKER_SYNACK);
	BEGIN(MARKER_ACK);
	BEGIN(MARKER_DATA);
	BEGIN(MARKER_FIN);
	BEGIN(MARKER_FIN_ACKED);
	BEGIN(MARKER_FIN_BACK);
	BEGIN(MARKER_LAST_ACK);
	BEGIN(MARKER_RST);
	BEGIN(MARKER_WORK);
	default:
		break;
	}
}

static __always_inline void end_window(void)
{
	marker(MARKER_END);
}

static int read_range(char *text, u64 *begin, u64 *end)
{
	char *dash = strchr(text, '-');

	if (!dash)
		return -EINVAL;
	*dash = '\0';
	return kstrtou64(text, 16, begin) ?: kstrtou64(dash + 1, 16, end);
}

int bench_name_text(char *words)
{
	bool entry = strstarts(words, "entry=");
	char *range = strchr(words, '=') + 1;
	u64 begin, end;

	if (!*range) {
		tell_plugin(MARKER_FORGET_TEXTS, 0);
		return 0;
	}
	if (read_range(range, &begin, &end))
		return -EINVAL;
	tell_plugin(entry ? MARKER_ENTRY_BEGIN : MARKER_TEXT_BEGIN, begin);
	tell_plugin(entry ? MARKER_ENTRY_END : MARKER_TEXT_END, end);
	return 0;
}

/* ---- the life of a connection ---- */

/* Numbers are relative to the ISN, and beyond the data behind it. */
static const struct step {
	enum marker_kind kind;
	bool	by_server;
	u8	flags;
	u8	seq, ack;	/* SYN and FIN that were sent so far */
	u8	sent, got;	/* segments of data */
	bool	data;
} steps[] = {
	{ MARKER_SYN, false, TCPHDR_SYN, 0, 0, 0, 0 },
	{ MARKER_SYNACK, true, TCPHDR_SYN | TCPHDR_ACK, 0, 1, 0, 0 },
	{ MARKER_ACK, false, TCPHDR_ACK, 1, 1, 0, 0 },
	{ MARKER_DATA, false, TCPHDR_ACK | TCPHDR_PSH, 1, 1, 0, 0, true },
	{ MARKER_DATA, true, TCPHDR_ACK | TCPHDR_PSH, 1, 1, 0, 1, true },
	{ MARKER_DATA, false, TCPHDR_ACK | TCPHDR_PSH, 1, 1, 1, 1, true },
	{ MARKER_DATA, true, TCPHDR_ACK | TCPHDR_PSH, 1, 1, 1, 2, true },
	{ MARKER_FIN, false, TCPHDR_FIN | TCPHDR_ACK, 1, 1, 2, 2 },
	{ MARKER_FIN_ACKED, true, TCPHDR_ACK, 1, 2, 2, 2 },
	{ MARKER_FIN_BACK, true, TCPHDR_FIN | TCPHDR_ACK, 1, 2, 2, 2 },
	{ MARKER_LAST_ACK, false, TCPHDR_ACK, 2, 2, 2, 2 },
};

#define FIN_STEP	7	/* where a connection may end by RST instead */
#define EVERY_RST	4	/* how many connections end so: one of these */

static void write_step(struct bench_path *p, const struct step *s, u32 flow, u32 len)
{
	u32 mine = s->by_server ? 10 * BENCH_ISN : BENCH_ISN;
	u32 theirs = s->by_server ? BENCH_ISN : 10 * BENCH_ISN;

	bench_write(p, &(struct bench_segment) {
		.flow = flow, .by_server = s->by_server, .flags = s->flags,
		.seq = mine + s->seq + s->sent * len,
		.ack = s->flags & TCPHDR_ACK ? theirs + s->ack + s->got * len : 0,
		.len = s->data ? len : 0,
	});
}

/* The RST in the place of the first FIN; nothing comes behind it. */
static const struct step rst = { MARKER_RST, false, TCPHDR_RST | TCPHDR_ACK, 1, 1, 2, 2 };

/* ---- turns ---- */

struct turner {
	struct bench_turns *turns;
	struct bench_path path;
	u32 cpu;
	u64 segments, dropped;
	int err;
	struct task_struct *task;
};

static unsigned long now;	/* whose turn it is */

static u32 steps_of(const struct bench_turns *t)
{
	return t->syns ? 1 : ARRAY_SIZE(steps);
}

static unsigned long turns_of(const struct bench_turns *t)
{
	return (unsigned long)(t->warm + t->flows) * steps_of(t) * t->cpus;
}

/* A turn belongs to a slot: the processor on which the client's segments come. */
static const struct step *step_at(const struct bench_turns *t, unsigned long turn, u32 *slot,
				  u32 *connection)
{
	unsigned long round = turn / t->cpus;
	u32 step = round % steps_of(t);

	*slot = turn % t->cpus;
	*connection = round / steps_of(t);
	if (t->syns || step < FIN_STEP || *connection % EVERY_RST)
		return &steps[step];
	return step == FIN_STEP ? &rst : NULL;
}

static int push_counted(struct turner *me, const struct step *s, u32 flow, bool counted)
{
	struct bench_path *p = &me->path;
	bool passed;

	if (!p->skb && !bench_allocate(p, me->turns->len))
		return -ENOMEM;
	write_step(p, s, flow, me->turns->len);
	local_bh_disable();
	rcu_read_lock();
	if (counted)
		begin_window(s->kind);
	passed = bench_pass(p);
	end_window();
	rcu_read_unlock();
	local_bh_enable();
	me->segments++;
	if (passed)
		nf_reset_ct(p->skb);
	else
		me->dropped++;
	return 0;
}

static bool wait_for_turn(unsigned long turn)
{
	/* What the processor before has written is seen, too. */
	while (smp_load_acquire(&now) != turn) {
		if (kthread_should_stop())
			return false;
		cpu_relax();
		cond_resched();
	}
	return true;
}

static int take_turns(void *arg)
{
	struct turner *me = arg;
	const struct bench_turns *t = me->turns;
	unsigned long turns = turns_of(t), turn;
	u32 slot, connection, cpu;

	for (turn = 0; turn < turns; turn++) {
		const struct step *s = step_at(t, turn, &slot, &connection);

		cpu = t->split && s && s->by_server ? (slot + 1) % t->cpus : slot;
		if (cpu != me->cpu)
			continue;
		if (!wait_for_turn(turn))
			break;
		if (s && !me->err)
			me->err = push_counted(me, s, t->first + connection * t->cpus + slot,
					       t->row && connection >= t->warm);
		smp_store_release(&now, turn + 1);	/* see wait_for_turn() */
	}
	while (!kthread_should_stop())
		schedule_timeout_idle(1);
	return 0;
}

static int start_turner(struct turner *me, struct bench_turns *t, u32 cpu)
{
	me->turns = t;
	me->path = *t->path;
	me->path.skb = NULL;
	me->cpu = cpu;
	me->task = kthread_create(take_turns, me, "bench/%u", cpu);
	if (IS_ERR(me->task))
		return PTR_ERR(me->task);
	kthread_bind(me->task, cpu);
	return 0;
}

static int stop_turner(struct turner *me)
{
	if (IS_ERR_OR_NULL(me->task))
		return 0;
	kthread_stop(me->task);
	kfree_skb(me->path.skb);
	return me->err;
}

static int run_turners(struct bench_turns *t, struct turner *all)
{
	unsigned long turns = turns_of(t);
	int err = 0;
	u32 i;

	WRITE_ONCE(now, 0);
	for (i = 0; i < t->cpus && !err; i++)
		err = start_turner(&all[i], t, i);
	if (!err) {
		for (i = 0; i < t->cpus; i++)
			wake_up_process(all[i].task);
		while (READ_ONCE(now) != turns && !signal_pending(current))
			schedule_timeout_interruptible(1);
		err = signal_pending(current) ? -EINTR : 0;
	}
	for (i = 0; i < t->cpus; i++) {
		err = stop_turner(&all[i]) ?: err;
		t->segments += all[i].segments;
		t->dropped += all[i].dropped;
	}
	return err;
}

int bench_take_turns(struct bench_turns *t)
{
	struct turner *all;
	int err;

	if (!t->cpus || t->cpus > num_online_cpus())
		return -EINVAL;
	all = kcalloc(t->cpus, sizeof(*all), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	if (t->row) {
		tell_plugin(MARKER_ROW, t->row);
		tell_plugin(MARKER_START, 0);
	}
	err = run_turners(t, all);
	if (t->row)
		tell_plugin(MARKER_STOP, 0);
	kfree(all);
	return err;
}

/* ---- work ---- */

static int work_begins(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	begin_window(MARKER_WORK);
	return 0;
}

static int work_ends(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	end_window();
	return 0;
}

int bench_count_work(const char *function, u32 row, u32 ms)
{
	struct kretprobe probe = {
		.handler = work_ends, .entry_handler = work_begins, .maxactive = 256,
	};
	int err;

	probe.kp.symbol_name = function;
	err = register_kretprobe(&probe);
	if (err)
		return err;
	tell_plugin(MARKER_ROW, row);
	tell_plugin(MARKER_START, 0);
	msleep_interruptible(ms);
	tell_plugin(MARKER_STOP, 0);
	unregister_kretprobe(&probe);
	return 0;
}
