/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What /proc/net/tcpfsm/ shows to everybody: counts, and nobody's address. It stands in for
 * netlink, which asks for CAP_NET_ADMIN. Private to the room.
 */
#ifndef KERNEL_PROCFS_H
#define KERNEL_PROCFS_H

#include "data/stats.h"

/* Of the network namespace that this process is in. Return: 0 or a negative errno */
int procfs_stats(struct stats *s);
int procfs_counters(void (*fn)(const struct counter *c, void *arg), void *arg);

#endif
