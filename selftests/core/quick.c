// SPDX-License-Identifier: GPL-2.0
/*
 * Which segments go a short way (mod/core/quick.c), and which must not. That a short way does what
 * the full one does, play.h demands of every segment that any test plays.
 */
#include "kselftest_harness.h"

#include "play.h"

#define SEGMENTS 16

struct game {
	const char *name;
	const char *segment[SEGMENTS];
};

#define HANDSHAKE	"> S 100 ws=7", "< SA 300 101 ws=7", "> A 101 301"

/* ---- what goes a short way ---- */

/* All of them but the SYN. */
static const struct game ordinary[] = {
	{ "orig closes first", {
		HANDSHAKE, "> PA 101 301 len=10", "< A 301 111", "< PA 301 111 len=20",
		"> A 111 321", "> FA 111 321", "< A 321 112", "< FA 321 112", "> A 112 322" } },
	{ "resp closes first", {
		HANDSHAKE, "< FA 301 101 len=20", "> A 101 322", "> FA 101 322", "< A 322 102" } },
	{ "three segments close", {
		HANDSHAKE, "> FA 101 301", "< FA 301 102", "> A 102 302" } },
	{ "three segments close from the other end", {
		HANDSHAKE, "< FA 301 101", "> FA 101 302", "< A 302 102" } },
	{ "data in the FINs", {
		HANDSHAKE, "> FA 101 301 len=10", "< FA 301 112 len=10", "> A 112 312" } },
	{ "data while the other end has closed", {
		HANDSHAKE, "> FA 101 301", "< A 301 102", "< A 301 102 len=50", "> A 102 351",
		"< A 351 102 len=50", "< FA 401 102", "> A 102 402" } },
	{ "data with the ACK of the FIN", {
		HANDSHAKE, "> FA 101 301", "< A 301 102 len=50", "> A 102 351", "< FA 351 102",
		"> A 102 352" } },
	{ "data with the ACK of the SYN|ACK", {
		"> S 100", "< SA 300 101", "> A 101 301 len=10", "< A 301 111" } },
	{ "data in the SYN", {
		"> S 100 len=10", "< SA 300 111", "> A 111 301", "> FA 111 301", "< A 301 112" } },
	{ "data in the SYN, not taken", {
		"> S 100", "< SA 300 101 len=5", "> A 101 306" } },
	{ "one end alone scales its window", {
		"> S 100 ws=7", "< SA 300 101", "> A 101 301", "> FA 101 301", "< A 301 102" } },
	{ "numbers wrap", {
		"> S 4294967294", "< SA 4294967295 4294967295", "> A 4294967295 0",
		"> A 4294967295 0 len=1", "< A 0 0", "> FA 0 0", "< FA 0 1", "> A 1 1" } },
};

TEST(an_ordinary_connection_goes_the_short_way_from_its_synack_to_its_last_ack)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(ordinary); i++) {
		const struct game *g = &ordinary[i];
		struct play p = {};

		for (j = 0; j < SEGMENTS && g->segment[j]; j++) {
			play(&p, g->segment[j]);
			EXPECT_EQ(j, p.quick) {
				TH_LOG("%s: %s", g->name, g->segment[j]);
			}
			EXPECT_EQ(0, p.notes);
		}
	}
}

/* ---- what does not ---- */

/* The last segment of each. */
static const struct game unusual[] = {
	{ "SYN|ACK of a simultaneous open", { "> S 100", "< S 300", "< SA 300 101" } },
	{ "SYN|ACK with a wrong ACK", { "> S 100", "< SA 300 99" } },
	{ "SYN|ACK that acknowledges too much", { "> S 100", "< SA 300 102" } },
	{ "SYN|ACK sent again", { "> S 100", "< SA 300 101", "< SA 300 101" } },
	{ "SYN|ACK with another ISN", { "> S 100", "< SA 300 101", "< SA 400 101" } },
	{ "SYN|ACK after another SYN", { "> S 100", "> S 200", "< SA 300 101" } },
	{ "SYN|ACK after a refused one", { "> S 100", "< SA 300 99", "< SA 300 101" } },
	{ "SYN|ACK behind an early FIN", { "> S 100", "< FA 301 101", "< SA 300 101" } },
	{ "SYN|ACK of nobody", { "< SA 300 101", "< SA 300 101" } },

	{ "ACK without a SYN|ACK", { "> S 100", "> A 101 301" } },
	{ "first ACK with a wrong ACK", { "> S 100", "< SA 300 101", "> A 101 300" } },
	{ "first ACK beyond", { "> S 100", "< SA 300 101", "> A 101 302" } },
	{ "first ACK with a FIN", { "> S 100", "< SA 300 101", "> FA 101 301" } },
	{ "first ACK behind a hole", { "> S 100", "< SA 300 101", "> A 111 301" } },
	{ "first ACK behind the SYN's data, which was not taken", {
		"> S 100 len=10", "< SA 300 101 win=0", "> A 111 301" } },
	{ "first ACK at the ISN", { "> S 100", "< SA 300 101", "> A 100 301" } },
	{ "first ACK after a refused one", {
		"> S 100", "< SA 300 101", "> A 101 300", "> A 101 301" } },
	{ "first ACK after another SYN", { "> S 100", "< SA 300 101", "> S 200", "> A 101 301" } },
	{ "data of an end in SYN_RCVD", { "> S 100", "< SA 300 101", "< A 301 101 len=5" } },
	{ "FIN of an end in SYN_RCVD", { "> S 100", "< SA 300 101", "< FA 301 101" } },

	{ "data sent again", { HANDSHAKE, "> A 101 301 len=10", "> A 101 301 len=10" } },
	{ "data behind a hole", { HANDSHAKE, "> A 111 301 len=10" } },
	{ "data into a hole", { HANDSHAKE, "> A 111 301 len=10", "> A 101 301 len=10" } },
	{ "data below the ACK before", {
		HANDSHAKE, "< A 301 101 len=10", "> A 101 311", "> A 101 306" } },
	{ "ACK of what did not pass", { HANDSHAKE, "> A 101 311" } },
	{ "keepalive", { HANDSHAKE, "> A 100 301" } },
	{ "data of a flow met midstream", { "> A 101 301 len=5", "> A 106 301 len=5" } },
	{ "data after a challenged RST", { HANDSHAKE, "> R 111", "> A 101 301 len=5" } },
	{ "data after a RST", { HANDSHAKE, "> R 101", "> A 101 301 len=5" } },
	{ "data after a refused segment", {
		HANDSHAKE, "> A 2000000000 301 len=5", "> A 101 301 len=5" } },
	{ "data beyond the window", { HANDSHAKE, "> A 9000000 301 len=5" } },
	{ "ACK without the flag", { HANDSHAKE, "> P 101 len=5" } },
	{ "impossible flags", { HANDSHAKE, "> SFA 101 301" } },

	{ "FIN behind a hole", { HANDSHAKE, "> FA 111 301" } },
	{ "FIN after a hole", { HANDSHAKE, "> A 111 301 len=10", "> FA 121 301" } },
	{ "FIN below data", { HANDSHAKE, "> A 101 301 len=10", "> FA 101 301" } },
	{ "FIN sent again", { HANDSHAKE, "> FA 101 301", "> FA 101 301" } },
	{ "FIN sent again, while the other end is open", {
		HANDSHAKE, "> FA 101 301", "< A 301 102", "> FA 101 301" } },
	{ "FIN of a first fragment", { HANDSHAKE, "> FA 101 301 len=8 partial" } },
	{ "FIN that acknowledges what did not pass", { HANDSHAKE, "> FA 101 311" } },
	{ "FIN after a challenged RST", { HANDSHAKE, "> R 111", "> FA 101 301" } },
	{ "FIN after a RST", { HANDSHAKE, "> R 101", "> FA 101 301" } },
	{ "FIN after a refused one", { HANDSHAKE, "> FA 2000000000 301", "> FA 101 301" } },
	{ "FIN of a flow met midstream", { "> A 101 301 len=5", "> FA 106 301" } },
	{ "FIN whose ACK has passed", { HANDSHAKE, "< A 301 102", "> FA 101 301" } },
	{ "FINs that cross", { HANDSHAKE, "> FA 101 301", "< FA 301 101" } },
	{ "ACK of FINs that crossed", {
		HANDSHAKE, "> FA 101 301", "< FA 301 101", "> A 102 302" } },
	{ "FIN sent before the ACK that passed", {
		HANDSHAKE, "< FA 301 101", "> A 102 302", "> FA 101 302" } },
	{ "ACK of a FIN that was sent again", {
		HANDSHAKE, "> FA 101 301", "> FA 101 301", "< A 301 102" } },
	{ "ACK that does not cover the FIN", {
		HANDSHAKE, "> A 101 301 len=5", "> FA 106 301", "< A 301 106" } },
	{ "data of an end that has closed", {
		HANDSHAKE, "> FA 101 301", "< A 301 102", "> A 102 301 len=5" } },
	{ "last ACK sent again", {
		HANDSHAKE, "> FA 101 301", "< FA 301 102", "> A 102 302", "> A 102 302" } },
	{ "last ACK of a FIN that was sent again", {
		HANDSHAKE, "> FA 101 301", "< FA 301 102", "< FA 301 102", "> A 102 302" } },
	{ "FIN that reaches TIME_WAIT", {
		HANDSHAKE, "> FA 101 301", "< FA 301 102", "> A 102 302", "< FA 301 102" } },
	{ "RST", { HANDSHAKE, "> R 101" } },
	{ "SYN", { HANDSHAKE, "> S 5000" } },
};

TEST(what_is_not_ordinary_goes_the_full_way)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(unusual); i++) {
		const struct game *g = &unusual[i];
		struct play p = {};

		for (j = 0; j < SEGMENTS && g->segment[j]; j++) {
			p.quick = 0;
			play(&p, g->segment[j]);
		}
		EXPECT_EQ(0, p.quick) {
			TH_LOG("%s", g->name);
		}
		free(tfsm_ext(&p.flow));
	}
}

/* Where the FIN was sent again, the ACK of it sets no mark that data could lie below. */
TEST(data_without_a_mark_goes_the_short_way)
{
	struct play p = {};

	play(&p, "> S 100");
	play(&p, "< SA 300 101");
	play(&p, "> A 101 301");
	play(&p, "> FA 101 301");
	play(&p, "> FA 101 301");
	play(&p, "< A 301 102");
	p.quick = 0;
	play(&p, "< A 301 102 len=5");
	EXPECT_EQ(1, p.quick);
}

TEST(what_comes_while_the_peer_is_gone_goes_the_full_way)
{
	struct play p = {};

	play(&p, "> S 100");
	play(&p, "< SA 300 101");
	play(&p, "> A 101 301");
	play(&p, "> FA 101 301");
	play(&p, "< A 301 102");
	ASSERT_STREQ("CLOSED:CLOSE_WAIT", play_gone(&p, TCPFSM_ORIG));
	p.quick = 0;
	play(&p, "< A 301 102 len=5");
	play(&p, "< FA 306 102");
	EXPECT_EQ(0, p.quick);
}

TEST(fin_of_an_end_that_has_acknowledged_nothing_here_goes_the_full_way)
{
	struct play p = { .local = { { .state = TCPFSM_CLOSE_WAIT } } };

	ASSERT_STREQ("CLOSE_WAIT:FIN_WAIT_2", play(&p, "< A 301 101"));
	play(&p, "> FA 101 301");
	EXPECT_EQ(0, p.quick);
}

static void play_at(struct play *p, u8 dir, u8 flags, u32 seq, u32 ack, u32 len)
{
	struct tfsm_seg s = {
		.dir = dir, .flags = flags, .seq = seq, .ack = ack, .len = len, .win = 65535,
	};

	play_seg(p, s);
}

/* resp answers the FIN of orig, which sets the mark, and sends @count times 64 KB behind it. */
static u32 play_behind_mark(struct play *p, u32 count)
{
	u32 seq = 301;

	play(p, "> S 100");
	play(p, "< SA 300 101");
	play(p, "> A 101 301");
	play(p, "> FA 101 301");
	play(p, "< A 301 102");
	for (p->quick = 0; count--; seq += 1U << 16) {
		play_at(p, TCPFSM_RESP, TFSM_ACK, seq, 102, 1U << 16);
		play_at(p, TCPFSM_ORIG, TFSM_ACK, 102, seq + (1U << 16), 0);
	}
	return seq;
}

/* 2^31 bytes behind the mark, data lies below it, and sets it anew. */
TEST(data_below_the_mark_goes_the_full_way)
{
	struct play p = {};
	u32 seq = play_behind_mark(&p, 1U << 15);

	EXPECT_EQ(1U << 16, p.quick);
	play_at(&p, TCPFSM_RESP, TFSM_ACK, seq, 102, 1);
	EXPECT_EQ(1U << 16, p.quick);
	play_at(&p, TCPFSM_RESP, TFSM_ACK, seq + 1, 102, 1);
	EXPECT_EQ((1U << 16) + 1, p.quick);
}

TEST(fin_below_the_mark_goes_the_full_way)
{
	struct play p = {};
	u32 seq = play_behind_mark(&p, (1U << 15) - 1);

	p.quick = 0;
	play_at(&p, TCPFSM_RESP, TFSM_ACK, seq, 102, (1U << 16) - 1);
	EXPECT_EQ(1, p.quick);
	play_at(&p, TCPFSM_RESP, TFSM_FIN | TFSM_ACK, seq + (1U << 16) - 1, 102, 10);
	EXPECT_EQ(1, p.quick);
}

TEST_HARNESS_MAIN
