// SPDX-License-Identifier: GPL-2.0
/* The shell around the engine, one decision a test, and the reader of TCP options. */
#include <stdlib.h>

#include "kselftest_harness.h"

#include "../../mod/core/shell.h"

#define SYN_OF(n)	segment(TCPFSM_ORIG, TFSM_SYN, n, 0)

/* A keeper of one flow that says what it is asked, and does as it is told. */
struct kept {
	struct tfsm flow;
	bool no_memory;
	enum tfsm_opened opens;			/* what open() returns */
	bool serves[TFSM_EVIDENCES][2];		/* by evidence; receiver, sender */
	unsigned int allocated, freed, ended, opened;
	u8 reason, sender;
	bool past;				/* the last flow began with a kept SYN */
	u64 now;
};

static struct tfsm_ext *kept_alloc_ext(void *ctx)
{
	struct kept *k = ctx;

	if (k->no_memory)
		return NULL;
	k->allocated++;
	return calloc(1, sizeof(struct tfsm_ext));
}

static void kept_free_ext(void *ctx, struct tfsm_ext *ext)
{
	struct kept *k = ctx;

	k->freed++;
	free(ext);
}

static bool kept_serves(void *ctx, enum tfsm_evidence evidence, bool sender)
{
	struct kept *k = ctx;

	return k->serves[evidence][sender];
}

static void kept_end(void *ctx, struct tfsm *f, u8 reason)
{
	struct kept *k = ctx;

	k->ended++;
	k->reason = reason;
	if (tfsm_ext(f))
		kept_free_ext(k, tfsm_ext(f));
}

static enum tfsm_opened kept_open(void *ctx, const struct tfsm_start *start)
{
	struct tfsm_out o = { .now = 7 };
	struct kept *k = ctx;

	if (k->opens != TFSM_OPENED)
		return k->opens;
	k->opened++;
	k->sender = start->sender;
	k->past = start->past;
	k->flow = (struct tfsm) { .own = 42 };
	tfsm_shell_begin(&k->flow, start, &o);
	k->now = o.now;
	return TFSM_OPENED;
}

static const struct tfsm_keeper keeper = {
	.alloc_ext = kept_alloc_ext,
	.free_ext = kept_free_ext,
	.serves = kept_serves,
	.end = kept_end,
	.open = kept_open,
};

/* Without evidence, the segment's own direction is right. */
static const struct tfsm_keeper trusting = {
	.alloc_ext = kept_alloc_ext,
	.free_ext = kept_free_ext,
	.end = kept_end,
	.open = kept_open,
};

static enum tfsm_verdict track(struct kept *k, struct tfsm_seg s, u64 now)
{
	struct tfsm_out o = { .now = now };

	return tfsm_shell_track(&keeper, k, &k->flow, &s, &o);
}

static struct tfsm_seg segment(u8 dir, u8 flags, u32 seq, u32 ack)
{
	struct tfsm_seg s = { .dir = dir, .seq = seq, .ack = ack, .win = 65535 };

	tfsm_set_flags(&s, flags);
	return s;
}

static void establish(struct kept *k)
{
	struct tfsm_seg syn = SYN_OF(100);

	tfsm_shell_open(&keeper, k, &syn);
	track(k, segment(TCPFSM_RESP, TFSM_SYN | TFSM_ACK, 300, 101), 1);
	track(k, segment(TCPFSM_ORIG, TFSM_ACK, 101, 301), 1);
}

/* ---- which end is orig ---- */

TEST(a_syn_makes_its_sender_orig_and_a_synack_its_sender_resp)
{
	struct tfsm_seg syn = SYN_OF(100), synack = segment(0, TFSM_SYN | TFSM_ACK, 300, 101);
	struct kept k = { .serves = { { false, true } } };	/* the sender listens */

	tfsm_shell_open(&keeper, &k, &syn);
	EXPECT_EQ(TCPFSM_ORIG, k.sender);
	k.serves[TFSM_BY_LISTENER][0] = true;
	tfsm_shell_open(&keeper, &k, &synack);
	EXPECT_EQ(TCPFSM_RESP, k.sender);
}

TEST(the_first_evidence_decides_which_end_serves)
{
	struct tfsm_seg data = segment(0, TFSM_ACK, 100, 300);
	struct kept k = { .serves = { [TFSM_BY_PORT] = { true, false } } };

	tfsm_shell_open(&keeper, &k, &data);
	EXPECT_EQ(TCPFSM_ORIG, k.sender);
	k.serves[TFSM_BY_SERVICE][1] = true;		/* the sender is a known service */
	tfsm_shell_open(&keeper, &k, &data);
	EXPECT_EQ(TCPFSM_RESP, k.sender);
	k.serves[TFSM_BY_LISTENER][0] = true;		/* but its peer listens */
	tfsm_shell_open(&keeper, &k, &data);
	EXPECT_EQ(TCPFSM_ORIG, k.sender);
}

TEST(without_evidence_the_segments_direction_is_right)
{
	struct tfsm_seg data = segment(TCPFSM_RESP, TFSM_ACK, 100, 300);
	struct kept k = {};

	tfsm_shell_open(&trusting, &k, &data);
	EXPECT_EQ(TCPFSM_RESP, k.sender);
}

TEST(evidence_that_tells_nothing_leaves_the_segments_direction)
{
	struct tfsm_seg data = segment(TCPFSM_RESP, TFSM_ACK, 100, 300);
	struct kept k = {};

	tfsm_shell_open(&keeper, &k, &data);
	EXPECT_EQ(TCPFSM_RESP, k.sender);
}

/* ---- memory ---- */

TEST(the_callers_word_outlasts_an_extension)
{
	struct tfsm_ext *ext;
	struct kept k = {};

	establish(&k);
	EXPECT_EQ(42, tfsm_own(&k.flow));
	EXPECT_EQ(TFSM_KEPT, track(&k, SYN_OF(9000), 2));
	ext = tfsm_ext(&k.flow);
	ASSERT_NE(NULL, ext);
	EXPECT_EQ(42, tfsm_own(&k.flow));
	tfsm_set_own(&k.flow, 43);
	tfsm_set_ext(&k.flow, NULL);		/* reads it once more */
	free(ext);
	EXPECT_EQ(43, tfsm_own(&k.flow));
}

TEST(without_memory_the_next_segment_asks_again)
{
	struct kept k = { .no_memory = true };

	establish(&k);
	EXPECT_EQ(TFSM_REFUSED, track(&k, SYN_OF(9000), 2));
	EXPECT_EQ(NULL, tfsm_ext(&k.flow));
	EXPECT_EQ(0, k.flow.flags & TFSM_F_NO_EXT);
	k.no_memory = false;
	EXPECT_EQ(TFSM_KEPT, track(&k, SYN_OF(9000), 2));
	EXPECT_EQ(1, k.allocated);
	free(tfsm_ext(&k.flow));
}

/* ---- the next flow on a tuple ---- */

TEST(a_flow_that_is_over_keeps_its_reason_when_it_is_replaced)
{
	struct tfsm_seg syn = SYN_OF(9000);
	enum tfsm_verdict v;
	struct kept k = {};

	establish(&k);
	track(&k, segment(TCPFSM_RESP, TFSM_RST, 301, 0), 2);
	v = track(&k, syn, 3);
	ASSERT_EQ(TFSM_NEW, v);
	EXPECT_FALSE(tfsm_shell_replace(&keeper, &k, &k.flow, &syn, v));
	EXPECT_EQ(TCPFSM_REASON_RST_RESP, k.reason);
	EXPECT_EQ(2, k.opened);
	EXPECT_FALSE(k.past);
}

/* Only of a flow that is over at both ends is the reason of its end known. */
TEST(any_other_flow_that_is_replaced_was_reopened)
{
	struct tfsm_seg syn = SYN_OF(9000);
	u8 orig, resp, reason;

	for (orig = TCPFSM_ESTABLISHED; orig < TCPFSM_STATES; orig++) {
		for (resp = TCPFSM_ESTABLISHED; resp < TCPFSM_STATES; resp++) {
			for (reason = 0; reason < 2; reason++) {
				struct kept k = { .flow = {
					.end = { { .state = orig }, { .state = resp } },
					.reason = reason ? TCPFSM_REASON_FIN : 0,
				} };
				bool over = tfsm_closed(&k.flow.end[0]) &&
					    tfsm_closed(&k.flow.end[1]);

				tfsm_shell_replace(&keeper, &k, &k.flow, &syn, TFSM_NEW);
				EXPECT_EQ(over && reason ? TCPFSM_REASON_FIN :
							   TCPFSM_REASON_REOPENED, k.reason);
			}
		}
	}
}

/* The server opens anew: its kept SYN, answered, begins a flow whose orig it is, as of that SYN. */
TEST(a_kept_syn_that_is_answered_turns_the_flow_round)
{
	struct tfsm_seg synack = segment(TCPFSM_ORIG, TFSM_SYN | TFSM_ACK, 7000, 9001);
	struct tfsm_seg syn = segment(TCPFSM_RESP, TFSM_SYN, 9000, 0);
	enum tfsm_verdict v;
	struct kept k = {};

	establish(&k);
	EXPECT_EQ(TFSM_KEPT, track(&k, syn, 5));
	v = track(&k, synack, 6);
	ASSERT_EQ(TFSM_NEW_KEPT, v);
	EXPECT_TRUE(tfsm_shell_replace(&keeper, &k, &k.flow, &synack, v));
	EXPECT_EQ(TCPFSM_REASON_REOPENED, k.reason);
	EXPECT_TRUE(k.past);
	EXPECT_EQ(TCPFSM_RESP, k.sender);
	EXPECT_EQ(5, k.now);
	EXPECT_EQ(TCPFSM_SYN_SENT, (u8)k.flow.end[TCPFSM_ORIG].state);
	EXPECT_EQ(42, tfsm_own(&k.flow));
	EXPECT_EQ(0, k.freed);			/* the new flow has taken the extension */
	free(tfsm_ext(&k.flow));
}

TEST(what_a_flow_without_room_would_have_taken_is_freed)
{
	struct tfsm_seg synack = segment(TCPFSM_RESP, TFSM_SYN | TFSM_ACK, 7000, 9001);
	enum tfsm_verdict v;
	struct kept k = {};

	establish(&k);
	track(&k, SYN_OF(9000), 5);
	v = track(&k, synack, 6);
	ASSERT_EQ(TFSM_NEW_KEPT, v);
	k.opens = TFSM_NO_ROOM;
	EXPECT_FALSE(tfsm_shell_replace(&keeper, &k, &k.flow, &synack, v));
	EXPECT_EQ(1, k.freed);
}

TEST(a_segment_that_was_beaten_to_its_tuple_is_tracked_again)
{
	struct tfsm_seg syn = SYN_OF(9000);
	enum tfsm_verdict v;
	struct kept k = {};

	establish(&k);
	track(&k, segment(TCPFSM_RESP, TFSM_RST, 301, 0), 2);
	v = track(&k, syn, 3);
	k.opens = TFSM_RACED;
	EXPECT_TRUE(tfsm_shell_replace(&keeper, &k, &k.flow, &syn, v));
}

TEST(a_rst_that_has_ended_its_flow_is_not_tracked_again)
{
	struct tfsm_seg rst = segment(TCPFSM_RESP, TFSM_RST, 301, 0);
	enum tfsm_verdict v;
	struct kept k = {};

	establish(&k);
	track(&k, SYN_OF(9000), 5);
	v = track(&k, rst, 6);
	ASSERT_EQ(TFSM_NEW_AFTER, v);
	k.opens = TFSM_RACED;
	EXPECT_FALSE(tfsm_shell_replace(&keeper, &k, &k.flow, &rst, v));
	EXPECT_EQ(1, k.freed);
}

TEST(what_opens_no_flow_says_why)
{
	EXPECT_EQ(TFSM_NOTES, tfsm_why_no_flow(TFSM_KIND_RST));
	EXPECT_EQ(TFSM_NOTE_bad_flags, tfsm_why_no_flow(TFSM_KIND_BAD));
	EXPECT_EQ(TFSM_NOTE_no_ack, tfsm_why_no_flow(TFSM_KIND_NO_ACK));
}

/* ---- how long a flow stays ---- */

TEST(segments_prolong_every_class_but_closed_and_time_wait)
{
	static const u8 pairs[][3] = {
		{ TCPFSM_ESTABLISHED, TCPFSM_ESTABLISHED, true },
		{ TCPFSM_FIN_WAIT_2, TCPFSM_CLOSE_WAIT, true },
		{ TCPFSM_SYN_SENT, TCPFSM_LISTEN, true },
		{ TCPFSM_LAST_ACK, TCPFSM_FIN_WAIT_2, true },
		{ TCPFSM_TIME_WAIT, TCPFSM_CLOSED, false },
		{ TCPFSM_CLOSED, TCPFSM_CLOSED, false },
	};
	struct tfsm_out o = {};
	unsigned int i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct tfsm f = { .end = { { .state = pairs[i][0] }, { .state = pairs[i][1] } } };
		enum tfsm_class class = tfsm_class(&f);

		EXPECT_EQ(pairs[i][2], tfsm_restarts(&f, class, TFSM_OK, &o));
		EXPECT_FALSE(tfsm_restarts(&f, class, TFSM_REFUSED, &o));
		EXPECT_TRUE(tfsm_restarts(&f, class + 1, TFSM_REFUSED, &o));
	}
	o.time_wait = true;
	EXPECT_TRUE(tfsm_restarts(&(struct tfsm) { .end = { { .state = TCPFSM_TIME_WAIT } } },
				  TFSM_CLASS_TIME_WAIT, TFSM_REFUSED, &o));
}

TEST(a_flow_that_times_out_says_why_it_ended_if_that_is_known)
{
	EXPECT_EQ(TCPFSM_REASON_TIMEOUT, tfsm_timeout_reason(&(struct tfsm) {}));
	EXPECT_EQ(TCPFSM_REASON_FIN,
		  tfsm_timeout_reason(&(struct tfsm) { .reason = TCPFSM_REASON_FIN }));
}

TEST(a_syn_in_vain_is_unreachable_only_if_an_error_said_so)
{
	struct tfsm f = { .end = { { .state = TCPFSM_SYN_SENT }, { .state = TCPFSM_LISTEN } } };

	EXPECT_EQ(TCPFSM_REASON_TIMEOUT, tfsm_timeout_reason(&f));
	f.flags = TCPFSM_F_MTU;
	EXPECT_EQ(TCPFSM_REASON_TIMEOUT, tfsm_timeout_reason(&f));
	f.flags = TCPFSM_F_UNREACHABLE;
	EXPECT_EQ(TCPFSM_REASON_UNREACHABLE, tfsm_timeout_reason(&f));
	f.end[TCPFSM_ORIG].state = TCPFSM_ESTABLISHED;
	EXPECT_EQ(TCPFSM_REASON_TIMEOUT, tfsm_timeout_reason(&f));
}

TEST(which_icmp_messages_are_errors)
{
	unsigned int type, code, sort;

	for (type = 0; type < 256; type++)
		for (code = 0; code < 256; code++) {
			sort = type == 11 || type == 12 || (type == 3 && code < 16) ?
				TFSM_ICMP_UNREACHABLE : TFSM_ICMP_SORTS;
			if (type == 3 && code == 4)
				sort = TFSM_ICMP_MTU;
			EXPECT_EQ(sort, tfsm_icmp_sort(false, type, code));
			sort = type == 1 || type == 3 || type == 4 ? TFSM_ICMP_UNREACHABLE :
			       type == 2 ? TFSM_ICMP_MTU : TFSM_ICMP_SORTS;
			EXPECT_EQ(sort, tfsm_icmp_sort(true, type, code));
		}
}

/* ---- options ---- */

#define SCALE_OF(...) ({							\
	const u8 bytes_[] = { __VA_ARGS__ };					\
	struct tfsm_seg s_ = {};						\
	tfsm_read_options(&s_, bytes_, sizeof(bytes_));				\
	s_.has_wscale ? s_.wscale : -1; })

TEST(window_scale_among_the_options)
{
	EXPECT_EQ(7, SCALE_OF(3, 3, 7));
	EXPECT_EQ(7, SCALE_OF(2, 4, 5, 180, 1, 3, 3, 7));
	EXPECT_EQ(14, SCALE_OF(1, 3, 3, 15));		/* RFC 7323 2.3 */
	EXPECT_EQ(0, SCALE_OF(3, 3, 0));
	EXPECT_EQ(-1, SCALE_OF(2, 4, 5, 180));
	EXPECT_EQ(-1, SCALE_OF(0, 3, 3, 7));		/* behind the end of the options */
	EXPECT_EQ(-1, SCALE_OF(3, 4, 7, 0));		/* of another length */
}

TEST(an_option_that_lies_about_its_length_ends_them)
{
	EXPECT_EQ(-1, SCALE_OF(8, 0, 3, 3, 7));
	EXPECT_EQ(-1, SCALE_OF(8, 1, 3, 3, 7));
	EXPECT_EQ(-1, SCALE_OF(8, 10, 3, 3, 7));
	EXPECT_EQ(-1, SCALE_OF(3, 3));
	EXPECT_EQ(-1, SCALE_OF(3));
}

TEST_HARNESS_MAIN
