/* SPDX-License-Identifier: GPL-2.0 */
/* The few names that the engine takes from where it is compiled: the kernel or user space. */
#ifndef _TFSM_TYPES_H
#define _TFSM_TYPES_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
#define noinline __attribute__((noinline))
#endif

#include <linux/tcpfsm.h>

/* Sequence numbers compare modulo 2^32, RFC 9293 3.4. */
static inline bool tfsm_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static inline bool tfsm_after(u32 a, u32 b)
{
	return (s32)(b - a) < 0;
}

#endif /* _TFSM_TYPES_H */
