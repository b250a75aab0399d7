// SPDX-License-Identifier: GPL-2.0
/* The queues of listeners: who waits to be accepted, who is half-open. */
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/process.h"
#include "kernel/socket.h"
#include "lib/memory.h"
#include "verbs/doctor/doctor.h"

#define PERCENT_FULL	80
#define HALF_OPEN	8	/* fewer may just be opening */

/* Several sockets may listen at one address and port (SO_REUSEPORT): their limits add up. */
struct listener {
	struct listener *next;
	struct tuple tuple;
	u64 limit;
};

static bool is_served_by(const struct listener *l, const struct flow *f)
{
	static const u8 any[16];
	const struct tuple *own = &f->end[TCPFSM_RESP].sk, *at = own->family ? own : &f->tuple;
	const u8 *addr = own->family ? own->src : f->tuple.dst;
	u16 port = own->family ? own->sport : f->tuple.dport;

	if (port != l->tuple.sport)
		return false;
	if (!memcmp(l->tuple.src, any, addr_len(l->tuple.family)))
		return at->family == l->tuple.family || l->tuple.family == AF_INET6;
	return at->family == l->tuple.family &&
	       !memcmp(addr, l->tuple.src, addr_len(at->family));
}

static void collect_listener(struct listener **list, const struct sock *s)
{
	struct listener *l;

	for (l = *list; l; l = l->next)
		if (l->tuple.family == s->tuple.family && l->tuple.sport == s->tuple.sport &&
		    !memcmp(l->tuple.src, s->tuple.src, sizeof(l->tuple.src)))
			break;
	if (!l) {
		l = zalloc(sizeof(*l));
		l->tuple = s->tuple;
		l->next = *list;
		*list = l;
	}
	l->limit += s->sendq;
}

static void check_accept_queue(const struct sock *s)
{
	const struct process *process = process_of(s->inode);
	char where[FMT_ENDPOINT], who[64] = "its process";
	bool full = s->recvq > s->sendq;
	struct finding *f;

	if (!s->recvq || s->recvq * 100ULL < s->sendq * (u64)PERCENT_FULL)
		return;
	fmt_endpoint(where, s->tuple.family, s->tuple.src, s->tuple.sport);
	if (process)
		snprintf(who, sizeof(who), "%s (pid %d)", process->name, process->pid);
	f = finding(full ? RANK_SERIOUS : RANK_WARNING, "accept-queue", s->recvq,
		    "The accept queue of %s %s: %u connection%s wait%s, its limit is %u%s: %s does not accept them fast enough.",
		    where, full ? "is full" : "fills", s->recvq, s_of(s->recvq),
		    s->recvq == 1 ? "s" : "", s->sendq,
		    full ? ", and new ones are dropped" : "", who);
	f->count = s->recvq;
	f->service = string_copy(where);
	f->pid = process ? process->pid : 0;
	evidence(f, "its limit is the least of listen()'s and net.core.somaxconn, which is %llu",
		 (unsigned long long)number_in("/proc/sys/net/core/somaxconn", 0));
	look_with(f, "ss -ltnp sport = :%u; tcpfsm services dport :%u", s->tuple.sport,
		  s->tuple.sport);
}

static void take_listener(const struct sock *s, void *arg)
{
	collect_listener(arg, s);
	check_accept_queue(s);
}

static bool waits_for_ack(const struct flow *f, const void *listener)
{
	return f->end[TCPFSM_RESP].state == TCPFSM_SYN_RCVD && is_local_end(f, TCPFSM_RESP) &&
	       is_served_by(listener, f);
}

/* Handshakes with a listener that wait for their last ACK, against its limit. */
static void check_half_open(const struct patient *p, const struct listener *l)
{
	char where[FMT_ENDPOINT];
	struct finding *f;
	u64 waiting = 0;
	size_t i;

	for (i = 0; i < p->flows; i++)
		waiting += waits_for_ack(&p->flow[i], l);
	if (waiting < HALF_OPEN || waiting * 100 < l->limit * PERCENT_FULL)
		return;
	fmt_endpoint(where, l->tuple.family, l->tuple.src, l->tuple.sport);
	f = finding(RANK_SERIOUS, "half-open", waiting,
		    "%llu handshakes with %s are half-open and its limit is %llu: a SYN flood, or clients that do not hear its SYN|ACKs.",
		    (unsigned long long)waiting, where, (unsigned long long)l->limit);
	f->count = waiting;
	f->service = string_copy(where);
	evidence_sources(f, p, waits_for_ack, l);
	evidence(f, "net.ipv4.tcp_syncookies is %llu, tcp_max_syn_backlog %llu",
		 (unsigned long long)number_in("/proc/sys/net/ipv4/tcp_syncookies", 0),
		 (unsigned long long)number_in("/proc/sys/net/ipv4/tcp_max_syn_backlog", 0));
	look_with(f, "tcpfsm count src/24 state syn-recv dport :%u --top 10; tcpfsm flows state syn-recv dport :%u",
		  l->tuple.sport, l->tuple.sport);
}

void doctor_queues(const struct patient *p)
{
	struct listener *list = NULL, *l;
	int err;

	err = sock_each(NULL, 1U << TCP_LISTEN, take_listener, &list);
	if (err)
		finding(RANK_NOTE, "sockets", 0,
			"The sockets could not be asked (%s): no word of queues and processes.",
			strerror(-err));
	while ((l = list)) {
		check_half_open(p, l);
		list = l->next;
		free(l);
	}
}
