// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "lib/live.h"
#include "lib/message.h"
#include "lib/options.h"
#include "verbs/top/data.h"

#define S(state)	(1U << TCPFSM_##state)

/* In these an end waits for its peer or its application, perhaps for ever. */
#define STUCK		(S(SYN_SENT) | S(SYN_RCVD) | S(FIN_WAIT_1) | S(FIN_WAIT_2) | \
			 S(CLOSE_WAIT) | S(CLOSING) | S(LAST_ACK))

#define DUMP_EVERY	(3 * NSEC)	/* at most */

/* A rate, and the counters that it sums up. */
static const struct {
	const char *name, *of[2];
} rates[TOP_RATES] = {
	[TOP_OPENED]	= { "opened", { "flows_opened", "flows_midstream" } },
	[TOP_RESET]	= { "reset", { "reset" } },
	[TOP_REFUSED]	= { "refused", { "refused" } },
	[TOP_TIMEOUT]	= { "timeout", { "ended_timeout" } },
	[TOP_EVICTED]	= { "evicted", { "ended_evicted" } },
	[TOP_FULL]	= { "full", { "table_full", "bucket_full" } },
	[TOP_FIN]	= { "fin", { "ended_fin" } },
	[TOP_SEGMENTS]	= { "segments", { "segments" } },
};

const char *top_rate_name(enum top_rate rate)
{
	return rates[rate].name;
}

const struct flow_end *top_holder(const struct flow *f)
{
	const struct flow_end *o = &f->end[TCPFSM_ORIG], *r = &f->end[TCPFSM_RESP];
	bool orig = STUCK >> o->state & 1, resp = STUCK >> r->state & 1;

	if (o->state == TCPFSM_CLOSE_WAIT || r->state == TCPFSM_CLOSE_WAIT)
		return r->state == TCPFSM_CLOSE_WAIT ? r : o;
	if (orig != resp)
		return orig ? o : r;
	return o->dwell >= r->dwell ? o : r;
}

u64 top_since_dump(const struct top *t)
{
	return t->sampled > t->dumped ? t->sampled - t->dumped : 0;
}

/* ---- the counts ---- */

static void add_counter(const struct counter *c, void *arg)
{
	u64 *counter = arg;
	unsigned int i, j;

	for (i = 0; i < TOP_RATES; i++)
		for (j = 0; j < ARRAY_SIZE(rates[i].of); j++)
			if (rates[i].of[j] && !strcmp(c->name, rates[i].of[j]))
				counter[i] += c->value;
}

static double per_second(u64 now, u64 before, double seconds)
{
	return now > before && seconds > 0 ? (now - before) / seconds : 0;
}

static void take_state_rows(struct top *t)
{
	struct rank *list = &t->list[TOP_STATES];
	unsigned int i, at = t->samples % TOP_PAST;

	rank_begin(list, &t->order[TOP_STATES]);
	for (i = 0; i < STATES_LISTED; i++) {
		struct top_state row = { .state = state_order[i] };

		row.orig = stats_orig(&t->stats, row.state);
		row.resp = stats_resp(&t->stats, row.state);
		row.rate = t->entered_rate[row.state];
		t->past[row.state][at] = row.orig + row.resp;
		t->past_rate[row.state][at] = row.rate;
		rank_offer(list, &row);
	}
	rank_sort(list, &t->order[TOP_STATES]);
}

/* These mean that the module has gone, or is about to go. */
static int check_errno(int err)
{
	return err == -ENOENT || err == -EPROTONOSUPPORT ? -ENODEV : err;
}

int top_sample(struct top *t)
{
	u64 now = clock_now(), counter[TOP_RATES] = { 0 };
	double seconds = t->samples ? (double)(now - t->sampled) / NSEC : 0;
	struct stats stats = { 0 };
	unsigned int i;
	int err;

	err = kernel_stats(t->counts, &stats);
	if (!err)
		err = kernel_counters(t->counts, add_counter, counter);
	if (err)
		return check_errno(err);
	for (i = 0; i < TCPFSM_STATES; i++)
		t->entered_rate[i] = per_second(stats_entered(&stats, i),
						stats_entered(&t->stats, i), seconds);
	for (i = 0; i < TOP_RATES; i++)
		t->rate[i] = per_second(counter[i], t->counter[i], seconds);
	memcpy(t->counter, counter, sizeof(counter));
	t->stats = stats;
	t->sampled = now;
	take_state_rows(t);
	t->samples++;
	return 0;
}

/* ---- the dump ---- */

static bool is_in_set(u32 states, unsigned int state)
{
	return !states || states >> state & 1;
}

/* The counts tell whether any flow is in the wanted states. */
static bool has_wanted(const struct top *t)
{
	const struct kernel_filter *w = &t->want;
	unsigned int o, r;

	for (o = 0; o < TCPFSM_STATES; o++)
		for (r = 0; r < TCPFSM_STATES; r++)
			if (t->stats.pairs[o][r] &&
			    is_in_set(w->orig_states, o) && is_in_set(w->resp_states, r) &&
			    (is_in_set(w->any_states, o) || is_in_set(w->any_states, r)))
				return true;
	return false;
}

static void offer_service(const struct service *s, void *arg)
{
	struct top *t = arg;

	if (!opt.family || s->family == opt.family)
		rank_offer(&t->next[TOP_SERVICES], s);
}

static void offer_flow(const struct flow *f, void *arg)
{
	struct top *t = arg;

	if (filter_flow(t->filter, f, t->begun))
		rank_offer(&t->next[TOP_FLOWS], f);
}

bool top_dump_due(const struct top *t)
{
	u64 since = clock_now() - t->dump_began;

	if (top_dumping(t))
		return false;
	if (t->stale)
		return since >= 2 * t->dump_cost;
	return since >= pause_after(t->dump_cost, DUMP_EVERY);
}

int top_dump_begin(struct top *t)
{
	t->stale = false;
	t->matching = true;
	t->dump_began = clock_now();
	t->begun = clock_of_day();
	t->reading = TOP_SERVICES;
	rank_begin(&t->next[TOP_SERVICES], &t->order[TOP_SERVICES]);
	rank_begin(&t->next[TOP_FLOWS], &t->order[TOP_FLOWS]);
	return kernel_begin_services(t->dump, offer_service, t);
}

/* What was read is shown from now on. The order may have changed meanwhile. */
static void swap_list(struct top *t, enum top_list list)
{
	struct rank shown = t->list[list];

	t->list[list] = t->next[list];
	t->next[list] = shown;
	rank_sort(&t->list[list], &t->order[list]);
}

static void end_dump(struct top *t)
{
	swap_list(t, TOP_SERVICES);
	/* If the filter has changed meanwhile, these flows are not the wanted ones. */
	if (t->matching)
		swap_list(t, TOP_FLOWS);
	t->matched = t->matching;
	t->reading = TOP_STATES;
	t->dumped = t->dump_began;
	t->dump_cost = clock_now() - t->dump_began;
}

int top_dump_read(struct top *t)
{
	int ret = kernel_read(t->dump);

	if (ret)
		return ret < 0 ? check_errno(ret) : 0;
	if (t->reading == TOP_SERVICES && has_wanted(t)) {
		t->reading = TOP_FLOWS;
		return kernel_begin_flows(t->dump, &t->want, offer_flow, t);
	}
	end_dump(t);
	return 0;
}

int top_fd(const struct top *t)
{
	return kernel_fd(t->dump);
}

/* ---- what is wanted ---- */

void top_set_filter(struct top *t, struct filter *filter)
{
	filter_free(t->filter);
	t->filter = filter;
	t->want = filter_push_down(filter);
	if (!filter_has_states(filter))
		t->want.any_states = STUCK;
	t->list[TOP_FLOWS].n = 0;
	t->matching = false;
	t->matched = false;
	t->stale = true;
}

void top_set_order(struct top *t, enum top_list list, const struct rank_order *order)
{
	t->order[list] = *order;
	if (t->list[list].n)
		rank_sort(&t->list[list], order);
	t->stale |= list != TOP_STATES;
}

int top_open(struct top *t)
{
	static const size_t sizes[TOP_LISTS] = {
		sizeof(struct top_state), sizeof(struct service), sizeof(struct flow),
	};
	unsigned int i;
	int err;

	for (i = 0; i < TOP_LISTS; i++) {
		rank_init(&t->list[i], sizes[i], TOP_ROWS);
		rank_init(&t->next[i], sizes[i], TOP_ROWS);
	}
	t->counts = kernel_open(&err);
	if (t->counts)
		t->dump = kernel_open(&err);
	return t->dump ? EXIT_FOUND : kernel_fail(NULL, err);
}

void top_close(struct top *t)
{
	unsigned int i;

	for (i = 0; i < TOP_LISTS; i++) {
		rank_free(&t->list[i]);
		rank_free(&t->next[i]);
	}
	filter_free(t->filter);
	kernel_close(t->counts);
	kernel_close(t->dump);
}

int top_fail(const struct top *t, int err)
{
	if (err == -ENODEV)
		return fail("top: the kernel module was unloaded");
	return kernel_fail(top_dumping(t) ? t->dump : t->counts, err);
}
