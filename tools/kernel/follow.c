// SPDX-License-Identifier: GPL-2.0
/*
 * It subscribes, dumps (the dump tells the tuples of the flows that exist, and each CPU's position
 * in its numbers), and follows; after a loss it dumps again.
 *
 * With --all-netns, one socket hears every network namespace that has a number here, which each is
 * given. It keeps none of them alive. One dump is read at a time.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "kernel/follow.h"
#include "kernel/follower.h"
#include "kernel/netns.h"
#include "kernel/nsid.h"
#include "lib/live.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"

#define BATCHES		64		/* of events, before anything else gets its turn */
#define LAST_EVENTS	30		/* ms; they leave the kernel within 10 */
#define TICK		(NSEC / 5)
#define FIND_EVERY	NSEC		/* namespaces, without a reason */
#define PATIENCE	(10 * NSEC)	/* the longest to read events without a pause */
#define NSIDS		(1 << 20)	/* the kernel gives the lowest that is free */

struct loop {
	struct following all;
	struct netlink *events;
	struct list followers;
	struct follower *own;
	struct follower *dumping;	/* whose dump is read; NULL: none is */
	u64 settled;		/* every event sent before that is read */
	bool overrun;		/* the socket has ever lost events */
	bool drained;		/* no event waits in the socket */
	bool stopped;		/* by a signal, or by --for */
	bool said;		/* that the first dumps are read */
	/* With --all-netns: */
	struct nsid *nsid;
	struct follower **by_nsid;
	size_t nsids;
	u64 found, find_cost;	/* when namespaces were looked for, and how long that took */
	bool news;		/* a number was given since */
};

static struct follower *follower_behind(struct list_node *n)
{
	return n ? container_of(n, struct follower, node) : NULL;
}

static struct follower *first_follower(const struct loop *l)
{
	return follower_behind(list_first(&l->followers));
}

static struct follower *next_follower(const struct loop *l, const struct follower *m)
{
	return follower_behind(list_next(&l->followers, &m->node));
}

/* ---- the namespaces ---- */

static void add_follower(struct loop *l, const struct netns *ns, int nsid)
{
	struct follower *m = follower_new(&l->all, ns, nsid);

	m->listed = true;
	list_append(&l->followers, &m->node);
	if (nsid < 0)
		l->own = m;
	while (nsid >= 0 && l->nsids <= (size_t)nsid) {
		l->by_nsid = array_grow(l->by_nsid, l->nsids, sizeof(*l->by_nsid));
		l->by_nsid[l->nsids++] = NULL;
	}
	if (nsid >= 0)
		l->by_nsid[nsid] = m;
}

static void drop_follower(struct loop *l, struct follower *m)
{
	list_remove(&m->node);
	if (l->dumping == m)
		l->dumping = NULL;
	if (m->nsid >= 0)
		l->by_nsid[m->nsid] = NULL;
	follower_free(m);
}

static struct follower *follower_of_nsid(const struct loop *l, int nsid)
{
	if (nsid < 0)
		return l->own;
	return (size_t)nsid < l->nsids ? l->by_nsid[nsid] : NULL;
}

static struct follower *follower_of_netns(const struct loop *l, const struct netns *ns)
{
	struct follower *m = first_follower(l);

	while (m && m->netns != ns)
		m = next_follower(l, m);
	return m;
}

/* A number was given to a namespace, or has become free: it may be another's from now on. */
static void hear_nsid(int nsid, bool given, void *arg)
{
	struct follower *m = nsid < 0 ? NULL : follower_of_nsid(arg, nsid);
	struct loop *l = arg;

	l->news |= given && !m;
	if (m && !given)
		drop_follower(l, m);
}

static void take_netns(const struct netns *ns, void *arg)
{
	struct follower *m = follower_of_netns(arg, ns);
	struct loop *l = arg;
	int nsid;

	if (m) {
		m->listed = true;
		return;
	}
	nsid = nsid_get(l->nsid, ns);
	if (nsid >= 0 && nsid < NSIDS && !follower_of_nsid(l, nsid))
		add_follower(l, ns, nsid);
}

/* Those that have come since, and those that have gone. */
static void find_namespaces(struct loop *l)
{
	struct follower *m, *next;
	u64 began = clock_now();

	for (m = first_follower(l); m; m = next_follower(l, m))
		m->listed = m == l->own;
	netns_scan();
	netns_each(take_netns, l);
	for (m = first_follower(l); m; m = next) {
		next = next_follower(l, m);
		if (!m->listed)
			drop_follower(l, m);
	}
	l->news = false;
	l->found = clock_now();
	l->find_cost = l->found - began;
}

static bool is_time_to_find(const struct loop *l)
{
	return l->all.now - l->found >= pause_after(l->find_cost, l->news ? 0 : FIND_EVERY);
}

/* ---- events ---- */

static int on_event(const struct nlmsghdr *nlh, void *arg)
{
	struct loop *l = arg;
	int nsid = netlink_nsid(l->events);
	struct follower *m = follower_of_nsid(l, nsid);

	if (!m) {
		find_namespaces(l);
		m = follower_of_nsid(l, nsid);
	}
	return m ? follower_take(m, nlh) : 0;
}

static void note_overrun(struct loop *l)
{
	struct follower *m;
	bool told = false;

	for (m = first_follower(l); m; m = next_follower(l, m)) {
		told |= m->lost;
		m->lost = true;
	}
	if (!told)
		note("%s: events came faster than they were read; reading all flows again",
		     l->all.verb);
	l->overrun = true;
}

static int read_events(struct loop *l)
{
	int i, ret = 0;

	for (i = 0; i < BATCHES && !l->all.f->done; i++) {
		l->all.now = clock_now();
		ret = l->nsid ? nsid_read(l->nsid, hear_nsid, l) : 0;
		if (ret)
			return ret;
		ret = netlink_events(l->events, on_event, l);
		l->drained = ret == -EAGAIN;
		if (l->all.f->done || l->drained)
			return 0;
		if (ret == -ENOBUFS)
			note_overrun(l);
		else if (ret < 0)
			return ret;
	}
	return 0;
}

/* ---- dumps ---- */

static void say_how_many(struct loop *l)
{
	struct follower *m;
	u64 known = 0;

	for (m = first_follower(l); m; m = next_follower(l, m)) {
		if (!m->seqs.based)
			return;
		known += m->known;
	}
	if (!l->said && !opt.quiet)
		note("%s: %llu flows so far; following", l->all.verb, (unsigned long long)known);
	l->said = true;
}

/* A namespace may go at any time; if the own one seems to, the module has. */
static int check_dump(struct loop *l, struct follower *m, int err)
{
	if (err != -ENOENT)
		return err;
	if (m == l->own)
		return -ENODEV;
	drop_follower(l, m);
	return 0;
}

static int begin_dump(struct loop *l)
{
	struct follower *m = first_follower(l);

	while (m && !follower_needs_dump(m))
		m = next_follower(l, m);
	l->dumping = m;
	return m ? check_dump(l, m, follower_begin_dump(m)) : 0;
}

static int read_dump(struct loop *l)
{
	struct follower *m = l->dumping;
	int ret = follower_read_dump(m);

	if (ret > 0)
		return 0;
	if (ret < 0)
		return check_dump(l, m, ret);
	l->dumping = NULL;
	say_how_many(l);
	return 0;
}

/* ---- the loop ---- */

/* Return: whether somebody waits for a dump, or is young */
static bool is_busy(const struct loop *l)
{
	const struct follower *m;

	for (m = first_follower(l); m; m = next_follower(l, m))
		if (m->lost || m->dumped + 2 * NSEC > l->all.now)
			return true;
	return false;
}

/* Return: ms for poll() */
static int wait_time(struct loop *l, u64 until)
{
	u64 wait = ~0ULL, now = l->all.now, w;
	struct follower *m;

	/* An event that is waited for may stand behind those that are not read yet. */
	if (l->drained)
		l->settled = now;
	else if (l->settled + PATIENCE < now)
		l->settled = now - PATIENCE;
	for (m = first_follower(l); m; m = next_follower(l, m)) {
		w = follower_tick(m, l->settled, l->drained);
		wait = w < wait ? w : wait;
	}
	out_flush();
	if (l->all.f->on_tick)
		l->all.f->on_tick(l->all.f->arg);
	if (l->all.f->on_tick || l->nsid || is_busy(l))
		wait = wait < TICK ? wait : TICK;
	if (until && (until < now ? 0 : until - now) < wait)
		wait = until < now ? 0 : until - now;
	return wait == ~0ULL ? -1 : poll_ms(wait);
}

static int take_step(struct loop *l, struct pollfd *fds, u64 until)
{
	int ret;

	l->all.now = clock_now();
	fds[1].fd = l->dumping ? netlink_fd(l->dumping->dump) : -1;
	if (poll(fds, 4, wait_time(l, until)) < 0)
		return errno == EINTR ? 0 : -errno;
	l->all.now = clock_now();
	l->stopped = fds[2].revents || (until && l->all.now >= until);
	l->drained = !fds[0].revents;
	ret = fds[3].revents ? nsid_read(l->nsid, hear_nsid, l) : 0;
	if (!ret && fds[0].revents)
		ret = read_events(l);
	if (!ret && l->dumping && fds[1].revents)
		ret = read_dump(l);
	if (!ret && l->nsid && is_time_to_find(l))
		find_namespaces(l);
	if (!ret && !l->dumping)
		ret = begin_dump(l);
	return ret;
}

/* Events from before the stop are still on their way. */
static int read_last(struct loop *l)
{
	int err;

	poll(NULL, 0, LAST_EVENTS);
	do {
		err = read_events(l);
	} while (!err && !l->all.f->done && !l->drained);
	return err;
}

static int count_last(struct loop *l)
{
	struct follower *m;
	int err = 0;

	for (m = first_follower(l); m && !err; m = next_follower(l, m)) {
		err = follower_ask_positions(m);
		err = err == -ENOENT && m != l->own ? 0 : err;
	}
	if (!err)
		err = read_last(l);
	for (m = first_follower(l); m && !err; m = next_follower(l, m))
		follower_give_up(m);
	return err;
}

static int begin_to_follow(struct loop *l)
{
	int err = netlink_join(l->events, opt.all_netns);

	l->all.now = clock_now();
	if (!err && opt.all_netns)
		l->nsid = nsid_open(&err);
	if (err)
		return err;
	add_follower(l, netns_here(), -1);
	if (l->nsid)
		find_namespaces(l);
	return begin_dump(l);
}

static int run_loop(struct loop *l, int signals)
{
	struct pollfd fds[] = {
		{ netlink_fd(l->events), POLLIN, 0 }, { -1, POLLIN, 0 }, { signals, POLLIN, 0 },
		{ -1, POLLIN, 0 },
	};
	u64 until = opt.for_ns ? clock_now() + opt.for_ns : 0;
	int err = begin_to_follow(l);

	if (l->nsid)
		fds[3].fd = nsid_fd(l->nsid);

	while (!err && !l->all.f->done && !l->stopped)
		err = take_step(l, fds, until);
	if (!err && !l->all.f->done)
		err = read_last(l);
	if (!err && !l->all.f->done && l->overrun)
		err = count_last(l);
	return err;
}

static int open_and_run(struct loop *l)
{
	int err, status = EXIT_FOUND, signals;

	l->events = netlink_open(NULL, &err);
	if (!l->events)
		return netlink_fail(NULL, err);
	signals = catch_signals();
	err = run_loop(l, signals);
	if (err == -ENODEV)
		status = fail("%s: the kernel module was unloaded", l->all.verb);
	else if (err)
		status = netlink_fail(l->dumping ? l->dumping->dump : l->events, err);
	if (signals >= 0)
		close(signals);
	return status;
}

int follow(struct follow *f, const char *verb)
{
	struct loop l = { .all = { .f = f, .verb = verb } };
	int status = open_and_run(&l);
	struct follower *m;

	while ((m = first_follower(&l)))
		drop_follower(&l, m);
	netlink_close(l.events);
	nsid_close(l.nsid);
	free(l.by_nsid);
	return status;
}
