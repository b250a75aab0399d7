/* SPDX-License-Identifier: GPL-2.0 */
/* How flows end, and what moves them without a segment. Context: RCU, bottom halves off. */
#ifndef _TCPFSM_END_H
#define _TCPFSM_END_H

#include "flow.h"
#include "report.h"

struct tcpfsm_net;

/* End a locked flow: it leaves the table, and is freed. */
void tcpfsm_end_flow(struct tcpfsm_flow *f, u8 reason)
	__releases(&f->lock);

/* The same, after a segment whose moves are in the report. */
void tcpfsm_end_reported(struct tcpfsm_flow *f, u8 reason, struct tcpfsm_report *r)
	__releases(&f->lock);

/* 2MSL is over: the ends in TIME_WAIT close. */
void tcpfsm_end_time_wait(struct tcpfsm_flow *f)
	__releases(&f->lock);

/* The local sockets of these ends (a mask) are gone; those that a RST has closed still live. */
void tcpfsm_end_gone(struct tcpfsm_flow *f, u8 end_mask)
	__releases(&f->lock);
void tcpfsm_end_lives(struct tcpfsm_flow *f, u8 end_mask)
	__releases(&f->lock);

/* End all flows of a namespace. Process context; segments may still come in. */
void tcpfsm_end_all(struct tcpfsm_net *tn);

#endif /* _TCPFSM_END_H */
