/* SPDX-License-Identifier: GPL-2.0 */
/* What a segment does: it opens a flow, moves it, or makes it give way to the next. */
#ifndef _TCPFSM_SEGMENT_H
#define _TCPFSM_SEGMENT_H

#include "view.h"

/*
 * Track a segment; its tuple is hashed (tcpfsm_table_hash()). Sets v->seg.dir and v->seg.made_here.
 * Context: RCU read side, bottom halves off.
 */
void tcpfsm_segment(struct tcpfsm_view *v);

#endif /* _TCPFSM_SEGMENT_H */
