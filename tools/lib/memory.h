/* SPDX-License-Identifier: GPL-2.0 */
/* Allocation that does not return without memory: the program says so and ends. */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

#include <stdarg.h>

#include "lib/base.h"

void out_of_memory(void) __attribute__((noreturn));
/* calloc() of one */
void *zalloc(size_t size);
/* Room for one more element behind the @n of an array, which is NULL if it has none. */
void *array_grow(void *array, size_t n, size_t size);
char *string_copy(const char *s);
/* As vasprintf() */
char *string_print(const char *fmt, va_list args) __attribute__((format(printf, 1, 0)));

#endif
