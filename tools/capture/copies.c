// SPDX-License-Identifier: GPL-2.0
/* Segments captured just before. */
#include "capture/copies.h"
#include "lib/htab.h"

#define COPY_LATE	5000000		/* ns: how late a copy may come, or how early */

static u64 hash_segment(const struct segment *s, u64 hash)
{
	const struct tfsm_seg *seg = &s->seg;

	hash = hash_mix(hash + ((u64)seg->seq << 32 | seg->ack));
	hash += (u64)s->tuple.sport << 48 | (u64)seg->win << 32 | (u64)s->id << 16 | s->sum;
	return hash_mix(hash ^ ((u64)seg->flags << 32 | seg->len)) | 1;	/* 0: nothing seen */
}

bool copies_seen(struct copies *c, const struct segment *s, u64 hash, u64 when)
{
	bool ack_alone = s->seg.kind == TFSM_KIND_ACK && !tfsm_seg_len(&s->seg);
	u64 h = hash_segment(s, hash);
	unsigned int i = h >> 1 & (COPIES_SLOTS - 1);
	bool near = c->seen[i].when + COPY_LATE > when && when + COPY_LATE > c->seen[i].when;

	if (c->seen[i].hash == h && near && (s->id || !ack_alone))
		return true;
	c->seen[i].hash = h;
	c->seen[i].when = when;
	return false;
}
