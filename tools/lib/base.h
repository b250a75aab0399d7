/* SPDX-License-Identifier: GPL-2.0 */
/* What every file of the tool starts from: integer types, units, the exit status. */
#ifndef LIB_BASE_H
#define LIB_BASE_H

#include <stddef.h>

#include "core/types.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define NSEC		1000000000ULL
#define NSEC_PER_MS	1000000ULL

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/* As grep's: something was found, nothing was found, something went wrong. */
enum { EXIT_FOUND, EXIT_NONE, EXIT_ERROR };

#endif
