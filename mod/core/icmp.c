// SPDX-License-Identifier: GPL-2.0
/* ICMP errors: which are believed, and what is kept of them. */
#include "engine.h"

#define PAUSE	1000000000ULL	/* ns between two errors about the MTU that count */
#define WINDOW	0xffffU		/* without scaling */

enum tfsm_icmp_sort tfsm_icmp_sort(bool ip6, u8 type, u8 code)
{
	if (ip6)
		switch (type) {
		case 1:		/* destination unreachable */
		case 3:		/* time exceeded */
		case 4:		/* parameter problem */
			return TFSM_ICMP_UNREACHABLE;
		case 2:		/* packet too big */
			return TFSM_ICMP_MTU;
		default:
			return TFSM_ICMP_SORTS;
		}
	switch (type) {
	case 3:		/* destination unreachable; 4: fragmentation needed */
		if (code > 15)
			return TFSM_ICMP_SORTS;
		return code == 4 ? TFSM_ICMP_MTU : TFSM_ICMP_UNREACHABLE;
	case 11:	/* time exceeded */
	case 12:	/* parameter problem */
		return TFSM_ICMP_UNREACHABLE;
	default:
		return TFSM_ICMP_SORTS;
	}
}

/*
 * RFC 5927 4.1, as Linux's tcp_v4_err(): is this SEQ between what the peer has acknowledged and
 * what was sent? The end of the latter is in, for ACKs without data are quoted, too, and a router
 * does not forward the segment that it says is too big. Where no ACK of the peer has passed here, a
 * window is allowed for, as far as the SYN.
 */
static bool is_in_flight(const struct tfsm *f, u8 dir, u32 seq)
{
	const struct tfsm_end *a = &f->end[dir], *b = &f->end[!dir];
	u32 first = a->next - WINDOW;

	if (!has_fact(a, TFSM_E_SENT))
		return false;
	if (has_fact(b, TFSM_E_ACKS))
		first = b->ack;
	else if (has_fact(a, TFSM_E_SYN) && a->next - a->isn < WINDOW)
		first = a->isn;
	return !tfsm_before(seq, first) && !tfsm_after(seq, a->next);
}

bool tfsm_told_pends(const struct tfsm *f, const struct tfsm_told *told)
{
	return is_in_flight(f, told->last.dir, told->seq);
}

/* Return: it counts. */
static bool keep_error(struct tfsm *f, struct tfsm_told *told, const struct tfsm_icmp *e, u64 now)
{
	/*
	 * Whoever is told that a segment is too big may have sent others before it has taken the
	 * advice: of what comes at once, one counts.
	 */
	if (e->sort == TFSM_ICMP_MTU && told->count && now - told->when < PAUSE)
		return false;
	if (!told->count || told->last.dir != e->dir || !tfsm_told_pends(f, told)) {
		told->count = 0;
		told->seq = e->seq;
	}
	told->last = *e;
	told->when = now;
	if (told->count < ~0U)
		told->count++;
	return true;
}

enum tfsm_verdict tfsm_on_icmp(struct tfsm *f, const struct tfsm_icmp *e, struct tfsm_out *o)
{
	static const u32 flags[] = { TCPFSM_F_UNREACHABLE, TCPFSM_F_MTU };
	static const u8 notes[] = { TFSM_NOTE_icmp_unreachable, TFSM_NOTE_icmp_mtu };

	if (tfsm_closed(&f->end[e->dir]) || !is_in_flight(f, e->dir, e->seq)) {
		add_note(o, TFSM_NOTE_icmp_stale);
		return TFSM_REFUSED;
	}
	if (!tfsm_ext(f) && !(f->flags & TFSM_F_NO_EXT))
		return TFSM_NEED_EXT;
	if (tfsm_ext(f) && !keep_error(f, &tfsm_ext(f)->told[e->sort], e, o->now))
		return TFSM_OK;
	f->flags |= flags[e->sort];
	add_note(o, notes[e->sort]);
	return TFSM_OK;
}

const struct tfsm_told *tfsm_told(const struct tfsm *f, enum tfsm_icmp_sort sort)
{
	const struct tfsm_ext *ext = tfsm_ext(f);

	return ext && ext->told[sort].count ? &ext->told[sort] : NULL;
}

void tfsm_forget_told(struct tfsm *f)
{
	if (tfsm_ext(f))
		memset(tfsm_ext(f)->told, 0, sizeof(tfsm_ext(f)->told));
}
