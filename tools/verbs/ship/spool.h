/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rows on disk until they are delivered: files in a directory, which a writer fills and a sender
 * (another thread, or the next run) empties, oldest first. A file is named RUN-NUMBER-ROWS.TABLE:
 * RUN is when its writer started (ns since 1970), ROWS is how many rows it has. While it is being
 * written, it is called RUN-NUMBER.TABLE.part. A file that the server will never take ends in
 * .refused and stays for somebody to look at, as long as there is room.
 */
#ifndef VERBS_SHIP_SPOOL_H
#define VERBS_SHIP_SPOOL_H

#include <stdio.h>

#include "lib/base.h"

#define SPOOL_NAME	128

struct spool;

/*
 * Takes over a directory, which is made if its parent exists. What a writer left that died becomes
 * deliverable. @limit: bytes that the files may take; above it the oldest go, except those of the
 * last table, which tells of the loss.
 * Return: NULL, and said why.
 */
struct spool *spool_open(const char *dir, u64 run, u64 limit, const char *const *tables,
			 unsigned int nr_tables);
/* Files that wait stay. */
void spool_close(struct spool *s);

/* Where to write one more row of a table, which ends with a newline. If there is none, it exits. */
FILE *spool_row(struct spool *s, unsigned int table);
/* What was written so far may be sent. Return: rows of older files that had to make room */
u64 spool_deliver(struct spool *s);
/* Is a file that is being written large enough for a delivery? */
bool spool_is_full(const struct spool *s);

/* The sender's half: these touch nothing but the directory. */

/* The oldest file that waits. Return: false if none does */
bool spool_oldest(const struct spool *s, char *name);
/* Return: NULL, and errno; ENOENT: it had to make room */
FILE *spool_read(const struct spool *s, const char *name, u64 *size);
/* Does it hold as many rows as its name tells, and nothing else? */
bool spool_is_whole(const char *name, FILE *file);
/* Removes a file, or marks it as refused. Return: false, and errno, if that failed */
bool spool_delivered(const struct spool *s, const char *name);
bool spool_refused(const struct spool *s, const char *name);
u64 spool_waiting(const struct spool *s);

/* The TABLE in a file's name. */
const char *spool_table(const char *name);

#endif
