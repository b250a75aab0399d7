// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "data/names.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/number.h"
#include "lib/out.h"
#include "show/netns.h"
#include "show/tally.h"

#define FMT_KEY		FMT_FLAGS

struct group {
	struct hnode node;
	u64 count, packets, bytes, oldest;
	const struct netns *netns;	/* NULL: of several, or of a capture */
	u8 key[];
};

static const char * const orders[] = {
	[TALLY_FLOWS] = "flows", [TALLY_OLDEST] = "oldest", [TALLY_PACKETS] = "packets",
	[TALLY_BYTES] = "bytes",
};

void tally_print_orders(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(orders); i++)
		puts(orders[i]);
}

/* ---- the list of keys ---- */

/* A prefix up to 32 is of IPv4, and takes the networks of IPv6 hosts, /64, along. */
static bool parse_bits(struct tally_part *p, const char *word)
{
	u64 bits;

	if (!read_u64(word, 1, 128, &bits)) {
		fail("'/%s' is not a prefix length: 1 to 128", word);
		return false;
	}
	p->bits4 = bits <= 32 ? bits : 32;
	p->bits6 = bits <= 32 ? 64 : bits;
	return true;
}

static bool parse_key(struct tally *t, char *word)
{
	char *slash = strchr(word, '/');
	const struct tally_key *key = tally_find_key(word, slash ? (size_t)(slash - word) :
								  strlen(word));
	struct tally_part *p = &t->part[t->parts];
	unsigned int i;

	if (!key) {
		fail("'%s' is not a key: src, dst (both also as src/24), sport, dport, service, pair, state, reason, flags, uid, process or netns, with commas between",
		     word);
		return false;
	}
	if (slash && !key->has_bits) {
		fail("'%s': only src and dst take a prefix", word);
		return false;
	}
	if (key->live && !t->process) {
		fail("'%s': a capture does not tell %s", word, key->live);
		return false;
	}
	for (i = 0; i < t->parts; i++) {
		if (t->part[i].key != key)
			continue;
		fail("'%s' is there twice", key->name);
		return false;
	}
	if (t->parts == TALLY_KEYS) {
		fail("'%s': at most %d keys", word, TALLY_KEYS);
		return false;
	}
	*p = (struct tally_part){ .key = key, .bits4 = 32, .bits6 = 128 };
	if (slash && !parse_bits(p, slash + 1))
		return false;
	t->parts++;
	t->size += key->size;
	t->of_ends |= key->of_end;
	t->of_netns |= !strcmp(key->name, "netns");
	return true;
}

static bool parse_order(struct tally *t, const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		if (strcmp(word, orders[i]))
			continue;
		t->order = i;
		return true;
	}
	fail("'%s' is not a column to sort by: flows, oldest, packets or bytes", word);
	return false;
}

bool tally_init(struct tally *t, const char *list, const char *order)
{
	char *copy = string_copy(list), *rest = copy, *word;
	bool ok = true;

	while (ok && (word = strsep(&rest, ",")))
		ok = parse_key(t, word);
	free(copy);
	return ok && (!order || parse_order(t, order));
}

/* ---- counting ---- */

static struct group *find_group(struct tally *t, const u8 *key)
{
	u64 hash = hash_bytes(t->size, key, t->size);
	struct hnode *n;
	struct group *g;

	for (n = htab_first(&t->table, hash); n; n = htab_next(n)) {
		g = (struct group *)n;
		if (!memcmp(g->key, key, t->size))
			return g;
	}
	g = zalloc(sizeof(*g) + t->size);
	memcpy(g->key, key, t->size);
	htab_add(&t->table, &g->node, hash);
	return g;
}

static void add_one(struct tally *t, const struct flow *f, unsigned int end, u64 age)
{
	struct tally_subject s = { .flow = f, .end = end, .process = t->process };
	u8 key[TALLY_KEYS * FMT_PROCESS] = { 0 };
	struct group *g;
	unsigned int i;
	u8 *to = key;

	for (i = 0; i < t->parts; i++) {
		s.bits4 = t->part[i].bits4;
		s.bits6 = t->part[i].bits6;
		t->part[i].key->put(to, &s);
		to += t->part[i].key->size;
	}
	g = find_group(t, key);
	t->all++;
	if (!g->count++)
		g->netns = f->netns;
	else if (g->netns != f->netns)
		g->netns = NULL;
	if (age > g->oldest)
		g->oldest = age;
	for (i = 0; i < TCPFSM_ENDS; i++) {
		if (t->of_ends && i != end)
			continue;
		g->packets += f->end[i].packets;
		g->bytes += f->end[i].bytes;
	}
}

void tally_add(struct tally *t, const struct flow *f, u64 now)
{
	u64 age = now > f->start ? now - f->start : 0;
	unsigned int end;

	for (end = 0; end < (t->of_ends ? TCPFSM_ENDS : 1); end++)
		add_one(t, f, end, age);
}

/* ---- printing ---- */

struct sorted {
	const struct tally *tally;
	const struct group **group;
	size_t n;
};

static bool collect_group(struct hnode *n, void *arg)
{
	struct sorted *s = arg;

	s->group[s->n++] = (struct group *)n;
	return false;
}

static u64 rank_of(const struct group *g, enum tally_order order)
{
	switch (order) {
	case TALLY_OLDEST:
		return g->oldest;
	case TALLY_PACKETS:
		return g->packets;
	case TALLY_BYTES:
		return g->bytes;
	default:
		return g->count;
	}
}

/* The largest first; of equal ones, as their keys are. */
static int by_rank(const void *a, const void *b, void *arg)
{
	const struct group *x = *(const struct group * const *)a;
	const struct group *y = *(const struct group * const *)b;
	const struct tally *t = arg;
	u64 p = rank_of(x, t->order), q = rank_of(y, t->order);

	return p != q ? (p < q ? 1 : -1) : memcmp(x->key, y->key, t->size);
}

static void set_columns(struct out_column *c, const struct sorted *s)
{
	static const struct out_column counts[] = {
		{ "flows", 8, "flows" }, { "share", 7, NULL }, { "oldest", 8, NULL },
		{ "packets", 10, "packets" }, { "bytes", 13, "bytes" }, { 0 },
	};
	const struct tally *t = s->tally;
	char text[FMT_KEY];
	unsigned int i, at = 0;
	size_t n;

	for (i = 0; i < t->parts; i++) {
		const struct tally_key *key = t->part[i].key;
		int width = strlen(key->name);

		for (n = 0; n < s->n; n++) {
			const char *word = key->spell(text, s->group[n]->key + at);
			int len = word ? strlen(word) : 1;

			if (len > width)
				width = len;
		}
		*c++ = (struct out_column){ key->name, key->number ? width : -width, NULL };
		at += key->size;
	}
	memcpy(c, counts, sizeof(counts));
	if (t->of_ends)
		c->name = c->key = "ends";
}

static void print_group(const struct tally *t, const struct out_column *columns,
			const struct group *g)
{
	const u8 *at = g->key;
	char text[FMT_KEY];
	unsigned int i;
	u64 number;

	out_object(OUT_ITEM);
	out_row(columns);
	for (i = 0; i < t->parts; i++) {
		const struct tally_key *key = t->part[i].key;
		const char *word = key->spell(text, at);

		out_row_str(word);
		if (word && key->number && read_u64(word, 0, ~0ULL, &number))
			out_num(key->name, 0, number);
		else
			out_str(key->name, 0, word);
		at += key->size;
	}
	out_row_num(g->count);
	snprintf(text, sizeof(text), "%.1f%%", 100.0 * g->count / t->all);
	out_row_str(text);
	out_real("share", (double)g->count / t->all);
	out_row_str(fmt_span(text, g->oldest));
	out_num("oldest_ns", 0, g->oldest);
	out_row_num(g->packets);
	out_row_num(g->bytes);
	if (g->netns && !t->of_netns)
		out_netns(g->netns);
	out_line();
	out_end();
}

static void note_rest(const struct sorted *s, size_t shown)
{
	u64 count = 0;
	size_t i;

	for (i = shown; i < s->n; i++)
		count += s->group[i]->count;
	note("and %zu more groups, of %llu %s", s->n - shown, (unsigned long long)count,
	     s->tally->of_ends ? "ends" : "flows");
}

void tally_print(struct tally *t, u64 top)
{
	struct sorted s = { .tally = t, .group = zalloc((t->table.count + 1) * sizeof(*s.group)) };
	struct out_column columns[TALLY_KEYS + 6];
	size_t i, all;

	htab_sweep(&t->table, collect_group, &s);
	qsort_r(s.group, s.n, sizeof(*s.group), by_rank, t);
	all = s.n;
	if (top && top < all)
		s.n = top;
	set_columns(columns, &s);
	out_header(columns);
	for (i = 0; i < s.n; i++)
		print_group(t, columns, s.group[i]);
	s.n = all;
	if (top && top < all)
		note_rest(&s, top);
	free(s.group);
}

static bool free_group(struct hnode *n, void *arg)
{
	(void)arg;
	free(n);
	return true;
}

void tally_free(struct tally *t)
{
	htab_sweep(&t->table, free_group, NULL);
	htab_free(&t->table);
}
