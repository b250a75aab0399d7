/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The last transitions of a namespace, which can be read again and again. Each processor keeps
 * those that it has recorded, in a ring that nobody else writes, and numbers them from 1. A reader
 * merges the rings by time.
 */
#ifndef _TCPFSM_LOG_H
#define _TCPFSM_LOG_H

#include "core/tfsm.h"
#include "tuple.h"

struct tcpfsm_cpu;
struct tcpfsm_cpu_part;
struct tcpfsm_net;
struct tcpfsm_report;

#define TCPFSM_LOG_SIZE_DEFAULT	512
#define TCPFSM_LOG_SIZE_MAX	(1U << 20)

struct tcpfsm_log_entry {
	u64		  seq;		/* of its ring, from 1; 0: not written, or not wholly */
	u64		  flow;
	u64		  when;		/* ktime */
	u64		  dwell;	/* ns */
	u32		  step;
	struct tfsm_move  move;
	u8		  family;
	__be16		  sport, dport;
	union tcpfsm_addr src, dst;
};

/* The writer of @c has it (tcpfsm_cpu_get()). */
void tcpfsm_log_report(struct tcpfsm_cpu *c, const struct tcpfsm_report *r);

/* Where a reader is in each ring: nr_cpu_ids + 1 of them. */
struct tcpfsm_log_cursor {
	u32 cpu;		/* whose entry was copied last; nr_cpu_ids: the spare's */
	struct tcpfsm_log_place {
		u64 next;	/* number to go on with */
		u64 end;	/* numbers from here on came after the reader began */
		u64 when;	/* of entry next; 0: not looked at yet */
	} ring[];
};

size_t tcpfsm_log_cursor_size(void);

/*
 * Begin to read the last log_size transitions of the namespace. Each ring holds as many, so none of
 * them has been dropped. What is recorded from now on is not read. Process context.
 */
void tcpfsm_log_begin(struct tcpfsm_net *tn, struct tcpfsm_log_cursor *cursor);

/* Copy the oldest entry that has not been read. Return: false if there is none. */
bool tcpfsm_log_next(struct tcpfsm_net *tn, struct tcpfsm_log_cursor *cursor,
		     struct tcpfsm_log_entry *to);

extern const struct tcpfsm_cpu_part tcpfsm_log_part;

/*
 * Process context: take another size; what is recorded so far is dropped. Without memory for all
 * rings, none changes.
 */
int tcpfsm_log_resize(struct tcpfsm_net *tn, unsigned int size);

#endif /* _TCPFSM_LOG_H */
