// SPDX-License-Identifier: GPL-2.0
/*
 * Verb ipfix: flows that ended as IPFIX records (RFC 7011), both directions in one (RFC 5103), to a
 * collector over UDP or into a file (RFC 5655).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fixbuf/public.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/tuple.h"
#include "filter/filter.h"
#include "kernel/follow.h"
#include "lib/live.h"
#include "lib/message.h"
#include "lib/options.h"
#include "verbs/verb.h"

#define EMIT		NSEC		/* the longest that a record waits for others */
#define TEMPLATES	(60 * NSEC)	/* again: UDP loses them, and collectors restart */

/* IANA's values of flowEndReason */
enum { IDLE_TIMEOUT = 1, END_OF_FLOW = 3, FORCED_END = 4, LACK_OF_RESOURCES = 5 };

/* What records of both families begin with; host order, as libfixbuf takes it. */
struct totals {
	u64 start, end;			/* ms since 1970 */
	u64 octets, reverse_octets;	/* of IP */
	u64 packets, reverse_packets;
	u64 id;
	u32 vrf;			/* the network namespace's inode number */
	u16 sport, dport;
	u8 protocol, reason;
	u8 padding[6];
};

struct record4 {
	struct totals totals;
	u32 src, dst;
};

struct record6 {
	struct totals totals;
	u8 src[16], dst[16];
};

#define TOTALS \
	{ (char *)"flowStartMilliseconds", 8, 0 }, { (char *)"flowEndMilliseconds", 8, 0 }, \
	{ (char *)"octetDeltaCount", 8, 0 }, { (char *)"reverseOctetDeltaCount", 8, 0 }, \
	{ (char *)"packetDeltaCount", 8, 0 }, { (char *)"reversePacketDeltaCount", 8, 0 }, \
	{ (char *)"flowId", 8, 0 }, { (char *)"ingressVRFID", 4, 0 }, \
	{ (char *)"sourceTransportPort", 2, 0 }, \
	{ (char *)"destinationTransportPort", 2, 0 }, { (char *)"protocolIdentifier", 1, 0 }, \
	{ (char *)"flowEndReason", 1, 0 }, { (char *)"paddingOctets", 6, 1 }

static fbInfoElementSpec_t spec4[] = {
	TOTALS,
	{ (char *)"sourceIPv4Address", 4, 0 }, { (char *)"destinationIPv4Address", 4, 0 },
	FB_IESPEC_NULL,
};

static fbInfoElementSpec_t spec6[] = {
	TOTALS,
	{ (char *)"sourceIPv6Address", 16, 0 }, { (char *)"destinationIPv6Address", 16, 0 },
	FB_IESPEC_NULL,
};

struct ipfix {
	struct follow follow;
	struct filter *filter;
	const char *to;
	fbSession_t *session;
	fBuf_t *buf;
	bool udp, waits;		/* records wait to be sent */
	u16 template4, template6;
	u64 emit, templates;		/* CLOCK_MONOTONIC, when due */
	u64 written;
	FILE *file;			/* or NULL */
	bool failed;
};

/* Only a file can fail: over UDP, libfixbuf takes every send for a success. */
static void check_result(struct ipfix *x, bool ok, GError *err)
{
	if (!ok && !x->failed)
		fail("cannot write to '%s': %s", x->to, err->message);
	x->follow.done |= !ok;
	x->failed |= !ok;
	g_clear_error(&err);
}

static u8 map_reason(u8 reason)
{
	switch (reason) {
	case TCPFSM_REASON_TIMEOUT:
	case TCPFSM_REASON_SILENT:
		return IDLE_TIMEOUT;
	case TCPFSM_REASON_FLUSHED:
		return FORCED_END;
	case TCPFSM_REASON_EVICTED:
		return LACK_OF_RESOURCES;
	default:
		return END_OF_FLOW;
	}
}

static bool append_record(struct ipfix *x, u16 template, void *record, size_t size, GError **err)
{
	return fBufSetInternalTemplate(x->buf, template, err) &&
	       fBufSetExportTemplate(x->buf, template, err) &&
	       fBufAppend(x->buf, record, size, err);
}

static void write_record(const struct flow *f, void *arg)
{
	const struct flow_end *o = &f->end[TCPFSM_ORIG], *r = &f->end[TCPFSM_RESP];
	u64 now = clock_of_day(), end = now - f->idle;
	struct ipfix *x = arg;
	struct record4 r4;
	struct record6 r6;
	GError *err = NULL;
	bool ok;

	if (!f->tuple.family || !filter_flow(x->filter, f, now))
		return;
	r4.totals = r6.totals = (struct totals){
		.start = f->start / NSEC_PER_MS,
		.end = (end > f->start ? end : f->start) / NSEC_PER_MS,
		.octets = o->bytes, .reverse_octets = r->bytes,
		.packets = o->packets, .reverse_packets = r->packets,
		.id = f->id, .vrf = f->netns ? f->netns->inode : 0,
		.sport = f->tuple.sport, .dport = f->tuple.dport,
		.protocol = IPPROTO_TCP, .reason = map_reason(f->reason),
	};
	if (f->tuple.family == AF_INET) {
		memcpy(&r4.src, f->tuple.src, sizeof(r4.src));
		memcpy(&r4.dst, f->tuple.dst, sizeof(r4.dst));
		r4.src = ntohl(r4.src);
		r4.dst = ntohl(r4.dst);
		ok = append_record(x, x->template4, &r4, sizeof(r4), &err);
	} else {
		memcpy(r6.src, f->tuple.src, sizeof(r6.src));
		memcpy(r6.dst, f->tuple.dst, sizeof(r6.dst));
		ok = append_record(x, x->template6, &r6, sizeof(r6), &err);
	}
	check_result(x, ok, err);
	x->waits = true;
	if (++x->written == opt.count)
		x->follow.done = true;
}

static void emit_records(struct ipfix *x)
{
	GError *err = NULL;

	if (x->waits)
		check_result(x, fBufEmit(x->buf, &err), err);
	x->waits = false;
}

static void emit_if_due(void *arg)
{
	struct ipfix *x = arg;
	u64 now = clock_now();
	GError *err = NULL;

	if (x->udp && now >= x->templates) {
		check_result(x, fbSessionExportTemplates(x->session, &err), err);
		x->waits = true;
		x->templates = now + TEMPLATES;
	}
	if (now >= x->emit) {
		emit_records(x);
		x->emit = now + EMIT;
	}
}

static void note_loss(const struct loss *l, void *arg)
{
	(void)arg;
	if (!strcmp(l->group, "flow"))
		note("ipfix: %llu ends of flows lost (cpu %d)", (unsigned long long)l->count,
		     l->cpu);
}

/* The template of the struct, and the one that is sent, without padding. Return: 0, and @err */
static u16 add_template(fbSession_t *session, fbInfoModel_t *model, fbInfoElementSpec_t *spec,
			u16 id, GError **err)
{
	fbTemplate_t *in = fbTemplateAlloc(model), *out = fbTemplateAlloc(model);

	if (!fbTemplateAppendSpecArray(in, spec, 1, err) ||
	    !fbTemplateAppendSpecArray(out, spec, 0, err) ||
	    !fbSessionAddTemplate(session, TRUE, id, in, err))
		return 0;
	return fbSessionAddTemplate(session, FALSE, id, out, err);
}

/* A name alone could be meant for a host, and its port be forgotten. */
static bool is_file(const char *to)
{
	const char *dot = strrchr(to, '.');

	return strchr(to, '/') || (dot && !strcmp(dot, ".ipfix"));
}

static int open_exporter(struct ipfix *x, const char *to)
{
	fbConnSpec_t spec = { .transport = FB_UDP };
	fbInfoModel_t *model = fbInfoModelAlloc();
	char *word = strdup(to);
	fbExporter_t *exporter;
	GError *err = NULL;

	x->to = to;
	x->udp = !is_file(to);
	if (x->udp && (!split_endpoint(word, &spec.host, &spec.svc) || !*spec.host || !*spec.svc)) {
		free(word);
		return fail("'%s' is not a collector: ipfix takes one like 192.0.2.1:4739 or [2001:db8::1]:4739, or a file, with a slash in its path or .ipfix at its end",
			    to);
	}
	if (!x->udp)
		x->file = fopen(to, "we");
	if (!x->udp && !x->file) {
		free(word);
		return fail("cannot write to '%s': %s", to, strerror(errno));
	}
	exporter = x->udp ? fbExporterAllocNet(&spec) : fbExporterAllocFP(x->file);
	x->session = fbSessionAlloc(model);
	x->template4 = add_template(x->session, model, spec4, 256, &err);
	if (x->template4)
		x->template6 = add_template(x->session, model, spec6, 257, &err);
	if (x->template6) {
		x->buf = fBufAllocForExport(x->session, exporter);
		fBufSetAutomaticMode(x->buf, TRUE);
		fbSessionExportTemplates(x->session, &err);
	}
	if (!err)
		fBufEmit(x->buf, &err);
	free(word);
	return !err ? EXIT_FOUND : fail("cannot write to '%s': %s", to, err->message);
}

static int run_ipfix(int argc, char **argv)
{
	struct ipfix x = { .follow = { .on_end = write_record, .on_lost = note_loss,
				       .on_tick = emit_if_due, .arg = &x } };
	int status;

	if (!argc)
		return fail("ipfix where? It takes a collector like 192.0.2.1:4739, or a file");
	if (!filter_parse(&x.filter, argc - 1, argv + 1) || !filter_flows_only(x.filter))
		return EXIT_ERROR;
	status = open_exporter(&x, argv[0]);
	if (status == EXIT_FOUND) {
		x.templates = clock_now() + TEMPLATES;
		status = follow(&x.follow, "ipfix");
		emit_records(&x);
	}
	if (x.file && !x.failed && fflush(x.file)) {
		fail("cannot write to '%s': %s", x.to, strerror(errno));
		x.failed = true;
	}
	if (x.failed)
		status = EXIT_ERROR;
	if (x.buf)
		fBufFree(x.buf);
	filter_free(x.filter);
	return status;
}

const struct verb verb_ipfix = {
	.name = "ipfix", .args = "HOST:PORT|FILE [FILTER]",
	.help = "send ended flows as IPFIX records over UDP, or into a file",
	.prints_nothing = true,
	.filter = FILTER_OF_FLOWS,
	.options = {
		&option_netns, &option_all_netns, &option_ipv4, &option_ipv6, &option_count,
		&option_for, &option_quiet,
	},
	.says = {
		{ OPTION_COUNT, "stop after N records" },
		{ OPTION_QUIET, "print no notes of progress" },
	},
	.run = run_ipfix,
};
