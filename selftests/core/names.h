/* SPDX-License-Identifier: GPL-2.0 */
/* What states, causes, notes and reasons are called. */
#ifndef _NAMES_H
#define _NAMES_H

#include "../../mod/core/tfsm.h"

static const char *const state_names[TCPFSM_STATES] = {
	"UNSET",
#define X(name, ss, means, waits, tells) [TCPFSM_##name] = #name,
	TCPFSM_STATE_LIST(X)
#undef X
};

static const char *const cause_names[TCPFSM_CAUSES] = {
	"UNSET",
#define X(name, help) [TCPFSM_##name] = #name,
	TCPFSM_CAUSE_LIST(X)
#undef X
};

static const char *const note_names[TFSM_NOTES] = {
#define X(name, help) #name,
	TCPFSM_NOTE_LIST(X)
#undef X
};

static const char *const reason_names[TCPFSM_REASONS] = {
	"-",
#define X(name, text, help) [TCPFSM_REASON_##name] = text,
	TCPFSM_REASON_LIST(X)
#undef X
};

#endif /* _NAMES_H */
