// SPDX-License-Identifier: GPL-2.0
/*
 * Verb live: the module's engine over what passes an interface now, for hosts where no module may
 * be loaded.
 */
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/live.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/flow.h"
#include "verbs/replay/play.h"

#define ANY		"any"
#define SNAPLEN		320		/* an ICMP error, and the segment that it quotes */
#define BUFFER		(16 << 20)	/* bytes */
#define DELIVERY	100		/* ms; packets come in batches */
#define LATE		(NSEC / 2)	/* no packet comes later than that */
#define BATCH		1000		/* packets, before anything else gets its turn */

struct live {
	struct play play;
	pcap_t *pcap;
	u64 until;		/* CLOCK_MONOTONIC; 0: no limit */
	u64 counted;		/* when drops were asked for */
	u64 dropped;
	bool stopped;
};

/* ---- the interface ---- */

static void print_interfaces(void)
{
	struct if_nameindex *list = if_nameindex(), *i;

	puts(ANY);
	for (i = list; i && i->if_index; i++)
		puts(i->if_name);
	if_freenameindex(list);
}

static int fail_interface(const char *name)
{
	struct if_nameindex *list = if_nameindex(), *i;
	char names[512] = ANY;
	size_t len;

	for (i = list; i && i->if_index; i++) {
		len = strlen(names);
		snprintf(names + len, sizeof(names) - len, ", %s", i->if_name);
	}
	if_freenameindex(list);
	return fail("live: '%s' is not an interface: %s", name, names);
}

static int fail_to_open(const struct live *l, int err)
{
	const char *name = l->play.name;

	switch (err) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return fail_interface(name);
	case PCAP_ERROR_PERM_DENIED:
		return fail("live: this needs CAP_NET_RAW; run with sudo");
	case PCAP_ERROR_IFACE_NOT_UP:
		return fail("live: the interface '%s' is down", name);
	default:
		return fail("live: %s: %s", name, l->pcap ? pcap_geterr(l->pcap) :
							    pcap_statustostr(err));
	}
}

/* Most of what is neither TCP nor ICMP need not leave the kernel. */
static int set_filter(pcap_t *pcap)
{
	struct bpf_program program;
	int err = pcap_compile(pcap, &program, "not (udp or arp)", 1, PCAP_NETMASK_UNKNOWN);

	if (err)
		return err;
	err = pcap_setfilter(pcap, &program);
	pcap_freecode(&program);
	return err;
}

static int open_interface(struct live *l)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	int err;

	l->pcap = pcap_create(l->play.name, why);
	if (!l->pcap)
		return fail("live: %s: %s", l->play.name, why);
	pcap_set_snaplen(l->pcap, SNAPLEN);
	pcap_set_timeout(l->pcap, DELIVERY);
	pcap_set_buffer_size(l->pcap, opt.buffer ? (int)opt.buffer : BUFFER);
	pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO);
	err = pcap_activate(l->pcap);
	if (err < 0)
		return fail_to_open(l, err);
	err = set_filter(l->pcap);
	if (err)
		return fail_to_open(l, err);
	if (pcap_setnonblock(l->pcap, 1, why) < 0)
		return fail("live: %s: %s", l->play.name, why);
	return play_link(&l->play, l->pcap) ? EXIT_FOUND : EXIT_ERROR;
}

/* ---- packets ---- */

static bool has_enough(const struct live *l)
{
	return opt.count && l->play.printed >= opt.count;
}

static void take_live_packet(u_char *arg, const struct pcap_pkthdr *h, const u_char *frame)
{
	struct live *l = (struct live *)arg;

	if (!has_enough(l))
		play_packet(&l->play, h, frame);
}

/* Return: how many packets there were, BATCH at most, or -1, and said why */
static int read_batch(struct live *l)
{
	int n = pcap_dispatch(l->pcap, BATCH, take_live_packet, (u_char *)l);

	if (n >= 0)
		return n;
	fail("live: %s: %s", l->play.name, pcap_geterr(l->pcap));
	return -1;
}

/* What did not fit into the buffer, or what the driver says that it left out. */
static void tell_drops(struct live *l, u64 now)
{
	struct pcap_stat stat;
	u64 dropped, more;

	if (now - l->counted < NSEC)
		return;
	l->counted = now;
	if (pcap_stats(l->pcap, &stat) < 0)
		return;
	dropped = (u64)stat.ps_drop + stat.ps_ifdrop;
	more = dropped - l->dropped;
	if (!more)
		return;
	l->dropped = dropped;
	note("live: %llu packets came faster than they were read: states may be wrong",
	     (unsigned long long)more);
}

static int take_packets(struct live *l, int signals)
{
	struct pollfd fds[] = {
		{ pcap_get_selectable_fd(l->pcap), POLLIN, 0 }, { signals, POLLIN, 0 },
	};
	u64 now = clock_now(), left = DELIVERY * NSEC_PER_MS;
	int ret;

	if (l->until && l->until < now + left)
		left = l->until > now ? l->until - now : 0;
	poll(fds, 2, poll_ms(left));
	ret = read_batch(l);
	if (ret < 0)
		return EXIT_ERROR;
	now = clock_now();
	if (ret < BATCH && !has_enough(l))
		track_tick(&l->play.track, clock_of_day() - LATE);
	tell_drops(l, now);
	out_flush();
	l->stopped |= fds[1].revents || (l->until && now >= l->until);
	return EXIT_FOUND;
}

/* What passed before the stop may wait for its batch to be delivered. */
static int take_last_packets(struct live *l)
{
	int ret;

	poll(NULL, 0, 2 * DELIVERY);
	do {
		ret = read_batch(l);
	} while (ret == BATCH);
	return ret < 0 ? EXIT_ERROR : EXIT_FOUND;
}

static int run_capture(struct live *l)
{
	int signals = catch_signals(), status = EXIT_FOUND;

	note("live: %s; of a connection that is there already, the next segment tells",
	     l->play.name);
	l->until = opt.for_ns ? clock_now() + opt.for_ns : 0;
	while (status == EXIT_FOUND && !l->stopped && !has_enough(l))
		status = take_packets(l, signals);
	if (status == EXIT_FOUND && !has_enough(l))
		status = take_last_packets(l);
	if (signals >= 0)
		close(signals);
	return status == EXIT_FOUND ? play_end(&l->play) : status;
}

static int run_live(int argc, char **argv)
{
	struct live l = {
		.play = { .verb = "live", .name = opt.interface ? opt.interface : ANY },
	};
	int status = EXIT_ERROR;

	if (play_start(&l.play, argc, argv))
		status = open_interface(&l);
	if (status == EXIT_FOUND)
		status = run_capture(&l);
	if (status == EXIT_FOUND && opt.for_ns && !l.play.printed)
		status = EXIT_NONE;
	if (l.pcap)
		pcap_close(l.pcap);
	play_free(&l.play);
	return status;
}

static const struct verb_option option_interface = {
	.id = OPTION_INTERFACE, .letter = 'i', .name = "interface", .arg = "NAME",
	.help = "what passes here (default any: all of them)", .string = &opt.interface,
	.complete = print_interfaces,
};

const struct verb verb_live = {
	.name = "live", .args = "[FILTER]",
	.help = "transitions as an interface shows them, without the module",
	.filter = FILTER_OF_EVENTS,
	.options = {
		&option_netns, &option_ipv4, &option_ipv6, &option_interface, &option_count,
		&option_for, &option_buffer, &option_quiet, &option_flows, &option_counters,
		&option_by, &option_sort, &option_top, &option_explain, &option_graph,
		&option_format,
	},
	.says = {
		{ OPTION_COUNT, "stop after N transitions, or flows", NULL },
		{ OPTION_QUIET, "print no transitions", NULL },
		{ OPTION_FLOWS, "print a line for each flow as it ends, and at the end for the others",
		  NULL },
		{ OPTION_SORT, TALLY_SORT_HELP, NULL },
		{ OPTION_BUFFER, "size of the capture buffer (default 16 MiB)", NULL },
	},
	.run = run_live,
};
