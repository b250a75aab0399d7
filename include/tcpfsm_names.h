/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every name that users read, listed once. The module, the tool and the documents take them from
 * these lists. The first word of a row is the enumerator of linux/tcpfsm.h without its prefix, or
 * the name of a counter.
 */
#ifndef _TCPFSM_NAMES_H
#define _TCPFSM_NAMES_H

/*
 * States, in the order in which files list them: name, how ss spells it, what it means, what it
 * waits for, and what many ends in it tell.
 */
#define TCPFSM_STATE_LIST(X) \
	X(CLOSED, "closed", \
	  "No connection at this end; the flow is kept for some seconds, so that late segments find it.", \
	  "Waits for nothing.", \
	  "Many: connections are short, or one side resets them; see ended_* and reset in counters.") \
	X(LISTEN, "listening", \
	  "A SYN went to this end, which is presumed to listen; it has not answered yet.", \
	  "Waits for this end to send SYN|ACK.", \
	  "Many: the host is down, a filter drops SYNs, or the SYN queue is full.") \
	X(SYN_SENT, "syn-sent", \
	  "This end sent SYN and has taken no SYN|ACK yet.", \
	  "Waits for the peer's SYN|ACK.", \
	  "Many towards one service: it does not answer, or its answers are lost on the way back.") \
	X(SYN_RCVD, "syn-recv", \
	  "This end answered with SYN|ACK, which is not acknowledged yet.", \
	  "Waits for the peer's ACK, the third segment.", \
	  "Many: a SYN flood, or the return path to the clients is broken.") \
	X(ESTABLISHED, "established", \
	  "Both ends are synchronized; data flows.", \
	  "Waits for the applications.", \
	  "Many idle: connection pools, or vanished peers that no keepalive has found out.") \
	X(FIN_WAIT_1, "fin-wait-1", \
	  "This end sent FIN, which is not acknowledged yet.", \
	  "Waits for the peer's ACK of the FIN.", \
	  "Many: peers vanished, or data before the FIN is stuck behind a closed window.") \
	X(FIN_WAIT_2, "fin-wait-2", \
	  "This end's FIN is acknowledged; it may still receive.", \
	  "Waits for the peer's application to close.", \
	  "Many: the peer's application leaks CLOSE_WAIT.") \
	X(CLOSE_WAIT, "close-wait", \
	  "This end took the peer's FIN; it may still send.", \
	  "Waits for its own application to call close().", \
	  "Many, or old ones: the application on this end forgot to close.") \
	X(CLOSING, "closing", \
	  "Both ends sent FIN before either took the other's.", \
	  "Waits for the peer's ACK of its FIN.", \
	  "Rare; many: the last ACKs are lost.") \
	X(LAST_ACK, "last-ack", \
	  "This end took the peer's FIN, then sent its own.", \
	  "Waits for the peer's ACK of its FIN.", \
	  "Many: peers vanish or reset before the last ACK.") \
	X(TIME_WAIT, "time-wait", \
	  "This end closed first and is done; it keeps late segments out of the next connection.", \
	  "Waits for the end of 2MSL (60 s here).", \
	  "Many between one client and one destination: the client runs out of ports.")

/* Causes: name, and what the endpoint that moved did, or what happened to it. */
#define TCPFSM_CAUSE_LIST(X) \
	X(PASSIVE_OPEN,	"a SYN went to it, so it is presumed to listen") \
	X(SND_SYN,	"it sent SYN") \
	X(SND_SYNACK,	"it sent SYN|ACK") \
	X(SYN_ACKED,	"the peer's ACK covers its SYN") \
	X(TOOK_SYNACK,	"its own ACK covers the peer's SYN") \
	X(SND_FIN,	"it sent FIN") \
	X(TOOK_FIN,	"its own ACK covers the peer's FIN") \
	X(FIN_ACKED,	"the peer's ACK covers its FIN") \
	X(SND_RST,	"it sent an acceptable RST") \
	X(RCV_RST,	"an acceptable RST went to it") \
	X(EXPIRE,	"2MSL is over") \
	X(GONE,		"its local socket no longer exists") \
	X(MIDSTREAM,	"the flow was picked up after its start") \
	X(SND_FIN_FIRST, "correction: its FIN had left before it took the peer's") \
	X(RESUME,	"correction: it did not take the RST, as both ends went on or its socket lives") \
	X(TOOK_FIN_FIRST, "correction: it had taken the peer's FIN before it sent its own") \
	X(NO_FIN,	"correction: what was inferred to be a FIN was data")

/* Reasons: enumerator, name, and why the flow ended. */
#define TCPFSM_REASON_LIST(X) \
	X(FIN,		"fin",		"both ends closed") \
	X(RST_ORIG,	"rst-orig",	"orig sent a RST that resp had to accept") \
	X(RST_RESP,	"rst-resp",	"resp sent a RST that orig had to accept") \
	X(RST_HOST,	"rst-host",	"this host made a RST for a flow it forwards") \
	X(REFUSED,	"refused",	"the target answered SYN with RST") \
	X(STALE_SYN,	"stale-syn",	"orig reset the SYN|ACK that answered its SYN") \
	X(SILENT,	"silent",	"the local sockets went away without a segment") \
	X(TIMEOUT,	"timeout",	"no segment passed for the length of its time-out") \
	X(REOPENED,	"reopened",	"a new connection took its addresses and ports") \
	X(EVICTED,	"evicted",	"the table was full") \
	X(FLUSHED,	"flushed",	"tracking was switched off, or the namespace went away") \
	X(UNREACHABLE,	"unreachable",	"its SYN was in vain: an ICMP error told why")

/*
 * Time-out classes, in the order in which a full table gives them up: enumerator, name as in the
 * sysctl timeout_NAME, default in seconds, and which flows they have (tfsm_class() decides).
 */
#define TCPFSM_CLASS_LIST(X) \
	X(CLOSED,	closed,		10,	"both ends CLOSED or LISTEN") \
	X(OPENING,	opening,	130,	"an end in LISTEN, SYN_SENT or SYN_RCVD; unconfirmed flows") \
	X(TIME_WAIT,	time_wait,	60,	"an end in TIME_WAIT") \
	X(CLOSING,	closing,	120,	"an end in FIN_WAIT_1, CLOSING or LAST_ACK, or one end CLOSED; half-closed flows whose open end may have closed unseen; suspect flows") \
	X(ESTABLISHED,	established,	432000,	"ESTABLISHED:ESTABLISHED") \
	X(HALF_CLOSED,	half_closed,	432000,	"an end in FIN_WAIT_2 or CLOSE_WAIT, the other in one of these or in ESTABLISHED")

/*
 * What the engine notes of a segment: name and sentence. Refusals come first; after a refusal no
 * state has moved.
 */
#define TCPFSM_NOTE_LIST(X) \
	X(bad_flags,		"Flags that no TCP sends together (SYN with RST, SYN with FIN but no ACK, FIN with RST, none at all).") \
	X(no_ack,		"Neither SYN nor RST, yet no ACK: RFC 9293 3.10.7.4 drops it.") \
	X(seq_old,		"A segment older than a window: a stray duplicate.") \
	X(seq_beyond_window,	"A segment beyond the window that its receiver had granted.") \
	X(seq_beyond_fin,	"Data beyond the sender's own FIN.") \
	X(fin_moved,		"A FIN whose number differs from its sender's first FIN, or is below data already sent.") \
	X(ack_old,		"An acknowledgement older than a window (RFC 5961 5.2).") \
	X(ack_beyond,		"An acknowledgement of what cannot have been sent.") \
	X(handshake_ack,	"An acknowledgement that does not fit the SYN, during the handshake: it establishes nothing.") \
	X(synack_bad_ack,	"A SYN|ACK that acknowledges another SYN than the one seen.") \
	X(synack_unexpected,	"A SYN|ACK in the middle of a connection, other than the first one sent again.") \
	X(rst_challenged,	"A RST in the window but not exact: the receiver answers with a challenge ACK (RFC 5961 3.2).") \
	X(rst_out_of_window,	"A RST outside the window: the receiver drops it.") \
	X(rst_unproven,		"A RST to an end in SYN_SENT that does not acknowledge its SYN, or to an end without a connection.") \
	X(rst_rfc1337,		"A RST to an end in TIME_WAIT, which net.ipv4.tcp_rfc1337 protects.") \
	X(rst_fragment,		"A RST in a first fragment: its checksum cannot be verified, and no TCP sends such RSTs.") \
	X(closed_segment,	"A segment between two ends that are CLOSED.") \
	X(no_room,		"A SYN or refused segment that could not be kept: no memory.") \
	/* These refuse nothing: what happened beside the states. */ \
	X(syn_retrans,		"A SYN sent again.") \
	X(synack_retrans,	"A SYN|ACK sent again before its ACK passed.") \
	X(synack_resent,	"A SYN|ACK sent again after its ACK passed: accept queue full, TCP_DEFER_ACCEPT, or the ACK was lost.") \
	X(fin_retrans,		"A FIN sent again.") \
	X(data_retrans,		"Data sent again.") \
	X(keepalive,		"A keepalive or window probe: one byte below what was sent.") \
	X(syn_pending,		"A SYN in the middle of a connection, kept until its answer tells whether a new one starts.") \
	X(syn_dropped,		"A kept SYN that a RST answered.") \
	X(synack_isn,		"A SYN|ACK with another ISN replaced the first (SYN cookies, restart).") \
	X(fin_early,		"A FIN that overtook its own SYN|ACK, kept until that passes.") \
	X(fin_ack_held,		"An ACK of a FIN, held until it shows whether the peer's FIN came before it.") \
	X(fin_corrected,	"A FIN that had left before its sender took the peer's, or that passed behind the FIN that answers it: CLOSE_WAIT corrected to CLOSING, or FIN_WAIT_1 to LAST_ACK.") \
	X(fin_inferred,		"A FIN that did not pass, inferred from an ACK of one octet that did not pass, either.") \
	X(fin_denied,		"Data, or an ACK of it, where a FIN had been inferred: the states were put back.") \
	X(rst_sender_kept,	"A RST that answers a refused segment: its sender does not move (RFC 9293 figures 8 and 9).") \
	X(rst_behind_hole,	"A RST behind data that its receiver lacks: only its sender moves, since the receiver challenges it.") \
	X(rst_ignored,		"A RST that was not taken: both ends went on, or a local socket lives, and the states were put back.") \
	X(refused,		"A connection refused: RST from LISTEN.") \
	X(reset,		"A connection reset: a RST that moved its receiver, other than refused and stale_syn.") \
	X(stale_syn,		"A SYN|ACK that the SYN's sender reset: a stale SYN, or a scan.") \
	X(gap,			"An ACK of data that did not pass here.") \
	X(one_way,		"A handshake step inferred from the other direction alone.") \
	X(reanchored,		"Both ends agreed on other sequence numbers than expected, which were learnt anew.") \
	X(time_wait_restarted,	"A segment that reached an end in TIME_WAIT and restarted 2MSL.") \
	X(confirmed,		"A midstream flow in which both ends have proved to be alive.") \
	/* These are of ICMP errors that quote a segment. */ \
	X(icmp_unreachable,	"An ICMP error about a segment in flight: its receiver is not reached, or it took too long.") \
	X(icmp_mtu,		"An ICMP error about a segment in flight: it is too big for the path; at most one a second and flow.") \
	X(icmp_stale,		"An ICMP error about a segment that is not in flight: late, or forged (RFC 5927 4.1); it is not believed.")

/* What the module counts besides: name and sentence. */
#define TCPFSM_SHELL_LIST(X) \
	X(segments,		"TCP segments looked at; a GSO segment counts as one.") \
	X(seen_twice,		"Segments skipped because another hook looks at them: loopback input, VRF, IPVS, bridges.") \
	X(self_connected,	"Segments from a tuple to itself: counted, not tracked.") \
	X(short_header,		"A TCP header that is cut short or claims an impossible length.") \
	X(bad_checksum,		"A wrong TCP checksum on a segment that would have moved a state.") \
	X(later_fragments,	"Fragments of TCP segments after the first: they carry no header.") \
	X(foreign_rst,		"A RST for which there is no flow; a RST never starts one.") \
	X(no_flow,		"Segments for which no flow was made: they told nothing, memory was short, or the table was full.") \
	X(gave_up,		"Segments given up: each time that they were looked up, another processor had replaced their flow.") \
	X(icmp_errors,		"ICMP errors looked at: those that quote a TCP segment.") \
	X(icmp_no_flow,		"ICMP errors about a segment of no flow that is known.") \
	X(icmp_bad_checksum,	"A wrong checksum on an ICMP error about a segment of a flow.") \
	X(flows_opened,		"Flows that started with a SYN.") \
	X(flows_midstream,	"Flows picked up after their start.") \
	X(flows_reopened,	"Flows replaced by a new connection on their addresses and ports.") \
	X(ended_fin,		"Flows ended: both ends closed.") \
	X(ended_rst,		"Flows ended by a RST.") \
	X(ended_refused,	"Flows ended: connection refused.") \
	X(ended_stale_syn,	"Flows ended: the SYN|ACK was reset.") \
	X(ended_silent,		"Flows ended: the local socket went away without a segment.") \
	X(ended_timeout,	"Flows ended: no segment passed for the length of their time-out.") \
	X(ended_unreachable,	"Flows ended: a SYN was in vain, and an ICMP error told why.") \
	X(ended_reopened,	"Flows ended: a new connection took their addresses and ports.") \
	X(ended_evicted,	"Flows ended to make room in a full table.") \
	X(ended_flushed,	"Flows ended: tracking was switched off, or the namespace went away.") \
	X(evicted_closed,	"Of the evicted, those whose ends were both closed.") \
	X(evicted_opening,	"Of the evicted, those half-open or unconfirmed.") \
	X(evicted_time_wait,	"Of the evicted, those in TIME_WAIT.") \
	X(evicted_closing,	"Of the evicted, those closing.") \
	X(evicted_established,	"Of the evicted, established ones that were idle.") \
	X(evicted_half_closed,	"Of the evicted, half-closed ones.") \
	X(table_full,		"Flows refused: the table was full and nothing in it could go.") \
	X(bucket_full,		"Flows refused: too many others were in their part of the table, which is much too small, or is being attacked.") \
	X(no_memory,		"Times that there was no memory for a flow, for what goes with it, or for a page of the log.") \
	X(sockets_asked,	"Local sockets looked up because a state's usual time was over.") \
	X(services_other,	"Flows counted in the row 'other': the table of services was full.") \
	X(log_lost,		"Transitions not recorded in the log: no memory, or the ring had gone all the way round.") \
	X(audit_checked,	"With net.tcpfsm.audit: segments of local sockets that were compared with the socket's own state.") \
	X(audit_agreed,		"Of these, those whose socket was in the state shown.") \
	X(audit_differed,	"Of these, those whose socket was in another state; the tracepoint tcpfsm_audit shows both.") \
	X(events_lost,		"Events not sent to listeners: no memory; the sequence numbers show them, too.")

#endif /* _TCPFSM_NAMES_H */
