/* SPDX-License-Identifier: GPL-2.0 */
/* What must hold in every world, and what is known to be beyond any observer. */
#ifndef _MODEL_CHECK_H
#define _MODEL_CHECK_H

#include "world.h"

enum property {
	AHEAD,		/* shown past a SYN or FIN that was not taken, sent or acknowledged */
	FINAL,		/* at rest, another pair than the true one */
	PATH,		/* at rest, another path than the true one, though nothing went wrong */
	ENGINE,		/* the engine broke a rule of its own */
	GHOST,		/* both ends are dead, and the flow may live for days */
	RECOVER,	/* at rest, a view that missed a burst is still wrong */
	WRAP,		/* the same numbers near 2^32 were seen otherwise */
	PROPERTIES,
};

static const char *const property_names[PROPERTIES] = {
	"ahead", "final", "path", "engine", "ghost", "recover", "wrap",
};

/*
 * Segments of each side, after a burst that was missed, within which the view is right again,
 * if no SYN, FIN or RST was in the burst.
 */
#define RECOVERED	3

#define BIT(state) (1U << TCPFSM_##state)

static const u16 took_fin_states = BIT(CLOSE_WAIT) | BIT(CLOSING) | BIT(LAST_ACK) | BIT(TIME_WAIT);
static const u16 sent_fin_states = BIT(FIN_WAIT_1) | BIT(FIN_WAIT_2) | BIT(CLOSING) |
				   BIT(LAST_ACK) | BIT(TIME_WAIT);
static const u16 fin_acked_states = BIT(FIN_WAIT_2) | BIT(TIME_WAIT);
static const u16 took_syn_states = (u16)~(BIT(CLOSED) | BIT(LISTEN) | BIT(SYN_SENT) | 1U);
static const u16 syn_acked_states = BIT(ESTABLISHED) | BIT(CLOSE_WAIT) | BIT(FIN_WAIT_2) |
				    BIT(CLOSING) | BIT(LAST_ACK) | BIT(TIME_WAIT);

/* Is the flow shown about the incarnations that the ends have now? */
static bool same_incarnation(const struct world *w)
{
	u8 i;

	if (!w->w.alive)
		return false;
	for (i = 0; i < 2; i++) {
		const struct tfsm_end *e = &w->w.flow.end[i ^ w->w.turned];

		if (e->facts & TFSM_E_SYN && e->isn != wire(i, w->tcp[i].iss))
			return false;
	}
	return true;
}

static const char *ahead(const struct world *w, u8 i)
{
	const struct tcp *t = &w->tcp[i], *p = &w->tcp[!i];
	u16 s = 1U << shown(&w->w, i);

	if (s & took_fin_states && !(t->took_fin && t->told == t->rcv))
		return "shown past a FIN that it has not taken and acknowledged";
	if (s & sent_fin_states && !t->fin_sent)
		return "shown past a FIN that it has not sent";
	if (s & fin_acked_states && !p->took_fin)
		return "shown past the ACK of its FIN, which the peer has not taken";
	if (s & took_syn_states && !(t->took_syn && (t->told > t->irs || t->passive)))
		return "shown past a SYN that it has not taken and acknowledged";
	if (s & syn_acked_states && !p->took_syn)
		return "shown past the ACK of its SYN, which the peer has not taken";
	if (s & BIT(CLOSED) && !(w->facts & (SENT_RST | CRASHED)) &&
	    !(t->fin_sent && t->took_fin && p->took_fin))
		return "shown CLOSED before its FIN was taken";
	return NULL;
}

/*
 * A shown state is right for a true one where it is the same, or:
 *   TIME_WAIT, CLOSED	2MSL is time's business
 *   LISTEN, CLOSED	of an end that has no connection
 *   none		of an end that has no connection, while no flow is there
 */
static u8 mapped(u8 state)
{
	return state == TCPFSM_TIME_WAIT || state == TCPFSM_LISTEN || !state ? TCPFSM_CLOSED :
									       state;
}

static bool right(const struct world *w, u8 i)
{
	return mapped(w->tcp[i].state) == mapped(shown(&w->w, i));
}

static bool all_right(const struct world *w)
{
	return right(w, CLIENT) && right(w, SERVER);
}

/* A path without the end of TIME_WAIT, and of LISTEN: a refusal. */
static u64 trimmed(u64 path)
{
	u8 last = path & 0xf, before = path >> 4 & 0xf;

	if (last == TCPFSM_CLOSED && (before == TCPFSM_TIME_WAIT || before == TCPFSM_LISTEN))
		path >>= 4;
	return path;
}

/* The true path in the observer's words: it presumes LISTEN at the end that is called. */
static u64 true_path(const struct world *w, u8 i)
{
	u64 path = trimmed(w->tcp[i].path);

	if (w->w.alive && (i ^ w->w.turned) == TCPFSM_RESP) {
		u64 first = path;
		int n = 0;

		while (first) {
			first >>= 4;
			n++;
		}
		path |= (u64)TCPFSM_LISTEN << 4 * n;
	}
	return path;
}

static bool path_right(const struct world *w, u8 i)
{
	return w->w.flows != 1 || trimmed(w->w.path[i]) == true_path(w, i);
}

/* ---- known to be beyond any observer: design 3.1, 3.6, 3.7 ---- */

struct known {
	const char *name;
	u8 property;
	bool (*is)(const struct world *w);
};

/* 3.1: a RST takes effect on its receiver when it passes; it was lost behind us. */
static bool k_rst_lost_behind(const struct world *w)
{
	u8 i;

	for (i = 0; i < 2; i++)
		if (!right(w, i) && mapped(shown(&w->w, i)) != TCPFSM_CLOSED)
			return false;
	return w->facts & LOST_RST_BEHIND;
}

/* 3.7: an end that is gone sends nothing more; its RST was lost before us. */
static bool k_rst_lost_before(const struct world *w)
{
	u8 i;

	for (i = 0; i < 2; i++)
		if (!right(w, i) && w->tcp[i].state == TCPFSM_CLOSED)
			return w->facts & LOST_RST_BEFORE;
	return false;
}

/*
 * A RST overtook what it follows, or is one that only Linux's tcp_reset_check() takes: it went
 * by, and its receiver did not take it. What tells of that was lost: two faults.
 */
static bool k_rst_ignored(const struct world *w)
{
	const u16 lost = LOST_FIN | LOST_OTHER | LOST_RST_BEFORE | LOST_RST_BEHIND;

	return w->facts & IGNORED_RST && w->facts & lost;
}

static bool used(const struct world *w, enum fault f)
{
	return w->left[f] < cfg->left[f];
}

/*
 * A duplicate of a SYN that a RST has answered: whether its sender still stands by it shows in
 * what was lost behind the observer, or the RST came late. Three faults, or two and the RST.
 */
static bool k_duplicate_syn(const struct world *w)
{
	const u16 lost = LOST_FIN | LOST_OTHER | LOST_RST_BEFORE | LOST_RST_BEHIND;

	if (!used(w, DUP) || !(w->facts & SENT_RST))
		return false;
	if (w->facts & lost && (w->w.flows > 1 || w->w.flow.flags & TCPFSM_F_CORRECTED))
		return true;
	return w->facts & IGNORED_RST && used(w, REORDER);
}

/* A SYN was refused, and its peer opens on the same tuple at the same time. */
static bool k_refused_and_open(const struct world *w)
{
	return cfg->active[SERVER] && w->w.flows > 1 && w->facts & SENT_RST;
}

static bool opening(const struct world *w)
{
	return w->w.alive && tfsm_class(&w->w.flow) == TFSM_CLASS_OPENING;
}

/* 3.6: two losses beside a RST remain ambiguous: it and its answer, or what came after it. */
static bool k_two_losses(const struct world *w)
{
	return cfg->left[LOSS] - w->left[LOSS] > 1 && w->facts & SENT_RST;
}

/* The flow is the stale SYN's: its sender has not opened yet, or has been refused before. */
static bool k_stale(const struct world *w)
{
	const struct tfsm_end *e = &w->w.flow.end[CLIENT ^ w->w.turned];

	if (!cfg->stale || e->state != TCPFSM_SYN_SENT || e->isn != wire(CLIENT, STALE_ISN))
		return false;
	return !w->tcp[CLIENT].inc || (w->w.flows > 1 && w->facts & LOST_OTHER);
}

/* 3.7: a host that was killed sends nothing. */
static bool k_crashed(const struct world *w)
{
	return w->facts & CRASHED && (w->tcp[0].dropped || w->tcp[1].dropped || opening(w));
}

/* 3.6: a FIN queued behind data when the peer's came: CLOSE_WAIT, LAST_ACK for CLOSING. */
static bool fin_queued(const struct world *w, u8 i)
{
	return w->tcp[i].fin_waited;
}

static int states_of(u64 path, u8 *state)
{
	int n = 0, at;

	for (at = 60; at >= 0; at -= 4)
		if (path >> at & 0xf)
			state[n++] = path >> at & 0xf;
	return n;
}

static bool at_end(u8 i)
{
	return vantage == (i == CLIENT ? AT_CLIENT : AT_SERVER);
}

/* The state shown before a FIN_WAIT_1 that the end entered without it: not in its path. */
static int without_crossed(u8 *view, int n, const u8 *truth, int t)
{
	int k, m = 0;

	for (k = 0; k < n; k++) {
		if (view[k] == TCPFSM_ESTABLISHED && m < t && truth[m] == TCPFSM_FIN_WAIT_1)
			continue;
		view[m++] = view[k];
	}
	return m;
}

/*
 * 3.1, where the observer is not at the end itself: the ACK of its SYN was on its way, and its
 * CLOSE in SYN_RCVD is shown as one in ESTABLISHED.
 *
 * 3.1, where a RST ended it: what it took without ever acknowledging it is not shown, nor what
 * it did before the RST came, which was on its way. An ACK that passed after it aborted is.
 */
static bool crossed(const struct world *w, u8 i)
{
	u8 view[17], truth[17];
	int n = states_of(trimmed(w->w.path[i]), view), t = states_of(true_path(w, i), truth);

	if (!at_end(i))
		n = without_crossed(view, n, truth, t);
	if (n == t && !memcmp(view, truth, n))
		return true;
	if (!(w->facts & SENT_RST) || !n || !t || mapped(view[n - 1]) != TCPFSM_CLOSED ||
	    mapped(truth[t - 1]) != TCPFSM_CLOSED)
		return false;
	n--;
	t--;
	return !memcmp(view, truth, n < t ? n : t) && (n <= t || (n == t + 1 && !at_end(i)));
}

static bool path_known(const struct world *w, u8 i)
{
	return path_right(w, i) || fin_queued(w, i) || crossed(w, i);
}

static bool k_fin_queued(const struct world *w)
{
	return path_known(w, 0) && path_known(w, 1) && (fin_queued(w, 0) || fin_queued(w, 1));
}

static bool k_crossed(const struct world *w)
{
	return path_known(w, 0) && path_known(w, 1);
}

/* 3.6: a FIN, RST or SYN that passed unseen: the timers end it. */
static bool k_unseen_control(const struct world *w)
{
	return w->facts & (UNSEEN_SYN | UNSEEN_FIN | UNSEEN_RST);
}

/* 3.6: a bare ACK that does not fit the SYN does not establish; the timer of OPENING is short. */
static bool k_handshake_missed(const struct world *w)
{
	return w->facts & UNSEEN_OTHER && shown(&w->w, CLIENT) == TCPFSM_SYN_SENT &&
	       shown(&w->w, SERVER) == TCPFSM_SYN_RCVD;
}

/* The same, and a FIN is the first to come of that side: refused as the bare ACK is, once. It
 * marks a gap, so that what is left half-closed is on a short timer; while both live, it shows
 * them open.
 */
static bool k_fin_behind_missed_handshake(const struct world *w)
{
	return w->facts & UNSEEN_OTHER && w->w.alive && w->w.flow.flags & TCPFSM_F_GAP &&
	       !(w->w.flow.end[CLIENT ^ w->w.turned].facts & TFSM_E_FIN) &&
	       tfsm_class(&w->w.flow) != TFSM_CLASS_HALF_CLOSED;
}

/*
 * An octet of data that passed unseen is taken for a FIN until its sender goes on: here, all data
 * is of one octet.
 */
static bool k_octet_unseen(const struct world *w)
{
	return w->facts & UNSEEN_OTHER && w->w.alive &&
	       (w->w.flow.end[0].guessed || w->w.flow.end[1].guessed);
}

static const struct known knowns[] = {
	{ "RST lost behind the observer",	FINAL, k_rst_lost_behind },
	{ "RST lost before the observer",	FINAL, k_rst_lost_before },
	{ "RST lost before the observer",	GHOST, k_rst_lost_before },
	{ "RST ignored, and its answer lost",	FINAL, k_rst_ignored },
	{ "a RST and two losses",		FINAL, k_two_losses },
	{ "a RST and two losses",		GHOST, k_two_losses },
	{ "stale SYN lost behind the observer",	FINAL, k_stale },
	{ "refused while the peer opens",	FINAL, k_refused_and_open },
	{ "refused while the peer opens",	AHEAD, k_refused_and_open },
	{ "refused while the peer opens",	GHOST, k_refused_and_open },
	{ "duplicate SYN after a RST",		FINAL, k_duplicate_syn },
	{ "duplicate SYN after a RST",		GHOST, k_duplicate_syn },
	{ "crashed without a segment",		FINAL, k_crashed },
	{ "crashed without a segment",		GHOST, k_crashed },
	{ "FIN queued behind data",		PATH, k_fin_queued },
	{ "crossed an ACK or RST on its way",	PATH, k_crossed },
	{ "SYN, FIN or RST unseen",		RECOVER, k_unseen_control },
	{ "handshake's ACK and data unseen",	RECOVER, k_handshake_missed },
	{ "FIN behind a handshake's unseen ACK", RECOVER, k_fin_behind_missed_handshake },
	{ "octet unseen, taken for a FIN",	AHEAD, k_octet_unseen },
	{ "octet unseen, taken for a FIN",	RECOVER, k_octet_unseen },
	{ "SYN, FIN or RST unseen",		AHEAD, k_unseen_control },
	{ "SYN, FIN or RST unseen",		GHOST, k_unseen_control },
};

#define KNOWNS (sizeof(knowns) / sizeof(knowns[0]))

static int known(const struct world *w, enum property p)
{
	unsigned int i;

	for (i = 0; i < KNOWNS; i++)
		if (knowns[i].property == p && knowns[i].is(w))
			return i;
	return -1;
}

typedef void verdict_fn(const struct world *w, enum property p, const char *why);

static bool dead(const struct tcp *t)
{
	return t->state == TCPFSM_CLOSED || t->state == TCPFSM_LISTEN;
}

static void check_at_rest(const struct world *w, verdict_fn *bad)
{
	const u16 any = UNSEEN_SYN | UNSEEN_FIN | UNSEEN_RST | UNSEEN_OTHER;
	enum tfsm_class class;

	if (!w->w.alive)
		return;
	class = tfsm_class(&w->w.flow);
	if (dead(&w->tcp[0]) && dead(&w->tcp[1]) &&
	    (class == TFSM_CLASS_ESTABLISHED || class == TFSM_CLASS_HALF_CLOSED))
		bad(w, GHOST, "both ends are dead, and the flow may live for days");
	if (!all_right(w)) {
		if (!(w->facts & any))
			bad(w, FINAL, "at rest, not the true pair");
		else if (w->since[0] >= RECOVERED && w->since[1] >= RECOVERED)
			bad(w, RECOVER, "at rest after a missed burst, not the true pair");
	}
	if (keep_paths && (!path_right(w, 0) || !path_right(w, 1)))
		bad(w, PATH, "not the true path");
}

static void check(const struct world *w, verdict_fn *bad)
{
	const char *why;
	u8 i;

	if (watch_broken)
		bad(w, ENGINE, watch_broken);
	watch_broken = NULL;
	if (!watch_alike(&w->w, &w->twin))
		bad(w, WRAP, "numbers near 2^32 are seen otherwise");
	if (same_incarnation(w)) {
		for (i = 0; i < 2; i++) {
			why = ahead(w, i);
			if (why)
				bad(w, AHEAD, why);
		}
	}
	if (quiet(w))
		check_at_rest(w, bad);
}

#endif /* _MODEL_CHECK_H */
