// SPDX-License-Identifier: GPL-2.0
/*
 * What instructions.py counts: the engine, on the segments of an ordinary connection. Names a
 * part; does nothing else worth counting in the function of that name.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../mod/core/tfsm.h"

#define FLOWS	1000
#define ROUNDS	10
#define BYTES	100

static struct tfsm flows[FLOWS];

/* As the module takes it. */
static enum tfsm_verdict segment(struct tfsm *f, u8 dir, u32 seq, u32 ack, u8 flags, u32 len)
{
	struct tfsm_seg s = {
		.seq = seq, .ack = ack, .len = len, .win = 0xffff, .dir = dir,
		.has_wscale = flags & TFSM_SYN, .wscale = 7,
	};
	struct tfsm_out o;

	tfsm_set_flags(&s, flags);
	if (tfsm_in_order(f, &s))
		return TFSM_OK;
	tfsm_init_out(&o, 1);
	return tfsm_track(f, &s, &o);
}

static noinline void open_flow(struct tfsm *f)
{
	struct tfsm_seg syn = {
		.seq = 999, .win = 0xffff, .has_wscale = true, .wscale = 7,
	};
	struct tfsm_out o;

	tfsm_set_flags(&syn, TFSM_SYN);
	tfsm_init_out(&o, 1);
	tfsm_open(f, &syn, &o);
	segment(f, TCPFSM_RESP, 4999, 1000, TFSM_SYN | TFSM_ACK, 0);
	segment(f, TCPFSM_ORIG, 1000, 5000, TFSM_ACK, 0);
}

static noinline void data(struct tfsm *f, u32 round)
{
	segment(f, TCPFSM_ORIG, 1000 + round * BYTES, 5000, TFSM_ACK | TFSM_PSH, BYTES);
}

static noinline void ack(struct tfsm *f, u32 round)
{
	segment(f, TCPFSM_RESP, 5000, 1000 + (round + 1) * BYTES, TFSM_ACK, 0);
}

static noinline void close_flow(struct tfsm *f)
{
	const u32 sent = 1000 + ROUNDS * BYTES;

	segment(f, TCPFSM_ORIG, sent, 5000, TFSM_FIN | TFSM_ACK, 0);
	segment(f, TCPFSM_RESP, 5000, sent + 1, TFSM_FIN | TFSM_ACK, 0);
	segment(f, TCPFSM_ORIG, sent + 1, 5001, TFSM_ACK, 0);
}

int main(void)
{
	u32 i, round;

	for (i = 0; i < FLOWS; i++) {
		open_flow(&flows[i]);
		for (round = 0; round < ROUNDS; round++) {
			data(&flows[i], round);
			ack(&flows[i], round);
		}
		close_flow(&flows[i]);
		if (flows[i].end[TCPFSM_ORIG].state != TCPFSM_TIME_WAIT ||
		    flows[i].end[TCPFSM_RESP].state != TCPFSM_CLOSED) {
			fprintf(stderr, "flow %u ended as %u:%u\n", i,
				flows[i].end[TCPFSM_ORIG].state, flows[i].end[TCPFSM_RESP].state);
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}
