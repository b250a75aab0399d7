/* SPDX-License-Identifier: GPL-2.0 */
/* Every name that the tool prints or reads, from the same lists as the module's. */
#ifndef DATA_NAMES_H
#define DATA_NAMES_H

#include "lib/base.h"
#include "tcpfsm_names.h"

/* flag of a flow; name */
#define FLAG_LIST(X) \
	X(MIDSTREAM,		"midstream", "its start was not seen") \
	X(UNCONFIRMED,		"unconfirmed", "both ends have yet to prove alive") \
	X(GAP,			"gap", "segments passed unseen") \
	X(ONE_WAY,		"one-way", "one direction was inferred from the other") \
	X(CORRECTED,		"corrected", "a state shown earlier was corrected") \
	X(OFFLOADED,		"offloaded", "handed to a flowtable: blind since") \
	X(FORWARDED,		"forwarded", "this host forwards it") \
	X(LOCAL_ORIG,		"local-orig", "orig is a socket of this namespace") \
	X(LOCAL_RESP,		"local-resp", "resp is a socket of this namespace") \
	X(SYN_ACK_RESENT,	"synack-resent", "SYN|ACK resent after its ACK had passed") \
	X(REANCHORED,		"reanchored", "sequence numbers were learnt anew") \
	X(SUSPECT,		"suspect", "a RST in the window passed: may be dead") \
	X(SYN_PENDING,		"syn-pending", "a SYN passed within it, and was not answered") \
	X(UNREACHABLE,		"unreachable", "an ICMP error told that an end is not reached") \
	X(MTU,			"mtu", "an ICMP error told that a segment is too big for the path")

/* Sets of states, as in ss(8) */
#define STATE_GROUPS	"all connected synchronized bucket big"

/* Names; "?" for a number that only a newer module knows. */
const char *state_name(unsigned int state);
const char *end_name(unsigned int end);
const char *cause_name(unsigned int cause);
const char *reason_name(unsigned int reason);
const char *flag_name(unsigned int bit);	/* NULL: no such flag */
const char *flag_help(unsigned int bit);

/* What an ICMP error says, as the RFCs call it; ICMPv6 with @ip6. */
const char *icmp_name(bool ip6, unsigned int type, unsigned int code);

/* Sentences */
enum state_help { STATE_MEANS, STATE_WAITS, STATE_MANY, STATE_HELPS };
const char *state_help(unsigned int state, enum state_help which);
const char *cause_help(unsigned int cause);
const char *reason_help(unsigned int reason);

/* The states in the order in which files list them. */
#define STATES_LISTED	(TCPFSM_STATES - 1)
extern const u8 state_order[STATES_LISTED];

#define ALL_STATES	(((1U << TCPFSM_STATES) - 1) & ~1U)

/* Any spelling of a state or of a group. Return: a set of states, 0: it is neither */
u32 state_set(const char *word);
/* Any spelling of a single state. Return: TCPFSM_STATE_UNSET: it is none */
unsigned int state_find(const char *word);
/* Return: 0: it is none */
unsigned int cause_find(const char *word);
/* Return: TCPFSM_REASON_UNSET: it is none */
unsigned int reason_find(const char *word);
/* Return: a set of flags of which any will do, 0: it is none */
u32 flag_set(const char *word);

/* For completion: the words, one a line. */
void names_print_states(void);
void names_print_causes(void);
void names_print_reasons(void);
void names_print_flags(void);

#endif
