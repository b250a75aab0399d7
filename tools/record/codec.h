/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The columns of a block, written or read: one function for each thing that is recorded does both,
 * so that they cannot differ.
 */
#ifndef RECORD_CODEC_H
#define RECORD_CODEC_H

#include "lib/buffer.h"
#include "record/format.h"

struct codec {
	bool reads;
	bool bad;			/* what is read is not what was written */
	struct buffer column[COLUMNS];	/* while it writes */
	struct {
		const u8 *at, *end;
	} left[COLUMNS];		/* while it reads */
	/* What the next value differs from little. */
	u64 id, when, start;
	size_t nr_netns;		/* of the block: an index is below */
};

/* Begins to read a body, which lasts as long as that. */
void codec_read(struct codec *c, const void *body, size_t len);
/* The body that was written. */
void codec_finish(const struct codec *c, struct buffer *body);
/* Empties the columns, and keeps their memory. */
void codec_reset(struct codec *c);
void codec_free(struct codec *c);

void codec_long_uint(struct codec *c, enum column which, u64 *v);

/* Most values take a byte. */
static inline void codec_uint(struct codec *c, enum column which, u64 *v)
{
	if (!c->reads && *v < 0x80)
		buffer_char(&c->column[which], (char)*v);
	else
		codec_long_uint(c, which, v);
}

/* As the difference to *@last, which becomes *@v. */
void codec_delta(struct codec *c, enum column which, u64 *v, u64 *last);
void codec_bytes(struct codec *c, enum column which, void *p, size_t n);

static inline void codec_byte(struct codec *c, enum column which, u8 *v)
{
	if (c->reads)
		codec_bytes(c, which, v, 1);
	else
		buffer_char(&c->column[which], (char)*v);
}

/* @size: of the array; a longer string than it holds is bad. */
void codec_string(struct codec *c, enum column which, char *s, size_t size);

/* An integer of any type; what is read and does not fit is bad. */
#define CODE(c, which, field) do {				\
	u64 value_ = (u64)(field);				\
								\
	codec_uint(c, which, &value_);				\
	(field) = (__typeof__(field))value_;			\
	(c)->bad |= (u64)(field) != value_;			\
} while (0)

#endif
