/* SPDX-License-Identifier: GPL-2.0 */
/* What is known of a network namespace beside its name. Private to kernel/netns*.c. */
#ifndef KERNEL_NETNS_KNOWN_H
#define KERNEL_NETNS_KNOWN_H

#include <sys/stat.h>

#include "data/netns.h"
#include "kernel/container.h"
#include "lib/list.h"

#define NETNS_SELF	"/proc/thread-self/ns/net"

/* What a name is from: the ones before are trusted more, and keep it if two are equal. */
enum source { BY_HOST, BY_IP_NETNS, BY_CONTAINER, BY_PROCESS, BY_INODE };

struct known {
	struct netns ns;
	struct list_node node;
	enum source source;
	unsigned int scan;		/* that found it last */
	char *path;			/* that leads to it, or NULL */
	int pid;			/* of its oldest process, or 0 */
	u64 started;			/* that process: in clock ticks since boot */
	struct container container;
};

static inline u32 inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

/* Names it by its container or its process, else by its number. */
void netns_name_known(struct known *k);
/* What may not stand in a name becomes an underscore. */
void netns_set_name(struct known *k, enum source by, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
