/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net.tcpfsm.audit: each segment that a local socket sends is compared with that socket's own
 * state at that moment. Off everywhere, it is a jump that is not taken.
 */
#ifndef _TCPFSM_AUDIT_H
#define _TCPFSM_AUDIT_H

#include <linux/jump_label.h>

#include "flow.h"
#include "netns.h"
#include "view.h"

DECLARE_STATIC_KEY_FALSE(tcpfsm_audit_on);

/* What a comparison found, to be told of after the flow's lock. */
struct tcpfsm_audit {
	bool	differs;
	u8	shown, socket;		/* enum tcpfsm_state, TCP_* */
};

void tcpfsm_audit_segment(const struct tcpfsm_flow *f, const struct tcpfsm_view *v,
			  struct tcpfsm_audit *a);

/* Under the flow's lock, with what the segment has moved. */
static inline void tcpfsm_audit(const struct tcpfsm_flow *f, const struct tcpfsm_view *v,
				struct tcpfsm_audit *a)
{
	a->differs = false;
	if (static_branch_unlikely(&tcpfsm_audit_on) && v->from_local &&
	    READ_ONCE(v->tuple.tn->audit))
		tcpfsm_audit_segment(f, v, a);
}

/* Process context. */
void tcpfsm_audit_set(struct tcpfsm_net *tn, bool on);

#endif /* _TCPFSM_AUDIT_H */
