// SPDX-License-Identifier: GPL-2.0
/*
 * The acceptance rules, the classes and the kinds by themselves, one row a case: what each says of
 * two ends made by hand. The scenarios have them at work.
 */
#include "kselftest_harness.h"

#include "../../mod/core/accept.h"

#define WINDOW	0xffff		/* what is taken for granted of an end that granted little */

/* orig sends; it has sent up to 1000, resp has acknowledged 900 and granted up to 5000. */
static struct tfsm make_flow(u8 orig, u8 resp)
{
	return (struct tfsm) {
		.end = {
			{ .state = orig, .next = 1000, .run = 1000, .ack = 2000, .edge = 9000,
			  .facts = TFSM_E_SENT | TFSM_E_ACKS },
			{ .state = resp, .next = 2000, .run = 2000, .ack = 900, .edge = 5000,
			  .facts = TFSM_E_SENT | TFSM_E_ACKS },
		},
	};
}

static struct tfsm_seg make_segment(u8 flags, u32 seq, u32 ack, u32 len)
{
	struct tfsm_seg s = { .seq = seq, .ack = ack, .len = len };

	tfsm_set_flags(&s, flags);
	return s;
}

#define UP		make_flow(TCPFSM_ESTABLISHED, TCPFSM_ESTABLISHED)
#define FACTS(f, i, have)	((f).end[i].facts = (have))

/* ---- RST, RFC 5961 3.2 ---- */

#define EXPECT_RST(verdict, f, seq)						\
	do {									\
		struct tfsm_seg s_ = make_segment(TFSM_RST, seq, 0, 0);		\
		EXPECT_EQ(TFSM_RST_##verdict, tfsm_rst_stands(&(f), &s_));	\
	} while (0)

TEST(rst_by_its_number)
{
	struct tfsm f = UP;

	EXPECT_RST(EXACT, f, 900);		/* the receiver's last ACK */
	EXPECT_RST(EXACT, f, 1000);		/* or what was sent to it since */
	EXPECT_RST(CHALLENGED, f, 901);
	EXPECT_RST(CHALLENGED, f, 999);
	EXPECT_RST(CHALLENGED, f, 5000);
	EXPECT_RST(OUTSIDE, f, 5001);
	EXPECT_RST(OUTSIDE, f, 899);
}

TEST(rst_behind_a_hole)
{
	struct tfsm f = UP;

	f.end[0].run = 950;
	f.end[0].hole = 1;
	EXPECT_RST(EXACT, f, 950);
	EXPECT_RST(BEHIND_HOLE, f, 1000);
	f.end[0].hole = 0;		/* filled, perhaps */
	EXPECT_RST(EXACT, f, 1000);
}

TEST(rst_may_leave_out_a_fin_that_was_taken)
{
	static const struct {
		u8 state, under;
		enum tfsm_rst verdict;
	} rows[] = {
		{ TCPFSM_CLOSE_WAIT, 0, TFSM_RST_EXACT },
		{ TCPFSM_LAST_ACK, 0, TFSM_RST_EXACT },
		{ TCPFSM_CLOSING, 0, TFSM_RST_EXACT },
		{ TCPFSM_TIME_WAIT, 0, TFSM_RST_CHALLENGED },
		{ TCPFSM_ESTABLISHED, 0, TFSM_RST_CHALLENGED },
		{ TCPFSM_CLOSED, TCPFSM_CLOSE_WAIT, TFSM_RST_EXACT },
		{ TCPFSM_CLOSED, TCPFSM_ESTABLISHED, TFSM_RST_CHALLENGED },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tfsm f = make_flow(TCPFSM_FIN_WAIT_2, rows[i].state);
		struct tfsm_seg s = make_segment(TFSM_RST, 999, 0, 0);

		f.end[1].under = rows[i].under;
		EXPECT_EQ(rows[i].verdict, tfsm_rst_stands(&f, &s)) {
			TH_LOG("row %u", i);
		}
		s.seq = 998;
		EXPECT_EQ(TFSM_RST_CHALLENGED, tfsm_rst_stands(&f, &s));
	}
}

TEST(rst_where_little_is_known)
{
	struct tfsm f = UP;

	FACTS(f, 0, TFSM_E_ACKS);	/* nothing of its sender passed */
	EXPECT_RST(EXACT, f, 900);
	EXPECT_RST(CHALLENGED, f, 1000);
	EXPECT_RST(OUTSIDE, f, 5001);
	FACTS(f, 1, TFSM_E_SENT);	/* nor an ACK of its receiver */
	EXPECT_RST(EXACT, f, 77);
	FACTS(f, 0, TFSM_E_SENT);	/* an ACK alone did not */
	EXPECT_RST(EXACT, f, 1000);
	EXPECT_RST(CHALLENGED, f, 900);
	EXPECT_RST(CHALLENGED, f, 999);
	EXPECT_RST(CHALLENGED, f, 5001);
}

/* ---- SEQ and ACK, RFC 9293 3.10.7.4 ---- */

#define EXPECT_NOTE(note, f, ...)						\
	do {									\
		struct tfsm_seg s_ = make_segment(__VA_ARGS__);			\
		EXPECT_EQ(note, tfsm_acceptable(&(f), &s_));			\
	} while (0)
#define REFUSED(what)	TFSM_NOTE_##what

TEST(seq_between_the_window_below_and_the_edge)
{
	struct tfsm f = UP;

	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 1000, 2000, 10);
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 1000 - WINDOW, 2000, 0);
	EXPECT_NOTE(REFUSED(seq_old), f, TFSM_ACK, 999 - WINDOW, 2000, 0);
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 5001, 2000, 0);
	EXPECT_NOTE(REFUSED(seq_beyond_window), f, TFSM_ACK, 5002, 2000, 0);
	FACTS(f, 1, TFSM_E_SENT);		/* granted what is not known */
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 5002, 2000, 0);
	FACTS(f, 0, TFSM_E_ACKS);		/* sent what is not known */
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 999 - WINDOW, 2000, 0);
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK | TFSM_FIN, 900, 2000, 0);
}

TEST(seq_of_an_end_that_sent_what_is_not_known)
{
	struct tfsm f = UP;

	FACTS(f, 0, TFSM_E_ACKS);
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 5001, 2000, 0);
	EXPECT_NOTE(REFUSED(seq_beyond_window), f, TFSM_ACK, 5002, 2000, 0);
}

/* What was sent so far outranks an edge that has fallen behind it. */
TEST(seq_next_to_what_was_sent_beyond_the_edge)
{
	struct tfsm f = UP;

	f.end[0].next = 5002;
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 5002, 2000, 10);
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 5002 + WINDOW, 2000, 0);
	EXPECT_NOTE(REFUSED(seq_beyond_window), f, TFSM_ACK, 5003 + WINDOW, 2000, 0);
	f.end[0].next = 5001;
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 5001, 2000, 10);
	EXPECT_NOTE(REFUSED(seq_beyond_window), f, TFSM_ACK, 5002, 2000, 0);
}

TEST(seq_within_a_large_window)
{
	struct tfsm f = UP;

	f.end[1].maxwin = 64;			/* a megabyte */
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 1000 - (1 << 20), 2000, 0);
	EXPECT_NOTE(REFUSED(seq_old), f, TFSM_ACK, 999 - (1 << 20), 2000, 0);
}

TEST(fin_has_one_place)
{
	struct tfsm f = UP;

	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK | TFSM_FIN, 1000, 2000, 0);
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK | TFSM_FIN, 1001, 2000, 0);
	EXPECT_NOTE(REFUSED(fin_moved), f, TFSM_ACK | TFSM_FIN, 998, 2000, 0);
	FACTS(f, 0, TFSM_E_SENT | TFSM_E_ACKS | TFSM_E_FIN);
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK | TFSM_FIN, 999, 2000, 0);
	EXPECT_NOTE(REFUSED(fin_moved), f, TFSM_ACK | TFSM_FIN, 998, 2000, 0);
	EXPECT_NOTE(REFUSED(seq_beyond_fin), f, TFSM_ACK, 1000, 2000, 1);
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 1000, 2000, 0);
}

TEST(fin_of_a_first_fragment_has_none)
{
	struct tfsm_seg s = make_segment(TFSM_ACK | TFSM_FIN, 998, 2000, 0);
	struct tfsm f = UP;

	s.partial = true;
	EXPECT_EQ(TFSM_NOTES, tfsm_acceptable(&f, &s));
}

TEST(numbers_of_a_first_fragment_do_not_leap)
{
	struct tfsm_seg s = make_segment(TFSM_ACK, 1001, 2000, 0);
	struct tfsm f = UP;

	EXPECT_EQ(TFSM_NOTES, tfsm_acceptable(&f, &s));
	s.partial = true;
	EXPECT_EQ(TFSM_NOTE_seq_beyond_window, tfsm_acceptable(&f, &s));
	s.seq = 1000;
	EXPECT_EQ(TFSM_NOTES, tfsm_acceptable(&f, &s));
	s.ack = 2001;
	EXPECT_EQ(TFSM_NOTE_ack_beyond, tfsm_acceptable(&f, &s));
	FACTS(f, 0, TFSM_E_ACKS);
	s.ack = 2000;
	s.seq = 1001;
	EXPECT_EQ(TFSM_NOTES, tfsm_acceptable(&f, &s));
}

TEST(ack_between_the_window_below_and_what_can_have_been_sent)
{
	struct tfsm f = UP;

	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 1000, 2000 - WINDOW, 0);
	EXPECT_NOTE(REFUSED(ack_old), f, TFSM_ACK, 1000, 1999 - WINDOW, 0);
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 1000, 9001, 0);	/* it passed unseen */
	EXPECT_NOTE(REFUSED(ack_beyond), f, TFSM_ACK, 1000, 9002, 0);
	FACTS(f, 1, TFSM_E_SENT | TFSM_E_ACKS | TFSM_E_FIN);
	EXPECT_NOTE(REFUSED(ack_beyond), f, TFSM_ACK, 1000, 2001, 0);
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 1000, 2000, 0);
	FACTS(f, 1, TFSM_E_ACKS);		/* nothing of its receiver passed */
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 1000, 9002, 0);
	FACTS(f, 0, TFSM_E_SENT);		/* nor an ACK of its sender */
	FACTS(f, 1, TFSM_E_SENT | TFSM_E_ACKS);
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 1000, 1999 - WINDOW, 0);
	EXPECT_NOTE(TFSM_NOTES, f, TFSM_ACK, 1000, 9002, 0);
}

/* ---- kinds ---- */

TEST(kinds_of_all_flags)
{
	unsigned int flags;

	for (flags = 0; flags < 256; flags++) {
		bool syn = flags & TFSM_SYN, fin = flags & TFSM_FIN, rst = flags & TFSM_RST;
		bool ack = flags & TFSM_ACK, data = flags & (TFSM_PSH | TFSM_URG);
		enum tfsm_kind want;

		if (rst + (syn || fin) > 1 || (syn && fin && !ack))
			want = TFSM_KIND_BAD;
		else if (syn)
			want = ack ? TFSM_KIND_SYNACK : TFSM_KIND_SYN;
		else if (rst)
			want = TFSM_KIND_RST;
		else if (ack)
			want = TFSM_KIND_ACK;
		else
			want = fin || data ? TFSM_KIND_NO_ACK : TFSM_KIND_BAD;
		EXPECT_EQ(want, tfsm_classify(flags)) {
			TH_LOG("flags %#x", flags);
		}
	}
}

/* ---- classes ---- */

#define EXPECT_CLASS(class, orig, resp, have)					\
	do {									\
		struct tfsm f_ = make_flow(TCPFSM_##orig, TCPFSM_##resp);	\
		f_.flags = (have);						\
		EXPECT_EQ(TFSM_CLASS_##class, tfsm_class(&f_));			\
		f_ = make_flow(TCPFSM_##resp, TCPFSM_##orig);			\
		f_.flags = (have);						\
		EXPECT_EQ(TFSM_CLASS_##class, tfsm_class(&f_));			\
	} while (0)

TEST(classes_of_pairs)
{
	EXPECT_CLASS(CLOSED, CLOSED, CLOSED, 0);
	EXPECT_CLASS(CLOSED, CLOSED, LISTEN, TCPFSM_F_UNCONFIRMED);
	EXPECT_CLASS(TIME_WAIT, TIME_WAIT, CLOSED, 0);
	EXPECT_CLASS(TIME_WAIT, TIME_WAIT, LAST_ACK, TCPFSM_F_UNCONFIRMED);
	EXPECT_CLASS(OPENING, SYN_SENT, LISTEN, 0);
	EXPECT_CLASS(OPENING, ESTABLISHED, SYN_RCVD, 0);
	EXPECT_CLASS(OPENING, ESTABLISHED, ESTABLISHED, TCPFSM_F_UNCONFIRMED);
	EXPECT_CLASS(CLOSING, FIN_WAIT_1, ESTABLISHED, 0);
	EXPECT_CLASS(CLOSING, CLOSING, CLOSING, 0);
	EXPECT_CLASS(CLOSING, ESTABLISHED, CLOSED, TCPFSM_F_SUSPECT);
	EXPECT_CLASS(HALF_CLOSED, FIN_WAIT_2, CLOSE_WAIT, 0);
	EXPECT_CLASS(CLOSING, FIN_WAIT_2, CLOSE_WAIT, TCPFSM_F_SUSPECT);
	EXPECT_CLASS(HALF_CLOSED, FIN_WAIT_2, CLOSE_WAIT, TCPFSM_F_MIDSTREAM);	/* both sent */
	EXPECT_CLASS(HALF_CLOSED, FIN_WAIT_2, CLOSE_WAIT, TCPFSM_F_GAP);
	EXPECT_CLASS(CLOSING, FIN_WAIT_2, CLOSE_WAIT, TFSM_F_TAILS);
	EXPECT_CLASS(ESTABLISHED, ESTABLISHED, ESTABLISHED, TCPFSM_F_MIDSTREAM);
	EXPECT_CLASS(CLOSING, ESTABLISHED, ESTABLISHED, TCPFSM_F_SUSPECT);
	EXPECT_CLASS(OPENING, SYN_SENT, LISTEN, TCPFSM_F_SUSPECT);
}

TEST_HARNESS_MAIN
