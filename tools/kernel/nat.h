/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What nf_conntrack translates: by which addresses both ends of a flow know it. Without
 * nf_conntrack, or without the right to ask it, nothing is translated.
 */
#ifndef KERNEL_NAT_H
#define KERNEL_NAT_H

#include "data/flow.h"
#include "kernel/conntrack.h"

/* Reads what is translated in a namespace (NULL: the own one). Return: how many flows */
size_t nat_read(const struct netns *ns);
/* Fills in f->nat, by what was read last. */
void nat_find(struct flow *f);
/* The same, by what nf_conntrack knows of this flow. */
void nat_take(struct flow *f, const struct conntrack *c);

/* Asks for flows one by one, as they begin. */
struct nat_asker;

struct nat_asker *nat_asker_new(const struct netns *ns);
void nat_asker_free(struct nat_asker *a);
/*
 * Fills in f->nat of a flow that has just begun: nf_conntrack may forget it before it ends. Where
 * nothing is translated this costs a look at nf_conntrack's entries five times a second, or a
 * twentieth of the time.
 * Return: false: nothing was translated when it looked last, which was before
 */
bool nat_ask(struct nat_asker *a, struct flow *f);

#endif
