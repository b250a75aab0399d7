/* SPDX-License-Identifier: GPL-2.0 */
/* Bytes that grow at their end. */
#ifndef LIB_BUFFER_H
#define LIB_BUFFER_H

#include <string.h>

#include "lib/base.h"

struct buffer {
	char *data;
	size_t len, size;
};

void buffer_grow(struct buffer *b, size_t n);
void buffer_free(struct buffer *b);

/* Room for @n bytes behind those that are there; the caller adds to len what it fills. */
static inline char *buffer_room(struct buffer *b, size_t n)
{
	if (b->len + n > b->size)
		buffer_grow(b, n);
	return b->data + b->len;
}

static inline void buffer_put(struct buffer *b, const char *s, size_t n)
{
	memcpy(buffer_room(b, n), s, n);
	b->len += n;
}

static inline void buffer_char(struct buffer *b, char c)
{
	*buffer_room(b, 1) = c;
	b->len++;
}

#endif
