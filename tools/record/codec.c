// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "record/codec.h"

#define LONGEST_UINT	10	/* bytes */

static char *put_uint(char *p, u64 v)
{
	for (; v > 0x7f; v >>= 7)
		*p++ = (char)(v | 0x80);
	*p++ = (char)v;
	return p;
}

/* Return: false if there is no whole number before @end */
static bool take_uint(const u8 **at, const u8 *end, u64 *v)
{
	unsigned int shift;

	*v = 0;
	for (shift = 0; *at < end && shift < 64; shift += 7) {
		u8 byte = *(*at)++;

		*v |= (u64)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

void codec_long_uint(struct codec *c, enum column which, u64 *v)
{
	struct buffer *to = &c->column[which];

	if (c->reads)
		c->bad |= !take_uint(&c->left[which].at, c->left[which].end, v);
	else
		to->len = put_uint(buffer_room(to, LONGEST_UINT), *v) - to->data;
}

void codec_delta(struct codec *c, enum column which, u64 *v, u64 *last)
{
	u64 zigzag = 0;
	s64 delta;

	if (!c->reads) {
		delta = *v - *last;
		zigzag = (u64)delta << 1 ^ (u64)(delta >> 63);
	}
	codec_uint(c, which, &zigzag);
	if (c->reads)
		*v = *last + (zigzag >> 1 ^ -(zigzag & 1));
	*last = *v;
}

void codec_bytes(struct codec *c, enum column which, void *p, size_t n)
{
	if (!c->reads) {
		buffer_put(&c->column[which], p, n);
	} else if ((size_t)(c->left[which].end - c->left[which].at) < n) {
		c->bad = true;
		memset(p, 0, n);
	} else {
		memcpy(p, c->left[which].at, n);
		c->left[which].at += n;
	}
}

void codec_string(struct codec *c, enum column which, char *s, size_t size)
{
	u64 len = c->reads ? 0 : strnlen(s, size - 1);

	codec_uint(c, which, &len);
	if (len >= size) {
		c->bad = true;
		len = 0;
	}
	codec_bytes(c, which, s, len);
	s[len] = '\0';
	/* It may reach a terminal. */
	while (len)
		c->bad |= s[--len] < ' ' || s[len] > '~';
}

/* ---- bodies ---- */

void codec_finish(const struct codec *c, struct buffer *body)
{
	unsigned int i;

	for (i = 0; i < COLUMNS; i++) {
		body->len = put_uint(buffer_room(body, LONGEST_UINT), c->column[i].len) -
			    body->data;
		if (c->column[i].len)
			buffer_put(body, c->column[i].data, c->column[i].len);
	}
}

/* A later version may have more columns behind these. */
void codec_read(struct codec *c, const void *body, size_t len)
{
	const u8 *at = body, *end = at + len;
	unsigned int i;
	u64 n;

	memset(c, 0, sizeof(*c));
	c->reads = true;
	for (i = 0; i < COLUMNS; i++) {
		if (!take_uint(&at, end, &n) || n > (u64)(end - at)) {
			c->bad = true;
			return;
		}
		c->left[i].at = at;
		at += n;
		c->left[i].end = at;
	}
}

void codec_reset(struct codec *c)
{
	unsigned int i;

	for (i = 0; i < COLUMNS; i++)
		c->column[i].len = 0;
	c->bad = false;
	c->id = 0;
	c->when = 0;
	c->start = 0;
}

void codec_free(struct codec *c)
{
	unsigned int i;

	for (i = 0; i < COLUMNS; i++)
		buffer_free(&c->column[i]);
}
