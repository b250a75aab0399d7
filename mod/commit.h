/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The choke point: every transition of every flow, and every end, passes here. What is decided
 * under the flow's lock becomes a report, which is delivered to the sinks after the lock.
 *
 * Under the flow's lock: begin, then moves, then perhaps the end. After it, when the flow may be
 * gone: deliver.
 */
#ifndef _TCPFSM_COMMIT_H
#define _TCPFSM_COMMIT_H

#include "flow.h"
#include "report.h"

/* Remember where the flow's ends are before anything moves. */
void tcpfsm_commit_begin(struct tcpfsm_report *r, const struct tcpfsm_flow *f);

/*
 * Record what came of a segment, or of time, at this flow. Sets the moves' step numbers. @o has to
 * stay until the report is delivered.
 */
void tcpfsm_commit_moves(struct tcpfsm_report *r, struct tcpfsm_flow *f, const struct tfsm_out *o);

/* The flow ends for @reason: it is about to leave the table. */
void tcpfsm_commit_end(struct tcpfsm_report *r, const struct tcpfsm_flow *f, u8 reason);

/* Context: bottom halves off, no flow's lock held. */
void tcpfsm_commit_deliver(const struct tcpfsm_report *r);

#endif /* _TCPFSM_COMMIT_H */
