// SPDX-License-Identifier: GPL-2.0
/*
 * Arbitrary segments against the engine. Beyond what play.h demands of each segment (legal arcs
 * only, the short way does what the full way does, nothing done where a side is asked for):
 * a refused segment moves nobody, every move starts where the last one of its end stopped, and
 * the states that the moves add up to are those of the flow.
 */
#include "../core/play.h"

/* Eight bytes an operation; numbers stand relative to what the flow has seen. */
struct op {
	u8 what;
	u8 flags;
	u8 seq, ack;		/* signed distances */
	u16 len;
	u16 win;
};

enum { BASE_NEXT, BASE_RUN, BASE_ISN, BASE_FAR };

static u32 number(const struct tfsm_end *e, unsigned int base, u8 distance)
{
	s32 d = (signed char)distance;

	switch (base) {
	case BASE_NEXT:
		return e->next + d;
	case BASE_RUN:
		return (e->run > e->ack ? e->run : e->next) + d * 100;
	case BASE_ISN:
		return e->isn + 1 + d;
	default:
		return e->next + ((u32)distance << 24);
	}
}

static void segment(struct play *p, const struct op *op)
{
	u8 dir = op->what & 1, own = dir ^ p->turned;
	const struct tfsm_end *a = &p->flow.end[own], *b = &p->flow.end[!own];
	struct tfsm_seg s = {
		.dir = dir, .flags = op->flags, .len = op->len, .win = op->win,
		.seq = number(a, op->what >> 1 & 3, op->seq),
		.ack = number(b, op->what >> 3 & 3, op->ack),
		.has_wscale = op->what & 1 << 5, .wscale = op->win & 31,
		.partial = (op->what & 3 << 5) == 3 << 5 && op->win & 1,
	};

	if (s.wscale > 14)
		s.wscale = 14;
	s.made_here = s.flags & TFSM_RST && op->what & 1 << 6;
	play_seg(p, s);
}

/* It may move nobody: play_error() demands that. */
static void error(struct play *p, const struct op *op)
{
	u8 dir = op->what & 1;
	const struct tfsm_end *a = &p->flow.end[dir ^ p->turned];
	struct tfsm_icmp e = {
		.seq = number(a, op->what >> 1 & 3, op->seq), .mtu = op->win, .dir = dir,
		.sort = op->ack & 1 ? TFSM_ICMP_MTU : TFSM_ICMP_UNREACHABLE,
	};

	if (op->ack & 2)
		p->clock += 1000000000;
	if (play_error(p, e) == TFSM_OK && !p->no_memory && !tfsm_told(&p->flow, e.sort))
		abort();
}

/* What comes from elsewhere than the wire. */
static void happen(struct play *p, const struct op *op)
{
	if (!p->alive)
		return;
	if (op->flags & 4) {
		error(p, op);
		return;
	}
	switch (op->flags & 3) {
	case 0:
		play_expire(p);
		break;
	case 1:
		play_gone(p, op->seq & 1);
		break;
	case 2:
		play_lives(p, op->seq & 1);
		break;
	default:
		tfsm_blind(&p->flow);
	}
}

static void recount(const struct play *p)
{
	u8 i;

	if (!p->alive)
		return;
	for (i = 0; i < TCPFSM_ENDS; i++)
		if (p->shown[i] != p->flow.end[i].state)
			abort();
	if (tfsm_class(&p->flow) >= TFSM_CLASSES)
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct play p = { .no_path = true };
	struct op op;

	if (!size)
		return 0;
	p.rfc1337 = *data & 1;
	p.no_memory = *data & 2;
	p.local[*data >> 2 & 1].state = (*data >> 3 & 15) % TCPFSM_STATES;
	for (data++, size--; size >= sizeof(op); data += sizeof(op), size -= sizeof(op)) {
		memcpy(&op, data, sizeof(op));
		if (op.what & 1 << 7)
			happen(&p, &op);
		else
			segment(&p, &op);
		recount(&p);
	}
	if (p.alive)
		free(tfsm_ext(&p.flow));
	return 0;
}
