// SPDX-License-Identifier: GPL-2.0
/* net.tcpfsm.*, per network namespace. A value out of range is refused, nothing changes. */
#include <linux/capability.h>
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "audit.h"
#include "compat.h"
#include "end.h"
#include "hook.h"
#include "log.h"
#include "netns.h"
#include "sysctl.h"
#include "timeout.h"

/* Stamps are 32-bit jiffies: at HZ=1000, below half their range even beside IDLE_MOST. */
static unsigned int timeout_min = 1, timeout_max = 1000000;
static unsigned int log_size_min = 64, log_size_max = TCPFSM_LOG_SIZE_MAX;

static int set_timeout(tcpfsm_ctl_table *table, int write, void *buffer, size_t *len,
		       loff_t *pos);
static int set_enabled(tcpfsm_ctl_table *table, int write, void *buffer, size_t *len,
		       loff_t *pos);
static int set_log_size(tcpfsm_ctl_table *table, int write, void *buffer, size_t *len,
			loff_t *pos);
static int set_audit(tcpfsm_ctl_table *table, int write, void *buffer, size_t *len,
		     loff_t *pos);

/* data: offset within struct tcpfsm_net */
static const struct ctl_table template[] = {
	{
		.procname	= "enabled",
		.data		= (void *)offsetof(struct tcpfsm_net, enabled),
		.mode		= 0644,
		.proc_handler	= set_enabled,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_ONE,
	}, {
		.procname	= "log_size",
		.data		= (void *)offsetof(struct tcpfsm_net, log_size),
		.mode		= 0644,
		.proc_handler	= set_log_size,
		.extra1		= &log_size_min,
		.extra2		= &log_size_max,
	}, {
		.procname	= "audit",
		.data		= (void *)offsetof(struct tcpfsm_net, audit),
		.mode		= 0644,
		.proc_handler	= set_audit,
		.extra1		= SYSCTL_ZERO,
		.extra2		= SYSCTL_ONE,
	},
#define X(id, name, seconds, help) {					\
		.procname	= "timeout_" #name,			\
		.data		= (void *)offsetof(struct tcpfsm_net,	\
						   timeout[TFSM_CLASS_##id]), \
		.mode		= 0644,					\
		.proc_handler	= set_timeout,				\
		.extra1		= &timeout_min,				\
		.extra2		= &timeout_max,				\
	},
	TCPFSM_CLASS_LIST(X)
#undef X
};

/* The namespace whose value an entry is, which need not be the reader's. */
static struct tcpfsm_net *owner_of(const struct ctl_table *table)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(template) - 1; i++)
		if (template[i].procname == table->procname)
			break;
	return (struct tcpfsm_net *)((char *)table->data - (unsigned long)template[i].data);
}

static int set_timeout(tcpfsm_ctl_table *table, int write, void *buffer, size_t *len, loff_t *pos)
{
	struct tcpfsm_net *tn = owner_of(table);
	int err;

	mutex_lock(&tn->timing);
	err = proc_douintvec_minmax(table, write, buffer, len, pos);
	if (write && !err)
		tcpfsm_timeout_apply(tn);
	mutex_unlock(&tn->timing);
	return err;
}

/* Read or write a copy: the value takes effect by a call, not by being stored. */
static int set_copy(tcpfsm_ctl_table *table, int write, void *buffer, size_t *len, loff_t *pos,
		    unsigned int *value)
{
	struct ctl_table copy = *table;

	copy.data = value;
	return proc_douintvec_minmax(&copy, write, buffer, len, pos);
}

static int set_enabled(tcpfsm_ctl_table *table, int write, void *buffer, size_t *len, loff_t *pos)
{
	struct tcpfsm_net *tn = owner_of(table);
	unsigned int on = READ_ONCE(tn->enabled);
	int err = set_copy(table, write, buffer, len, pos, &on);

	if (err || !write)
		return err;
	err = tcpfsm_hook_enable(tn, on);
	if (!err && !on) {
		synchronize_net();	/* segments under way are done */
		tcpfsm_end_all(tn);
	}
	return err;
}

static int set_log_size(tcpfsm_ctl_table *table, int write, void *buffer, size_t *len, loff_t *pos)
{
	struct tcpfsm_net *tn = owner_of(table);
	unsigned int size = READ_ONCE(tn->log_size);
	int err = set_copy(table, write, buffer, len, pos, &size);

	return err || !write ? err : tcpfsm_log_resize(tn, size);
}

static int set_audit(tcpfsm_ctl_table *table, int write, void *buffer, size_t *len, loff_t *pos)
{
	struct tcpfsm_net *tn = owner_of(table);
	unsigned int on = READ_ONCE(tn->audit);
	int err = set_copy(table, write, buffer, len, pos, &on);

	if (write && !err)
		tcpfsm_audit_set(tn, on);
	return err;
}

static const unsigned int timeout_default[TFSM_CLASSES] = {
#define X(id, name, seconds, help) [TFSM_CLASS_##id] = seconds,
	TCPFSM_CLASS_LIST(X)
#undef X
};

int tcpfsm_sysctl_net_init(struct tcpfsm_net *tn)
{
	struct ctl_table *table;
	unsigned int i;

	mutex_init(&tn->timing);
	tn->enabled = 1;
	tn->log_size = TCPFSM_LOG_SIZE_DEFAULT;
	memcpy(tn->timeout, timeout_default, sizeof(tn->timeout));
	tcpfsm_timeout_apply(tn);

	table = kcalloc(ARRAY_SIZE(template) + TCPFSM_CTL_END, sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	memcpy(table, template, sizeof(template));
	for (i = 0; i < ARRAY_SIZE(template); i++) {
		table[i].data = (char *)tn + (unsigned long)template[i].data;
		table[i].maxlen = sizeof(unsigned int);
		/* What costs kernel memory or patches code is for the initial user namespace. */
		if ((template[i].proc_handler == set_log_size ||
		     template[i].proc_handler == set_audit) && tn->owner != TCPFSM_HOST)
			table[i].mode = 0444;
	}
	tn->sysctl = tcpfsm_register_sysctl(tn->net, "net/tcpfsm", table, ARRAY_SIZE(template));
	if (!tn->sysctl) {
		kfree(table);
		return -ENOMEM;
	}
	tn->sysctl_table = table;
	return 0;
}

void tcpfsm_sysctl_net_exit(struct tcpfsm_net *tn)
{
	unregister_net_sysctl_table(tn->sysctl);
	kfree(tn->sysctl_table);
	tcpfsm_audit_set(tn, false);
}
