// SPDX-License-Identifier: GPL-2.0
/*
 * The endpoint machine: current state: event: next state. Every cell is written.
 *
 * STAY: the event is legal here and moves nothing. NEVER: nothing raises it here; the tests walk
 * all cells, so a NEVER that is reached shows.
 */
#include "tfsm.h"

#define STAY	TFSM_STAY
#define NEVER	TFSM_NEVER
#define PASSIVE	TFSM_PASSIVE
#define GIVEN	TFSM_GIVEN
#define ST(x)	TCPFSM_##x

const u8 tfsm_machine[TCPFSM_STATES][TCPFSM_CAUSES] = {
	/* RFC 9293 3.10.1 OPEN, and the tracker's own ways in */
	[ST(CLOSED)] = {
		[ST(PASSIVE_OPEN)]	= ST(LISTEN),
		[ST(SND_SYN)]		= ST(SYN_SENT),
		[ST(SND_SYNACK)]	= NEVER,
		[ST(SYN_ACKED)]		= NEVER,
		[ST(TOOK_SYNACK)]	= NEVER,
		[ST(SND_FIN)]		= NEVER,
		[ST(TOOK_FIN)]		= NEVER,
		[ST(FIN_ACKED)]		= NEVER,
		[ST(SND_RST)]		= STAY,		/* 3.10.7.1: answers anything */
		[ST(RCV_RST)]		= STAY,
		[ST(EXPIRE)]		= NEVER,
		[ST(GONE)]		= STAY,
		[ST(MIDSTREAM)]		= GIVEN,
		[ST(SND_FIN_FIRST)]	= NEVER,
		[ST(RESUME)]		= GIVEN,
		[ST(TOOK_FIN_FIRST)]	= NEVER,
		[ST(NO_FIN)]		= GIVEN,
	},
	/* 3.10.7.2; SND_SYN is the SEND call of 3.10.2, or a simultaneous open */
	[ST(LISTEN)] = {
		[ST(PASSIVE_OPEN)]	= NEVER,
		[ST(SND_SYN)]		= ST(SYN_SENT),
		[ST(SND_SYNACK)]	= ST(SYN_RCVD),
		[ST(SYN_ACKED)]		= NEVER,
		[ST(TOOK_SYNACK)]	= NEVER,
		[ST(SND_FIN)]		= NEVER,
		[ST(TOOK_FIN)]		= NEVER,
		[ST(FIN_ACKED)]		= NEVER,
		[ST(SND_RST)]		= ST(CLOSED),	/* nobody listened: refused */
		[ST(RCV_RST)]		= STAY,
		[ST(EXPIRE)]		= NEVER,
		[ST(GONE)]		= STAY,		/* a listener is not this flow's socket */
		[ST(MIDSTREAM)]		= NEVER,
		[ST(SND_FIN_FIRST)]	= NEVER,
		[ST(RESUME)]		= GIVEN,
		[ST(TOOK_FIN_FIRST)]	= NEVER,
		[ST(NO_FIN)]		= NEVER,
	},
	/* 3.10.7.3 */
	[ST(SYN_SENT)] = {
		[ST(PASSIVE_OPEN)]	= NEVER,
		[ST(SND_SYN)]		= STAY,
		[ST(SND_SYNACK)]	= ST(SYN_RCVD),	/* simultaneous open, figure 7 */
		[ST(SYN_ACKED)]		= STAY,		/* remembered */
		[ST(TOOK_SYNACK)]	= ST(ESTABLISHED),
		[ST(SND_FIN)]		= NEVER,
		[ST(TOOK_FIN)]		= NEVER,
		[ST(FIN_ACKED)]		= NEVER,
		[ST(SND_RST)]		= ST(CLOSED),
		[ST(RCV_RST)]		= ST(CLOSED),
		[ST(EXPIRE)]		= NEVER,
		[ST(GONE)]		= ST(CLOSED),
		[ST(MIDSTREAM)]		= NEVER,
		[ST(SND_FIN_FIRST)]	= NEVER,
		[ST(RESUME)]		= GIVEN,	/* of a passive end that a RST sent back */
		[ST(TOOK_FIN_FIRST)]	= NEVER,
		[ST(NO_FIN)]		= NEVER,
	},
	/* 3.10.7.4, SYN-RECEIVED; a server unwilling to serve sends FIN: 3.10.4 */
	[ST(SYN_RCVD)] = {
		[ST(PASSIVE_OPEN)]	= NEVER,
		[ST(SND_SYN)]		= STAY,
		[ST(SND_SYNACK)]	= STAY,
		[ST(SYN_ACKED)]		= ST(ESTABLISHED),
		[ST(TOOK_SYNACK)]	= STAY,
		[ST(SND_FIN)]		= ST(FIN_WAIT_1),
		[ST(TOOK_FIN)]		= ST(CLOSE_WAIT),
		[ST(FIN_ACKED)]		= NEVER,
		[ST(SND_RST)]		= ST(CLOSED),
		[ST(RCV_RST)]		= PASSIVE,
		[ST(EXPIRE)]		= NEVER,
		[ST(GONE)]		= ST(CLOSED),
		[ST(MIDSTREAM)]		= NEVER,
		[ST(SND_FIN_FIRST)]	= NEVER,
		[ST(RESUME)]		= NEVER,
		[ST(TOOK_FIN_FIRST)]	= NEVER,
		[ST(NO_FIN)]		= NEVER,
	},
	/* 3.10.7.4, ESTABLISHED; 3.10.4 CLOSE */
	[ST(ESTABLISHED)] = {
		[ST(PASSIVE_OPEN)]	= NEVER,
		[ST(SND_SYN)]		= NEVER,
		[ST(SND_SYNACK)]	= STAY,
		[ST(SYN_ACKED)]		= STAY,
		[ST(TOOK_SYNACK)]	= STAY,
		[ST(SND_FIN)]		= ST(FIN_WAIT_1),
		[ST(TOOK_FIN)]		= ST(CLOSE_WAIT),
		[ST(FIN_ACKED)]		= NEVER,
		[ST(SND_RST)]		= ST(CLOSED),
		[ST(RCV_RST)]		= ST(CLOSED),
		[ST(EXPIRE)]		= NEVER,
		[ST(GONE)]		= ST(CLOSED),
		[ST(MIDSTREAM)]		= NEVER,
		[ST(SND_FIN_FIRST)]	= NEVER,
		[ST(RESUME)]		= NEVER,
		[ST(TOOK_FIN_FIRST)]	= NEVER,
		[ST(NO_FIN)]		= STAY,
	},
	/* 3.10.7.4, FIN-WAIT-1: the ACK is processed before the FIN, so there is no arc to
	 * TIME_WAIT
	 */
	[ST(FIN_WAIT_1)] = {
		[ST(PASSIVE_OPEN)]	= NEVER,
		[ST(SND_SYN)]		= NEVER,
		[ST(SND_SYNACK)]	= STAY,
		[ST(SYN_ACKED)]		= STAY,
		[ST(TOOK_SYNACK)]	= STAY,
		[ST(SND_FIN)]		= STAY,
		[ST(TOOK_FIN)]		= ST(CLOSING),
		[ST(FIN_ACKED)]		= ST(FIN_WAIT_2),
		[ST(SND_RST)]		= ST(CLOSED),
		[ST(RCV_RST)]		= ST(CLOSED),
		[ST(EXPIRE)]		= NEVER,
		[ST(GONE)]		= ST(CLOSED),
		[ST(MIDSTREAM)]		= NEVER,
		[ST(SND_FIN_FIRST)]	= NEVER,
		[ST(RESUME)]		= NEVER,
		[ST(TOOK_FIN_FIRST)]	= ST(LAST_ACK),
		[ST(NO_FIN)]		= GIVEN,
	},
	/* 3.10.7.4, FIN-WAIT-2 */
	[ST(FIN_WAIT_2)] = {
		[ST(PASSIVE_OPEN)]	= NEVER,
		[ST(SND_SYN)]		= NEVER,
		[ST(SND_SYNACK)]	= STAY,
		[ST(SYN_ACKED)]		= STAY,
		[ST(TOOK_SYNACK)]	= STAY,
		[ST(SND_FIN)]		= STAY,
		[ST(TOOK_FIN)]		= ST(TIME_WAIT),
		[ST(FIN_ACKED)]		= STAY,
		[ST(SND_RST)]		= ST(CLOSED),
		[ST(RCV_RST)]		= ST(CLOSED),
		[ST(EXPIRE)]		= NEVER,
		[ST(GONE)]		= ST(CLOSED),
		[ST(MIDSTREAM)]		= NEVER,
		[ST(SND_FIN_FIRST)]	= NEVER,
		[ST(RESUME)]		= NEVER,
		[ST(TOOK_FIN_FIRST)]	= ST(CLOSED),
		[ST(NO_FIN)]		= GIVEN,
	},
	/* 3.10.4 CLOSE in CLOSE-WAIT; the correction undoes an order that the wire hid */
	[ST(CLOSE_WAIT)] = {
		[ST(PASSIVE_OPEN)]	= NEVER,
		[ST(SND_SYN)]		= NEVER,
		[ST(SND_SYNACK)]	= STAY,
		[ST(SYN_ACKED)]		= STAY,
		[ST(TOOK_SYNACK)]	= STAY,
		[ST(SND_FIN)]		= ST(LAST_ACK),
		[ST(TOOK_FIN)]		= STAY,
		[ST(FIN_ACKED)]		= NEVER,
		[ST(SND_RST)]		= ST(CLOSED),
		[ST(RCV_RST)]		= ST(CLOSED),
		[ST(EXPIRE)]		= NEVER,
		[ST(GONE)]		= ST(CLOSED),
		[ST(MIDSTREAM)]		= NEVER,
		[ST(SND_FIN_FIRST)]	= ST(CLOSING),
		[ST(RESUME)]		= NEVER,
		[ST(TOOK_FIN_FIRST)]	= NEVER,
		[ST(NO_FIN)]		= GIVEN,
	},
	/* 3.10.7.4, CLOSING */
	[ST(CLOSING)] = {
		[ST(PASSIVE_OPEN)]	= NEVER,
		[ST(SND_SYN)]		= NEVER,
		[ST(SND_SYNACK)]	= STAY,
		[ST(SYN_ACKED)]		= STAY,
		[ST(TOOK_SYNACK)]	= STAY,
		[ST(SND_FIN)]		= STAY,
		[ST(TOOK_FIN)]		= STAY,
		[ST(FIN_ACKED)]		= ST(TIME_WAIT),
		[ST(SND_RST)]		= ST(CLOSED),
		[ST(RCV_RST)]		= ST(CLOSED),
		[ST(EXPIRE)]		= NEVER,
		[ST(GONE)]		= ST(CLOSED),
		[ST(MIDSTREAM)]		= NEVER,
		[ST(SND_FIN_FIRST)]	= NEVER,
		[ST(RESUME)]		= NEVER,
		[ST(TOOK_FIN_FIRST)]	= NEVER,
		[ST(NO_FIN)]		= GIVEN,
	},
	/* 3.10.7.4, LAST-ACK */
	[ST(LAST_ACK)] = {
		[ST(PASSIVE_OPEN)]	= NEVER,
		[ST(SND_SYN)]		= NEVER,
		[ST(SND_SYNACK)]	= STAY,
		[ST(SYN_ACKED)]		= STAY,
		[ST(TOOK_SYNACK)]	= STAY,
		[ST(SND_FIN)]		= STAY,
		[ST(TOOK_FIN)]		= STAY,
		[ST(FIN_ACKED)]		= ST(CLOSED),
		[ST(SND_RST)]		= ST(CLOSED),
		[ST(RCV_RST)]		= ST(CLOSED),
		[ST(EXPIRE)]		= NEVER,
		[ST(GONE)]		= ST(CLOSED),
		[ST(MIDSTREAM)]		= NEVER,
		[ST(SND_FIN_FIRST)]	= NEVER,
		[ST(RESUME)]		= NEVER,
		[ST(TOOK_FIN_FIRST)]	= NEVER,
		[ST(NO_FIN)]		= GIVEN,
	},
	/* 3.10.7.4, TIME-WAIT, and 3.10.8 time-out; RFC 1337 is decided before the table */
	[ST(TIME_WAIT)] = {
		[ST(PASSIVE_OPEN)]	= NEVER,
		[ST(SND_SYN)]		= NEVER,
		[ST(SND_SYNACK)]	= STAY,
		[ST(SYN_ACKED)]		= STAY,
		[ST(TOOK_SYNACK)]	= STAY,
		[ST(SND_FIN)]		= STAY,
		[ST(TOOK_FIN)]		= STAY,
		[ST(FIN_ACKED)]		= STAY,
		[ST(SND_RST)]		= ST(CLOSED),
		[ST(RCV_RST)]		= ST(CLOSED),
		[ST(EXPIRE)]		= ST(CLOSED),
		[ST(GONE)]		= ST(CLOSED),
		[ST(MIDSTREAM)]		= NEVER,
		[ST(SND_FIN_FIRST)]	= NEVER,
		[ST(RESUME)]		= NEVER,
		[ST(TOOK_FIN_FIRST)]	= NEVER,
		[ST(NO_FIN)]		= GIVEN,
	},
};
