// SPDX-License-Identifier: GPL-2.0
/* What is wrong with flows: who holds them, who does not answer, who is not reached. */
#include <arpa/inet.h>
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
#define HALF_OPEN	8		/* fewer may just be opening */
#define FLOOD		128		/* what many a listener takes at most */

/* Whom a group of ends is told of, and where one of its connections goes to. */
struct blamed {
	char who[GROUP_KEY];
	int pid;
};

/* Where a client connects to is a service; its own port is different every time. */
static void blame_end(struct blamed *b, const struct flow *f, unsigned int end, const char *holder)
{
	char where[FMT_ENDPOINT], addr[FMT_ADDR];

	fmt_dst(where, &f->tuple);
	if (holder)
		snprintf(b->who, sizeof(b->who), end == TCPFSM_ORIG ?
			 "%s, a client of %s," : "%s, which serves %s,", holder, where);
	else if (end == TCPFSM_RESP)
		snprintf(b->who, sizeof(b->who), "%s", where);
	else
		snprintf(b->who, sizeof(b->who), "%s, a client of %s,",
			 fmt_addr(addr, f->tuple.family, f->tuple.src), where);
}

/* Who holds an end: a process of this host, or another host. */
static void blame_holder(struct blamed *b, const struct flow *f, unsigned int end)
{
	const struct process *p = holder_of(f, end);
	char text[128];

	b->pid = p ? p->pid : 0;
	if (p)
		snprintf(text, sizeof(text), "%s (pid %d)", p->name, p->pid);
	blame_end(b, f, end, p ? text : is_local_end(f, end) ? "An unidentified local process" :
								NULL);
}

/* Who should acknowledge the FIN of an end. */
static void blame_peer(struct blamed *b, const struct flow *f, unsigned int end)
{
	b->pid = 0;
	blame_end(b, f, !end, NULL);
}

/* ---- stuck ---- */

static void add_blamed(struct group **groups, const struct blamed *b, const struct flow *f,
		       unsigned int end, u64 value)
{
	struct group *g = group_of(groups, b->who);

	if (!g->count) {
		g->end = end;
		g->pid = b->pid;
	}
	group_add(g, value, f);
}

/* Ends that have been in one of these states for @least or longer, by who is to blame. */
static struct group *group_stuck(const struct patient *p, u32 states, u64 least,
				 void (*blame)(struct blamed *b, const struct flow *f,
					       unsigned int end))
{
	struct group *groups = NULL;
	struct blamed b;
	unsigned int end;
	size_t i;

	for (i = 0; i < p->flows; i++)
		for (end = 0; end < TCPFSM_ENDS; end++) {
			const struct flow_end *e = &p->flow[i].end[end];

			if (!(states & 1U << e->state) || e->dwell < least ||
			    !wait_is_backed(&p->flow[i], end))
				continue;
			blame(&b, &p->flow[i], end);
			add_blamed(&groups, &b, &p->flow[i], end, e->dwell);
		}
	return groups;
}

/* WHO does N connections they the oldest for SPAN: why. */
struct complaint {
	const char *id, *does, *they, *why;
	const char *states;		/* as a filter, of either end */
};

static void report_stuck(struct group *groups, const struct complaint *c)
{
	char span[FMT_SPAN], scope[GROUP_SCOPE];
	struct finding *f;
	struct group *g;

	while ((g = group_take(&groups))) {
		f = finding(RANK_WARNING, c->id, g->count,
			    "%s %s %llu connection%s%s the oldest for %s: %s.",
			    g->key, c->does, (unsigned long long)g->count, s_of(g->count), c->they,
			    fmt_span(span, g->most), c->why);
		group_tell(f, g, true);
		evidence_flow(f, "the oldest", g->worst);
		look_with(f, "tcpfsm flows -p --sort dwell %s%s", c->states,
			  group_scope(scope, g));
		free(g);
	}
}

/* The peer has closed, the application has not. */
static void find_close_wait(const struct patient *p)
{
	static const struct complaint complaint = {
		"close-wait", "holds", " in CLOSE_WAIT,",
		"the peer has closed, it has not (a leaked connection: close() is never called)",
		"state close-wait dwell gt 1m",
	};

	report_stuck(group_stuck(p, 1U << TCPFSM_CLOSE_WAIT, STUCK, blame_holder), &complaint);
}

static void find_unanswered_fins(const struct patient *p)
{
	static const struct complaint complaint = {
		"fin-unanswered", "does not acknowledge the FIN of", ", of",
		"it is dead, or a firewall between has forgotten them",
		"state fin-wait-1 state last-ack state closing",
	};
	const u32 states = 1U << TCPFSM_FIN_WAIT_1 | 1U << TCPFSM_CLOSING | 1U << TCPFSM_LAST_ACK;

	report_stuck(group_stuck(p, states, STUCK / 6, blame_peer), &complaint);
}

static bool waits_for_answer(const struct flow *f)
{
	return f->end[TCPFSM_ORIG].state == TCPFSM_SYN_SENT &&
	       f->end[TCPFSM_RESP].state == TCPFSM_LISTEN &&
	       f->end[TCPFSM_ORIG].dwell >= NO_ANSWER && !f->told[TOLD_UNREACHABLE].count &&
	       wait_is_backed(f, TCPFSM_ORIG);
}

/* At the server's own host, its queues tell. */
static bool waits_for_client(const struct flow *f)
{
	return f->end[TCPFSM_RESP].state == TCPFSM_SYN_RCVD && !is_local_end(f, TCPFSM_RESP) &&
	       f->end[TCPFSM_RESP].dwell >= NO_ANSWER;
}

/* Flows that fulfil a condition, by service. @end: that has waited for so long */
static struct group *group_by_service(const struct patient *p,
				      bool (*fits)(const struct flow *f), unsigned int end)
{
	struct group *groups = NULL;
	struct blamed b = { .pid = 0 };
	size_t i;

	for (i = 0; i < p->flows; i++) {
		if (!fits(&p->flow[i]))
			continue;
		fmt_dst(b.who, &p->flow[i].tuple);
		add_blamed(&groups, &b, &p->flow[i], end, p->flow[i].end[end].dwell);
	}
	return groups;
}

static void find_unanswered_syns(const struct patient *p)
{
	struct group *groups = group_by_service(p, waits_for_answer, TCPFSM_ORIG), *g;
	char span[FMT_SPAN], scope[GROUP_SCOPE];
	struct finding *f;

	while ((g = group_take(&groups))) {
		f = finding(RANK_WARNING, "syn-unanswered", g->count,
			    "%s leaves SYNs unanswered: %llu connection%s wait%s, the oldest for %s (it is down, a firewall drops them, or its accept queue is full).",
			    g->key, (unsigned long long)g->count, s_of(g->count),
			    g->count == 1 ? "s" : "", fmt_span(span, g->most));
		group_tell(f, g, true);
		evidence_flow(f, "the oldest", g->worst);
		look_with(f, "tcpfsm flows state syn-sent%s", group_scope(scope, g));
		free(g);
	}
}

static bool waits_with(const struct flow *f, const void *service)
{
	const struct tuple *t = &f->tuple, *to = service;

	return waits_for_client(f) && t->family == to->family && t->dport == to->dport &&
	       !memcmp(t->dst, to->dst, sizeof(t->dst));
}

static void find_half_open(const struct patient *p)
{
	struct group *groups = group_by_service(p, waits_for_client, TCPFSM_RESP), *g;
	char span[FMT_SPAN], scope[GROUP_SCOPE];
	struct finding *f;

	while ((g = group_take(&groups))) {
		if (g->count >= HALF_OPEN) {
			f = finding(g->count >= FLOOD ? RANK_SERIOUS : RANK_WARNING, "half-open",
				    g->count,
				    "%llu handshakes with %s are half-open, the oldest for %s: a SYN flood, or clients that do not hear its SYN|ACKs.",
				    (unsigned long long)g->count, g->key, fmt_span(span, g->most));
			group_tell(f, g, true);
			if (!g->mixed)
				evidence_sources(f, p, waits_with, &g->tuple);
			evidence_flow(f, "the oldest", g->worst);
			group_scope(scope, g);
			look_with(f, "tcpfsm count src/24 state syn-recv%s --top 10; tcpfsm flows state syn-recv%s",
				  scope, scope);
		}
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
	char who[FMT_ADDR], where[FMT_ENDPOINT];
	struct group *groups = NULL;
	struct blamed b = { .pid = 0 };
	size_t i;

	for (i = 0; i < p->flows; i++) {
		const struct flow *f = &p->flow[i];
		const struct told *t = &f->told[sort];

		if (t->count < least || !t->pends)
			continue;
		snprintf(b.who, sizeof(b.who), "%s says that %s %s (%s)",
			 fmt_addr(who, f->tuple.family, t->origin), fmt_target(where, f, t), what,
			 icmp_name(f->tuple.family == AF_INET6, t->type, t->code));
		add_blamed(&groups, &b, f, t->end, t->count);
	}
	return groups;
}

/* group_scope() by where the segments went that errors tell of. */
static char *told_scope(char *buf, const struct group *g)
{
	if (g->mixed || g->end == TCPFSM_ORIG)
		return group_scope(buf, g);
	strcpy(buf, " src ");
	inet_ntop(g->tuple.family, g->tuple.src, buf + strlen(buf), INET6_ADDRSTRLEN);
	return buf;
}

static void find_unreachable(const struct patient *p)
{
	struct group *groups = group_told(p, TOLD_UNREACHABLE, 1, "is not reached"), *g;
	char scope[GROUP_SCOPE];
	struct finding *f;

	while ((g = group_take(&groups))) {
		f = finding(RANK_WARNING, "unreachable", g->count,
			    "%s: %llu connection%s wait%s for it, or gave up.", g->key,
			    (unsigned long long)g->count, s_of(g->count), g->count == 1 ? "s" : "");
		group_tell(f, g, false);
		evidence_flow(f, "the one that was told most often", g->worst);
		look_with(f, "tcpfsm flows -e flag unreachable%s", told_scope(scope, g));
		free(g);
	}
}

static void find_too_big(const struct patient *p)
{
	struct group *groups = group_told(p, TOLD_MTU, TOO_BIG, "is sent too big segments"), *g;
	char scope[GROUP_SCOPE];
	struct finding *f;

	while ((g = group_take(&groups))) {
		f = finding(RANK_WARNING, "mtu", g->count,
			    "%s, again and again: %llu connection%s stall%s, because the sender is not told, or does not heed it (a firewall drops ICMP errors, or path MTU discovery is off).",
			    g->key, (unsigned long long)g->count, s_of(g->count),
			    g->count == 1 ? "s" : "");
		if (g->worst->told[TOLD_MTU].mtu)
			evidence(f, "the path takes packets of %u bytes",
				 g->worst->told[TOLD_MTU].mtu);
		group_tell(f, g, false);
		evidence_flow(f, "the one that was told most often", g->worst);
		look_with(f, "tcpfsm flows -e flag mtu%s", told_scope(scope, g));
		free(g);
	}
}

/* ---- ports ---- */

/* How many of the ports that connect() chooses from are taken for one destination. */
static void find_taken_ports(const struct patient *p)
{
	char src[FMT_ADDR], dst[FMT_ENDPOINT], key[GROUP_KEY], scope[GROUP_SCOPE];
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
			group_tell(f, g, false);
			look_with(f, "tcpfsm flows orig state time-wait%s", group_scope(scope, g));
		}
		free(g);
	}
}

void doctor_flows(const struct patient *p)
{
	find_close_wait(p);
	find_unanswered_fins(p);
	find_unanswered_syns(p);
	find_half_open(p);
	find_unreachable(p);
	find_too_big(p);
	find_taken_ports(p);
}
