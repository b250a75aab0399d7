/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rows on disk until they are delivered: files in a directory, which a writer fills and a sender
 * (another thread, or the next run) empties, oldest first. A file is named
 * RUN-NUMBER-ROWS.TABLE: RUN is when its writer started (ns since 1970), ROWS how many it has.
 * While it is written it is called RUN-NUMBER.TABLE.part; one that the server will never take ends
 * in .refused and is left for somebody to look at, as long as there is room.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdio.h>

#include "lib/base.h"

#define SPOOL_NAME	128

struct spool;

/*
 * Take a directory (made if its parent is there) over; what a writer that died left becomes
 * deliverable. @limit: bytes that files may take; above it the oldest go, but for those of the last
 * table, which is to tell of it.
 * Return: NULL, and said why.
 */
struct spool *spool_open(const char *dir, u64 run, u64 limit, const char *const *tables,
			 unsigned int nr_tables);
/* What waits stays. */
void spool_close(struct spool *s);

/* For one row more of a table, which ends with a newline. Does not return without one. */
FILE *spool_row(struct spool *s, unsigned int table);
/* What was written so far may be sent. Return: rows of older files that had to go for it */
u64 spool_deliver(struct spool *s);
/* Has a file that is written to reached a size that is worth a delivery? */
bool spool_is_full(const struct spool *s);

/* The sender's half; these touch nothing but the directory. */

/* The oldest that waits. Return: false: none */
bool spool_oldest(const struct spool *s, char *name);
/* Return: NULL, and errno; ENOENT: it went to make room */
FILE *spool_read(const struct spool *s, const char *name, u64 *size);
/* Has it the rows that its name tells, whole ones? */
bool spool_is_whole(const char *name, FILE *file);
/* Return: false, and errno, if it is there still */
bool spool_delivered(const struct spool *s, const char *name);
bool spool_refused(const struct spool *s, const char *name);
u64 spool_waiting(const struct spool *s);

/* TABLE of a file's name */
const char *spool_table(const char *name);

#endif
