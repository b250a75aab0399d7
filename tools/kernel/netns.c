// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kernel/netns.h"
#include "kernel/netns_known.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/number.h"

#define DIRECTORY	"/run/netns"
#define INIT_PID_NS	0xEFFFFFFCU	/* the inode number of the initial process namespace */

/* They are as many as there were at a time: the kernel uses the numbers again. */
static struct list all;
static unsigned int scans;
static u32 host;		/* the initial one's inode number, or 0: this is a container */

#define for_each_known(k, n) \
	for ((n) = list_first(&all); \
	     (n) && ((k) = container_of(n, struct known, node)); \
	     (n) = list_next(&all, n))

static struct known *find_known(u32 inode)
{
	struct list_node *n;
	struct known *k;

	for_each_known(k, n)
		if (k->ns.inode == inode)
			return k;
	return NULL;
}

static void set_path(struct known *k, const char *path)
{
	free(k->path);
	k->path = path ? string_copy(path) : NULL;
}

/* That of this scan; what an earlier one found of it is forgotten. */
static struct known *get_known(u32 inode)
{
	struct known *k = find_known(inode);

	if (!k) {
		k = zalloc(sizeof(*k));
		k->ns.inode = inode;
		list_append(&all, &k->node);
	}
	if (k->scan == scans)
		return k;
	k->scan = scans;
	k->source = BY_INODE;
	set_path(k, NULL);
	k->pid = 0;
	memset(&k->container, 0, sizeof(k->container));
	return k;
}

/* Process 1 is in it, if that is the host's. */
static void find_host(void)
{
	host = inode_of("/proc/1/ns/pid") == INIT_PID_NS ? inode_of("/proc/1/ns/net") : 0;
}

/* ---- which there are ---- */

/* Field 22 of /proc/PID/stat; the name, field 2, may hold anything. 0: it has gone */
static u64 start_of(int pid)
{
	char path[64], line[1024], *p;
	unsigned int field;
	size_t len;
	FILE *f;
	u64 v;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	len = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[len] = '\0';
	p = strrchr(line, ')');
	for (field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p && scan_u64((const char **)&p, &v) ? v : 0;
}

static void note_process(int pid)
{
	char path[64];
	struct known *k;
	u64 started;
	u32 inode;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	inode = inode_of(path);
	if (!inode)
		return;
	k = get_known(inode);
	if (inode == host)
		return;		/* its name is known */
	started = start_of(pid);
	if (!started || (k->pid && k->started <= started))
		return;
	k->pid = pid;
	k->started = started;
}

static void note_processes(void)
{
	DIR *dir = opendir("/proc");
	const struct dirent *d;
	u64 pid;

	if (!dir)
		return;
	while ((d = readdir(dir)))
		if (read_u64(d->d_name, 1, INT_MAX, &pid))
			note_process((int)pid);
	closedir(dir);
}

/* Fields 4 and 5 of a line of mountinfo. Return: the inode number of a network namespace, or 0 */
static u32 mount_of(char *line, char **path)
{
	char *rest = line, *root = NULL;
	const char *at;
	unsigned int i;
	u64 inode;

	for (i = 0; i < 4; i++)
		root = strsep(&rest, " ");
	*path = strsep(&rest, " ");
	if (!*path || strncmp(root, "net:[", 5))
		return 0;
	at = root + 5;
	return scan_u64(&at, &inode) && inode <= UINT_MAX ? inode : 0;
}

/* Runtimes keep namespaces in directories of their own. Spaces in a path are written as \040. */
static void note_mounts(void)
{
	FILE *f = fopen("/proc/thread-self/mountinfo", "re");
	char line[PATH_MAX + 512], *path;
	struct known *k;
	u32 inode;

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		inode = mount_of(line, &path);
		if (!inode || strchr(path, '\\'))
			continue;
		k = get_known(inode);
		set_path(k, path);
	}
	fclose(f);
}

/* ---- what they are called ---- */

/* A runtime's plugin calls them cni-NUMBER: the pod says more. */
static bool is_made_up(const char *name)
{
	return !strncmp(name, "cni-", 4) || !strncmp(name, "netns-", 6);
}

static void note_names(void)
{
	char path[PATH_MAX];
	DIR *dir = opendir(DIRECTORY);
	const struct dirent *d;
	struct stat st;
	struct known *k;

	if (!dir)
		return;
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.' || fstatat(dirfd(dir), d->d_name, &st, 0))
			continue;
		snprintf(path, sizeof(path), "%s/%s", DIRECTORY, d->d_name);
		k = get_known(st.st_ino);
		set_path(k, path);
		if (!is_made_up(d->d_name) || k->source > BY_CONTAINER)
			netns_set_name(k, BY_IP_NETNS, "%s", d->d_name);
	}
	closedir(dir);
}

/* Of two with one name, the number tells. */
static void part_equals(void)
{
	struct list_node *n, *m;
	struct known *k, *other;
	char name[NETNS_NAME];

	for_each_known(k, n) {
		bool twice = false;

		if (k->scan != scans || k->source <= BY_IP_NETNS)
			continue;
		snprintf(name, sizeof(name), "%s", k->ns.name);
		for_each_known(other, m) {
			if (other == k || other->scan != scans || strcmp(other->ns.name, name))
				continue;
			twice = true;
			if (other->source > BY_IP_NETNS)
				netns_set_name(other, other->source, "%.100s@%u", name,
					       other->ns.inode);
		}
		if (twice)
			netns_set_name(k, k->source, "%.100s@%u", name, k->ns.inode);
	}
}

void netns_scan(void)
{
	struct list_node *n;
	struct known *k;

	scans++;
	find_host();
	note_processes();
	note_mounts();
	for_each_known(k, n)
		if (k->scan == scans)
			netns_name_known(k);
	note_names();
	if (host)
		netns_set_name(get_known(host), BY_HOST, "host");
	part_equals();
}

/* ---- questions ---- */

static struct known *known_of(u32 inode)
{
	struct known *k = find_known(inode);

	if (k && k->ns.name[0])
		return k;
	netns_scan();
	k = find_known(inode);
	if (k)
		return k;
	k = get_known(inode);
	k->scan = 0;		/* no scan has found it */
	netns_set_name(k, BY_INODE, "%u", inode);
	return k;
}

const struct netns *netns_of(u32 inode)
{
	return &known_of(inode)->ns;
}

const struct netns *netns_here(void)
{
	u32 inode = inode_of(NETNS_SELF);

	/* Mostly, it is the host's: for that, nobody need look at every process. */
	if (!find_known(inode)) {
		find_host();
		if (inode == host)
			netns_set_name(get_known(inode), BY_HOST, "host");
	}
	return netns_of(inode);
}

bool netns_is_there(const struct netns *ns)
{
	return container_of(ns, struct known, ns)->scan == scans;
}

void netns_each(void (*fn)(const struct netns *ns, void *arg), void *arg)
{
	struct list_node *n;
	struct known *k;

	for_each_known(k, n)
		if (k->scan == scans)
			fn(&k->ns, arg);
}

static void print_name(const struct netns *ns, void *arg)
{
	(void)arg;
	puts(ns->name);
}

void netns_print(void)
{
	netns_scan();
	netns_each(print_name, NULL);
}

/* ---- by a word ---- */

static const struct netns *find_by_path(const char *path, const char *word)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st = { 0 };
	struct known *k;
	bool is_netns;

	if (fd < 0) {
		fail("network namespace '%s': %s", word, strerror(errno));
		return NULL;
	}
	is_netns = ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET && !fstat(fd, &st);
	close(fd);
	if (!is_netns) {
		fail("network namespace '%s': that is not a network namespace", word);
		return NULL;
	}
	k = known_of(st.st_ino);
	if (!k->path && !k->pid)
		set_path(k, path);
	return &k->ns;
}

/* Its name, its pod's UID, or the beginning of its container's id. */
static bool is_called(const struct known *k, const char *word)
{
	size_t len = strlen(word);

	if (!strcmp(k->ns.name, word) || (k->container.pod[0] && !strcmp(k->container.pod, word)))
		return true;
	return len >= 6 && !strncmp(k->container.id, word, len);
}

static const struct netns *find_by_number(u64 number, const char *word)
{
	struct known *k = find_known(number);
	char path[64];

	if (k)
		return &k->ns;
	snprintf(path, sizeof(path), "/proc/%llu/ns/net", (unsigned long long)number);
	return inode_of(path) ? find_by_path(path, word) : NULL;
}

static void fail_as_nothing(const char *word)
{
	fail("no network namespace '%s': give a name that tcpfsm states -A shows, a container's id, a path, a process id or an inode number",
	     word);
}

const struct netns *netns_find(const char *word)
{
	const struct netns *found = NULL;
	char path[PATH_MAX];
	struct list_node *n;
	struct known *k;
	u64 number;

	if (strchr(word, '/'))
		return find_by_path(word, word);
	snprintf(path, sizeof(path), "%s/%s", DIRECTORY, word);
	if (*word && *word != '.' && inode_of(path))
		return find_by_path(path, word);
	netns_scan();
	for_each_known(k, n) {
		if (!is_called(k, word))
			continue;
		if (found) {
			fail("'%s' may mean several network namespaces: %s, %s", word, found->name,
			     k->ns.name);
			return NULL;
		}
		found = &k->ns;
	}
	if (!found && read_u64(word, 1, ~0U, &number))
		found = find_by_number(number, word);
	if (!found)
		fail_as_nothing(word);
	return found;
}
