/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything as it happens: each transition and each end of a flow, in the flow's own order and
 * joined to what is known of it, and each loss; with --all-netns, of every network namespace.
 */
#ifndef KERNEL_FOLLOW_H
#define KERNEL_FOLLOW_H

#include "kernel/told.h"

/*
 * Goes on until done, a signal, or the end of --for.
 * Return: EXIT_FOUND, or EXIT_ERROR and said why.
 */
int follow(struct follow *f, const char *verb);

#endif
