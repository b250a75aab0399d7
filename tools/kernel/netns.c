// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel/container.h"
#include "kernel/netns.h"
#include "kernel/process.h"
#include "lib/list.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/number.h"

#define DIRECTORY	"/run/netns"
#define SELF		"/proc/thread-self/ns/net"
#define INIT_PID_NS	0xEFFFFFFCU	/* the inode number of the initial process namespace */
#define SHORT_ID	12		/* digits of a container's, as its runtime shows it */
#define SHORT_POD	8		/* of a pod's UID */

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

/* They are as many as there were at a time: the kernel uses the numbers again. */
static struct list all;
static unsigned int scans;
static u32 host;		/* the initial one's inode number, or 0: this is a container */

#define for_each_known(k, n) \
	for (n = list_first(&all); \
	     n && (k = container_of(n, struct known, node)); \
	     n = n->after == &all.head ? NULL : n->after)

static u32 inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_ino;
}

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

	if (!dir)
		return;
	while ((d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]))
			note_process(atoi(d->d_name));
	closedir(dir);
}

/* Runtimes keep namespaces in directories of their own. Spaces in a path are written as \040. */
static void note_mounts(void)
{
	char line[PATH_MAX + 512], path[PATH_MAX];
	FILE *f = fopen("/proc/thread-self/mountinfo", "re");
	struct known *k;
	u32 inode;

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s net:[%u] %4095s", &inode, path) != 2 ||
		    strchr(path, '\\'))
			continue;
		k = get_known(inode);
		set_path(k, path);
	}
	fclose(f);
}

/* ---- what they are called ---- */

static void set_name(struct known *k, enum source by, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* What a user may have chosen could be meant for the terminal, or for who reads the output. */
static void set_name(struct known *k, enum source by, const char *fmt, ...)
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
		set_name(k, BY_CONTAINER, "%s", name.nodename);
	else if (c->pod[0])
		set_name(k, BY_CONTAINER, "pod-%.*s", SHORT_POD, c->pod);
	else if (!strcmp(c->runtime, "lxc") || !strcmp(c->runtime, "machine"))
		set_name(k, BY_CONTAINER, "%s", c->id);
	else
		set_name(k, BY_CONTAINER, "%s-%.*s", c->runtime[0] ? c->runtime : "container",
			 SHORT_ID, c->id);
}

static void set_name_of_process(struct known *k)
{
	char name[PROCESS_NAME];

	process_name(name, k->pid);
	set_name(k, BY_PROCESS, "%s-%d", name, k->pid);
}

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
			set_name(k, BY_IP_NETNS, "%s", d->d_name);
	}
	closedir(dir);
}

static void name_known(struct known *k)
{
	set_name(k, BY_INODE, "%u", k->ns.inode);
	if (!k->pid)
		return;
	if (container_of_process(&k->container, k->pid))
		set_name_of_container(k);
	else
		set_name_of_process(k);
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
				set_name(other, other->source, "%.100s@%u", name, other->ns.inode);
		}
		if (twice)
			set_name(k, k->source, "%.100s@%u", name, k->ns.inode);
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
			name_known(k);
	note_names();
	if (host)
		set_name(get_known(host), BY_HOST, "host");
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
	set_name(k, BY_INODE, "%u", inode);
	return k;
}

const struct netns *netns_of(u32 inode)
{
	return &known_of(inode)->ns;
}

const struct netns *netns_here(void)
{
	u32 inode = inode_of(SELF);

	/* Mostly, it is the host's: for that, nobody need look at every process. */
	if (!find_known(inode)) {
		find_host();
		if (inode == host)
			set_name(get_known(inode), BY_HOST, "host");
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

/* ---- getting into one ---- */

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

	if (inode_of(SELF) == ns->inode)
		return open_checked(SELF, ns->inode);
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

	if (ns && inode_of(SELF) != ns->inode) {
		home = open(SELF, O_RDONLY | O_CLOEXEC);
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
