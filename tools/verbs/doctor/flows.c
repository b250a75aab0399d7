// SPDX-License-Identifier: GPL-2.0
/* What is wrong with flows: who holds them, who resets them, who will forget them. */
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/names.h"
#include "kernel/holder.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "verbs/doctor/doctor.h"
#include "verbs/doctor/group.h"

#define STUCK		(60 * NSEC)	/* what lasts longer is no coincidence */
#define NO_ANSWER	(3 * NSEC)	/* by then the SYN was sent twice more */
#define TOO_BIG		2		/* one error about the MTU is how its discovery works */
#define RECENTLY	(60 * NSEC)	/* resets before that are no news */
#define RESETS		10		/* fewer are normal */

/* Who holds an end: a process of this host, or another host. */
static void name_holder(char *buf, size_t size, const struct flow *f, unsigned int end)
{
	const struct process *p = holder_of(f, end);
	char addr[FMT_ADDR];

	if (p)
		snprintf(buf, size, "%s (pid %d)", p->name, p->pid);
	else if (is_local_end(f, end))
		snprintf(buf, size, "an unidentified local process");
	else
		snprintf(buf, size, "%s", fmt_addr(addr, f->tuple.family, end == TCPFSM_ORIG ?
						   f->tuple.src : f->tuple.dst));
}

/* Who should acknowledge the FIN of an end. */
static void name_peer(char *buf, size_t size, const struct flow *f, unsigned int end)
{
	char addr[FMT_ADDR];

	snprintf(buf, size, "%s", fmt_addr(addr, f->tuple.family, end == TCPFSM_ORIG ?
					   f->tuple.dst : f->tuple.src));
}

/* ---- stuck ---- */

/* Ends that have been in one of these states for @least or longer, by who is to blame. */
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
			group_add(group_of(&groups, who), e->dwell, &p->flow[i]);
		}
	return groups;
}

/* WHO does N connections they the oldest for SPAN: why. */
struct complaint {
	const char *id, *does, *they, *why, *look;
};

static void report_stuck(struct group *groups, const struct complaint *c)
{
	char span[FMT_SPAN];
	struct finding *f;
	struct group *g;

	while ((g = group_take(&groups))) {
		f = finding(RANK_WARNING, c->id, g->count,
			    "%s %s %llu connection%s%s the oldest for %s: %s.",
			    g->key, c->does, (unsigned long long)g->count, s_of(g->count), c->they,
			    fmt_span(span, g->most), c->why);
		evidence_flow(f, "the oldest", g->worst);
		look_with(f, "%s", c->look);
		free(g);
	}
}

/* The peer has closed, the application has not. */
static void find_close_wait(const struct patient *p)
{
	static const struct complaint complaint = {
		"close-wait", "holds", " in CLOSE_WAIT,",
		"the peer has closed, it has not (a leaked connection: close() is never called)",
		"tcpfsm flows -e state close-wait dwell gt 1m",
	};

	report_stuck(group_stuck(p, 1U << TCPFSM_CLOSE_WAIT, STUCK, name_holder), &complaint);
}

static void find_unanswered_fins(const struct patient *p)
{
	static const struct complaint complaint = {
		"fin-unanswered", "does not acknowledge the FIN of", ", of",
		"it is dead, or a firewall between has forgotten them",
		"tcpfsm flows state fin-wait-1 state last-ack state closing",
	};
	const u32 states = 1U << TCPFSM_FIN_WAIT_1 | 1U << TCPFSM_CLOSING | 1U << TCPFSM_LAST_ACK;

	report_stuck(group_stuck(p, states, STUCK / 6, name_peer), &complaint);
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
		    flow->end[TCPFSM_ORIG].dwell < NO_ANSWER ||
		    flow->told[TOLD_UNREACHABLE].count)
			continue;
		group_add(group_of(&groups, fmt_dst(where, &flow->tuple)),
			  flow->end[TCPFSM_ORIG].dwell, flow);
	}
	while ((g = group_take(&groups))) {
		f = finding(RANK_WARNING, "syn-unanswered", g->count,
			    "%s leaves SYNs unanswered: %llu connection%s wait%s, the oldest for %s (it is down, a firewall drops them, or its accept queue is full).",
			    g->key, (unsigned long long)g->count, s_of(g->count),
			    g->count == 1 ? "s" : "", fmt_span(span, g->most));
		evidence_flow(f, "the oldest", g->worst);
		look_with(f, "tcpfsm flows state syn-sent");
		free(g);
	}
}

/* ---- what ICMP errors tell ---- */

/* Where to did the segment go that an error quotes? A client's port is different every time. */
static char *fmt_target(char *buf, const struct flow *f, const struct told *t)
{
	if (t->end == TCPFSM_ORIG)
		return fmt_dst(buf, &f->tuple);
	return fmt_addr(buf, f->tuple.family, f->tuple.src);
}

/* Flows in which nothing has been acknowledged since so many errors, by who said what. */
static struct group *group_told(const struct patient *p, unsigned int sort, u32 least,
				const char *what)
{
	char who[FMT_ADDR], where[FMT_ENDPOINT], key[160];
	struct group *groups = NULL;
	size_t i;

	for (i = 0; i < p->flows; i++) {
		const struct flow *f = &p->flow[i];
		const struct told *t = &f->told[sort];

		if (t->count < least || !t->pends)
			continue;
		snprintf(key, sizeof(key), "%s says that %s %s (%s)",
			 fmt_addr(who, f->tuple.family, t->origin), fmt_target(where, f, t), what,
			 icmp_name(f->tuple.family == AF_INET6, t->type, t->code));
		group_add(group_of(&groups, key), t->count, f);
	}
	return groups;
}

static void find_unreachable(const struct patient *p)
{
	struct group *groups = group_told(p, TOLD_UNREACHABLE, 1, "is not reached"), *g;
	struct finding *f;

	while ((g = group_take(&groups))) {
		f = finding(RANK_WARNING, "unreachable", g->count,
			    "%s: %llu connection%s wait%s for it, or gave up.", g->key,
			    (unsigned long long)g->count, s_of(g->count), g->count == 1 ? "s" : "");
		evidence_flow(f, "the one that was told most often", g->worst);
		look_with(f, "tcpfsm flows -e flag unreachable");
		free(g);
	}
}

static void find_too_big(const struct patient *p)
{
	struct group *groups = group_told(p, TOLD_MTU, TOO_BIG, "is sent too big segments"), *g;
	struct finding *f;

	while ((g = group_take(&groups))) {
		f = finding(RANK_WARNING, "mtu", g->count,
			    "%s, again and again: %llu connection%s stall%s, because the sender is not told, or does not heed it (a firewall drops ICMP errors, or path MTU discovery is off).",
			    g->key, (unsigned long long)g->count, s_of(g->count),
			    g->count == 1 ? "s" : "");
		if (g->worst->told[TOLD_MTU].mtu)
			evidence(f, "the path takes packets of %u bytes",
				 g->worst->told[TOLD_MTU].mtu);
		evidence_flow(f, "the one that was told most often", g->worst);
		look_with(f, "tcpfsm flows -e flag mtu");
		free(g);
	}
}

/* ---- ports ---- */

/* How many of the ports that connect() chooses from are taken for one destination. */
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
		g = group_of(&groups, key);
		group_add(g, 0, flow);
		g->extra += state == TCPFSM_TIME_WAIT;
	}
	while ((g = group_take(&groups))) {
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
		/* The client's port is different every time. */
		if (e->end == TCPFSM_ORIG)
			snprintf(key, sizeof(key), "The client %s reset connections to %s",
				 fmt_addr(end, t->family, t->src), fmt_dst(other, t));
		else
			snprintf(key, sizeof(key), "The server %s reset connections from %s",
				 fmt_dst(end, t), fmt_addr(other, t->family, t->src));
		g = group_of(&groups, key);
		g->count++;
		g->extra += e->from == TCPFSM_ESTABLISHED;
	}
	while ((g = group_take(&groups))) {
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

void doctor_flows(const struct patient *p)
{
	find_close_wait(p);
	find_unanswered_fins(p);
	find_unanswered_syns(p);
	find_unreachable(p);
	find_too_big(p);
	find_taken_ports(p);
	find_resets(p);
	find_inexact_resets();
}
