// SPDX-License-Identifier: GPL-2.0
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "data/names.h"
#include "kernel/holder.h"
#include "kernel/socket.h"
#include "lib/htab.h"
#include "lib/live.h"
#include "lib/memory.h"

#define READ_EVERY	NSEC

/* A socket, of a process or of nobody any more; twice, found by its cookie and by its tuple. */
struct owned {
	struct hnode node;
	bool by_tuple;
	const struct netns *netns;
	u64 cookie;
	struct tuple tuple;
	u32 inode;		/* 0: no process has it */
	u8 state;		/* as sock.state */
};

static struct htab sockets;

static void keep_socket(const struct sock *s, void *arg)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct owned *o = zalloc(sizeof(*o));

		*o = (struct owned){ .by_tuple = i, .netns = arg, .cookie = s->cookie,
				     .tuple = s->tuple, .inode = s->inode,
				     .state = s->state };
		htab_add(&sockets, &o->node, i ? tuple_hash(&o->tuple) : hash_mix(o->cookie));
	}
}

/* The namespaces whose sockets were read. */
static struct read {
	const struct netns *netns;
	bool failed;
} *read_of;
static size_t nr_read;

/* What is read may be old before all of it is used. */
static u64 read_began, read_cost;

static bool is_stale(void)
{
	return clock_now() - read_began >= pause_after(read_cost, READ_EVERY);
}

/* TIME_WAIT is nobody's, and there may be a great many. Return: false, they cannot be read */
static bool read_sockets_of(const struct netns *ns)
{
	u64 began;
	size_t i;

	for (i = nr_read; i > 0; i--)
		if (read_of[i - 1].netns == ns)
			return !read_of[i - 1].failed;
	began = clock_now();
	if (!nr_read) {
		read_began = began;
		read_cost = 0;
	}
	read_of = array_grow(read_of, nr_read, sizeof(*read_of));
	read_of[nr_read].netns = ns;
	read_of[nr_read].failed = sock_each(ns, ~(1U << TCP_TIME_WAIT), keep_socket, (void *)ns);
	processes_read();
	read_cost += clock_now() - began;
	return !read_of[nr_read++].failed;
}

static const struct owned *find_by_cookie(u64 cookie)
{
	struct hnode *n;

	for (n = htab_first(&sockets, hash_mix(cookie)); n; n = htab_next(n)) {
		const struct owned *o = (struct owned *)n;

		if (!o->by_tuple && o->cookie == cookie)
			return o;
	}
	return NULL;
}

/* As the socket sees it. */
static const struct owned *find_by_tuple(const struct netns *ns, const struct tuple *t)
{
	struct hnode *n;

	for (n = htab_first(&sockets, tuple_hash(t)); n; n = htab_next(n)) {
		const struct owned *o = (struct owned *)n;

		if (o->by_tuple && o->netns == ns && tuple_equal(&o->tuple, t))
			return o;
	}
	return NULL;
}

static const struct owned *find_socket(const struct flow *f, unsigned int end)
{
	const struct flow_end *e = &f->end[end];
	struct tuple t;

	if (e->cookie)
		return find_by_cookie(e->cookie);
	/* A server's socket that has sent nothing yet but the SYN|ACK made for it. */
	t = end == TCPFSM_ORIG ? f->tuple : tuple_reversed(&f->tuple);
	return find_by_tuple(f->netns, e->sk.family ? &e->sk : &t);
}

static const struct process *find_holder(const struct flow *f, unsigned int end)
{
	const struct owned *o;

	read_sockets_of(f->netns);
	o = find_socket(f, end);
	return o && o->inode ? process_of(o->inode) : NULL;
}

bool holder_backs(const struct flow *f, unsigned int end)
{
	const struct owned *o;

	if (!is_local_end(f, end) || !read_sockets_of(f->netns))
		return true;
	o = find_socket(f, end);
	return o && !strcmp(sock_state_name(o->state), state_name(f->end[end].state));
}

const struct process *holder_of(const struct flow *f, unsigned int end)
{
	const struct process *p;

	if (!is_local_end(f, end))
		return NULL;
	p = find_holder(f, end);
	if (p || !is_stale())
		return p;
	holders_forget();
	return find_holder(f, end);
}

static bool free_socket(struct hnode *n, void *arg)
{
	(void)arg;
	free(n);
	return true;
}

void holders_forget(void)
{
	htab_sweep(&sockets, free_socket, NULL);
	htab_free(&sockets);
	nr_read = 0;
	processes_forget();
}

void flow_add_holders(struct flow *f)
{
	unsigned int end;

	for (end = 0; end < TCPFSM_ENDS; end++)
		f->end[end].process = holder_of(f, end);
}
