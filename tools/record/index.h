/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which blocks may hold what a filter asks for: a Bloom filter of the addresses, ports and numbers
 * of the flows in a block. It errs by blocks that hold none of it, one in fifty.
 */
#ifndef RECORD_INDEX_H
#define RECORD_INDEX_H

#include "filter/filter.h"
#include "lib/buffer.h"
#include "record/block.h"

/* Appends the index of a block. */
void index_pack(const struct block *b, struct buffer *to);

/* Return: false: no flow of the block fulfils the filter. @size: a power of two */
bool index_may_hold(const u8 *index, size_t size, const struct filter *f);

#endif
