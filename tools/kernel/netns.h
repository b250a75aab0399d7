/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Network namespaces: which there are, what they are called, and how to get into them. They are
 * found by the processes in them, the names of ip-netns(8) and the mounts of this namespace; one
 * that only a socket or a file descriptor keeps is out of reach.
 */
#ifndef KERNEL_NETNS_H
#define KERNEL_NETNS_H

#include "data/netns.h"

/* The one that this process is in now. What is returned here and below lasts. */
const struct netns *netns_here(void);
/* The one with this inode number. One that is not found is called by its number. */
const struct netns *netns_of(u32 inode);

/*
 * The one that a word means: a name of these, a container's id or its beginning, the UID of a pod,
 * a path, a process id or an inode number. Return: NULL, and said why
 */
const struct netns *netns_find(const char *word);

/* Enters it for good. Return: 0 or a negative errno */
int netns_move(const struct netns *ns);
/*
 * Enters it for a moment: to open a socket there, or to read /proc. A socket keeps its namespace
 * alive, so that it must not last. NULL: where this process is. It may be entered again, but not
 * another, before it is left. Return: 0 or a negative errno
 */
int netns_enter(const struct netns *ns);
void netns_leave(void);
/* Says in a sentence why it cannot be entered. Return: EXIT_ERROR */
int netns_fail(const struct netns *ns, int err);

/* A file descriptor of it, for rtnetlink. Return: a negative errno if there is none */
int netns_open(const struct netns *ns);

/* Looks for what has come and gone since: one that is not there any more cannot be entered. */
void netns_scan(void);
bool netns_is_there(const struct netns *ns);
/* Tells of all that the last look found. */
void netns_each(void (*fn)(const struct netns *ns, void *arg), void *arg);

#define NETNS_PREFIX	(NETNS_NAME + 32)

/* What stands before a command that is to run there, as "nsenter -n -t 4711 ". */
char *netns_prefix(char *buf, const struct netns *ns);
/* Does ip-netns(8) know it by its name? */
bool netns_has_ip_name(const struct netns *ns);

/* Prints all names, one a line, for completion. */
void netns_print(void);

#endif
