// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kernel/holder.h"
#include "lib/format.h"
#include "lib/options.h"
#include "verbs/top/panel.h"

#define OLD		(60 * NSEC)
#define VERY_OLD	(600 * NSEC)

/* The number is a field of the row. */
#define FIELD(type, field)	.number = n_field, .at = offsetof(struct type, field)

static double n_field(const void *row, size_t at)
{
	u64 v;

	memcpy(&v, (const char *)row + at, sizeof(v));
	return v;
}

#define TEXT(name, type, statement) \
	static void name(char *buf, const struct top *t, const void *row) \
	{ \
		const struct type *r = row; \
		\
		(void)t; \
		statement; \
	}

static void put_span(char *buf, u64 ns)
{
	if (ns)
		fmt_span(buf, ns);
	else
		strcpy(buf, "-");
}

/* ---- states ---- */

static int place_of(unsigned int state)
{
	int i = 0;

	while (state_order[i] != state)
		i++;
	return i;
}

static int by_place(const void *a, const void *b)
{
	const struct top_state *x = a, *y = b;

	return place_of(x->state) - place_of(y->state);
}

static double n_place(const void *row, size_t at)
{
	const struct top_state *s = row;

	(void)at;
	return -place_of(s->state);
}

static double n_rate(const void *row, size_t at)
{
	const struct top_state *s = row;

	(void)at;
	return s->rate;
}

TEXT(state_text, top_state, strcpy(buf, state_name(r->state)))

static void rate_text(char *buf, const struct top *t, const void *row)
{
	const struct top_state *s = row;

	if (top_rated(t))
		fmt_short(buf, s->rate);
	else
		strcpy(buf, "-");
}

static enum top_look state_look(const void *row)
{
	const struct top_state *s = row;

	if (!s->orig && !s->resp)
		return TOP_DIM;
	switch (s->state) {
	case TCPFSM_CLOSE_WAIT:
	case TCPFSM_CLOSING:
	case TCPFSM_FIN_WAIT_1:
	case TCPFSM_LAST_ACK:
	case TCPFSM_SYN_RCVD:
	case TCPFSM_SYN_SENT:
		return TOP_ODD;
	default:
		return TOP_PLAIN;
	}
}

static const char *state_flows(char *buf, const void *row)
{
	const struct top_state *s = row;

	sprintf(buf, "state %s", state_name(s->state));
	return buf;
}

static const struct top_column state_columns[] = {
	{ .name = "state", .what = "in the usual order", .width = -11, .number = n_place,
	  .text = state_text },
	{ .name = "orig", .what = "by orig's ends in it", .width = 6, FIELD(top_state, orig) },
	{ .name = "resp", .what = "by resp's ends in it", .width = 6, FIELD(top_state, resp) },
	{ .name = "new/s", .what = "by how often entered", .width = 6, .number = n_rate,
	  .text = rate_text },
	{ .name = "past", .width = -5, .most = TOP_PAST },
	{ 0 },
};

/* ---- services ---- */

static u64 mean_of(u64 sum, u64 n)
{
	return n ? sum / n : 0;
}

/* The responding end is in LISTEN while a SYN has no answer. */
static double n_opening(const void *row, size_t at)
{
	const struct service *s = row;

	(void)at;
	return s->count[TCPFSM_LISTEN] + s->count[TCPFSM_SYN_RCVD];
}

static double n_waiting(const void *row, size_t at)
{
	const struct service *s = row;

	return n_opening(row, at) + s->count[TCPFSM_CLOSE_WAIT];
}

static double n_connect(const void *row, size_t at)
{
	const struct service *s = row;

	(void)at;
	return mean_of(s->connect_ns, s->connects);
}

static double n_accept(const void *row, size_t at)
{
	const struct service *s = row;

	(void)at;
	return mean_of(s->accept_ns, s->accepts);
}

static int by_netns(const struct netns *x, const struct netns *y)
{
	return (x->inode > y->inode) - (x->inode < y->inode);
}

static int by_address(const struct service *x, const struct service *y)
{
	int c = memcmp(x->addr, y->addr, sizeof(x->addr));

	if (c || x->port != y->port)
		return c ? c : x->port - y->port;
	return x->family != y->family ? x->family - y->family : by_netns(x->netns, y->netns);
}

/* Services in more use come first. */
static int by_use(const void *a, const void *b)
{
	const struct service *x = a, *y = b;
	u64 m = x->count[TCPFSM_ESTABLISHED], n = y->count[TCPFSM_ESTABLISHED];

	if (m == n) {
		m = x->flows;
		n = y->flows;
	}
	return m == n ? by_address(x, y) : m > n ? -1 : 1;
}

TEXT(connect_text, service, put_span(buf, mean_of(r->connect_ns, r->connects)))
TEXT(accept_text, service, put_span(buf, mean_of(r->accept_ns, r->accepts)))

static void service_text(char *buf, const struct top *t, const void *row)
{
	const struct service *s = row;

	(void)t;
	if (s->family)
		fmt_endpoint(buf, s->family, s->addr, s->port);
	else
		strcpy(buf, "other");
}

static enum top_look service_look(const void *row)
{
	(void)row;
	return TOP_PLAIN;
}

static const char *service_flows(char *buf, const void *row)
{
	const struct service *s = row;
	char text[FMT_ENDPOINT];

	if (!s->family)
		return NULL;
	sprintf(buf, "dst %s", fmt_endpoint(text, s->family, s->addr, s->port));
	return buf;
}

TEXT(service_netns, service, snprintf(buf, TOP_CELL, "%s", r->netns->name))

static const struct top_column service_columns[] = {
	{ .name = "service", .what = "by opening and CLOSE_WAIT", .width = -21, .most = 47,
	  .number = n_waiting, .text = service_text },
	{ .name = "netns", .width = -12, .most = 24, .only = &opt.all_netns,
	  .text = service_netns },
	{ .name = "opening", .what = "by opening: SYN not answered, or SYN|ACK not acknowledged",
	  .width = 7, .odd = true, .number = n_opening },
	{ .name = "c-wait", .what = "by CLOSE_WAIT", .width = 6, .odd = true,
	  FIELD(service, count[TCPFSM_CLOSE_WAIT]) },
	{ .name = "t-wait", .what = "by TIME_WAIT", .width = 6, .from = 43,
	  FIELD(service, count[TCPFSM_TIME_WAIT]) },
	{ .name = "estab", .what = "by ESTABLISHED", .width = 6, .from = 50,
	  FIELD(service, count[TCPFSM_ESTABLISHED]) },
	{ .name = "half", .what = "by half-open: SYN|ACK not acknowledged", .width = 6,
	  .from = 57, .odd = true, FIELD(service, count[TCPFSM_SYN_RCVD]) },
	{ .name = "reset", .what = "by connections reset", .width = 6, .from = 64,
	  FIELD(service, reset) },
	{ .name = "refused", .what = "by connections refused", .width = 7, .from = 72,
	  FIELD(service, refused) },
	{ .name = "resent", .what = "by SYN|ACKs resent", .width = 6, .from = 79,
	  FIELD(service, synack_resent) },
	{ .name = "flows", .what = "by flows so far", .width = 6, .from = 86,
	  FIELD(service, flows) },
	{ .name = "connect", .what = "by time to connect", .width = 7, .from = 94,
	  .number = n_connect, .text = connect_text },
	{ .name = "accept", .what = "by time to accept", .width = 7, .from = 102,
	  .number = n_accept, .text = accept_text },
	{ 0 },
};

/* ---- flows ---- */

static int by_id(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;

	return x->id != y->id ? (x->id > y->id) - (x->id < y->id) : by_netns(x->netns, y->netns);
}

static double n_dwell(const void *row, size_t at)
{
	(void)at;
	return top_holder(row)->dwell;
}

static double n_age(const void *row, size_t at)
{
	const struct flow *f = row;

	(void)at;
	return -(double)f->start;
}

static double n_packets(const void *row, size_t at)
{
	const struct flow *f = row;

	(void)at;
	return f->end[TCPFSM_ORIG].packets + f->end[TCPFSM_RESP].packets;
}

static double n_bytes(const void *row, size_t at)
{
	const struct flow *f = row;

	(void)at;
	return f->end[TCPFSM_ORIG].bytes + f->end[TCPFSM_RESP].bytes;
}

/* A flow may have begun while the dump was read. */
static u64 age_of(const struct top *t, const struct flow *f)
{
	u64 now = t->begun + top_since_dump(t);

	return now > f->start ? now - f->start : 0;
}

TEXT(dwell_text, flow, fmt_span(buf, top_holder(r)->dwell + top_since_dump(t)))
TEXT(idle_text, flow, fmt_span(buf, r->idle + top_since_dump(t)))
TEXT(age_text, flow, fmt_span(buf, age_of(t, r)))
TEXT(held_text, flow, strcpy(buf, state_name(top_holder(r)->state)))
TEXT(pair_text, flow, fmt_pair(buf, r->end[0].state, r->end[1].state))
TEXT(src_text, flow, fmt_endpoint(buf, r->tuple.family, r->tuple.src, r->tuple.sport))
TEXT(dst_text, flow, fmt_endpoint(buf, r->tuple.family, r->tuple.dst, r->tuple.dport))
TEXT(packets_text, flow, fmt_two(buf, r->end[0].packets, r->end[1].packets))
TEXT(bytes_text, flow, fmt_two(buf, r->end[0].bytes, r->end[1].bytes))
TEXT(flags_text, flow, fmt_flags(buf, r->flags))
/* Only the rows on the screen are asked for. */
static void process_text(char *buf, const struct top *t, const void *row)
{
	struct flow f = *(const struct flow *)row;

	(void)t;
	flow_add_holders(&f);
	if (!*fmt_holders(buf, &f))
		strcpy(buf, "-");
}

TEXT(flow_netns, flow, snprintf(buf, TOP_CELL, "%s", r->netns->name))

static enum top_look flow_look(const void *row)
{
	u64 dwell = top_holder(row)->dwell;

	return dwell >= VERY_OLD ? TOP_BAD : dwell >= OLD ? TOP_ODD : TOP_PLAIN;
}

static const struct top_column flow_columns[] = {
	{ .name = "dwell", .what = "longest in their state first", .width = 6, .number = n_dwell,
	  .text = dwell_text },
	{ .name = "idle", .what = "longest without a segment first", .width = 6, .from = 87,
	  FIELD(flow, idle), .text = idle_text },
	{ .name = "age", .what = "oldest first", .width = 6, .from = 94, .number = n_age,
	  .text = age_text },
	{ .name = "held by", .width = -11, .below = 76, .text = held_text },
	{ .name = "orig:resp", .width = -23, .from = 76, .text = pair_text },
	{ .name = "netns", .width = -12, .most = 24, .only = &opt.all_netns, .text = flow_netns },
	{ .name = "src", .width = -21, .from = 76, .most = 47, .text = src_text },
	{ .name = "dst", .width = -21, .most = 47, .text = dst_text },
	{ .name = "process", .width = -20, .most = 52, .only = &opt.processes,
	  .text = process_text },
	{ .name = "packets", .what = "by packets", .width = -11, .from = 106, .number = n_packets,
	  .text = packets_text },
	{ .name = "bytes", .what = "by bytes", .width = -15, .from = 140, .number = n_bytes,
	  .text = bytes_text },
	{ .name = "flags", .width = -24, .from = 170, .most = 96, .text = flags_text },
	{ 0 },
};

const struct top_panel top_panels[TOP_LISTS] = {
	[TOP_STATES]	= { state_columns, by_place, state_look, state_flows },
	[TOP_SERVICES]	= { service_columns, by_use, service_look, service_flows },
	[TOP_FLOWS]	= { flow_columns, by_id, flow_look, NULL },
};

unsigned int top_next_order(enum top_list list, unsigned int at)
{
	const struct top_column *c = top_panels[list].columns;

	do {
		at = c[at].name && c[at + 1].name ? at + 1 : 0;
	} while (!c[at].what);
	return at;
}

void top_order_by(struct top *t, enum top_list list, unsigned int column, bool reverse)
{
	const struct top_panel *p = &top_panels[list];
	const struct rank_order order = {
		p->columns[column].number, p->columns[column].at, reverse, p->tie,
	};

	top_set_order(t, list, &order);
}

void top_cell(char *buf, const struct top *t, const struct top_column *c, const void *row)
{
	double n;

	if (c->text) {
		c->text(buf, t, row);
		return;
	}
	n = c->number(row, c->at);
	if (n > 999999)
		fmt_short(buf, n);
	else
		*put_u64(buf, n) = '\0';
}

enum top_look top_look(enum top_list list, const struct top_column *c, const void *row)
{
	if (c->width > 0 && c->number(row, c->at) == 0)
		return TOP_DIM;
	return c->odd ? TOP_ODD : top_panels[list].look(row);
}
