// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "lib/buffer.h"
#include "lib/memory.h"

void buffer_grow(struct buffer *b, size_t n)
{
	size_t size = b->size ? b->size : 4096;

	while (size < b->len + n)
		size *= 2;
	b->data = realloc(b->data, size);
	if (!b->data)
		out_of_memory();
	b->size = size;
}

void buffer_free(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer){ 0 };
}
