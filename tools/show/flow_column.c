// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/history.h"
#include "data/names.h"
#include "lib/format.h"
#include "lib/live.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/flow_column.h"
#include "show/netns.h"

#define FMT_CELL	1024	/* the longest: two histories */

struct flow_column {
	const char *name;	/* as the user says it */
	const char *title;	/* in the header; NULL: the name */
	int width;
	/* Return: the cell, in @buf of FMT_CELL or elsewhere; NULL: a dash */
	const char *(*text)(char *buf, const struct flow *f);
	struct rank_order order;	/* without a tie: nobody sorts by it */
};

/* ---- what is said ---- */

static const char *netns_cell(char *buf, const struct flow *f)
{
	(void)buf;
	return f->netns ? f->netns->name : NULL;
}

static const char *id_cell(char *buf, const struct flow *f)
{
	*put_u64(buf, f->id) = '\0';
	return buf;
}

static const char *src_cell(char *buf, const struct flow *f)
{
	return f->tuple.family ? fmt_src(buf, &f->tuple) : "?";
}

static const char *dst_cell(char *buf, const struct flow *f)
{
	return f->tuple.family ? fmt_dst(buf, &f->tuple) : "?";
}

static const char *pair_cell(char *buf, const struct flow *f)
{
	return fmt_pair(buf, f->end[TCPFSM_ORIG].state, f->end[TCPFSM_RESP].state);
}

static const char *dwell_cell(char *buf, const struct flow *f)
{
	fmt_span(buf, f->end[TCPFSM_ORIG].dwell);
	strcat(buf, "/");
	fmt_span(buf + strlen(buf), f->end[TCPFSM_RESP].dwell);
	return buf;
}

static const char *idle_cell(char *buf, const struct flow *f)
{
	return fmt_span(buf, f->idle);
}

static u64 age_of(const struct flow *f)
{
	u64 now = clock_of_day();

	return now > f->start ? now - f->start : 0;
}

static const char *age_cell(char *buf, const struct flow *f)
{
	return fmt_span(buf, age_of(f));
}

static const char *start_cell(char *buf, const struct flow *f)
{
	return fmt_time(buf, f->start, 6);
}

static const char *packets_cell(char *buf, const struct flow *f)
{
	return fmt_two(buf, f->end[TCPFSM_ORIG].packets, f->end[TCPFSM_RESP].packets);
}

static const char *bytes_cell(char *buf, const struct flow *f)
{
	return fmt_two(buf, f->end[TCPFSM_ORIG].bytes, f->end[TCPFSM_RESP].bytes);
}

static const char *flags_cell(char *buf, const struct flow *f)
{
	return fmt_flags(buf, f->flags);
}

static const char *history_cell(char *buf, const struct flow *f)
{
	char *p = put_history(buf, f->end[TCPFSM_ORIG].history);

	*p++ = ' ';
	*put_history(p, f->end[TCPFSM_RESP].history) = '\0';
	return buf;
}

static const char *uid_cell(char *buf, const struct flow *f)
{
	char *p = buf;
	unsigned int i;

	for (i = 0; i < TCPFSM_ENDS; i++) {
		if (f->end[i].has_uid)
			p = put_u64(p, f->end[i].uid);
		else
			*p++ = '-';
		*p++ = i ? '\0' : '/';
	}
	return buf;
}

static const char *ifindex_cell(char *buf, const struct flow *f)
{
	*put_u64(buf, f->ifindex) = '\0';
	return f->ifindex ? buf : NULL;
}

static const char *refused_cell(char *buf, const struct flow *f)
{
	sprintf(buf, "%u%s", f->refused, f->refused == FLOW_REFUSED_MAX ? "+" : "");
	return buf;
}

static const char *process_cell(char *buf, const struct flow *f)
{
	return *fmt_holders(buf, f) ? buf : NULL;
}

static const char *nat_cell(char *buf, const struct flow *f)
{
	char src[FMT_ENDPOINT], dst[FMT_ENDPOINT], *at = buf;

	if (!f->nat.known)
		return NULL;
	at += sprintf(at, "%s>%s", fmt_src(src, &f->nat.orig), fmt_dst(dst, &f->nat.orig));
	sprintf(at, ",%s>%s", fmt_src(src, &f->nat.resp), fmt_dst(dst, &f->nat.resp));
	return buf;
}

/* ---- in what order ---- */

static double dwell_number(const void *row, size_t at)
{
	const struct flow *f = row;
	u64 orig = f->end[TCPFSM_ORIG].dwell, resp = f->end[TCPFSM_RESP].dwell;

	(void)at;
	return orig > resp ? orig : resp;
}

static double idle_number(const void *row, size_t at)
{
	(void)at;
	return ((const struct flow *)row)->idle;
}

static double age_number(const void *row, size_t at)
{
	(void)at;
	return -(double)((const struct flow *)row)->start;
}

static double start_number(const void *row, size_t at)
{
	return -age_number(row, at);
}

static double packets_number(const void *row, size_t at)
{
	const struct flow *f = row;

	(void)at;
	return f->end[TCPFSM_ORIG].packets + f->end[TCPFSM_RESP].packets;
}

static double bytes_number(const void *row, size_t at)
{
	const struct flow *f = row;

	(void)at;
	return f->end[TCPFSM_ORIG].bytes + f->end[TCPFSM_RESP].bytes;
}

static double refused_number(const void *row, size_t at)
{
	(void)at;
	return ((const struct flow *)row)->refused;
}

static int compare_numbers(u64 a, u64 b)
{
	return a == b ? 0 : a < b ? -1 : 1;
}

static int by_id(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;
	int order = compare_numbers(x->id, y->id);

	if (order || !x->netns || !y->netns)
		return order;
	return compare_numbers(x->netns->inode, y->netns->inode);
}

static int by_endpoint(const struct flow *x, const struct flow *y, const u8 *a, const u8 *b,
		       u16 port_a, u16 port_b)
{
	int order = compare_numbers(x->tuple.family, y->tuple.family);

	if (!order)
		order = memcmp(a, b, addr_len(x->tuple.family));
	if (!order)
		order = compare_numbers(port_a, port_b);
	return order ? order : by_id(x, y);
}

static int by_src(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;

	return by_endpoint(x, y, x->tuple.src, y->tuple.src, x->tuple.sport, y->tuple.sport);
}

static int by_dst(const void *a, const void *b)
{
	const struct flow *x = a, *y = b;

	return by_endpoint(x, y, x->tuple.dst, y->tuple.dst, x->tuple.dport, y->tuple.dport);
}

/* ---- the columns ---- */

#define LARGEST(fn)	{ .number = (fn), .tie = by_id }
#define IN_ORDER(fn)	{ .tie = (fn) }

static const struct flow_column columns[] = {
	{ "netns", NULL, -16, netns_cell, { 0 } },
	{ "flow", NULL, -7, id_cell, { 0 } },
	{ "src", NULL, W_ENDPOINT, src_cell, IN_ORDER(by_src) },
	{ "dst", NULL, W_ENDPOINT, dst_cell, IN_ORDER(by_dst) },
	{ "pair", "orig:resp", -23, pair_cell, { 0 } },
	{ "dwell", NULL, -13, dwell_cell, LARGEST(dwell_number) },
	{ "idle", NULL, -6, idle_cell, LARGEST(idle_number) },
	{ "packets", NULL, -11, packets_cell, LARGEST(packets_number) },
	{ "bytes", NULL, -15, bytes_cell, LARGEST(bytes_number) },
	{ "flags", NULL, -5, flags_cell, { 0 } },
	{ "age", NULL, -6, age_cell, LARGEST(age_number) },
	{ "start", NULL, -27, start_cell, LARGEST(start_number) },
	{ "refused", NULL, -7, refused_cell, LARGEST(refused_number) },
	{ "uid", NULL, -11, uid_cell, { 0 } },
	{ "process", NULL, -20, process_cell, { 0 } },
	{ "ifindex", NULL, -7, ifindex_cell, { 0 } },
	{ "history", NULL, -40, history_cell, { 0 } },
	{ "nat", NULL, -40, nat_cell, { 0 } },
};

#define DEFAULT_FROM	1	/* flow, */
#define DEFAULT_TO	10	/* up to flags */

static const struct flow_column *chosen[ARRAY_SIZE(columns)];
static unsigned int choices;		/* 0: the default */
static struct out_column shown[ARRAY_SIZE(columns) + 1];

static const struct flow_column *find_column(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(columns); i++)
		if (!strcmp(columns[i].name, name))
			return &columns[i];
	return NULL;
}

static void show_column(const struct flow_column *c)
{
	shown[choices] = (struct out_column){ c->title ? c->title : c->name, c->width, NULL };
	chosen[choices++] = c;
}

bool flow_column_is_shown(const char *name)
{
	unsigned int i;

	for (i = 0; i < choices; i++)
		if (!strcmp(chosen[i]->name, name))
			return true;
	return false;
}

/* What lists them, with commas between: for an error. */
static void name_columns(char *buf, bool orders)
{
	unsigned int i;

	*buf = '\0';
	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		if (orders && !columns[i].order.tie)
			continue;
		if (*buf)
			strcat(buf, ", ");
		strcat(buf, columns[i].name);
	}
}

static bool choose_column(const char *name)
{
	const struct flow_column *c = find_column(name);
	char names[FMT_CELL];

	name_columns(names, false);
	if (!c)
		fail("'%s' is not a column: %s", name, names);
	else if (flow_column_is_shown(name))
		fail("the column '%s' is there twice", name);
	else
		show_column(c);
	return c && chosen[choices - 1] == c;
}

bool flow_columns_choose(const char *list)
{
	char *copy = string_copy(list), *rest = copy, *name;
	bool ok = true;

	while (ok && (name = strsep(&rest, ",")))
		ok = choose_column(name);
	free(copy);
	return ok;
}

static void choose_default(void)
{
	unsigned int i;

	if (netns_is_shown())
		show_column(&columns[0]);
	for (i = DEFAULT_FROM; i < DEFAULT_TO; i++)
		show_column(&columns[i]);
}

void flow_columns_header(void)
{
	if (!choices)
		choose_default();
	out_header(shown);
}

void flow_columns_print(const struct flow *f)
{
	char text[FMT_CELL];
	unsigned int i;

	if (!choices)
		choose_default();
	out_row(shown);
	for (i = 0; i < choices; i++)
		out_row_str(chosen[i]->text(text, f));
}

bool flow_columns_order(const char *name, struct rank_order *order)
{
	const struct flow_column *c = find_column(name);
	char names[FMT_CELL];

	if (c && c->order.tie) {
		*order = c->order;
		return true;
	}
	name_columns(names, true);
	fail("'%s' is not a column to sort by: %s", name, names);
	return false;
}

void flow_columns_list(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(columns); i++)
		puts(columns[i].name);
}

void flow_columns_list_orders(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(columns); i++)
		if (columns[i].order.tie)
			puts(columns[i].name);
}
