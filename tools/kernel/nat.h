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

#endif
