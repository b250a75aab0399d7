/* SPDX-License-Identifier: GPL-2.0 */
/* A flow's life from a record. */
#ifndef VERBS_FLOW_PAST_H
#define VERBS_FLOW_PAST_H

#include "filter/filter.h"

/*
 * Shows the latest of the flows that fulfil the filter; with --all-netns, of each namespace.
 * @one_end: it was asked for by one of its ends. Return: EXIT_FOUND, EXIT_NONE or EXIT_ERROR
 */
int past_show(const struct filter *filter, bool one_end);

#endif
