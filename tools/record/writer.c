// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/list.h"
#include "lib/live.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "record/block.h"
#include "record/check.h"
#include "record/codec.h"
#include "record/files.h"
#include "record/index.h"
#include "record/writer.h"

#define LEVEL		1		/* of zstd: a higher one takes longer and gains a tenth */
#define BLOCK_MOVES	65536		/* and no more than that */
#define WAITING_MOST	16		/* blocks; beyond that the disk is too slow */
#define FILES		16		/* that the limits are divided into */
#define FILE_LEAST	(4U << 10)
#define FILE_MOST	(256U << 20)
#define FILE_SPAN	(3600 * NSEC)
#define TOO_SLOW	1		/* for an errno: the disk does not keep up */
#define LOCK_NAME	"lock"

struct waiting {
	struct block block;
	struct list_node node;
	struct waiting *below;		/* in the stack of spare ones */
};

struct recorder {
	struct recorder_words words;
	char *dir;			/* of the files; NULL: there is one file */
	int lock;			/* held while it writes, -1: none */
	struct waiting *filling;	/* NULL: nothing has come */
	u64 since;			/* that began, CLOCK_MONOTONIC */
	u64 lost;			/* not written, and not in the record yet as a loss */
	u64 failed;			/* not written since the last write that went well */

	pthread_t thread;
	pthread_mutex_t mutex;		/* of what follows, up to the empty line */
	pthread_cond_t cond;
	struct list queue;
	struct waiting *spare;		/* empty blocks, whose memory is used again */
	unsigned int waiting;
	bool ends;
	int err;			/* of the last write that failed; 0: it has been told */
	bool failing;			/* the last block was not written */
	bool again;			/* the last block was, after others were not */
	u64 unwritten;			/* transitions and ends, to be added to lost */
	u64 untold;			/* likewise: losses that were told in what is lost itself */

	/* The thread's own: */
	int fd;				/* -1: none is open */
	u64 begin, size;		/* of the file */
	struct codec codec;
	struct buffer body, out;
	ZSTD_CCtx *zstd;
};

/* ---- the thread: files ---- */

static int sync_directory(const struct recorder *r)
{
	int fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = fsync(fd) ? -errno : 0;
	close(fd);
	return err;
}

static u64 size_limit_of_file(const struct recorder *r)
{
	u64 size = r->words.size / FILES;

	if (!size || size > FILE_MOST)
		return FILE_MOST;
	return size < FILE_LEAST ? FILE_LEAST : size;
}

static u64 time_limit_of_file(const struct recorder *r)
{
	u64 span = r->words.keep / FILES;

	return span && span < FILE_SPAN ? span : FILE_SPAN;
}

/* A file ends where the next begins. */
static bool is_too_old(const struct recorder *r, const struct record_file *f, u64 now)
{
	return r->words.keep && f[1].begin + r->words.keep < now;
}

/*
 * Removes the oldest files that the limits leave no room for; never the one that is written. Files
 * from the future are of a clock that was wrong, and go first.
 */
static void remove_old(const struct recorder *r, u64 now)
{
	struct record_file *files;
	int n = files_list(r->dir, &files), i, future;
	u64 size = 0;

	for (i = 0; i < n; i++)
		size += files[i].size;
	for (future = 1; future >= 0; future--) {
		for (i = 0; i < n; i++) {
			bool is_future = files[i].begin > now;

			if (files[i].begin == r->begin || is_future != future)
				continue;
			if ((future || i + 1 == n || !is_too_old(r, &files[i], now)) &&
			    (!r->words.size || size <= r->words.size))
				continue;
			if (!unlink(files[i].path))
				size -= files[i].size;
		}
	}
	if (n > 0)
		files_free(files, n);
}

static int write_all(int fd, const char *p, size_t n)
{
	ssize_t done;

	for (; n; p += done, n -= done) {
		done = write(fd, p, n);
		if (done < 0 && errno != EINTR)
			return -errno;
		if (done < 0)
			done = 0;
	}
	return 0;
}

static void close_file(struct recorder *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

/* @how: O_EXCL or O_TRUNC, for a file that is there already */
static int begin_file(struct recorder *r, const char *path, int how)
{
	r->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0640);
	if (r->fd < 0)
		return -errno;
	r->size = strlen(FILE_MAGIC);
	return write_all(r->fd, FILE_MAGIC, r->size);
}

/* Somebody has removed the file, and perhaps the directory. */
static bool is_removed(const struct recorder *r)
{
	struct stat st;

	return r->fd >= 0 && !fstat(r->fd, &st) && !st.st_nlink;
}

/* So that a block of this time can be written. */
static int have_file(struct recorder *r, u64 now)
{
	char name[FILES_NAME];
	char *path;
	int err;

	if (!r->dir)
		return r->fd < 0 ? -EBADF : 0;
	if (is_removed(r)) {
		close_file(r);
		if (mkdir(r->dir, 0750) && errno != EEXIST)
			return -errno;
	}
	if (r->fd >= 0 && r->size < size_limit_of_file(r) &&
	    now - r->begin < time_limit_of_file(r))
		return 0;
	close_file(r);
	r->begin = now;
	if (asprintf(&path, "%s/%s", r->dir, files_name(name, now)) < 0)
		out_of_memory();
	remove_old(r, now);		/* a full disk has room then */
	err = begin_file(r, path, O_EXCL);
	if (err && r->fd >= 0) {
		unlink(path);
		close_file(r);
	} else if (!err) {
		err = sync_directory(r);
	}
	free(path);
	return err;
}

/* ---- the thread: blocks ---- */

static void pack_whole(struct recorder *r, const struct block *b)
{
	struct block_head head = {
		.magic = BLOCK_MAGIC, .first = b->first, .last = b->last,
	};
	size_t room, n;

	r->body.len = 0;
	r->out.len = 0;
	block_pack(b, &r->codec, &r->body);
	buffer_put(&r->out, (char *)&head, sizeof(head));
	index_pack(b, &r->out);
	head.index = r->out.len - sizeof(head);
	head.size = r->body.len;
	room = ZSTD_compressBound(r->body.len);
	n = ZSTD_compressCCtx(r->zstd, buffer_room(&r->out, room), room, r->body.data, r->body.len,
			      LEVEL);
	if (ZSTD_isError(n))
		out_of_memory();	/* there is no other reason */
	r->out.len += n;
	head.packed = n;
	head.body_check = crc32_z(0, (u8 *)r->out.data + sizeof(head) + head.index, n);
	head.check = block_check(&head, (u8 *)r->out.data + sizeof(head));
	memcpy(r->out.data, &head, sizeof(head));
}

static int write_block(struct recorder *r, const struct block *b)
{
	int err = have_file(r, clock_of_day());

	if (err)
		return err;
	pack_whole(r, b);
	err = write_all(r->fd, r->out.data, r->out.len);
	if (!err && fdatasync(r->fd) && errno != EINVAL && errno != ENOTSUP)
		err = -errno;
	if (!err) {
		r->size += r->out.len;
		return 0;
	}
	/* No half of a block stays. */
	if (ftruncate(r->fd, r->size) || lseek(r->fd, r->size, SEEK_SET) < 0)
		close_file(r);
	return err;
}

static struct waiting *first_waiting(const struct recorder *r)
{
	struct list_node *n = list_first(&r->queue);

	return n ? container_of(n, struct waiting, node) : NULL;
}

static void free_waiting(struct waiting *w)
{
	if (w)
		block_free(&w->block);
	free(w);
}

static u64 weight_of(const struct block *b)
{
	return b->move.n + b->end.n;
}

static void note_result(struct recorder *r, const struct block *b, int err)
{
	size_t i;

	if (err) {
		r->err = err;
		r->unwritten += weight_of(b);
		for (i = 0; i < b->loss.n; i++)
			r->untold += b->loss.at[i].count;
	} else if (r->failing) {
		r->again = true;
	}
	r->failing = err;
}

static void *write_blocks(void *arg)
{
	struct recorder *r = arg;
	struct waiting *w;
	int err;

	pthread_mutex_lock(&r->mutex);
	for (;;) {
		w = first_waiting(r);
		if (!w && r->ends)
			break;
		if (!w) {
			pthread_cond_wait(&r->cond, &r->mutex);
			continue;
		}
		list_remove(&w->node);
		pthread_mutex_unlock(&r->mutex);
		err = write_block(r, &w->block);
		pthread_mutex_lock(&r->mutex);
		r->waiting--;
		note_result(r, &w->block, err);
		block_reset(&w->block);
		w->below = r->spare;
		r->spare = w;
	}
	pthread_mutex_unlock(&r->mutex);
	return NULL;
}

/* ---- the caller's side ---- */

static bool lock_directory(struct recorder *r)
{
	int dir = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir >= 0) {
		r->lock = openat(dir, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
		close(dir);
	}
	if (r->lock < 0)
		fail("%s: cannot record to '%s': %s", r->words.verb, r->dir, strerror(errno));
	else if (flock(r->lock, LOCK_EX | LOCK_NB))
		fail("%s: another recorder writes to '%s'", r->words.verb, r->dir);
	else
		return true;
	return false;
}

static bool open_target(struct recorder *r)
{
	int err;

	if (!r->words.is_file) {
		r->dir = string_copy(r->words.path);
		if (!mkdir(r->dir, 0750) || errno == EEXIST)
			return lock_directory(r);
		fail("%s: cannot make the directory '%s': %s", r->words.verb, r->dir,
		     strerror(errno));
		return false;
	}
	err = begin_file(r, r->words.path, O_TRUNC);
	if (err)
		fail("%s: cannot record to '%s': %s", r->words.verb, r->words.path, strerror(-err));
	return !err;
}

static void recorder_free(struct recorder *r)
{
	struct waiting *w;

	free_waiting(r->filling);
	while ((w = r->spare)) {
		r->spare = w->below;
		free_waiting(w);
	}
	close_file(r);
	if (r->lock >= 0)
		close(r->lock);
	free(r->dir);
	codec_free(&r->codec);
	buffer_free(&r->body);
	buffer_free(&r->out);
	ZSTD_freeCCtx(r->zstd);
	free(r);
}

/* Signals are the caller's. Return: 0 or an errno */
static int start_thread(struct recorder *r)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&r->thread, NULL, write_blocks, r);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

struct recorder *recorder_open(const struct recorder_words *words)
{
	struct recorder *r = zalloc(sizeof(*r));
	int err;

	r->words = *words;
	r->fd = -1;
	r->lock = -1;
	r->zstd = ZSTD_createCCtx();
	if (!r->zstd)
		out_of_memory();
	pthread_mutex_init(&r->mutex, NULL);
	pthread_cond_init(&r->cond, NULL);
	if (!open_target(r)) {
		recorder_free(r);
		return NULL;
	}
	err = start_thread(r);
	if (!err)
		return r;
	fail("%s: cannot start a thread: %s", words->verb, strerror(err));
	recorder_free(r);
	return NULL;
}

/* Tells what the thread met, and takes over what it could not write. */
static void hear_thread(struct recorder *r)
{
	u64 unwritten, untold;
	bool again;
	int err;

	pthread_mutex_lock(&r->mutex);
	err = r->err;
	again = r->again;
	r->err = 0;
	r->again = false;
	unwritten = r->unwritten;
	r->unwritten = 0;
	untold = r->untold;
	r->untold = 0;
	pthread_mutex_unlock(&r->mutex);
	r->lost += unwritten + untold;
	if (err && !r->failed)
		note("%s: cannot write to '%s': %s; what is not written is lost until that changes",
		     r->words.verb, r->words.path,
		     err == TOO_SLOW ? "it is too slow" : strerror(-err));
	r->failed += unwritten;
	if (again) {
		note("%s: writes to '%s' again; %llu transitions and ends were lost",
		     r->words.verb, r->words.path, (unsigned long long)r->failed);
		r->failed = 0;
	}
}

static struct block *get_block(struct recorder *r)
{
	const struct loss loss = { .group = "record", .count = r->lost, .cpu = -1 };

	if (r->filling)
		return &r->filling->block;
	pthread_mutex_lock(&r->mutex);
	r->filling = r->spare;
	if (r->filling)
		r->spare = r->filling->below;
	pthread_mutex_unlock(&r->mutex);
	if (!r->filling)
		r->filling = zalloc(sizeof(*r->filling));
	r->since = clock_now();
	if (r->lost)
		block_add_loss(&r->filling->block, &loss, clock_of_day());
	r->lost = 0;
	return &r->filling->block;
}

void recorder_pass(struct recorder *r)
{
	struct waiting *w = r->filling;

	if (!w)
		return;
	r->filling = NULL;
	pthread_mutex_lock(&r->mutex);
	if (r->waiting < WAITING_MOST) {
		list_append(&r->queue, &w->node);
		r->waiting++;
		w = NULL;
		pthread_cond_signal(&r->cond);
	} else {
		note_result(r, &w->block, TOO_SLOW);
	}
	pthread_mutex_unlock(&r->mutex);
	free_waiting(w);
}

/* A burst does not wait for the second. */
static void pass_if_full(struct recorder *r)
{
	if (weight_of(&r->filling->block) >= BLOCK_MOVES)
		recorder_pass(r);
}

bool recorder_tick(struct recorder *r)
{
	hear_thread(r);
	return r->filling && clock_now() - r->since >= NSEC;
}

void recorder_event(struct recorder *r, const struct flow *f, const struct event *e)
{
	block_add_event(get_block(r), f, e);
	pass_if_full(r);
}

void recorder_end(struct recorder *r, const struct flow *f)
{
	block_add_end(get_block(r), f);
	pass_if_full(r);
}

void recorder_loss(struct recorder *r, const struct loss *l)
{
	block_add_loss(get_block(r), l, clock_of_day());
}

void recorder_counter(struct recorder *r, const struct netns *ns, const char *name, u64 growth)
{
	block_add_growth(get_block(r), ns, name, growth, clock_of_day());
}

bool recorder_close(struct recorder *r)
{
	bool whole;

	recorder_pass(r);
	pthread_mutex_lock(&r->mutex);
	r->ends = true;
	pthread_cond_signal(&r->cond);
	pthread_mutex_unlock(&r->mutex);
	pthread_join(r->thread, NULL);
	hear_thread(r);
	whole = !r->lost;
	if (!whole)
		fail("%s: the record in '%s' is not whole: its last %llu transitions and ends are missing",
		     r->words.verb, r->words.path, (unsigned long long)r->lost);
	recorder_free(r);
	return whole;
}
