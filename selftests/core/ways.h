/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine's short ways (mod/core/quick.c) against its full way: whatever goes one of the first
 * must have gone the second alike.
 */
#ifndef _WAYS_H
#define _WAYS_H

#include "../../mod/core/quick.h"
#include "../../mod/core/track.h"

/* All that a segment may change. */
struct way {
	struct tfsm flow;
	struct tfsm_ext ext;
	struct tfsm_out out;
};

/* A copy of the flow at its beginning. */
static inline void way_begin(struct way *w, const struct tfsm *f, u64 now)
{
	memset(w, 0, sizeof(*w));
	w->flow = *f;
	if (tfsm_ext(f)) {
		w->ext = *tfsm_ext(f);
		w->flow.ext = &w->ext;
	}
	tfsm_init_out(&w->out, now);
}

static inline bool is_way_alike(const struct way *a, const struct way *b)
{
	struct tfsm f = b->flow;

	if (tfsm_ext(&f))
		f.ext = a->flow.ext;
	return !memcmp(&a->flow, &f, sizeof(f)) && !memcmp(&a->ext, &b->ext, sizeof(a->ext)) &&
	       !memcmp(&a->out, &b->out, sizeof(a->out));
}

/*
 * Take the segment all ways, on copies of the flow. @quick: out: it goes a short one. Return: NULL,
 * or what went wrong.
 */
static inline const char *ways_differ(const struct tfsm *f, const struct tfsm_seg *s, u64 now,
				      bool *quick)
{
	struct way begin, order, full, moves;
	bool in_order, moved;

	way_begin(&begin, f, now);
	way_begin(&order, f, now);
	way_begin(&full, f, now);
	way_begin(&moves, f, now);
	in_order = tfsm_in_order(&order.flow, s);
	moved = tfsm_quick(&moves.flow, s, &moves.out);
	if (!in_order && !is_way_alike(&begin, &order))
		return "tfsm_in_order() has done something that it does not tell";
	if (!moved && !is_way_alike(&begin, &moves))
		return "tfsm_quick() has done something that it does not tell";
	*quick = in_order || moved;
	if (!*quick)
		return NULL;
	if (in_order && moved)
		return "there are two short ways";
	if (tfsm_track_fully(&full.flow, s, &full.out) != TFSM_OK ||
	    !is_way_alike(&full, in_order ? &order : &moves))
		return "the short way is not the full way";
	return NULL;
}

#endif /* _WAYS_H */
