/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine: moves the two endpoints of a flow as segments pass. Pure functions; the caller
 * holds whatever lock protects the flow, and owns all memory and all clocks.
 *
 * What an observer may conclude (the observation model):
 *
 *   A control bit (SYN, FIN) takes effect on its sender when it passes, and on its receiver
 *   when the receiver's own acknowledgement covers it: that is the receiver's evidence. An
 *   acknowledgement or an acceptable RST takes effect on its receiver when it passes: its
 *   delivery is assumed.
 *
 * So loss behind the observer never moves an endpoint past a SYN or FIN that it has not
 * taken, and nothing needs to be reassembled. A lost last ACK or RST moves its receiver
 * early; the retransmission that follows is noted.
 *
 * A segment is classified (classify.c: flags to kind), checked (accept.c: sequence space), and
 * tracked (track.c, and below it open.c, ack.c, reset.c: which events at which end, in which
 * order). Each event goes through the endpoint machine (machine.c); the only writer of a state is
 * tfsm_write_move() in move.h. What ordinary connections send is recognized first, and takes a
 * short way to the same end (quick.c).
 */
#ifndef _TFSM_H
#define _TFSM_H

#include "types.h"
#include "../../include/tcpfsm_names.h"

/* Events of the endpoint machine are numbered as the causes of transitions. */
#define tfsm_event tcpfsm_cause

/* Results of tfsm_next() besides a state. */
enum {
	TFSM_STAY = TCPFSM_STATES,	/* legal, no move */
	TFSM_NEVER,			/* the event cannot happen in this state: no move */
	TFSM_PASSIVE,			/* LISTEN if opened passively, else CLOSED */
	TFSM_GIVEN,			/* the state that came with the event */
};

/* By state, then by event: machine.c. */
extern const u8 tfsm_machine[TCPFSM_STATES][TCPFSM_CAUSES];

/*
 * tfsm_next - the endpoint machine of RFC 9293 3.3.2 and 3.10
 * @state: an enum tcpfsm_state other than UNSET
 * @event: an enum tcpfsm_cause other than UNSET
 *
 * Return: a state, or TFSM_STAY and following.
 */
static inline u8 tfsm_next(u8 state, u8 event)
{
	return tfsm_machine[state][event];
}

/* Flags of a TCP header, in the order of its 14th byte. */
#define TFSM_FIN	0x01
#define TFSM_SYN	0x02
#define TFSM_RST	0x04
#define TFSM_PSH	0x08
#define TFSM_ACK	0x10
#define TFSM_URG	0x20

/* What the engine sees of a segment. All in host byte order. */
struct tfsm_seg {
	u32	seq;
	u32	ack;		/* valid with TFSM_ACK */
	u32	len;		/* payload, bytes */
	u16	win;		/* as in the header, not scaled */
	u8	flags;		/* TFSM_FIN ...; see tfsm_set_flags() */
	u8	kind;		/* enum tfsm_kind */
	u8	dir;		/* the sender: TCPFSM_ORIG or TCPFSM_RESP */
	u8	wscale;		/* window scale option of a SYN, 0-14 */
	bool	has_wscale:1;	/* the option is there */
	bool	partial:1;	/* first fragment: end and FIN are unknown */
	bool	made_here:1;	/* a RST that this host made for a flow it forwards */
	bool	rfc1337:1;	/* TIME_WAIT is protected from RST */
	bool	own:1;		/* a socket of this host has sent it */
};

enum tfsm_kind {
	TFSM_KIND_BAD,		/* impossible flags */
	TFSM_KIND_NO_ACK,	/* neither SYN nor RST nor ACK */
	TFSM_KIND_SYN,
	TFSM_KIND_SYNACK,
	TFSM_KIND_RST,
	TFSM_KIND_ACK,		/* the rest: data, FIN, plain ACK */
};

/* What a byte of flags may have set: SYN, FIN, RST, ACK, PSH, URG. */
#define TFSM_FLAGS	0x3f

/* Kinds by flags: classify.c. */
extern const u8 tfsm_kinds[TFSM_FLAGS + 1];

static inline enum tfsm_kind tfsm_classify(u8 flags)
{
	return tfsm_kinds[flags & TFSM_FLAGS];
}

/* The only writer of flags and kind, which nobody has to work out again. */
static inline void tfsm_set_flags(struct tfsm_seg *s, u8 flags)
{
	s->flags = flags;
	s->kind = tfsm_classify(flags);
}

/*
 * Read the options of a SYN, @len bytes: the window scale. An option that lies about its length
 * ends them.
 */
void tfsm_read_options(struct tfsm_seg *s, const u8 *p, unsigned int len);

/* Length in sequence space, RFC 9293 3.4 SEG.LEN. */
static inline u32 tfsm_seg_len(const struct tfsm_seg *s)
{
	return s->len + !!(s->flags & TFSM_SYN) +
	       (!s->partial && (s->flags & TFSM_FIN));
}

/*
 * Facts about an endpoint that, once true, stay true: comparing sequence numbers again would lie
 * 2^31 bytes later.
 */
enum {
	TFSM_E_SYN		= 1U << 0,	/* isn is known */
	TFSM_E_SYN_ACKED	= 1U << 1,
	TFSM_E_TOOK_SYN		= 1U << 2,	/* its ACK covers the peer's SYN */
	TFSM_E_FIN		= 1U << 3,	/* sent; next is the FIN's end */
	TFSM_E_FIN_ACKED	= 1U << 4,
	TFSM_E_TOOK_FIN		= 1U << 5,
	TFSM_E_PASSIVE		= 1U << 6,	/* opened passively */
	TFSM_E_WSCALE		= 1U << 7,	/* its SYN carried the option */
	TFSM_E_SENT		= 1U << 8,	/* next and run are known */
	TFSM_E_ACKS		= 1U << 9,	/* ack, edge and maxwin are known */
	TFSM_E_HELD		= 1U << 10,	/* FIN_ACKED waits: is the peer's FIN answered? */
	TFSM_E_EARLY_FIN	= 1U << 11,	/* FIN seen before its SYN|ACK; ends at next */
	TFSM_E_MARK		= 1U << 12,	/* mark is valid */
	TFSM_E_DATA		= 1U << 13,	/* midstream: sent data, the first up to isn */
	TFSM_E_CONFIRMED	= 1U << 14,	/* midstream: its ACK covers data of the peer */
	TFSM_E_TALKED		= 1U << 15,	/* an acceptable segment since the last RST */
};

struct tfsm_end {
	u32	isn;		/* of its SYN, or (midstream) with TFSM_E_DATA the end of its first
				 * data, else what it was to send when it was met
				 */
	u32	next;		/* highest sequence number sent, plus one (SND.NXT as seen) */
	u32	run;		/* the same without holes: all below has passed or is acked */
	u32	ack;		/* highest ACK sent (RCV.NXT as told) */
	u32	edge;		/* highest ACK + window granted */
	u32	mark;		/* SYN_SENT, SYN_RCVD: the ACK of the last refused segment it got;
				 * later: the lowest SEQ of its segments without FIN that cover
				 * the peer's FIN, or (ahead) the ACK of its FIN
				 */
	u16	maxwin;		/* largest window granted, scaled, in units of 16 KB, rounded up */
	u16	moves;		/* transitions so far, modulo 2^16 */
	union {
		struct {
			u8	state:4;	/* enum tcpfsm_state, as shown */
			u8	wscale:4;
			u8	under:4;	/* the state that goes on beneath a RST we took,
						 * or UNSET
						 */
			u8	fin_again:1;	/* its FIN was retransmitted */
			u8	hole:1;		/* below next, and nothing has passed since that
						 * may fill it
						 */
			u8	guessed:1;	/* its FIN did not pass, but its ACK (guess.h) */
			u8	ahead:1;	/* its FIN acknowledges what had not passed yet,
						 * up to mark
						 */
			u16	facts;		/* TFSM_E_* */
		};
		u32	shape;		/* all these, to be compared at once */
	};
};

/*
 * A SYN, or a SYN|ACK whose SYN was not seen, that passed within a connection: it starts a new flow
 * once it is answered, unless its sender goes on in the old one.
 */
struct tfsm_syn {
	bool	kept;
	struct tfsm_seg seg;
	u64	when;		/* ns, copied from tfsm_out.now */
	u32	next, ack;	/* its sender's, when it passed */
	u32	packets, bytes;	/* of it, so far: tfsm_count_kept() */
};

/* The last segment of a direction that was refused for its numbers. */
struct tfsm_stray {
	u32	end;		/* SEQ + length */
	u32	ack;
	u32	win;
	u8	count;		/* how many in a row agree with each other */
	bool	fin_moved;	/* a FIN below what its sender seems to have sent */
	bool	fin;		/* among those that agree was a FIN */
	u32	fin_end;
	u32	fin_ack;
};

/* What ICMP errors (RFC 792, 4443) say of the segment that they quote. */
enum tfsm_icmp_sort {
	TFSM_ICMP_UNREACHABLE,	/* its receiver is not reached, or it takes too long */
	TFSM_ICMP_MTU,		/* it is too big for the path */
	TFSM_ICMP_SORTS,	/* nothing: it is no error */
};

/* What the engine sees of an ICMP error. In host byte order, but for the address. */
struct tfsm_icmp {
	u32	origin[4];	/* who said it, as the caller writes addresses */
	u32	seq;		/* of the quoted segment */
	u32	mtu;		/* that it tells, or 0 */
	u8	type, code;
	u8	sort;		/* enum tfsm_icmp_sort, which is one */
	u8	dir;		/* the quoted segment's sender: TCPFSM_ORIG or TCPFSM_RESP */
};

/* The last error of a sort that a flow was told. */
struct tfsm_told {
	struct tfsm_icmp last;
	u32	seq;		/* that the first in a row has quoted */
	u32	count;		/* in a row: nothing was acknowledged since the first */
	u64	when;		/* the caller's clock */
};

/*
 * The extension: what few flows need. The caller allocates it when the engine asks for it
 * (TFSM_NEED_EXT).
 */
struct tfsm_ext {
	struct tfsm_syn	  syn[TCPFSM_ENDS];	/* by sender */
	struct tfsm_stray stray[TCPFSM_ENDS];	/* by sender */
	u8		  next;			/* whose kept SYN tfsm_open_kept() takes */
	bool		  proven;		/* that SYN was answered, as both ends show */
	bool		  has_earlier;
	u32		  earlier;		/* ISN of a SYN|ACK that another has replaced */
	u32		  packets[TCPFSM_ENDS];	/* of this flow, but not counted yet: by sender, */
	u32		  bytes[TCPFSM_ENDS];	/* of SYNs that were kept: tfsm_take_uncounted() */
	struct tfsm_told  told[TFSM_ICMP_SORTS];
	u64		  own;			/* the caller's word, whose place it has taken */
};

/* Which end of the flow opens the next one, that begins with the SYN or SYN|ACK it has kept? */
static inline u8 tfsm_kept_opener(const struct tfsm_ext *ext)
{
	return ext->syn[ext->next].seg.kind == TFSM_KIND_SYN ? ext->next : !ext->next;
}

/* Flags of a flow beyond the uapi's TCPFSM_F_*, not shown to users. 28 bits in all. */
#define TFSM_F_TAIL_ORIG (1U << 21)	/* what orig sent last is known by resp's ACK alone, */
#define TFSM_F_TAIL_RESP (1U << 22)	/* and what resp sent last by orig's */
#define TFSM_F_TAILS	(TFSM_F_TAIL_ORIG | TFSM_F_TAIL_RESP)
#define TFSM_F_STRAYS	(1U << 23)	/* the extension holds strays that count */
#define TFSM_F_BENEATH	(1U << 24)	/* ends have a state beneath a RST */
#define TFSM_F_REFUSED	(1U << 25)	/* RST from LISTEN */
#define TFSM_F_NO_EXT	(1U << 26)	/* no memory for the extension: set for one call */
#define TFSM_F_EXT	(1U << 27)	/* the flow has an extension */
#define TFSM_F_SHOWN	0x1fffffU	/* those that users see */

/*
 * What the engine keeps of a flow. Packed so that it does not end in padding, for callers who
 * keep millions.
 */
struct tfsm {
	struct tfsm_end	end[TCPFSM_ENDS];
	union {
		struct tfsm_ext *ext;	/* with TFSM_F_EXT */
		u64	own;		/* without; see tfsm_own() */
	};
	u32		flags:28;	/* TCPFSM_F_*, TFSM_F_* */
	u32		reason:4;	/* enum tcpfsm_reason that a removal now would have */
} __attribute__((packed, aligned(4)));

/* Its extension, or NULL. */
static inline struct tfsm_ext *tfsm_ext(const struct tfsm *f)
{
	return f->flags & TFSM_F_EXT ? f->ext : NULL;
}

/* A word that belongs to the caller; the engine leaves it alone. */
static inline u64 tfsm_own(const struct tfsm *f)
{
	const struct tfsm_ext *ext = tfsm_ext(f);

	return ext ? ext->own : f->own;
}

static inline void tfsm_set_own(struct tfsm *f, u64 own)
{
	struct tfsm_ext *ext = tfsm_ext(f);

	if (ext)
		ext->own = own;
	else
		f->own = own;
}

/* Give the flow an extension, zeroed, or (NULL) take it away. The caller's word stays. */
static inline void tfsm_set_ext(struct tfsm *f, struct tfsm_ext *ext)
{
	u64 own = tfsm_own(f);

	if (ext) {
		ext->own = own;
		f->ext = ext;
		f->flags |= TFSM_F_EXT;
	} else {
		f->flags &= ~TFSM_F_EXT;
		f->own = own;
	}
}

enum tfsm_note {
#define X(name, help) TFSM_NOTE_##name,
	TCPFSM_NOTE_LIST(X)
#undef X
	TFSM_NOTES,
};

/* Notes that refuse a segment, as bits. */
#define TFSM_REFUSALS (((u64)1 << TFSM_NOTE_syn_retrans) - 1)

enum tfsm_class {
#define X(id, name, seconds, help) TFSM_CLASS_##id,
	TCPFSM_CLASS_LIST(X)
#undef X
	TFSM_CLASSES,
};

enum tfsm_verdict {
	TFSM_OK,		/* taken */
	TFSM_REFUSED,		/* noted, nothing moved: must not refresh a timer */
	TFSM_KEPT,		/* the same, and it may be the next flow's: tfsm_count_kept() */
	TFSM_NEED_EXT,		/* nothing is done: call tfsm_set_ext(), or set TFSM_F_NO_EXT for
				 * this segment, and call again
				 */
	TFSM_NEW,		/* the flow is over: start another from this segment */
	TFSM_NEW_KEPT,		/* the flow is over: start another with tfsm_open_kept(), then
				 * track this segment there
				 */
	TFSM_NEW_AFTER,		/* the segment is done and the flow over: start another with
				 * tfsm_open_kept()
				 */
};

struct tfsm_move {
	u8	end;		/* enum tcpfsm_end */
	u8	from, to;	/* enum tcpfsm_state */
	u8	cause;		/* enum tcpfsm_cause */
	u8	flags;		/* TCPFSM_T_* */
};

/* A local socket, as the stack knows it when its flow is met midstream. */
struct tfsm_local {
	u8	state;		/* UNSET: unknown; CLOSED: asked, and there is none */
	u32	fin;		/* end of its FIN, once it has one to send */
};

#define TFSM_MOVES_MAX	8	/* the most that one segment raises */

/* What came of a segment. tfsm_init_out() prepares it, then the caller sets what else is "in". */
struct tfsm_out {
	u64	now;		/* in: copied to kept SYNs */
	struct tfsm_local local[TCPFSM_ENDS];	/* in, tfsm_open() midstream */
	u64	notes;		/* bit n: enum tfsm_note n */
	u8	moves;		/* how many in move[] */
	bool	time_wait;	/* reached an end in TIME_WAIT: 2MSL starts anew */
	struct tfsm_move move[TFSM_MOVES_MAX];
};

/* What moves does not count is never read, and may be anything. */
static inline void tfsm_init_out(struct tfsm_out *o, u64 now)
{
	o->now = now;
	o->local[TCPFSM_ORIG].state = TCPFSM_STATE_UNSET;
	o->local[TCPFSM_RESP].state = TCPFSM_STATE_UNSET;
	o->notes = 0;
	o->moves = 0;
	o->time_wait = false;
}

/*
 * tfsm_open - start a flow with the first segment seen of it
 * @f: zeroed, but for the caller's word
 * @s: kinds SYN, SYNACK and ACK. s->dir says which end sent it; for a segment without SYN the
 *     caller has presumed that (shell.h).
 *
 * Both ends begin in CLOSED and move from there.
 */
void tfsm_open(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

/* May a flow start with this kind of segment? */
static inline bool tfsm_opens(enum tfsm_kind kind)
{
	return kind == TFSM_KIND_SYN || kind == TFSM_KIND_SYNACK || kind == TFSM_KIND_ACK;
}

/*
 * tfsm_open_kept - start a flow with a SYN or SYN|ACK that another flow on the tuple had kept
 * @f: zeroed, but for the caller's word; takes over the extension of @old
 * @old: the flow that is over
 * @sender: out: which end of @old is orig of @f: it sent the SYN, or the SYN|ACK went to it
 *
 * Return: false if there was none. o->now becomes the time when the SYN passed.
 */
bool tfsm_open_kept(struct tfsm *f, struct tfsm *old, u8 *sender, struct tfsm_out *o);

/*
 * A SYN that was kept (TFSM_KEPT) is counted with the flow that it begins, or with the one in
 * which it passed once that is known to be its own. The caller tells what passed, and takes for
 * the flow what is not counted yet of a sender; return: there is something. tfsm_drop_all_kept():
 * the flow is over, and whatever it has kept is its own.
 */
void tfsm_count_kept(struct tfsm *f, u8 dir, u32 packets, u32 bytes);
bool tfsm_take_uncounted(struct tfsm *f, u8 dir, u32 *packets, u32 *bytes);
void tfsm_drop_all_kept(struct tfsm *f);

/* How many transitions a flow has had, modulo 2^16: the number of its last one. */
static inline u16 tfsm_step(const struct tfsm *f)
{
	return f->end[TCPFSM_ORIG].moves + f->end[TCPFSM_RESP].moves;
}

/*
 * tfsm_in_order - what most segments are: next in sequence, in an established connection
 *
 * Also what passes once one end has closed. It does what tfsm_track() would do and returns true, if
 * that changes nothing but sequence numbers and leaves nothing to note. A caller that asks it first
 * saves time; tfsm_track() does not ask it.
 */
bool tfsm_in_order(struct tfsm *f, const struct tfsm_seg *s);

/* Track one segment. s->dir is the sender's end of this flow. */
enum tfsm_verdict tfsm_track(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

/*
 * Would tfsm_track() change more than sequence numbers, or take numbers that leap over what has
 * not passed? Then the segment's checksum matters.
 */
bool tfsm_moves(const struct tfsm *f, const struct tfsm_seg *s);

/* Segments pass unseen from here on: an established flow learns its numbers anew. */
void tfsm_blind(struct tfsm *f);

/* 2MSL is over: every end in TIME_WAIT closes. */
void tfsm_expire(struct tfsm *f, struct tfsm_out *o);

/* The local socket of an end no longer exists. */
void tfsm_gone(struct tfsm *f, u8 end, struct tfsm_out *o);

/* The local socket of an end that a RST has closed still exists: it did not take the RST. */
void tfsm_lives(struct tfsm *f, u8 end, struct tfsm_out *o);

/* Which sort of error an ICMP message is, or ICMPv6 with @ip6. */
enum tfsm_icmp_sort tfsm_icmp_sort(bool ip6, u8 type, u8 code);

/*
 * tfsm_on_icmp - an ICMP error quotes a segment of the flow
 *
 * It moves nobody: most sockets survive most errors (RFC 1122 4.2.3.9), and what does not is gone
 * (tfsm_gone()). It is noted if the segment is in flight.
 *
 * Return: TFSM_OK: it is believed; TFSM_REFUSED; or TFSM_NEED_EXT.
 */
enum tfsm_verdict tfsm_on_icmp(struct tfsm *f, const struct tfsm_icmp *e, struct tfsm_out *o);

/* What errors of this sort have told, or NULL: there were none, or there was no memory. */
const struct tfsm_told *tfsm_told(const struct tfsm *f, enum tfsm_icmp_sort sort);

/* Has nothing been acknowledged since? */
bool tfsm_told_pends(const struct tfsm *f, const struct tfsm_told *told);

/* The extension goes to another flow. */
void tfsm_forget_told(struct tfsm *f);

/* Is a SYN in vain, and was told why? */
static inline bool tfsm_unreached(const struct tfsm *f)
{
	return f->flags & TCPFSM_F_UNREACHABLE &&
	       (f->end[TCPFSM_ORIG].state == TCPFSM_SYN_SENT ||
		f->end[TCPFSM_RESP].state == TCPFSM_SYN_SENT);
}

/* The time-out class of a flow, by its pair of states and flags. */
enum tfsm_class tfsm_class(const struct tfsm *f);

/* The unit of maxwin is 2^14 bytes: windows are compared with that tolerance. */
#define TFSM_WIN_SHIFT	14

static inline bool tfsm_closed(const struct tfsm_end *e)
{
	return e->state == TCPFSM_CLOSED || e->state == TCPFSM_LISTEN;
}

#endif /* _TFSM_H */
