// SPDX-License-Identifier: GPL-2.0
/*
 * model [deep] [NAME...]: search every interleaving of two endpoints, a bad network and the
 * engine that watches them, to a stated bound. TAP, one test for each configuration.
 */
#include "search.h"

static const char *const vantage_names[VANTAGES] = { "client", "middle", "server" };

#define BOTH { 1, 1 }
#define OPENS { 1, 0 }

#define FAULTY(...) .left = { __VA_ARGS__ }
#define CLOSING .sends = BOTH, .active = OPENS
#define ABORTING .sends = OPENS, .aborts = BOTH, .active = OPENS
#define AGAIN .active = OPENS, .relisten = true, .reopen = true

static const struct config configs[] = {
	/* Nothing goes wrong: whole paths. */
	{ "close", CLOSING, .paths = true, .in_flight = 3 },
	{ "queued FIN", CLOSING, .stalls = true, .paths = true, .in_flight = 3 },
	{ "simultaneous open", .sends = OPENS, .active = BOTH, .paths = true, .in_flight = 3 },
	{ "abort", .sends = BOTH, .aborts = BOTH, .active = OPENS, .paths = true, .in_flight = 3 },
	{ "refused", .active = OPENS, .refused = true, .paths = true, .in_flight = 3 },
	{ "reopen", .sends = OPENS, AGAIN, .in_flight = 3 },

	/* One fault. */
	{ "close, loss", CLOSING, .in_flight = 3, FAULTY([LOSS] = 1) },
	{ "close, reordering", CLOSING, .in_flight = 3, FAULTY([REORDER] = 1) },
	{ "close, duplicate", CLOSING, .in_flight = 3, FAULTY([DUP] = 1) },
	{ "close, spurious retransmission", CLOSING, .in_flight = 3, FAULTY([SPURIOUS] = 1) },
	{ "queued FIN, loss", CLOSING, .stalls = true, .in_flight = 2, FAULTY([LOSS] = 1) },
	{ "queued FIN, reordering", CLOSING, .stalls = true, .in_flight = 3,
	  FAULTY([REORDER] = 1) },
	{ "abort, loss", ABORTING, .in_flight = 2, FAULTY([LOSS] = 1) },
	{ "abort, reordering", ABORTING, .in_flight = 3, FAULTY([REORDER] = 1) },
	{ "abort, duplicate", ABORTING, .in_flight = 2, FAULTY([DUP] = 1) },
	{ "abort, spurious retransmission", ABORTING, .in_flight = 2, FAULTY([SPURIOUS] = 1) },
	{ "simultaneous open, loss", .active = BOTH, .in_flight = 3, FAULTY([LOSS] = 1) },
	{ "simultaneous open, reordering", .active = BOTH, .in_flight = 3, FAULTY([REORDER] = 1) },
	{ "simultaneous open, duplicate", .active = BOTH, .in_flight = 3, FAULTY([DUP] = 1) },
	{ "refused, loss", .active = OPENS, .refused = true, .in_flight = 2, FAULTY([LOSS] = 1) },
	{ "refused, duplicate", .active = OPENS, .refused = true, .in_flight = 2,
	  FAULTY([DUP] = 1) },
	{ "stale SYN", .sends = OPENS, .active = OPENS, .stale = true, .in_flight = 3 },
	{ "stale SYN, refused", .active = OPENS, .refused = true, .stale = true, .in_flight = 2,
	  FAULTY([REORDER] = 1, [LOSS] = 1) },
	{ "crash and reopen", AGAIN, .in_flight = 3, FAULTY([CRASH] = 1) },

	/* A burst of segments that the observer misses, and traffic as long as one likes. */
	{ "close, one unseen", CLOSING, .probes = true, .in_flight = 2, FAULTY([UNSEEN] = 1) },
	{ "close, burst unseen", CLOSING, .no_delay = true, .probes = true, .in_flight = 2,
	  FAULTY([UNSEEN] = 3) },

	/* Two faults. */
	{ "close, two losses", .sends = OPENS, .active = OPENS, .in_flight = 3,
	  FAULTY([LOSS] = 2) },
	{ "close, loss and reordering", .sends = OPENS, .active = OPENS, .in_flight = 3,
	  FAULTY([LOSS] = 1, [REORDER] = 1) },
	{ "close, two reorderings", .sends = OPENS, .active = OPENS, .in_flight = 3,
	  FAULTY([REORDER] = 2) },
	{ "close, duplicate and reordering", .sends = OPENS, .active = OPENS, .in_flight = 3,
	  FAULTY([DUP] = 1, [REORDER] = 1) },
	{ "close, spurious retransmission and reordering", .sends = OPENS, .active = OPENS,
	  .in_flight = 3, FAULTY([SPURIOUS] = 1, [REORDER] = 1) },
	{ "abort, loss and reordering", .aborts = BOTH, .active = OPENS, .in_flight = 3,
	  FAULTY([LOSS] = 1, [REORDER] = 1) },
	{ "simultaneous open, loss and reordering", .active = BOTH, .in_flight = 3,
	  FAULTY([LOSS] = 1, [REORDER] = 1) },
	{ "stale SYN, reordering", .active = OPENS, .stale = true, .in_flight = 3,
	  FAULTY([REORDER] = 1) },
	{ "stale SYN, loss", .active = OPENS, .stale = true, .in_flight = 3, FAULTY([LOSS] = 1) },
	{ "reopen, duplicate", AGAIN, .in_flight = 3, FAULTY([DUP] = 1) },
	{ "reopen, loss", AGAIN, .in_flight = 3, FAULTY([LOSS] = 1) },
	{ "crash and reopen, loss", AGAIN, .no_delay = true, .in_flight = 3,
	  FAULTY([CRASH] = 1, [LOSS] = 1) },

	/* Deep. */
	{ "close, two losses and reordering", CLOSING, .in_flight = 3, .deep = true,
	  FAULTY([LOSS] = 2, [REORDER] = 1) },
	{ "close, loss, duplicate and reordering", CLOSING, .in_flight = 3, .deep = true,
	  FAULTY([LOSS] = 1, [DUP] = 1, [REORDER] = 1) },
	{ "queued FIN, loss and reordering", CLOSING, .stalls = true, .in_flight = 3, .deep = true,
	  FAULTY([LOSS] = 1, [REORDER] = 1) },
	{ "abort, loss, duplicate and reordering", ABORTING, .in_flight = 2, .deep = true,
	  FAULTY([LOSS] = 1, [DUP] = 1, [REORDER] = 1) },
	{ "simultaneous open, three faults", .active = BOTH, .in_flight = 3, .deep = true,
	  FAULTY([LOSS] = 1, [DUP] = 1, [REORDER] = 1) },
	{ "stale SYN, loss and reordering", .active = OPENS, .stale = true, .in_flight = 3,
	  .deep = true, FAULTY([LOSS] = 1, [REORDER] = 1) },
	{ "reopen, duplicate and reordering", AGAIN, .in_flight = 3, .deep = true,
	  FAULTY([DUP] = 1, [REORDER] = 1) },
	{ "crash and reopen, duplicate", AGAIN, .in_flight = 3, .deep = true,
	  FAULTY([CRASH] = 1, [DUP] = 1) },
	{ "abort, two losses and reordering", ABORTING, .in_flight = 3, .deep = true,
	  FAULTY([LOSS] = 2, [REORDER] = 1) },
	{ "close, two of loss and reordering, a duplicate", .sends = OPENS, .active = OPENS,
	  .in_flight = 3, .deep = true, FAULTY([LOSS] = 2, [DUP] = 1, [REORDER] = 2) },
	{ "queued FIN, all faults", CLOSING, .stalls = true, .in_flight = 3, .deep = true,
	  FAULTY([LOSS] = 1, [DUP] = 1, [REORDER] = 1, [SPURIOUS] = 1) },
	{ "close, long burst unseen", CLOSING, .probes = true, .in_flight = 3, .deep = true,
	  FAULTY([UNSEEN] = 6) },
};

#define CONFIGS (sizeof(configs) / sizeof(configs[0]))

/*
 * Where sequence numbers begin: small; and so that the first ISN is just below 2^32. The same is
 * seen in both, unless RSTs have SEQ 0.
 */
struct places {
	const char *name;
	u32 base[2];
	bool zero;
};

#define BELOW(limit, n) ((limit) - 1000000 - 32 - (n))

static const struct places places[] = {
	{ "small ISNs", { 1000, 5000000 }, false },
	{ "ISNs around 2^32", { BELOW(0, 1), BELOW(0, 2) }, false },
	{ "RSTs of SEQ 0", { 1000, 5000000 }, true },
};

static const struct places *const near_wrap = &places[1];

#define PLACES (sizeof(places) / sizeof(places[0]))

static unsigned long total;
static int tests, failed;

struct numbers {
	unsigned long nodes, transitions, moves, violations;
};

static struct numbers run(const struct config *c, enum vantage v, const struct places *p,
			  const struct numbers *want)
{
	struct numbers got;
	unsigned int i;
	bool ok;

	cfg = c;
	vantage = v;
	keep_paths = c->paths;
	memcpy(wire_base, p->base, sizeof(wire_base));
	memcpy(twin_base, p->zero ? p->base : near_wrap->base, sizeof(twin_base));
	wire_zero = p->zero;
	run_search();
	got = (struct numbers) { search.nodes, search.transitions, watch_moves,
				 search.violations };
	ok = !search.violations && (!want || !memcmp(want, &got, sizeof(got)));
	failed += !ok;
	total += got.nodes;
	printf("%sok %d - %s, observer at %s, %s\n", ok ? "" : "not ", ++tests, c->name,
	       vantage_names[v], p->name);
	printf("# states %lu, steps %lu, depth %lu, moves %lu, violations %lu\n", got.nodes,
	       got.transitions, search.depth, got.moves, got.violations);
	if (want && memcmp(want, &got, sizeof(got)))
		printf("# with small ISNs: states %lu, steps %lu, moves %lu, violations %lu\n",
		       want->nodes, want->transitions, want->moves, want->violations);
	for (i = 0; i < KNOWNS; i++)
		if (search.known[i])
			printf("# known: %lu %s: %s\n", search.known[i],
			       property_names[knowns[i].property], knowns[i].name);
	for (i = 0; !want && i < search.findings; i++)
		print_finding(&search.finding[i]);
	fflush(stdout);
	return got;
}

static void run_places(const struct config *c, enum vantage v)
{
	struct numbers small = run(c, v, &places[0], NULL);
	unsigned int i;

	for (i = 1; i < PLACES; i++)
		run(c, v, &places[i], places[i].zero ? NULL : &small);
}

static bool wanted(const struct config *c, int argc, char **argv)
{
	bool deep = false, named = false, match = false;
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "deep")) {
			deep = true;
		} else {
			named = true;
			match |= !!strstr(c->name, argv[i]);
		}
	}
	return named ? match : deep || !c->deep;
}

int main(int argc, char **argv)
{
	unsigned int i, v, n = 0;

	for (i = 0; i < CONFIGS; i++)
		n += wanted(&configs[i], argc, argv);
	printf("TAP version 13\n1..%zu\n", (size_t)n * VANTAGES * PLACES);
	for (i = 0; i < CONFIGS; i++)
		for (v = 0; wanted(&configs[i], argc, argv) && v < VANTAGES; v++)
			run_places(&configs[i], v);
	printf("# all: states %lu; segments that went a short way: %lu\n", total, watch_quick);
	return !!failed;
}
