// SPDX-License-Identifier: GPL-2.0
/* The queue of tickets, beside an array that says what it must hold. */
#include "kselftest_harness.h"

#include "../../mod/core/tfsm.h"
#include "../../mod/fifo.c"

#define MOST	10000U

static struct tcpfsm_ticket model[MOST];
static u32 first, next;		/* of the model; both only grow */

static struct tcpfsm_ticket *at(u32 i)
{
	return &model[i % MOST];
}

static bool push(struct tcpfsm_fifo *q, u32 stamp)
{
	const struct tcpfsm_ticket t = {
		.where = 0x9e3779b9 * next, .mark = (u16)(next * 7), .stamp = stamp,
	};

	if (!tcpfsm_fifo_push(q, &t))
		return false;
	*at(next++) = t;
	return true;
}

/* The first ticket is the model's, or there is none in either. */
static bool agrees(const struct tcpfsm_fifo *q)
{
	struct tcpfsm_ticket t;
	const struct tcpfsm_ticket *m = at(first);

	if (q->nr != next - first)
		return false;
	if (first == next)
		return !tcpfsm_fifo_first(q, &t);
	return tcpfsm_fifo_first(q, &t) && t.where == m->where && t.mark == m->mark &&
	       t.stamp == m->stamp;
}

static void pop(struct tcpfsm_fifo *q)
{
	tcpfsm_fifo_pop(q);
	first++;
}

FIXTURE(fifo) {
	struct tcpfsm_fifo q;
};

FIXTURE_SETUP(fifo)
{
	self->q = (struct tcpfsm_fifo) {};
	first = 0;
	next = 0;
	out_of_memory = false;
	allocated = 0;
}

FIXTURE_TEARDOWN(fifo)
{
	tcpfsm_fifo_free(&self->q);
	EXPECT_EQ(0, allocated);
	EXPECT_EQ(0, self->q.nr);
}

TEST_F(fifo, comes_out_as_it_went_in)
{
	u32 stamp = -200000U, i;	/* which wraps on the way */
	int pushes;			/* in a hundred: it fills, and empties */

	srand(1);
	for (i = 0; i < 300000; i++) {
		pushes = i / 5000 % 2 ? 30 : 70;
		if (next == first || (next - first < MOST && rand() % 100 < pushes)) {
			stamp += rand() % 3;
			ASSERT_TRUE(push(&self->q, stamp));
		} else {
			pop(&self->q);
		}
		ASSERT_TRUE(agrees(&self->q));
	}
}

TEST_F(fifo, keeps_stamps_that_are_far_apart)
{
	static const u32 gap[] = { 0, 1, U16_MAX - 1, U16_MAX, U16_MAX + 1, 1U << 20, 1U << 31 };
	u32 stamp = 0xfffffff0, i;

	for (i = 0; i < ARRAY_SIZE(gap); i++) {
		stamp += gap[i];
		ASSERT_TRUE(push(&self->q, stamp));
	}
	while (first != next) {
		ASSERT_TRUE(agrees(&self->q));
		pop(&self->q);
	}
}

TEST_F(fifo, takes_no_memory_when_it_is_empty)
{
	u32 i;

	for (i = 0; i < 1000; i++)
		ASSERT_TRUE(push(&self->q, i));
	EXPECT_LT(1000 * 8 / 512, allocated);
	EXPECT_GT(1000 * 9 / 512 + 2, allocated);
	while (first != next)
		pop(&self->q);
	EXPECT_EQ(0, allocated);
	ASSERT_TRUE(push(&self->q, 0));
	EXPECT_TRUE(agrees(&self->q));
}

TEST_F(fifo, a_push_that_fails_changes_nothing)
{
	u32 i, pushed = 0;

	out_of_memory = true;
	EXPECT_FALSE(push(&self->q, 1));
	EXPECT_TRUE(agrees(&self->q));
	for (i = 0; i < 1000; i++) {
		out_of_memory = i % 3;
		pushed += push(&self->q, i);
	}
	EXPECT_EQ(next, pushed);
	EXPECT_LT(900, pushed);
	EXPECT_GT(1000, pushed);
	while (first != next) {
		ASSERT_TRUE(agrees(&self->q));
		pop(&self->q);
	}
	EXPECT_TRUE(agrees(&self->q));
}

TEST_HARNESS_MAIN
