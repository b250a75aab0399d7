/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Containers, by the cgroup that their runtime puts them into. No daemon is asked. A user to whom a
 * part of the tree is delegated can call a cgroup there what he likes.
 */
#ifndef KERNEL_CONTAINER_H
#define KERNEL_CONTAINER_H

#include <stdbool.h>

#include "lib/base.h"

#define CONTAINER_ID	80

struct container {
	char runtime[16];	/* "docker", "podman", "containerd", "crio", "lxc", "machine", "" */
	char id[CONTAINER_ID];	/* 64 hexadecimal digits, or the name that lxc and machined use */
	char pod[CONTAINER_ID];	/* the UID of the Kubernetes pod, or "" */
};

/*
 * From the path of a cgroup, as in /proc/PID/cgroup: "/system.slice/docker-ID.scope".
 * Return: false if it is that of no container
 */
bool container_of_cgroup(struct container *c, const char *path);
/* The container that a process is in. Return: false if it is in none, or has gone */
bool container_of_process(struct container *c, int pid);

#endif
