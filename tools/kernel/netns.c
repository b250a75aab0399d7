// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/netns.h"
#include "lib/message.h"

#define DIRECTORY "/run/netns"

static int open_namespace(const char *which)
{
	char path[4096];
	int fd;

	if (strchr(which, '/'))
		return open(which, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/%s", DIRECTORY, which);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && which[strspn(which, "0123456789")] == '\0') {
		snprintf(path, sizeof(path), "/proc/%s/ns/net", which);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	return fd;
}

bool netns_enter(const char *which)
{
	int fd = open_namespace(which);

	if (fd < 0) {
		if (errno == ENOENT)
			fail("no network namespace '%s': give a name that 'ip netns' lists, a path, or a process id",
			     which);
		else
			fail("network namespace '%s': %s", which, strerror(errno));
		return false;
	}
	if (setns(fd, CLONE_NEWNET) < 0) {
		if (errno == EPERM)
			fail("network namespace '%s': entering it needs CAP_SYS_ADMIN; run with sudo",
			     which);
		else
			fail("network namespace '%s': %s", which,
			     errno == EINVAL ? "that is not a network namespace" : strerror(errno));
		close(fd);
		return false;
	}
	close(fd);
	return true;
}

static DIR *open_directory(void)
{
	return opendir(DIRECTORY);
}

static const struct dirent *next_name(DIR *dir)
{
	const struct dirent *d;

	do {
		d = readdir(dir);
	} while (d && d->d_name[0] == '.');
	return d;
}

const char *netns_name(char *buf, u32 inode)
{
	const struct dirent *d;
	const char *found = NULL;
	DIR *dir = open_directory();
	struct stat st;

	if (!dir)
		return NULL;
	while (!found && (d = next_name(dir))) {
		if (fstatat(dirfd(dir), d->d_name, &st, 0) || st.st_ino != inode)
			continue;
		snprintf(buf, NETNS_NAME, "%s", d->d_name);
		found = buf;
	}
	closedir(dir);
	return found;
}

void netns_print(void)
{
	const struct dirent *d;
	DIR *dir = open_directory();

	if (!dir)
		return;
	while ((d = next_name(dir)))
		puts(d->d_name);
	closedir(dir);
}
