/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world: two endpoints, a network that misbehaves as often as it is allowed to, and the
 * observer somewhere on the way. Each direction has a leg before the observer and one behind it;
 * the observer at an end has one leg only, so it sees at once what that end sends and receives.
 */
#ifndef _MODEL_WORLD_H
#define _MODEL_WORLD_H

#include "watch.h"

enum { CLIENT, SERVER };
enum { BEFORE, BEHIND };
enum vantage { AT_CLIENT, IN_THE_MIDDLE, AT_SERVER, VANTAGES };

#define STALE_ISN	(ISN(0) - 8)	/* older than the first incarnation */
#define IN_FLIGHT	3	/* room for segments on a leg */

/* What may go wrong, how often: counted down in the world. */
enum fault { LOSS, DUP, REORDER, UNSEEN, SPURIOUS, CRASH, FAULTS };

struct config {
	const char *name;
	u8 sends[2];		/* bytes each end may send */
	bool stalls;		/* data may wait for the window, and the FIN behind it */
	bool aborts[2];
	bool active[2];		/* may open actively */
	bool refused;		/* nobody listens */
	bool relisten;		/* the server's listener outlives connections */
	bool stale;		/* an old SYN of the client is on its way */
	bool reopen;		/* a client that is CLOSED may open anew */
	bool no_delay;		/* ACKs are never delayed */
	bool probes;		/* keepalives, as often as one likes */
	bool paths;		/* compare whole paths */
	u8 left[FAULTS];
	u8 in_flight;
	bool deep;		/* in the deep run only */
};

/* What happened that nobody on the way can know of, or only later. */
enum {
	LOST_RST_BEFORE	= 1U << 0,
	LOST_RST_BEHIND	= 1U << 1,
	SENT_RST	= 1U << 2,
	UNSEEN_SYN	= 1U << 3,
	UNSEEN_FIN	= 1U << 4,
	UNSEEN_RST	= 1U << 5,
	UNSEEN_OTHER	= 1U << 6,
	CRASHED		= 1U << 7,
	LOST_FIN	= 1U << 8,
	LOST_OTHER	= 1U << 9,
	IGNORED_RST	= 1U << 10,	/* it came, and its receiver did not take it */
};

struct world {
	struct tcp tcp[2];
	struct seg q[2][2][IN_FLIGHT];	/* by direction, leg */
	u8 n[2][2];
	u8 left[FAULTS];
	u8 blind;		/* segments that will pass unseen from now on */
	u8 since[2];		/* segments seen of each end since the last unseen one */
	u16 facts;
	struct watch w;
	struct watch twin;	/* last: no part of what tells worlds apart */
};

enum act {
	OPEN, SEND, STALL, PUSH, CLOSE, ABORT, ACK, RETRANSMIT, RETRANSMIT_ONE, PROBE, EXPIRE, DROP,
	BLIND, MOVE, LOSE, DUPLICATE, ACTS,
};

static const char *const act_names[ACTS] = {
	"opens", "sends", "queues a byte", "sends what waits", "closes", "aborts", "acks",
	"retransmits", "retransmits the first", "probes", "2MSL is over", "crashes", "blind", "passes",
	"loses",
	"duplicates",
};

/* Action: what, at which end or in which direction, leg, and place in it or count. */
struct action {
	u8 act, end, leg, at;
};

static const struct config *cfg;
static enum vantage vantage;
static bool tell;		/* print what passes */

static bool has_leg(u8 dir, u8 leg)
{
	if (vantage == IN_THE_MIDDLE)
		return true;
	return (dir == (vantage == AT_CLIENT ? CLIENT : SERVER)) == (leg == BEHIND);
}

static void text(u8 dir, struct seg s, char *buf, size_t size)
{
	static const char flag[] = "FSRPAU";
	char flags[8];
	int i, n = 0;

	for (i = 5; i >= 0; i--)
		if (s.flags & 1 << i)
			flags[n++] = flag[i];
	flags[n] = 0;
	if (n == 2 && flags[0] == 'A') {	/* as the tests write them: SA, FA, RA */
		flags[0] = flags[1];
		flags[1] = 'A';
	}
	n = snprintf(buf, size, "%c %s %u", dir == CLIENT ? '>' : '<', flags, wire(dir, s.seq));
	if (s.flags & TFSM_ACK)
		n += snprintf(buf + n, size - n, " %u", wire(!dir, s.ack));
	if (s.len)
		n += snprintf(buf + n, size - n, " len=%u", s.len);
	snprintf(buf + n, size - n, " win=%u", WINDOW);
}

static void say_text(const char *how, u8 dir, struct seg s)
{
	char buf[80];

	if (!tell)
		return;
	text(dir, s, buf, sizeof(buf));
	printf("#      %-9s %s\n", how, buf);
}

static bool silent(const struct tcp *t)
{
	return t->state == TCPFSM_CLOSED || t->state == TCPFSM_LISTEN;
}

static void send_all(struct world *w, u8 dir, const struct sent *o);

static void deliver(struct world *w, u8 dir, struct seg s)
{
	struct sent o = { .n = 0 };

	say_text("delivered", dir, s);
	arrives(&w->tcp[!dir], &o, s);
	if (s.flags & TFSM_RST && !silent(&w->tcp[!dir]))
		w->facts |= IGNORED_RST;
	send_all(w, !dir, &o);
}

static void unseen(struct world *w, struct seg s)
{
	w->blind--;
	w->since[0] = w->since[1] = 0;
	w->facts |= s.flags & TFSM_SYN ? UNSEEN_SYN : s.flags & TFSM_FIN ? UNSEEN_FIN :
		    s.flags & TFSM_RST ? UNSEEN_RST : UNSEEN_OTHER;
}

/* A segment is where the observer is. */
static void pass(struct world *w, u8 dir, struct seg s)
{
	say_text(w->blind ? "unseen" : "SEEN", dir, s);
	if (w->blind) {
		unseen(w, s);
	} else {
		watch_seg(&w->w, dir, s);
		watch_twin(&w->twin, dir, s);
		if (cfg->left[UNSEEN] && w->since[dir] < 6)
			w->since[dir]++;
	}
	if (has_leg(dir, BEHIND))
		w->q[dir][BEHIND][w->n[dir][BEHIND]++] = s;
	else
		deliver(w, dir, s);
}

static void send_all(struct world *w, u8 dir, const struct sent *o)
{
	u8 i;

	for (i = 0; i < o->n; i++) {
		if (o->seg[i].flags & TFSM_RST)
			w->facts |= SENT_RST;
		if (!has_leg(dir, BEFORE))
			pass(w, dir, o->seg[i]);
		else
			w->q[dir][BEFORE][w->n[dir][BEFORE]++] = o->seg[i];
	}
}

static bool room(const struct world *w, u8 dir)
{
	u8 leg = has_leg(dir, BEFORE) ? BEFORE : BEHIND;

	return w->n[dir][leg] < cfg->in_flight;
}

static struct seg pull(struct world *w, u8 dir, u8 leg, u8 at)
{
	struct seg *q = w->q[dir][leg], s = q[at];

	w->n[dir][leg]--;
	memmove(q + at, q + at + 1, (w->n[dir][leg] - at) * sizeof(s));
	memset(q + w->n[dir][leg], 0, sizeof(s));
	return s;
}

static void lose(struct world *w, u8 leg, struct seg s)
{
	w->facts |= s.flags & TFSM_RST ? leg == BEFORE ? LOST_RST_BEFORE : LOST_RST_BEHIND :
		    s.flags & TFSM_FIN ? LOST_FIN : LOST_OTHER;
}

static void act_network(struct world *w, struct action a)
{
	struct seg s = w->q[a.end][a.leg][a.at];

	if (a.act == DUPLICATE) {
		w->left[DUP]--;
	} else {
		if (a.at)
			w->left[REORDER]--;
		pull(w, a.end, a.leg, a.at);
	}
	if (a.act == LOSE) {
		say_text("lost", a.end, s);
		w->left[LOSS]--;
		lose(w, a.leg, s);
	} else if (a.leg == BEFORE) {
		pass(w, a.end, s);
	} else {
		deliver(w, a.end, s);
	}
}

static bool net_empty(const struct world *w)
{
	return !(w->n[0][0] | w->n[0][1] | w->n[1][0] | w->n[1][1]);
}

static bool outstanding(const struct tcp *t)
{
	return !silent(t) && t->una != t->nxt;
}

/* Nothing will happen unless a user wants it or time is over. */
static bool quiet(const struct world *w)
{
	u8 i;

	if (!net_empty(w) || w->blind)
		return false;
	for (i = 0; i < 2; i++)
		if (outstanding(&w->tcp[i]) || w->tcp[i].ack_due ||
		    (!silent(&w->tcp[i]) && w->tcp[i].unsent))
			return false;
	return true;
}

static void watch_both_expire(struct world *w)
{
	watch_expire(&w->w);
	watch_expire(&w->twin);
}

static void act_end(struct world *w, struct action a)
{
	struct tcp *t = &w->tcp[a.end];
	struct sent o = { .n = 0 };

	switch (a.act) {
	case OPEN:
		open_active(t, &o);
		break;
	case STALL:
	case SEND:
		t->sends--;
		t->unsent++;
		if (a.act == SEND)
			push(t, &o);
		break;
	case PUSH:
		push(t, &o);
		break;
	case CLOSE:
		call_close(t, &o);
		break;
	case ABORT:
		call_abort(t, &o, a.end == CLIENT);
		break;
	case ACK:
		say_ack(t, &o);
		break;
	case RETRANSMIT:
	case RETRANSMIT_ONE:
		if (a.at)
			w->left[SPURIOUS]--;
		retransmit(t, &o, a.act == RETRANSMIT);
		break;
	case PROBE:
		say(t, &o, t->nxt - 1, t->rcv, 0, TFSM_ACK);
		break;
	case EXPIRE:
		go(t, TCPFSM_CLOSED);
		if (shown(&w->w, a.end) == TCPFSM_TIME_WAIT)
			watch_both_expire(w);
		break;
	case DROP:
		w->left[CRASH]--;
		w->facts |= CRASHED;
		t->dropped = 1;
		t->ack_due = 0;
		go(t, TCPFSM_CLOSED);
		break;
	case BLIND:
		w->left[UNSEEN] = 0;
		w->blind = a.at;
		break;
	}
	send_all(w, a.end, &o);
}

static void act(struct world *w, struct action a)
{
	if (tell)
		printf("#   %s%s %s%s\n", a.act < MOVE ? a.end ? "server" : "client" :
		       a.end ? "< network" : "> network", a.act < MOVE ? "" :
		       a.leg == BEFORE ? " before" : " behind", act_names[a.act],
		       a.act >= MOVE && a.at ? " out of order" : "");
	if (a.act < MOVE)
		act_end(w, a);
	else
		act_network(w, a);
}

struct actions {
	struct action a[64];
	u8 n;
};

static void may(struct actions *l, u8 act, u8 end, u8 leg, u8 at)
{
	l->a[l->n++] = (struct action) { act, end, leg, at };
}

static bool may_open(const struct world *w, u8 e)
{
	const struct tcp *t = &w->tcp[e];

	if (!cfg->active[e] || t->inc + 1 >= INCARNATIONS)
		return false;
	if (t->inc == 0)
		return t->state == TCPFSM_CLOSED || t->state == TCPFSM_LISTEN;
	return cfg->reopen && e == CLIENT && t->state == TCPFSM_CLOSED && t->inc < 2;
}

static void may_end(const struct world *w, struct actions *l, u8 e)
{
	const struct tcp *t = &w->tcp[e];
	u8 s = t->state;
	bool sending = s == TCPFSM_ESTABLISHED || s == TCPFSM_CLOSE_WAIT;
	bool open = sending || s == TCPFSM_SYN_RCVD;

	if (!room(w, e))
		return;
	if (may_open(w, e))
		may(l, OPEN, e, 0, 0);
	if (sending && t->sends && !t->closed) {
		if (!t->unsent)
			may(l, SEND, e, 0, 0);
		if (cfg->stalls)
			may(l, STALL, e, 0, 0);
	}
	if (t->unsent && synchronized(t) && s != TCPFSM_TIME_WAIT)
		may(l, PUSH, e, 0, 0);
	if (open && !t->closed)
		may(l, CLOSE, e, 0, 0);
	if (cfg->aborts[e] && (open || s == TCPFSM_FIN_WAIT_1 || s == TCPFSM_FIN_WAIT_2))
		may(l, ABORT, e, 0, 0);
	if (t->ack_due)
		may(l, ACK, e, 0, 0);
	if (outstanding(t)) {
		bool lost = net_empty(w) && !w->tcp[0].ack_due && !w->tcp[1].ack_due;
		bool one = syn_acked(t) && t->nxt - t->una > 1;

		if (lost || w->left[SPURIOUS]) {
			may(l, RETRANSMIT, e, 0, !lost);
			if (one)
				may(l, RETRANSMIT_ONE, e, 0, !lost);
		}
	}
	if (cfg->probes && synchronized(t) && s != TCPFSM_TIME_WAIT && quiet(w))
		may(l, PROBE, e, 0, 0);
	if (s == TCPFSM_TIME_WAIT && net_empty(w) && !outstanding(&w->tcp[!e]) && !t->ack_due &&
	    !w->tcp[!e].ack_due)
		may(l, EXPIRE, e, 0, 0);
	if (w->left[CRASH] && synchronized(t))
		may(l, DROP, e, 0, 0);
}

/* Delivery may be answered at once: there must be room for that, and on the far leg. */
static bool may_go(const struct world *w, u8 dir, u8 leg)
{
	if (leg == BEFORE && has_leg(dir, BEHIND))
		return w->n[dir][BEHIND] < cfg->in_flight;
	return room(w, !dir);
}

static void may_leg(const struct world *w, struct actions *l, u8 dir, u8 leg)
{
	u8 i, n = w->n[dir][leg];

	for (i = 0; i < n; i++) {
		if (i && !w->left[REORDER])
			break;
		if (may_go(w, dir, leg))
			may(l, MOVE, dir, leg, i);
	}
	if (n && w->left[LOSS])
		may(l, LOSE, dir, leg, 0);
	if (n && w->left[DUP] && may_go(w, dir, leg))
		may(l, DUPLICATE, dir, leg, 0);
}

static void enabled(const struct world *w, struct actions *l)
{
	u8 i;

	l->n = 0;
	for (i = 0; i < 2; i++) {
		may_end(w, l, i);
		may_leg(w, l, i, BEFORE);
		may_leg(w, l, i, BEHIND);
	}
	for (i = 1; i <= w->left[UNSEEN]; i++)
		may(l, BLIND, 0, 0, i);
}

static void begin(struct world *w)
{
	u8 i;

	memset(w, 0, sizeof(*w));
	for (i = 0; i < 2; i++) {
		struct tcp *t = &w->tcp[i];

		t->sends = cfg->sends[i];
		t->delays = !cfg->no_delay;
		t->state = i == SERVER && !cfg->refused ? TCPFSM_LISTEN : TCPFSM_CLOSED;
		t->passive = t->state == TCPFSM_LISTEN;
		t->listens = i == SERVER && cfg->relisten;
		if (cfg->active[i] && i == SERVER)	/* simultaneous open: nobody listens */
			t->state = TCPFSM_CLOSED;
	}
	memcpy(w->left, cfg->left, sizeof(w->left));
	if (cfg->stale) {
		struct seg s = { .seq = STALE_ISN, .flags = TFSM_SYN };
		u8 leg = has_leg(CLIENT, BEFORE) ? BEFORE : BEHIND;

		w->q[CLIENT][leg][w->n[CLIENT][leg]++] = s;
	}
}

#endif /* _MODEL_WORLD_H */
