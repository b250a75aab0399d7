/* SPDX-License-Identifier: GPL-2.0 */
/* What is followed of one network namespace. Private to the room. */
#ifndef KERNEL_FOLLOWER_H
#define KERNEL_FOLLOWER_H

#include "kernel/netlink.h"
#include "kernel/seqs.h"
#include "kernel/told.h"

/* What all of them share. */
struct following {
	struct follow *f;
	const char *verb;
	u64 now;		/* CLOCK_MONOTONIC */
	u64 seq;		/* of the last transition that was told, or lost */
};

struct follower {
	struct list_node node;
	struct following *all;
	const struct netns *netns;
	int nsid;		/* as in kernel/nsid.h; -1: the own namespace */
	bool listed;		/* it was found again */
	struct netlink *dump;	/* while it is read */
	struct cache cache;
	struct seqs seqs;
	struct nat_asker *nat;	/* NULL: nobody wants to know */
	u64 dumped;		/* when the latest dump began */
	u64 known;		/* flows of the dumps */
	u64 asked_since;
	unsigned int asked;	/* how often for single flows, since then */
	bool lost;		/* another dump is needed */
};

struct follower *follower_new(struct following *all, const struct netns *ns, int nsid);
/* Shows what still waits. */
void follower_free(struct follower *m);

/* A message of events. Return: 0 or a negative errno; -ECANCELED: done */
int follower_take(struct follower *m, const struct nlmsghdr *nlh);

/*
 * A dump has a socket of its own, which lasts no longer, and is read between events, so that they
 * do not pile up. Return: 0, or a negative errno: -ENOENT: the namespace, or the module, has gone
 */
int follower_begin_dump(struct follower *m);
/* Return: 1 while there is more to come */
int follower_read_dump(struct follower *m);
bool follower_needs_dump(const struct follower *m);

/*
 * Shows what has waited long enough. @drained: no event waits.
 * Return: ns until there is more to do
 */
u64 follower_tick(struct follower *m, u64 settled, bool drained);

/*
 * No later event tells of the last losses. The positions at the head of a dump, of no flow, do.
 * Return: 0 or a negative errno
 */
int follower_ask_positions(struct follower *m);
/* Whatever has not come by now is lost. */
void follower_give_up(struct follower *m);

#endif
