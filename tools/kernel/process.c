// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/process.h"
#include "lib/memory.h"

static struct process *process;
static size_t nr_processes;
static bool is_read;

static void add_process(u32 inode, int pid, int fd, const char *name)
{
	process = array_grow(process, nr_processes, sizeof(*process));
	process[nr_processes] = (struct process){ .inode = inode, .pid = pid, .fd = fd };
	snprintf(process[nr_processes++].name, sizeof(process->name), "%s", name);
}

void process_name(char *name, int pid)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	snprintf(name, PROCESS_NAME, "?");
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(name, PROCESS_NAME, f))
		name[strcspn(name, "\n")] = '\0';
	fclose(f);
	/* Control characters in a name could be meant for the terminal. */
	for (; *name; name++)
		if (*name < ' ' || *name > '~')
			*name = '?';
}

static void read_sockets(const char *pid)
{
	char path[300], link[64], name[PROCESS_NAME] = "";
	static const char kind[] = "socket:[";
	struct dirent *d;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((d = readdir(dir))) {
		len = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);
		if (len <= 0)
			continue;
		link[len] = '\0';
		if (strncmp(link, kind, strlen(kind)))
			continue;
		if (!*name)
			process_name(name, strtol(pid, NULL, 10));
		add_process(strtoul(link + strlen(kind), NULL, 10), strtol(pid, NULL, 10),
			    strtol(d->d_name, NULL, 10), name);
	}
	closedir(dir);
}

static int by_inode(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode ? 1 : x->pid - y->pid;
}

void processes_read(void)
{
	struct dirent *d;
	DIR *dir;

	if (is_read)
		return;
	is_read = true;
	dir = opendir("/proc");
	if (!dir)
		return;
	while ((d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]))
			read_sockets(d->d_name);
	closedir(dir);
	qsort(process, nr_processes, sizeof(*process), by_inode);
}

void processes_forget(void)
{
	nr_processes = 0;
	is_read = false;
}

const struct process *process_of(u32 inode)
{
	size_t low = 0, high, middle;

	processes_read();
	for (high = nr_processes; low < high;) {
		middle = (low + high) / 2;
		if (process[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return inode && low < nr_processes && process[low].inode == inode ? &process[low] : NULL;
}
