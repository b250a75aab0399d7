// SPDX-License-Identifier: GPL-2.0
/* What follows from the engine's verdicts, for whoever keeps flows. */
#include "shell.h"

/* For one call, which will not ask again. */
static void give_ext(const struct tfsm_keeper *k, void *ctx, struct tfsm *f)
{
	struct tfsm_ext *ext = k->alloc_ext(ctx);

	if (ext)
		tfsm_set_ext(f, ext);
	else
		f->flags |= TFSM_F_NO_EXT;
}

static noinline enum tfsm_verdict track_with_ext(const struct tfsm_keeper *k, void *ctx,
						 struct tfsm *f, const struct tfsm_seg *s,
						 struct tfsm_out *o)
{
	enum tfsm_verdict verdict;

	give_ext(k, ctx, f);
	verdict = tfsm_track(f, s, o);
	f->flags &= ~TFSM_F_NO_EXT;
	return verdict;
}

enum tfsm_verdict tfsm_shell_track(const struct tfsm_keeper *k, void *ctx, struct tfsm *f,
				   const struct tfsm_seg *s, struct tfsm_out *o)
{
	enum tfsm_verdict verdict = tfsm_track(f, s, o);

	return verdict == TFSM_NEED_EXT ? track_with_ext(k, ctx, f, s, o) : verdict;
}

enum tfsm_verdict tfsm_shell_icmp(const struct tfsm_keeper *k, void *ctx, struct tfsm *f,
				  const struct tfsm_icmp *e, struct tfsm_out *o)
{
	enum tfsm_verdict verdict = tfsm_on_icmp(f, e, o);

	if (verdict == TFSM_NEED_EXT) {
		give_ext(k, ctx, f);
		verdict = tfsm_on_icmp(f, e, o);
		f->flags &= ~TFSM_F_NO_EXT;
	}
	return verdict;
}

/* Which end of a new flow sent this segment? */
static u8 presume_sender(const struct tfsm_keeper *k, void *ctx, const struct tfsm_seg *s)
{
	enum tfsm_evidence e;

	switch (s->kind) {
	case TFSM_KIND_SYN:
		return TCPFSM_ORIG;
	case TFSM_KIND_SYNACK:
		return TCPFSM_RESP;
	default:
		break;
	}
	for (e = 0; k->serves && e < TFSM_EVIDENCES; e++) {
		if (k->serves(ctx, e, false))
			return TCPFSM_ORIG;
		if (k->serves(ctx, e, true))
			return TCPFSM_RESP;
	}
	return s->dir;
}

/* Why a flow that makes way for the next has ended. */
static u8 replaced_reason(const struct tfsm *f)
{
	bool over = tfsm_closed(&f->end[TCPFSM_ORIG]) && tfsm_closed(&f->end[TCPFSM_RESP]);

	return f->reason && over ? f->reason : TCPFSM_REASON_REOPENED;
}

bool tfsm_shell_replace(const struct tfsm_keeper *k, void *ctx, struct tfsm *f,
			const struct tfsm_seg *s, enum tfsm_verdict verdict)
{
	struct tfsm_start start = { .seg = s, .sender = s->dir };
	struct tfsm past = *f;
	enum tfsm_opened opened;

	if (verdict != TFSM_NEW) {
		/* The new flow takes the extension. */
		start.past = &past;
		start.sender ^= tfsm_kept_opener(tfsm_ext(&past)) == TCPFSM_RESP;
		tfsm_set_ext(f, NULL);
		tfsm_forget_told(&past);
	} else if (s->flags & TFSM_SYN) {
		start.sender = presume_sender(k, ctx, s);
	}
	k->end(ctx, f, replaced_reason(&past));
	opened = k->open(ctx, &start);
	if (start.past && tfsm_ext(&past))
		k->free_ext(ctx, tfsm_ext(&past));	/* there is no new flow */
	/* A segment that is done is not for what another processor has opened meanwhile. */
	if (verdict == TFSM_NEW_AFTER)
		return false;
	return opened == TFSM_OPENED ? verdict == TFSM_NEW_KEPT : opened == TFSM_RACED;
}

enum tfsm_opened tfsm_shell_open(const struct tfsm_keeper *k, void *ctx, const struct tfsm_seg *s)
{
	const struct tfsm_start start = { .seg = s, .sender = presume_sender(k, ctx, s) };

	return k->open(ctx, &start);
}

void tfsm_shell_begin(struct tfsm *f, const struct tfsm_start *start, struct tfsm_out *o)
{
	struct tfsm_seg seg = *start->seg;
	u8 who;

	seg.dir = start->sender;
	if (start->past)
		tfsm_open_kept(f, start->past, &who, o);
	else
		tfsm_open(f, &seg, o);
}

enum tfsm_note tfsm_why_no_flow(enum tfsm_kind kind)
{
	switch (kind) {
	case TFSM_KIND_RST:
		return TFSM_NOTES;
	case TFSM_KIND_BAD:
		return TFSM_NOTE_bad_flags;
	default:
		return TFSM_NOTE_no_ack;
	}
}
