/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels, under names of our own, chosen by what compiles (TCPFSM_HAVE_*,
 * found by mod/probe). The code elsewhere is written for the newest kernel.
 */
#ifndef _TCPFSM_COMPAT_H
#define _TCPFSM_COMPAT_H

#include <linux/types.h>
#include <linux/version.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/tcp.h>
#include <linux/sysctl.h>
#include <linux/timer.h>
#include <net/genetlink.h>

#ifndef TCPFSM_PROBE
#include <probed.h>	/* of this build, wherever that is */
#endif

/*
 * For what is written before it is read, a segment at a time: kernels that zero what is on the
 * stack (CONFIG_INIT_STACK_ALL_ZERO) would spend more on that than on the segment.
 */
#if __has_attribute(uninitialized)
#define tcpfsm_uninitialized __attribute__((uninitialized))
#else
#define tcpfsm_uninitialized
#endif

/* Since 6.18 the lookups find the hash table by themselves. */
#ifdef TCPFSM_HAVE_LOOKUP_HASHINFO
#ifdef TCPFSM_HAVE_NET_HASHINFO
#define tcpfsm_hashinfo(net)	((net)->ipv4.tcp_death_row.hashinfo),
#else
#define tcpfsm_hashinfo(net)	&tcp_hashinfo,
#endif
#else
#define tcpfsm_hashinfo(net)
#endif

#define tcpfsm_lookup4(net, daddr, dport, saddr, sport, dif) \
	__inet_lookup_established(net, tcpfsm_hashinfo(net) daddr, dport, saddr, sport, dif, 0)
#define tcpfsm_lookup6(net, daddr, dport, saddr, sport, dif) \
	__inet6_lookup_established(net, tcpfsm_hashinfo(net) daddr, dport, saddr, sport, dif, 0)
#define tcpfsm_lookup_listener4(net, daddr, dport, saddr, sport, dif) \
	__inet_lookup_listener(net, tcpfsm_hashinfo(net) NULL, 0, daddr, dport, saddr, sport, \
			       dif, 0)
#define tcpfsm_lookup_listener6(net, daddr, dport, saddr, sport, dif) \
	inet6_lookup_listener(net, tcpfsm_hashinfo(net) NULL, 0, daddr, dport, saddr, sport, \
			      dif, 0)

/* Since 6.11 handlers see their table as const. */
#ifdef TCPFSM_HAVE_CONST_CTL_TABLE
#define tcpfsm_ctl_table const struct ctl_table
#else
#define tcpfsm_ctl_table struct ctl_table
#endif

/* Before 6.6 a table ended with an empty entry, and its size was not told. */
#ifdef TCPFSM_HAVE_SYSCTL_SZ
#define TCPFSM_CTL_END	0
#define tcpfsm_register_sysctl	register_net_sysctl_sz
#else
#define TCPFSM_CTL_END	1
#define tcpfsm_register_sysctl(net, path, table, size) register_net_sysctl(net, path, table)
#endif

#ifndef GENL_MCAST_CAP_NET_ADMIN
#define TCPFSM_GROUP_FLAGS .flags = GENL_UNS_ADMIN_PERM,
#else
#define TCPFSM_GROUP_FLAGS .flags = GENL_MCAST_CAP_NET_ADMIN,
#endif

/* Since 6.2 a missing attribute is named by a macro of its own. */
#ifdef GENL_REQ_ATTR_CHECK
#define tcpfsm_attr_missing	GENL_REQ_ATTR_CHECK
#else
#define tcpfsm_attr_missing(info, attr) (!(info)->attrs[attr])
#endif

/* Since 6.7 dumps carry a whole genl_info. */
#ifdef TCPFSM_HAVE_GENL_INFO_DUMP
#define tcpfsm_dump_attrs(cb)	(genl_info_dump(cb)->attrs)
#else
#define tcpfsm_dump_attrs(cb)	(genl_dumpit_info(cb)->attrs)
#endif

/* Since 6.12 a packet's data may be in the memory of a device, where nobody reads it. */
#ifdef TCPFSM_HAVE_FRAGS_READABLE
#define tcpfsm_frags_readable	skb_frags_readable
#else
#define tcpfsm_frags_readable(skb)	true
#endif

/*
 * Since 7.0 the free pointer may lie within an object that has a constructor. Earlier kernels
 * compile this, too, but refuse it when they run.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define tcpfsm_typesafe_slab(name, size, freeptr, construct)			\
	kmem_cache_create(name, size, (&(struct kmem_cache_args) {		\
		.freeptr_offset = (freeptr), .use_freeptr_offset = true,	\
		.ctor = (construct) }), SLAB_TYPESAFE_BY_RCU)
#else
#define tcpfsm_typesafe_slab(name, size, freeptr, construct)			\
	kmem_cache_create(name, size, 0, SLAB_TYPESAFE_BY_RCU, construct)
#endif

/* Renamed in 6.15, and in 6.16. */
#ifdef TCPFSM_HAVE_TIMER_SHUTDOWN
#define tcpfsm_timer_shutdown	timer_shutdown_sync
#else
#define tcpfsm_timer_shutdown	del_timer_sync
#endif
#ifdef TCPFSM_HAVE_TIMER_CONTAINER
#define tcpfsm_timer_owner	timer_container_of
#else
#define tcpfsm_timer_owner	from_timer
#endif

#endif /* _TCPFSM_COMPAT_H */
