// SPDX-License-Identifier: GPL-2.0
/*
 * Verb export: an HTTP server with the numbers for Prometheus (/metrics) and a page that shows the
 * states live (/, from /state.json). One request is served at a time; each asks the module anew.
 */
#include <errno.h>
#include <jansson.h>
#include <microhttpd.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "data/names.h"
#include "kernel/message.h"
#include "lib/live.h"
#include "verbs/export/export.h"
#include "verbs/export/metrics.h"

#define STUCK_MAX	50	/* flows that the page shows */
#define STUCK_AGE	(10 * NSEC)
#define SERVICES_MAX	20

#ifndef TCPFSM_PAGE
#define TCPFSM_PAGE "page.html"
#endif

/* page.html as it stands. */
__asm__(".section .rodata\n"
	".global page, page_end\n"
	"page: .incbin \"" TCPFSM_PAGE "\"\n"
	"page_end: .byte 0\n"
	".previous\n");

/* ---- /state.json ---- */

static json_t *json_stats(const struct stats *s)
{
	json_t *states = json_object(), *moves = json_array(), *move;
	unsigned int i, j;

	for (i = 0; i < STATES_LISTED; i++)
		json_object_set_new(states, state_name(state_order[i]),
				    json_pack("[I,I]", (json_int_t)stats_orig(s, state_order[i]),
					      (json_int_t)stats_resp(s, state_order[i])));
	for (i = 1; i < TCPFSM_STATES; i++) {
		for (j = 1; j < TCPFSM_STATES; j++) {
			if (!s->moves[i][j])
				continue;
			move = json_pack("[s,s,I]", state_name(i), state_name(j),
					 (json_int_t)s->moves[i][j]);
			json_array_append_new(moves, move);
		}
	}
	return json_pack("{s:I,s:I,s:o,s:o}", "entries", (json_int_t)s->entries, "limit",
			 (json_int_t)s->limit, "states", states, "moves", moves);
}

/* The longest in a state that should not last. */
struct stuck {
	struct flow flow[STUCK_MAX];
	u64 dwell[STUCK_MAX];
	size_t n;
	u64 all;
};

static int on_flow(const struct nlmsghdr *nlh, void *arg)
{
	const u32 passing = ~(1U << TCPFSM_ESTABLISHED | 1U << TCPFSM_TIME_WAIT |
			      1U << TCPFSM_CLOSED | 1U << TCPFSM_LISTEN);
	const struct nlattr *nest = message_attr(nlh, TCPFSM_A_FLOW);
	struct flow f = { 0 };
	struct stuck *s = arg;
	u64 dwell = 0;
	size_t at;
	unsigned int i;

	if (!nest)
		return 0;
	flow_parse(&f, nest);
	for (i = 0; i < TCPFSM_ENDS; i++)
		if (passing >> f.end[i].state & 1 && f.end[i].dwell > dwell)
			dwell = f.end[i].dwell;
	if (dwell < STUCK_AGE)
		return 0;
	s->all++;
	if (s->n == STUCK_MAX && dwell <= s->dwell[s->n - 1])
		return 0;
	at = s->n < STUCK_MAX ? s->n++ : s->n - 1;
	for (; at && s->dwell[at - 1] < dwell; at--) {
		s->flow[at] = s->flow[at - 1];
		s->dwell[at] = s->dwell[at - 1];
	}
	s->flow[at] = f;
	s->dwell[at] = dwell;
	return 0;
}

static json_t *json_flow(const struct flow *f, u64 dwell)
{
	char src[FMT_ENDPOINT], dst[FMT_ENDPOINT], how_long[FMT_SPAN];
	const struct tuple *t = &f->tuple;

	return json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "flow", (json_int_t)f->id,
			 "src", fmt_endpoint(src, t->family, t->src, t->sport),
			 "dst", fmt_endpoint(dst, t->family, t->dst, t->dport),
			 "orig", state_name(f->end[TCPFSM_ORIG].state),
			 "resp", state_name(f->end[TCPFSM_RESP].state),
			 "dwell", fmt_span(how_long, dwell));
}

static json_t *json_stuck(const struct stuck *s)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < s->n; i++)
		json_array_append_new(list, json_flow(&s->flow[i], s->dwell[i]));
	return json_pack("{s:o,s:I}", "flows", list, "all", (json_int_t)s->all);
}

struct services {
	struct service service[SERVICES_MAX];
	size_t n;
};

static u64 weight(const struct service *s)
{
	return (s->count[TCPFSM_SYN_RCVD] + s->count[TCPFSM_CLOSE_WAIT]) << 32 |
	       (s->count[TCPFSM_ESTABLISHED] & 0xffffffff);
}

static int on_service(const struct nlmsghdr *nlh, void *arg)
{
	struct services *list = arg;
	struct service s;
	size_t at;

	if (!service_parse(&s, nlh) || !s.family)
		return 0;
	if (list->n == SERVICES_MAX && weight(&s) <= weight(&list->service[list->n - 1]))
		return 0;
	at = list->n < SERVICES_MAX ? list->n++ : list->n - 1;
	for (; at && weight(&list->service[at - 1]) < weight(&s); at--)
		list->service[at] = list->service[at - 1];
	list->service[at] = s;
	return 0;
}

static json_t *json_service(const struct service *s)
{
	char name[FMT_ENDPOINT];

	return json_pack("[s,I,I,I,I,I]", fmt_endpoint(name, s->family, s->addr, s->port),
			 (json_int_t)s->count[TCPFSM_SYN_RCVD],
			 (json_int_t)s->count[TCPFSM_ESTABLISHED],
			 (json_int_t)s->count[TCPFSM_CLOSE_WAIT], (json_int_t)s->refused,
			 (json_int_t)s->reset);
}

static json_t *json_services(const struct services *list)
{
	json_t *rows = json_array();
	size_t i;

	for (i = 0; i < list->n; i++)
		json_array_append_new(rows, json_service(&list->service[i]));
	return rows;
}

static int state_write(FILE *out, struct kernel *k)
{
	struct kernel_filter filter = {
		.sport_max = 0xffff, .dport_max = 0xffff, .any_states = ALL_STATES &
			~(1U << TCPFSM_ESTABLISHED | 1U << TCPFSM_TIME_WAIT),
	};
	struct services services = { 0 };
	struct stats stats = { 0 };
	struct stuck *stuck = zalloc(sizeof(*stuck));
	json_t *json;
	int err;

	err = kernel_ask(k, TCPFSM_CMD_STATS_GET, false, NULL, stats_take, &stats);
	if (!err)
		err = kernel_ask(k, TCPFSM_CMD_SERVICE_GET, true, NULL, on_service, &services);
	if (!err)
		err = kernel_ask(k, TCPFSM_CMD_FLOW_GET, true, &filter, on_flow, stuck);
	if (!err) {
		json = json_pack("{s:I,s:o,s:o,s:o}", "now", (json_int_t)clock_of_day(), "stats",
				 json_stats(&stats), "services", json_services(&services), "stuck",
				 json_stuck(stuck));
		if (!json || json_dumpf(json, out, JSON_COMPACT))
			err = -ENOMEM;
		json_decref(json);
	}
	free(stuck);
	return err;
}

/* ---- HTTP ---- */

static bool local_only;

static enum MHD_Result send_text(struct MHD_Connection *c, unsigned int status, const char *type,
				 const char *text, size_t len, enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, (void *)text, mode);
	enum MHD_Result ret;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", type);
	MHD_add_response_header(r, "Cache-Control", "no-store");
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	ret = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ret;
}

static enum MHD_Result send_error(struct MHD_Connection *c, unsigned int status, const char *text)
{
	return send_text(c, status, "text/plain; charset=utf-8", text, strlen(text),
			 MHD_RESPMEM_MUST_COPY);
}

/*
 * A web site in somebody's browser may have its name lead here, to read what only this host may:
 * where we serve this host alone, answer to addresses and localhost.
 */
static bool host_is_ours(struct MHD_Connection *c)
{
	const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");

	if (!local_only || !host)
		return true;
	return !strncmp(host, "localhost", 9) ? !host[9] || host[9] == ':' :
						!host[strspn(host, "0123456789abcdefABCDEF.:[]")];
}

/* The last answer to /state.json, which costs a walk through the table. */
static struct {
	char *text;
	size_t len;
	u64 until;
} kept;

static void keep(const char *text, size_t len, u64 began)
{
	u64 now = clock_now(), cost = (now - began) * 20;

	free(kept.text);
	kept.text = malloc(len);
	kept.len = kept.text ? len : 0;
	if (kept.text)
		memcpy(kept.text, text, len);
	kept.until = now + (cost > NSEC ? cost : NSEC);
}

/* What is asked for of the module, into memory. */
static enum MHD_Result send_asked(struct MHD_Connection *c, bool metrics)
{
	const char *accept = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept");
	bool openmetrics = accept && strstr(accept, "application/openmetrics-text");
	const char *type = "application/json";
	u64 began = clock_now();
	struct kernel *k;
	char *text = NULL;
	size_t len = 0;
	FILE *out;
	int err;

	if (!metrics && kept.text && began < kept.until)
		return send_text(c, MHD_HTTP_OK, type, kept.text, kept.len, MHD_RESPMEM_MUST_COPY);
	if (metrics)
		type = openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8" :
				     "text/plain; version=0.0.4; charset=utf-8";
	k = kernel_open(&err);
	if (!k)
		return send_error(c, MHD_HTTP_SERVICE_UNAVAILABLE,
				  "the kernel module tcpfsm does not answer: is it loaded?\n");
	out = open_memstream(&text, &len);
	if (!out)
		exit(fail("out of memory"));
	err = metrics ? metrics_write(out, k, openmetrics) : state_write(out, k);
	fclose(out);
	kernel_close(k);
	if (!err && !metrics)
		keep(text, len, began);
	if (!err)
		return send_text(c, MHD_HTTP_OK, type, text, len, MHD_RESPMEM_MUST_FREE);
	free(text);
	return send_error(c, MHD_HTTP_SERVICE_UNAVAILABLE, strerror(-err));
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *size, void **state)
{
	(void)arg;
	(void)version;
	(void)data;
	(void)size;
	(void)state;
	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		return send_error(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (!host_is_ours(c))
		return send_error(c, MHD_HTTP_FORBIDDEN, "ask for an address or for localhost\n");
	if (!strcmp(url, "/"))
		return send_text(c, MHD_HTTP_OK, "text/html; charset=utf-8", page,
				 page_end - page, MHD_RESPMEM_PERSISTENT);
	if (!strcmp(url, "/metrics"))
		return send_asked(c, true);
	if (!strcmp(url, "/state.json"))
		return send_asked(c, false);
	return send_error(c, MHD_HTTP_NOT_FOUND, "there are /, /metrics and /state.json\n");
}

static bool is_loopback(const struct sockaddr *at)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)at;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)at;

	if (at->sa_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

/* ADDR:PORT, [ADDR]:PORT, :PORT. Return: 0, or EXIT_ERROR and said why. */
static int listen_at(const char *word, struct sockaddr_storage *at)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				  .ai_socktype = SOCK_STREAM }, *info;
	char *copy = strdup(word), *host, *port;
	int err = EAI_NONAME;

	/* getaddrinfo() takes any number for a port, and IPv6 needs its brackets in the URL. */
	if (copy && split_endpoint(copy, &host, &port) && *port &&
	    strtoul(port, NULL, 10) <= 65535 && (*word == '[' || !strchr(host, ':')))
		err = getaddrinfo(*host ? host : NULL, port, &hints, &info);
	free(copy);
	if (err)
		return fail("'%s' is no address to listen at: --listen takes one like 127.0.0.1:9717, [::1]:9717 or :9717",
			    word);
	memcpy(at, info->ai_addr, info->ai_addrlen);
	local_only = is_loopback(info->ai_addr);
	freeaddrinfo(info);
	return 0;
}

static int on_nothing(const struct nlmsghdr *nlh, void *arg)
{
	(void)nlh;
	(void)arg;
	return 0;
}

int verb_export(int argc, char **argv)
{
	const char *where = opt.listen ? opt.listen : "127.0.0.1:9717";
	unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD;
	struct sockaddr_storage at = { 0 };
	struct pollfd fd = { .events = POLLIN };
	struct MHD_Daemon *daemon;
	const char *host = *where == ':' ? "localhost" : "";
	int err;

	(void)argc;
	(void)argv;
	err = listen_at(where, &at);
	if (err)
		return err;
	/* Whoever starts it wants to know at once what the first request would be told. */
	err = kernel_once(TCPFSM_CMD_SERVICE_GET, true, on_nothing, NULL);
	if (err)
		return err;
	fd.fd = catch_signals();
	if (at.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, &at,
				  MHD_OPTION_CONNECTION_TIMEOUT, 30U,
				  MHD_OPTION_CONNECTION_LIMIT, 64U, MHD_OPTION_END);
	if (!daemon)
		return fail("cannot listen at %s: %s", where, strerror(errno));
	if (!opt.quiet)
		note("export: http://%s%s/ shows the states, http://%s%s/metrics is for Prometheus",
		     host, where, host, where);
	while (poll(&fd, 1, -1) < 0 && errno == EINTR)
		;
	MHD_stop_daemon(daemon);
	return EXIT_FOUND;
}
