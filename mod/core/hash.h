/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hashes of tuples: Multilinear-HM of Lemire and Kaser, "Strongly universal string hashing is fast"
 * (2014). To anybody who does not know the secret, two tuples collide with a probability of 2^-32.
 * It takes a third of the time of hsiphash().
 */
#ifndef _TFSM_HASH_H
#define _TFSM_HASH_H

#include "types.h"

#define TFSM_SECRET_WORDS	11

/* @ports: both, @l3: the routing domain; as the caller likes, and always the same. */
static inline u64 tfsm_hash_sum(const u64 *secret, u32 ports, u32 l3)
{
	return secret[0] + (secret[1] + ports) * (secret[2] + l3);
}

static inline u32 tfsm_hash4(const u64 *secret, u32 ports, u32 l3, u32 a, u32 b)
{
	u64 sum = tfsm_hash_sum(secret, ports, l3);

	sum += (secret[3] + a) * (secret[4] + b);
	return sum >> 32;
}

/* @a, @b: the two addresses, of two words each. */
static inline u32 tfsm_hash6(const u64 *secret, u32 ports, u32 l3, const u64 *a, const u64 *b)
{
	u64 sum = tfsm_hash_sum(secret, ports, l3);

	sum += (secret[3] + (u32)a[0]) * (secret[4] + (u32)(a[0] >> 32));
	sum += (secret[5] + (u32)b[0]) * (secret[6] + (u32)(b[0] >> 32));
	sum += (secret[7] + (u32)a[1]) * (secret[8] + (u32)(a[1] >> 32));
	sum += (secret[9] + (u32)b[1]) * (secret[10] + (u32)(b[1] >> 32));
	return sum >> 32;
}

#endif /* _TFSM_HASH_H */
