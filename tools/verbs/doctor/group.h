/* SPDX-License-Identifier: GPL-2.0 */
/* Flows that have something in common, and are told of in one finding. */
#ifndef VERBS_DOCTOR_GROUP_H
#define VERBS_DOCTOR_GROUP_H

#include "data/flow.h"

struct group {
	struct group *next;
	char key[160];
	u64 count, extra;
	u64 most, least;		/* of what is added */
	const struct flow *worst;	/* with the most */
};

/* The group of this key, which is new if there is none. */
struct group *group_of(struct group **groups, const char *key);
void group_add(struct group *g, u64 value, const struct flow *f);
/* Takes one out, for the caller to free. Return: NULL: it was the last. */
struct group *group_take(struct group **groups);

#endif
