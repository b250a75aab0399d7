// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "data/history.h"
#include "data/json.h"
#include "data/names.h"
#include "lib/format.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/flow.h"
#include "show/flow_column.h"
#include "show/netns.h"

#define W_PAIR		(-23)	/* ESTABLISHED:ESTABLISHED */

static const struct out_column final_columns[] = {
	NETNS_COLUMN,
	{ "flow", -7, NULL }, { "src", W_ENDPOINT, NULL }, { "dst", W_ENDPOINT, NULL },
	{ "orig:resp", W_PAIR, NULL }, { "reason", -9, NULL }, { "packets", -11, NULL },
	{ "bytes", -15, NULL }, { "flags", -9, NULL }, { "history", -1, NULL }, { 0 },
};

static const struct out_column ended_columns[] = {
	NETNS_COLUMN, { "start", -27, NULL }, { "end", -15, NULL }, { "lasted", -7, NULL },
	{ "flow", -6, NULL }, { "src", W_ENDPOINT, NULL }, { "dst", W_ENDPOINT, NULL },
	{ "orig:resp", W_PAIR, NULL }, { "reason", -9, NULL }, { "packets", -11, NULL },
	{ "bytes", -15, NULL }, { "flags", -9, NULL }, { "history", -1, NULL }, { 0 },
};

static const struct out_column event_columns[] = {
	NETNS_COLUMN, { "time", -27, NULL }, { "flow", -6, NULL }, { "src", W_ENDPOINT, NULL },
	{ "dst", W_ENDPOINT, NULL }, { "end", -4, NULL }, { "from", 11, NULL }, { "", -1, NULL },
	{ "to", -11, NULL }, { "cause", -12, NULL }, { "dwell", -6, NULL }, { 0 },
};

static void print_tuple(const struct tuple *t)
{
	bool known = t && t->family;
	char text[FMT_ENDPOINT];

	out_row_str(known ? fmt_src(text, t) : "?");
	out_row_str(known ? fmt_dst(text, t) : "?");
}

/* What the tables of flows that are over have in common. */
static void print_over(const struct flow *f)
{
	const struct flow_end *o = &f->end[TCPFSM_ORIG], *r = &f->end[TCPFSM_RESP];
	char text[2 * FMT_HISTORY + FMT_FLAGS], *p;

	out_row_num(f->id);
	print_tuple(&f->tuple);
	out_row_str(fmt_pair(text, o->state, r->state));
	out_row_str(f->reason ? reason_name(f->reason) : NULL);
	out_row_str(fmt_two(text, o->packets, r->packets));
	out_row_str(fmt_two(text, o->bytes, r->bytes));
	out_row_str(fmt_flags(text, f->flags));
	p = put_history(text, o->history);
	*p++ = ' ';
	*put_history(p, r->history) = '\0';
	out_row_str(text);
}

void flow_header(void)
{
	flow_columns_header();
}

/* The second line: what --extended tells of an end. */
static void print_end(const struct flow *f, unsigned int which)
{
	const struct flow_end *e = &f->end[which];
	char text[FMT_HISTORY], src[FMT_ENDPOINT], dst[FMT_ENDPOINT];

	*put_history(text, e->history) = '\0';
	out_text("  %s %s", end_name(which), text);
	if (e->has_uid)
		out_text(" uid:%u", e->uid);
	if (e->cookie)
		out_text(" cookie:%llx", (unsigned long long)e->cookie);
	if (e->sk.family)
		out_text(" socket:%s>%s", fmt_src(src, &e->sk), fmt_dst(dst, &e->sk));
}

static void print_told(const struct flow *f)
{
	char text[FMT_TOLD];
	unsigned int i;

	for (i = 0; i < TOLD_SORTS; i++)
		if (f->told[i].count)
			out_text("  icmp %s", fmt_told(text, f, i, false));
}

static void print_nat(const struct nat *n)
{
	char src[FMT_ENDPOINT], dst[FMT_ENDPOINT];

	if (!n->known)
		return;
	out_text("  nat orig:%s>%s", fmt_src(src, &n->orig), fmt_dst(dst, &n->orig));
	out_text(" resp:%s>%s", fmt_src(src, &n->resp), fmt_dst(dst, &n->resp));
}

static void print_extended(const struct flow *f)
{
	char text[FMT_TIME];

	print_end(f, TCPFSM_ORIG);
	print_end(f, TCPFSM_RESP);
	out_text("  start %s", fmt_time(text, f->start, 6));
	if (f->ifindex)
		out_text(" ifindex:%u", f->ifindex);
	if (f->refused)
		out_text(" refused:%u%s", f->refused,
			 f->refused == FLOW_REFUSED_MAX ? "+" : "");
	if (f->reason)
		out_text(" reason %s", reason_name(f->reason));
	print_told(f);
	print_nat(&f->nat);
	out_line();
}

static void print_flow_json(const struct flow *f, bool final)
{
	flow_json(out_json(), OUT_ITEM, f, final);
	out_json_done();
}

/* As ss(8) prints them. */
static void print_holder(const struct process *p, unsigned int end)
{
	if (p)
		out_text(" %s:((\"%s\",pid=%d,fd=%d))", end_name(end), p->name, p->pid, p->fd);
}

static void print_holders(const struct flow *f)
{
	print_holder(f->end[TCPFSM_ORIG].process, TCPFSM_ORIG);
	print_holder(f->end[TCPFSM_RESP].process, TCPFSM_RESP);
}

void flow_print(const struct flow *f)
{
	if (!out_is_text()) {
		print_flow_json(f, false);
		return;
	}
	flow_columns_print(f);
	if (!flow_column_is_shown("process"))
		print_holders(f);
	out_line();
	if (opt.extended)
		print_extended(f);
}

void flow_print_final(const struct flow *f)
{
	if (!out_is_text()) {
		print_flow_json(f, true);
		return;
	}
	out_row(netns_columns(final_columns));
	out_row_netns(f->netns);
	print_over(f);
	print_holders(f);
	out_line();
}

void flow_ended_header(void)
{
	out_header(netns_columns(ended_columns));
}

void flow_print_ended(const struct flow *f)
{
	/* To its last segment: then it waited to be forgotten. */
	u64 last = f->ended > f->idle ? f->ended - f->idle : 0;
	u64 lasted = f->start && last > f->start ? last - f->start : 0;
	char text[FMT_TIME];

	if (!out_is_text()) {
		print_flow_json(f, false);
		return;
	}
	out_row(netns_columns(ended_columns));
	out_row_netns(f->netns);
	out_row_str(f->start ? fmt_time(text, f->start, 6) : NULL);
	/* The day is that of the start, or one of the next. */
	out_row_str(fmt_time(text, f->ended, 6) + strlen("2026-11-21T"));
	out_row_str(f->start ? fmt_span(text, lasted) : NULL);
	print_over(f);
	print_holders(f);
	out_line();
	if (opt.extended)
		print_extended(f);
}

/* A RST is bad news, and a state that had to be taken back is odd. */
static enum out_paint choose_paint(const struct event *e)
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
	enum out_paint paint = choose_paint(e);
	char text[FMT_TIME];

	if (!out_is_text()) {
		event_json(out_json(), e);
		out_json_done();
		return;
	}
	out_row(netns_columns(event_columns));
	out_row_netns(e->netns);
	out_row_str(fmt_time(text, e->when, 6));
	out_row_num(e->flow);
	print_tuple(e->tuple);
	out_row_str(end_name(e->end));
	out_row_str(state_name(e->from));
	out_row_str(">");
	out_paint(paint);
	out_row_str(state_name(e->to));
	out_paint(paint);
	out_row_str(cause_name(e->cause));
	out_row_str(fmt_span(text, e->dwell));
	if (e->flags & TCPFSM_T_CORRECTION)
		out_str(NULL, -1, "correction");
	if (e->flags & TCPFSM_T_INFERRED)
		out_str(NULL, -1, "inferred");
	print_holder(e->process[TCPFSM_ORIG], TCPFSM_ORIG);
	print_holder(e->process[TCPFSM_RESP], TCPFSM_RESP);
	out_line();
}

void loss_print(const struct loss *l)
{
	unsigned long long n = l->count, first = l->first, last = l->first + l->count - 1;

	if (!out_is_text()) {
		loss_json(out_json(), l);
		out_json_done();
		return;
	}
	out_paint(OUT_BAD);
	if (!first)
		out_text("-- %llu %s events lost --", n, l->group);
	else if (l->cpu >= 0)
		out_text("-- %llu %s events lost (cpu %d, %llu..%llu) --", n, l->group, l->cpu,
			 first, last);
	else
		out_text("-- %llu %s events lost (%llu..%llu) --", n, l->group, first, last);
	out_line();
}
