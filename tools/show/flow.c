// SPDX-License-Identifier: GPL-2.0
/* How a flow and a transition look in text and in JSON. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "data/flow.h"
#include "data/names.h"
#include "lib/out.h"

#define W_ENDPOINT	(-21)	/* 255.255.255.255:65535 */
#define W_PAIR		(-23)	/* ESTABLISHED:ESTABLISHED */

unsigned int history_states(u64 history, u8 *state)
{
	unsigned int n = 0, i;

	for (i = FLOW_HISTORY; i-- > 0;) {
		u8 s = history >> 4 * i & 0xf;

		if (s)
			state[n++] = s;
	}
	return n;
}

char *put_history(char *p, u64 history)
{
	u8 state[FLOW_HISTORY];
	unsigned int n = history_states(history, state), i;

	if (!n)
		return stpcpy(p, "-");
	for (i = 0; i < n; i++) {
		if (i)
			*p++ = '>';
		p = stpcpy(p, state_name(state[i]));
	}
	return p;
}

char *fmt_pair(char *buf, unsigned int orig, unsigned int resp)
{
	char *p = stpcpy(buf, state_name(orig));

	*p++ = ':';
	strcpy(p, state_name(resp));
	return buf;
}

char *fmt_flags(char *buf, u32 flags)
{
	char *p = buf;
	unsigned int bit;

	*p = '\0';
	for (bit = 0; bit < 32; bit++) {
		const char *name = flags >> bit & 1 ? flag_name(bit) : NULL;

		if (!name)
			continue;
		if (p != buf)
			*p++ = ',';
		p = stpcpy(p, name);
	}
	if (p == buf)
		strcpy(buf, "-");
	return buf;
}

/* Members that a flow and an event have alike: src/sport are orig's. */
static void tuple_json(const struct tuple *t)
{
	char addr[FMT_ADDR];

	if (out_is_text())
		return;
	if (!t || !t->family) {
		out_str("src", 0, NULL);
		out_str("sport", 0, NULL);
		out_str("dst", 0, NULL);
		out_str("dport", 0, NULL);
		return;
	}
	out_str("src", 0, fmt_addr(addr, t->family, t->src));
	out_num("sport", 0, t->sport);
	out_str("dst", 0, fmt_addr(addr, t->family, t->dst));
	out_num("dport", 0, t->dport);
}

static void tuple_text(const struct tuple *t)
{
	char text[FMT_ENDPOINT];

	if (!out_is_text())
		return;
	if (!t || !t->family) {
		out_str(NULL, W_ENDPOINT, "?");
		out_str(NULL, W_ENDPOINT, "?");
		return;
	}
	out_str(NULL, W_ENDPOINT, fmt_endpoint(text, t->family, t->src, t->sport));
	out_str(NULL, W_ENDPOINT, fmt_endpoint(text, t->family, t->dst, t->dport));
}

/* {"orig":a,"resp":b} */
static void both_json(const char *key, u64 orig, u64 resp)
{
	out_object(key);
	out_num("orig", 0, orig);
	out_num("resp", 0, resp);
	out_end();
}

static void flags_json(u32 flags)
{
	unsigned int bit;

	out_array("flags");
	for (bit = 0; bit < 32; bit++)
		if (flags >> bit & 1 && flag_name(bit))
			out_str(OUT_ITEM, 0, flag_name(bit));
	out_end();
}

static void history_json(const struct flow *f)
{
	unsigned int i, j, n;

	out_object("history");
	for (i = 0; i < TCPFSM_ENDS; i++) {
		u8 state[FLOW_HISTORY];

		n = history_states(f->end[i].history, state);
		out_array(end_name(i));
		for (j = 0; j < n; j++)
			out_str(OUT_ITEM, 0, state_name(state[j]));
		out_end();
	}
	out_end();
}

/* What is known of the local sockets: cookie, owner, own tuple. */
static void sockets_json(const struct flow *f)
{
	unsigned int i;

	if (!f->end[0].cookie && !f->end[1].cookie && !f->end[0].has_uid && !f->end[1].has_uid)
		return;
	out_object("socket");
	for (i = 0; i < TCPFSM_ENDS; i++) {
		const struct flow_end *e = &f->end[i];

		if (!e->cookie && !e->has_uid)
			continue;
		out_object(end_name(i));
		if (e->cookie)
			out_num("cookie", 0, e->cookie);
		if (e->has_uid)
			out_num("uid", 0, e->uid);
		if (e->sk.family)
			tuple_json(&e->sk);
		out_end();
	}
	out_end();
}

void flow_json(const char *key, const struct flow *f)
{
	const struct flow_end *o = &f->end[TCPFSM_ORIG], *r = &f->end[TCPFSM_RESP];
	char text[FMT_TIME];

	out_object(key);
	out_num("flow", 0, f->id);
	out_str("family", 0, f->tuple.family == AF_INET6 ? "inet6" : "inet");
	tuple_json(&f->tuple);
	if (f->ifindex)
		out_num("ifindex", 0, f->ifindex);
	out_str("orig", 0, state_name(o->state));
	out_str("resp", 0, state_name(r->state));
	out_str("reason", 0, f->reason ? reason_name(f->reason) : NULL);
	if (f->reason && opt.explain)
		out_str("explain", 0, reason_help(f->reason));
	out_num("step", 0, f->step);
	out_str("start", 0, fmt_time(text, f->start, 9));
	out_num("idle_ns", 0, f->idle);
	both_json("dwell_ns", o->dwell, r->dwell);
	history_json(f);
	both_json("packets", o->packets, r->packets);
	both_json("bytes", o->bytes, r->bytes);
	out_num("refused", 0, f->refused);
	flags_json(f->flags);
	sockets_json(f);
	out_end();
}

static void end_text(const struct flow *f, unsigned int which)
{
	const struct flow_end *e = &f->end[which];
	char text[FMT_HISTORY], src[FMT_ENDPOINT], dst[FMT_ENDPOINT];

	put_history(text, e->history);
	out_text("  %s %s", end_name(which), text);
	if (e->has_uid)
		out_text(" uid:%u", e->uid);
	if (e->cookie)
		out_text(" cookie:%llx", (unsigned long long)e->cookie);
	if (e->sk.family)
		out_text(" socket:%s>%s",
			 fmt_endpoint(src, e->sk.family, e->sk.src, e->sk.sport),
			 fmt_endpoint(dst, e->sk.family, e->sk.dst, e->sk.dport));
}

void flow_header(void)
{
	static const struct out_column columns[] = {
		{ "flow", -7 }, { "src", W_ENDPOINT }, { "dst", W_ENDPOINT },
		{ "orig:resp", W_PAIR }, { "dwell", -13 }, { "idle", -6 },
		{ "packets", -11 }, { "bytes", -15 }, { "flags", -5 }, { NULL, 0 },
	};

	out_header(columns);
}

void flow_print(const struct flow *f)
{
	const struct flow_end *o = &f->end[TCPFSM_ORIG], *r = &f->end[TCPFSM_RESP];
	char text[FMT_FLAGS], more[FMT_SPAN], *p;

	if (!out_is_text()) {
		flow_json(NULL, f);
		return;
	}
	out_num(NULL, -7, f->id);
	tuple_text(&f->tuple);
	out_str(NULL, W_PAIR, fmt_pair(text, o->state, r->state));
	p = stpcpy(text, fmt_span(more, o->dwell));
	*p++ = '/';
	fmt_span(p, r->dwell);
	out_str(NULL, -13, text);
	out_str(NULL, -6, fmt_span(text, f->idle));
	out_str(NULL, -11, fmt_two(text, o->packets, r->packets));
	out_str(NULL, -15, fmt_two(text, o->bytes, r->bytes));
	out_str(NULL, -1, fmt_flags(text, f->flags));
	out_line();
	if (!opt.extended)
		return;
	end_text(f, TCPFSM_ORIG);
	end_text(f, TCPFSM_RESP);
	out_text("  start %s", fmt_time(text, f->start, 6));
	if (f->ifindex)
		out_text(" ifindex:%u", f->ifindex);
	if (f->refused)
		out_text(" refused:%u%s", f->refused, f->refused == 255 ? "+" : "");
	if (f->reason)
		out_text(" reason %s", reason_name(f->reason));
	out_line();
}

static void final_json(const struct flow *f)
{
	const struct flow_end *o = &f->end[TCPFSM_ORIG], *r = &f->end[TCPFSM_RESP];

	out_object(NULL);
	out_num("flow", 0, f->id);
	tuple_json(&f->tuple);
	out_str("orig", 0, state_name(o->state));
	out_str("resp", 0, state_name(r->state));
	out_str("reason", 0, f->reason ? reason_name(f->reason) : NULL);
	history_json(f);
	both_json("packets", o->packets, r->packets);
	both_json("bytes", o->bytes, r->bytes);
	flags_json(f->flags);
	out_end();
}

void flow_print_final(const struct flow *f)
{
	const struct flow_end *o = &f->end[TCPFSM_ORIG], *r = &f->end[TCPFSM_RESP];
	char text[2 * FMT_HISTORY + FMT_FLAGS], *p;

	if (!out_is_text()) {
		final_json(f);
		return;
	}
	out_num(NULL, -7, f->id);
	tuple_text(&f->tuple);
	out_str(NULL, W_PAIR, fmt_pair(text, o->state, r->state));
	out_str(NULL, -9, f->reason ? reason_name(f->reason) : "-");
	out_str(NULL, -11, fmt_two(text, o->packets, r->packets));
	out_str(NULL, -15, fmt_two(text, o->bytes, r->bytes));
	out_str(NULL, -9, fmt_flags(text, f->flags));
	p = put_history(text, o->history);
	*p++ = ' ';
	*put_history(p, r->history) = '\0';
	out_str(NULL, -1, text);
	out_line();
}

static void event_json(const struct event *e)
{
	char text[FMT_TIME];

	out_object(NULL);
	out_num("seq", 0, e->seq);
	out_str("ts", 0, fmt_time(text, e->when, 9));
	out_num("flow", 0, e->flow);
	out_num("step", 0, e->step);
	tuple_json(e->tuple);
	out_str("end", 0, end_name(e->end));
	out_str("from", 0, state_name(e->from));
	out_str("to", 0, state_name(e->to));
	out_str("cause", 0, cause_name(e->cause));
	out_num("dwell_ns", 0, e->dwell);
	if (e->flags & TCPFSM_T_CORRECTION)
		out_true("correction");
	if (e->flags & TCPFSM_T_INFERRED)
		out_true("inferred");
	out_end();
}

/* A RST is bad news, and what we had to take back is odd. */
static enum out_paint event_paint(const struct event *e)
{
	if (e->cause == TCPFSM_SND_RST || e->cause == TCPFSM_RCV_RST)
		return OUT_BAD;
	if (e->flags & (TCPFSM_T_CORRECTION | TCPFSM_T_INFERRED))
		return OUT_ODD;
	if (e->to == TCPFSM_ESTABLISHED)
		return OUT_GOOD;
	return e->to == TCPFSM_CLOSED ? OUT_OVER : OUT_PLAIN;
}

void event_print(const struct event *e)
{
	enum out_paint paint = event_paint(e);
	char text[FMT_TIME];

	if (!out_is_text()) {
		event_json(e);
		return;
	}
	out_str(NULL, -27, fmt_time(text, e->when, 6));
	out_num(NULL, -6, e->flow);
	tuple_text(e->tuple);
	out_str(NULL, -4, end_name(e->end));
	out_str(NULL, 11, state_name(e->from));
	out_str(NULL, -1, ">");
	out_paint(paint);
	out_str(NULL, -11, state_name(e->to));
	out_paint(paint);
	out_str(NULL, -12, cause_name(e->cause));
	out_str(NULL, -6, fmt_span(text, e->dwell));
	if (e->flags & TCPFSM_T_CORRECTION)
		out_str(NULL, -1, "correction");
	if (e->flags & TCPFSM_T_INFERRED)
		out_str(NULL, -1, "inferred");
	out_line();
}

void lost_print(u64 count, const char *group, int cpu, u64 first)
{
	unsigned long long n = count, from = first, to = first + count - 1;

	out_object(NULL);
	out_num("lost", 0, count);
	out_str("group", 0, group);
	if (cpu >= 0)
		out_num("cpu", 0, cpu);
	out_num("first", 0, first);
	out_num("last", 0, to);
	out_end();
	out_paint(OUT_BAD);
	if (cpu >= 0)
		out_text("-- %llu %s events lost (cpu %d, %llu..%llu) --", n, group, cpu, from, to);
	else
		out_text("-- %llu %s events lost (%llu..%llu) --", n, group, from, to);
	out_line();
}
