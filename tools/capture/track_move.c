// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "capture/track_flow.h"

static void take_notes(struct track *t, u64 notes)
{
	unsigned int i;

	for (i = 0; notes; i++, notes >>= 1)
		t->counters.notes[i] += notes & 1;
}

void track_moved(struct track *t, struct track_flow *f, const struct tfsm_out *o)
{
	unsigned int i;

	take_notes(t, o->notes);
	if (o->notes & TFSM_REFUSALS && f->flow.refused < 255)
		f->flow.refused++;
	f->flow.flags = f->fsm.flags & TFSM_F_SHOWN;
	for (i = 0; i < o->moves; i++) {
		const struct tfsm_move *m = &o->move[i];
		struct flow_end *end = &f->flow.end[m->end];
		u64 since = f->since[m->end];
		struct event e = {
			.seq = ++t->transitions, .flow = f->flow.id, .when = o->now,
			.dwell = o->now > since ? o->now - since : 0,
			.step = ++f->flow.step, .end = m->end, .from = m->from, .to = m->to,
			.cause = m->cause, .flags = m->flags, .tuple = &f->flow.tuple,
		};

		f->since[m->end] = o->now;
		end->state = m->to;
		end->history = end->history << 4 | m->to;
		t->on_event(&f->flow, &e, t->arg);
	}
}

void track_count(struct track_flow *f, u8 dir, u32 packets, u32 bytes)
{
	f->flow.end[dir].packets += packets;
	f->flow.end[dir].bytes += bytes;
}

void track_count_kept(struct track_flow *f)
{
	u32 packets, bytes;
	unsigned int dir;

	for (dir = 0; dir < TCPFSM_ENDS; dir++)
		if (tfsm_take_uncounted(&f->fsm, dir, &packets, &bytes))
			track_count(f, dir, packets, bytes);
}

/* What the next flow on the tuple has taken the extension of stays as it was. */
void track_told(struct track_flow *f)
{
	unsigned int i;

	for (i = 0; i < TOLD_SORTS; i++) {
		const struct tfsm_told *from = tfsm_told(&f->fsm, i);

		if (!from)
			continue;
		f->flow.told[i] = (struct told){
			.count = from->count, .mtu = from->last.mtu, .type = from->last.type,
			.code = from->last.code, .end = from->last.dir,
			.pends = tfsm_told_pends(&f->fsm, from),
		};
		memcpy(f->flow.told[i].origin, from->last.origin, sizeof(from->last.origin));
	}
}
