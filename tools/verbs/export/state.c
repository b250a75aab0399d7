// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "data/names.h"
#include "lib/format.h"
#include "lib/json.h"
#include "lib/live.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "verbs/export/state.h"

#define STUCK_MAX	50	/* flows that the page shows */
#define STUCK_AGE	(10 * NSEC)
#define SERVICES_MAX	20

#define S(state)	(1U << TCPFSM_##state)

/* An end may stay in these for long, and be well. */
#define LASTING		(S(ESTABLISHED) | S(TIME_WAIT) | S(CLOSED) | S(LISTEN))

/* ---- what is shown ---- */

/* The flows that are longest in a state that should not last. */
struct stuck {
	struct flow flow[STUCK_MAX];
	u64 dwell[STUCK_MAX];
	size_t n;
	u64 all;
};

static void keep_stuck(const struct flow *f, void *arg)
{
	struct stuck *s = arg;
	u64 dwell = 0;
	unsigned int i;
	size_t at;

	for (i = 0; i < TCPFSM_ENDS; i++)
		if (~LASTING >> f->end[i].state & 1 && f->end[i].dwell > dwell)
			dwell = f->end[i].dwell;
	if (dwell < STUCK_AGE)
		return;
	s->all++;
	if (s->n == STUCK_MAX && dwell <= s->dwell[s->n - 1])
		return;
	at = s->n < STUCK_MAX ? s->n++ : s->n - 1;
	for (; at && s->dwell[at - 1] < dwell; at--) {
		s->flow[at] = s->flow[at - 1];
		s->dwell[at] = s->dwell[at - 1];
	}
	s->flow[at] = *f;
	s->dwell[at] = dwell;
}

struct services {
	struct service service[SERVICES_MAX];
	size_t n;
};

static u64 weigh_service(const struct service *s)
{
	return (s->count[TCPFSM_SYN_RCVD] + s->count[TCPFSM_CLOSE_WAIT]) << 32 |
	       (s->count[TCPFSM_ESTABLISHED] & 0xffffffff);
}

static void keep_service(const struct service *s, void *arg)
{
	struct services *list = arg;
	u64 weight = weigh_service(s);
	size_t at;

	if (!s->family)
		return;
	if (list->n == SERVICES_MAX && weight <= weigh_service(&list->service[list->n - 1]))
		return;
	at = list->n < SERVICES_MAX ? list->n++ : list->n - 1;
	for (; at && weigh_service(&list->service[at - 1]) < weight; at--)
		list->service[at] = list->service[at - 1];
	list->service[at] = *s;
}

/* ---- as JSON ---- */

static void put_stats(struct json *j, const struct stats *s)
{
	unsigned int i, k;

	jsonw_object(j, "stats");
	jsonw_num(j, "entries", s->entries);
	jsonw_num(j, "limit", s->limit);
	jsonw_object(j, "states");
	for (i = 0; i < STATES_LISTED; i++) {
		jsonw_array(j, state_name(state_order[i]));
		jsonw_num(j, NULL, stats_orig(s, state_order[i]));
		jsonw_num(j, NULL, stats_resp(s, state_order[i]));
		jsonw_end(j);
	}
	jsonw_end(j);
	jsonw_array(j, "moves");
	for (i = 1; i < TCPFSM_STATES; i++) {
		for (k = 1; k < TCPFSM_STATES; k++) {
			if (!s->moves[i][k])
				continue;
			jsonw_array(j, NULL);
			jsonw_str(j, NULL, state_name(i));
			jsonw_str(j, NULL, state_name(k));
			jsonw_num(j, NULL, s->moves[i][k]);
			jsonw_end(j);
		}
	}
	jsonw_end(j);
	jsonw_end(j);
}

#define FMT_PLACED	(NETNS_NAME + FMT_SERVICE)

/* With --all-netns, the namespace stands before what is in it. */
static const char *with_netns(char *buf, const struct netns *ns, const char *what)
{
	if (!opt.all_netns || !ns)
		return what;
	snprintf(buf, FMT_PLACED, "%s %s", ns->name, what);
	return buf;
}

static void put_services(struct json *j, const struct services *list)
{
	static const u8 states[] = { TCPFSM_SYN_RCVD, TCPFSM_ESTABLISHED, TCPFSM_CLOSE_WAIT };
	char name[FMT_SERVICE], text[FMT_PLACED];
	size_t i, k;

	jsonw_array(j, "services");
	for (i = 0; i < list->n; i++) {
		const struct service *s = &list->service[i];

		jsonw_array(j, NULL);
		jsonw_str(j, NULL, with_netns(text, s->netns, fmt_service(name, s)));
		for (k = 0; k < ARRAY_SIZE(states); k++)
			jsonw_num(j, NULL, s->count[states[k]]);
		jsonw_num(j, NULL, s->refused);
		jsonw_num(j, NULL, s->reset);
		jsonw_end(j);
	}
	jsonw_end(j);
}

static void put_stuck(struct json *j, const struct stuck *s)
{
	char text[FMT_ENDPOINT], placed[FMT_PLACED];
	size_t i;

	jsonw_object(j, "stuck");
	jsonw_array(j, "flows");
	for (i = 0; i < s->n; i++) {
		const struct flow *f = &s->flow[i];

		jsonw_object(j, NULL);
		jsonw_num(j, "flow", f->id);
		jsonw_str(j, "src", with_netns(placed, f->netns, fmt_src(text, &f->tuple)));
		jsonw_str(j, "dst", fmt_dst(text, &f->tuple));
		jsonw_str(j, "orig", state_name(f->end[TCPFSM_ORIG].state));
		jsonw_str(j, "resp", state_name(f->end[TCPFSM_RESP].state));
		jsonw_str(j, "dwell", fmt_span(text, s->dwell[i]));
		jsonw_end(j);
	}
	jsonw_end(j);
	jsonw_num(j, "all", s->all);
	jsonw_end(j);
}

int state_write(FILE *out, struct kernel *k)
{
	const struct kernel_filter filter = {
		.any_states = ALL_STATES & ~(S(ESTABLISHED) | S(TIME_WAIT)),
	};
	struct stuck *stuck = zalloc(sizeof(*stuck));
	struct services services = { 0 };
	struct stats stats = { 0 };
	struct buffer text = { 0 };
	struct json json = { .to = &text };
	int err;

	err = kernel_stats(k, &stats);
	if (!err)
		err = kernel_services(k, keep_service, &services);
	if (!err)
		err = kernel_flows(k, &filter, keep_stuck, stuck);
	if (!err) {
		jsonw_object(&json, NULL);
		jsonw_num(&json, "now", clock_of_day());
		put_stats(&json, &stats);
		put_services(&json, &services);
		put_stuck(&json, stuck);
		jsonw_end(&json);
		fwrite(text.data, 1, text.len, out);
	}
	buffer_free(&text);
	free(stuck);
	return err;
}
