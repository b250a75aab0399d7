/* SPDX-License-Identifier: GPL-2.0 */
/* The processes that hold sockets, as /proc shows them. */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include "lib/base.h"

/* One that has a socket among its files. */
struct process {
	u32 inode;
	int pid, fd;
	char name[16];
};

/*
 * From what /proc said at the first question since processes_forget(). Return: of several
 * processes the first; NULL: nobody, or not ours to see.
 */
const struct process *process_of(u32 inode);
void processes_forget(void);

#endif
