// SPDX-License-Identifier: GPL-2.0
/*
 * How evenly tuples fall into buckets when they were chosen by somebody who knows the code but not
 * the secret. Beside each set, tuples at random: the attacker must not do much better than chance.
 */
#include <stdlib.h>

#include "kselftest_harness.h"

#include "../../mod/core/hash.h"

#define TUPLES	(1U << 16)
#define BUCKETS	(TUPLES / 8)	/* as in a full table */
#define SECRETS	32

struct tuple {
	u32 ports, a, b;
	u64 a6[2], b6[2];
};

static u64 state = 1;

static u64 draw_random(void)
{
	u64 z = state += 0x9e3779b97f4a7c15ULL;		/* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static void draw_secret(u64 *secret)
{
	unsigned int i;

	for (i = 0; i < TFSM_SECRET_WORDS; i++)
		secret[i] = draw_random();
}

/* Of lookups of each tuple: how many others are in its bucket, as a mean; and the most. */
struct load {
	double mean;
	unsigned int most;
};

static struct load load_of(const struct tuple *t, const u64 *secret, bool six)
{
	static unsigned int in[BUCKETS];
	struct load load = {};
	unsigned int i;
	u32 hash;

	memset(in, 0, sizeof(in));
	for (i = 0; i < TUPLES; i++) {
		hash = six ? tfsm_hash6(secret, t[i].ports, 0, t[i].a6, t[i].b6) :
			     tfsm_hash4(secret, t[i].ports, 0, t[i].a, t[i].b);
		in[hash % BUCKETS]++;
	}
	for (i = 0; i < BUCKETS; i++) {
		load.mean += (double)in[i] * (in[i] - !!in[i]) / TUPLES;
		if (in[i] > load.most)
			load.most = in[i];
	}
	return load;
}

static struct tuple set[TUPLES];

typedef void choose(struct tuple *t, u32 i);

static void at_random(struct tuple *t, u32 i)
{
	t->ports = draw_random();
	t->a = draw_random();
	t->b = draw_random();
	t->a6[0] = draw_random();
	t->a6[1] = draw_random();
	t->b6[0] = draw_random();
	t->b6[1] = draw_random();
}

static void one_target(struct tuple *t)
{
	t->ports = 443;
	t->b = 0x0a000201;
	t->b6[0] = 0x20010db8;
	t->b6[1] = 1;
}

static void ports_in_a_row(struct tuple *t, u32 i)
{
	one_target(t);
	t->ports |= i << 16;
}

static void addresses_in_a_row(struct tuple *t, u32 i)
{
	one_target(t);
	t->a = 0x0b000000 + i;
	t->a6[1] = i;
}

static void high_bits_only(struct tuple *t, u32 i)
{
	one_target(t);
	t->a = i << 16;
	t->a6[0] = (u64)i << 48;
}

static void ports_by_addresses(struct tuple *t, u32 i)
{
	one_target(t);
	t->ports |= (i & 255) << 16;
	t->a = i >> 8;
	t->a6[1] = i >> 8;
}

/* What one grows by, the other shrinks by: sums and xors of both cancel out. */
static void against_each_other(struct tuple *t, u32 i)
{
	one_target(t);
	t->ports |= i << 16;
	t->a = -i;
	t->b = i;
	t->a6[0] = i;
	t->a6[1] = -(u64)i;
	t->b6[0] ^= (u64)i << 32;
}

static void check_spread(struct __test_metadata *_metadata, const char *name, choose *choose,
			 bool six)
{
	double mean = 0, chance = 0;
	unsigned int i, s, most = 0, chance_most = 0;
	static struct tuple others[TUPLES];
	u64 secret[TFSM_SECRET_WORDS];
	struct load load;

	memset(set, 0, sizeof(set));
	for (i = 0; i < TUPLES; i++) {
		choose(&set[i], i);
		at_random(&others[i], i);
	}
	for (s = 0; s < SECRETS; s++) {
		draw_secret(secret);
		load = load_of(set, secret, six);
		mean += load.mean / SECRETS;
		most = load.most > most ? load.most : most;
		load = load_of(others, secret, six);
		chance += load.mean / SECRETS;
		chance_most = load.most > chance_most ? load.most : chance_most;
	}
	TH_LOG("%s, IPv%d: beside %.2f others, at most %u; by chance %.2f, %u", name,
	       six ? 6 : 4, mean, most, chance, chance_most);
	EXPECT_LT(mean, 1.25 * chance);
	EXPECT_LT(most, 4 * chance_most);
}

#define TEST_OF(choose)					\
TEST(of_##choose)					\
{							\
	check_spread(_metadata, #choose, choose, false);	\
	check_spread(_metadata, #choose, choose, true);	\
}

TEST_OF(ports_in_a_row)
TEST_OF(addresses_in_a_row)
TEST_OF(high_bits_only)
TEST_OF(ports_by_addresses)
TEST_OF(against_each_other)

/* All in one bucket of a machine whose secret is known: they tell nothing of another machine's. */
TEST(learnt_at_another_machine)
{
	u64 secret[TFSM_SECRET_WORDS];
	struct load load;
	unsigned int i, s, most = 0;

	draw_secret(secret);
	for (i = 0; i < TUPLES / 16; ) {
		at_random(&set[i], 0);
		i += tfsm_hash4(secret, set[i].ports, 0, set[i].a, set[i].b) % BUCKETS == 0;
	}
	for (; i < TUPLES; i++)
		at_random(&set[i], 0);
	EXPECT_GT(load_of(set, secret, false).most, TUPLES / 16);
	for (s = 0; s < SECRETS; s++) {
		draw_secret(secret);
		load = load_of(set, secret, false);
		most = load.most > most ? load.most : most;
	}
	TH_LOG("%u in one bucket there, at most %u here", TUPLES / 16, most);
	EXPECT_LT(most, 64);
}

TEST_HARNESS_MAIN
