/* SPDX-License-Identifier: GPL-2.0 */
/* Packets through the engine, and what is told of it: for replay and live. */
#ifndef VERBS_REPLAY_PLAY_H
#define VERBS_REPLAY_PLAY_H

#include <pcap/pcap.h>
#include <stdio.h>

#include "capture/packet.h"
#include "capture/track.h"
#include "filter/filter.h"
#include "show/figure.h"
#include "show/tally.h"
#include "verbs/verb.h"

struct play {
	const char *verb, *name;	/* what is played */
	struct filter *filter;
	struct decoder decoder;
	struct track track;
	u64 packets;
	u64 decoded[DECODED_RESULTS];
	u64 printed;		/* transitions or flows that the filter lets pass */
	struct tally tally;
	struct figure figure;
	char title[256];	/* of the figure */
};

/* Takes the options of both, and a filter. Return: false, and said why */
bool play_start(struct play *p, int argc, char **argv);
void play_free(struct play *p);

/* The link layer of what comes. Return: false, and said why, if its frames are not understood */
bool play_link(struct play *p, pcap_t *pcap);
/* @h: with times in nanoseconds */
void play_packet(struct play *p, const struct pcap_pkthdr *h, const u8 *frame);
/* Prints what comes at the end, and on stderr a sentence. Return: EXIT_FOUND or EXIT_ERROR */
int play_end(struct play *p);

/* A transition that the filter lets pass. */
void play_event(struct play *p, const struct event *e);
/* A flow as it ended, or as it is at the end, if the filter lets it pass. */
void play_flow(struct play *p, const struct flow *f);
void play_counters_begin(void);
void play_counter(const char *name, u64 value, const char *help);
void play_counters_end(void);

/* A record instead of packets, from the first to the last. Return: EXIT_FOUND or EXIT_ERROR */
int play_record(struct play *p, FILE *file);

/* What both take. */
extern const struct verb_option option_counters, option_by, option_graph;

#endif
