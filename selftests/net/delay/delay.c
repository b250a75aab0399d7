// SPDX-License-Identifier: GPL-2.0
/*
 * Make a function wait when it is entered, so that what another processor may do in between is sure
 * to be done. Needs kprobes, hence a real machine or a virtual one.
 *
 *   insmod delay.ko function=tcpfsm_event_positions ms=300 times=1
 */
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>

static char *function = "";
module_param(function, charp, 0);
MODULE_PARM_DESC(function, "where to wait");

static unsigned int ms = 300;
module_param(ms, uint, 0);
MODULE_PARM_DESC(ms, "how long at most");

static int times = 1;
module_param(times, int, 0600);
MODULE_PARM_DESC(times, "how often, the first so many times; 0 ends a wait");

static atomic_t entered;
module_param_named(entered, entered.counter, int, 0444);
MODULE_PARM_DESC(entered, "how often it has been entered");

static int wait_here(struct kprobe *p, struct pt_regs *regs)
{
	int number = atomic_inc_return(&entered);
	u64 end = ktime_get_ns() + (u64)ms * NSEC_PER_MSEC;

	/* By the clock: loops of mdelay() are short if this processor started on a busy machine. */
	while (number <= READ_ONCE(times) && ktime_get_ns() < end)
		cpu_relax();
	return 0;
}

static struct kprobe probe = { .pre_handler = wait_here };

static int __init delay_init(void)
{
	probe.symbol_name = function;
	return register_kprobe(&probe);
}

static void __exit delay_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(delay_init);
module_exit(delay_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Makes a function wait when it is entered");
