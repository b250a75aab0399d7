// SPDX-License-Identifier: GPL-2.0
/*
 * Verb flow: one flow's life, from what the module keeps of it, and what the local sockets and
 * nf_conntrack say of the same connection.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filter/filter.h"
#include "filter/pushdown.h"
#include "kernel/kernel.h"
#include "kernel/nat.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/flow.h"
#include "verbs/flow/life.h"
#include "verbs/flow/past.h"
#include "verbs/verb.h"

/* What is asked for. */
struct question {
	struct filter *filter;
	struct tuple tuple;		/* AF_UNSPEC: it is asked for by its number */
	bool one_end;			/* of the flow is all that was given */
	u64 candidates;			/* flows with that end, now */
	struct flow candidate;		/* the first of them */
	u64 shown;			/* lives */
};

/* ---- what is asked for ---- */

static bool parse_end(const char *word, struct filter_end *end)
{
	if (filter_read_end(word, end))
		return true;
	fail("flow: '%s' is not an endpoint (expected ADDRESS:PORT, as in 10.0.0.1:4000 or [2001:db8::1]:4000)",
	     word);
	return false;
}

static bool parse_ends(struct question *q, const char *a, const char *b)
{
	struct filter_end src, dst;

	if (!parse_end(a, &src) || !parse_end(b, &dst))
		return false;
	if (src.family != dst.family) {
		fail("flow: '%s' and '%s' are not of one family: both ends have an IPv4 address, or both an IPv6 address",
		     a, b);
		return false;
	}
	q->tuple = (struct tuple){ .family = src.family, .sport = src.port, .dport = dst.port };
	memcpy(q->tuple.src, src.addr, sizeof(src.addr));
	memcpy(q->tuple.dst, dst.addr, sizeof(dst.addr));
	return true;
}

/* The flows that have this end: one of them may be the only one. */
static bool parse_one_end(struct question *q, char *word)
{
	char *words[2] = { "host", word };
	struct filter_end end;

	q->one_end = true;
	return parse_end(word, &end) && filter_parse(&q->filter, ARRAY_SIZE(words), words);
}

/* A number, or the addresses and ports of both ends in either order, or of one. */
static bool parse_flow(struct question *q, int argc, char **argv)
{
	char *a = argc ? argv[0] : "", *b = argc > 1 ? argv[1] : "";
	char *words[13] = { "(", "src", a, "dst", b, ")", "or", "(", "src", b, "dst", a, ")" };

	if (argc == 2)
		return parse_ends(q, a, b) &&
		       filter_parse(&q->filter, ARRAY_SIZE(words), words);
	if (argc == 1 && a[strspn(a, "0123456789")] == '\0' && a[strspn(a, "0")]) {
		words[0] = "id";
		words[1] = a;
		return filter_parse(&q->filter, 2, words);
	}
	if (argc == 1 && strchr(a, ':'))
		return parse_one_end(q, a);
	fail("flow: which one%s%s%s? Give its number, or its ends, as in 10.0.0.1:4000 10.0.0.2:443",
	     argc ? " is '" : "", argc > 2 ? argv[2] : a, argc ? "'" : "");
	return false;
}

static void take_flow(const struct flow *f, void *arg)
{
	struct life *l = arg;

	if ((!l->flow.id || f->start > l->flow.start) && filter_flow(l->filter, f, 0))
		l->flow = *f;
}

static void keep_event(struct life *l, const struct event *e)
{
	l->event = array_grow(l->event, l->events, sizeof(*l->event));
	l->event[l->events++] = *e;
}

static void begin_incarnation(struct life *l, u64 id)
{
	if (l->id) {
		l->earlier++;
		l->earlier_id = l->id;
	}
	l->id = id;
	l->events = 0;
}

static bool is_wanted(const struct life *l, const struct flow *f, const struct event *e)
{
	return l->translated ? tuple_is_between(l->translated, &f->tuple) :
			       filter_event(l->filter, f, e);
}

/* They come in the order of time: another flow than the last one is a later incarnation. */
static void take_event(const struct flow *f, const struct event *e, void *arg)
{
	struct life *l = arg;

	if (!is_wanted(l, f, e))
		return;
	if (e->flow != l->id)
		begin_incarnation(l, e->flow);
	l->tuple = f->tuple;
	keep_event(l, e);
}

/* Looked up where that can be done; a flow of a VRF or of a link is found among all only. */
static int ask_for_flow(struct kernel *k, const struct tuple *tuple, struct life *l)
{
	const struct kernel_filter filter = filter_push_down(l->filter);
	int err = -ENOENT;

	if (tuple->family)
		err = kernel_flow(k, tuple, take_flow, l);
	return err == -ENOENT ? kernel_flows(k, &filter, take_flow, l) : err;
}

static int ask_module(const struct tuple *tuple, struct life *l)
{
	struct kernel *k;
	int err;

	k = kernel_open(&err);
	if (!k)
		return kernel_fail(k, err);
	err = kernel_log(k, take_event, l);
	if (!err)
		err = ask_for_flow(k, tuple, l);
	if (!err && l->flow.nat.known && !l->events) {
		l->translated = &l->flow.tuple;
		err = kernel_log(k, take_event, l);
	}
	if (err)
		err = kernel_fail(k, err);
	kernel_close(k);
	if (err)
		return err;
	/* The log was read first. A flow that lives may have left no transition there for long. */
	if (l->flow.id && l->flow.id != l->id)
		begin_incarnation(l, l->flow.id);
	if (l->flow.id)
		l->tuple = l->flow.tuple;
	return l->id ? EXIT_FOUND : EXIT_NONE;
}

/* ---- what others say ---- */

/* Is it the socket of an end? Its cookie tells, or if that is not known, its addresses. */
static bool is_socket_of(const struct life *l, unsigned int end, const struct sock *s)
{
	const struct flow_end *e = &l->flow.end[end];
	struct tuple own = end == TCPFSM_ORIG ? l->tuple : tuple_reversed(&l->tuple);

	if (l->flow.id && e->cookie && e->cookie == s->cookie)
		return true;
	return tuple_equal(l->flow.id && e->sk.family ? &e->sk : &own, &s->tuple);
}

static void take_socket(const struct sock *s, void *arg)
{
	struct life *l = arg;
	unsigned int i;

	for (i = 0; i < TCPFSM_ENDS; i++) {
		if (!is_socket_of(l, i, s))
			continue;
		l->sock[i] = *s;
		l->has_sock[i] = true;
	}
}

static void take_conntrack(const struct conntrack *c, void *arg)
{
	struct life *l = arg;

	if (!tuple_is_between(&c->tuple, &l->tuple))
		return;
	l->ct = *c;
	nat_take(&l->flow, c);
	l->has_ct = true;
}

static void ask_others(struct life *l)
{
	int err;

	err = sock_each(NULL, ~0U, take_socket, l);
	if (err)
		note("cannot list the sockets: %s", strerror(-err));
	if (!conntrack_there())
		return;
	l->flow.tuple = l->tuple;
	err = conntrack_each(take_conntrack, l);
	if (err)
		note("cannot ask nf_conntrack: %s", strerror(-err));
}

/* ---- flows of one end ---- */

/* The first is told of when there is a second. */
static void take_candidate(const struct flow *f, void *arg)
{
	struct question *q = arg;

	if (!filter_flow(q->filter, f, 0))
		return;
	if (!q->candidates++) {
		q->candidate = *f;
		return;
	}
	if (q->candidates == 2) {
		out_object(NULL);
		out_array("flows");
		flow_header();
		flow_print(&q->candidate);
	}
	flow_print(f);
}

static int ask_for_candidates(struct kernel *k, void *arg)
{
	struct question *q = arg;
	const struct kernel_filter filter = filter_push_down(q->filter);

	return kernel_flows(k, &filter, take_candidate, q);
}

/* Those that there are now, if they are several. */
static int list_candidates(struct question *q)
{
	int status = kernel_once(ask_for_candidates, q);

	if (status == EXIT_FOUND && q->candidates > 1) {
		out_end();
		out_end();
		note("%llu flows have this end: give both ends, or the number of one",
		     (unsigned long long)q->candidates);
	}
	return status;
}

static int show_life(const struct netns *ns, void *arg)
{
	struct question *q = arg;
	struct life l = { .filter = q->filter, .netns = ns };
	int status = ask_module(&q->tuple, &l);

	if (status == EXIT_FOUND) {
		ask_others(&l);
		if (q->shown++)
			out_text("\n");
		life_print(&l);
	}
	free(l.event);
	return status;
}

/* One connection may pass through several namespaces: each has seen it as a flow of its own. */
static int show_lives(struct question *q)
{
	int status;

	if (opt.all_netns)
		out_array(NULL);
	status = kernel_in_each_netns(show_life, q);
	if (status == EXIT_NONE)
		note("no such flow, neither in the table nor in the log");
	if (status != EXIT_ERROR && opt.all_netns)
		out_end();
	return status;
}

static int run_flow(int argc, char **argv)
{
	struct question q = { 0 };
	int status = EXIT_ERROR;

	if (check_times("flow", false) && parse_flow(&q, argc, argv)) {
		out_start(OUT_DOCUMENT);
		status = q.one_end && !opt.from ? list_candidates(&q) : EXIT_FOUND;
	}
	if (status == EXIT_FOUND && q.candidates < 2)
		status = opt.from ? past_show(q.filter, q.one_end) : show_lives(&q);
	filter_free(q.filter);
	return status;
}

const struct verb verb_flow = {
	.name = "flow", .args = "NUMBER | END [END]",
	.help = "one flow's life, its sockets, and nf_conntrack's view",
	.options = {
		&option_netns, &option_all_netns, &option_from, &option_since, &option_until,
	},
	.run = run_flow,
};
