// SPDX-License-Identifier: GPL-2.0
/* Verb replay: the module's engine over a capture, without the module. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "record/reader.h"
#include "verbs/replay/play.h"

/* ---- a capture ---- */

static atomic_bool stopped;

static void note_signal(int signal)
{
	(void)signal;
	stopped = true;
}

/* A signal ends the reading, wherever it waits; what was read is told. A second one ends it all. */
static void stop_on_signals(void)
{
	const struct sigaction action = {
		.sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND,
	};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Does somebody write it while it is read? */
static bool is_growing(FILE *file)
{
	struct stat st;

	return !fstat(fileno(file), &st) && !S_ISREG(st.st_mode);
}

static int read_packets(struct play *p, pcap_t *pcap)
{
	bool growing = is_growing(pcap_file(pcap));
	struct pcap_pkthdr *h;
	const u_char *frame;
	int ret = 1, status;

	if (!play_link(p, pcap))
		return EXIT_ERROR;
	stop_on_signals();
	while (!stopped && (ret = pcap_next_ex(pcap, &h, &frame)) == 1) {
		play_packet(p, h, frame);
		if (growing)
			out_flush();
	}
	status = play_end(p);
	if (ret == PCAP_ERROR && !stopped)
		return fail("%s: packet %llu: %s", p->name, (unsigned long long)p->packets + 1,
			    pcap_geterr(pcap));
	return status;
}

/* ---- */

/* Return: false, and said why */
static bool has_content(FILE *file, const char *name)
{
	int c = getc(file);

	if (c == EOF) {
		fail("%s: %s", name, ferror(file) ? strerror(errno) :
		     "the file is empty; replay reads captures and records");
		return false;
	}
	ungetc(c, file);
	return true;
}

static int replay_file(struct play *p)
{
	FILE *file = strcmp(p->name, "-") ? fopen(p->name, "re") : stdin;
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap;
	int status;

	if (!file)
		return fail("%s: %s", p->name, strerror(errno));
	if (!has_content(file, p->name)) {
		fclose(file);
		return EXIT_ERROR;
	}
	if (record_is(file)) {
		status = play_record(p, file);
		fclose(file);
		return status;
	}
	pcap = pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, why);
	if (!pcap) {
		fclose(file);
		return fail("%s: %s; replay reads captures (pcap, pcapng) and records, a compressed capture by zcat FILE | tcpfsm replay -",
			    p->name, why);
	}
	status = read_packets(p, pcap);
	pcap_close(pcap);	/* and the file */
	return status;
}

static int run_replay(int argc, char **argv)
{
	struct play p = { .verb = "replay" };
	int status;

	if (argc < 1)
		return fail("replay: which capture? Give a file, or - for standard input");
	p.name = argv[0];
	if (!play_start(&p, argc - 1, argv + 1)) {
		play_free(&p);
		return EXIT_ERROR;
	}
	p.track.keep = p.track.on_end;	/* all are told of at the end */
	status = replay_file(&p);
	if (status == EXIT_FOUND && p.filter && !p.printed && !(opt.quiet && !opt.flows && !opt.by))
		status = EXIT_NONE;
	play_free(&p);
	return status;
}

static const struct verb_option option_checksums = {
	.id = OPTION_CHECKSUMS, .name = "checksums",
	.help = "ignore segments whose TCP checksum is wrong", .flag = &opt.checksums,
};

static const struct verb_option option_no_expire = {
	.id = OPTION_NO_EXPIRE, .name = "no-expire", .help = "let no time-out end or move a flow",
	.flag = &opt.no_expire,
};

const struct verb verb_replay = {
	.name = "replay", .args = "FILE [FILTER]",
	.help = "the same engine over a capture (pcap, pcapng); or what a record has kept",
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
