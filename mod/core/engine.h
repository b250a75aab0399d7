/* SPDX-License-Identifier: GPL-2.0 */
/* What the engine's files share among themselves. a is a segment's sender, b its receiver. */
#ifndef _TFSM_ENGINE_H
#define _TFSM_ENGINE_H

#include "tfsm.h"

static inline void note(struct tfsm_out *o, enum tfsm_note n)
{
	o->notes |= (u64)1 << n;
}

static inline enum tfsm_verdict refuse(struct tfsm_out *o, enum tfsm_note n)
{
	note(o, n);
	return TFSM_REFUSED;
}

/* The state that goes on at an end: beneath a RST that we took, or the one shown. */
static inline u8 state_of(const struct tfsm_end *e)
{
	return e->under ? e->under : e->state;
}

static inline bool has(const struct tfsm_end *e, u16 fact)
{
	return e->facts & fact;
}

static inline struct tfsm_end *sender(struct tfsm *f, const struct tfsm_seg *s)
{
	return &f->end[s->dir];
}

static inline struct tfsm_end *receiver(struct tfsm *f, const struct tfsm_seg *s)
{
	return &f->end[s->dir ^ 1];
}

/* track.c: the only writer of a state. @given is for events whose cell is GIVEN. */
void tfsm_move_given(struct tfsm *f, struct tfsm_end *e, u8 event, u8 given, u8 flags,
		     struct tfsm_out *o);
void tfsm_move(struct tfsm *f, struct tfsm_end *e, u8 event, struct tfsm_out *o);
void tfsm_infer(struct tfsm *f, struct tfsm_end *e, u8 event, struct tfsm_out *o);
void tfsm_confirm(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);
void tfsm_release_held(struct tfsm *f, struct tfsm_end *e, struct tfsm_out *o);
enum tfsm_verdict tfsm_track_fully(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);
enum tfsm_verdict tfsm_take_ack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

/* learn.c: sequence numbers */
void tfsm_learn_syn(struct tfsm_end *a, const struct tfsm_seg *s);
void tfsm_learn_ack(struct tfsm *f, const struct tfsm_seg *s);
void tfsm_learn_seq(struct tfsm_end *a, const struct tfsm_seg *s);
bool tfsm_near(u32 x, u32 y, u32 win);

/* learn.c: kept SYNs and strays, in struct tfsm_side */
void tfsm_drop_kept(struct tfsm *f, u8 dir);
bool tfsm_acks_kept(const struct tfsm *f, const struct tfsm_seg *s);
enum tfsm_verdict tfsm_keep_syn(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);
bool tfsm_strays_agree(struct tfsm *f, const struct tfsm_seg *s);
void tfsm_forget_strays(struct tfsm *f);
void tfsm_reanchor(struct tfsm *f);

/* reset.c */
enum tfsm_verdict tfsm_on_rst(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);
void tfsm_put_back(struct tfsm *f, struct tfsm_out *o);
void tfsm_talked(struct tfsm *f, struct tfsm_end *a, struct tfsm_out *o);

/* open.c */
enum tfsm_verdict tfsm_on_syn(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);
enum tfsm_verdict tfsm_on_synack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);
void tfsm_mark_refused(struct tfsm_end *b, const struct tfsm_seg *s);
enum tfsm_note tfsm_handshake(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

#endif /* _TFSM_ENGINE_H */
