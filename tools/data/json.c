// SPDX-License-Identifier: GPL-2.0
#include "data/history.h"
#include "data/json.h"
#include "data/names.h"
#include "lib/format.h"
#include "lib/options.h"

void tuple_json(struct json *j, const struct tuple *t)
{
	static const char * const members[] = { "src", "sport", "dst", "dport" };
	char addr[FMT_ADDR];
	size_t i;

	if (!t || !t->family) {
		for (i = 0; i < ARRAY_SIZE(members); i++)
			jsonw_null(j, members[i]);
		return;
	}
	jsonw_str(j, "src", fmt_addr(addr, t->family, t->src));
	jsonw_num(j, "sport", t->sport);
	jsonw_str(j, "dst", fmt_addr(addr, t->family, t->dst));
	jsonw_num(j, "dport", t->dport);
}

void move_json(struct json *j, const struct event *e)
{
	jsonw_str(j, "end", end_name(e->end));
	jsonw_str(j, "from", state_name(e->from));
	jsonw_str(j, "to", state_name(e->to));
	jsonw_str(j, "cause", cause_name(e->cause));
	jsonw_num(j, "dwell_ns", e->dwell);
}

static void netns_json(struct json *j, const struct netns *ns)
{
	if (ns)
		jsonw_str(j, "netns", ns->name);
}

static void process_json(struct json *j, const struct process *p)
{
	jsonw_str(j, "process", p->name);
	jsonw_num(j, "pid", p->pid);
	jsonw_num(j, "fd", p->fd);
}

static void holders_json(struct json *j, const struct process *const *process)
{
	unsigned int i;

	if (!process[TCPFSM_ORIG] && !process[TCPFSM_RESP])
		return;
	jsonw_object(j, "socket");
	for (i = 0; i < TCPFSM_ENDS; i++) {
		if (!process[i])
			continue;
		jsonw_object(j, end_name(i));
		process_json(j, process[i]);
		jsonw_end(j);
	}
	jsonw_end(j);
}

void event_json(struct json *j, const struct event *e)
{
	char text[FMT_TIME];

	jsonw_object(j, NULL);
	jsonw_num(j, "seq", e->seq);
	jsonw_str(j, "ts", fmt_time(text, e->when, 9));
	netns_json(j, e->netns);
	jsonw_num(j, "flow", e->flow);
	jsonw_num(j, "step", e->step);
	tuple_json(j, e->tuple);
	move_json(j, e);
	if (e->flags & TCPFSM_T_CORRECTION)
		jsonw_true(j, "correction");
	if (e->flags & TCPFSM_T_INFERRED)
		jsonw_true(j, "inferred");
	if (e->ring)
		jsonw_num(j, "cpu", e->ring - 1);
	if (e->nat)
		nat_json(j, e->nat);
	holders_json(j, e->process);
	jsonw_end(j);
}

void loss_json(struct json *j, const struct loss *l)
{
	jsonw_object(j, NULL);
	jsonw_num(j, "lost", l->count);
	netns_json(j, l->netns);
	jsonw_str(j, "group", l->group);
	if (l->cpu >= 0)
		jsonw_num(j, "cpu", l->cpu);
	if (l->first) {
		jsonw_num(j, "first", l->first);
		jsonw_num(j, "last", l->first + l->count - 1);
	}
	jsonw_end(j);
}

/* {"orig":a,"resp":b} */
static void both_json(struct json *j, const char *key, u64 orig, u64 resp)
{
	jsonw_object(j, key);
	jsonw_num(j, "orig", orig);
	jsonw_num(j, "resp", resp);
	jsonw_end(j);
}

static void flags_json(struct json *j, u32 flags)
{
	unsigned int bit;

	jsonw_array(j, "flags");
	for (bit = 0; bit < 32; bit++)
		if (flags >> bit & 1 && flag_name(bit))
			jsonw_str(j, NULL, flag_name(bit));
	jsonw_end(j);
}

static void history_json(struct json *j, const struct flow *f)
{
	unsigned int i, k, n;

	jsonw_object(j, "history");
	for (i = 0; i < TCPFSM_ENDS; i++) {
		u8 state[HISTORY_STATES];

		n = history_states(f->end[i].history, state);
		jsonw_array(j, end_name(i));
		for (k = 0; k < n; k++)
			jsonw_str(j, NULL, state_name(state[k]));
		jsonw_end(j);
	}
	jsonw_end(j);
}

static bool has_socket(const struct flow_end *e)
{
	return e->cookie || e->has_uid || e->process;
}

/* What is known of the local sockets: cookie, owner, process, own tuple. */
static void sockets_json(struct json *j, const struct flow *f)
{
	unsigned int i;

	if (!has_socket(&f->end[TCPFSM_ORIG]) && !has_socket(&f->end[TCPFSM_RESP]))
		return;
	jsonw_object(j, "socket");
	for (i = 0; i < TCPFSM_ENDS; i++) {
		const struct flow_end *e = &f->end[i];

		if (!has_socket(e))
			continue;
		jsonw_object(j, end_name(i));
		if (e->cookie)
			jsonw_num(j, "cookie", e->cookie);
		if (e->has_uid)
			jsonw_num(j, "uid", e->uid);
		if (e->process)
			process_json(j, e->process);
		if (e->sk.family)
			tuple_json(j, &e->sk);
		jsonw_end(j);
	}
	jsonw_end(j);
}

void nat_json(struct json *j, const struct nat *n)
{
	if (!n->known)
		return;
	jsonw_object(j, "nat");
	jsonw_object(j, "orig");
	tuple_json(j, &n->orig);
	jsonw_end(j);
	jsonw_object(j, "resp");
	tuple_json(j, &n->resp);
	jsonw_end(j);
	jsonw_end(j);
}

static void told_json(struct json *j, const struct flow *f, const char *key, unsigned int sort)
{
	const struct told *t = &f->told[sort];
	char addr[FMT_ADDR];

	if (!t->count)
		return;
	jsonw_object(j, key);
	jsonw_num(j, "type", t->type);
	jsonw_num(j, "code", t->code);
	jsonw_str(j, "name", icmp_name(f->tuple.family == AF_INET6, t->type, t->code));
	jsonw_str(j, "origin", fmt_addr(addr, f->tuple.family, t->origin));
	jsonw_str(j, "end", end_name(t->end));
	jsonw_num(j, "count", t->count);
	if (t->mtu)
		jsonw_num(j, "mtu", t->mtu);
	if (t->pends)
		jsonw_true(j, "pending");
	jsonw_end(j);
}

static void times_json(struct json *j, const struct flow *f)
{
	char text[FMT_TIME];

	jsonw_num(j, "step", f->step);
	jsonw_str(j, "start", fmt_time(text, f->start, 9));
	if (f->ended)
		jsonw_str(j, "ended", fmt_time(text, f->ended, 9));
	jsonw_num(j, "idle_ns", f->idle);
	both_json(j, "dwell_ns", f->end[TCPFSM_ORIG].dwell, f->end[TCPFSM_RESP].dwell);
}

void flow_json(struct json *j, const char *key, const struct flow *f, bool final)
{
	const struct flow_end *o = &f->end[TCPFSM_ORIG], *r = &f->end[TCPFSM_RESP];

	jsonw_object(j, key);
	netns_json(j, f->netns);
	jsonw_num(j, "flow", f->id);
	if (!final)
		jsonw_str(j, "family", f->tuple.family == AF_INET6 ? "inet6" : "inet");
	tuple_json(j, &f->tuple);
	if (f->ifindex)
		jsonw_num(j, "ifindex", f->ifindex);
	jsonw_str(j, "orig", state_name(o->state));
	jsonw_str(j, "resp", state_name(r->state));
	jsonw_str(j, "reason", f->reason ? reason_name(f->reason) : NULL);
	if (!final && f->reason && opt.explain)
		jsonw_str(j, "explain", reason_help(f->reason));
	if (!final)
		times_json(j, f);
	history_json(j, f);
	both_json(j, "packets", o->packets, r->packets);
	both_json(j, "bytes", o->bytes, r->bytes);
	if (!final)
		jsonw_num(j, "refused", f->refused);
	flags_json(j, f->flags);
	told_json(j, f, "unreachable", TOLD_UNREACHABLE);
	told_json(j, f, "mtu", TOLD_MTU);
	nat_json(j, &f->nat);
	if (!final)
		sockets_json(j, f);
	jsonw_end(j);
}
