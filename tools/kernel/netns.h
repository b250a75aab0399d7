/* SPDX-License-Identifier: GPL-2.0 */
#ifndef NETNS_H
#define NETNS_H

#include "lib/tool.h"

/* Enter a namespace by name, path or process id. Return: false, and said why. */
bool netns_enter(const char *which);
/* The name under /run/netns of the namespace with this inode, NULL if none. @buf: 256 bytes */
const char *netns_name(char *buf, u32 inode);
/* All names, one a line, for completion. */
void netns_print(void);

#endif
