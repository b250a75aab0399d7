/* SPDX-License-Identifier: GPL-2.0 */
/* A process that has a socket among its files. */
#ifndef DATA_PROCESS_H
#define DATA_PROCESS_H

#include "lib/base.h"

#define PROCESS_NAME	16

struct process {
	u32 inode;		/* of the socket */
	int pid, fd;
	char name[PROCESS_NAME];
};

#endif
