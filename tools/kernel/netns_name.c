// SPDX-License-Identifier: GPL-2.0
/* What network namespaces are called that have no name of their own. */
#include <ctype.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel/netns_known.h"
#include "kernel/process.h"

#define SHORT_ID	12		/* digits of a container's, as its runtime shows it */
#define SHORT_POD	8		/* of a pod's UID */

/* What a user may have chosen could be meant for the terminal, or for who reads the output. */
void netns_set_name(struct known *k, enum source by, const char *fmt, ...)
{
	va_list args;
	char *p;

	va_start(args, fmt);
	vsnprintf(k->ns.name, sizeof(k->ns.name), fmt, args);
	va_end(args);
	k->source = by;
	for (p = k->ns.name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.:@+", *p))
			*p = '_';
}

/* A pod's name is what its processes take for the host's. Return: whether they have one */
static bool read_host_name(int pid, struct utsname *name)
{
	int own = open("/proc/thread-self/ns/uts", O_RDONLY | O_CLOEXEC), fd;
	char path[64];
	bool is_set = false;

	snprintf(path, sizeof(path), "/proc/%d/ns/uts", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (own >= 0 && fd >= 0 && inode_of(path) != inode_of("/proc/thread-self/ns/uts") &&
	    !setns(fd, CLONE_NEWUTS)) {
		is_set = !uname(name) && name->nodename[0];
		setns(own, CLONE_NEWUTS);
	}
	if (fd >= 0)
		close(fd);
	if (own >= 0)
		close(own);
	return is_set;
}

static void set_name_of_container(struct known *k)
{
	const struct container *c = &k->container;
	struct utsname name;

	if (c->pod[0] && read_host_name(k->pid, &name))
		netns_set_name(k, BY_CONTAINER, "%s", name.nodename);
	else if (c->pod[0])
		netns_set_name(k, BY_CONTAINER, "pod-%.*s", SHORT_POD, c->pod);
	else if (!strcmp(c->runtime, "lxc") || !strcmp(c->runtime, "machine"))
		netns_set_name(k, BY_CONTAINER, "%s", c->id);
	else
		netns_set_name(k, BY_CONTAINER, "%s-%.*s",
			       c->runtime[0] ? c->runtime : "container", SHORT_ID, c->id);
}

static void set_name_of_process(struct known *k)
{
	char name[PROCESS_NAME];

	process_name(name, k->pid);
	netns_set_name(k, BY_PROCESS, "%s-%d", name, k->pid);
}

void netns_name_known(struct known *k)
{
	netns_set_name(k, BY_INODE, "%u", k->ns.inode);
	if (!k->pid)
		return;
	if (container_of_process(&k->container, k->pid))
		set_name_of_container(k);
	else
		set_name_of_process(k);
}
