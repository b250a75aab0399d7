/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The seam to the kernel module: everything that the tool asks of it passes here or, for events
 * as they happen, through kernel/follow.h. Nobody above knows of netlink.
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include "data/event.h"
#include "data/flow.h"
#include "data/service.h"
#include "data/stats.h"
#include "filter/pushdown.h"

struct kernel;

typedef void (*stats_fn)(const struct stats *s, void *arg);
typedef void (*counter_fn)(const struct counter *c, void *arg);
typedef void (*service_fn)(const struct service *s, void *arg);
typedef void (*flow_fn)(const struct flow *f, void *arg);
/* @f: id and tuple alone */
typedef void (*event_fn)(const struct flow *f, const struct event *e, void *arg);

/*
 * To the module, in the network namespace that this process is in, or with --all-netns in each
 * where TCP was seen. Each question is asked in all of them, one after the other, and what is told
 * says where it is from. Those that come later are found within seconds.
 * Return: NULL, and *@err is a negative errno for kernel_fail().
 */
struct kernel *kernel_open(int *err);
void kernel_close(struct kernel *k);

/*
 * Each asks and reads the whole answer. Return: 0 or a negative errno. Without CAP_NET_ADMIN,
 * stats and counters of the own namespace come from /proc, which shows them to everybody.
 */
/* Of all the namespaces together. */
int kernel_stats(struct kernel *k, struct stats *s);
/* Of the own one. If it is the initial one, entries are those of all. */
int kernel_own_stats(struct kernel *k, struct stats *s);
/* Of each, also of those that are out of reach. */
int kernel_each_stats(struct kernel *k, stats_fn fn, void *arg);
int kernel_counters(struct kernel *k, counter_fn fn, void *arg);
int kernel_services(struct kernel *k, service_fn fn, void *arg);
/* @filter: NULL is every flow. It says whether translated addresses are filled in. */
int kernel_flows(struct kernel *k, const struct kernel_filter *filter, flow_fn fn, void *arg);
/*
 * The flow with this tuple, from either end's view, outside of VRFs and link-local scopes. -ENOENT:
 * there is none.
 */
int kernel_flow(struct kernel *k, const struct tuple *tuple, flow_fn fn, void *arg);
/* The transitions of the log, oldest first in each namespace. */
int kernel_log(struct kernel *k, event_fn fn, void *arg);

/* The same in pieces, for poll(): kernel_read() returns 1 while there is more to come. */
int kernel_begin_services(struct kernel *k, service_fn fn, void *arg);
int kernel_begin_flows(struct kernel *k, const struct kernel_filter *filter, flow_fn fn,
		       void *arg);
int kernel_read(struct kernel *k);
int kernel_fd(const struct kernel *k);

/* Says in a sentence what went wrong; k may be NULL. Return: EXIT_ERROR */
int kernel_fail(const struct kernel *k, int err);

/*
 * Opens, lets @ask ask, closes, and says what went wrong.
 * Return: EXIT_FOUND or EXIT_ERROR.
 */
int kernel_once(int (*ask)(struct kernel *k, void *arg), void *arg);
/* kernel_each_stats(), once. @optional: without a module, EXIT_NONE and not a word. */
int kernel_stats_once(stats_fn fn, void *arg, bool optional);

/*
 * Calls @fn in each of these namespaces in turn; what opens a struct kernel there asks that one
 * alone. It ends with the first that returns EXIT_ERROR.
 * Return: EXIT_FOUND if any did, else EXIT_NONE
 */
int kernel_in_each_netns(int (*fn)(const struct netns *ns, void *arg), void *arg);

#endif
