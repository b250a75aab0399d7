// SPDX-License-Identifier: GPL-2.0
#define CREATE_TRACE_POINTS
#include "trace.h"

bool tcpfsm_trace_wanted(void)
{
	return trace_tcpfsm_transition_enabled();
}

void tcpfsm_trace_report(const struct tcpfsm_report *r)
{
	unsigned int i;

	for (i = 0; i < r->moves; i++)
		trace_tcpfsm_transition(r, i);
}

void tcpfsm_trace_ignored(const struct tcpfsm_view *v, u64 notes)
{
	trace_tcpfsm_ignored(v, notes);
}

void tcpfsm_trace_audit(const struct tcpfsm_view *v, u8 shown, u8 socket)
{
	trace_tcpfsm_audit(v, shown, socket);
}
