/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * tcpfsm: the TCP states of both endpoints of every flow on a host, over generic netlink.
 *
 * Words
 *   flow        one incarnation of a connection; in its network namespace, its id is never
 *               used again while the module is loaded. Namespaces of the host draw theirs from
 *               one series, those of other user namespaces from a series of their own.
 *   endpoint    one end of a flow: orig sent the first segment seen, resp is the other.
 *               src and sport are orig's, dst and dport are resp's, in every message.
 *   transition  one endpoint moving from one state to another. Each flow numbers its own
 *               from 1 (the step), over both ends.
 *
 * Family TCPFSM_GENL_NAME, version TCPFSM_GENL_VERSION. Every request needs CAP_NET_ADMIN
 * in the user namespace that owns the network namespace, and so does joining a group.
 * Requests and events concern the network namespace of the netlink socket. Errors carry an
 * extended acknowledgement that says why and points at the attribute.
 *
 *   request                        answer
 *   TCPFSM_CMD_FLOW_GET   dump     one TCPFSM_A_FLOW in each message, filtered by
 *                                  TCPFSM_A_FILTER. The first message carries no flow, but one
 *                                  TCPFSM_A_POSITION for each CPU that has sent events (more
 *                                  messages do, if these are many): the dump includes what was
 *                                  sent with lower sequence numbers.
 *                                  NLM_F_DUMP_FILTERED tells that the kernel has filtered.
 *   TCPFSM_CMD_FLOW_GET   do       the flow with the tuple in TCPFSM_A_FLOW: TCPFSM_FLOW_SRC, _DST,
 *                                  _SPORT and _DPORT, from either end's view, _IFINDEX if it has
 *                                  one, and _ID if no other incarnation will do. It is looked up,
 *                                  at a cost that does not depend on the number of flows. -ENOENT
 *                                  if there is none. Dump to find a flow by its id alone.
 *   TCPFSM_CMD_STATS_GET  do       gauges and totals of this namespace, at a cost that does
 *                                  not depend on the number of flows.
 *   TCPFSM_CMD_STATS_GET  dump     the same for every namespace that has seen TCP, if asked
 *                                  from the initial one; otherwise for this one only.
 *   TCPFSM_CMD_COUNTER_GET dump    one TCPFSM_A_COUNTER in each message.
 *   TCPFSM_CMD_SERVICE_GET dump    one TCPFSM_A_SERVICE in each message.
 *   TCPFSM_CMD_LOG_GET    dump     the last transitions, oldest first, one TCPFSM_A_LOG in each
 *                                  message.
 *
 *   group "transition": TCPFSM_CMD_TRANSITION_NTF  TCPFSM_A_CPU, TCPFSM_A_SEQ, TCPFSM_A_COUNT,
 *                                                  then TCPFSM_A_COUNT times TCPFSM_A_TRANSITION
 *   group "flow":       TCPFSM_CMD_FLOW_NTF        the same with TCPFSM_A_FLOW: a flow without
 *                                                  TCPFSM_FLOW_REASON is new, one with it ended
 *
 * An event message holds many events. It is sent when it is full, or 10 ms after its first event.
 * TCPFSM_A_SEQ is the number of its first event. Each network namespace, group and CPU numbers its
 * events from 0, and a gap in the numbers is a loss. Across CPUs, the transitions of a flow are
 * ordered by its steps; the end of a flow may arrive before its last transitions. After a loss (a
 * gap, or ENOBUFS from recv()), dump again.
 *
 * A listener joins its groups first, and then dumps. From the positions that the dump tells on, it
 * gets every event, or sees by the numbers how many it has not got. Events are not built while
 * nobody listens, which the kernel looks up now and then: whoever joins and does not dump may miss
 * those of the first 20 ms, and sees no gap.
 *
 * Integers are in host byte order; the attributes say how addresses are stored. Times of day are
 * nanoseconds of CLOCK_REALTIME; ages and spans are nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef _UAPI_LINUX_TCPFSM_H
#define _UAPI_LINUX_TCPFSM_H

#include <linux/types.h>

#define TCPFSM_GENL_NAME		"tcpfsm"
#define TCPFSM_GENL_VERSION		1
#define TCPFSM_GENL_GRP_TRANSITION	"transition"
#define TCPFSM_GENL_GRP_FLOW		"flow"

/*
 * States, RFC 9293 3.3.2. The values are the kernel's TCP_* numbers, so that a value means
 * the same to sock_diag and to bpftrace. 0 is "unset", never a state.
 */
enum tcpfsm_state {
	TCPFSM_STATE_UNSET,
	TCPFSM_ESTABLISHED,
	TCPFSM_SYN_SENT,
	TCPFSM_SYN_RCVD,
	TCPFSM_FIN_WAIT_1,
	TCPFSM_FIN_WAIT_2,
	TCPFSM_TIME_WAIT,
	TCPFSM_CLOSED,
	TCPFSM_CLOSE_WAIT,
	TCPFSM_LAST_ACK,
	TCPFSM_LISTEN,
	TCPFSM_CLOSING,
	TCPFSM_STATES,			/* size of an array indexed by state */
};

enum tcpfsm_end {
	TCPFSM_ORIG,
	TCPFSM_RESP,
	TCPFSM_ENDS,
};

/* Why an endpoint moved. */
enum tcpfsm_cause {
	TCPFSM_CAUSE_UNSET,
	TCPFSM_PASSIVE_OPEN,		/* presumed to listen: a SYN went to it */
	TCPFSM_SND_SYN,			/* it sent SYN */
	TCPFSM_SND_SYNACK,		/* it sent SYN|ACK */
	TCPFSM_SYN_ACKED,		/* the peer's ACK covers its SYN */
	TCPFSM_TOOK_SYNACK,		/* its own ACK covers the peer's SYN */
	TCPFSM_SND_FIN,			/* it sent FIN */
	TCPFSM_TOOK_FIN,		/* its own ACK covers the peer's FIN */
	TCPFSM_FIN_ACKED,		/* the peer's ACK covers its FIN */
	TCPFSM_SND_RST,			/* it sent an acceptable RST */
	TCPFSM_RCV_RST,			/* an acceptable RST went to it */
	TCPFSM_EXPIRE,			/* 2MSL is over */
	TCPFSM_GONE,			/* its local socket no longer exists */
	TCPFSM_MIDSTREAM,		/* the flow was picked up after its start */
	TCPFSM_SND_FIN_FIRST,		/* correction: its FIN had left before it took the peer's */
	TCPFSM_RESUME,			/* correction: the RST was not taken */
	TCPFSM_TOOK_FIN_FIRST,		/* correction: it had taken the peer's FIN before its own */
	TCPFSM_NO_FIN,			/* correction: what was inferred to be a FIN was data */
	TCPFSM_CAUSES,
};

/* Why a flow ended. */
enum tcpfsm_reason {
	TCPFSM_REASON_UNSET,		/* it has not ended */
	TCPFSM_REASON_FIN,		/* both ends closed */
	TCPFSM_REASON_RST_ORIG,		/* orig sent a RST that resp had to accept */
	TCPFSM_REASON_RST_RESP,		/* resp sent a RST that orig had to accept */
	TCPFSM_REASON_RST_HOST,		/* this host made the RST for a flow it forwards */
	TCPFSM_REASON_REFUSED,		/* the target answered SYN with RST */
	TCPFSM_REASON_STALE_SYN,	/* orig reset the SYN|ACK that answered its SYN */
	TCPFSM_REASON_SILENT,		/* the local sockets went away without a segment */
	TCPFSM_REASON_TIMEOUT,		/* no segment for the length of its time-out */
	TCPFSM_REASON_REOPENED,		/* a new connection took its addresses and ports */
	TCPFSM_REASON_EVICTED,		/* the table was full */
	TCPFSM_REASON_FLUSHED,		/* tracking switched off; namespace or module gone */
	TCPFSM_REASON_UNREACHABLE,	/* an ICMP error ended, or foretold, a vain SYN */
	TCPFSM_REASONS,
};

/* TCPFSM_FLOW_FLAGS */
enum tcpfsm_flow_flags {
	TCPFSM_F_MIDSTREAM	= 1U << 0,	/* its start was not seen */
	TCPFSM_F_UNCONFIRMED	= 1U << 1,	/* an end has yet to show that it is alive */
	TCPFSM_F_GAP		= 1U << 2,	/* segments passed unseen */
	TCPFSM_F_ONE_WAY	= 1U << 3,	/* one direction inferred from the other */
	TCPFSM_F_CORRECTED	= 1U << 4,	/* a state shown earlier was corrected */
	TCPFSM_F_OFFLOADED	= 1U << 5,	/* in a flowtable: what passes is not seen */
	TCPFSM_F_FORWARDED	= 1U << 6,	/* seen at FORWARD */
	TCPFSM_F_LOCAL_ORIG	= 1U << 7,	/* orig is a socket of this namespace */
	TCPFSM_F_LOCAL_RESP	= 1U << 8,	/* resp is a socket of this namespace */
	TCPFSM_F_SYN_ACK_RESENT	= 1U << 9,	/* SYN|ACK resent after its ACK passed */
	TCPFSM_F_REANCHORED	= 1U << 10,	/* sequence numbers were learnt anew */
	TCPFSM_F_SUSPECT	= 1U << 11,	/* a RST in the window passed: may be dead */
	TCPFSM_F_SYN_PENDING	= 1U << 12,	/* a SYN passed within it, and was not answered */
	TCPFSM_F_UNREACHABLE	= 1U << 13,	/* an ICMP error told that an end is not reached */
	TCPFSM_F_MTU		= 1U << 14,	/* an ICMP error told that a segment is too big */
};

/* Flags of a transition. */
#define TCPFSM_T_CORRECTION	1U	/* corrects what was shown before */
#define TCPFSM_T_INFERRED	2U	/* a later segment proves it; its own was not seen */

/*
 * TCPFSM_TRANSITION_MOVE: what moved, packed so that a transition takes 48 bytes of a message. It
 * has the step modulo 65536.
 */
#define TCPFSM_MOVE(step, end, flags, cause, from, to) \
	(((__u32)(step) & 0xffff) << 16 | (flags) << 14 | (end) << 13 | (cause) << 8 | \
	 (to) << 4 | (from))
#define TCPFSM_MOVE_FROM(m)	((m) & 15)		/* enum tcpfsm_state */
#define TCPFSM_MOVE_TO(m)	((m) >> 4 & 15)		/* enum tcpfsm_state */
#define TCPFSM_MOVE_CAUSE(m)	((m) >> 8 & 31)		/* enum tcpfsm_cause */
#define TCPFSM_MOVE_END(m)	((m) >> 13 & 1)		/* enum tcpfsm_end */
#define TCPFSM_MOVE_FLAGS(m)	((m) >> 14 & 3)		/* TCPFSM_T_* */
#define TCPFSM_MOVE_STEP(m)	((m) >> 16)		/* of the flow, from 1 */

/*
 * Dwell times are counted in powers of two: bucket n counts times of [2^n, 2^(n+1)) us, bucket 0
 * also shorter ones, the last bucket also longer ones.
 */
#define TCPFSM_DWELL_BUCKETS	48

enum tcpfsm_cmd {
	TCPFSM_CMD_UNSPEC,
	TCPFSM_CMD_FLOW_GET,
	TCPFSM_CMD_STATS_GET,
	TCPFSM_CMD_COUNTER_GET,
	TCPFSM_CMD_SERVICE_GET,
	TCPFSM_CMD_LOG_GET,
	TCPFSM_CMD_TRANSITION_NTF,
	TCPFSM_CMD_FLOW_NTF,
	__TCPFSM_CMD_MAX,
};

#define TCPFSM_CMD_MAX (__TCPFSM_CMD_MAX - 1)

/* Top level */
enum tcpfsm_attr {
	TCPFSM_A_UNSPEC,
	TCPFSM_A_PAD,
	TCPFSM_A_FILTER,		/* nest, TCPFSM_FILTER_* */
	TCPFSM_A_FLOW,			/* nest, TCPFSM_FLOW_* */
	TCPFSM_A_CPU,			/* u32 */
	TCPFSM_A_SEQ,			/* u64, number of the first event in this message */
	TCPFSM_A_COUNT,			/* u32, events in this message */
	TCPFSM_A_TRANSITION,		/* nest, TCPFSM_TRANSITION_*, many */
	TCPFSM_A_POSITION,		/* nest, TCPFSM_POSITION_*, many */
	TCPFSM_A_NETNS,			/* u32, inode of the network namespace */
	TCPFSM_A_PAIRS,			/* u64 [TCPFSM_STATES][TCPFSM_STATES]: [orig][resp] */
	TCPFSM_A_TRANSITIONS,		/* u64 [TCPFSM_STATES][TCPFSM_STATES]: moves by from, to */
	TCPFSM_A_DWELL,			/* u64 [TCPFSM_STATES][TCPFSM_DWELL_BUCKETS] */
	TCPFSM_A_COUNTER,		/* nest, TCPFSM_COUNTER_* */
	TCPFSM_A_SERVICE,		/* nest, TCPFSM_SERVICE_* */
	TCPFSM_A_LOG,			/* nest, TCPFSM_LOG_* */
	TCPFSM_A_ENTRIES,		/* u64, flows of the namespace; in the initial one, all */
	TCPFSM_A_LIMIT,			/* u64, max_flows */
	__TCPFSM_A_MAX,
};

#define TCPFSM_A_MAX (__TCPFSM_A_MAX - 1)

/* A flow matches if all attributes that are given hold. */
enum tcpfsm_filter_attr {
	TCPFSM_FILTER_UNSPEC,
	TCPFSM_FILTER_PAD,
	TCPFSM_FILTER_ID,		/* u64 */
	TCPFSM_FILTER_FAMILY,		/* u32, AF_INET or AF_INET6 */
	TCPFSM_FILTER_ORIG_STATES,	/* u32, bit n: state n */
	TCPFSM_FILTER_RESP_STATES,	/* u32 */
	TCPFSM_FILTER_ANY_STATES,	/* u32, of either end */
	TCPFSM_FILTER_SRC,		/* 4 or 16 bytes, network order */
	TCPFSM_FILTER_SRC_LEN,		/* u32, prefix length, by default all bits */
	TCPFSM_FILTER_DST,
	TCPFSM_FILTER_DST_LEN,
	TCPFSM_FILTER_SPORT_MIN,	/* u32, host order, 0-65535 */
	TCPFSM_FILTER_SPORT_MAX,
	TCPFSM_FILTER_DPORT_MIN,
	TCPFSM_FILTER_DPORT_MAX,
	TCPFSM_FILTER_AGE_MIN,		/* u64, ns since its first segment */
	TCPFSM_FILTER_IDLE_MIN,		/* u64, ns since its last segment */
	__TCPFSM_FILTER_MAX,
};

#define TCPFSM_FILTER_MAX (__TCPFSM_FILTER_MAX - 1)

enum tcpfsm_flow_attr {
	TCPFSM_FLOW_UNSPEC,
	TCPFSM_FLOW_PAD,
	TCPFSM_FLOW_ID,			/* u64 */
	TCPFSM_FLOW_FAMILY,		/* u32 */
	TCPFSM_FLOW_SRC,		/* 4 or 16 bytes, network order */
	TCPFSM_FLOW_DST,
	TCPFSM_FLOW_SPORT,		/* u32, host order */
	TCPFSM_FLOW_DPORT,
	TCPFSM_FLOW_IFINDEX,		/* u32, of the VRF or link-local scope, absent if none */
	TCPFSM_FLOW_FLAGS,		/* u32, TCPFSM_F_* */
	TCPFSM_FLOW_STEP,		/* u32, number of its last transition */
	TCPFSM_FLOW_START,		/* u64, time of day of the first segment, ns */
	TCPFSM_FLOW_IDLE,		/* u64, ns since its last segment, resolution a jiffy */
	TCPFSM_FLOW_REASON,		/* u32, enum tcpfsm_reason, absent while it lives */
	TCPFSM_FLOW_ORIG,		/* nest, TCPFSM_END_* */
	TCPFSM_FLOW_RESP,
	TCPFSM_FLOW_REFUSED,		/* u32, segments that were refused; 255: that or more */
	TCPFSM_FLOW_UNREACHABLE,	/* nest, TCPFSM_ICMP_*: what TCPFSM_F_UNREACHABLE is from */
	TCPFSM_FLOW_MTU,		/* nest, TCPFSM_ICMP_*: what TCPFSM_F_MTU is from */
	__TCPFSM_FLOW_MAX,
};

#define TCPFSM_FLOW_MAX (__TCPFSM_FLOW_MAX - 1)

enum tcpfsm_end_attr {
	TCPFSM_END_UNSPEC,
	TCPFSM_END_PAD,
	TCPFSM_END_STATE,		/* u32 */
	TCPFSM_END_HISTORY,		/* u64, last 8 states, latest in the lowest 4 bits */
	TCPFSM_END_DWELL,		/* u64, ns in this state so far, to within 2^-26 of the
					 * flow's age when it entered the state
					 */
	TCPFSM_END_PACKETS,		/* u64, sent by it; a GSO segment counts as its parts */
	TCPFSM_END_BYTES,		/* u64, sent by it, from the IP header on */
	TCPFSM_END_COOKIE,		/* u64, of the local socket, as in sock_diag */
	TCPFSM_END_UID,			/* u32, the local socket's owner, in the reader's userns */
	TCPFSM_END_SK_SRC,		/* the socket's own tuple, if NAT changed it: */
	TCPFSM_END_SK_DST,		/* 4 or 16 bytes, network order, src is this end's */
	TCPFSM_END_SK_SPORT,		/* u32, host order */
	TCPFSM_END_SK_DPORT,
	__TCPFSM_END_MAX,
};

#define TCPFSM_END_MAX (__TCPFSM_END_MAX - 1)

/*
 * ICMP errors (RFC 792, 4443) that quote a segment of the flow: the last one, and how many. The
 * nest is absent if there was no memory for it, and from the end of a flow that made way for the
 * next one on its tuple.
 */
enum tcpfsm_icmp_attr {
	TCPFSM_ICMP_UNSPEC,
	TCPFSM_ICMP_TYPE,		/* u32, of ICMP or ICMPv6, by the flow's family */
	TCPFSM_ICMP_CODE,		/* u32 */
	TCPFSM_ICMP_ORIGIN,		/* 4 or 16 bytes, network order: who said it */
	TCPFSM_ICMP_END,		/* u32, enum tcpfsm_end: whose segment is quoted */
	TCPFSM_ICMP_COUNT,		/* u32, since anything was acknowledged last; of those about
					 * the MTU, at most one a second
					 */
	TCPFSM_ICMP_MTU,		/* u32, what the path takes; absent if it was not told */
	TCPFSM_ICMP_PENDING,		/* u32, 1: nothing has been acknowledged since the first of
					 * these
					 */
	__TCPFSM_ICMP_MAX,
};

#define TCPFSM_ICMP_MAX (__TCPFSM_ICMP_MAX - 1)

enum tcpfsm_transition_attr {
	TCPFSM_TRANSITION_UNSPEC,
	TCPFSM_TRANSITION_PAD,
	TCPFSM_TRANSITION_FLOW,		/* u64, id */
	TCPFSM_TRANSITION_WHEN,		/* u64, time of day, ns */
	TCPFSM_TRANSITION_DWELL,	/* u64, ns spent in the state that it left */
	TCPFSM_TRANSITION_MOVE,		/* u32, TCPFSM_MOVE_*() */
	__TCPFSM_TRANSITION_MAX,
};

#define TCPFSM_TRANSITION_MAX (__TCPFSM_TRANSITION_MAX - 1)

enum tcpfsm_position_attr {
	TCPFSM_POSITION_UNSPEC,
	TCPFSM_POSITION_PAD,
	TCPFSM_POSITION_CPU,		/* u32 */
	TCPFSM_POSITION_TRANSITION,	/* u64, next number of group transition */
	TCPFSM_POSITION_FLOW,		/* u64, next number of group flow */
	__TCPFSM_POSITION_MAX,
};

#define TCPFSM_POSITION_MAX (__TCPFSM_POSITION_MAX - 1)

enum tcpfsm_counter_attr {
	TCPFSM_COUNTER_UNSPEC,
	TCPFSM_COUNTER_PAD,
	TCPFSM_COUNTER_NAME,		/* string */
	TCPFSM_COUNTER_VALUE,		/* u64 */
	TCPFSM_COUNTER_HELP,		/* string, one sentence */
	__TCPFSM_COUNTER_MAX,
};

#define TCPFSM_COUNTER_MAX (__TCPFSM_COUNTER_MAX - 1)

enum tcpfsm_service_attr {
	TCPFSM_SERVICE_UNSPEC,
	TCPFSM_SERVICE_PAD,
	TCPFSM_SERVICE_FAMILY,		/* u32; absent in the row of services without a place */
	TCPFSM_SERVICE_ADDR,		/* 4 or 16 bytes, network order */
	TCPFSM_SERVICE_PORT,		/* u32, host order */
	TCPFSM_SERVICE_STATES,		/* u64 [TCPFSM_STATES]: its ends now in each state */
	TCPFSM_SERVICE_FLOWS,		/* u64, so far */
	TCPFSM_SERVICE_ESTABLISHED,	/* u64, of these, handshakes completed */
	TCPFSM_SERVICE_REFUSED,		/* u64 */
	TCPFSM_SERVICE_RESET,		/* u64, ended by RST after the handshake */
	TCPFSM_SERVICE_SYNACK_RESENT,	/* u64, SYN|ACK resent after its ACK passed: accept queue
					 * full, or TCP_DEFER_ACCEPT
					 */
	TCPFSM_SERVICE_CONNECT_NS,	/* u64, sum over flows: first SYN to SYN|ACK */
	TCPFSM_SERVICE_CONNECTS,	/* u64, flows in that sum */
	TCPFSM_SERVICE_ACCEPT_NS,	/* u64, sum over flows: first SYN to the SYN|ACK's ACK */
	TCPFSM_SERVICE_ACCEPTS,		/* u64, flows in that sum */
	TCPFSM_SERVICE_UNREACHABLE,	/* u64, ICMP errors: an end is not reached */
	TCPFSM_SERVICE_MTU,		/* u64, ICMP errors: a segment is too big */
	__TCPFSM_SERVICE_MAX,
};

#define TCPFSM_SERVICE_MAX (__TCPFSM_SERVICE_MAX - 1)

enum tcpfsm_log_attr {
	TCPFSM_LOG_UNSPEC,
	TCPFSM_LOG_PAD,
	TCPFSM_LOG_SEQ,			/* u64, from 1 on each CPU; a gap was not recorded */
	TCPFSM_LOG_TRANSITION,		/* nest, TCPFSM_TRANSITION_* */
	TCPFSM_LOG_FAMILY,		/* u32 */
	TCPFSM_LOG_SRC,			/* 4 or 16 bytes, network order */
	TCPFSM_LOG_DST,
	TCPFSM_LOG_SPORT,		/* u32, host order */
	TCPFSM_LOG_DPORT,
	TCPFSM_LOG_CPU,			/* u32, the CPU that recorded it. CPUs without memory for a
					 * log of their own share one, whose number is above all
					 * CPUs' (the kernel's nr_cpu_ids)
					 */
	__TCPFSM_LOG_MAX,
};

#define TCPFSM_LOG_MAX (__TCPFSM_LOG_MAX - 1)

#endif /* _UAPI_LINUX_TCPFSM_H */
