/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of a filter that the kernel can evaluate, so that less has to be copied. The whole
 * filter is evaluated here all the same: what cannot be said to the kernel is left out.
 */
#ifndef FILTER_PUSHDOWN_H
#define FILTER_PUSHDOWN_H

#include "filter/filter.h"
#include "lib/base.h"

/* All that is set must hold; zero means any. */
struct kernel_filter {
	u64 id;
	u8 family;
	u32 orig_states, resp_states, any_states;
	u8 src_family, dst_family;	/* with an address and the length of its prefix */
	u8 src[16], dst[16];
	u8 src_len, dst_len;
	u16 sport_min, sport_max;
	u16 dport_min, dport_max;
	u64 age_min, idle_min;
	/* For who asks: it wants to know of translated addresses, or asks for some. */
	bool wants_nat;
};

struct kernel_filter filter_push_down(const struct filter *f);
/* Leaves out addresses and ports: those asked for may be translated ones. */
void filter_drop_addresses(struct kernel_filter *k);

#endif
