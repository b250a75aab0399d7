/* SPDX-License-Identifier: GPL-2.0 */
/* The bytes of a frame, as the layers take them apart from the front. */
#ifndef CAPTURE_CURSOR_H
#define CAPTURE_CURSOR_H

#include "lib/base.h"

struct cursor {
	const u8 *p;
	u32 left;		/* captured bytes from p on */
};

static inline u16 read_be16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static inline u32 read_be32(const u8 *p)
{
	return (u32)read_be16(p) << 16 | read_be16(p + 2);
}

/* Return: false if fewer bytes are left. */
static inline bool cursor_skip(struct cursor *c, u32 n)
{
	if (c->left < n)
		return false;
	c->p += n;
	c->left -= n;
	return true;
}

#endif
