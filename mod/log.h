/* SPDX-License-Identifier: GPL-2.0 */
/* The last transitions of a namespace, which can be read again and again. */
#ifndef _TCPFSM_LOG_H
#define _TCPFSM_LOG_H

#include "core/tfsm.h"
#include "tuple.h"

struct tcpfsm_net;
struct tcpfsm_report;

#define TCPFSM_LOG_SIZE_DEFAULT	512
#define TCPFSM_LOG_SIZE_MAX	(1U << 20)

struct tcpfsm_log_entry {
	atomic64_t	  seq;		/* from 1; 0: not written yet, -1: being written */
	u64		  flow;
	u64		  when;		/* ktime */
	u64		  dwell;	/* ns */
	u32		  step;
	struct tfsm_move  move;
	u8		  family;
	__be16		  sport, dport;
	union tcpfsm_addr src, dst;
};

/* Context: bottom halves off. */
void tcpfsm_log_report(const struct tcpfsm_report *r);

/*
 * tcpfsm_log_next - the first entry kept with a sequence number of at least *@seq
 * @seq: in, out: of the entry copied
 *
 * Return: false if there is none.
 */
bool tcpfsm_log_next(struct tcpfsm_net *tn, u64 *seq, struct tcpfsm_log_entry *to);

/* Process context: take another size; what is recorded so far is dropped. */
int tcpfsm_log_resize(struct tcpfsm_net *tn, unsigned int size);
void tcpfsm_log_free(struct tcpfsm_net *tn);

#endif /* _TCPFSM_LOG_H */
