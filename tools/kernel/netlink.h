/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The seam to the kernel module. Everything that the tool asks of it passes here; nothing else
 * knows of netlink but how to read attributes (attr.h).
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <linux/netlink.h>

#include "lib/tool.h"

struct kernel;

/* What the kernel may filter by: all that is set must hold. */
struct kernel_filter {
	u64 id;			/* 0: any */
	u8 family;		/* 0: any */
	u32 orig_states, resp_states, any_states;	/* 0: any */
	u8 src_family, dst_family;			/* 0: any */
	u8 src[16], dst[16];
	u8 src_len, dst_len;
	u16 sport_min, sport_max;
	u16 dport_min, dport_max;
	u64 age_min, idle_min;	/* 0: any */
};

/* A message of the family. Return: 0, or negative to read no further. */
typedef int (*kernel_fn)(const struct nlmsghdr *nlh, void *arg);

/* Return: NULL, and *@err is a negative errno for kernel_fail(). */
struct kernel *kernel_open(int *err);
void kernel_close(struct kernel *k);

/*
 * Ask, and read the whole answer.
 * Return: 0, or a negative errno, or what @fn returned if that was negative.
 */
int kernel_ask(struct kernel *k, u8 cmd, bool dump, const struct kernel_filter *filter,
	       kernel_fn fn, void *arg);

/*
 * Open, ask, close, and say what went wrong.
 * Return: EXIT_FOUND or EXIT_ERROR.
 */
int kernel_once(u8 cmd, bool dump, kernel_fn fn, void *arg);

/* kernel_ask() in pieces, for poll(): kernel_read() returns 1 while there is more to come. */
int kernel_request(struct kernel *k, u8 cmd, bool dump, const struct kernel_filter *filter);
int kernel_read(struct kernel *k, kernel_fn fn, void *arg);

/* Subscribe to both groups. */
int kernel_join(struct kernel *k);
/*
 * Events that wait. Return: messages read, -EAGAIN if none, -ENOBUFS if some were lost,
 * -ENODEV if the module goes, or what @fn returned if that was negative.
 */
int kernel_events(struct kernel *k, kernel_fn fn, void *arg);

int kernel_fd(const struct kernel *k);

/* Say in a sentence what went wrong; k may be NULL. Return: EXIT_ERROR */
int kernel_fail(const struct kernel *k, int err);

#endif
