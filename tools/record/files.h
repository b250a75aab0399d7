/* SPDX-License-Identifier: GPL-2.0 */
/* The files of a record in a directory; their names are the time when they begin, in UTC. */
#ifndef RECORD_FILES_H
#define RECORD_FILES_H

#include "lib/base.h"

struct record_file {
	char *path;
	u64 begin;		/* ns since 1970 */
	u64 size;		/* bytes */
};

/* The oldest first. Return: how many, or a negative errno */
int files_list(const char *dir, struct record_file **files);
void files_free(struct record_file *files, int n);

#define FILES_NAME	48
/* Of a file that begins then. */
char *files_name(char *buf, u64 begin);

#endif
