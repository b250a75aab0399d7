// SPDX-License-Identifier: GPL-2.0
#include "data/names.h"
#include "lib/format.h"
#include "lib/out.h"
#include "show/netns.h"
#include "show/service.h"

static const struct out_column columns[] = {
	NETNS_COLUMN,
	{ "service", -21, NULL }, { "unanswered", 10, NULL }, { "half-open", 9, NULL },
	{ "established", 11, NULL }, { "close-wait", 10, NULL }, { "time-wait", 9, NULL },
	{ "flows", 10, "flows" }, { "handshakes", 10, "handshakes" }, { "refused", 8, "refused" },
	{ "reset", 8, "reset" }, { "synack_resent", 13, "synack_resent" },
	{ "connect", 8, NULL }, { "accept", 8, NULL }, { "unreachable", 11, "unreachable" },
	{ "mtu", 5, "mtu" }, { 0 },
};

static void print_counts(const u64 *count)
{
	unsigned int i;

	out_object("states");
	for (i = 0; i < STATES_LISTED; i++)
		out_num(state_name(state_order[i]), 0, count[state_order[i]]);
	out_end();
}

static void print_mean(const char *key, u64 sum, u64 n)
{
	char text[FMT_SPAN];

	if (n)
		out_num(key, 0, sum / n);
	else
		out_str(key, 0, NULL);
	out_row_str(n ? fmt_span(text, sum / n) : NULL);
}

static void print_address(const struct service *s)
{
	char text[FMT_SERVICE];

	if (s->family) {
		out_str("addr", 0, fmt_addr(text, s->family, s->addr));
		out_num("port", 0, s->port);
	} else {
		out_str("addr", 0, NULL);
		out_str("port", 0, NULL);
	}
	out_row_str(out_is_text() ? fmt_service(text, s) : NULL);
}

void service_header(void)
{
	out_header(netns_columns(columns));
}

void service_print(const struct service *s)
{
	out_object(OUT_ITEM);
	out_row(netns_columns(columns));
	out_netns(s->netns);
	out_row_netns(s->netns);
	print_address(s);
	out_row_num(s->count[TCPFSM_LISTEN]);
	out_row_num(s->count[TCPFSM_SYN_RCVD]);
	out_row_num(s->count[TCPFSM_ESTABLISHED]);
	out_row_num(s->count[TCPFSM_CLOSE_WAIT]);
	out_row_num(s->count[TCPFSM_TIME_WAIT]);
	print_counts(s->count);
	out_row_num(s->flows);
	out_row_num(s->handshakes);
	out_row_num(s->refused);
	out_row_num(s->reset);
	out_row_num(s->synack_resent);
	print_mean("connect_mean_ns", s->connect_ns, s->connects);
	print_mean("accept_mean_ns", s->accept_ns, s->accepts);
	out_row_num(s->unreachable);
	out_row_num(s->mtu);
	out_line();
	out_end();
}

void service_explain(void)
{
	static const struct { const char *column, *help; } lines[] = {
		{ "unanswered", "flows now whose SYN it has not answered" },
		{ "half-open", "ends now in SYN_RCVD: the ACK of its SYN|ACK has not come" },
		{ "established", "ends now in ESTABLISHED" },
		{ "close-wait", "ends now in CLOSE_WAIT: the application has not closed" },
		{ "time-wait", "ends now in TIME_WAIT: it closed first" },
		{ "flows", "so far" },
		{ "handshakes", "completed so far" },
		{ "refused", "connections that it refused with a RST" },
		{ "reset", "connections reset after their handshake" },
		{ "synack_resent", "SYN|ACKs resent after their ACK: a full accept queue" },
		{ "connect", "mean time from the first SYN to the SYN|ACK: connect() returns" },
		{ "accept", "mean time from the first SYN to its ACK: accept() can return" },
		{ "unreachable", "ICMP errors: an end of one of its flows is not reached" },
		{ "mtu", "ICMP errors: a segment of one of its flows is too big for the path" },
	};
	size_t i;

	if (!out_is_text())
		return;
	out_line();
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		out_str(NULL, -14, lines[i].column);
		out_str(NULL, -1, lines[i].help);
		out_line();
	}
}
