// SPDX-License-Identifier: GPL-2.0
/* Verb replay: the module's engine over a capture, without the module. */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/link.h"
#include "capture/record.h"
#include "capture/track.h"
#include "data/names.h"
#include "filter/filter.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/figure.h"
#include "show/flow.h"
#include "show/tally.h"
#include "verbs/verb.h"

struct replay {
	const char *name;
	const struct filter *filter;
	struct track track;
	u64 packets;
	u64 decoded[DECODED_RESULTS];
	u64 printed;
	struct tally tally;
	struct figure figure;
	char title[256];	/* of the figure */
};

/* A transition that the filter lets pass. */
static void tell_event(struct replay *r, const struct event *e)
{
	r->figure.moves[e->from][e->to]++;
	if (opt.quiet || (opt.count && r->printed >= opt.count))
		return;
	event_print(e);
	r->printed++;
}

static void take_event_of_capture(const struct flow *f, const struct event *e, void *arg)
{
	struct replay *r = arg;

	if (filter_event(r->filter, f, e))
		tell_event(r, e);
}

static void show_final_flow(const struct flow *f, void *arg)
{
	struct replay *r = arg;

	if (!filter_flow(r->filter, f, r->track.clock))
		return;
	flow_print_final(f);
	r->printed++;
}

static void tally_final_flow(const struct flow *f, void *arg)
{
	struct replay *r = arg;

	if (!filter_flow(r->filter, f, r->track.clock))
		return;
	tally_add(&r->tally, f, r->track.clock);
	r->printed++;
}

/* For the figure: the states of every flow at the end of the capture. */
static void count_ends(const struct flow *f, void *arg)
{
	struct replay *r = arg;

	if (!filter_flow(r->filter, f, r->track.clock))
		return;
	r->printed++;
	r->figure.orig[f->end[TCPFSM_ORIG].state]++;
	r->figure.resp[f->end[TCPFSM_RESP].state]++;
}

static int print_figure(struct replay *r)
{
	track_each(&r->track, count_ends, r);
	snprintf(r->title, sizeof(r->title), "%s: %llu flows", r->name,
		 (unsigned long long)r->printed);
	return figure_print(&r->figure);
}

static void print_counter(const char *name, u64 value, const char *help)
{
	if (!value && out_is_text())
		return;
	out_str(NULL, -22, name);
	out_num(name, 14, value);
	if (opt.explain)
		out_str(NULL, -1, help);
	out_line();
}

static void print_track_counters(const struct replay *r)
{
	const struct track_counters *c = &r->track.counters;

	out_object(NULL);
	out_object("counters");
#define X(name, help) print_counter(#name, c->notes[TFSM_NOTE_##name], help);
	TCPFSM_NOTE_LIST(X)
#undef X
#define X(name, help) print_counter(#name, c->name, help);
	TCPFSM_SHELL_LIST(X)
#undef X
	out_end();
	out_end();
}

/* What the packets were, in a sentence. */
static void note_summary(const struct replay *r)
{
	static const char * const names[DECODED_RESULTS] = {
#define X(name, help) #name,
		DECODE_LIST(X)
#undef X
	};
	char ignored[512] = "";
	size_t len = 0;
	unsigned int i;

	for (i = DECODED_icmp_error + 1; i < DECODED_RESULTS; i++)
		if (r->decoded[i])
			len += snprintf(ignored + len, sizeof(ignored) - len, "%s %llu %s",
					len ? "," : "; ignored:",
					(unsigned long long)r->decoded[i], names[i]);
	if (r->track.copies)
		snprintf(ignored + len, sizeof(ignored) - len, "%s %llu copies",
			 len ? "," : "; ignored:", (unsigned long long)r->track.copies);
	note("%llu packets, %llu segments, %llu flows, %llu transitions%s",
	     (unsigned long long)r->packets,
	     (unsigned long long)r->track.counters.segments,
	     (unsigned long long)r->track.flows,
	     (unsigned long long)r->track.transitions, ignored);
}

static void take_packet(struct replay *r, const struct decoder *d, const struct pcap_pkthdr *h,
			const u8 *frame)
{
	struct segment s;
	enum decoded result = packet_decode(d, frame, h->caplen, &s);
	/* With nanosecond precision, tv_usec holds nanoseconds. */
	u64 when = (u64)h->ts.tv_sec * NSEC + h->ts.tv_usec;

	r->packets++;
	r->decoded[result]++;
	if (result == DECODED_segment)
		track_segment(&r->track, &s, when);
	else if (result == DECODED_icmp_error)
		track_error(&r->track, &s, when);
}

static int read_packets(struct replay *r, pcap_t *pcap)
{
	struct decoder d = { .link = pcap_datalink(pcap), .checksums = opt.checksums };
	struct pcap_pkthdr *h;
	const u_char *frame;
	const char *link;
	int ret;

	if (!link_is_known(d.link)) {
		link = pcap_datalink_val_to_name(d.link);
		return fail("%s: no way to find IP in frames of link type %s (%d)", r->name,
			    link ? link : "unknown", d.link);
	}
	while ((ret = pcap_next_ex(pcap, &h, &frame)) == 1)
		take_packet(r, &d, h, frame);
	r->track.counters.later_fragments = r->decoded[DECODED_later_fragments];
	r->track.counters.short_header = r->decoded[DECODED_short_header];
	r->track.counters.bad_checksum = r->decoded[DECODED_bad_checksum];
	if (opt.flows)
		track_each(&r->track, show_final_flow, r);
	if (opt.by) {
		track_each(&r->track, tally_final_flow, r);
		tally_print(&r->tally, opt.top);
	}
	if (opt.counters)
		print_track_counters(r);
	if (opt.graph && print_figure(r) != EXIT_FOUND)
		return EXIT_ERROR;
	if (ret == PCAP_ERROR)
		return fail("%s: packet %llu: %s", r->name, (unsigned long long)r->packets + 1,
			    pcap_geterr(pcap));
	note_summary(r);
	return EXIT_FOUND;
}

/* ---- a record of monitor ---- */

/*
 * Where an end is before its first move in the record is not known, so nothing leaves a state that
 * nothing has entered. The CLOSED that a flow starts from does not count as one of its states.
 */
static void count_move(struct replay *r, const struct event *e)
{
	u64 *ends = e->end == TCPFSM_ORIG ? r->figure.orig : r->figure.resp;
	bool corrected = e->cause == TCPFSM_RESUME || e->cause == TCPFSM_NO_FIN;

	if (ends[e->from] && (e->from != TCPFSM_CLOSED || corrected))
		ends[e->from]--;
	ends[e->to]++;
	r->track.transitions++;
}

static void take_recorded(const struct event *e, void *arg)
{
	struct flow f = { .id = e->flow, .tuple = *e->tuple };
	struct replay *r = arg;

	f.end[e->end].state = e->to;
	if (!filter_event(r->filter, &f, e))
		return;
	count_move(r, e);
	tell_event(r, e);
}

static void show_recorded_loss(const struct loss *l, void *arg)
{
	(void)arg;
	if (!opt.quiet)
		loss_print(l);
}

static int read_record(struct replay *r, FILE *file)
{
	const struct record_reader reader = { take_recorded, show_recorded_loss, r };
	int status;

	if (opt.flows || opt.counters || opt.by)
		return fail("%s is a record of transitions: --flows, --by and --counters need a capture",
			    r->name);
	status = record_read(file, r->name, &reader);
	if (opt.graph) {
		snprintf(r->title, sizeof(r->title), "%s: %llu transitions", r->name,
			 (unsigned long long)r->track.transitions);
		if (figure_print(&r->figure) != EXIT_FOUND)
			status = EXIT_ERROR;
	}
	return status;
}

/* ---- */

/* Return: false, and said why */
static bool has_content(FILE *file, const char *name)
{
	int c = getc(file);

	if (c == EOF) {
		fail("%s: %s", name, ferror(file) ? strerror(errno) :
		     "the file is empty; replay reads captures and records of monitor");
		return false;
	}
	ungetc(c, file);
	return true;
}

static int replay_file(struct replay *r)
{
	FILE *file = strcmp(r->name, "-") ? fopen(r->name, "re") : stdin;
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap;
	int status;

	if (!file)
		return fail("%s: %s", r->name, strerror(errno));
	if (!has_content(file, r->name)) {
		fclose(file);
		return EXIT_ERROR;
	}
	if (record_is(file)) {
		status = read_record(r, file);
		fclose(file);
		return status;
	}
	pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!pcap) {
		fclose(file);
		return fail("%s: %s; replay reads captures (pcap, pcapng) and records of monitor, a compressed one by zcat FILE | tcpfsm replay -",
			    r->name, why);
	}
	status = read_packets(r, pcap);
	pcap_close(pcap);	/* and the file */
	return status;
}

static int run_replay(int argc, char **argv)
{
	struct replay r = { 0 };
	struct filter *filter;
	int status;

	if (argc < 1)
		return fail("replay: which capture? Give a file, or - for standard input");
	if (!filter_parse(&filter, argc - 1, argv + 1))
		return EXIT_ERROR;
	if (!figure_format_fits())
		return EXIT_ERROR;
	if (opt.graph && (opt.flows || opt.counters || opt.by))
		return fail("replay: --graph draws the figure alone: without --flows, --by and --counters");
	if (opt.flows && opt.by)
		return fail("replay: --flows lists flows, --by counts them: give one of the two");
	if ((opt.sort || opt.top) && !opt.by)
		return fail("replay: --%s is of a count: it goes with --by",
			    opt.sort ? "sort" : "top");
	if (opt.by && !tally_init(&r.tally, opt.by, opt.sort))
		return EXIT_ERROR;
	if (opt.format && !opt.graph)
		return fail("replay: --format '%s' is of the figure: it goes with --graph",
			    opt.format);
	opt.quiet |= opt.graph || opt.by;
	out_start(OUT_LINES);
	r.figure.title = r.title;
	r.name = argv[0];
	r.filter = filter;
	r.track.on_event = take_event_of_capture;
	r.track.arg = &r;
	r.track.keep = opt.flows || opt.graph || opt.by;
	r.track.no_expire = opt.no_expire;
	status = replay_file(&r);
	if (status == EXIT_FOUND && filter && !r.printed && !(opt.quiet && !opt.flows && !opt.by))
		status = EXIT_NONE;
	track_free(&r.track);
	tally_free(&r.tally);
	filter_free(filter);
	return status;
}

static const struct verb_option option_counters = {
	.id = OPTION_COUNTERS, .name = "counters", .help = "print the counters at the end",
	.flag = &opt.counters,
};

static const struct verb_option option_checksums = {
	.id = OPTION_CHECKSUMS, .name = "checksums",
	.help = "ignore segments whose TCP checksum is wrong", .flag = &opt.checksums,
};

static const struct verb_option option_no_expire = {
	.id = OPTION_NO_EXPIRE, .name = "no-expire", .help = "let no time-out end or move a flow",
	.flag = &opt.no_expire,
};

static const struct verb_option option_graph = {
	.id = OPTION_GRAPH, .name = "graph",
	.help = "draw the figure of RFC 793 at the end, with the moves on its arcs",
	.flag = &opt.graph,
};

static const struct verb_option option_by = {
	.id = OPTION_BY, .name = "by", .arg = "KEY,...",
	.help = "count the flows by these keys at the end, as count does",
	.string = &opt.by, .complete = tally_print_keys,
};

const struct verb verb_replay = {
	.name = "replay", .args = "FILE [FILTER]",
	.help = "the same engine over a capture (pcap, pcapng), or a record of monitor",
	.filter = FILTER_OF_EVENTS,
	.options = {
		&option_ipv4, &option_ipv6, &option_count, &option_quiet, &option_flows,
		&option_counters, &option_by, &option_sort, &option_top, &option_checksums,
		&option_no_expire, &option_explain, &option_graph, &option_format,
	},
	.says = {
		{ OPTION_COUNT, "print the first N transitions", NULL },
		{ OPTION_QUIET, "print no transitions", NULL },
		{ OPTION_FLOWS, "print a line for each flow at the end", NULL },
		{ OPTION_SORT, TALLY_SORT_HELP, NULL },
	},
	.run = run_replay,
};
