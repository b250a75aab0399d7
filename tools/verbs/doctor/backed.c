// SPDX-License-Identifier: GPL-2.0
/*
 * Waits of local ends that no socket backs any more: one that was moved to another host, or taken
 * away without a segment, is said to wait for nothing, and leaks nothing.
 */
#include <stdlib.h>

#include "data/names.h"
#include "kernel/holder.h"
#include "kernel/kernel.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "verbs/doctor/doctor.h"

/* An end that has no socket in its state. */
struct bare {
	u64 id;
	u8 end, state;
};

static struct bare *bare;
static size_t nr_bare;

bool wait_is_backed(const struct flow *f, unsigned int end)
{
	if (holder_backs(f, end))
		return true;
	bare = array_grow(bare, nr_bare, sizeof(*bare));
	bare[nr_bare++] = (struct bare){ f->id, end, f->end[end].state };
	return false;
}

static int by_id(const void *a, const void *b)
{
	const struct bare *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* What is still so, after the sockets were asked, was not just over. */
struct second_look {
	u64 count, oldest;
	struct flow example;
	unsigned int end;
};

static void look_again(const struct flow *f, void *arg)
{
	const struct bare key = { .id = f->id }, *b;
	struct second_look *l = arg;

	b = bsearch(&key, bare, nr_bare, sizeof(key), by_id);
	if (!b || f->end[b->end].state != b->state)
		return;
	if (!l->count++ || f->end[b->end].dwell > l->oldest) {
		l->oldest = f->end[b->end].dwell;
		l->example = *f;
		l->end = b->end;
	}
}

static int ask_again(struct kernel *k, void *arg)
{
	return kernel_flows(k, NULL, look_again, arg);
}

void doctor_backed(void)
{
	struct second_look l = { 0 };
	char span[FMT_SPAN];
	struct finding *f;

	if (nr_bare) {
		qsort(bare, nr_bare, sizeof(*bare), by_id);
		kernel_once(ask_again, &l);
	}
	if (l.count) {
		f = finding(RANK_NOTE, "no-socket", l.count,
			    "%llu end%s of this host wait%s without a socket, the oldest for %s in %s: the socket was moved to another host, or went without a segment. The module sees that when it asks for the socket next.",
			    (unsigned long long)l.count, s_of(l.count),
			    l.count == 1 ? "s" : "", fmt_span(span, l.oldest),
			    state_name(l.example.end[l.end].state));
		f->count = l.count;
		f->oldest = l.oldest;
		evidence_flow(f, "the oldest", &l.example);
		look_with(f, "tcpfsm flow %llu", (unsigned long long)l.example.id);
	}
	free(bare);
	bare = NULL;
	nr_bare = 0;
}
