// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "lib/memory.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"
#include "record/reader.h"
#include "verbs/flow/life.h"
#include "verbs/flow/past.h"

/* One for each flow: a number is that of a namespace, and begins anew with the module. */
struct past {
	const struct filter *filter;
	struct life *life;
	size_t lives;
};

static struct life *get_life(struct past *p, const struct flow *f)
{
	struct life *l;
	size_t i;

	for (i = p->lives; i-- > 0;) {
		l = &p->life[i];
		if (l->id == f->id && l->netns == f->netns && tuple_equal(&l->tuple, &f->tuple))
			return l;
	}
	p->life = array_grow(p->life, p->lives, sizeof(*p->life));
	l = &p->life[p->lives++];
	*l = (struct life){
		.id = f->id, .netns = f->netns, .tuple = f->tuple, .recorded = true,
	};
	return l;
}

/* What it points to lasts no longer than the call. */
static void take_past_event(const struct flow *f, const struct event *e, void *arg)
{
	struct past *p = arg;
	struct life *l;

	if (!filter_event(p->filter, f, e))
		return;
	l = get_life(p, f);
	l->event = array_grow(l->event, l->events, sizeof(*l->event));
	l->event[l->events] = *e;
	l->event[l->events].nat = NULL;
	l->event[l->events].process[TCPFSM_ORIG] = NULL;
	l->event[l->events].process[TCPFSM_RESP] = NULL;
	l->events++;
	l->last = e->when;
}

static void take_past_end(const struct flow *f, void *arg)
{
	struct past *p = arg;
	struct life *l;
	unsigned int i;

	if (!filter_flow(p->filter, f, f->ended))
		return;
	l = get_life(p, f);
	l->flow = *f;
	for (i = 0; i < TCPFSM_ENDS; i++) {
		if (!f->end[i].process)
			continue;
		l->process[i] = *f->end[i].process;
		l->flow.end[i].process = NULL;
	}
	l->last = f->ended;
}

/* The latest of a namespace; the others of this tuple are earlier incarnations. */
static bool is_latest(const struct past *p, struct life *l)
{
	const struct life *other, *before = NULL;

	for (other = p->life; other < p->life + p->lives; other++) {
		if (other == l || other->netns != l->netns ||
		    !tuple_is_between(&other->tuple, &l->tuple))
			continue;
		if (other->last > l->last)
			return false;
		l->earlier++;
		if (!before || other->last > before->last)
			before = other;
	}
	l->earlier_id = before ? before->id : 0;
	return true;
}

static void show_past(struct life *l, u64 shown)
{
	unsigned int i;

	for (i = 0; i < TCPFSM_ENDS; i++)
		if (l->process[i].pid)
			l->flow.end[i].process = &l->process[i];
	if (shown)
		out_text("\n");
	life_print(l);
}

/* Without --all-netns one is shown, the latest of all. */
static int show_lives_of(struct past *p)
{
	struct life *l, *last = NULL;
	u64 shown = 0, namespaces = 0;

	if (opt.all_netns)
		out_array(NULL);
	for (l = p->life; l < p->life + p->lives; l++) {
		if (!is_latest(p, l))
			continue;
		namespaces++;
		if (opt.all_netns)
			show_past(l, shown++);
		else if (!last || l->last > last->last)
			last = l;
	}
	if (last)
		show_past(last, shown++);
	if (last && namespaces > 1)
		note("%llu flows fit: --all-netns shows all, --netns NAME those of a namespace",
		     (unsigned long long)namespaces);
	if (opt.all_netns)
		out_end();
	if (!shown)
		note("no such flow in the record");
	return shown ? EXIT_FOUND : EXIT_NONE;
}

int past_show(const struct filter *filter, bool one_end)
{
	struct past p = { .filter = filter };
	struct record_reader reader = {
		.filter = filter,
		.on_event = take_past_event, .on_end = take_past_end, .arg = &p,
	};
	int status;

	if (one_end)
		return fail("flow: --from wants both ends, or a number; 'tcpfsm flows --ended --from %s' lists flows",
			    opt.from);
	status = record_read(&reader, opt.from);
	if (status == EXIT_FOUND)
		status = show_lives_of(&p);
	while (p.lives)
		free(p.life[--p.lives].event);
	free(p.life);
	return status;
}
