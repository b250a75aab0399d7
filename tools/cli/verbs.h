/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "verbs/verb.h"

extern const struct verb verb_states, verb_pairs, verb_transitions, verb_flows, verb_count,
	verb_flow, verb_services, verb_counters, verb_dwell, verb_log, verb_monitor, verb_record,
	verb_top, verb_doctor, verb_graph, verb_export, verb_ship, verb_ipfix, verb_live,
	verb_replay;

/* In the order in which help lists them, up to NULL. */
extern const struct verb *const verbs[];

/* Return: NULL if there is none of this name, or no name. */
const struct verb *find_verb(const char *name);
/* The same, or what begins so, if that is one verb. */
const struct verb *guess_verb(const char *begin);
/* Names that begin so, with commas between; of none, "" */
void names_like(char *buf, size_t size, const char *begin);
/* What may be meant by a mistyped word. Return: NULL if nothing is like it. */
const struct verb *nearest_verb(const char *word);
/* The first verb among words. Return: NULL if there is none. */
const struct verb *find_verb_among(int argc, char **argv);
bool has_filter(const struct verb *v);

#endif
