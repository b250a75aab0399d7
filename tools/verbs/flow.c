// SPDX-License-Identifier: GPL-2.0
/*
 * Verb flow: one flow's life, from what the module keeps of it, and what the local sockets and
 * nf_conntrack say of the same connection.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/history.h"
#include "data/json.h"
#include "data/names.h"
#include "filter/filter.h"
#include "filter/pushdown.h"
#include "kernel/conntrack.h"
#include "kernel/kernel.h"
#include "kernel/nat.h"
#include "kernel/process.h"
#include "kernel/socket.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/flow.h"
#include "show/netns.h"
#include "verbs/verb.h"

#define KEPT_STATES	8	/* of an end, by the module */

/* What is asked for. */
struct question {
	struct filter *filter;
	struct tuple tuple;		/* AF_UNSPEC: it is asked for by its number */
	bool one_end;			/* of the flow is all that was given */
	u64 candidates;			/* flows with that end, now */
	struct flow candidate;		/* the first of them */
	u64 shown;			/* lives */
};

struct life {
	const struct filter *filter;
	const struct tuple *translated;	/* found by other addresses: those of the log */
	const struct netns *netns;	/* where it is looked for */
	struct flow flow;		/* the latest that fits; id 0: no such flow lives */
	u64 id;				/* of the latest flow, alive or in the log */
	u64 earlier;			/* incarnations in the log, and the last of them */
	u64 earlier_id;
	struct event *event;		/* of the log, oldest first */
	struct tuple tuple;
	size_t events;
	struct sock sock[TCPFSM_ENDS];
	bool has_sock[TCPFSM_ENDS];
	struct conntrack ct;
	bool has_ct;
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

static bool is_between(const struct tuple *a, const struct tuple *b)
{
	struct tuple back = tuple_reversed(b);

	return tuple_equal(a, b) || tuple_equal(a, &back);
}

/* They come in the order of time: another flow than the last one is a later incarnation. */
static void take_event(const struct flow *f, const struct event *e, void *arg)
{
	struct life *l = arg;

	if (l->translated ? !is_between(l->translated, &f->tuple) : !filter_event(l->filter, f, e))
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

	if (!is_between(&c->tuple, &l->tuple))
		return;
	l->ct = *c;
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
	nat_read(NULL);
	l->flow.tuple = l->tuple;
	nat_find(&l->flow);
	err = conntrack_each(take_conntrack, l);
	if (err)
		note("cannot ask nf_conntrack: %s", strerror(-err));
}

/* ---- for people ---- */

/* Those that both histories show. */
static u32 count_states(const struct flow *f)
{
	u8 state[HISTORY_STATES];

	return history_states(f->end[TCPFSM_ORIG].history, state) +
	       history_states(f->end[TCPFSM_RESP].history, state);
}

static void print_end(const struct life *l, unsigned int i)
{
	const struct flow_end *e = &l->flow.end[i];
	u8 state[HISTORY_STATES];
	unsigned int n = history_states(e->history, state), j;
	bool cut = n == KEPT_STATES && l->flow.step > count_states(&l->flow);
	char text[FMT_SPAN];

	out_text("  %s       %s for %s", end_name(i), state_name(e->state),
		 fmt_span(text, e->dwell));
	if (cut)
		out_text("; before: ...");
	else if (n > 1)
		out_text("; before:");
	for (j = 0; j + 1 < n; j++)
		out_text("%s%s", j ? " > " : " ", state_name(state[j]));
	out_text("\n             %s\n", state_help(e->state, STATE_WAITS));
	out_text("             sent %llu segments, %llu bytes\n", (unsigned long long)e->packets,
		 (unsigned long long)e->bytes);
}

static void print_socket(const struct life *l, unsigned int i)
{
	const struct process *p;

	if (!l->has_sock[i])
		return;
	out_text("  socket     of %s: %s", end_name(i), sock_state_name(l->sock[i].state));
	p = process_of(l->sock[i].inode);
	if (p)
		out_text(", %s (pid %d, fd %d)", p->name, p->pid, p->fd);
	else if (!l->sock[i].inode)
		out_text(", no process holds it any more");
	out_text(", uid %u; %u bytes unread, %u unacknowledged\n", l->sock[i].uid,
		 l->sock[i].recvq, l->sock[i].sendq);
}

static void print_now(const struct life *l)
{
	const struct flow *f = &l->flow;
	char text[FMT_FLAGS];
	unsigned int i;

	out_text("  started    %s\n", fmt_time(text, f->start, 6));
	out_text("  idle       %s\n", fmt_span(text, f->idle));
	for (i = 0; i < TCPFSM_ENDS; i++)
		print_end(l, i);
	out_text("  refused    %u%s segments\n", f->refused,
		 f->refused == FLOW_REFUSED_MAX ? " or more" : "");
	out_text("  flags      %s\n", fmt_flags(text, f->flags));
	for (i = 0; i < TOLD_SORTS; i++)
		if (f->told[i].count)
			out_text("  icmp       %s\n", fmt_told(text, f, i, true));
}

static void print_events(const struct life *l)
{
	const struct event *e;
	char text[FMT_TIME], span[FMT_SPAN];
	size_t i;

	if (!l->events) {
		out_text("\nThe log has none of its transitions (net.tcpfsm.log_size).\n");
		return;
	}
	if (l->event[0].step > 1)
		out_text("\nThe log has its last %zu transitions of %u:\n", l->events,
			 l->event[l->events - 1].step);
	out_text("\n%-27s %-4s %-12s %-12s %-14s %s\n", "time", "end", "from", "to", "cause",
		 "was there for");
	for (i = 0; i < l->events; i++) {
		e = &l->event[i];
		out_text("%-27s %-4s %-12s %-12s %-14s %s\n", fmt_time(text, e->when, 6),
			 end_name(e->end), state_name(e->from), state_name(e->to),
			 cause_name(e->cause), fmt_span(span, e->dwell));
	}
}

static void print_life(const struct life *l)
{
	char src[FMT_ENDPOINT], dst[FMT_ENDPOINT], back[FMT_ENDPOINT], to[FMT_ENDPOINT];
	unsigned int i;

	out_text("flow %llu  %s > %s", (unsigned long long)l->id, fmt_src(src, &l->tuple),
		 fmt_dst(dst, &l->tuple));
	if (opt.all_netns)
		out_text("  netns %s", l->netns->name);
	out_text("\n");
	if (l->flow.id)
		print_now(l);
	else
		out_text("  over       it is not in the table any more\n");
	for (i = 0; i < TCPFSM_ENDS; i++)
		print_socket(l, i);
	if (l->flow.nat.known)
		out_text("  nat        orig sends %s > %s\n             resp receives %s > %s\n",
			 fmt_src(src, &l->flow.nat.orig), fmt_dst(dst, &l->flow.nat.orig),
			 fmt_src(back, &l->flow.nat.resp), fmt_dst(to, &l->flow.nat.resp));
	if (l->has_ct)
		out_text("  conntrack  %s%s%s, forgets it in %u s\n", l->ct.state,
			 l->ct.assured ? ", assured" : "", l->ct.offloaded ? ", offloaded" : "",
			 l->ct.timeout);
	else if (conntrack_there())
		out_text("  conntrack  does not know it\n");
	if (l->earlier == 1)
		out_text("  earlier    1 incarnation is in the log: flow %llu\n",
			 (unsigned long long)l->earlier_id);
	else if (l->earlier)
		out_text("  earlier    %llu incarnations are in the log, the last of them flow %llu\n",
			 (unsigned long long)l->earlier, (unsigned long long)l->earlier_id);
	print_events(l);
}

/* ---- as JSON ---- */

static void print_life_json(const struct life *l)
{
	const struct process *p;
	unsigned int i;
	size_t n;

	out_object(OUT_ITEM);
	out_netns(l->netns);
	out_num("flow", 0, l->id);
	if (l->flow.id)
		out_true("alive");
	if (l->earlier)
		out_num("earlier_flow", 0, l->earlier_id);
	if (l->flow.id)
		flow_json(out_json(), "now", &l->flow, false);
	out_object("sockets");
	for (i = 0; i < TCPFSM_ENDS; i++) {
		if (!l->has_sock[i])
			continue;
		out_object(end_name(i));
		out_str("state", 0, sock_state_name(l->sock[i].state));
		out_num("uid", 0, l->sock[i].uid);
		out_num("unread", 0, l->sock[i].recvq);
		out_num("unacknowledged", 0, l->sock[i].sendq);
		p = process_of(l->sock[i].inode);
		if (p) {
			out_str("process", 0, p->name);
			out_num("pid", 0, p->pid);
			out_num("fd", 0, p->fd);
		}
		out_end();
	}
	out_end();
	nat_json(out_json(), &l->flow.nat);
	if (l->has_ct) {
		out_object("conntrack");
		out_str("state", 0, l->ct.state);
		out_num("timeout_s", 0, l->ct.timeout);
		if (l->ct.assured)
			out_true("assured");
		if (l->ct.offloaded)
			out_true("offloaded");
		out_end();
	}
	out_array("transitions");
	for (n = 0; n < l->events; n++) {
		struct event e = l->event[n];

		e.tuple = &l->tuple;
		event_print(&e);
	}
	out_end();
	out_end();
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
		if (out_is_text())
			print_life(&l);
		else
			print_life_json(&l);
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

	if (parse_flow(&q, argc, argv)) {
		out_start(OUT_DOCUMENT);
		status = q.one_end ? list_candidates(&q) : EXIT_FOUND;
	}
	if (status == EXIT_FOUND && q.candidates < 2)
		status = show_lives(&q);
	filter_free(q.filter);
	return status;
}

const struct verb verb_flow = {
	.name = "flow", .args = "NUMBER | END [END]",
	.help = "one flow's life, its sockets, and nf_conntrack's view",
	.options = { &option_netns, &option_all_netns },
	.run = run_flow,
};
