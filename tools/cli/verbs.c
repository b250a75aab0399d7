// SPDX-License-Identifier: GPL-2.0
/* The table of verbs. */
#include <string.h>

#include "cli/verbs.h"

const struct verb *const verbs[] = {
	&verb_states, &verb_pairs, &verb_transitions, &verb_flows, &verb_count, &verb_flow,
	&verb_services, &verb_counters, &verb_dwell, &verb_log, &verb_monitor, &verb_top,
	&verb_doctor, &verb_graph, &verb_export, &verb_ship, &verb_ipfix, &verb_replay, NULL,
};

const struct verb *find_verb(const char *name)
{
	const struct verb *const *v;

	for (v = verbs; *v && name; v++)
		if (!strcmp(name, (*v)->name))
			return *v;
	return NULL;
}

const struct verb *find_verb_among(int argc, char **argv)
{
	const struct verb *v = NULL;
	int i;

	for (i = 0; i < argc && !v; i++)
		v = find_verb(argv[i]);
	return v;
}

bool has_filter(const struct verb *v)
{
	return strstr(v->args, "FILTER");
}
