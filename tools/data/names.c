// SPDX-License-Identifier: GPL-2.0
/* Tables of names. The states, causes and reasons come from tcpfsm_names.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/names.h"

static const struct {
	const char *name, *ss, *help[STATE_HELPS];
} states[TCPFSM_STATES] = {
#define X(id, ss, means, waits, many) [TCPFSM_##id] = { #id, ss, { means, waits, many } },
	TCPFSM_STATE_LIST(X)
#undef X
};

const u8 state_order[STATES_LISTED] = {
#define X(id, ...) TCPFSM_##id,
	TCPFSM_STATE_LIST(X)
#undef X
};

static const char * const causes[TCPFSM_CAUSES][2] = {
#define X(id, help) [TCPFSM_##id] = { #id, help },
	TCPFSM_CAUSE_LIST(X)
#undef X
};

static const char * const reasons[TCPFSM_REASONS][2] = {
#define X(id, name, help) [TCPFSM_REASON_##id] = { name, help },
	TCPFSM_REASON_LIST(X)
#undef X
};

static const struct {
	u32 flag;
	const char *name, *help;
} flags[] = {
#define X(id, name, help) { TCPFSM_F_##id, name, help },
	FLAG_LIST(X)
#undef X
	/* for filters: either of the two */
	{ TCPFSM_F_LOCAL_ORIG | TCPFSM_F_LOCAL_RESP, "local",
	  "one end is a socket of this namespace" },
};

#define S(x)	(1U << TCPFSM_##x)

/* The groups of ss(8), "USAGE OF FILTERS", and other names of single states. */
static const struct {
	const char *name;
	u32 set;
} groups[] = {
	{ "all",		ALL_STATES },
	{ "connected",		ALL_STATES & ~(S(LISTEN) | S(CLOSED)) },
	{ "synchronized",	ALL_STATES & ~(S(LISTEN) | S(CLOSED) | S(SYN_SENT)) },
	{ "bucket",		S(TIME_WAIT) | S(SYN_RCVD) },
	{ "big",		ALL_STATES & ~(S(TIME_WAIT) | S(SYN_RCVD)) },
	{ "close",		S(CLOSED) },
	{ "unconnected",	S(CLOSED) },
	{ "syn-received",	S(SYN_RCVD) },
	{ "estab",		S(ESTABLISHED) },
};

const char *state_name(unsigned int state)
{
	return state < TCPFSM_STATES && states[state].name ? states[state].name : "?";
}

const char *state_help(unsigned int state, enum state_help which)
{
	return state < TCPFSM_STATES && states[state].name ? states[state].help[which] : "";
}

const char *end_name(unsigned int end)
{
	return end == TCPFSM_ORIG ? "orig" : end == TCPFSM_RESP ? "resp" : "?";
}

const char *cause_name(unsigned int cause)
{
	return cause < TCPFSM_CAUSES && causes[cause][0] ? causes[cause][0] : "?";
}

const char *cause_help(unsigned int cause)
{
	return cause < TCPFSM_CAUSES && causes[cause][1] ? causes[cause][1] : "";
}

const char *reason_name(unsigned int reason)
{
	return reason < TCPFSM_REASONS && reasons[reason][0] ? reasons[reason][0] : "?";
}

const char *reason_help(unsigned int reason)
{
	return reason < TCPFSM_REASONS && reasons[reason][1] ? reasons[reason][1] : "";
}

/* RFC 792, 1122 3.2.2.1, 1812 5.2.7.1: destination unreachable */
static const char * const unreachable4[] = {
	"network unreachable", "host unreachable", "protocol unreachable", "port unreachable",
	"fragmentation needed", "source route failed", "network unknown", "host unknown",
	"source host isolated", "network prohibited", "host prohibited",
	"network unreachable for this service", "host unreachable for this service",
	"administratively prohibited", "host precedence violation", "precedence cutoff",
};

/* RFC 4443 3.1 */
static const char * const unreachable6[] = {
	"no route", "administratively prohibited", "beyond scope of source address",
	"address unreachable", "port unreachable", "source address failed policy", "reject route",
	"error in source routing header",
};

static const char *icmp6_name(unsigned int type, unsigned int code)
{
	switch (type) {
	case 1:
		return code < ARRAY_SIZE(unreachable6) ? unreachable6[code] :
							 "destination unreachable";
	case 2:
		return "packet too big";
	case 3:
		return "time exceeded";
	case 4:
		return "parameter problem";
	default:
		return "?";
	}
}

const char *icmp_name(bool ip6, unsigned int type, unsigned int code)
{
	if (ip6)
		return icmp6_name(type, code);
	switch (type) {
	case 3:
		return code < ARRAY_SIZE(unreachable4) ? unreachable4[code] :
							 "destination unreachable";
	case 11:
		return "time exceeded";
	case 12:
		return "parameter problem";
	default:
		return "?";
	}
}

static size_t find_flag_row(unsigned int bit)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(flags) && flags[i].flag != 1U << bit)
		i++;
	return i;
}

const char *flag_name(unsigned int bit)
{
	size_t i = find_flag_row(bit);

	return i < ARRAY_SIZE(flags) ? flags[i].name : NULL;
}

const char *flag_help(unsigned int bit)
{
	size_t i = find_flag_row(bit);

	return i < ARRAY_SIZE(flags) ? flags[i].help : "";
}

/* Equal but for case, hyphens and underscores: fin-wait-1, FIN_WAIT1, FIN_WAIT_1. */
static bool is_same_word(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, "-_");
		b += strspn(b, "-_");
		if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
			return false;
		if (!*a)
			return true;
	}
}

u32 state_set(const char *word)
{
	size_t i;

	for (i = 0; i < TCPFSM_STATES; i++)
		if (states[i].name &&
		    (is_same_word(word, states[i].name) || is_same_word(word, states[i].ss)))
			return 1U << i;
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (is_same_word(word, groups[i].name))
			return groups[i].set;
	return 0;
}

unsigned int state_find(const char *word)
{
	u32 set = state_set(word);

	return set && !(set & (set - 1)) ? (unsigned int)ffs(set) - 1 : TCPFSM_STATE_UNSET;
}

unsigned int cause_find(const char *word)
{
	unsigned int i;

	for (i = 1; i < TCPFSM_CAUSES; i++)
		if (causes[i][0] && is_same_word(word, causes[i][0]))
			return i;
	return 0;
}

unsigned int reason_find(const char *word)
{
	unsigned int i;

	for (i = 1; i < TCPFSM_REASONS; i++)
		if (reasons[i][0] && is_same_word(word, reasons[i][0]))
			return i;
	return TCPFSM_REASON_UNSET;
}

u32 flag_set(const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (is_same_word(word, flags[i].name))
			return flags[i].flag;
	return 0;
}

void names_print_states(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(state_order); i++)
		puts(states[state_order[i]].ss);
	for (i = 0; i < ARRAY_SIZE(groups); i++)
		if (groups[i].set & (groups[i].set - 1))
			puts(groups[i].name);
}

void names_print_causes(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(causes); i++)
		if (causes[i][0])
			puts(causes[i][0]);
}

void names_print_reasons(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i][0])
			puts(reasons[i][0]);
}

void names_print_flags(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		puts(flags[i].name);
}
