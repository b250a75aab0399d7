/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who pays for memory. What a guest's namespace makes the module allocate is charged to the memory
 * cgroup of whoever made the namespace, in whatever context that happens: at its limit the guest
 * loses flows of its own. Nobody is charged for what passes in namespaces of the host, nor in those
 * that were there before the module. What a process asks for (a namespace, a setting) is charged to
 * that process, as everywhere in the kernel.
 *
 * Linux before 5.14 does not let modules charge in interrupts: what is allocated there is charged
 * to nobody.
 */
#ifndef _TCPFSM_CHARGE_H
#define _TCPFSM_CHARGE_H

#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/version.h>

#include "netns.h"

#if defined(CONFIG_MEMCG) && LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
#define TCPFSM_CHARGES	1
#else
#define TCPFSM_CHARGES	0
#endif

/* For a namespace that is being made; until tcpfsm_charge_net_exit(). */
static inline void tcpfsm_charge_net_init(struct tcpfsm_net *tn)
{
#if TCPFSM_CHARGES
	if (tn->owner == TCPFSM_GUEST)
		tn->memcg = get_mem_cgroup_from_mm(current->mm);
#endif
}

static inline void tcpfsm_charge_net_exit(struct tcpfsm_net *tn)
{
#if TCPFSM_CHARGES
	if (tn->memcg)
		mem_cgroup_put(tn->memcg);
	tn->memcg = NULL;
#endif
}

/*
 * For memory that is allocated with bottom halves off. Who is charged gets none of the reserve,
 * which would be given beyond the limit, too.
 */
static inline gfp_t tcpfsm_charge_gfp(const struct tcpfsm_net *tn)
{
	return unlikely(tn->memcg) ? GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT :
				     GFP_ATOMIC | __GFP_NOWARN;
}

/* Return: who was charged before, for tcpfsm_charge_end(). */
static inline struct mem_cgroup *tcpfsm_charge_begin(const struct tcpfsm_net *tn)
{
#if TCPFSM_CHARGES
	if (unlikely(tn->memcg))
		return set_active_memcg(tn->memcg);
#endif
	return NULL;
}

static inline void tcpfsm_charge_end(const struct tcpfsm_net *tn, struct mem_cgroup *before)
{
#if TCPFSM_CHARGES
	if (unlikely(tn->memcg))
		set_active_memcg(before);
#endif
}

/*
 * What an expression allocates, with tcpfsm_charge_gfp() or __GFP_ACCOUNT. Context: bottom halves
 * off, or a process.
 */
#define tcpfsm_charge(tn, allocation) ({				\
	const struct tcpfsm_net *payer = (tn);				\
	struct mem_cgroup *before = tcpfsm_charge_begin(payer);		\
	typeof(allocation) made = (allocation);				\
	tcpfsm_charge_end(payer, before);				\
	made; })

#endif /* _TCPFSM_CHARGE_H */
