/* SPDX-License-Identifier: GPL-2.0 */
/* Flows that have something in common, and are told of in one finding. */
#ifndef VERBS_DOCTOR_GROUP_H
#define VERBS_DOCTOR_GROUP_H

#include "verbs/doctor/doctor.h"

#define GROUP_KEY	512	/* two hosts' names, and a sentence */

struct group {
	struct group *next;
	char key[GROUP_KEY];
	u64 count, extra;
	u64 most, least;		/* of what is added */
	const struct flow *worst;	/* with the most */
	/* Of the first that was added, which the others share as far as the key names it: */
	struct tuple tuple;
	unsigned int end;
	int pid;			/* 0: it is not known */
	bool mixed;			/* the others, which share none of these */
};

/* The group of this key, which is new if there is none. */
struct group *group_of(struct group **groups, const char *key);
void group_add(struct group *g, u64 value, const struct flow *f);
/* Takes one out, for the caller to free. Return: NULL: it was the last. */
struct group *group_take(struct group **groups);

/* What the finding of a group tells programs. @oldest: the most is for how long */
void group_tell(struct finding *f, const struct group *g, bool oldest);
#define GROUP_SCOPE	(FMT_TARGET + 8)
/* The end of a command: the filter of the group's service, or nothing if it has none. */
char *group_scope(char *buf, const struct group *g);

#endif
