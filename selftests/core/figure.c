// SPDX-License-Identifier: GPL-2.0
/*
 * The endpoint machine against an independent statement of RFC 9293's figure 5, and every cell
 * of it against what may be written there.
 */
#include "kselftest_harness.h"

#include "play.h"

/* Figure 5, arc by arc, as drawn: each is "from event to". */
static const struct arc {
	u8 from, event, to;
} figure[] = {
#define ARC(from, event, to) { TCPFSM_##from, TCPFSM_##event, TCPFSM_##to }
	ARC(CLOSED, PASSIVE_OPEN, LISTEN),
	ARC(CLOSED, SND_SYN, SYN_SENT),
	ARC(LISTEN, SND_SYN, SYN_SENT),
	ARC(LISTEN, SND_SYNACK, SYN_RCVD),
	ARC(SYN_SENT, SND_SYNACK, SYN_RCVD),
	ARC(SYN_SENT, TOOK_SYNACK, ESTABLISHED),
	ARC(SYN_RCVD, SYN_ACKED, ESTABLISHED),
	ARC(SYN_RCVD, SND_FIN, FIN_WAIT_1),
	ARC(ESTABLISHED, SND_FIN, FIN_WAIT_1),
	ARC(ESTABLISHED, TOOK_FIN, CLOSE_WAIT),
	ARC(FIN_WAIT_1, FIN_ACKED, FIN_WAIT_2),
	ARC(FIN_WAIT_1, TOOK_FIN, CLOSING),
	ARC(FIN_WAIT_2, TOOK_FIN, TIME_WAIT),
	ARC(CLOSING, FIN_ACKED, TIME_WAIT),
	ARC(CLOSE_WAIT, SND_FIN, LAST_ACK),
	ARC(LAST_ACK, FIN_ACKED, CLOSED),
	ARC(TIME_WAIT, EXPIRE, CLOSED),
	/* In the text, not in the figure: 3.10.7.4 eighth check; the tracker's corrections. */
	ARC(SYN_RCVD, TOOK_FIN, CLOSE_WAIT),
	ARC(CLOSE_WAIT, SND_FIN_FIRST, CLOSING),
	ARC(FIN_WAIT_1, TOOK_FIN_FIRST, LAST_ACK),
	ARC(FIN_WAIT_2, TOOK_FIN_FIRST, CLOSED),
};

#define EACH(x, limit) for (unsigned int x = 1; x < (limit); x++)

TEST(every_cell_is_written)
{
	EACH(state, TCPFSM_STATES) {
		EACH(event, TCPFSM_CAUSES) {
			u8 cell = tfsm_next(state, event);

			EXPECT_NE(0, cell)
				TH_LOG("%s %s is unset", state_names[state], cause_names[event]);
			EXPECT_LE(cell, TFSM_GIVEN);
			EXPECT_NE(state, cell)
				TH_LOG("%s %s: write STAY", state_names[state], cause_names[event]);
		}
	}
}

TEST(every_arc_of_figure_5_is_there)
{
	for (size_t i = 0; i < ARRAY_SIZE(figure); i++) {
		EXPECT_EQ(figure[i].to, tfsm_next(figure[i].from, figure[i].event))
			TH_LOG("%s %s", state_names[figure[i].from], cause_names[figure[i].event]);
	}
}

static bool in_figure(u8 from, u8 event)
{
	for (size_t i = 0; i < ARRAY_SIZE(figure); i++)
		if (figure[i].from == from && figure[i].event == event)
			return true;
	return false;
}

/* 3.10.7: a reset, and the end of the socket, lead to CLOSED from wherever there is one. */
TEST(no_other_arc_but_to_closed)
{
	EACH(state, TCPFSM_STATES) {
		EACH(event, TCPFSM_CAUSES) {
			u8 cell = tfsm_next(state, event);
			bool ends = event == TCPFSM_SND_RST || event == TCPFSM_RCV_RST ||
				    event == TCPFSM_GONE;

			if (in_figure(state, event) || cell == TFSM_STAY || cell == TFSM_NEVER)
				continue;
			if (cell == TFSM_GIVEN) {
				EXPECT_TRUE(event == TCPFSM_MIDSTREAM || event == TCPFSM_RESUME ||
					    event == TCPFSM_NO_FIN);
				continue;
			}
			if (cell == TFSM_PASSIVE) {
				EXPECT_EQ(TCPFSM_SYN_RCVD, state);
				EXPECT_EQ(TCPFSM_RCV_RST, event);
				continue;
			}
			EXPECT_TRUE(ends && cell == TCPFSM_CLOSED)
				TH_LOG("%s %s > %s", state_names[state], cause_names[event],
				       state_names[cell]);
		}
	}
}

TEST(a_reset_closes_every_open_state)
{
	EACH(state, TCPFSM_STATES) {
		if (state == TCPFSM_CLOSED)
			continue;
		EXPECT_EQ(TCPFSM_CLOSED, tfsm_next(state, TCPFSM_SND_RST));
		if (state != TCPFSM_LISTEN && state != TCPFSM_SYN_RCVD)
			EXPECT_EQ(TCPFSM_CLOSED, tfsm_next(state, TCPFSM_RCV_RST));
	}
}

/* Every state can be reached from CLOSED and left again: no dead end, no island. */
TEST(every_state_is_reached_and_left)
{
	bool reached[TCPFSM_STATES] = { [TCPFSM_CLOSED] = true };
	bool more = true;

	while (more) {
		more = false;
		EACH(state, TCPFSM_STATES) {
			EACH(event, TCPFSM_CAUSES) {
				u8 to = tfsm_next(state, event);

				if (reached[state] && to < TCPFSM_STATES && !reached[to])
					more = reached[to] = true;
			}
		}
	}
	EACH(state, TCPFSM_STATES) {
		EXPECT_TRUE(reached[state]) TH_LOG("%s", state_names[state]);
	}
}

/* The numbers on the wire of netlink are the kernel's. */
TEST(states_are_numbered_as_the_kernel_does)
{
	EXPECT_EQ(1, TCPFSM_ESTABLISHED);
	EXPECT_EQ(3, TCPFSM_SYN_RCVD);
	EXPECT_EQ(6, TCPFSM_TIME_WAIT);
	EXPECT_EQ(7, TCPFSM_CLOSED);
	EXPECT_EQ(9, TCPFSM_LAST_ACK);
	EXPECT_EQ(11, TCPFSM_CLOSING);
}

/* The time-out class of every pair of states, both ways round. */
TEST(every_pair_has_its_class)
{
	static const struct {
		u8 a, b, class;
	} pairs[] = {
#define PAIR(a, b, class) { TCPFSM_##a, TCPFSM_##b, TFSM_CLASS_##class }
		PAIR(CLOSED, CLOSED, CLOSED),
		PAIR(CLOSED, LISTEN, CLOSED),
		PAIR(SYN_SENT, LISTEN, OPENING),
		PAIR(SYN_SENT, SYN_RCVD, OPENING),
		PAIR(ESTABLISHED, SYN_RCVD, OPENING),
		PAIR(ESTABLISHED, ESTABLISHED, ESTABLISHED),
		PAIR(FIN_WAIT_1, ESTABLISHED, CLOSING),
		PAIR(FIN_WAIT_1, FIN_WAIT_1, CLOSING),
		PAIR(FIN_WAIT_2, CLOSE_WAIT, HALF_CLOSED),
		PAIR(FIN_WAIT_2, ESTABLISHED, HALF_CLOSED),
		PAIR(FIN_WAIT_2, LAST_ACK, CLOSING),
		PAIR(CLOSING, CLOSING, CLOSING),
		PAIR(TIME_WAIT, LAST_ACK, TIME_WAIT),
		PAIR(TIME_WAIT, CLOSED, TIME_WAIT),
		PAIR(TIME_WAIT, TIME_WAIT, TIME_WAIT),
		PAIR(CLOSED, ESTABLISHED, CLOSING),
		PAIR(CLOSED, CLOSE_WAIT, CLOSING),
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct tfsm f = {};

		f.end[0].state = pairs[i].a;
		f.end[1].state = pairs[i].b;
		EXPECT_EQ(pairs[i].class, tfsm_class(&f));
		f.end[0].state = pairs[i].b;
		f.end[1].state = pairs[i].a;
		EXPECT_EQ(pairs[i].class, tfsm_class(&f));
	}
}

TEST_HARNESS_MAIN
