// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/memory.h"
#include "lib/number.h"
#include "record/files.h"
#include "record/format.h"

#define TIME_FORMAT	"%Y%m%dT%H%M%S"

char *files_name(char *buf, u64 begin)
{
	time_t seconds = begin / NSEC;
	struct tm tm;
	size_t len;

	gmtime_r(&seconds, &tm);
	len = strftime(buf, FILES_NAME, TIME_FORMAT, &tm);
	snprintf(buf + len, FILES_NAME - len, ".%09uZ" FILE_SUFFIX, (unsigned int)(begin % NSEC));
	return buf;
}

/* Return: 0 if the name is none */
static u64 time_of_name(const char *name)
{
	struct tm tm = { 0 };
	const char *rest = strptime(name, TIME_FORMAT, &tm);
	u64 ns;

	if (!rest || *rest++ != '.' || !scan_u64(&rest, &ns) || ns >= NSEC ||
	    strcmp(rest, "Z" FILE_SUFFIX))
		return 0;
	return timegm(&tm) * NSEC + ns;
}

static int by_begin(const void *a, const void *b)
{
	const struct record_file *x = a, *y = b;

	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

int files_list(const char *path, struct record_file **files)
{
	DIR *dir = opendir(path);
	struct record_file *list = NULL;
	const struct dirent *d;
	struct stat st;
	int n = 0;
	u64 begin;

	*files = NULL;
	if (!dir)
		return -errno;
	while ((d = readdir(dir))) {
		begin = time_of_name(d->d_name);
		if (!begin || fstatat(dirfd(dir), d->d_name, &st, 0) || !S_ISREG(st.st_mode))
			continue;
		list = array_grow(list, n, sizeof(*list));
		list[n].begin = begin;
		list[n].size = st.st_size;
		if (asprintf(&list[n].path, "%s/%s", path, d->d_name) < 0)
			out_of_memory();
		n++;
	}
	closedir(dir);
	if (n)
		qsort(list, n, sizeof(*list), by_begin);
	*files = list;
	return n;
}

void files_free(struct record_file *files, int n)
{
	while (n-- > 0)
		free(files[n].path);
	free(files);
}
