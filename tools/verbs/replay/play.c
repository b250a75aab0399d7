// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "capture/link.h"
#include "data/names.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/flow.h"
#include "verbs/replay/play.h"

/* ---- what is told ---- */

void play_event(struct play *p, const struct event *e)
{
	if (opt.quiet || (opt.count && p->printed >= opt.count))
		return;
	event_print(e);
	p->printed++;
}

static void take_event_of_packet(const struct flow *f, const struct event *e, void *arg)
{
	struct play *p = arg;

	if (!filter_event(p->filter, f, e))
		return;
	p->figure.moves[e->from][e->to]++;
	play_event(p, e);
}

void play_flow(struct play *p, const struct flow *f)
{
	if (!filter_flow(p->filter, f, p->track.clock))
		return;
	p->printed++;
	if (opt.by) {
		tally_add(&p->tally, f, p->track.clock);
	} else if (opt.graph) {
		p->figure.orig[f->end[TCPFSM_ORIG].state]++;
		p->figure.resp[f->end[TCPFSM_RESP].state]++;
	} else {
		flow_print_final(f);
	}
}

static void take_last_of_flow(const struct flow *f, void *arg)
{
	play_flow(arg, f);
}

void play_counter(const char *name, u64 value, const char *help)
{
	if (!value && out_is_text())
		return;
	out_str(NULL, -22, name);
	out_num(name, 14, value);
	if (opt.explain)
		out_str(NULL, -1, help);
	out_line();
}

void play_counters_begin(void)
{
	out_object(NULL);
	out_object("counters");
}

void play_counters_end(void)
{
	out_end();
	out_end();
}

static void print_track_counters(const struct play *p)
{
	const struct track_counters *c = &p->track.counters;

	play_counters_begin();
#define X(name, help) play_counter(#name, c->notes[TFSM_NOTE_##name], help);
	TCPFSM_NOTE_LIST(X)
#undef X
#define X(name, help) play_counter(#name, c->name, help);
	TCPFSM_SHELL_LIST(X)
#undef X
	play_counters_end();
}

/* What the packets were, in a sentence. */
static void note_summary(const struct play *p)
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
		if (p->decoded[i])
			len += snprintf(ignored + len, sizeof(ignored) - len, "%s %llu %s",
					len ? "," : "; ignored:",
					(unsigned long long)p->decoded[i], names[i]);
	if (p->track.copies)
		snprintf(ignored + len, sizeof(ignored) - len, "%s %llu copies",
			 len ? "," : "; ignored:", (unsigned long long)p->track.copies);
	note("%llu packets, %llu segments, %llu flows, %llu transitions%s",
	     (unsigned long long)p->packets,
	     (unsigned long long)p->track.counters.segments,
	     (unsigned long long)p->track.flows,
	     (unsigned long long)p->track.transitions, ignored);
}

/* ---- from the first to the last packet ---- */

/* Return: false, and said why, if they do not go together */
static bool check_options(const struct play *p)
{
	if (opt.graph && (opt.flows || opt.counters || opt.by))
		fail("%s: --graph draws the figure alone: without --flows, --by and --counters",
		     p->verb);
	else if (opt.flows && opt.by)
		fail("%s: --flows lists flows, --by counts them: give one of the two", p->verb);
	else if ((opt.sort || opt.top) && !opt.by)
		fail("%s: --%s is of a count: it goes with --by", p->verb,
		     opt.sort ? "sort" : "top");
	else if (opt.format && !opt.graph)
		fail("%s: --format '%s' is of the figure: it goes with --graph", p->verb,
		     opt.format);
	else
		return true;
	return false;
}

bool play_start(struct play *p, int argc, char **argv)
{
	if (!figure_format_fits() || !check_options(p) || !filter_parse(&p->filter, argc, argv))
		return false;
	if (opt.by && !tally_init(&p->tally, opt.by, opt.sort))
		return false;
	opt.quiet |= opt.graph || opt.by;
	p->figure.title = p->title;
	p->decoder.checksums = opt.checksums;
	p->track.on_event = take_event_of_packet;
	p->track.on_end = opt.by || opt.graph || opt.flows ? take_last_of_flow : NULL;
	p->track.arg = p;
	p->track.no_expire = opt.no_expire;
	out_start(OUT_LINES);
	return true;
}

void play_free(struct play *p)
{
	track_free(&p->track);
	tally_free(&p->tally);
	filter_free(p->filter);
}

bool play_link(struct play *p, pcap_t *pcap)
{
	const char *link;

	p->decoder.link = pcap_datalink(pcap);
	if (link_is_known(p->decoder.link))
		return true;
	link = pcap_datalink_val_to_name(p->decoder.link);
	fail("%s: no way to find IP in frames of link type %s (%d)", p->name,
	     link ? link : "unknown", p->decoder.link);
	return false;
}

void play_packet(struct play *p, const struct pcap_pkthdr *h, const u8 *frame)
{
	struct segment s;
	enum decoded result = packet_decode(&p->decoder, frame, h->caplen, &s);
	/* With nanosecond precision, tv_usec holds nanoseconds. */
	u64 when = (u64)h->ts.tv_sec * NSEC + h->ts.tv_usec;

	p->packets++;
	p->decoded[result]++;
	if (result == DECODED_segment)
		track_segment(&p->track, &s, when);
	else if (result == DECODED_icmp_error)
		track_error(&p->track, &s, when);
}

static int print_figure(struct play *p)
{
	snprintf(p->title, sizeof(p->title), "%s: %llu flows", p->name,
		 (unsigned long long)p->printed);
	return figure_print(&p->figure);
}

int play_end(struct play *p)
{
	p->track.counters.later_fragments = p->decoded[DECODED_later_fragments];
	p->track.counters.short_header = p->decoded[DECODED_short_header];
	p->track.counters.bad_checksum = p->decoded[DECODED_bad_checksum];
	if (p->track.on_end)
		track_each(&p->track, take_last_of_flow, p);
	if (opt.by)
		tally_print(&p->tally, opt.top);
	if (opt.counters)
		print_track_counters(p);
	if (opt.graph && print_figure(p) != EXIT_FOUND)
		return EXIT_ERROR;
	note_summary(p);
	return EXIT_FOUND;
}

/* ---- options ---- */

const struct verb_option option_counters = {
	.id = OPTION_COUNTERS, .name = "counters", .help = "print the counters at the end",
	.flag = &opt.counters,
};

const struct verb_option option_by = {
	.id = OPTION_BY, .name = "by", .arg = "KEY,...",
	.help = "count the flows by these keys at the end, as count does",
	.string = &opt.by, .complete = tally_print_keys,
};

const struct verb_option option_graph = {
	.id = OPTION_GRAPH, .name = "graph",
	.help = "draw the figure of RFC 793 at the end, with the moves on its arcs",
	.flag = &opt.graph,
};
