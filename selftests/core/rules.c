// SPDX-License-Identifier: GPL-2.0
/* One test for each rule of the engine, and RFC 9293's figures 6 to 13 segment by segment. */
#include "kselftest_harness.h"

#include "play.h"

#define STEP(pair, segment) ASSERT_STREQ(pair, play(&p, segment))
#define NOTED(note) EXPECT_TRUE(play_noted(&p, TFSM_NOTE_##note)) TH_LOG("not noted: " #note)
#define PATH(end, want) EXPECT_STREQ(want, p.path[TCPFSM_##end])
#define REASON(name) EXPECT_STREQ(name, reason_names[p.flow.reason])

#define HANDSHAKE() do {					\
	STEP("SYN_SENT:LISTEN", "> S 100");			\
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");		\
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301");		\
} while (0)

/* ---- the figures of RFC 9293 ---- */

TEST(figure_6_handshake)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 len=10");
	PATH(ORIG, "SYN_SENT>ESTABLISHED");
	PATH(RESP, "LISTEN>SYN_RCVD>ESTABLISHED");
}

TEST(figure_7_simultaneous_open)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_SENT", "< S 300");
	STEP("SYN_RCVD:SYN_SENT", "> SA 100 301");
	STEP("ESTABLISHED:ESTABLISHED", "< SA 300 101");
	PATH(ORIG, "SYN_SENT>SYN_RCVD>ESTABLISHED");
	PATH(RESP, "LISTEN>SYN_SENT>SYN_RCVD>ESTABLISHED");
}

/* The server answers SYN with SYN, and the SYN|ACK that gets it with a plain ACK. */
TEST(split_handshake)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "< A 200 101");
	NOTED(handshake_ack);
	STEP("SYN_SENT:SYN_SENT", "< S 300");
	STEP("SYN_RCVD:SYN_SENT", "> SA 100 301");
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 101");
	PATH(ORIG, "SYN_SENT>SYN_RCVD>ESTABLISHED");
	PATH(RESP, "LISTEN>SYN_SENT>ESTABLISHED");
	EXPECT_EQ(0, p.flow.flags & TCPFSM_F_ONE_WAY);
}

/* The old SYN overtakes the new one on the far side of the observer at the client: only the
 * SYN|ACK shows it.
 */
TEST(figure_8_old_duplicate_syn_seen_from_the_client)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "< SA 300 91");
	NOTED(synack_bad_ack);
	STEP("SYN_SENT:LISTEN", "> R 91");		/* does not move its sender */
	STEP("SYN_SENT:SYN_RCVD", "< SA 400 101");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 401");
}

TEST(figure_8_old_duplicate_syn_seen_from_the_server)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 90");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 91");
	STEP("CLOSED:LISTEN", "> R 91");
	REASON("stale-syn");
	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 400 101");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 401");
	EXPECT_EQ(2, p.flows);
}

/* Figures 9 and 10: one end crashed, opens anew, and the other answers from the old times. */
TEST(figure_9_half_open_discovery)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301");
	STEP("ESTABLISHED:ESTABLISHED", "> S 400");	/* crashed and back */
	NOTED(syn_pending);
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 101");	/* challenge ACK leaves it pending */
	STEP("SYN_SENT:LISTEN", "> R 101");		/* old flow reset, the kept SYN is next */
	EXPECT_EQ(TCPFSM_REASON_RST_ORIG, p.reason);
	STEP("SYN_SENT:LISTEN", "> S 400");
	STEP("SYN_SENT:SYN_RCVD", "< SA 700 401");
	STEP("ESTABLISHED:ESTABLISHED", "> A 401 701");
	EXPECT_EQ(2, p.flows);
}

TEST(figure_10_active_side_causes_discovery)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 101 len=10");
	STEP("CLOSED:CLOSED", "> R 101");		/* orig has crashed and knows nothing */
	REASON("rst-orig");
}

TEST(figure_11_old_duplicate_syn_two_passive_sockets)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("CLOSED:LISTEN", "> R 101");
	NOTED(stale_syn);
	PATH(RESP, "LISTEN>SYN_RCVD>LISTEN");
}

TEST(figure_12_normal_close)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 301 102");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 301 102");
	STEP("TIME_WAIT:CLOSED", "> A 102 302");
	ASSERT_STREQ("CLOSED:CLOSED", play_expire(&p));
	REASON("fin");
	PATH(ORIG, "SYN_SENT>ESTABLISHED>FIN_WAIT_1>FIN_WAIT_2>TIME_WAIT>CLOSED");
	PATH(RESP, "LISTEN>SYN_RCVD>ESTABLISHED>CLOSE_WAIT>LAST_ACK>CLOSED");
}

TEST(figure_13_simultaneous_close)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_1:FIN_WAIT_1", "< FA 301 101");
	STEP("CLOSING:FIN_WAIT_1", "> A 102 302");	/* resp's FIN_ACKED is held */
	NOTED(fin_ack_held);
	STEP("TIME_WAIT:TIME_WAIT", "< A 302 102");
	ASSERT_STREQ("CLOSED:CLOSED", play_expire(&p));
	PATH(ORIG, "SYN_SENT>ESTABLISHED>FIN_WAIT_1>CLOSING>TIME_WAIT>CLOSED");
	PATH(RESP, "LISTEN>SYN_RCVD>ESTABLISHED>FIN_WAIT_1>CLOSING>TIME_WAIT>CLOSED");
}

/* ---- order within a segment ---- */

TEST(fin_with_ack_moves_sender_before_receiver)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 301 102");	/* took it, sent its own, acked orig's */
	STEP("TIME_WAIT:CLOSED", "> A 102 302");
}

TEST(a_bare_ack_in_syn_sent_acks_nothing)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "< A 300 101");
	NOTED(handshake_ack);
	EXPECT_FALSE(p.flow.end[TCPFSM_ORIG].facts & TFSM_E_SYN_ACKED);
}

TEST(held_fin_acked_until_its_ack_covers_the_peers_fin)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_1:FIN_WAIT_1", "< FA 301 101");
	STEP("FIN_WAIT_1:CLOSING", "< A 302 102");
	NOTED(fin_ack_held);
	STEP("FIN_WAIT_1:CLOSING", "> A 102 301");	/* decides nothing */
	STEP("TIME_WAIT:TIME_WAIT", "> A 102 302");
	PATH(ORIG, "SYN_SENT>ESTABLISHED>FIN_WAIT_1>CLOSING>TIME_WAIT");
}

TEST(held_fin_acked_until_the_peers_fin_is_sent_again)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_1:FIN_WAIT_1", "< FA 301 101");
	STEP("FIN_WAIT_1:CLOSING", "< A 302 102");
	STEP("FIN_WAIT_2:CLOSING", "< FA 301 102");
	NOTED(fin_retrans);
	STEP("TIME_WAIT:TIME_WAIT", "> A 102 302");
}

/* An end that leaves without an answer to the peer's FIN has not taken it: no CLOSING. */
TEST(held_fin_acked_until_its_end_sends_a_rst)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_1:FIN_WAIT_1", "< FA 301 101");
	STEP("FIN_WAIT_1:CLOSING", "< A 302 102");
	NOTED(fin_ack_held);
	STEP("CLOSED:CLOSED", "> R 102");
	PATH(ORIG, "SYN_SENT>ESTABLISHED>FIN_WAIT_1>FIN_WAIT_2>CLOSED");
	REASON("rst-orig");
}

TEST(held_fin_acked_until_its_end_gets_a_rst)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_1:FIN_WAIT_1", "< FA 301 101");
	STEP("FIN_WAIT_1:CLOSING", "< A 302 102");
	STEP("CLOSED:CLOSED", "< R 302");
	PATH(ORIG, "SYN_SENT>ESTABLISHED>FIN_WAIT_1>FIN_WAIT_2>CLOSED");
}

TEST(held_fin_acked_until_its_end_is_gone)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_1:FIN_WAIT_1", "< FA 301 101");
	STEP("FIN_WAIT_1:CLOSING", "< A 302 102");
	ASSERT_STREQ("CLOSED:CLOSING", play_gone(&p, TCPFSM_ORIG));
	PATH(ORIG, "SYN_SENT>ESTABLISHED>FIN_WAIT_1>FIN_WAIT_2>CLOSED");
}

TEST(fin_that_passes_late_was_sent_before)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	/* resp sent FIN 301, then this ACK from beyond it; the ACK overtakes the FIN */
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 302 102");
	STEP("FIN_WAIT_2:CLOSING", "< FA 301 101");
	NOTED(fin_corrected);
	EXPECT_TRUE(p.flow.flags & TCPFSM_F_CORRECTED);
	PATH(RESP, "LISTEN>SYN_RCVD>ESTABLISHED>CLOSE_WAIT>CLOSING!");
	STEP("TIME_WAIT:TIME_WAIT", "> A 102 302");
}

/* resp answers with FIN|ACK, which is lost before us; orig sends its FIN again, resp acks it. */
TEST(fin_lost_before_us_with_its_ack_is_last_ack)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 302 102");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 301 102");
	STEP("TIME_WAIT:CLOSED", "> A 102 302");
}

/* A simultaneous close in which resp's FIN is lost before us: its ACK tells that it was sent. */
TEST(fin_lost_before_us_in_a_simultaneous_close_is_closing)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 302 102");
	STEP("FIN_WAIT_2:CLOSING", "< FA 301 102");
	STEP("TIME_WAIT:TIME_WAIT", "> A 102 302");
}

TEST(fin_after_its_ack_is_last_ack)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 301 102");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 301 102 len=50");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 351 102");
}

TEST(fin_that_overtook_its_synack_is_raised_after_it)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "< FA 301 101");
	NOTED(fin_early);
	STEP("SYN_SENT:FIN_WAIT_1", "< SA 300 101");
	PATH(RESP, "LISTEN>SYN_RCVD>FIN_WAIT_1");
	STEP("CLOSE_WAIT:FIN_WAIT_2", "> A 101 302");
	PATH(ORIG, "SYN_SENT>ESTABLISHED>CLOSE_WAIT");
}

/* Latched facts do not lie when sequence numbers have gone round by 2^31. */
TEST(latched_facts_outlast_sequence_space)
{
	struct play p = {};
	struct tfsm_seg s;
	u32 seq = 301;
	int i;

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 301 102");
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

/* ---- acceptance ---- */

TEST(S03_wrong_ack_does_not_establish)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("SYN_SENT:SYN_RCVD", "> A 101 302");
	NOTED(handshake_ack);
	STEP("SYN_SENT:SYN_RCVD", "> A 101 300");
	NOTED(handshake_ack);
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301");
}

TEST(S03_wrong_ack_in_synack_does_not_move)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "< SA 300 102");
	NOTED(synack_bad_ack);
	STEP("SYN_SENT:LISTEN", "< SA 300 100");
	NOTED(synack_bad_ack);
}

TEST(scaled_windows_widen_what_is_acceptable)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100 win=1000 ws=7");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101 win=1000 ws=7");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 win=1000");
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 101 win=1000");
	STEP("ESTABLISHED:ESTABLISHED", "> A 128000 301 len=100");	/* 101 + 128000 granted */
	EXPECT_EQ(0, p.notes);
	STEP("ESTABLISHED:ESTABLISHED", "> FA 128200 301");
	NOTED(seq_beyond_window);
}

TEST(without_both_options_windows_are_not_scaled)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100 win=1000 ws=7");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101 win=1000");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 win=1000");
	STEP("ESTABLISHED:ESTABLISHED", "> FA 1200 301");
	NOTED(seq_beyond_window);
}

TEST(keepalive_is_legal)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> A 100 301");
	NOTED(keepalive);
	STEP("ESTABLISHED:ESTABLISHED", "> A 100 301 len=1");
	NOTED(keepalive);
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 101");
}

TEST(zero_window_probe_is_legal)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 len=1000");
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 1101 win=0");
	STEP("ESTABLISHED:ESTABLISHED", "> A 1101 301 len=1");
	EXPECT_EQ(0, p.notes & TFSM_REFUSALS);
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 1102 301");
}

TEST(retransmission_moves_nothing)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 len=100");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 len=100");
	NOTED(data_retrans);
}

TEST(data_behind_a_hole_is_legal)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> A 1101 301 len=100");	/* SACKed, hole before it */
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 101");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 len=1000");
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 1201");
	EXPECT_EQ(0, p.notes);
}

TEST(data_in_syn_acked_wholly)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100 len=50");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 151");
	STEP("ESTABLISHED:ESTABLISHED", "> A 151 301");
}

TEST(data_in_syn_acked_partly)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100 len=50");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 len=50");
}

TEST(data_from_syn_rcvd_before_the_ack)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100 len=50");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 151");
	STEP("SYN_SENT:SYN_RCVD", "< A 301 151 len=500");
	STEP("ESTABLISHED:ESTABLISHED", "> A 151 801");
}

TEST(challenge_ack_is_legal)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> R 5000");
	NOTED(rst_challenged);
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 101");
	EXPECT_EQ(0, p.notes);
}

TEST(impossible_flags_move_nothing)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> SF 101");
	NOTED(bad_flags);
	STEP("ESTABLISHED:ESTABLISHED", "> SR 101");
	NOTED(bad_flags);
	STEP("ESTABLISHED:ESTABLISHED", "> F 101");
	NOTED(no_ack);
}

TEST(old_duplicates_move_nothing)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 1000000");
	STEP("SYN_SENT:SYN_RCVD", "< SA 3000000 1000001");
	STEP("ESTABLISHED:ESTABLISHED", "> A 1000001 3000001");
	STEP("ESTABLISHED:ESTABLISHED", "> FA 800000 3000001");
	NOTED(seq_old);
	STEP("ESTABLISHED:ESTABLISHED", "> FA 1000001 2800001");
	NOTED(ack_old);
}

TEST(ack_of_the_impossible_moves_nothing)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 1000000");	/* never granted */
	NOTED(ack_beyond);
	STEP("ESTABLISHED:FIN_WAIT_1", "< FA 301 101");
	STEP("ESTABLISHED:FIN_WAIT_1", "> A 101 303");		/* beyond the FIN */
	NOTED(ack_beyond);
}

/* Data that the socket dropped lies where the FIN is. */
TEST(fin_below_refused_data_is_believed_when_it_is_taken)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 len=500");
	STEP("ESTABLISHED:ESTABLISHED", "> FA 101 301");
	NOTED(fin_moved);
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 101");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 301 102");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 301 102");
	STEP("TIME_WAIT:CLOSED", "> A 102 302");
}

TEST(fin_below_data_that_was_taken_is_not_believed)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 len=500");
	STEP("ESTABLISHED:ESTABLISHED", "> FA 101 301");
	NOTED(fin_moved);
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 601");
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 601 301");
}

TEST(fin_that_is_taken_replaces_a_refused_one)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 151 301");
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	NOTED(fin_moved);
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 301 102");
	STEP("TIME_WAIT:CLOSED", "> A 102 302");
}

TEST(data_beyond_the_own_fin_moves_nothing)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_1:ESTABLISHED", "> A 102 301 len=10");
	NOTED(seq_beyond_fin);
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 90 301");
	NOTED(fin_moved);
}

TEST(sequence_wrap_does_not_matter)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 4294967290 len=10");
	STEP("SYN_SENT:SYN_RCVD", "< SA 4294967295 5");
	STEP("ESTABLISHED:ESTABLISHED", "> A 5 0");
	STEP("ESTABLISHED:FIN_WAIT_1", "< FA 0 5 len=100");
	STEP("CLOSE_WAIT:FIN_WAIT_2", "> A 5 101");
	STEP("LAST_ACK:FIN_WAIT_2", "> FA 5 101");
	STEP("CLOSED:TIME_WAIT", "< A 101 6");
}

TEST(first_fragment_has_no_fin_and_no_rst)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> FA 101 301 partial");
	STEP("ESTABLISHED:ESTABLISHED", "> R 101 partial");
	NOTED(rst_fragment);
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
}

/* ---- RST ---- */

TEST(rst_exact_at_the_last_ack)
{
	struct play p = {};

	HANDSHAKE();
	STEP("CLOSED:CLOSED", "> R 101");
	NOTED(reset);
	REASON("rst-orig");
}

TEST(rst_exact_at_what_was_sent_since)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 101 len=100");
	STEP("CLOSED:CLOSED", "< RA 401 101");
	REASON("rst-resp");
}

TEST(rst_in_window_is_challenged)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> R 102");
	NOTED(rst_challenged);
	EXPECT_EQ(TFSM_CLASS_CLOSING, tfsm_class(&p.flow));
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 101");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301");	/* both live: no suspicion left */
	EXPECT_EQ(TFSM_CLASS_ESTABLISHED, tfsm_class(&p.flow));
}

TEST(rst_out_of_window_is_dropped)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> R 200000");
	NOTED(rst_out_of_window);
	STEP("ESTABLISHED:ESTABLISHED", "> R 50");
	NOTED(rst_out_of_window);
}

TEST(rst_one_below_after_a_fin_was_taken)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 301 102");
	STEP("CLOSED:CLOSED", "> R 101");
}

TEST(rst_in_syn_sent_must_ack_the_syn)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "< R 0");
	NOTED(rst_unproven);
	STEP("SYN_SENT:LISTEN", "< RA 0 100");
	NOTED(rst_unproven);
	STEP("CLOSED:CLOSED", "< RA 0 101");
	NOTED(refused);
	REASON("refused");
}

TEST(rst_of_zero_from_a_dead_socket_is_no_evidence)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "< RA 0 101");
	EXPECT_NE(0, p.notes & TFSM_REFUSALS);
}

TEST(rst_moves_by_its_seq_not_by_its_ack)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("CLOSED:LISTEN", "> RA 101 301");
	PATH(RESP, "LISTEN>SYN_RCVD>LISTEN");	/* its ACK established nobody */
}

TEST(rst_does_not_move_its_sender_in_syn_rcvd)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("SYN_SENT:SYN_RCVD", "> A 101 299");
	STEP("SYN_SENT:SYN_RCVD", "< R 299");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301");
}

TEST(rst_never_creates_a_flow)
{
	struct play p = {};

	STEP("-", "> R 100");
	STEP("-", "< RA 0 101");
}

TEST(rst_made_by_this_host_moves_its_receiver_only)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:CLOSED", "> R 101 here");
	REASON("rst-host");
}

TEST(rst_ignored_by_both_ends_resumes_the_flow)
{
	struct play p = {};

	HANDSHAKE();
	STEP("CLOSED:CLOSED", "> R 101");
	STEP("CLOSED:CLOSED", "> A 101 301 len=10");
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 111");
	NOTED(rst_ignored);
	EXPECT_EQ(TCPFSM_REASON_UNSET, (u8)p.flow.reason);
	PATH(ORIG, "SYN_SENT>ESTABLISHED>CLOSED>ESTABLISHED!");
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 111 301");
}

TEST(rst_resumed_flow_has_moved_on_beneath)
{
	struct play p = {};

	HANDSHAKE();
	STEP("CLOSED:CLOSED", "> R 101");
	STEP("CLOSED:CLOSED", "> FA 101 301");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 301 102");
	PATH(ORIG, "SYN_SENT>ESTABLISHED>CLOSED>FIN_WAIT_2!");
}

TEST(rst_that_the_socket_did_not_take_resumes_its_end)
{
	struct play p = {};

	HANDSHAKE();
	STEP("CLOSED:CLOSED", "> R 101");
	ASSERT_STREQ("CLOSED:ESTABLISHED", play_lives(&p, TCPFSM_RESP));
	NOTED(rst_ignored);
	EXPECT_TRUE(p.flow.flags & TCPFSM_F_SUSPECT);
	EXPECT_EQ(TCPFSM_REASON_UNSET, (u8)p.flow.reason);
	ASSERT_STREQ("CLOSED:ESTABLISHED", play_lives(&p, TCPFSM_RESP));
	STEP("CLOSED:ESTABLISHED", "> A 101 301 len=10");
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 111");		/* nor was it orig's */
	PATH(RESP, "LISTEN>SYN_RCVD>ESTABLISHED>CLOSED>ESTABLISHED!");
	PATH(ORIG, "SYN_SENT>ESTABLISHED>CLOSED>ESTABLISHED!");
}

TEST(refusal_lost_resumes_the_syn)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("CLOSED:CLOSED", "< RA 0 101");
	STEP("SYN_SENT:LISTEN", "> S 100");
	NOTED(rst_ignored);
	EXPECT_EQ(1, p.flows);
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
}

TEST(rfc1337_protects_time_wait)
{
	struct play p = { .rfc1337 = true };

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 301 102");
	STEP("TIME_WAIT:CLOSED", "> A 102 302");
	STEP("TIME_WAIT:CLOSED", "< R 302");
	NOTED(rst_rfc1337);
	p.rfc1337 = false;
	STEP("CLOSED:CLOSED", "< R 302");
}

TEST(rst_behind_the_synack_before_its_ack_passed)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("CLOSED:CLOSED", "< R 301");
}

TEST(rst_at_the_end_of_what_was_sent_behind_a_filled_hole)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 102 301");
	STEP("FIN_WAIT_1:ESTABLISHED", "> A 101 301 len=1");
	STEP("CLOSED:CLOSED", "> RA 103 301");
}

TEST(rst_of_a_kept_syn_in_syn_sent_wins)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 90");
	STEP("SYN_SENT:LISTEN", "> S 5000");
	STEP("CLOSED:CLOSED", "< RA 0 5001");
	REASON("refused");
}

/* ---- tuples used again ---- */

TEST(old_duplicate_syn_opens_nothing)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:FIN_WAIT_1", "< FA 301 101");
	STEP("LAST_ACK:FIN_WAIT_2", "> FA 101 302");
	STEP("CLOSED:TIME_WAIT", "< A 302 102");
	STEP("CLOSED:TIME_WAIT", "> S 100");
	STEP("CLOSED:TIME_WAIT", "< A 302 102");
	EXPECT_EQ(1, p.flows);
}

TEST(syn_again_is_a_retransmission)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "> S 100");
	NOTED(syn_retrans);
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	NOTED(synack_retrans);
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301");
	STEP("ESTABLISHED:ESTABLISHED", "< SA 300 101");
	NOTED(synack_resent);
	EXPECT_TRUE(p.flow.flags & TCPFSM_F_SYN_ACK_RESENT);
}

TEST(pending_syn_answered_reopens)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> S 5000");
	STEP("SYN_SENT:SYN_RCVD", "< SA 7000 5001");
	EXPECT_EQ(2, p.flows);
	EXPECT_EQ(TCPFSM_REASON_REOPENED, p.reason);
	STEP("ESTABLISHED:ESTABLISHED", "> A 5001 7001");
}

TEST(pending_syn_reset_is_dropped)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> S 5000");
	STEP("ESTABLISHED:ESTABLISHED", "< RA 0 5001");
	NOTED(syn_dropped);
	STEP("ESTABLISHED:ESTABLISHED", "< SA 7000 5001");
	EXPECT_EQ(1, p.flows);
}

TEST(pending_syn_in_syn_sent_wins_if_acked)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "> S 9000");
	NOTED(syn_pending);
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 9001");
	EXPECT_EQ(2, p.flows);
	STEP("ESTABLISHED:ESTABLISHED", "> A 9001 301");
}

TEST(pending_syn_in_syn_sent_loses_if_the_first_is_acked)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "> S 9000");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	EXPECT_EQ(1, p.flows);
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301");
}

/* The stale SYN wins first, its sender resets it, and the real one goes on. */
TEST(pending_syn_that_lost_is_kept_beside)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "> S 90");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 91");
	STEP("SYN_SENT:LISTEN", "> R 91");
	STEP("SYN_SENT:SYN_RCVD", "< SA 400 101");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 401");
}

TEST(syn_that_lost_is_forgotten_once_the_other_is_established)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "> S 5000");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 5001");
	STEP("ESTABLISHED:ESTABLISHED", "> A 5001 301");
	STEP("CLOSED:CLOSED", "> RA 5001 301");
	EXPECT_EQ(2, p.flows);
}

TEST(new_flow_at_once_after_time_wait)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 301 102");
	STEP("TIME_WAIT:CLOSED", "> A 102 302");
	STEP("SYN_SENT:LISTEN", "> S 70000");
	EXPECT_EQ(2, p.flows);
}

TEST(either_side_may_reopen)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 301 102");
	STEP("TIME_WAIT:CLOSED", "> A 102 302");
	STEP("SYN_SENT:LISTEN", "< S 80000");
	EXPECT_TRUE(p.turned);
	STEP("SYN_SENT:SYN_RCVD", "> SA 500 80001");
}

TEST(synack_with_another_isn_replaces_it)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("SYN_SENT:SYN_RCVD", "< SA 900 101");
	NOTED(synack_isn);
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 901");
	EXPECT_EQ(1, p.flows);
}

TEST(synack_on_a_finished_pair_starts_a_flow)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("CLOSED:CLOSED", "< RA 0 101");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	EXPECT_EQ(2, p.flows);
	EXPECT_FALSE(p.turned);
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301");
}

TEST(no_memory_for_a_pending_syn_is_counted)
{
	struct play p = { .no_memory = true };

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> S 5000");
	NOTED(no_room);
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 len=5");
	p.no_memory = false;
	STEP("ESTABLISHED:ESTABLISHED", "> S 5000");
	NOTED(syn_pending);
}

/* ---- what was not seen ---- */

TEST(gap_is_accepted_and_marks_the_flow)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 5001");
	NOTED(gap);
	EXPECT_TRUE(p.flow.flags & TCPFSM_F_GAP);
	STEP("ESTABLISHED:FIN_WAIT_1", "< FA 5001 101");
}

TEST(refused_segments_that_agree_reanchor)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> A 9000101 7000301 len=100");
	STEP("ESTABLISHED:ESTABLISHED", "< A 7000301 9000201");
	STEP("ESTABLISHED:ESTABLISHED", "> A 9000201 7000301 len=100");
	STEP("ESTABLISHED:ESTABLISHED", "< A 7000301 9000301");
	NOTED(reanchored);
	EXPECT_EQ(0, p.notes & TFSM_REFUSALS);
	EXPECT_EQ(1, p.flows);
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 9000301 7000301");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 7000301 9000302");
}

TEST(a_refused_segment_restarts_2msl_once_its_side_is_there)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 301 102");
	STEP("TIME_WAIT:CLOSED", "> A 102 302");
	STEP("TIME_WAIT:CLOSED", "< A 9000302 102 len=100");
	NOTED(seq_beyond_fin);
	NOTED(time_wait_restarted);
}

TEST(refused_fins_that_agree_close)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> FA 9000101 7000301");
	STEP("ESTABLISHED:ESTABLISHED", "< A 7000301 9000102");
	STEP("ESTABLISHED:ESTABLISHED", "< FA 7000301 9000102");
	STEP("TIME_WAIT:CLOSED", "> A 9000102 7000302");
	NOTED(reanchored);
	PATH(ORIG, "SYN_SENT>ESTABLISHED>FIN_WAIT_1>FIN_WAIT_2>TIME_WAIT");
	PATH(RESP, "LISTEN>SYN_RCVD>ESTABLISHED>CLOSE_WAIT>LAST_ACK>CLOSED");
}

TEST(refused_fins_that_agree_close_from_the_other_side)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "< FA 7000301 9000101");
	STEP("ESTABLISHED:ESTABLISHED", "> A 9000101 7000302");
	STEP("ESTABLISHED:ESTABLISHED", "> FA 9000101 7000302");
	STEP("CLOSED:TIME_WAIT", "< A 7000302 9000102");
	REASON("-");
}

TEST(three_refused_segments_that_close_fit_exactly)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> FA 9000101 7000301");
	STEP("ESTABLISHED:ESTABLISHED", "< FA 7000301 9000102");
	STEP("ESTABLISHED:ESTABLISHED", "> A 9000102 7000303");
	STEP("TIME_WAIT:CLOSED", "> A 9000102 7000302");
}

TEST(refused_fins_that_crossed_close_both)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> FA 9000101 7000301");
	STEP("ESTABLISHED:ESTABLISHED", "< FA 7000301 9000101");
	STEP("ESTABLISHED:ESTABLISHED", "> A 9000102 7000302");
	STEP("TIME_WAIT:TIME_WAIT", "< A 7000302 9000102");
	PATH(ORIG, "SYN_SENT>ESTABLISHED>FIN_WAIT_1>CLOSING>TIME_WAIT");
	PATH(RESP, "LISTEN>SYN_RCVD>ESTABLISHED>FIN_WAIT_1>CLOSING>TIME_WAIT");
}

TEST(half_closed_among_refused_segments)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> FA 9000101 7000301");
	STEP("ESTABLISHED:ESTABLISHED", "< A 7000301 9000102 len=10");
	STEP("ESTABLISHED:ESTABLISHED", "> A 9000102 7000311");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 7000311 9000102 len=10");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 7000321 9000102");
}

TEST(blind_flow_takes_what_comes)
{
	struct play p = {};

	HANDSHAKE();
	tfsm_blind(&p.flow);
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 9000101 7000301");
	tfsm_blind(&p.flow);		/* no longer established: nothing is forgotten */
	STEP("FIN_WAIT_1:ESTABLISHED", "< A 7000301 8000000");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 7000301 9000102");
}

TEST(blind_flow_takes_a_rst)
{
	struct play p = {};

	HANDSHAKE();
	tfsm_blind(&p.flow);
	STEP("CLOSED:CLOSED", "< R 9000101");
	REASON("rst-resp");
}

TEST(refused_segments_of_one_side_prove_nothing)
{
	struct play p = {};
	int i;

	HANDSHAKE();
	for (i = 0; i < 10; i++)
		STEP("ESTABLISHED:ESTABLISHED", "> A 9000101 7000301 len=100");
	EXPECT_FALSE(p.flow.flags & TCPFSM_F_REANCHORED);
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
}

TEST(refused_segments_on_another_pair_start_a_midstream_flow)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_1:ESTABLISHED", "> A 9000101 7000301 len=100");
	STEP("FIN_WAIT_1:ESTABLISHED", "< A 7000301 9000201");
	STEP("FIN_WAIT_1:ESTABLISHED", "> A 9000201 7000301 len=100");
	STEP("ESTABLISHED:ESTABLISHED", "< A 7000301 9000301");
	EXPECT_EQ(2, p.flows);
	EXPECT_TRUE(p.flow.flags & TCPFSM_F_MIDSTREAM);
}

TEST(handshake_ack_missed_with_data_is_believed_the_second_time)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("SYN_SENT:SYN_RCVD", "> A 101 311");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 311 len=5");
	NOTED(gap);
}

TEST(handshake_ack_that_was_answered_with_rst_is_never_believed)
{
	struct play p = {};
	int i;

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	for (i = 0; i < 4; i++) {
		STEP("SYN_SENT:SYN_RCVD", "> A 101 311");
		STEP("SYN_SENT:SYN_RCVD", "< R 311");
	}
}

TEST(handshake_ack_missed_and_a_keepalive_instead)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("ESTABLISHED:ESTABLISHED", "> A 100 301");
}

TEST(fin_from_syn_sent_must_cover_the_syn)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("SYN_SENT:FIN_WAIT_1", "< FA 301 101");
	STEP("SYN_SENT:FIN_WAIT_1", "> FA 101 250");
	NOTED(handshake_ack);
	STEP("CLOSE_WAIT:FIN_WAIT_2", "> A 101 302");
}

TEST(one_way_client_only)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301");
	NOTED(one_way);
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 len=10");
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 111 301");
	PATH(RESP, "LISTEN>SYN_RCVD>ESTABLISHED");
}

TEST(one_way_server_only)
{
	struct play p = {};

	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 201 len=10");
	NOTED(one_way);
}

TEST(one_way_server_only_behind_a_syn)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "< A 301 201");
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 301 len=10");
	NOTED(one_way);
}

/* An end in TIME_WAIT says what it took of the connection before. */
TEST(challenge_ack_from_the_time_wait_before_proves_nothing)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "< A 301 201");
	NOTED(handshake_ack);
	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "< A 301 201");
	STEP("SYN_SENT:LISTEN", "> R 201");
	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 900 101");
}

TEST(fin_behind_a_hole_is_not_taken_before_the_ack)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:FIN_WAIT_1", "< FA 301 101");
	STEP("FIN_WAIT_1:FIN_WAIT_1", "> FA 111 301 len=10");	/* 101 to 111 were lost */
	STEP("CLOSING:FIN_WAIT_2", "> A 122 302");
	STEP("CLOSING:FIN_WAIT_2", "> A 101 302 len=10");
	STEP("TIME_WAIT:TIME_WAIT", "< A 302 122");
}

/* ACK is processed before text and FIN, RFC 9293 3.10.7.4. */
TEST(fin_behind_a_hole_that_the_ack_fills)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:FIN_WAIT_1", "< FA 301 101");
	STEP("FIN_WAIT_1:FIN_WAIT_1", "> FA 111 301 len=10");	/* 101 to 111 were lost */
	STEP("CLOSING:FIN_WAIT_2", "> A 101 302 len=10");
	STEP("TIME_WAIT:TIME_WAIT", "< A 302 122");
}

TEST(new_data_behind_a_filled_hole_opens_none)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> A 111 301 len=10");	/* 101 to 111 were lost */
	STEP("ESTABLISHED:ESTABLISHED", "> A 121 301 len=10");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 len=10");
	STEP("ESTABLISHED:ESTABLISHED", "> A 131 301 len=10");
	STEP("CLOSED:CLOSED", "> RA 141 301");
}

TEST(rst_releases_a_held_fin_ack)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_1:FIN_WAIT_1", "< FA 301 101");
	STEP("FIN_WAIT_1:CLOSING", "< A 302 102");
	STEP("CLOSED:CLOSED", "> RA 102 302");
	PATH(ORIG, "SYN_SENT>ESTABLISHED>FIN_WAIT_1>CLOSING>TIME_WAIT>CLOSED");
}

TEST(rst_behind_a_hole_moves_its_sender_only)
{
	struct play p = {};

	HANDSHAKE();
	STEP("ESTABLISHED:ESTABLISHED", "> A 111 301 len=10");	/* 101 to 111 were lost */
	STEP("CLOSED:ESTABLISHED", "> RA 121 301");
	NOTED(rst_behind_hole);
	STEP("CLOSED:ESTABLISHED", "< A 301 101");		/* the challenge */
	STEP("CLOSED:CLOSED", "> R 101");
	REASON("rst-orig");
}

TEST(rst_tells_that_its_sender_had_taken_a_fin)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("CLOSED:CLOSED", "< RA 301 102");
	PATH(RESP, "LISTEN>SYN_RCVD>ESTABLISHED>CLOSE_WAIT>CLOSED");
	PATH(ORIG, "SYN_SENT>ESTABLISHED>FIN_WAIT_1>CLOSED");
}

/* Whoever sends SYN and ACK blindly must not get the time-out of a connection. */
TEST(one_way_is_unconfirmed_until_both_ends_prove_alive)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301");
	EXPECT_TRUE(p.flow.flags & TCPFSM_F_UNCONFIRMED);
	EXPECT_EQ(TFSM_CLASS_OPENING, tfsm_class(&p.flow));
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301 len=10");
	EXPECT_EQ(TFSM_CLASS_OPENING, tfsm_class(&p.flow));
	STEP("ESTABLISHED:ESTABLISHED", "< A 301 101 len=10");
	EXPECT_EQ(TFSM_CLASS_ESTABLISHED, tfsm_class(&p.flow));
}

TEST(one_way_in_a_simultaneous_open_only_syn_rcvd)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_SENT", "< S 300");
	STEP("SYN_RCVD:SYN_SENT", "> A 101 301");
}

TEST(midstream_data)
{
	struct play p = {};

	STEP("ESTABLISHED:ESTABLISHED", "> A 5000 7000 len=10");
	EXPECT_TRUE(p.flow.flags & TCPFSM_F_MIDSTREAM);
	EXPECT_TRUE(p.flow.flags & TCPFSM_F_UNCONFIRMED);
	EXPECT_EQ(TFSM_CLASS_OPENING, tfsm_class(&p.flow));
}

TEST(midstream_is_confirmed_when_each_ack_covers_data_of_the_other)
{
	struct play p = {};

	STEP("ESTABLISHED:ESTABLISHED", "> A 5000 7000 len=10");
	STEP("ESTABLISHED:ESTABLISHED", "< A 7000 5010 len=20");
	EXPECT_TRUE(p.flow.flags & TCPFSM_F_UNCONFIRMED);
	STEP("ESTABLISHED:ESTABLISHED", "> A 5010 7020");
	NOTED(confirmed);
	EXPECT_EQ(TFSM_CLASS_ESTABLISHED, tfsm_class(&p.flow));
}

TEST(midstream_synack)
{
	struct play p = {};

	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("ESTABLISHED:ESTABLISHED", "> A 101 301");
	STEP("ESTABLISHED:FIN_WAIT_1", "< FA 301 101");
}

TEST(midstream_fin)
{
	struct play p = {};

	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 5000 7000");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 7000 5001");
}

TEST(midstream_takes_the_local_sockets_state)
{
	struct play p = { .local = { { .state = TCPFSM_CLOSE_WAIT } } };

	STEP("CLOSE_WAIT:FIN_WAIT_2", "> A 5000 7000 len=10");
	EXPECT_FALSE(p.flow.flags & TCPFSM_F_UNCONFIRMED);
	STEP("LAST_ACK:FIN_WAIT_2", "> FA 5010 7000");
	STEP("CLOSED:TIME_WAIT", "< A 7000 5011");
}

TEST(midstream_takes_a_fin_that_is_not_acked_yet)
{
	struct play p = { .local = { { .state = TCPFSM_FIN_WAIT_1, .fin = 5000 } } };

	STEP("FIN_WAIT_1:ESTABLISHED", "> A 4900 7000 len=99");
	STEP("FIN_WAIT_1:ESTABLISHED", "< A 7000 4999 len=10");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 7010 5000");
}

TEST(fin_sent_again_after_a_midstream_close_is_no_new_flow)
{
	struct play p = {};

	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 5000 7000");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 7000 5001");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 7000 5001");
	STEP("TIME_WAIT:CLOSED", "> A 5001 7001");
	STEP("TIME_WAIT:CLOSED", "< FA 7000 5001");
	NOTED(fin_retrans);
	EXPECT_EQ(1, p.flows);
}

TEST(midstream_to_no_socket_leaves_it_closed)
{
	struct play p = { .local = { [1] = { .state = TCPFSM_CLOSED } } };

	STEP("FIN_WAIT_1:CLOSED", "> FA 5000 7000");
	STEP("CLOSED:CLOSED", "< R 7000");
}

/* Not every end is a socket of the kernel. */
TEST(midstream_to_no_socket_that_answers_is_alive)
{
	struct play p = { .local = { [1] = { .state = TCPFSM_CLOSED } } };

	STEP("ESTABLISHED:CLOSED", "> A 5000 7000 len=10");
	p.local[1].state = TCPFSM_STATE_UNSET;
	STEP("ESTABLISHED:ESTABLISHED", "< A 7000 5010 len=10");
}

TEST(half_closed_midstream_may_be_a_ghost)
{
	struct play p = {};

	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 5000 7000");
	p.flow.flags &= ~TCPFSM_F_UNCONFIRMED;
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 7000 5001");
	EXPECT_EQ(TFSM_CLASS_CLOSING, tfsm_class(&p.flow));
}

/* ---- ends without a segment ---- */

TEST(gone_closes_the_local_end)
{
	struct play p = {};

	HANDSHAKE();
	ASSERT_STREQ("CLOSED:ESTABLISHED", play_gone(&p, TCPFSM_ORIG));
	REASON("silent");
	ASSERT_STREQ("CLOSED:CLOSED", play_gone(&p, TCPFSM_RESP));
}

/* ---- claims about TCP, where sockets cannot be made to show them ---- */

TEST(S04_the_capture)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 4225926656");
	STEP("SYN_SENT:SYN_RCVD", "< SA 3022381253 4225926657");
	STEP("ESTABLISHED:ESTABLISHED", "> A 4225926657 3022381254");
	STEP("ESTABLISHED:ESTABLISHED", "> A 4225926657 3022381254 len=1200");
	STEP("ESTABLISHED:ESTABLISHED", "> A 4225927857 3022381254 len=1174");
	STEP("ESTABLISHED:ESTABLISHED", "< A 3022381254 4225929031 len=537");
	STEP("ESTABLISHED:FIN_WAIT_1", "< FA 3022381791 4225929031");
	STEP("CLOSE_WAIT:FIN_WAIT_2", "> A 4225929031 3022381792");
	STEP("LAST_ACK:FIN_WAIT_2", "> FA 4225929031 3022381792");
	STEP("CLOSED:TIME_WAIT", "< A 3022381792 4225929032");
	PATH(ORIG, "SYN_SENT>ESTABLISHED>CLOSE_WAIT>LAST_ACK>CLOSED");
	PATH(RESP, "LISTEN>SYN_RCVD>ESTABLISHED>FIN_WAIT_1>FIN_WAIT_2>TIME_WAIT");
}

TEST(S08_a_retransmitted_fin_restarts_time_wait)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 301 102");
	STEP("TIME_WAIT:CLOSED", "> A 102 302");
	STEP("TIME_WAIT:CLOSED", "< FA 301 102");
	NOTED(time_wait_restarted);
	NOTED(fin_retrans);
}

TEST(S09_fin_retransmitted_is_no_second_last_ack)
{
	struct play p = {};

	HANDSHAKE();
	STEP("FIN_WAIT_1:ESTABLISHED", "> FA 101 301");
	STEP("FIN_WAIT_2:CLOSE_WAIT", "< A 301 102");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 301 102");
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 301 102");
	NOTED(fin_retrans);
	STEP("FIN_WAIT_2:LAST_ACK", "< FA 301 102");
	PATH(RESP, "LISTEN>SYN_RCVD>ESTABLISHED>CLOSE_WAIT>LAST_ACK");
}

TEST(S10_fin_in_syn_rcvd)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("SYN_SENT:FIN_WAIT_1", "< FA 301 101");
	PATH(RESP, "LISTEN>SYN_RCVD>FIN_WAIT_1");
	STEP("CLOSE_WAIT:FIN_WAIT_2", "> A 101 302");
	PATH(ORIG, "SYN_SENT>ESTABLISHED>CLOSE_WAIT");
}

/* A number near one that means something to the flow. */
static u32 near(u32 *seed, const struct tfsm_end *e, u32 other)
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
			s.seq = near(&seed, a, b->edge);
			s.ack = near(&seed, b, a->ack);
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

TEST(S10_a_bare_fin_in_syn_sent_is_not_processed)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:LISTEN", "< F 300");
	NOTED(no_ack);
	PATH(ORIG, "SYN_SENT");
}

TEST(S12_stale_syn)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("SYN_SENT:SYN_RCVD", "< SA 300 101");
	STEP("CLOSED:LISTEN", "> R 101");
	REASON("stale-syn");
	NOTED(stale_syn);
	PATH(ORIG, "SYN_SENT>CLOSED");
	PATH(RESP, "LISTEN>SYN_RCVD>LISTEN");
}

TEST(S13_refused)
{
	struct play p = {};

	STEP("SYN_SENT:LISTEN", "> S 100");
	STEP("CLOSED:CLOSED", "< RA 0 101");
	REASON("refused");
	PATH(ORIG, "SYN_SENT>CLOSED");
	PATH(RESP, "LISTEN>CLOSED");
}

TEST_HARNESS_MAIN
