// SPDX-License-Identifier: GPL-2.0
/*
 * Labels take few values: states, ends, names of counters, network namespaces with --all-netns, and
 * services, of which only those with the most trouble have rows. A flow is never a label.
 */
#include <stdlib.h>
#include <string.h>

#include "data/names.h"
#include "data/tuple.h"
#include "kernel/netns.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "tcpfsm_version.h"
#include "verbs/export/metrics.h"

#define SERVICES	100	/* with rows of their own; the others are summed up */

struct netns {
	struct stats stats;
	char label[288];	/* with a comma behind it; "" without --all-netns */
};

struct metrics {
	FILE *out;
	bool openmetrics;
	struct netns *netns;
	size_t nr_netns;
	struct service *service;
	size_t services;
	struct { char name[32]; u64 value; } counter[128];
	size_t counters;
};

/* ---- reading ---- */

static void gather_stats(const struct stats *s, void *arg)
{
	struct metrics *m = arg;
	char name[NETNS_NAME];
	struct netns *ns;

	m->netns = array_grow(m->netns, m->nr_netns, sizeof(*m->netns));
	ns = &m->netns[m->nr_netns++];
	ns->stats = *s;
	*ns->label = '\0';
	if (!opt.all_netns)
		return;
	if (netns_name(name, s->netns))
		snprintf(ns->label, sizeof(ns->label), "netns=\"%s\",", name);
	else
		snprintf(ns->label, sizeof(ns->label), "netns=\"%u\",", s->netns);
}

static void gather_service(const struct service *s, void *arg)
{
	struct metrics *m = arg;

	m->service = array_grow(m->service, m->services, sizeof(*m->service));
	m->service[m->services++] = *s;
}

static void gather_counter(const struct counter *c, void *arg)
{
	struct metrics *m = arg;

	if (m->counters == ARRAY_SIZE(m->counter))
		return;
	snprintf(m->counter[m->counters].name, sizeof(m->counter->name), "%s", c->name);
	m->counter[m->counters++].value = c->value;
}

static int ask_stats(struct kernel *k, struct metrics *m)
{
	struct stats stats = { 0 };
	int err;

	if (opt.all_netns)
		return kernel_all_stats(k, gather_stats, m);
	err = kernel_stats(k, &stats);
	if (!err)
		gather_stats(&stats, m);
	return err;
}

/* ---- writing ---- */

/* OpenMetrics leaves _total out of the name of a counter's family; the older format does not. */
static void write_family(struct metrics *m, const char *name, const char *type, const char *help)
{
	const char *total = !strcmp(type, "counter") && !m->openmetrics ? "_total" : "";

	fprintf(m->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, total, help, name, total, type);
}

static void write_flows(struct metrics *m)
{
	const struct netns *ns;
	unsigned int i, state;

	write_family(m, "tcpfsm_flows", "gauge", "Flows now, by the state of one of their ends.");
	for (ns = m->netns; ns < m->netns + m->nr_netns; ns++)
		for (i = 0; i < STATES_LISTED; i++) {
			state = state_order[i];
			fprintf(m->out, "tcpfsm_flows{%sside=\"orig\",state=\"%s\"} %llu\n",
				ns->label, state_name(state),
				(unsigned long long)stats_orig(&ns->stats, state));
			fprintf(m->out, "tcpfsm_flows{%sside=\"resp\",state=\"%s\"} %llu\n",
				ns->label, state_name(state),
				(unsigned long long)stats_resp(&ns->stats, state));
		}
}

/* The cells that are not zero; @row and @column: the labels of their two states. */
static void write_cells(struct metrics *m, const char *name, const struct netns *ns,
			const char *row, const char *column, const state_matrix cells)
{
	unsigned int i, j;

	for (i = 1; i < TCPFSM_STATES; i++)
		for (j = 1; j < TCPFSM_STATES; j++)
			if (cells[i][j])
				fprintf(m->out, "%s{%s%s=\"%s\",%s=\"%s\"} %llu\n", name,
					ns->label, row, state_name(i), column, state_name(j),
					(unsigned long long)cells[i][j]);
}

static void write_matrices(struct metrics *m)
{
	const struct netns *ns, *end = m->netns + m->nr_netns;

	write_family(m, "tcpfsm_flow_pairs", "gauge", "Flows now, by the states of both their ends.");
	for (ns = m->netns; ns < end; ns++)
		write_cells(m, "tcpfsm_flow_pairs", ns, "orig", "resp", ns->stats.pairs);
	write_family(m, "tcpfsm_transitions", "counter", "Moves of endpoints between states.");
	for (ns = m->netns; ns < end; ns++)
		write_cells(m, "tcpfsm_transitions_total", ns, "from", "to", ns->stats.moves);
}

/* Each bucket's bound is four times the one before, up to 19 hours. Only stays that ended count. */
static void write_dwell(struct metrics *m)
{
	const struct netns *ns;
	unsigned int i, b;
	u64 sum;

	write_family(m, "tcpfsm_state_dwell_seconds", "histogram",
		     "How long endpoints stayed in a state that they left.");
	if (m->openmetrics)
		fprintf(m->out, "# UNIT tcpfsm_state_dwell_seconds seconds\n");
	for (ns = m->netns; ns < m->netns + m->nr_netns; ns++)
		for (i = 0; i < STATES_LISTED; i++) {
			const u64 *bucket = ns->stats.dwell[state_order[i]];

			for (b = 0, sum = 0; b < TCPFSM_DWELL_BUCKETS; b++) {
				sum += bucket[b];
				if (b % 2 && b < 36)
					fprintf(m->out, "tcpfsm_state_dwell_seconds_bucket{%sstate=\"%s\",le=\"%.10g\"} %llu\n",
						ns->label, state_name(state_order[i]),
						(double)(2ULL << b) / 1e6, (unsigned long long)sum);
			}
			fprintf(m->out, "tcpfsm_state_dwell_seconds_bucket{%sstate=\"%s\",le=\"+Inf\"} %llu\n",
				ns->label, state_name(state_order[i]), (unsigned long long)sum);
			/* The sum is not known, and OpenMetrics has no count without it. */
			if (!m->openmetrics)
				fprintf(m->out, "tcpfsm_state_dwell_seconds_count{%sstate=\"%s\"} %llu\n",
					ns->label, state_name(state_order[i]),
					(unsigned long long)sum);
		}
}

/* ---- services ---- */

static u64 count_trouble(const struct service *s)
{
	return s->count[TCPFSM_SYN_RCVD] + s->count[TCPFSM_CLOSE_WAIT];
}

/* Services with the most ends half-open or in CLOSE_WAIT first, then those with the most flows. */
static int by_trouble(const void *a, const void *b)
{
	const struct service *x = a, *y = b;
	u64 i = count_trouble(x), j = count_trouble(y);

	if (i != j)
		return i < j ? 1 : -1;
	return x->flows < y->flows ? 1 : x->flows > y->flows ? -1 : 0;
}

static void add_service(struct service *sum, const struct service *s)
{
	unsigned int i;

	for (i = 0; i < TCPFSM_STATES; i++)
		sum->count[i] += s->count[i];
	sum->flows += s->flows;
	sum->handshakes += s->handshakes;
	sum->refused += s->refused;
	sum->reset += s->reset;
	sum->synack_resent += s->synack_resent;
	sum->connects += s->connects;
	sum->connect_ns += s->connect_ns;
	sum->accepts += s->accepts;
	sum->accept_ns += s->accept_ns;
	sum->unreachable += s->unreachable;
	sum->mtu += s->mtu;
}

/* The numbers of a service, all of them u64. */
static const struct {
	const char *name, *type, *help;
	size_t at;
	bool seconds;
} of_service[] = {
#define FIELD(field)	offsetof(struct service, field)
	{ "half_open", "gauge", "Handshakes that wait for their last ACK.",
	  FIELD(count[TCPFSM_SYN_RCVD]), false },
	{ "established", "gauge", "Responding ends in ESTABLISHED.",
	  FIELD(count[TCPFSM_ESTABLISHED]), false },
	{ "close_wait", "gauge", "Responding ends in CLOSE_WAIT.",
	  FIELD(count[TCPFSM_CLOSE_WAIT]), false },
	{ "flows", "counter", "Flows so far.", FIELD(flows), false },
	{ "handshakes", "counter", "Handshakes completed.", FIELD(handshakes), false },
	{ "refused", "counter", "Connections refused.", FIELD(refused), false },
	{ "reset", "counter", "Connections reset after the handshake.", FIELD(reset), false },
	{ "synack_resent", "counter", "SYN|ACKs sent again after their ACK: a full accept queue.",
	  FIELD(synack_resent), false },
	{ "connects", "counter", "SYNs answered by a SYN|ACK.", FIELD(connects), false },
	{ "connect_seconds", "counter", "Their time from SYN to SYN|ACK, summed up.",
	  FIELD(connect_ns), true },
	{ "accepts", "counter", "Handshakes whose last ACK came.", FIELD(accepts), false },
	{ "accept_seconds", "counter", "Their time from SYN to that ACK, summed up.",
	  FIELD(accept_ns), true },
	{ "unreachable", "counter", "ICMP errors: an end of a flow is not reached.",
	  FIELD(unreachable), false },
	{ "mtu", "counter", "ICMP errors: a segment is too big for its path.", FIELD(mtu), false },
#undef FIELD
};

static void write_service(struct metrics *m, size_t what, const struct service *s,
			  const char *label)
{
	const char *total = !strcmp(of_service[what].type, "counter") ? "_total" : "";
	u64 v;

	memcpy(&v, (const char *)s + of_service[what].at, sizeof(v));
	fprintf(m->out, "tcpfsm_service_%s%s{service=\"%s\"} ", of_service[what].name, total,
		label);
	if (of_service[what].seconds)
		fprintf(m->out, "%.9f\n", (double)v / NSEC);
	else
		fprintf(m->out, "%llu\n", (unsigned long long)v);
}

static void write_services(struct metrics *m)
{
	size_t what, i, shown = m->services < SERVICES ? m->services : SERVICES;
	struct service other = { 0 };
	char name[FMT_ENDPOINT];

	if (m->services)
		qsort(m->service, m->services, sizeof(*m->service), by_trouble);
	for (i = 0; i < m->services; i++)
		if (i >= shown || !m->service[i].family)
			add_service(&other, &m->service[i]);
	for (what = 0; what < ARRAY_SIZE(of_service); what++) {
		snprintf(name, sizeof(name), "tcpfsm_service_%s", of_service[what].name);
		write_family(m, name, of_service[what].type, of_service[what].help);
		for (i = 0; i < shown; i++) {
			const struct service *s = &m->service[i];

			if (s->family)
				write_service(m, what, s, fmt_endpoint(name, s->family, s->addr,
								       s->port));
		}
		/* Services move in and out of the others, so a sum of their counters could fall. */
		if (!strcmp(of_service[what].type, "gauge"))
			write_service(m, what, &other, "other");
	}
}

/* ---- counters and the rest ---- */

static void write_counters(struct metrics *m)
{
	size_t i;

	write_family(m, "tcpfsm_counted", "counter",
		     "What the module counts beside states; tcpfsm counters --explain says what each means.");
	for (i = 0; i < m->counters; i++)
		fprintf(m->out, "tcpfsm_counted_total{what=\"%s\"} %llu\n", m->counter[i].name,
			(unsigned long long)m->counter[i].value);
	write_family(m, "tcpfsm_evictions", "counter", "Flows that gave way in a full table, by class.");
	for (i = 0; i < m->counters; i++)
		if (!strncmp(m->counter[i].name, "evicted_", 8))
			fprintf(m->out, "tcpfsm_evictions_total{class=\"%s\"} %llu\n",
				m->counter[i].name + 8, (unsigned long long)m->counter[i].value);
	for (i = 0; i < m->counters; i++) {
		if (strcmp(m->counter[i].name, "events_lost"))
			continue;
		write_family(m, "tcpfsm_events_lost", "counter",
			     "Events not sent to listeners because there was no memory.");
		fprintf(m->out, "tcpfsm_events_lost_total %llu\n",
			(unsigned long long)m->counter[i].value);
	}
}

static void write_table(struct metrics *m)
{
	char version[64] = "unknown";
	FILE *f = fopen("/sys/module/tcpfsm/version", "re");
	u64 entries = 0, limit = 0;
	const struct netns *ns;

	/* With all namespaces, the initial one tells the number of all. */
	for (ns = m->netns; ns < m->netns + m->nr_netns; ns++) {
		entries = ns->stats.entries > entries ? ns->stats.entries : entries;
		limit = ns->stats.limit;
	}
	write_family(m, "tcpfsm_table_entries", "gauge", "Flows in the table.");
	fprintf(m->out, "tcpfsm_table_entries %llu\n", (unsigned long long)entries);
	write_family(m, "tcpfsm_table_limit", "gauge", "The most that there may be (max_flows).");
	fprintf(m->out, "tcpfsm_table_limit %llu\n", (unsigned long long)limit);
	if (f) {
		if (fgets(version, sizeof(version), f))
			version[strcspn(version, "\n")] = '\0';
		fclose(f);
	}
	if (m->openmetrics)
		fprintf(m->out, "# HELP tcpfsm_build Versions.\n# TYPE tcpfsm_build info\n");
	else
		write_family(m, "tcpfsm_build_info", "gauge", "Versions.");
	fprintf(m->out, "tcpfsm_build_info{module=\"%s\",tool=\"%s\"} 1\n", version,
		TCPFSM_VERSION);
}

int metrics_write(FILE *out, struct kernel *k, bool openmetrics)
{
	struct metrics m = { .out = out, .openmetrics = openmetrics };
	int err;

	err = ask_stats(k, &m);
	if (!err)
		err = kernel_services(k, gather_service, &m);
	if (!err)
		err = kernel_counters(k, gather_counter, &m);
	if (!err) {
		write_flows(&m);
		write_matrices(&m);
		write_dwell(&m);
		write_services(&m);
		write_counters(&m);
		write_table(&m);
		if (openmetrics)
			fprintf(out, "# EOF\n");
	}
	free(m.netns);
	free(m.service);
	return err;
}
