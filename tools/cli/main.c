// SPDX-License-Identifier: GPL-2.0
/* The table of verbs and that of options: they drive parsing, help and completion. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/netns.h"
#include "lib/fmt.h"
#include "lib/out.h"
#include "lib/tool.h"
#include "tcpfsm_version.h"

struct options opt;

const struct verb verbs[] = {
	{ "states", "", "states of both endpoints: how many now, how often entered", "NAx",
	  verb_states },
	{ "pairs", "", "flows by their pair of states", "N", verb_pairs },
	{ "transitions", "", "moves between states so far", "Nx", verb_transitions },
	{ "flows", "[FILTER]", "flows now, one a line", "N46ex", verb_flows },
	{ "flow", "NUMBER | END END", "one flow's life, its sockets, and nf_conntrack's view",
	  "N", verb_flow },
	{ "services", "", "responding addresses and ports, over all their flows", "N46",
	  verb_services },
	{ "counters", "", "what was counted, and what each counter means", "Nx", verb_counters },
	{ "dwell", "", "how long endpoints stayed in each state", "N", verb_dwell },
	{ "log", "[FILTER]", "the last transitions, oldest first", "N46", verb_log },
	{ "monitor", "[FILTER]", "transitions as they happen", "N46cdbqfR", verb_monitor },
	{ "top", "[FILTER]", "live: states and their rates, services, flows that are stuck",
	  "N46Bicd", verb_top },
	{ "doctor", "", "what is wrong now and why, worst first (status 0: nothing, 1: something)",
	  "N", verb_doctor },
	{ "graph", "", "the figure of RFC 793, with what is in the states and on the arcs", "NFi",
	  verb_graph },
	{ "export", "", "a server of metrics for Prometheus, and of a live page", "NALq",
	  verb_export },
	{ "ship", "URL", "transitions and flows that ended, into a ClickHouse server, by way of a spool",
	  "NdifqSM", verb_ship },
	{ "ipfix", "HOST:PORT|FILE [FILTER]", "flows that ended, as IPFIX records over UDP or into a file",
	  "N46cdq", verb_ipfix },
	{ "replay", "FILE [FILTER]", "the same engine over a capture (pcap, pcapng), or a record of monitor",
	  "46qfokTxgF", verb_replay },
	{ NULL, NULL, NULL, NULL, NULL },
};

/* Of these every verb knows; the others stand in the lists above. */
#define ANYWHERE	"jnrHhV"

static const struct option_row {
	char id;
	char letter;		/* of rows that share it, one without a value is first */
	const char *name, *arg, *help;
	bool *set;		/* by this option, if that is all it does */
} rows[] = {
	{ 'j', 'j', "json", NULL, "JSON; one object a line for streams", &opt.json },
	{ 'n', 'n', "numeric", NULL, "do not resolve names (the default)", NULL },
	{ 'r', 'r', "resolve", NULL, "resolve names of hosts and ports in text", &opt.resolve },
	{ 'H', 'H', "no-header", NULL, "no header line", &opt.no_header },
	{ 'N', 'N', "netns", "NAME", "look into a network namespace: name, path or process id",
	  NULL },
	{ '4', '4', "ipv4", NULL, "IPv4 only", NULL },
	{ '6', '6', "ipv6", NULL, "IPv6 only", NULL },
	{ 'A', 'A', "all-netns", NULL, "every network namespace (from the initial one)",
	  &opt.all_netns },
	{ 'e', 'e', "extended", NULL, "a second line: history, sockets, start", &opt.extended },
	{ 'x', 0, "explain", NULL, "say in a sentence what each word means", &opt.explain },
	{ 'c', 'c', "count", "N", "stop after N transitions, or samples (top)", NULL },
	{ 'd', 0, "for", "TIME", "stop after so long", NULL },
	{ 'B', 'b', "batch", NULL, "plain text, one sample after the other", &opt.batch },
	{ 'b', 'b', "buffer", "BYTES", "what may wait for this reader (default 128 MiB)", NULL },
	{ 'q', 'q', "quiet", NULL, "no transitions (replay), no notes of progress (monitor)",
	  &opt.quiet },
	{ 'f', 0, "flows", NULL, "a line for every flow: at the end (replay), as it ends (monitor); no transitions (ship)",
	  &opt.flows },
	{ 'o', 0, "counters", NULL, "at the end, what was counted", &opt.counters },
	{ 'R', 0, "record", "FILE", "write what is printed to a file, too, for replay", NULL },
	{ 'k', 0, "checksums", NULL, "ignore segments whose TCP checksum is wrong",
	  &opt.checksums },
	{ 'T', 0, "no-expire", NULL, "no time-out ends or moves a flow", &opt.no_expire },
	{ 'i', 'i', "interval", "TIME", "between samples (top, 1s), deliveries (ship, 10s); rates over so long (graph)",
	  NULL },
	{ 'g', 0, "graph", NULL, "at the end, the figure of RFC 793 with what moved where",
	  &opt.graph },
	{ 'F', 0, "format", "FORMAT", "of the figure: text (default), dot, svg", NULL },
	{ 'L', 0, "listen", "ADDR:PORT", "where to serve (default 127.0.0.1:9717)", NULL },
	{ 'S', 0, "spool", "DIR", "where rows wait for the server (default /var/spool/tcpfsm)",
	  NULL },
	{ 'M', 0, "spool-limit", "BYTES", "above which the oldest of them go (default 1 GiB)",
	  NULL },
	{ 'h', 'h', "help", NULL, "this help; after a verb, its own", NULL },
	{ 'V', 'V', "version", NULL, "print the version", NULL },
};

static const struct verb *find_verb(const char *name)
{
	const struct verb *v;

	for (v = verbs; v->name; v++)
		if (name && !strcmp(name, v->name))
			return v;
	return NULL;
}

static bool fits(const struct option_row *row, const struct verb *v)
{
	return !v || strchr(ANYWHERE, row->id) || strchr(v->options, row->id);
}

/* Verbs may share a letter: what it means to this one, else to any; NULL: nothing. */
static const struct option_row *letter_row(char letter, const struct verb *v)
{
	const struct option_row *any = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].letter != letter)
			continue;
		if (fits(&rows[i], v))
			return &rows[i];
		if (!any)
			any = &rows[i];
	}
	return any;
}

static void print_rows(const struct verb *v)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct option_row *o = &rows[i];
		char name[64];

		if (!fits(o, v))
			continue;
		snprintf(name, sizeof(name), "--%s%s%s", o->name, o->arg ? " " : "",
			 o->arg ? o->arg : "");
		printf("  %c%c%c %-18s %s\n", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
		       o->letter ? ',' : ' ', name, o->help);
	}
}

void print_options(const char *verb)
{
	const struct verb *v = find_verb(verb);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!fits(&rows[i], v))
			continue;
		printf("--%s\n", rows[i].name);
		if (rows[i].letter && letter_row(rows[i].letter, v) == &rows[i])
			printf("-%c\n", rows[i].letter);
	}
}

const char *own_option(const struct verb *v, unsigned int n)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (strchr(v->options, rows[i].id) && !n--)
			return rows[i].name;
	return NULL;
}

static int help(const struct verb *v)
{
	const struct verb *w;

	if (v) {
		printf("Usage: tcpfsm [OPTIONS] %s %s\n\n  %s\n\nOptions:\n", v->name, v->args,
		       v->help);
		print_rows(v);
	} else {
		printf("Usage: tcpfsm [OPTIONS] VERB [ARGS]\n\n"
		       "The RFC 9293 states of both endpoints of every TCP flow.\n\nVerbs:\n");
		for (w = verbs; w->name; w++)
			printf("  %-12s %-14s %s\n", w->name, w->args, w->help);
		printf("\nOptions, before or behind the verb (tcpfsm VERB --help: which are its own):\n");
		print_rows(NULL);
	}
	if (!v || strstr(v->args, "FILTER"))
		printf("\nFILTER is made of: state STATE, exclude STATE, orig|resp state STATE, pair A:B,\n"
		       "  sport|dport|port [OP] :PORT, src|dst|host ADDR[/LEN][:PORT], age|idle|dwell [OP] TIME,\n"
		       "  from|to STATE, cause CAUSE, reason REASON, flag FLAG, id N; and, or, not, ( ). OP is = != < <= > >=. See tcpfsm(8).\n");
	return EXIT_FOUND;
}

/* Return: whether it is one from 1 to @most */
static bool read_number(const char *arg, u64 most, u64 *n)
{
	char *end;

	*n = strtoull(arg, &end, 10);
	return *arg >= '0' && *arg <= '9' && !*end && *n && *n <= most;
}

static bool parse_limits(char id, const char *arg)
{
	u64 *time, bytes;

	if (id == 'b') {
		if (read_number(arg, INT_MAX, &bytes)) {
			opt.buffer = bytes;
			return true;
		}
		fail("'%s' is no size: --buffer takes bytes, 1 to %d", arg, INT_MAX);
		return false;
	}
	if (id == 'c') {
		if (read_number(arg, ULLONG_MAX, &opt.count))
			return true;
		fail("'%s' is no count: --count takes 1 or more", arg);
		return false;
	}
	if (id == 'M') {
		if (read_number(arg, ULLONG_MAX, &opt.spool_limit))
			return true;
		fail("'%s' is no size: --spool-limit takes bytes", arg);
		return false;
	}
	time = id == 'd' ? &opt.for_ns : &opt.interval_ns;
	if (read_span(arg, time) && *time)
		return true;
	fail("'%s' is no time: --%s takes one like 500ms, 10s or 2h", arg,
	     id == 'd' ? "for" : "interval");
	return false;
}

static bool set_option(char id, const char *arg)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].id == id && rows[i].set)
			*rows[i].set = true;
	switch (id) {
	case 'n':
		opt.resolve = false;
		break;
	case 'N':
		opt.netns = arg;
		break;
	case '4':
		opt.family = AF_INET;
		break;
	case '6':
		opt.family = AF_INET6;
		break;
	case 'F':
		opt.format = arg;
		break;
	case 'R':
		opt.record = arg;
		break;
	case 'L':
		opt.listen = arg;
		break;
	case 'S':
		opt.spool = arg;
		break;
	case 'b':
	case 'c':
	case 'd':
	case 'i':
	case 'M':
		return parse_limits(id, arg);
	}
	return true;
}

#define LONG	0x100		/* beside the id of an option that was given by its name */

static struct option longs[ARRAY_SIZE(rows) + 1];

/* For getopt_long(): @first, then the letters as they are meant to a verb. */
static const char *letters(const char *first, const struct verb *v)
{
	static char text[2 * ARRAY_SIZE(rows) + 3];
	char *l = stpcpy(text, first);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct option_row *o = &rows[i];

		longs[i] = (struct option){ o->name, o->arg ? required_argument : no_argument, NULL,
					    o->id | LONG };
		if (!o->letter || letter_row(o->letter, v) != o)
			continue;
		*l++ = o->letter;
		if (o->arg)
			*l++ = ':';
	}
	*l = '\0';
	return text;
}

/* Which verb there is, wherever it stands, for what the letters mean. */
static const struct verb *verb_among(int argc, char **argv)
{
	const struct verb *v = NULL;
	const char *any = letters("-:", NULL);	/* words in their order */
	int c;

	while (!v && (c = getopt_long(argc, argv, any, longs, NULL)) != -1)
		if (c == 1)
			v = find_verb(optarg);
	optind = 0;
	return v;
}

/* Return: the ids of the options that were given, NULL if one was wrong, and said which. */
static const char *parse_options(int argc, char **argv)
{
	static char given[ARRAY_SIZE(rows) + 1];
	const struct verb *v = verb_among(argc, argv);
	const char *known = letters(":", v);
	char id;
	int c;

	while ((c = getopt_long(argc, argv, known, longs, NULL)) != -1) {
		if (c == ':') {
			fail("option '%s' needs a value; see tcpfsm --help", argv[optind - 1]);
			return NULL;
		}
		if (c == '?') {
			if (optopt && !strchr(known, optopt))
				fail("no such option: '-%c'; see tcpfsm --help", optopt);
			else
				fail("no such option: '%s'; see tcpfsm --help", argv[optind - 1]);
			return NULL;
		}
		id = c & LONG ? c & ~LONG : letter_row(c, v)->id;
		if (!set_option(id, optarg))
			return NULL;
		if (!strchr(given, id))
			given[strlen(given)] = id;
	}
	return given;
}

static bool options_fit(const struct verb *v, const char *given)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!strchr(given, rows[i].id) || fits(&rows[i], v))
			continue;
		fail("%s has no option --%s; see tcpfsm %s --help", v->name, rows[i].name, v->name);
		return false;
	}
	return true;
}

static int run(const struct verb *v, int argc, char **argv)
{
	int status;

	if (argc && !*v->args)
		return fail("%s takes no argument, but got '%s'", v->name, argv[0]);
	if (opt.netns && !netns_enter(opt.netns))
		return EXIT_ERROR;
	status = v->run(argc, argv);
	out_flush();
	return status;
}

int main(int argc, char **argv)
{
	const struct verb *v;
	const char *given;

	if (argc > 1 && !strcmp(argv[1], "--complete"))
		return complete(argc - 2, argv + 2);
	if (argc == 3 && !strcmp(argv[1], "--manual"))
		return manual(argv[2]);
	opterr = 0;
	given = parse_options(argc, argv);
	if (!given)
		return EXIT_ERROR;
	if (strchr(given, 'V')) {
		printf("tcpfsm %s\n", TCPFSM_VERSION);
		return EXIT_FOUND;
	}
	v = find_verb(argv[optind]);
	if (argv[optind] && !v)
		return fail("no such verb: '%s'; see tcpfsm --help", argv[optind]);
	if (strchr(given, 'h'))
		return help(v);
	if (!v)
		return fail("which verb? See tcpfsm --help");
	if (!options_fit(v, given))
		return EXIT_ERROR;
	return run(v, argc - optind - 1, argv + optind + 1);
}
