// SPDX-License-Identifier: GPL-2.0
/* What the kernel's own sockets say about a flow's local ends. */
#include <linux/slab.h>
#include <linux/sock_diag.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/inet_sock.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/sock.h>
#include <net/tcp.h>
#if IS_ENABLED(CONFIG_IP_VS)
#include <net/ip_vs.h>
#endif

#include "compat.h"
#include "cpu.h"
#include "netns.h"
#include "socket.h"

/* One local end: its own address first. */
struct local_end {
	const union tcpfsm_addr *src, *dst;
	__be16 sport, dport;
};

/*
 * The connection's socket, of any kind: full, request or time-wait. Under RCU; put with
 * sock_gen_put().
 */
static struct sock *lookup_socket(struct net *net, u8 family, const struct local_end *e,
				  u32 ifindex)
{
	if (family == AF_INET)
		return tcpfsm_lookup4(net, e->dst->ip4, e->dport, e->src->ip4, ntohs(e->sport),
				      ifindex);
#if IS_ENABLED(CONFIG_IPV6)
	return tcpfsm_lookup6(net, &e->dst->ip6, e->dport, &e->src->ip6, ntohs(e->sport),
			      ifindex);
#else
	return NULL;
#endif
}

static void keep_socket(struct tcpfsm_socket *to, const struct tcpfsm_flow *f,
			const struct sock *sk)
{
	to->uid = sk->sk_uid;
	to->ifindex = READ_ONCE(sk->sk_bound_dev_if);
	to->sport = inet_sk(sk)->inet_sport;
	to->dport = inet_sk(sk)->inet_dport;
	if (!f->is_ip6) {
		to->src.ip4 = inet_sk(sk)->inet_saddr;
		to->dst.ip4 = inet_sk(sk)->inet_daddr;
#if IS_ENABLED(CONFIG_IPV6)
	} else {
		to->src.ip6 = sk->sk_v6_rcv_saddr;
		to->dst.ip6 = sk->sk_v6_daddr;
#endif
	}
}

static u8 family_of(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6 && !ipv6_addr_v4mapped(&sk->sk_v6_daddr))
		return AF_INET6;
#endif
	return AF_INET;
}

const struct sock *tcpfsm_socket_of(const struct tcpfsm_view *v)
{
	const struct sock *sk = v->skb->sk;

	/* Request, time-wait and per-processor control sockets are not the connection's. */
	if (!sk || !sk_fullsock(sk) || sk->sk_protocol != IPPROTO_TCP ||
	    sk->sk_type != SOCK_STREAM || READ_ONCE(sk->sk_state) == TCP_LISTEN ||
	    v->tuple.family != family_of(sk))
		return NULL;
	return sk;
}

void tcpfsm_socket_note(struct tcpfsm_flow *f, u8 end, const struct tcpfsm_view *v)
{
	const struct sock *sk = tcpfsm_socket_of(v);
	struct tcpfsm_local *local;
	u32 cookie[2];

	if (!sk)
		return;
	local = tcpfsm_flow_add_local(f);
	if (!local) {
		tcpfsm_count(v->tuple.tn, TCPFSM_C_no_memory);
		return;
	}
	keep_socket(&local->end[end], f, sk);
	sock_diag_save_cookie((struct sock *)sk, cookie);
	local->end[end].cookie = (u64)cookie[1] << 32 | cookie[0];
	f->noted |= 1U << end;
}

/* @dif: the device that a socket may be bound to. Return: false if there is no such socket. */
static bool read_state(const struct tcpfsm_tuple *t, u8 i, u32 dif, struct tfsm_local *local)
{
	const struct local_end e = {
		.src = &t->addr[i], .dst = &t->addr[!i],
		.sport = t->port[i], .dport = t->port[!i],
	};
	struct sock *sk = lookup_socket(t->tn->net, t->family, &e, dif);
	u8 state;

	if (!sk)
		return false;
	state = READ_ONCE(sk->sk_state);
	if (state == TCP_TIME_WAIT) {	/* Linux keeps orphans in FIN_WAIT_2 so too */
		state = READ_ONCE(inet_twsk(sk)->tw_substate);
		local->fin = tcp_twsk(sk)->tw_snd_nxt;
	} else if (sk_fullsock(sk)) {
		local->fin = READ_ONCE(tcp_sk(sk)->write_seq);
	}
	sock_gen_put(sk);
	if (state < TCPFSM_STATES)	/* not a request socket */
		local->state = state;
	return true;
}

/* Does the socket see the tuple that we see? */
static bool is_translated(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	enum ip_conntrack_info info;
	const struct nf_conn *ct = nf_ct_get(skb, &info);

	return ct && READ_ONCE(ct->status) & IPS_NAT_MASK;
#else
	return false;
#endif
}

static bool has_listener(const struct tcpfsm_tuple *t, u8 i, u32 dif)
{
	struct sock *sk = NULL;

	if (t->family == AF_INET)
		sk = tcpfsm_lookup_listener4(t->tn->net, t->addr[!i].ip4, t->port[!i],
					     t->addr[i].ip4, ntohs(t->port[i]), dif);
#if IS_ENABLED(CONFIG_IPV6)
	else
		sk = tcpfsm_lookup_listener6(t->tn->net, &t->addr[!i].ip6, t->port[!i],
					     &t->addr[i].ip6, ntohs(t->port[i]), dif);
#endif
	return sk;		/* listeners are freed by RCU: no reference was taken */
}

/* IPVS takes what goes to its services at LOCAL_IN, behind us. */
static bool runs_ipvs(const struct net *net)
{
#if IS_ENABLED(CONFIG_IP_VS)
	const struct netns_ipvs *ipvs = READ_ONCE(net->ipvs);

	return ipvs && READ_ONCE(ipvs->enable);
#else
	return false;
#endif
}

/*
 * The device that a socket of the segment may be bound to: one that is bound to none is found by
 * any. In another routing domain, that is asked for.
 */
static u32 device_of(const struct tcpfsm_view *v)
{
	if (v->tuple.l3)
		return v->tuple.l3;
	return v->dev ? v->dev->ifindex : 0;
}

bool tcpfsm_socket_listens(struct tcpfsm_view *v, u8 i)
{
	if (!(v->asked & 1U << i)) {
		v->asked |= 1U << i;
		if (has_listener(&v->tuple, i, device_of(v)))
			v->listens |= 1U << i;
	}
	return v->listens & 1U << i;
}

void tcpfsm_socket_states(struct tcpfsm_view *v, u8 sender, struct tfsm_local local[TCPFSM_ENDS])
{
	const struct tcpfsm_tuple *t = &v->tuple;
	u8 to = !v->from;

	if (v->from_local)
		read_state(t, v->from, device_of(v), &local[sender]);
	if (!v->to_local || read_state(t, to, device_of(v), &local[!sender]))
		return;
	/*
	 * Is there really none? It may see another tuple than we do, or be another host's; and the
	 * last ACK of a handshake may find a listener only, which has sent a SYN cookie.
	 */
	if (!t->l3 && !is_translated(v->skb) && !runs_ipvs(t->tn->net) &&
	    !tcpfsm_socket_listens(v, to))
		local[!sender].state = TCPFSM_CLOSED;
}

bool tcpfsm_socket_lives(const struct tcpfsm_snap *snap, u8 end)
{
	const struct tcpfsm_socket *own = &snap->socket[end];
	struct local_end e = {
		.src = end == TCPFSM_ORIG ? &snap->tuple.src : &snap->tuple.dst,
		.dst = end == TCPFSM_ORIG ? &snap->tuple.dst : &snap->tuple.src,
		.sport = end == TCPFSM_ORIG ? snap->tuple.sport : snap->tuple.dport,
		.dport = end == TCPFSM_ORIG ? snap->tuple.dport : snap->tuple.sport,
	};
	u32 ifindex = snap->tuple.l3;
	struct sock *sk;

	if (own->cookie) {
		e = (struct local_end) { &own->src, &own->dst, own->sport, own->dport };
		ifindex = own->ifindex ?: ifindex;
	}
	local_bh_disable();
	tcpfsm_count(snap->tn, TCPFSM_C_sockets_asked);
	sk = lookup_socket(snap->tn->net, snap->tuple.family, &e, ifindex);
	local_bh_enable();
	if (!sk)
		return false;
	if (own->cookie && atomic64_read(&sk->sk_cookie) != own->cookie) {
		sock_gen_put(sk);	/* another connection on the same tuple */
		return false;
	}
	sock_gen_put(sk);
	return true;
}
