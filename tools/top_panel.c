// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "top_panel.h"

#define OLD		(60 * NSEC)
#define VERY_OLD	(600 * NSEC)

#define NUMBER(name, type, expression) \
	static double name(const void *row) \
	{ \
		const struct type *r = row; \
		\
		return expression; \
	}

#define TEXT(name, type, statement) \
	static void name(char *buf, const struct top *t, const void *row) \
	{ \
		const struct type *r = row; \
		\
		(void)t; \
		statement; \
	}

/* ---- states ---- */

static int place(unsigned int state)
{
	int i = 0;

	while (state_order[i] != state)
		i++;
	return i;
}

static int by_place(const void *a, const void *b)
{
	const struct top_state *x = a, *y = b;

	return place(x->state) - place(y->state);
}

NUMBER(n_place, top_state, -place(r->state))
NUMBER(n_orig, top_state, r->orig)
NUMBER(n_resp, top_state, r->resp)
NUMBER(n_rate, top_state, r->rate)
TEXT(state_text, top_state, strcpy(buf, state_name(r->state)))

static void rate_text(char *buf, const struct top *t, const void *row)
{
	if (top_rated(t))
		fmt_short(buf, n_rate(row));
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
	{ .name = "orig", .what = "by orig's ends in it", .width = 6, .number = n_orig },
	{ .name = "resp", .what = "by resp's ends in it", .width = 6, .number = n_resp },
	{ .name = "new/s", .what = "by how often entered", .width = 6, .number = n_rate,
	  .text = rate_text },
	{ .name = "past", .width = -5, .most = TOP_PAST },
	{ 0 },
};

/* ---- services ---- */

NUMBER(n_waiting, service, r->count[TCPFSM_SYN_RCVD] + r->count[TCPFSM_CLOSE_WAIT])
NUMBER(n_half, service, r->count[TCPFSM_SYN_RCVD])
NUMBER(n_close_wait, service, r->count[TCPFSM_CLOSE_WAIT])
NUMBER(n_time_wait, service, r->count[TCPFSM_TIME_WAIT])
NUMBER(n_open, service, r->count[TCPFSM_ESTABLISHED])
NUMBER(n_flows, service, r->flows)
NUMBER(n_refused, service, r->refused)
NUMBER(n_reset, service, r->reset)
NUMBER(n_resent, service, r->synack_resent)
NUMBER(n_connect, service, r->connects ? r->connect_ns / r->connects : 0)
NUMBER(n_accept, service, r->accepts ? r->accept_ns / r->accepts : 0)

static int by_address(const void *a, const void *b)
{
	const struct service *x = a, *y = b;
	int c = memcmp(x->addr, y->addr, sizeof(x->addr));

	return c ? c : x->port != y->port ? x->port - y->port : x->family - y->family;
}

static int by_use(const void *a, const void *b)
{
	double more = n_open(b) - n_open(a);

	if (more == 0)
		more = n_flows(b) - n_flows(a);
	return more == 0 ? by_address(a, b) : more > 0 ? 1 : -1;
}

static void put_span(char *buf, double ns)
{
	if (ns > 0)
		fmt_span(buf, ns);
	else
		strcpy(buf, "-");
}

TEXT(connect_text, service, put_span(buf, n_connect(r)))
TEXT(accept_text, service, put_span(buf, n_accept(r)))

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

static const struct top_column service_columns[] = {
	{ .name = "service", .what = "by half-open and CLOSE_WAIT", .width = -21, .most = 47,
	  .number = n_waiting, .text = service_text },
	{ .name = "half", .what = "by half-open (SYN_RCVD)", .width = 5, .odd = true,
	  .number = n_half },
	{ .name = "c-wait", .what = "by CLOSE_WAIT", .width = 6, .odd = true,
	  .number = n_close_wait },
	{ .name = "t-wait", .what = "by TIME_WAIT", .width = 6, .from = 41, .number = n_time_wait },
	{ .name = "estab", .what = "by ESTABLISHED", .width = 6, .from = 48, .number = n_open },
	{ .name = "reset", .what = "by connections reset", .width = 6, .from = 55,
	  .number = n_reset },
	{ .name = "refused", .what = "by connections refused", .width = 7, .from = 63,
	  .number = n_refused },
	{ .name = "resent", .what = "by SYN|ACKs resent", .width = 6, .from = 70,
	  .number = n_resent },
	{ .name = "flows", .what = "by flows so far", .width = 6, .from = 77, .number = n_flows },
	{ .name = "connect", .what = "by time to connect", .width = 7, .from = 85,
	  .number = n_connect, .text = connect_text },
	{ .name = "accept", .what = "by time to accept", .width = 7, .from = 93,
	  .number = n_accept, .text = accept_text },
	{ 0 },
};

/* ---- flows ---- */

static int by_id(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

NUMBER(n_dwell, flow, top_holder(r)->dwell)
NUMBER(n_idle, flow, r->idle)
NUMBER(n_age, flow, -(double)r->start)
NUMBER(n_packets, flow, r->end[0].packets + r->end[1].packets)
NUMBER(n_bytes, flow, r->end[0].bytes + r->end[1].bytes)

TEXT(dwell_text, flow, fmt_span(buf, n_dwell(r) + top_since_dump(t)))
TEXT(idle_text, flow, fmt_span(buf, r->idle + top_since_dump(t)))
TEXT(age_text, flow, fmt_span(buf, t->begun + top_since_dump(t) - r->start))
TEXT(held_text, flow, strcpy(buf, state_name(top_holder(r)->state)))
TEXT(pair_text, flow, fmt_pair(buf, r->end[0].state, r->end[1].state))
TEXT(src_text, flow, fmt_endpoint(buf, r->tuple.family, r->tuple.src, r->tuple.sport))
TEXT(dst_text, flow, fmt_endpoint(buf, r->tuple.family, r->tuple.dst, r->tuple.dport))
TEXT(packets_text, flow, fmt_two(buf, r->end[0].packets, r->end[1].packets))
TEXT(bytes_text, flow, fmt_two(buf, r->end[0].bytes, r->end[1].bytes))
TEXT(flags_text, flow, fmt_flags(buf, r->flags))

static enum top_look flow_look(const void *row)
{
	double dwell = n_dwell(row);

	return dwell >= VERY_OLD ? TOP_BAD : dwell >= OLD ? TOP_ODD : TOP_PLAIN;
}

static const char *flow_flows(char *buf, const void *row)
{
	const struct flow *f = row;

	sprintf(buf, "id %llu", (unsigned long long)f->id);
	return buf;
}

static const struct top_column flow_columns[] = {
	{ .name = "dwell", .what = "longest in their state first", .width = 6, .number = n_dwell,
	  .text = dwell_text },
	{ .name = "idle", .what = "longest without a segment first", .width = 6, .from = 87,
	  .number = n_idle, .text = idle_text },
	{ .name = "age", .what = "oldest first", .width = 6, .from = 94, .number = n_age,
	  .text = age_text },
	{ .name = "held by", .width = -11, .below = 76, .text = held_text },
	{ .name = "orig:resp", .width = -23, .from = 76, .text = pair_text },
	{ .name = "src", .width = -21, .from = 76, .most = 47, .text = src_text },
	{ .name = "dst", .width = -21, .most = 47, .text = dst_text },
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
	[TOP_FLOWS]	= { flow_columns, by_id, flow_look, flow_flows },
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
	const struct rank_order order = { p->columns[column].number, reverse, p->tie };

	top_set_order(t, list, &order);
}

void top_cell(char *buf, const struct top *t, const struct top_column *c, const void *row)
{
	if (c->text)
		c->text(buf, t, row);
	else if (c->number(row) > 999999)
		fmt_short(buf, c->number(row));
	else
		*put_u64(buf, c->number(row)) = '\0';
}

enum top_look top_look(enum top_list list, const struct top_column *c, const void *row)
{
	if (c->width > 0 && c->number(row) == 0)
		return TOP_DIM;
	return c->odd ? TOP_ODD : top_panels[list].look(row);
}
