// SPDX-License-Identifier: GPL-2.0
/* Who resets connections, and who refuses them. */
#include <stdio.h>
#include <stdlib.h>

#include "verbs/doctor/doctor.h"
#include "verbs/doctor/group.h"

#define RECENTLY	(60 * NSEC)	/* what was before that is no news */
#define RESETS		10		/* fewer are normal */
#define REFUSALS	3		/* a backend that restarts refuses a few */

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

static bool is_recent(const struct patient *p, const struct event *e)
{
	return e->when + RECENTLY >= p->now;
}

static void find_resets(const struct patient *p)
{
	char end[FMT_ENDPOINT], other[FMT_ENDPOINT], key[GROUP_KEY], scope[GROUP_SCOPE];
	struct group *groups = NULL, *g;
	struct finding *f;
	size_t i;

	for (i = 0; i < p->events; i++) {
		const struct event *e = &p->event[i];
		const struct tuple *t = e->tuple;

		if (e->cause != TCPFSM_SND_RST || !is_recent(p, e) ||
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
		g->tuple = *t;
		g->count++;
		g->extra += e->from == TCPFSM_ESTABLISHED;
	}
	while ((g = group_take(&groups))) {
		if (g->count >= RESETS) {
			f = finding(RANK_WARNING, "resets", g->count,
				    "%s, %llu times within the last minute, %llu of them in ESTABLISHED.",
				    g->key, (unsigned long long)g->count,
				    (unsigned long long)g->extra);
			group_tell(f, g, false);
			group_scope(scope, g);
			look_with(f, "tcpfsm log cause SND_RST%s; tcpfsm monitor cause SND_RST%s",
				  scope, scope);
		}
		free(g);
	}
}

/* The answers of services to SYNs within the last minute: refusals, and in @extra SYN|ACKs. */
static struct group *group_answers(const struct patient *p)
{
	char where[FMT_ENDPOINT];
	struct group *groups = NULL, *g;
	size_t i;

	for (i = 0; i < p->events; i++) {
		const struct event *e = &p->event[i];
		bool refuses = e->cause == TCPFSM_SND_RST && e->from == TCPFSM_LISTEN;

		if (e->end != TCPFSM_RESP || !is_recent(p, e) ||
		    !(refuses || e->cause == TCPFSM_SND_SYNACK))
			continue;
		g = group_of(&groups, fmt_dst(where, e->tuple));
		g->tuple = *e->tuple;
		g->count += refuses;
		g->extra += !refuses;
	}
	return groups;
}

static void find_refusals(const struct patient *p)
{
	struct group *groups = group_answers(p), *g;
	char scope[GROUP_SCOPE];
	struct finding *f;

	while ((g = group_take(&groups))) {
		if (g->count >= REFUSALS && g->count >= g->extra) {
			f = finding(RANK_WARNING, "refused", g->count,
				    "%s refuses %llu of %llu connections within the last minute (nothing listens there, or a firewall rejects them with a reset).",
				    g->key, (unsigned long long)g->count,
				    (unsigned long long)g->count + g->extra);
			group_tell(f, g, false);
			group_scope(scope, g);
			look_with(f, "tcpfsm log cause SND_RST%s; tcpfsm monitor cause SND_RST%s",
				  scope, scope);
		}
		free(g);
	}
}

void doctor_resets(const struct patient *p)
{
	find_resets(p);
	find_refusals(p);
	find_inexact_resets();
}
