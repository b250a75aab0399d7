// SPDX-License-Identifier: GPL-2.0
/* Games too long to be written down as scenarios: many rounds, and random ones. */
#include "kselftest_harness.h"

#include "play.h"

/* Latched facts still hold when sequence numbers have gone round by more than 2^31. */
TEST(latched_facts_outlast_sequence_space)
{
	struct play p = {};
	struct tfsm_seg s;
	u32 seq = 301;
	int i;

	ASSERT_STREQ("SYN_SENT:LISTEN", play(&p, "> S 100"));
	ASSERT_STREQ("SYN_SENT:SYN_RCVD", play(&p, "< SA 300 101"));
	ASSERT_STREQ("ESTABLISHED:ESTABLISHED", play(&p, "> A 101 301"));
	ASSERT_STREQ("FIN_WAIT_1:ESTABLISHED", play(&p, "> FA 101 301"));
	ASSERT_STREQ("FIN_WAIT_2:CLOSE_WAIT", play(&p, "< A 301 102"));
	for (i = 0; i < 90000; i++, seq += 60000) {	/* 5.4e9 bytes */
		s = (struct tfsm_seg) { .seq = seq, .ack = 102, .len = 60000, .win = 65535,
					.flags = TFSM_ACK, .dir = TCPFSM_RESP };
		play_seg(&p, s);
		s = (struct tfsm_seg) { .seq = 102, .ack = seq + 60000, .win = 65535,
					.flags = TFSM_ACK, .dir = TCPFSM_ORIG };
		play_seg(&p, s);
		ASSERT_EQ(0, p.notes);
	}
	EXPECT_STREQ("FIN_WAIT_2:CLOSE_WAIT", play_pair(&p));
}

/* ACKs that take another way for more than 2^31 bytes do not void the check of the window. */
TEST(the_edge_goes_along_with_what_outran_it)
{
	struct play p = {};
	struct tfsm_seg s;
	u32 seq = 101;
	int i;

	play(&p, "> S 100");
	play(&p, "< SA 300 101 win=60000");
	ASSERT_STREQ("ESTABLISHED:ESTABLISHED", play(&p, "> A 101 301"));
	for (i = 0; i < 40000; i++, seq += 65000) {	/* 2.6e9 bytes */
		s = (struct tfsm_seg) { .seq = seq, .ack = 301, .len = 65000, .win = 65535,
					.flags = TFSM_ACK, .dir = TCPFSM_ORIG };
		play_seg(&p, s);
		ASSERT_EQ(0, p.notes);
		if (i % 1000)
			continue;
		s.seq += 1000000000;
		s.flags |= TFSM_FIN;
		play_seg(&p, s);
		ASSERT_TRUE(play_noted(&p, TFSM_NOTE_seq_beyond_window));
	}
	EXPECT_STREQ("ESTABLISHED:ESTABLISHED", play_pair(&p));
	free(tfsm_ext(&p.flow));
}

/* A number near one that means something to the flow. */
static u32 pick_near(u32 *seed, const struct tfsm_end *e, u32 other)
{
	const u32 about[] = { e->next, e->run, e->ack, e->edge, other };

	*seed = *seed * 1103515245 + 12345;
	if (*seed >> 16 & 7)
		return e->next;
	return about[(*seed >> 8) % ARRAY_SIZE(about)] + (*seed >> 20) % 5 - 2;
}

TEST(short_way_does_what_the_full_way_does)
{
	static const char *const starts[][3] = {
		{ "> S 100 ws=7", "< SA 300 101 ws=3", "> A 101 301" },
		{ "> S 4294967290 ws=7", "< SA 4294967280 4294967291",
		  "> A 4294967291 4294967281" },
		{ "> A 100 300 len=5", "< A 300 105 len=5", "> A 105 305" },
	};
	unsigned long quick = 0, all = 0;
	u32 seed = 1, game, i;

	for (game = 0; game < 3000; game++) {
		struct play p = { .no_memory = game & 1 };

		for (i = 0; i < 3; i++)
			play(&p, starts[game % 3][i]);
		for (i = 0; i < 300; i++) {
			struct tfsm_seg s = { .flags = TFSM_ACK, .win = 20 + game % 3 * 500 };
			const struct tfsm_end *a, *b;

			s.dir = (seed = seed * 1103515245 + 12345) >> 16 & 1;
			a = &p.flow.end[s.dir ^ p.turned];
			b = &p.flow.end[!(s.dir ^ p.turned)];
			s.seq = pick_near(&seed, a, b->edge);
			s.ack = pick_near(&seed, b, a->ack);
			s.len = seed >> 24 & 3 ? 0 : seed >> 26;
			s.partial = !(seed >> 12 & 31);
			if (!(seed >> 10 & 1023))
				s.flags |= TFSM_FIN;
			play_seg(&p, s);
		}
		quick += p.quick;
		all += p.segments;
		free(tfsm_ext(&p.flow));
	}
	printf("# %lu of %lu segments went the short way\n", quick, all);
	EXPECT_GT(quick, all / 20);
	EXPECT_LT(quick, all);
}

/* A SYN that is kept does not slow the flow, nor does a stray once it counts no more. */
TEST(a_forged_segment_does_not_keep_a_flow_from_the_short_way)
{
	struct play p = {};

	play(&p, "> S 100");
	play(&p, "< SA 300 101");
	play(&p, "> A 101 301");
	play(&p, "> S 9000");
	ASSERT_TRUE(play_noted(&p, TFSM_NOTE_syn_pending));
	p.quick = 0;
	play(&p, "> A 101 301 len=10");
	EXPECT_EQ(0, p.quick);
	play(&p, "> A 2000000111 301 len=10");
	ASSERT_TRUE(play_noted(&p, TFSM_NOTE_seq_beyond_window));
	play(&p, "< A 301 111");		/* might be a stray that agrees */
	EXPECT_EQ(0, p.quick);
	play(&p, "> A 111 301 len=10");		/* ends the strays */
	EXPECT_EQ(1, p.quick);
	play(&p, "> A 121 301 len=10");
	EXPECT_EQ(2, p.quick);
	play(&p, "< A 301 131");
	EXPECT_EQ(3, p.quick);
	play(&p, "> FA 121 301");
	ASSERT_TRUE(play_noted(&p, TFSM_NOTE_fin_moved));
	play(&p, "< A 301 131");		/* beyond that FIN, which it thus refutes */
	play(&p, "> A 131 301 len=10");
	EXPECT_EQ(4, p.quick);
	play(&p, "> A 141 301 len=10");
	EXPECT_EQ(5, p.quick);
	free(tfsm_ext(&p.flow));
}

TEST_HARNESS_MAIN
