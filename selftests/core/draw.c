// SPDX-License-Identifier: GPL-2.0
/* Writes what the documents show of the machine, from the machine itself: draw dot|table|... */
#include <stdio.h>
#include <string.h>

#include "names.h"

static const u8 order[] = {
#define X(name, ss, means, waits, tells) TCPFSM_##name,
	TCPFSM_STATE_LIST(X)
#undef X
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Moves out of a state, but for those that every open state has alike. */
static bool is_drawn(u8 state, u8 event)
{
	u8 to = tfsm_next(state, event);

	if (to == TFSM_STAY || to == TFSM_NEVER)
		return false;
	return event != TCPFSM_MIDSTREAM && event != TCPFSM_RESUME && event != TCPFSM_GONE &&
	       ((event != TCPFSM_SND_RST && event != TCPFSM_RCV_RST) ||
		state == TCPFSM_LISTEN || state == TCPFSM_SYN_RCVD);
}

static void print_dot(void)
{
	size_t i;
	u8 event;

	printf("digraph machine {\n"
	       "\trankdir=TB; node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n"
	       "\tedge [fontname=\"sans-serif\", fontsize=9];\n"
	       "\tlabel=\"One endpoint. A RST, or the end of its socket, leads from every state but LISTEN to CLOSED.\";\n"
	       "\tfontname=\"sans-serif\"; fontsize=10;\n");
	for (i = 0; i < N(order); i++) {
		for (event = 1; event < TCPFSM_CAUSES; event++) {
			u8 to = tfsm_next(order[i], event);

			if (!is_drawn(order[i], event) || to == TFSM_GIVEN)
				continue;
			if (to == TFSM_PASSIVE)
				printf("\t%s -> LISTEN [label=\"%s\\n(opened passively)\", style=dashed];\n",
				       state_names[order[i]], cause_names[event]);
			else
				printf("\t%s -> %s [label=\"%s\"%s];\n", state_names[order[i]],
				       state_names[to], cause_names[event],
				       event == TCPFSM_SND_FIN_FIRST ||
				       event == TCPFSM_TOOK_FIN_FIRST ? ", style=dotted" : "");
		}
	}
	printf("}\n");
}

static void print_table(void)
{
	size_t i;
	u8 event;

	printf("| state | moves |\n| --- | --- |\n");
	for (i = 0; i < N(order); i++) {
		const char *comma = "";

		printf("| %s |", state_names[order[i]]);
		for (event = 1; event < TCPFSM_CAUSES; event++) {
			u8 to = tfsm_next(order[i], event);

			if (to == TFSM_STAY || to == TFSM_NEVER)
				continue;
			printf("%s %s → %s", comma, cause_names[event],
			       to == TFSM_PASSIVE ? "LISTEN if opened passively, else CLOSED" :
			       to == TFSM_GIVEN ? "the state that is proved" : state_names[to]);
			comma = ";";
		}
		printf(" |\n");
	}
}

static void print_causes(void)
{
	printf("| cause | of the end that moved |\n| --- | --- |\n");
#define X(name, help) printf("| %s | %s |\n", #name, help);
	TCPFSM_CAUSE_LIST(X)
#undef X
}

static void print_classes(void)
{
	printf("| sysctl net.tcpfsm. | default, s | pairs |\n| --- | --- | --- |\n");
#define X(id, name, seconds, help) printf("| timeout_%s | %d | %s |\n", #name, seconds, help);
	TCPFSM_CLASS_LIST(X)
#undef X
}

static void print_reasons(void)
{
	printf("| reason | the flow ended because |\n| --- | --- |\n");
#define X(id, name, help) printf("| %s | %s |\n", name, help);
	TCPFSM_REASON_LIST(X)
#undef X
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*write)(void);
	} what[] = {
		{ "dot", print_dot }, { "table", print_table }, { "causes", print_causes },
		{ "classes", print_classes }, { "reasons", print_reasons },
	};
	size_t i;

	for (i = 0; argc == 2 && i < N(what); i++) {
		if (!strcmp(argv[1], what[i].name)) {
			what[i].write();
			return 0;
		}
	}
	fprintf(stderr, "usage: draw dot|table|causes|classes|reasons\n");
	return 2;
}
