// SPDX-License-Identifier: GPL-2.0
/* Verb services: every responding address and port, over all its flows. */
#include <stdlib.h>
#include <sys/socket.h>

#include "data/names.h"
#include "kernel/message.h"
#include "kernel/netlink.h"
#include "lib/out.h"
#include "show/tables.h"

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

static void print_address(const struct service *s)
{
	char text[FMT_ENDPOINT];

	if (!s->family) {
		out_str("addr", 0, NULL);
		out_str("port", 0, NULL);
		out_str(NULL, -21, "other");
		return;
	}
	out_str("addr", 0, fmt_addr(text, s->family, s->addr));
	out_num("port", 0, s->port);
	if (out_is_text())
		out_str(NULL, -21, fmt_endpoint(text, s->family, s->addr, s->port));
}

void service_header(void)
{
	static const struct out_column columns[] = {
		{ "service", -21 }, { "unanswered", 10 }, { "half-open", 9 }, { "established", 11 },
		{ "close-wait", 10 }, { "time-wait", 9 }, { "flows", 10 },
		{ "handshakes", 10 }, { "refused", 8 }, { "reset", 8 },
		{ "synack_resent", 13 }, { "connect", 8 }, { "accept", 8 }, { NULL, 0 },
	};

	out_header(columns);
}

void service_print(const struct service *s)
{
	out_object(OUT_ITEM);
	print_address(s);
	out_num(NULL, 10, s->count[TCPFSM_LISTEN]);
	out_num(NULL, 9, s->count[TCPFSM_SYN_RCVD]);
	out_num(NULL, 11, s->count[TCPFSM_ESTABLISHED]);
	out_num(NULL, 10, s->count[TCPFSM_CLOSE_WAIT]);
	out_num(NULL, 9, s->count[TCPFSM_TIME_WAIT]);
	print_states(s->count);
	out_num("flows", 10, s->flows);
	out_num("handshakes", 10, s->handshakes);
	out_num("refused", 8, s->refused);
	out_num("reset", 8, s->reset);
	out_num("synack_resent", 13, s->synack_resent);
	print_mean("connect_mean_ns", s->connect_ns, s->connects);
	print_mean("accept_mean_ns", s->accept_ns, s->accepts);
	out_line();
	out_end();
}

struct services {
	struct service *service;
	size_t n;
};

static int on_service(const struct nlmsghdr *nlh, void *arg)
{
	struct services *all = arg;
	struct service s;

	if (!service_parse(&s, nlh) || (opt.family && s.family != opt.family))
		return 0;
	all->service = array_grow(all->service, all->n, sizeof(s));
	all->service[all->n++] = s;
	return 0;
}

/* The most flows first. */
static int order(const void *a, const void *b)
{
	const struct service *s = a, *t = b;

	return (s->flows < t->flows) - (s->flows > t->flows);
}

int verb_services(int argc, char **argv)
{
	struct services all = { 0 };
	size_t i;
	int err;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	out_object(NULL);
	out_array("services");
	err = kernel_once(TCPFSM_CMD_SERVICE_GET, true, on_service, &all);
	if (err) {
		free(all.service);
		return err;
	}
	if (all.n)
		qsort(all.service, all.n, sizeof(*all.service), order);
	service_header();
	for (i = 0; i < all.n; i++)
		service_print(&all.service[i]);
	free(all.service);
	out_end();
	out_end();
	return EXIT_FOUND;
}
