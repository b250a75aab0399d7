/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The words that the engine's files share. In all of them a is a segment's sender, b its receiver.
 *
 * The files call downward only: track, open, ack, guess, reset, move, machine; learn (sequence
 * numbers), kept (SYNs), stray (refused segments) and accept stand beside them and move nobody.
 */
#ifndef _TFSM_ENGINE_H
#define _TFSM_ENGINE_H

#include "tfsm.h"

static inline void add_note(struct tfsm_out *o, enum tfsm_note n)
{
	o->notes |= (u64)1 << n;
}

static inline enum tfsm_verdict refuse_with(struct tfsm_out *o, enum tfsm_note n)
{
	add_note(o, n);
	return TFSM_REFUSED;
}

/* The state that goes on at an end: beneath a RST that we took, or the one shown. */
static inline u8 state_of(const struct tfsm_end *e)
{
	return e->under ? e->under : e->state;
}

static inline bool has_fact(const struct tfsm_end *e, u16 fact)
{
	return e->facts & fact;
}

/* Nothing is left of the connection at either end, except perhaps 2MSL. */
static inline bool is_finished(const struct tfsm *f)
{
	const struct tfsm_end *e;

	for (e = f->end; e < f->end + TCPFSM_ENDS; e++)
		if (!tfsm_closed(e) && e->state != TCPFSM_TIME_WAIT)
			return false;
	return true;
}

/* Does it end what its sender has to say? Of a first fragment that is not known. */
static inline bool has_fin(const struct tfsm_seg *s)
{
	return s->flags & TFSM_FIN && !s->partial;
}

static inline struct tfsm_end *other_end(struct tfsm *f, const struct tfsm_end *e)
{
	return &f->end[e == &f->end[TCPFSM_ORIG]];
}

/* The flag that says that an end's last octets were not seen. */
static inline u32 tail_of(u8 end)
{
	return end == TCPFSM_ORIG ? TFSM_F_TAIL_ORIG : TFSM_F_TAIL_RESP;
}

/* Chosen, not indexed: compilers then keep the two addresses, and do not work them out again. */
static inline struct tfsm_end *sender_of(struct tfsm *f, const struct tfsm_seg *s)
{
	return s->dir == TCPFSM_ORIG ? &f->end[TCPFSM_ORIG] : &f->end[TCPFSM_RESP];
}

static inline struct tfsm_end *receiver_of(struct tfsm *f, const struct tfsm_seg *s)
{
	return s->dir == TCPFSM_ORIG ? &f->end[TCPFSM_RESP] : &f->end[TCPFSM_ORIG];
}

#endif /* _TFSM_ENGINE_H */
