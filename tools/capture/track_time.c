// SPDX-License-Identifier: GPL-2.0
/*
 * Time-outs by the capture's clock. Each class has a queue in the order of stamps: a flow that is
 * stamped goes to the end, since the clock never goes back.
 */
#include "capture/track_flow.h"

static const u64 timeouts[TFSM_CLASSES] = {
#define X(id, name, seconds, help) [TFSM_CLASS_##id] = (seconds) * NSEC,
	TCPFSM_CLASS_LIST(X)
#undef X
};

void track_dequeue(struct track_flow *f)
{
	list_remove(&f->queued);
}

static void enqueue_at(struct track *t, struct track_flow *f, u8 class, u64 stamp)
{
	f->class = class;
	f->stamp = stamp;
	list_append(&t->queue[class], &f->queued);
}

void track_enqueue(struct track *t, struct track_flow *f)
{
	enqueue_at(t, f, tfsm_class(&f->fsm), t->clock);
}

void track_refresh(struct track *t, struct track_flow *f, enum tfsm_verdict verdict,
		   const struct tfsm_out *o)
{
	if (!tfsm_restarts(&f->fsm, f->class, verdict, o))
		return;
	track_dequeue(f);
	track_enqueue(t, f);
}

static u64 deadline_of(const struct track_flow *f)
{
	return f->stamp + timeouts[f->class];
}

static struct track_flow *find_due(const struct track *t)
{
	struct track_flow *next = NULL, *f;
	const struct list_node *n;
	unsigned int class;

	for (class = 0; class < TFSM_CLASSES; class++) {
		n = list_first(&t->queue[class]);
		f = n ? container_of(n, struct track_flow, queued) : NULL;
		if (f && deadline_of(f) <= t->clock &&
		    (!next || deadline_of(f) < deadline_of(next)))
			next = f;
	}
	return next;
}

/* TIME_WAIT is over. The flow lingers in the class of its new pair of states. */
static void leave_time_wait(struct track *t, struct track_flow *f)
{
	struct tfsm_out o = { .now = deadline_of(f) };

	tfsm_expire(&f->fsm, &o);
	track_moved(t, f, &o);
	track_dequeue(f);
	enqueue_at(t, f, tfsm_class(&f->fsm), o.now);
}

/* Ends or moves every flow that is due by the clock, in the order of deadlines. */
static void expire_flows(struct track *t)
{
	struct track_flow *f;

	while ((f = find_due(t))) {
		if (f->class == TFSM_CLASS_TIME_WAIT)
			leave_time_wait(t, f);
		else
			track_finish(t, f, deadline_of(f), tfsm_timeout_reason(&f->fsm));
	}
}

void track_tick(struct track *t, u64 now)
{
	if (now > t->clock)
		t->clock = now;
	if (!t->no_expire)
		expire_flows(t);
}
