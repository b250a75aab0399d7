// SPDX-License-Identifier: GPL-2.0
/* Verb services: every responding address and port, over all its flows. */
#include <sys/socket.h>

#include "kernel.h"
#include "names.h"
#include "out.h"
#include "parse.h"

static void print_states(const u64 *count)
{
	unsigned int i;

	out_object("states");
	for (i = 0; i < STATES_LISTED; i++)
		out_num(state_name(state_order[i]), 0, count[state_order[i]]);
	out_end();
}

static void print_mean(const char *key, u64 sum, u64 flows)
{
	char text[FMT_SPAN];

	if (flows) {
		out_num(key, 0, sum / flows);
		out_str(NULL, 8, fmt_span(text, sum / flows));
	} else {
		out_str(key, 0, NULL);
		out_str(NULL, 8, NULL);
	}
}

static void print_address(const struct nlattr **tb)
{
	char text[FMT_ENDPOINT];
	u8 family = attr_u32(tb[TCPFSM_SERVICE_FAMILY]), addr[16];
	u16 port = attr_u32(tb[TCPFSM_SERVICE_PORT]);

	if (!family) {
		out_str("addr", 0, NULL);
		out_str("port", 0, NULL);
		out_str(NULL, -21, "other");
		return;
	}
	attr_copy(addr, sizeof(addr), tb[TCPFSM_SERVICE_ADDR]);
	out_str("addr", 0, fmt_addr(text, family, addr));
	out_num("port", 0, port);
	if (out_is_text())
		out_str(NULL, -21, fmt_endpoint(text, family, addr, port));
}

/* Before the first row: not before an error. */
static void print_header(bool *headed)
{
	static const struct out_column columns[] = {
		{ "service", -21 }, { "half-open", 9 }, { "established", 11 },
		{ "close-wait", 10 }, { "time-wait", 9 }, { "flows", 10 },
		{ "handshakes", 10 }, { "refused", 8 }, { "reset", 8 },
		{ "synack_resent", 13 }, { "connect", 8 }, { "accept", 8 }, { NULL, 0 },
	};

	if (!*headed)
		out_header(columns);
	*headed = true;
}

static int on_service(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *tb[TCPFSM_SERVICE_MAX + 1], *nest;
	u64 count[TCPFSM_STATES];

	nest = message_attr(nlh, TCPFSM_A_SERVICE);
	if (!nest)
		return 0;
	attr_nest(tb, TCPFSM_SERVICE_MAX, nest);
	if (opt.family && attr_u32(tb[TCPFSM_SERVICE_FAMILY]) != (u32)opt.family)
		return 0;
	print_header(arg);
	attr_copy(count, sizeof(count), tb[TCPFSM_SERVICE_STATES]);
	out_object(OUT_ITEM);
	print_address(tb);
	out_num(NULL, 9, count[TCPFSM_SYN_RCVD]);
	out_num(NULL, 11, count[TCPFSM_ESTABLISHED]);
	out_num(NULL, 10, count[TCPFSM_CLOSE_WAIT]);
	out_num(NULL, 9, count[TCPFSM_TIME_WAIT]);
	print_states(count);
	out_num("flows", 10, attr_u64(tb[TCPFSM_SERVICE_FLOWS]));
	out_num("handshakes", 10, attr_u64(tb[TCPFSM_SERVICE_ESTABLISHED]));
	out_num("refused", 8, attr_u64(tb[TCPFSM_SERVICE_REFUSED]));
	out_num("reset", 8, attr_u64(tb[TCPFSM_SERVICE_RESET]));
	out_num("synack_resent", 13, attr_u64(tb[TCPFSM_SERVICE_SYNACK_RESENT]));
	print_mean("connect_mean_ns", attr_u64(tb[TCPFSM_SERVICE_CONNECT_NS]),
		   attr_u64(tb[TCPFSM_SERVICE_CONNECTS]));
	print_mean("accept_mean_ns", attr_u64(tb[TCPFSM_SERVICE_ACCEPT_NS]),
		   attr_u64(tb[TCPFSM_SERVICE_ACCEPTS]));
	out_line();
	out_end();
	return 0;
}

int verb_services(int argc, char **argv)
{
	bool headed = false;
	int err;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	out_object(NULL);
	out_array("services");
	err = kernel_once(TCPFSM_CMD_SERVICE_GET, true, on_service, &headed);
	if (err)
		return err;
	out_end();
	out_end();
	return EXIT_FOUND;
}
