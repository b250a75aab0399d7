// SPDX-License-Identifier: GPL-2.0
/* The states shown, held against the sockets' own as they send. */
#include <linux/mutex.h>
#include <net/tcp.h>

#include "audit.h"
#include "cpu.h"
#include "socket.h"

DEFINE_STATIC_KEY_FALSE(tcpfsm_audit_on);

static DEFINE_MUTEX(set_lock);

/*
 * Where Linux sends before it changes the state, or we see a FIN only as it leaves:
 *
 *   socket			shown
 *   FIN_WAIT_2			TIME_WAIT, by the ACK of the peer's FIN
 *   FIN_WAIT_1			CLOSING, likewise
 *   FIN_WAIT_1			ESTABLISHED, its FIN waits behind data
 *   LAST_ACK, CLOSING		CLOSE_WAIT, its FIN waits behind data
 */
static bool states_agree(u8 socket, u8 shown, bool fin_waits)
{
	switch (socket) {
	case TCP_FIN_WAIT2:
		return shown == TCPFSM_FIN_WAIT_2 || shown == TCPFSM_TIME_WAIT;
	case TCP_FIN_WAIT1:
		return shown == TCPFSM_FIN_WAIT_1 || shown == TCPFSM_CLOSING ||
		       (fin_waits && (shown == TCPFSM_ESTABLISHED || shown == TCPFSM_CLOSE_WAIT ||
				      shown == TCPFSM_SYN_RCVD));
	case TCP_LAST_ACK:
	case TCP_CLOSING:
		return shown == socket || (fin_waits && shown == TCPFSM_CLOSE_WAIT);
	default:
		return shown == socket;
	}
}

/*
 * Segments that have passed our hook wait for it: it is behind, and will catch up. The length is
 * there until the last of them is done, the list only until the first is begun. What waits in
 * loopback's queue, in NFQUEUE, or was dropped behind the hook counts as a difference.
 */
static bool is_behind(const struct sock *sk)
{
	return READ_ONCE(sk->sk_backlog.len);
}

void tcpfsm_audit_segment(const struct tcpfsm_flow *f, const struct tcpfsm_view *v,
			  struct tcpfsm_audit *a)
{
	const struct sock *sk = tcpfsm_socket_of(v);
	const struct tcp_sock *tp;
	u32 end;

	/* A RST leaves before or after the state changes, as it happens. */
	if (!sk || v->seg.flags & TFSM_RST || is_behind(sk))
		return;
	tp = tcp_sk(sk);
	end = v->seg.seq + tfsm_seg_len(&v->seg);
	a->socket = READ_ONCE(sk->sk_state);
	a->shown = f->fsm.end[v->seg.dir].state;
	tcpfsm_count(v->tuple.tn, TCPFSM_C_audit_checked);
	/* write_seq counts the FIN as soon as it is queued. */
	if (states_agree(a->socket, a->shown, tfsm_before(end, READ_ONCE(tp->write_seq)))) {
		tcpfsm_count(v->tuple.tn, TCPFSM_C_audit_agreed);
	} else {
		a->differs = true;
		tcpfsm_count(v->tuple.tn, TCPFSM_C_audit_differed);
	}
}

void tcpfsm_audit_set(struct tcpfsm_net *tn, bool on)
{
	mutex_lock(&set_lock);
	if (on != !!tn->audit) {
		if (on)
			static_branch_inc(&tcpfsm_audit_on);
		else
			static_branch_dec(&tcpfsm_audit_on);
		WRITE_ONCE(tn->audit, on);
	}
	mutex_unlock(&set_lock);
}
