// SPDX-License-Identifier: GPL-2.0
/* Parameters, namespaces, and the order of beginning and end. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter_ipv4.h>
#include <linux/random.h>
#include <linux/user_namespace.h>

#include "charge.h"
#include "cpu.h"
#include "event.h"
#include "evict.h"
#include "expire.h"
#include "flow.h"
#include "genl.h"
#include "hook.h"
#include "log.h"
#include "netns.h"
#include "owner.h"
#include "proc.h"
#include "queue.h"
#include "service.h"
#include "sysctl.h"
#include "table.h"
#include "tcpfsm_version.h"

#define FLOWS_LEAST	1024
#define FLOWS_MOST	(1U << 26)

/* Behind the firewall, and before source NAT: hook.c says why. */
#define PRIORITY_LEAST		(NF_IP_PRI_SECURITY + 1)
#define PRIORITY_DEFAULT	(NF_IP_PRI_SECURITY + 25)
#define PRIORITY_MOST		(NF_IP_PRI_NAT_SRC - 1)

static unsigned int hashsize;
module_param(hashsize, uint, 0444);
MODULE_PARM_DESC(hashsize, "places in the hash table, a power of two (default: two for each flow)");

static int set_max_flows(const char *value, const struct kernel_param *param);

static const struct kernel_param_ops max_flows_ops = {
	.set	= set_max_flows,
	.get	= param_get_uint,
};

unsigned int tcpfsm_max_flows __read_mostly;
module_param_cb(max_flows, &max_flows_ops, &tcpfsm_max_flows, 0644);
MODULE_PARM_DESC(max_flows, "most flows in the table (default: one for each 32 KiB of memory, at most 1048576)");

unsigned int tcpfsm_max_services = 16384;
module_param_named(max_services, tcpfsm_max_services, uint, 0444);
MODULE_PARM_DESC(max_services, "most services in the table (default: 16384)");

static char *netns = "all";
module_param(netns, charp, 0444);
MODULE_PARM_DESC(netns, "which network namespaces to watch: all (default) or init");

static unsigned int priority = PRIORITY_DEFAULT;
module_param(priority, uint, 0444);
MODULE_PARM_DESC(priority, "of the netfilter hooks, 51 to 99: chains behind it can still drop what was counted (default: 75)");

unsigned int tcpfsm_net_id __read_mostly;
static bool init_only __ro_after_init;

/* ---- parameters ---- */

static int check_range(const char *name, unsigned int value, unsigned int least,
		       unsigned int most)
{
	if (value >= least && value <= most)
		return 0;
	pr_err("tcpfsm: %s=%u is out of range: %u to %u\n", name, value, least, most);
	return -EINVAL;
}

/* At any time. Flows above the new limit go as they go from a full table. */
static int set_max_flows(const char *value, const struct kernel_param *param)
{
	unsigned int n;
	int err = kstrtouint(value, 0, &n) ?: check_range("max_flows", n, FLOWS_LEAST, FLOWS_MOST);

	if (err)
		return err;
	if (hashsize && n > hashsize)
		pr_warn("tcpfsm: max_flows=%u is more than the table has places for (hashsize=%u): segments will take longer, and flows may be refused (counter bucket_full)\n",
			n, hashsize);
	WRITE_ONCE(tcpfsm_max_flows, n);
	tcpfsm_evict_surplus();
	return 0;
}

static int __init check_parameters(void)
{
	if (!strcmp(netns, "init")) {
		init_only = true;
	} else if (strcmp(netns, "all")) {
		pr_err("tcpfsm: netns=%s is unknown: all or init\n", netns);
		return -EINVAL;
	}
	if (!tcpfsm_max_flows)
		tcpfsm_max_flows = clamp_t(unsigned long, totalram_pages() / (32768 / PAGE_SIZE),
					   16384, 1U << 20);
	if (!hashsize)
		hashsize = min_t(unsigned int, 2 * roundup_pow_of_two(tcpfsm_max_flows),
				 FLOWS_MOST);
	if (!is_power_of_2(hashsize)) {
		pr_err("tcpfsm: hashsize=%u is no power of two\n", hashsize);
		return -EINVAL;
	}
	return check_range("hashsize", hashsize, FLOWS_LEAST, FLOWS_MOST) ?:
	       check_range("max_services", tcpfsm_max_services, 16, 1U << 20) ?:
	       check_range("priority", priority, PRIORITY_LEAST, PRIORITY_MOST);
}

/* ---- namespaces ---- */

/* No segment comes in any more; the kernel waits for RCU before net_exit(). */
static void __net_exit net_pre_exit(struct net *net)
{
	tcpfsm_netns_remove(tcpfsm_net(net));
	tcpfsm_hook_close(tcpfsm_net(net));
	tcpfsm_expire_net_pre_exit(tcpfsm_net(net));
}

/* Also for a namespace that net_init() did not finish. */
static void __net_exit net_exit(struct net *net)
{
	struct tcpfsm_net *tn = tcpfsm_net(net);

	tcpfsm_proc_net_exit(tn);	/* waits for readers */
	tcpfsm_sysctl_net_exit(tn);
	tcpfsm_expire_net_exit(tn);
	tcpfsm_event_net_exit(tn);
	tcpfsm_service_net_exit(tn);
	tcpfsm_cpu_net_exit(tn);
	tcpfsm_charge_net_exit(tn);
}

static bool loading = true;		/* the namespaces that are there already */

static int __net_init net_init(struct net *net)
{
	struct tcpfsm_net *tn = tcpfsm_net(net);
	int err;

	tcpfsm_hook_net_init(tn);
	err = tcpfsm_netns_add(tn, net);
	if (err)
		return err;
	if (!READ_ONCE(loading))
		tcpfsm_charge_net_init(tn);
	err = tcpfsm_cpu_net_init(tn) ?: tcpfsm_service_net_init(tn) ?:
	      tcpfsm_sysctl_net_init(tn) ?: tcpfsm_proc_net_init(tn);
	if (!err && (!init_only || net_eq(net, &init_net)))
		err = tcpfsm_hook_open(tn);
	if (err) {
		/* Some hooks may have been on for a moment. */
		net_pre_exit(net);
		synchronize_net();
		net_exit(net);
	}
	return err;
}

static struct pernet_operations net_ops = {
	.init	  = net_init,
	.pre_exit = net_pre_exit,
	.exit	  = net_exit,
	.id	  = &tcpfsm_net_id,
	.size	  = sizeof(struct tcpfsm_net),
};

/* ---- module ---- */

static const struct tcpfsm_cpu_part *const cpu_parts[] = {
	&tcpfsm_log_part, &tcpfsm_queue_part, NULL,
};

static int __init tcpfsm_init(void)
{
	int err = check_parameters();

	if (err)
		return err;
	tcpfsm_cpu_init(cpu_parts);
	tcpfsm_hook_init(priority);
	err = tcpfsm_flow_slabs_init();
	if (err)
		return err;
	err = tcpfsm_table_init(hashsize);
	if (err)
		goto no_table;
	err = tcpfsm_service_init();
	if (err)
		goto no_service;
	err = tcpfsm_expire_init();
	if (err)
		goto no_workers;
	err = register_pernet_subsys(&net_ops);
	if (err)
		goto no_net;
	WRITE_ONCE(loading, false);
	err = tcpfsm_genl_init();
	if (err)
		goto no_genl;
	pr_info("tcpfsm: watching, at most %u flows in %u places\n", tcpfsm_max_flows, hashsize);
	return 0;

no_genl:
	unregister_pernet_subsys(&net_ops);
	rcu_barrier();
no_net:
	tcpfsm_expire_exit();
no_workers:
	tcpfsm_service_exit();
no_service:
	tcpfsm_table_exit();
no_table:
	tcpfsm_flow_slabs_exit();
	return err;
}

static void __exit tcpfsm_exit(void)
{
	tcpfsm_genl_exit();	/* requests need namespaces */
	unregister_pernet_subsys(&net_ops);
	rcu_barrier();		/* services */
	tcpfsm_expire_exit();
	tcpfsm_service_exit();
	tcpfsm_table_exit();
	tcpfsm_flow_slabs_exit();
}

module_init(tcpfsm_init);
module_exit(tcpfsm_exit);

MODULE_LICENSE("GPL");
MODULE_VERSION(TCPFSM_VERSION);
MODULE_DESCRIPTION("TCP states of both endpoints of every flow");
