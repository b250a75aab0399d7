/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints tcpfsm:tcpfsm_transition, _ignored and _audit, for perf and bpftrace. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tcpfsm

#if !defined(_TCPFSM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TCPFSM_TRACE_H

#include <linux/tracepoint.h>

#include "netns.h"
#include "report.h"
#include "view.h"

#ifndef TCPFSM_TRACE_FUNCTIONS
#define TCPFSM_TRACE_FUNCTIONS
bool tcpfsm_trace_wanted(void);

/* Not under a flow's lock. */
void tcpfsm_trace_report(const struct tcpfsm_report *r);
void tcpfsm_trace_ignored(const struct tcpfsm_view *v, u64 notes);
void tcpfsm_trace_audit(const struct tcpfsm_view *v, u8 shown, u8 socket);
#endif

/* Addresses as 16 bytes, IPv4 in the first 4; ports in host order; states are TCP_*. */
TRACE_EVENT(tcpfsm_transition,
	    TP_PROTO(const struct tcpfsm_report *r, unsigned int i),
	TP_ARGS(r, i),
	TP_STRUCT__entry(
		__field(u64, flow)
		__field(u64, dwell)
		__field(u32, netns)
		__field(u32, step)
		__field(u16, family)
		__field(u16, sport)
		__field(u16, dport)
		__field(u8, end)
		__field(u8, from)
		__field(u8, to)
		__field(u8, cause)
		__field(u8, flags)
		__array(u8, saddr, 16)
		__array(u8, daddr, 16)
	),
	TP_fast_assign(
		__entry->flow = r->snap.id;
		__entry->dwell = r->dwell[i];
		__entry->netns = r->tn->net->ns.inum;
		__entry->step = (u16)(r->step + i);
		__entry->family = r->snap.tuple.family;
		__entry->sport = ntohs(r->snap.tuple.sport);
		__entry->dport = ntohs(r->snap.tuple.dport);
		__entry->end = r->move[i].end;
		__entry->from = r->move[i].from;
		__entry->to = r->move[i].to;
		__entry->cause = r->move[i].cause;
		__entry->flags = r->move[i].flags;
		memcpy(__entry->saddr, &r->snap.tuple.src, 16);
		memcpy(__entry->daddr, &r->snap.tuple.dst, 16);
	),
	TP_printk("flow=%llu step=%u sport=%u dport=%u end=%s from=%u to=%u cause=%u dwell_ns=%llu",
		  __entry->flow, __entry->step, __entry->sport, __entry->dport,
		  __entry->end ? "resp" : "orig", __entry->from, __entry->to, __entry->cause,
		  __entry->dwell)
);

/* A segment that moved no state; note n of the counters is bit n. */
TRACE_EVENT(tcpfsm_ignored,
	    TP_PROTO(const struct tcpfsm_view *v, u64 notes),
	TP_ARGS(v, notes),
	TP_STRUCT__entry(
		__field(u64, notes)
		__field(u32, netns)
		__field(u32, seq)
		__field(u32, ack)
		__field(u32, len)
		__field(u16, win)
		__field(u16, family)
		__field(u16, sport)
		__field(u16, dport)
		__field(u8, flags)
		__array(u8, saddr, 16)
		__array(u8, daddr, 16)
	),
	TP_fast_assign(
		__entry->notes = notes;
		__entry->netns = v->tuple.tn->net->ns.inum;
		__entry->seq = v->seg.seq;
		__entry->ack = v->seg.ack;
		__entry->len = v->seg.len;
		__entry->win = v->seg.win;
		__entry->flags = v->seg.flags;
		__entry->family = v->tuple.family;
		__entry->sport = ntohs(v->tuple.port[v->from]);
		__entry->dport = ntohs(v->tuple.port[!v->from]);
		memcpy(__entry->saddr, &v->tuple.addr[v->from], 16);
		memcpy(__entry->daddr, &v->tuple.addr[!v->from], 16);
	),
	TP_printk("notes=0x%llx sport=%u dport=%u flags=0x%02x seq=%u ack=%u len=%u win=%u",
		  __entry->notes, __entry->sport, __entry->dport, __entry->flags, __entry->seq,
		  __entry->ack, __entry->len, __entry->win)
);

/* A local socket sent a segment in another state than we show: both, as TCP_*. */
TRACE_EVENT(tcpfsm_audit,
	    TP_PROTO(const struct tcpfsm_view *v, u8 shown, u8 socket),
	TP_ARGS(v, shown, socket),
	TP_STRUCT__entry(
		__field(u32, netns)
		__field(u32, seq)
		__field(u32, ack)
		__field(u32, len)
		__field(u16, family)
		__field(u16, sport)
		__field(u16, dport)
		__field(u8, flags)
		__field(u8, shown)
		__field(u8, socket)
		__array(u8, saddr, 16)
		__array(u8, daddr, 16)
	),
	TP_fast_assign(
		__entry->netns = v->tuple.tn->net->ns.inum;
		__entry->seq = v->seg.seq;
		__entry->ack = v->seg.ack;
		__entry->len = v->seg.len;
		__entry->flags = v->seg.flags;
		__entry->family = v->tuple.family;
		__entry->sport = ntohs(v->tuple.port[v->from]);
		__entry->dport = ntohs(v->tuple.port[!v->from]);
		__entry->shown = shown;
		__entry->socket = socket;
		memcpy(__entry->saddr, &v->tuple.addr[v->from], 16);
		memcpy(__entry->daddr, &v->tuple.addr[!v->from], 16);
	),
	TP_printk("shown=%u socket=%u sport=%u dport=%u flags=0x%02x seq=%u ack=%u len=%u",
		  __entry->shown, __entry->socket, __entry->sport, __entry->dport,
		  __entry->flags, __entry->seq, __entry->ack, __entry->len)
);

#endif /* _TCPFSM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
