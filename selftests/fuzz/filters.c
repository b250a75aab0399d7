// SPDX-License-Identifier: GPL-2.0
/* Arbitrary words as a filter, and the filters that are well formed against a flow. */
#include "filter/filter.h"
#include "filter/pushdown.h"
#include "fuzz.h"

#define WORDS	32

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct flow flow = {
		.id = 7, .tuple = { .family = AF_INET, .sport = 40000, .dport = 443 },
		.end = { { .state = TCPFSM_FIN_WAIT_1, .dwell = NSEC },
			 { .state = TCPFSM_ESTABLISHED, .dwell = 2 * NSEC } },
		.flags = TCPFSM_F_MIDSTREAM, .start = NSEC,
	};
	static const struct event event = {
		.flow = 7, .from = TCPFSM_ESTABLISHED, .to = TCPFSM_FIN_WAIT_1,
		.cause = TCPFSM_SND_FIN, .when = 3 * NSEC, .dwell = NSEC,
	};
	char *text = strndup((const char *)data, size), *word, *rest = NULL, *argv[WORDS];
	struct filter *f;
	int argc = 0;

	for (word = strtok_r(text, " \n", &rest); word && argc < WORDS;
	     word = strtok_r(NULL, " \n", &rest))
		argv[argc++] = word;
	opt = (struct options){ 0 };
	if (filter_parse(&f, argc, argv)) {
		filter_push_down(f);
		filter_flow(f, &flow, 5 * NSEC);
		filter_event(f, &flow, &event);
		filter_free(f);
	}
	free(text);
	return 0;
}
