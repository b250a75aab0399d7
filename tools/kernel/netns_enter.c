// SPDX-License-Identifier: GPL-2.0
/* Getting into network namespaces. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/netns.h"
#include "kernel/netns_known.h"
#include "lib/message.h"

/* A process id may have been given to another process meanwhile. */
static int open_checked(const char *path, u32 inode)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &st) && st.st_ino == inode)
		return fd;
	close(fd);
	return -ENOENT;
}

int netns_open(const struct netns *ns)
{
	const struct known *k = container_of(ns, struct known, ns);
	char path[64];
	int fd = -ENOENT;

	if (inode_of(NETNS_SELF) == ns->inode)
		return open_checked(NETNS_SELF, ns->inode);
	if (k->path)
		fd = open_checked(k->path, ns->inode);
	if (fd < 0 && k->pid) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", k->pid);
		fd = open_checked(path, ns->inode);
	}
	return fd;
}

int netns_move(const struct netns *ns)
{
	int fd = netns_open(ns), err = 0;

	if (fd < 0)
		return fd;
	if (setns(fd, CLONE_NEWNET))
		err = -errno;
	close(fd);
	return err;
}

static int home = -1;		/* a file descriptor, while this is elsewhere */
static unsigned int depth;	/* how often it has entered where it is */

int netns_enter(const struct netns *ns)
{
	int err = 0;

	if (ns && inode_of(NETNS_SELF) != ns->inode) {
		home = open(NETNS_SELF, O_RDONLY | O_CLOEXEC);
		if (home < 0)
			return -errno;
		err = netns_move(ns);
	}
	depth++;
	if (err)
		netns_leave();
	return err;
}

void netns_leave(void)
{
	if (--depth || home < 0)
		return;
	if (setns(home, CLONE_NEWNET))
		exit(fail("cannot go back to the own network namespace: %s", strerror(errno)));
	close(home);
	home = -1;
}

int netns_fail(const struct netns *ns, int err)
{
	switch (-err) {
	case EPERM:
	case EACCES:
		return fail("network namespace '%s': entering it needs CAP_SYS_ADMIN; run with sudo",
			    ns->name);
	case ENOENT:
		return fail("network namespace '%s': no process is in it, and no name leads to it",
			    ns->name);
	default:
		return fail("network namespace '%s': %s", ns->name, strerror(-err));
	}
}

bool netns_has_ip_name(const struct netns *ns)
{
	return container_of(ns, struct known, ns)->source == BY_IP_NETNS;
}

char *netns_prefix(char *buf, const struct netns *ns)
{
	const struct known *k = container_of(ns, struct known, ns);

	if (k->source == BY_IP_NETNS)
		snprintf(buf, NETNS_PREFIX, "ip netns exec %s ", ns->name);
	else if (k->source == BY_HOST)
		snprintf(buf, NETNS_PREFIX, "nsenter -n -t 1 ");
	else if (k->pid)
		snprintf(buf, NETNS_PREFIX, "nsenter -n -t %d ", k->pid);
	else
		*buf = '\0';
	return buf;
}
