/* SPDX-License-Identifier: GPL-2.0 */
/* A network namespace, and the name that people know it by. */
#ifndef DATA_NETNS_H
#define DATA_NETNS_H

#include "lib/base.h"

#define NETNS_NAME	128

struct netns {
	u32 inode;
	/*
	 * That of ip-netns(8), "host", a pod's, a container's, else COMMAND-PID of its oldest
	 * process, else its inode number. Of letters, digits and -_.:@+ only, and no other's.
	 */
	char name[NETNS_NAME];
};

#endif
