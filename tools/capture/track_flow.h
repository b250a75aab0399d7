/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the tracker share. */
#ifndef CAPTURE_TRACK_FLOW_H
#define CAPTURE_TRACK_FLOW_H

#include "capture/track.h"
#include "core/shell.h"

struct track_flow {
	struct hnode node;
	struct flow flow;		/* as users see it */
	struct tfsm fsm;
	u64 since[TCPFSM_ENDS];		/* time of the last transition */
	u64 last;			/* time of the last accepted segment */

	u8 class;			/* whose queue it is in */
	u64 stamp;			/* its deadline is a time-out behind */
	struct list_node queued;

	struct track_flow *all_next;
};

/* track_service.c: services are what connections were opened to */
bool track_is_service(const struct track *t, u8 family, const u8 *addr, u16 port);
void track_learn_service(struct track *t, u8 family, const u8 *addr, u16 port);
void track_free_services(struct track *t);

/* track_move.c: the choke point; every transition passes here */
void track_moved(struct track *t, struct track_flow *f, const struct tfsm_out *o);

/* What ICMP errors have told the flow, as it is now. */
void track_told(struct track_flow *f);

/* track_time.c */
void track_enqueue(struct track *t, struct track_flow *f);
void track_dequeue(struct track_flow *f);
/* After a segment, a flow may be in another class, or its time starts anew. */
void track_refresh(struct track *t, struct track_flow *f, enum tfsm_verdict verdict,
		   const struct tfsm_out *o);

/* track_move.c: what an end has sent; and what the flow had kept of SYNs, and is its own */
void track_count(struct track_flow *f, u8 dir, u32 packets, u32 bytes);
void track_count_kept(struct track_flow *f);

/* track_end.c: @when: it ended; it is freed unless the tracker keeps flows */
void track_finish(struct track *t, struct track_flow *f, u64 when, u8 reason);

#endif
