/* SPDX-License-Identifier: GPL-2.0 */
/* Memory for a file of the module that is tested in user space; the test may let it run out. */
#ifndef _SHIM_SLAB_H
#define _SHIM_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define U16_MAX		UINT16_MAX
#define GFP_ATOMIC	0
#define __GFP_NOWARN	0

static bool out_of_memory;
static int allocated;		/* and not freed */

static inline void *kmalloc(size_t size, int gfp)
{
	if (out_of_memory)
		return NULL;
	allocated++;
	return malloc(size);
}

static inline void kfree(void *p)
{
	allocated -= !!p;
	free(p);
}

#endif /* _SHIM_SLAB_H */
