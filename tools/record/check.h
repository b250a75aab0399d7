/* SPDX-License-Identifier: GPL-2.0 */
#ifndef RECORD_CHECK_H
#define RECORD_CHECK_H

#include <zlib.h>

#include "record/format.h"

/* What head.check is to be, by the rest of the head and the index. */
static inline u32 block_check(const struct block_head *head, const u8 *index)
{
	const size_t skipped = offsetof(struct block_head, body_check);
	u32 check = crc32_z(0, (const u8 *)head + skipped, sizeof(*head) - skipped);

	return crc32_z(check, index, head->index);
}

#endif
