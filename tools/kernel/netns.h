/* SPDX-License-Identifier: GPL-2.0 */
/* Network namespaces, as ip-netns(8) keeps them. */
#ifndef KERNEL_NETNS_H
#define KERNEL_NETNS_H

#include "lib/base.h"

#define NETNS_NAME	256

/* Enters a namespace by name, path or process id. Return: false, and said why. */
bool netns_enter(const char *which);
/* The name under /run/netns of the namespace with this inode number; NULL: it has none. */
const char *netns_name(char *buf, u32 inode);
/* Prints all names, one a line, for completion. */
void netns_print(void);

#endif
