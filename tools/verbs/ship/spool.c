// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/memory.h"
#include "lib/message.h"
#include "verbs/ship/spool.h"

#define TABLES_MAX	4
#define FULL		(8 << 20)

#define PART		".part"
#define REFUSED		".refused"

struct spool {
	const char *dir;
	int fd;			/* the directory, locked */
	u64 run, limit;
	u64 number;
	const char *const *tables;
	unsigned int nr_tables;
	struct open_file {
		FILE *file;	/* or NULL */
		char name[SPOOL_NAME];
		u64 rows;
	} open[TABLES_MAX];
};

static bool has_suffix(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

const char *spool_table(const char *name)
{
	return strchr(name, '.') + 1;
}

/* ---- the directory ---- */

/* What a file in the directory is; bits of a set */
enum { WRITTEN_TO = 1, WAITS = 2, REFUSED_ONCE = 4, LAST_TABLE = 8 };

/* Return: what a file is; 0: it does not belong to the spool */
static unsigned int kind_of(const struct spool *s, const char *name)
{
	if (*name < '0' || *name > '9' || !strchr(name, '.') || strlen(name) >= SPOOL_NAME)
		return 0;
	if (has_suffix(name, PART))
		return WRITTEN_TO;
	if (has_suffix(name, REFUSED))
		return REFUSED_ONCE;
	if (strlen(name) + sizeof(REFUSED) >= SPOOL_NAME)
		return 0;
	return strcmp(spool_table(name), s->tables[s->nr_tables - 1]) ? WAITS : LAST_TABLE;
}

/* Both threads list the directory, each with a stream of its own. */
static DIR *open_list(const struct spool *s)
{
	int fd = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d && fd >= 0)
		close(fd);
	return d;
}

static bool find_oldest(const struct spool *s, char *name, unsigned int kinds)
{
	const struct dirent *e;
	DIR *d = open_list(s);

	*name = '\0';
	while (d && (e = readdir(d)))
		if (kind_of(s, e->d_name) & kinds && (!*name || strcmp(e->d_name, name) < 0))
			strcpy(name, e->d_name);
	if (d)
		closedir(d);
	return *name;
}

bool spool_oldest(const struct spool *s, char *name)
{
	return find_oldest(s, name, WAITS | LAST_TABLE);
}

/* Return: how many files wait; @bytes: what they and the refused ones take */
static u64 measure_files(const struct spool *s, u64 *bytes)
{
	const struct dirent *e;
	DIR *d = open_list(s);
	unsigned int kind;
	struct stat st;
	u64 n = 0;

	*bytes = 0;
	while (d && (e = readdir(d))) {
		kind = kind_of(s, e->d_name);
		if (!(kind & ~WRITTEN_TO) || fstatat(s->fd, e->d_name, &st, 0))
			continue;
		*bytes += st.st_size;
		n += kind != REFUSED_ONCE;
	}
	if (d)
		closedir(d);
	return n;
}

u64 spool_waiting(const struct spool *s)
{
	u64 bytes;

	return measure_files(s, &bytes);
}

FILE *spool_read(const struct spool *s, const char *name, u64 *size)
{
	int fd = openat(s->fd, name, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	struct stat st;

	if (!file || fstat(fd, &st)) {
		if (file)
			fclose(file);
		else if (fd >= 0)
			close(fd);
		return NULL;
	}
	*size = st.st_size;
	return file;
}

/* The ROWS in a file's name. */
static u64 rows_of(const char *name)
{
	const char *dot = strchr(name, '.'), *dash = memrchr(name, '-', dot - name);

	return dash ? strtoull(dash + 1, NULL, 10) : 0;
}

struct content {
	u64 rows;
	off_t whole, all;	/* bytes: of whole rows, and of everything */
	bool nul;		/* a disk that lost power may have some */
};

static struct content read_content(FILE *file)
{
	struct content r = { 0 };
	int c;

	while ((c = getc(file)) != EOF) {
		r.all++;
		r.nul |= !c;
		if (c == '\n') {
			r.rows++;
			r.whole = r.all;
		}
	}
	rewind(file);
	return r;
}

bool spool_is_whole(const char *name, FILE *file)
{
	struct content r = read_content(file);

	return !r.nul && r.whole == r.all && r.rows == rows_of(name);
}

bool spool_delivered(const struct spool *s, const char *name)
{
	return !unlinkat(s->fd, name, 0) || errno == ENOENT;
}

bool spool_refused(const struct spool *s, const char *name)
{
	char aside[SPOOL_NAME + sizeof(REFUSED)];

	snprintf(aside, sizeof(aside), "%s" REFUSED, name);
	return !renameat(s->fd, name, s->fd, aside) || errno == ENOENT;
}

/* ---- writing ---- */

static void exit_failing(const struct spool *s, const char *what, const char *name)
{
	exit(fail("cannot %s %s/%s: %s", what, s->dir, name, strerror(errno)));
}

static void make_complete(const struct spool *s, const char *part, u64 rows)
{
	char name[2 * SPOOL_NAME];
	const char *dot = strchr(part, '.');

	snprintf(name, sizeof(name), "%.*s-%llu%.*s", (int)(dot - part), part,
		 (unsigned long long)rows, (int)(strlen(dot) - strlen(PART)), dot);
	if (rows ? renameat(s->fd, part, s->fd, name) : unlinkat(s->fd, part, 0))
		exit_failing(s, "rename", part);
}

/* Keeps the whole rows of a file that its writer left unfinished. */
static void finish_part(const struct spool *s, const char *part)
{
	int fd = openat(s->fd, part, O_RDWR | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r+");
	struct content r;

	if (!file)
		exit_failing(s, "read", part);
	r = read_content(file);
	if (ftruncate(fd, r.whole) || fdatasync(fd))
		exit_failing(s, "write to", part);
	fclose(file);
	make_complete(s, part, r.rows);
}

static void finish_parts(const struct spool *s)
{
	const struct dirent *e;
	DIR *d = open_list(s);

	while (d && (e = readdir(d)))
		if (kind_of(s, e->d_name) == WRITTEN_TO)
			finish_part(s, e->d_name);
	if (d)
		closedir(d);
}

struct spool *spool_open(const char *dir, u64 run, u64 limit, const char *const *tables,
			 unsigned int nr_tables)
{
	struct spool *s = zalloc(sizeof(*s));

	*s = (struct spool){ .dir = dir, .run = run, .limit = limit, .tables = tables,
			     .nr_tables = nr_tables };
	mkdir(dir, 0700);	/* rows tell addresses */
	s->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0) {
		fail("cannot spool in '%s': %s", dir, strerror(errno));
	} else if (flock(s->fd, LOCK_EX | LOCK_NB)) {
		fail("cannot spool in '%s': %s", dir,
		     errno == EWOULDBLOCK ? "another ship uses it" : strerror(errno));
		close(s->fd);
	} else {
		finish_parts(s);
		return s;
	}
	free(s);
	return NULL;
}

FILE *spool_row(struct spool *s, unsigned int table)
{
	struct open_file *o = &s->open[table];
	int fd;

	if (!o->file) {
		s->number++;
		snprintf(o->name, sizeof(o->name), "%020llu-%010llu.%s" PART,
			 (unsigned long long)s->run, (unsigned long long)s->number,
			 s->tables[table]);
		fd = openat(s->fd, o->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		o->file = fd < 0 ? NULL : fdopen(fd, "w");
		if (!o->file)
			exit_failing(s, "write to", o->name);
		o->rows = 0;
	}
	o->rows++;
	return o->file;
}

bool spool_is_full(const struct spool *s)
{
	unsigned int i;

	for (i = 0; i < s->nr_tables; i++)
		if (s->open[i].file && ftello(s->open[i].file) > FULL)
			return true;
	return false;
}

/* Return: how many rows are gone */
static u64 drop_oldest(const struct spool *s)
{
	char name[SPOOL_NAME];
	u64 bytes, rows = 0;

	for (;;) {
		measure_files(s, &bytes);
		if (bytes <= s->limit || !find_oldest(s, name, WAITS | REFUSED_ONCE) ||
		    !spool_delivered(s, name))
			break;
		rows += rows_of(name);
	}
	return rows;
}

u64 spool_deliver(struct spool *s)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < s->nr_tables; i++) {
		struct open_file *o = &s->open[i];

		if (!o->file)
			continue;
		if (ferror(o->file) || fflush(o->file) || fdatasync(fileno(o->file)) ||
		    fclose(o->file))
			exit_failing(s, "write to", o->name);
		o->file = NULL;
		any = true;
		make_complete(s, o->name, o->rows);
	}
	if (any && fsync(s->fd))
		exit_failing(s, "write to", ".");
	return drop_oldest(s);
}

void spool_close(struct spool *s)
{
	if (s) {
		close(s->fd);
		free(s);
	}
}
