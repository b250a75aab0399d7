/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The numbers by which this network namespace knows others (see "nsid" in ip-netns(8)). A netlink
 * socket with NETLINK_LISTEN_ALL_NSID hears the groups of those that have one. A number keeps
 * nothing alive; it is free again when its namespace has gone.
 */
#ifndef KERNEL_NSID_H
#define KERNEL_NSID_H

#include "data/netns.h"

struct nsid;

/* Return: NULL, and *@err is a negative errno */
struct nsid *nsid_open(int *err);
void nsid_close(struct nsid *n);
int nsid_fd(const struct nsid *n);

/* The number of a namespace; it is given one if it has none. Return: a negative errno */
int nsid_get(struct nsid *n, const struct netns *ns);

/* Tells of numbers that were given, or became free, since. Return: 0 or a negative errno */
int nsid_read(struct nsid *n, void (*fn)(int nsid, bool given, void *arg), void *arg);

#endif
