/* SPDX-License-Identifier: GPL-2.0 */
/* The socket to the module, and its messages as they are. Private to the room. */
#ifndef KERNEL_NETLINK_H
#define KERNEL_NETLINK_H

#include <linux/netlink.h>

#include "data/netns.h"
#include "data/tuple.h"
#include "filter/pushdown.h"

struct netlink;

/* A message of the family. Return: 0, or negative to read no further. */
typedef int (*netlink_fn)(const struct nlmsghdr *nlh, void *arg);

/*
 * To the module, in a network namespace; NULL: in the own one. Return: NULL, and *@err is a
 * negative errno for netlink_fail().
 */
struct netlink *netlink_open(const struct netns *ns, int *err);
void netlink_close(struct netlink *nl);
int netlink_fd(const struct netlink *nl);

/*
 * Asks, and reads the whole answer.
 * Return: 0, or a negative errno, or what @fn returned if that was negative.
 */
int netlink_ask(struct netlink *nl, u8 cmd, bool dump, const struct kernel_filter *filter,
		netlink_fn fn, void *arg);

/* Asks for the one flow with this tuple, likewise. */
int netlink_ask_flow(struct netlink *nl, const struct tuple *tuple, netlink_fn fn, void *arg);

/* The same in pieces, for poll(): netlink_read() returns 1 while there is more to come. */
int netlink_request(struct netlink *nl, u8 cmd, bool dump, const struct kernel_filter *filter);
int netlink_read(struct netlink *nl, netlink_fn fn, void *arg);

/* Subscribes to both groups of events; of all network namespaces that have a number, if @all. */
int netlink_join(struct netlink *nl, bool all);
/* The number of the namespace that the event is from which is being told; -1: the own one. */
int netlink_nsid(const struct netlink *nl);
/*
 * Events that wait. Return: messages read, -EAGAIN if none, -ENOBUFS if some were lost,
 * -ENODEV if the module goes, or what @fn returned if that was negative.
 */
int netlink_events(struct netlink *nl, netlink_fn fn, void *arg);

/* Says in a sentence what went wrong; nl may be NULL. Return: EXIT_ERROR */
int netlink_fail(const struct netlink *nl, int err);

#endif
