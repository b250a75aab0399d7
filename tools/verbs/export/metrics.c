// SPDX-License-Identifier: GPL-2.0
/*
 * Labels take few values: states, ends, names of counters, with --all-netns the network namespaces
 * with the most flows, and services, of which only those with the most trouble have rows. A flow is
 * never a label.
 */
#include <stdlib.h>
#include <string.h>

#include "data/names.h"
#include "data/tuple.h"
#include "kernel/kernel.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "tcpfsm_version.h"
#include "verbs/export/metrics.h"

#define SERVICES	100	/* with rows of their own; the others are summed up */
#define PLACES		100	/* namespaces with rows */
#define LABEL		(NETNS_NAME + 16)

struct metrics {
	FILE *out;
	bool openmetrics;
	struct stats *place;
	size_t places;
	size_t hidden;		/* more places, without rows */
	struct stats own;
	struct service *service;
	size_t services;
	struct { char name[32]; const struct netns *netns; u64 value; } *counter;
	size_t counters;
};

/* netns="web", if there are several; nothing else may stand before it */
static const char *label_of(char *buf, const struct netns *ns)
{
	*buf = '\0';
	if (opt.all_netns && ns)
		snprintf(buf, LABEL, "netns=\"%s\",", ns->name);
	return buf;
}

/* ---- reading ---- */

static void gather_stats(const struct stats *s, void *arg)
{
	struct metrics *m = arg;

	m->place = array_grow(m->place, m->places, sizeof(*m->place));
	m->place[m->places++] = *s;
}

static u64 count_flows(const struct stats *s)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < TCPFSM_STATES; i++)
		sum += stats_orig(s, i);
	return sum;
}

static int by_flows(const void *a, const void *b)
{
	u64 x = count_flows(a), y = count_flows(b);

	return (x < y) - (x > y);
}

static void hide_places(struct metrics *m)
{
	if (m->places <= PLACES)
		return;
	qsort(m->place, m->places, sizeof(*m->place), by_flows);
	m->hidden = m->places - PLACES;
	m->places = PLACES;
}

static bool has_rows(const struct metrics *m, const struct netns *ns)
{
	size_t i;

	for (i = 0; i < m->places; i++)
		if (m->place[i].netns == ns)
			return true;
	return false;
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

	if (!has_rows(m, c->netns))
		return;
	m->counter = array_grow(m->counter, m->counters, sizeof(*m->counter));
	snprintf(m->counter[m->counters].name, sizeof(m->counter->name), "%s", c->name);
	m->counter[m->counters].netns = c->netns;
	m->counter[m->counters++].value = c->value;
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
	const struct stats *s;
	unsigned int i, state;
	char label[LABEL];

	write_family(m, "tcpfsm_flows", "gauge", "Flows now, by the state of one of their ends.");
	for (s = m->place; s < m->place + m->places; s++)
		for (i = 0; i < STATES_LISTED; i++) {
			state = state_order[i];
			label_of(label, s->netns);
			fprintf(m->out, "tcpfsm_flows{%sside=\"orig\",state=\"%s\"} %llu\n", label,
				state_name(state), (unsigned long long)stats_orig(s, state));
			fprintf(m->out, "tcpfsm_flows{%sside=\"resp\",state=\"%s\"} %llu\n", label,
				state_name(state), (unsigned long long)stats_resp(s, state));
		}
}

/* The cells that are not zero; @row and @column: the labels of their two states. */
static void write_cells(struct metrics *m, const char *name, const struct netns *ns,
			const char *row, const char *column, const state_matrix cells)
{
	char label[LABEL];
	unsigned int i, j;

	label_of(label, ns);

	for (i = 1; i < TCPFSM_STATES; i++)
		for (j = 1; j < TCPFSM_STATES; j++)
			if (cells[i][j])
				fprintf(m->out, "%s{%s%s=\"%s\",%s=\"%s\"} %llu\n", name,
					label, row, state_name(i), column, state_name(j),
					(unsigned long long)cells[i][j]);
}

static void write_matrices(struct metrics *m)
{
	const struct stats *s, *end = m->place + m->places;

	write_family(m, "tcpfsm_flow_pairs", "gauge", "Flows now, by the states of both their ends.");
	for (s = m->place; s < end; s++)
		write_cells(m, "tcpfsm_flow_pairs", s->netns, "orig", "resp", s->pairs);
	write_family(m, "tcpfsm_transitions", "counter", "Moves of endpoints between states.");
	for (s = m->place; s < end; s++)
		write_cells(m, "tcpfsm_transitions_total", s->netns, "from", "to", s->moves);
}

/* Each bucket's bound is four times the one before, up to 19 hours. Only stays that ended count. */
static void write_dwell_of(struct metrics *m, const struct stats *s, unsigned int state)
{
	const u64 *bucket = s->dwell[state];
	char label[LABEL];
	unsigned int b;
	u64 sum = 0;

	label_of(label, s->netns);
	for (b = 0; b < TCPFSM_DWELL_BUCKETS; b++) {
		sum += bucket[b];
		if (b % 2 && b < 36)
			fprintf(m->out, "tcpfsm_state_dwell_seconds_bucket{%sstate=\"%s\",le=\"%.10g\"} %llu\n",
				label, state_name(state), (double)(2ULL << b) / 1e6,
				(unsigned long long)sum);
	}
	fprintf(m->out, "tcpfsm_state_dwell_seconds_bucket{%sstate=\"%s\",le=\"+Inf\"} %llu\n",
		label, state_name(state), (unsigned long long)sum);
	/* The sum is not known, and OpenMetrics has no count without it. */
	if (!m->openmetrics)
		fprintf(m->out, "tcpfsm_state_dwell_seconds_count{%sstate=\"%s\"} %llu\n", label,
			state_name(state), (unsigned long long)sum);
}

static void write_dwell(struct metrics *m)
{
	const struct stats *s;
	unsigned int i;

	write_family(m, "tcpfsm_state_dwell_seconds", "histogram",
		     "How long endpoints stayed in a state that they left.");
	if (m->openmetrics)
		fprintf(m->out, "# UNIT tcpfsm_state_dwell_seconds seconds\n");
	for (s = m->place; s < m->place + m->places; s++)
		for (i = 0; i < STATES_LISTED; i++)
			write_dwell_of(m, s, state_order[i]);
}

/* ---- services ---- */

static u64 count_trouble(const struct service *s)
{
	return s->count[TCPFSM_LISTEN] + s->count[TCPFSM_SYN_RCVD] + s->count[TCPFSM_CLOSE_WAIT];
}

/*
 * Services with the most ends unanswering, half-open or in CLOSE_WAIT first, then those with the
 * most flows.
 */
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
	{ "unanswered", "gauge", "Flows whose SYN it has not answered.",
	  FIELD(count[TCPFSM_LISTEN]), false },
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
	char netns[LABEL];
	u64 v;

	memcpy(&v, (const char *)s + of_service[what].at, sizeof(v));
	fprintf(m->out, "tcpfsm_service_%s%s{%sservice=\"%s\"} ", of_service[what].name, total,
		label_of(netns, s->netns), label);
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

/* Without other labels, no comma may stand behind the one of the namespace. */
static void write_bare_name(struct metrics *m, const char *name, const char *netns)
{
	int len = (int)strlen(netns);

	if (len)
		fprintf(m->out, "%s_total{%.*s} ", name, len - 1, netns);
	else
		fprintf(m->out, "%s_total ", name);
}

/* A counter by itself: of each namespace, with @label around what stands behind @prefix. */
static void write_counter(struct metrics *m, const char *name, const char *prefix,
			  const char *label)
{
	size_t i, len = strlen(prefix);
	char netns[LABEL];

	for (i = 0; i < m->counters; i++) {
		if (strncmp(m->counter[i].name, prefix, len))
			continue;
		label_of(netns, m->counter[i].netns);
		if (label)
			fprintf(m->out, "%s_total{%s%s=\"%s\"} ", name, netns, label,
				m->counter[i].name + len);
		else
			write_bare_name(m, name, netns);
		fprintf(m->out, "%llu\n", (unsigned long long)m->counter[i].value);
	}
}

static void write_counters(struct metrics *m)
{
	write_family(m, "tcpfsm_counted", "counter",
		     "What the module counts beside states; tcpfsm counters --explain says what each means.");
	write_counter(m, "tcpfsm_counted", "", "what");
	write_family(m, "tcpfsm_evictions", "counter", "Flows that gave way in a full table, by class.");
	write_counter(m, "tcpfsm_evictions", "evicted_", "class");
	write_family(m, "tcpfsm_events_lost", "counter",
		     "Events not sent to listeners because there was no memory.");
	write_counter(m, "tcpfsm_events_lost", "events_lost", NULL);
}

static void write_table(struct metrics *m)
{
	char version[64] = "unknown";
	FILE *f = fopen("/sys/module/tcpfsm/version", "re");

	if (opt.all_netns) {
		write_family(m, "tcpfsm_netns", "gauge", "Network namespaces that have seen TCP.");
		fprintf(m->out, "tcpfsm_netns %zu\n", m->places + m->hidden);
	}
	write_family(m, "tcpfsm_table_entries", "gauge", "Flows in the table.");
	fprintf(m->out, "tcpfsm_table_entries %llu\n", (unsigned long long)m->own.entries);
	write_family(m, "tcpfsm_table_limit", "gauge", "The most that there may be (max_flows).");
	fprintf(m->out, "tcpfsm_table_limit %llu\n", (unsigned long long)m->own.limit);
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

	err = kernel_own_stats(k, &m.own);
	if (!err)
		err = kernel_each_stats(k, gather_stats, &m);
	hide_places(&m);
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
	free(m.place);
	free(m.counter);
	free(m.service);
	return err;
}
