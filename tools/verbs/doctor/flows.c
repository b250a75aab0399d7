// SPDX-License-Identifier: GPL-2.0
/* What is wrong with flows: who holds them, who resets them, who will forget them. */
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/names.h"
#include "kernel/conntrack.h"
#include "kernel/process.h"
#include "kernel/socket.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "verbs/doctor/doctor.h"

#define STUCK		(60 * NSEC)	/* what lasts so long does not just happen to be seen */
#define NO_ANSWER	(3 * NSEC)	/* the first SYN was sent again twice */
#define RECENTLY	(60 * NSEC)	/* of resets */
#define RESETS		10		/* fewer are no news */
#define FORGETS		120		/* seconds */
#define HALF_CLOSED	(10 * NSEC)	/* sooner, it may just be closing */
#define GROUPS		64		/* of a kind; who comes later counts among the others */

/* ---- what belongs together ---- */

struct group {
	struct group *next;
	char key[160];
	u64 count, extra;
	u64 most, least;		/* of what is added */
	const struct flow *worst;	/* with the most */
};

static struct group *get_group(struct group **groups, const char *key)
{
	static const char others[] = "Others, too many to name:";
	unsigned int n = 0;
	struct group *g;

	for (g = *groups; g; g = g->next, n++)
		if (!strcmp(g->key, key))
			return g;
	if (n >= GROUPS && strcmp(key, others))
		return get_group(groups, others);
	g = zalloc(sizeof(*g));
	snprintf(g->key, sizeof(g->key), "%s", key);
	g->least = ~0ULL;
	g->next = *groups;
	*groups = g;
	return g;
}

static void add_to_group(struct group *g, u64 value, const struct flow *f)
{
	g->count++;
	if (!g->worst || value > g->most) {
		g->most = value;
		g->worst = f;
	}
	if (value < g->least)
		g->least = value;
}

static struct group *take_group(struct group **groups)
{
	struct group *g = *groups;

	if (g)
		*groups = g->next;
	return g;
}

/* ---- words ---- */

const char *s_of(u64 n)
{
	return n == 1 ? "" : "s";
}

static void show_flow(struct finding *f, const char *how, const struct flow *flow)
{
	char src[FMT_ENDPOINT], dst[FMT_ENDPOINT], pair[FMT_PAIR], span[FMT_SPAN];

	evidence(f, "%s: flow %llu, %s > %s, %s, silent for %s", how,
		 (unsigned long long)flow->id, fmt_src(src, &flow->tuple),
		 fmt_dst(dst, &flow->tuple),
		 fmt_pair(pair, flow->end[TCPFSM_ORIG].state, flow->end[TCPFSM_RESP].state),
		 fmt_span(span, flow->idle));
}

/* ---- sockets by cookie ---- */

static struct sock *sockets;
static size_t nr_sockets;

static void keep_socket(const struct sock *s, void *arg)
{
	(void)arg;
	sockets = array_grow(sockets, nr_sockets, sizeof(*sockets));
	sockets[nr_sockets++] = *s;
}

static int by_cookie(const void *a, const void *b)
{
	const struct sock *x = a, *y = b;

	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

/* Who holds an end: a process here, or a host elsewhere. */
static void name_holder(char *buf, size_t size, const struct flow *f, unsigned int end)
{
	struct sock key = { .cookie = f->end[end].cookie };
	const struct sock *s = NULL;
	const struct process *p;
	char addr[FMT_ADDR];

	if (key.cookie && nr_sockets)
		s = bsearch(&key, sockets, nr_sockets, sizeof(*sockets), by_cookie);
	p = s ? process_of(s->inode) : NULL;
	if (p)
		snprintf(buf, size, "%s (pid %d)", p->name, p->pid);
	else if (is_local_end(f, end))
		snprintf(buf, size, "a process of this host that cannot be told");
	else
		snprintf(buf, size, "%s", fmt_addr(addr, f->tuple.family, end == TCPFSM_ORIG ?
						   f->tuple.src : f->tuple.dst));
}

/* Who should acknowledge its FIN. */
static void name_peer(char *buf, size_t size, const struct flow *f, unsigned int end)
{
	char addr[FMT_ADDR];

	snprintf(buf, size, "%s", fmt_addr(addr, f->tuple.family, end == TCPFSM_ORIG ?
					   f->tuple.dst : f->tuple.src));
}

/* ---- stuck ---- */

/* Ends that have been in one of these states for so long, by who is to blame. */
static struct group *group_stuck(const struct patient *p, u32 states, u64 least,
			   void (*blame)(char *buf, size_t size, const struct flow *f,
					 unsigned int end))
{
	struct group *groups = NULL;
	unsigned int end;
	char who[128];
	size_t i;

	for (i = 0; i < p->flows; i++)
		for (end = 0; end < TCPFSM_ENDS; end++) {
			const struct flow_end *e = &p->flow[i].end[end];

			if (!(states & 1U << e->state) || e->dwell < least)
				continue;
			blame(who, sizeof(who), &p->flow[i], end);
			add_to_group(get_group(&groups, who), e->dwell, &p->flow[i]);
		}
	return groups;
}

/* The peer has closed, the application has not. */
static void find_close_wait(const struct patient *p)
{
	struct group *groups = group_stuck(p, 1U << TCPFSM_CLOSE_WAIT, STUCK, name_holder), *g;
	char span[FMT_SPAN];
	struct finding *f;

	while ((g = take_group(&groups))) {
		f = finding(RANK_WARNING, "close-wait", g->count,
			    "%s holds %llu connection%s in CLOSE_WAIT, the oldest for %s: the peer has closed, it has not (a leaked connection: close() is never called).",
			    g->key, (unsigned long long)g->count, s_of(g->count),
			    fmt_span(span, g->most));
		show_flow(f, "the oldest", g->worst);
		look_with(f, "tcpfsm flows -e state close-wait dwell gt 1m");
		free(g);
	}
}

static void find_unanswered_fins(const struct patient *p)
{
	struct group *groups = group_stuck(p, 1U << TCPFSM_FIN_WAIT_1 | 1U << TCPFSM_CLOSING |
				     1U << TCPFSM_LAST_ACK, STUCK / 6, name_peer), *g;
	char span[FMT_SPAN];
	struct finding *f;

	while ((g = take_group(&groups))) {
		f = finding(RANK_WARNING, "fin-unanswered", g->count,
			    "%s does not acknowledge the FIN of %llu connection%s, of the oldest for %s: it is dead, or a firewall between has forgotten them.",
			    g->key, (unsigned long long)g->count, s_of(g->count),
			    fmt_span(span, g->most));
		show_flow(f, "the oldest", g->worst);
		look_with(f, "tcpfsm flows state fin-wait-1 state last-ack state closing");
		free(g);
	}
}

static void find_unanswered_syns(const struct patient *p)
{
	struct group *groups = NULL, *g;
	char where[FMT_ENDPOINT], span[FMT_SPAN];
	struct finding *f;
	size_t i;

	for (i = 0; i < p->flows; i++) {
		const struct flow *flow = &p->flow[i];

		if (flow->end[TCPFSM_ORIG].state != TCPFSM_SYN_SENT ||
		    flow->end[TCPFSM_RESP].state != TCPFSM_LISTEN ||
		    flow->end[TCPFSM_ORIG].dwell < NO_ANSWER)
			continue;
		add_to_group(get_group(&groups, fmt_dst(where, &flow->tuple)), flow->end[TCPFSM_ORIG].dwell,
		    flow);
	}
	while ((g = take_group(&groups))) {
		f = finding(RANK_WARNING, "syn-unanswered", g->count,
			    "%s leaves SYNs unanswered: %llu connection%s wait%s, the oldest for %s (it is down, a firewall drops them, or its accept queue is full).",
			    g->key, (unsigned long long)g->count, s_of(g->count),
			    g->count == 1 ? "s" : "", fmt_span(span, g->most));
		show_flow(f, "the oldest", g->worst);
		look_with(f, "tcpfsm flows state syn-sent");
		free(g);
	}
}

/* ---- ports ---- */

/* Local ports that one destination has taken, of those that connect() chooses from. */
static void find_taken_ports(const struct patient *p)
{
	char src[FMT_ADDR], dst[FMT_ENDPOINT], key[160];
	struct group *groups = NULL, *g;
	unsigned int low, high, range;
	u64 bounds[2];
	struct finding *f;
	size_t i;

	if (numbers_in("/proc/sys/net/ipv4/ip_local_port_range", bounds, 2) != 2)
		return;
	low = bounds[0];
	high = bounds[1];
	range = high - low + 1;
	for (i = 0; i < p->flows; i++) {
		const struct flow *flow = &p->flow[i];
		u8 state = flow->end[TCPFSM_ORIG].state;

		if (!is_local_end(flow, TCPFSM_ORIG) || state == TCPFSM_CLOSED ||
		    flow->tuple.sport < low || flow->tuple.sport > high)
			continue;
		snprintf(key, sizeof(key), "%s to %s",
			 fmt_addr(src, flow->tuple.family, flow->tuple.src),
			 fmt_dst(dst, &flow->tuple));
		g = get_group(&groups, key);
		add_to_group(g, 0, flow);
		g->extra += state == TCPFSM_TIME_WAIT;
	}
	while ((g = take_group(&groups))) {
		if (g->count * 2 >= range) {
			f = finding(g->count * 10 >= range * 9ULL ? RANK_SERIOUS : RANK_WARNING,
				    "ports", g->count,
				    "Connections from %s take %llu of the %u ports there are, %llu of them in TIME_WAIT: when all are taken, connect() fails.",
				    g->key, (unsigned long long)g->count, range,
				    (unsigned long long)g->extra);
			evidence(f, "net.ipv4.ip_local_port_range is %u %u; net.ipv4.tcp_tw_reuse is %llu",
				 low, high, (unsigned long long)
				 number_in("/proc/sys/net/ipv4/tcp_tw_reuse", 0));
			look_with(f, "tcpfsm flows orig state time-wait dst %s",
				  fmt_dst(dst, &g->worst->tuple));
		}
		free(g);
	}
}

/* ---- resets ---- */

static void find_inexact_resets(void)
{
	unsigned long long inside = doctor_counter("rst_challenged");
	unsigned long long outside = doctor_counter("rst_out_of_window");
	struct finding *f;

	if (inside + outside < RESETS)
		return;
	f = finding(RANK_NOTE, "rst-inexact", inside,
		    "Since it was loaded, %llu RSTs were not exact: %llu within the window (answered by a challenge ACK), %llu outside: stale, or somebody tries to break connections.",
		    inside + outside, inside, outside);
	look_with(f, "tcpfsm counters --explain; tcpfsm flows flag suspect");
}

static void find_resets(const struct patient *p)
{
	char end[FMT_ENDPOINT], other[FMT_ENDPOINT], key[160];
	struct group *groups = NULL, *g;
	struct finding *f;
	size_t i;

	for (i = 0; i < p->events; i++) {
		const struct event *e = &p->event[i];
		const struct tuple *t = e->tuple;

		if (e->cause != TCPFSM_SND_RST || e->when + RECENTLY < p->now ||
		    e->from == TCPFSM_LISTEN || e->from == TCPFSM_SYN_SENT)
			continue;
		/* Of the client's port nobody wants to know. */
		if (e->end == TCPFSM_ORIG)
			snprintf(key, sizeof(key), "The client %s reset connections to %s",
				 fmt_addr(end, t->family, t->src), fmt_dst(other, t));
		else
			snprintf(key, sizeof(key), "The server %s reset connections from %s",
				 fmt_dst(end, t), fmt_addr(other, t->family, t->src));
		g = get_group(&groups, key);
		g->count++;
		g->extra += e->from == TCPFSM_ESTABLISHED;
	}
	while ((g = take_group(&groups))) {
		if (g->count >= RESETS) {
			f = finding(RANK_WARNING, "resets", g->count,
				    "%s, %llu times within the last minute, %llu of them in ESTABLISHED.",
				    g->key, (unsigned long long)g->count,
				    (unsigned long long)g->extra);
			look_with(f, "tcpfsm log cause SND_RST; tcpfsm monitor cause SND_RST");
		}
		free(g);
	}
}

/* ---- nf_conntrack and flowtables ---- */

struct forgets {
	const struct patient *p;
	struct group *groups;
};

static int by_tuple(const void *a, const void *b)
{
	const struct tuple *x = &((const struct flow *)a)->tuple;
	const struct tuple *y = &((const struct flow *)b)->tuple;
	int d = x->family - y->family;

	d = d ? d : x->sport - y->sport;
	d = d ? d : x->dport - y->dport;
	d = d ? d : memcmp(x->src, y->src, sizeof(x->src));
	return d ? d : memcmp(x->dst, y->dst, sizeof(x->dst));
}

/* One side has closed, the other goes on: the pair may stay so for hours, and be well. */
static bool is_half_closed(const struct flow *f)
{
	u8 orig = f->end[TCPFSM_ORIG].state, resp = f->end[TCPFSM_RESP].state;

	if (f->end[TCPFSM_ORIG].dwell < HALF_CLOSED || f->end[TCPFSM_RESP].dwell < HALF_CLOSED)
		return false;
	return (orig == TCPFSM_FIN_WAIT_2 && resp == TCPFSM_CLOSE_WAIT) ||
	       (orig == TCPFSM_CLOSE_WAIT && resp == TCPFSM_FIN_WAIT_2);
}

static void check_conntrack(const struct conntrack *c, void *arg)
{
	struct flow key = { .tuple = c->tuple };
	struct forgets *x = arg;
	const struct flow *f;

	if (c->timeout > FORGETS)
		return;
	f = bsearch(&key, x->p->flow, x->p->flows, sizeof(*f), by_tuple);
	if (f && is_half_closed(f))
		add_to_group(get_group(&x->groups, c->state), c->timeout, f);
}

static void find_forgotten(const struct patient *p)
{
	struct forgets x = { .p = p };
	struct finding *f;
	struct group *g;
	int err;

	if (!p->flows || !conntrack_there())
		return;
	qsort(p->flow, p->flows, sizeof(*p->flow), by_tuple);
	err = conntrack_each(check_conntrack, &x);
	if (err)
		finding(RANK_NOTE, "conntrack", 0, "nf_conntrack could not be asked: %s.",
			strerror(-err));
	while ((g = take_group(&x.groups))) {
		f = finding(RANK_WARNING, "conntrack-forgets", g->count,
			    "nf_conntrack will forget %llu half-closed connection%s that still live%s, the first in %llu s: what comes after is INVALID to its rules, and NAT no longer translates it.",
			    (unsigned long long)g->count, s_of(g->count), g->count == 1 ? "s" : "",
			    (unsigned long long)g->least);
		evidence(f, "it calls their state %s; see net.netfilter.nf_conntrack_tcp_timeout_*",
			 g->key);
		show_flow(f, "one of them", g->worst);
		look_with(f, "tcpfsm flow %llu", (unsigned long long)g->worst->id);
		free(g);
	}
}

static void find_offloaded(const struct patient *p)
{
	struct finding *f;
	u64 n = 0;
	size_t i;

	for (i = 0; i < p->flows; i++)
		n += !!(p->flow[i].flags & TCPFSM_F_OFFLOADED);
	if (!n)
		return;
	f = finding(RANK_NOTE, "offloaded", n,
		    "%llu connection%s %s handed to a flowtable: what passes there is not seen, and their states may be old.",
		    (unsigned long long)n, s_of(n), n == 1 ? "is" : "are");
	look_with(f, "tcpfsm flows flag offloaded");
}

void doctor_flows(const struct patient *p)
{
	sock_each(~0U, keep_socket, NULL);
	qsort(sockets, nr_sockets, sizeof(*sockets), by_cookie);
	find_close_wait(p);
	find_unanswered_fins(p);
	find_unanswered_syns(p);
	find_taken_ports(p);
	find_resets(p);
	find_inexact_resets();
	find_offloaded(p);
	find_forgotten(p);
	free(sockets);
}
