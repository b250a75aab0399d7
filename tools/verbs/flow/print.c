// SPDX-License-Identifier: GPL-2.0
#include "data/history.h"
#include "data/json.h"
#include "data/names.h"
#include "kernel/process.h"
#include "lib/format.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/flow.h"
#include "show/netns.h"
#include "verbs/flow/life.h"

#define KEPT_STATES	8	/* of an end, by the module */

/* ---- for people ---- */

static const char *source_of(const struct life *l)
{
	return l->recorded ? "record" : "log";
}

/* Those that both histories show. */
static u32 count_states(const struct flow *f)
{
	u8 state[HISTORY_STATES];

	return history_states(f->end[TCPFSM_ORIG].history, state) +
	       history_states(f->end[TCPFSM_RESP].history, state);
}

static void print_end(const struct life *l, unsigned int i)
{
	const struct flow_end *e = &l->flow.end[i];
	u8 state[HISTORY_STATES];
	unsigned int n = history_states(e->history, state), j;
	bool cut = n == KEPT_STATES && l->flow.step > count_states(&l->flow);
	char text[FMT_SPAN];

	out_text("  %s       %s for %s", end_name(i), state_name(e->state),
		 fmt_span(text, e->dwell));
	if (cut)
		out_text("; before: ...");
	else if (n > 1)
		out_text("; before:");
	for (j = 0; j + 1 < n; j++)
		out_text("%s%s", j ? " > " : " ", state_name(state[j]));
	out_text("\n             %s\n", state_help(e->state, STATE_WAITS));
	out_text("             sent %llu segments, %llu bytes\n", (unsigned long long)e->packets,
		 (unsigned long long)e->bytes);
}

static void print_socket(const struct life *l, unsigned int i)
{
	const struct process *p;

	if (!l->has_sock[i])
		return;
	out_text("  socket     of %s: %s", end_name(i), sock_state_name(l->sock[i].state));
	p = process_of(l->sock[i].inode);
	if (p)
		out_text(", %s (pid %d, fd %d)", p->name, p->pid, p->fd);
	else if (!l->sock[i].inode)
		out_text(", no process holds it any more");
	out_text(", uid %u; %u bytes unread, %u unacknowledged\n", l->sock[i].uid,
		 l->sock[i].recvq, l->sock[i].sendq);
}

static void print_now(const struct life *l)
{
	const struct flow *f = &l->flow;
	char text[FMT_FLAGS];
	unsigned int i;

	out_text("  started    %s\n", fmt_time(text, f->start, 6));
	if (l->flow.ended)
		out_text("  ended      %s, %s: %s\n", fmt_time(text, l->flow.ended, 6),
			 reason_name(f->reason), reason_help(f->reason));
	out_text("  idle       %s\n", fmt_span(text, f->idle));
	for (i = 0; i < TCPFSM_ENDS; i++)
		print_end(l, i);
	out_text("  refused    %u%s segments\n", f->refused,
		 f->refused == FLOW_REFUSED_MAX ? " or more" : "");
	out_text("  flags      %s\n", fmt_flags(text, f->flags));
	for (i = 0; i < TOLD_SORTS; i++)
		if (f->told[i].count)
			out_text("  icmp       %s\n", fmt_told(text, f, i, true));
}

static void print_events(const struct life *l)
{
	const struct event *e;
	char text[FMT_TIME], span[FMT_SPAN];
	size_t i;

	if (!l->events) {
		out_text("\nThe %s has none of its transitions%s.\n", source_of(l),
			 l->recorded ? "" : " (net.tcpfsm.log_size)");
		return;
	}
	if (l->event[0].step > 1)
		out_text("\nThe %s has its last %zu transitions of %u:\n", source_of(l), l->events,
			 l->event[l->events - 1].step);
	out_text("\n%-27s %-4s %-12s %-12s %-14s %s\n", "time", "end", "from", "to", "cause",
		 "was there for");
	for (i = 0; i < l->events; i++) {
		e = &l->event[i];
		out_text("%-27s %-4s %-12s %-12s %-14s %s\n", fmt_time(text, e->when, 6),
			 end_name(e->end), state_name(e->from), state_name(e->to),
			 cause_name(e->cause), fmt_span(span, e->dwell));
	}
}

static void print_text(const struct life *l)
{
	char src[FMT_ENDPOINT], dst[FMT_ENDPOINT], back[FMT_ENDPOINT], to[FMT_ENDPOINT];
	unsigned int i;

	out_text("flow %llu  %s > %s", (unsigned long long)l->id, fmt_src(src, &l->tuple),
		 fmt_dst(dst, &l->tuple));
	if (opt.all_netns && l->netns)
		out_text("  netns %s", l->netns->name);
	out_text("\n");
	if (l->flow.id)
		print_now(l);
	else if (!l->recorded)
		out_text("  over       it is not in the table any more\n");
	else
		out_text("  end        it is not in the record\n");
	for (i = 0; i < TCPFSM_ENDS; i++)
		print_socket(l, i);
	if (l->flow.nat.known)
		out_text("  nat        orig sends %s > %s\n             resp receives %s > %s\n",
			 fmt_src(src, &l->flow.nat.orig), fmt_dst(dst, &l->flow.nat.orig),
			 fmt_src(back, &l->flow.nat.resp), fmt_dst(to, &l->flow.nat.resp));
	if (l->has_ct)
		out_text("  conntrack  %s%s%s, forgets it in %u s\n", l->ct.state,
			 l->ct.assured ? ", assured" : "", l->ct.offloaded ? ", offloaded" : "",
			 l->ct.timeout);
	else if (!l->recorded && conntrack_there())
		out_text("  conntrack  does not know it\n");
	if (l->earlier == 1)
		out_text("  earlier    1 incarnation is in the %s: flow %llu\n", source_of(l),
			 (unsigned long long)l->earlier_id);
	else if (l->earlier)
		out_text("  earlier    %llu incarnations are in the %s, the last of them flow %llu\n",
			 (unsigned long long)l->earlier, source_of(l),
			 (unsigned long long)l->earlier_id);
	print_events(l);
}

/* ---- as JSON ---- */

static void print_json(const struct life *l)
{
	const struct process *p;
	unsigned int i;
	size_t n;

	out_object(OUT_ITEM);
	out_netns(l->netns);
	out_num("flow", 0, l->id);
	if (l->flow.id && !l->flow.ended)
		out_true("alive");
	if (l->earlier)
		out_num("earlier_flow", 0, l->earlier_id);
	if (l->flow.id)
		flow_json(out_json(), l->flow.ended ? "at_end" : "now", &l->flow, false);
	out_object("sockets");
	for (i = 0; i < TCPFSM_ENDS; i++) {
		if (!l->has_sock[i])
			continue;
		out_object(end_name(i));
		out_str("state", 0, sock_state_name(l->sock[i].state));
		out_num("uid", 0, l->sock[i].uid);
		out_num("unread", 0, l->sock[i].recvq);
		out_num("unacknowledged", 0, l->sock[i].sendq);
		p = process_of(l->sock[i].inode);
		if (p) {
			out_str("process", 0, p->name);
			out_num("pid", 0, p->pid);
			out_num("fd", 0, p->fd);
		}
		out_end();
	}
	out_end();
	nat_json(out_json(), &l->flow.nat);
	if (l->has_ct) {
		out_object("conntrack");
		out_str("state", 0, l->ct.state);
		out_num("timeout_s", 0, l->ct.timeout);
		if (l->ct.assured)
			out_true("assured");
		if (l->ct.offloaded)
			out_true("offloaded");
		out_end();
	}
	out_array("transitions");
	for (n = 0; n < l->events; n++) {
		struct event e = l->event[n];

		e.tuple = &l->tuple;
		event_print(&e);
	}
	out_end();
	out_end();
}

void life_print(const struct life *l)
{
	if (out_is_text())
		print_text(l);
	else
		print_json(l);
}
