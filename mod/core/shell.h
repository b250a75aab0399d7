/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The shell around the engine: what follows from its verdicts. The module, replay, the tests and
 * the model keep flows in their own ways; memory, locks and clocks are theirs, behind struct
 * tfsm_keeper. What is decided about flows is decided here: which end is orig, when a flow makes
 * way for the next on its tuple, why it has ended, and what prolongs its stay.
 *
 * A keeper takes a segment through it like this: find the flow; without one, tfsm_shell_open();
 * else tfsm_shell_track(), report what moved, and for a verdict of TFSM_NEW or above
 * tfsm_shell_replace(). Where the last says so, the keeper begins again with the lookup.
 */
#ifndef _TFSM_SHELL_H
#define _TFSM_SHELL_H

#include "tfsm.h"

/* How a flow begins. */
struct tfsm_start {
	const struct tfsm_seg *seg;	/* the segment at hand */
	u8 sender;			/* which end of the new flow sent it */
	struct tfsm *past;		/* the flow before, whose kept SYN begins this one; or NULL:
					 * the segment begins it
					 */
};

enum tfsm_opened {
	TFSM_OPENED,
	TFSM_RACED,	/* somebody else has opened a flow on this tuple meanwhile */
	TFSM_NO_ROOM,
};

/* What tells that an end serves, and so is resp: in the order in which it is asked. */
enum tfsm_evidence {
	TFSM_BY_LISTENER,	/* a local socket listens there */
	TFSM_BY_SERVICE,	/* connections have been opened to it before */
	TFSM_BY_PORT,		/* its port is not above the other end's */
	TFSM_EVIDENCES,
};

/* How often a keeper takes one segment to the flow that has its tuple, before it gives up. */
#define TFSM_TRIES	3

/* Who keeps flows. @ctx is the caller's, handed through. */
struct tfsm_keeper {
	/* Memory for an extension, zeroed; NULL if there is none. */
	struct tfsm_ext *(*alloc_ext)(void *ctx);
	void (*free_ext)(void *ctx, struct tfsm_ext *ext);

	/*
	 * Does the segment's sender (else its receiver) serve, as far as this evidence tells? NULL:
	 * the segment's own direction is right.
	 */
	bool (*serves)(void *ctx, enum tfsm_evidence evidence, bool sender);

	/* The flow ends for @reason. It may be gone when this returns. */
	void (*end)(void *ctx, struct tfsm *f, u8 reason);

	/* Make a flow on the segment's tuple, and have tfsm_shell_begin() begin it. */
	enum tfsm_opened (*open)(void *ctx, const struct tfsm_start *start);
};

/*
 * tfsm_shell_track - track a segment of a flow; as tfsm_track(), but never TFSM_NEED_EXT
 * @o: as for tfsm_track()
 *
 * Without memory for an extension the segment is noted as no_room, and the next one asks again.
 */
enum tfsm_verdict tfsm_shell_track(const struct tfsm_keeper *k, void *ctx, struct tfsm *f,
				   const struct tfsm_seg *s, struct tfsm_out *o);

/* An ICMP error quotes a segment of the flow; as tfsm_on_icmp(), but never TFSM_NEED_EXT. */
enum tfsm_verdict tfsm_shell_icmp(const struct tfsm_keeper *k, void *ctx, struct tfsm *f,
				  const struct tfsm_icmp *e, struct tfsm_out *o);

/*
 * tfsm_shell_replace - the flow is over and the next on its tuple begins
 * @f: the flow; it ends, and may be gone
 * @s: the segment for which tfsm_shell_track() returned @verdict
 *
 * Return: true if the segment has to be tracked again, on whatever flow has the tuple now.
 */
bool tfsm_shell_replace(const struct tfsm_keeper *k, void *ctx, struct tfsm *f,
			const struct tfsm_seg *s, enum tfsm_verdict verdict);

/*
 * tfsm_shell_open - a segment of a kind that tfsm_opens(), for which there is no flow
 *
 * Return: what became of it; after TFSM_RACED the segment has to be tracked again.
 */
enum tfsm_opened tfsm_shell_open(const struct tfsm_keeper *k, void *ctx, const struct tfsm_seg *s);

/* Begin a flow, zeroed but for the caller's word, in its keeper's open(). Sets o->now to when. */
void tfsm_shell_begin(struct tfsm *f, const struct tfsm_start *start, struct tfsm_out *o);

/*
 * Why a segment of a kind that does not tfsm_opens() is refused where there is no flow. Return:
 * TFSM_NOTES for a RST, which is acceptable but of no flow that is known.
 */
enum tfsm_note tfsm_why_no_flow(enum tfsm_kind kind);

/* Is the segment one of the flow for which this is the verdict, and not of the next one? */
static inline bool tfsm_belongs(enum tfsm_verdict verdict)
{
	return verdict == TFSM_OK || verdict == TFSM_REFUSED || verdict == TFSM_NEW_AFTER;
}

/*
 * Do acceptable segments prolong a flow's stay in its class? TIME_WAIT starts anew only with what
 * its end has to answer (tfsm_out.time_wait); a closed flow lingers for late segments, which must
 * not keep it.
 */
static inline bool tfsm_class_refreshed(enum tfsm_class class)
{
	return class != TFSM_CLASS_TIME_WAIT && class != TFSM_CLASS_CLOSED;
}

/* Does a segment start the flow's time-out anew? @before: its class before the segment */
static inline bool tfsm_restarts(const struct tfsm *f, enum tfsm_class before,
				 enum tfsm_verdict verdict, const struct tfsm_out *o)
{
	enum tfsm_class class = tfsm_class(f);

	return class != before || o->time_wait ||
	       (verdict == TFSM_OK && tfsm_class_refreshed(class));
}

/* Why a flow whose time is over has ended. */
static inline u8 tfsm_timeout_reason(const struct tfsm *f)
{
	if (f->reason)
		return f->reason;
	return tfsm_unreached(f) ? TCPFSM_REASON_UNREACHABLE : TCPFSM_REASON_TIMEOUT;
}

#endif /* _TFSM_SHELL_H */
