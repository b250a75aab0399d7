/* SPDX-License-Identifier: GPL-2.0 */
/* The processes that hold sockets, as /proc shows them. */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include "data/process.h"

/*
 * /proc is read at the first question, and again after processes_forget(). Return: the first of
 * several; NULL: no process holds it, or none that this user may see.
 */
const struct process *process_of(u32 inode);
/* Reads /proc now, unless it has been read. */
void processes_read(void);
void processes_forget(void);

/* A process's command, of printable ASCII, into PROCESS_NAME bytes; "?" if it has gone. */
void process_name(char *name, int pid);

#endif
