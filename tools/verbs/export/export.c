// SPDX-License-Identifier: GPL-2.0
/*
 * Verb export: an HTTP server with the numbers for Prometheus (/metrics) and a page that shows the
 * states live (/, from /state.json). One request is served at a time; each asks the module anew.
 */
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/tuple.h"
#include "kernel/kernel.h"
#include "lib/buffer.h"
#include "lib/live.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/number.h"
#include "lib/options.h"
#include "verbs/export/export.h"
#include "verbs/export/metrics.h"
#include "verbs/export/state.h"
#include "verbs/verb.h"

#ifndef TCPFSM_PAGE
#define TCPFSM_PAGE "page.html"
#endif

/* page.html, byte by byte. */
__asm__(".section .rodata\n"
	".global page, page_end\n"
	"page: .incbin \"" TCPFSM_PAGE "\"\n"
	"page_end: .byte 0\n"
	".previous\n");

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
 * A web site may let its name lead to a loopback address (DNS rebinding), so that the browser that
 * shows it reads what is here. A server on loopback therefore answers to addresses and localhost
 * only.
 */
static bool is_own_host(struct MHD_Connection *c)
{
	const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");

	if (!local_only || !host)
		return true;
	return !strncmp(host, "localhost", 9) ? !host[9] || host[9] == ':' :
						!host[strspn(host, "0123456789abcdefABCDEF.:[]")];
}

/* The last answer to /state.json: making one costs a walk through the table. */
static struct {
	char *text;
	size_t len;
	u64 until;
} kept;

static void keep_answer(const char *text, size_t len, u64 began)
{
	u64 now = clock_now();

	free(kept.text);
	kept.text = malloc(len);
	kept.len = kept.text ? len : 0;
	if (kept.text)
		memcpy(kept.text, text, len);
	kept.until = now + pause_after(now - began, NSEC);
}

/* Asks the module, and sends what came of it. */
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
		out_of_memory();
	err = metrics ? metrics_write(out, k, openmetrics) : state_write(out, k);
	fclose(out);
	kernel_close(k);
	if (!err && !metrics)
		keep_answer(text, len, began);
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
	if (!is_own_host(c))
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
static int parse_listen(const char *word, struct sockaddr_storage *at)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				  .ai_socktype = SOCK_STREAM }, *info;
	char *copy = string_copy(word), *host, *port;
	int err = EAI_NONAME;
	u64 number;

	/* getaddrinfo() takes any number for a port; and IPv6 needs brackets, as in the URL. */
	if (split_endpoint(copy, &host, &port) && read_u64(port, 0, 65535, &number) &&
	    (*word == '[' || !strchr(host, ':')))
		err = getaddrinfo(*host ? host : NULL, port, &hints, &info);
	free(copy);
	if (err)
		return fail("'%s' is not an address to listen on: --listen takes one like 127.0.0.1:9717, [::1]:9717 or :9717",
			    word);
	memcpy(at, info->ai_addr, info->ai_addrlen);
	local_only = is_loopback(info->ai_addr);
	freeaddrinfo(info);
	return 0;
}

static void ignore_service(const struct service *s, void *arg)
{
	(void)s;
	(void)arg;
}

static int ask_services(struct kernel *k, void *arg)
{
	return kernel_services(k, ignore_service, arg);
}

/* The port may have been the kernel's choice. */
static void tell_address(struct MHD_Daemon *daemon, const char *where)
{
	unsigned int port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	const char *colon = strrchr(where, ':');
	char at[NI_MAXHOST];

	snprintf(at, sizeof(at), "%s%.*s:%u", colon == where ? "localhost" : "",
		 (int)(colon - where), where, port);
	note("export: http://%s/ shows the states, http://%s/metrics is for Prometheus", at, at);
}

static int run_export(int argc, char **argv)
{
	const char *where = opt.listen ? opt.listen : "127.0.0.1:9717";
	unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD;
	struct sockaddr_storage at = { 0 };
	struct pollfd fd = { .events = POLLIN };
	struct MHD_Daemon *daemon;
	int err;

	(void)argc;
	(void)argv;
	err = parse_listen(where, &at);
	if (err)
		return err;
	/* Tell at once what would otherwise go wrong at the first request. */
	err = kernel_once(ask_services, NULL);
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
		tell_address(daemon, where);
	while (poll(&fd, 1, -1) < 0 && errno == EINTR)
		;
	MHD_stop_daemon(daemon);
	return EXIT_FOUND;
}

static const struct verb_option option_listen = {
	.id = OPTION_LISTEN, .name = "listen", .arg = "ADDR:PORT",
	.help = "serve there (default 127.0.0.1:9717)", .string = &opt.listen,
};

const struct verb verb_export = {
	.name = "export", .args = "",
	.help = "serve metrics for Prometheus, and a live page",
	.prints_nothing = true,
	.options = { &option_netns, &option_all_netns, &option_listen, &option_quiet },
	.says = {
		{ OPTION_QUIET, "print no notes of progress", NULL },
	},
	.run = run_export,
};
