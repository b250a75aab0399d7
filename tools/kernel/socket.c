// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "kernel/attr.h"
#include "kernel/netns.h"
#include "kernel/socket.h"

struct receiver {
	sock_fn fn;
	void *arg;
};

static bool is_mapped(const u8 *addr)
{
	return IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr);
}

static void set_addresses(struct tuple *t, const struct inet_diag_msg *m)
{
	const u8 *src = (const u8 *)m->id.idiag_src, *dst = (const u8 *)m->id.idiag_dst;
	bool mapped = m->idiag_family == AF_INET6 && is_mapped(src);
	size_t skip = mapped ? 12 : 0;

	t->family = mapped ? AF_INET : m->idiag_family;
	memcpy(t->src, src + skip, addr_len(t->family));
	memcpy(t->dst, dst + skip, addr_len(t->family));
	t->sport = ntohs(m->id.idiag_sport);
	t->dport = ntohs(m->id.idiag_dport);
}

static int on_message(const struct nlmsghdr *nlh, void *arg)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	const struct receiver *to = arg;
	struct sock s = { 0 };

	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(nlh) < sizeof(*m))
		return MNL_CB_OK;
	set_addresses(&s.tuple, m);
	s.state = m->idiag_state;
	s.inode = m->idiag_inode;
	s.uid = m->idiag_uid;
	s.recvq = m->idiag_rqueue;
	/* The kernel counts sequence numbers, and the peer's FIN took one of them. */
	if (s.recvq && (s.state == TCP_CLOSE_WAIT || s.state == TCP_LAST_ACK ||
			s.state == TCP_CLOSING))
		s.recvq--;
	s.sendq = m->idiag_wqueue;
	s.cookie = (u64)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	to->fn(&s, to->arg);
	return MNL_CB_OK;
}

static int dump_family(struct mnl_socket *nl, u8 family, u32 states, struct receiver *to)
{
	static char buf[1 << 16];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *req;
	ssize_t len;
	int ret = MNL_CB_OK;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));
	req->sdiag_family = family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = states;
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (ret == MNL_CB_OK) {
		len = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (len < 0)
			return -errno;
		ret = mnl_cb_run(buf, len, 0, 0, on_message, to);
	}
	return ret == MNL_CB_STOP ? 0 : -errno;
}

int sock_each(const struct netns *ns, u32 states, sock_fn fn, void *arg)
{
	struct receiver to = { fn, arg };
	int err = netns_enter(ns);
	struct mnl_socket *nl;

	if (err)
		return err;
	nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	err = nl ? 0 : -errno;
	netns_leave();
	if (err)
		return err;
	err = dump_family(nl, AF_INET, states, &to);
	if (!err)
		err = dump_family(nl, AF_INET6, states, &to);
	mnl_socket_close(nl);
	return err;
}

const char *sock_state_name(u8 state)
{
	static const char * const names[] = {
		[TCP_ESTABLISHED] = "ESTABLISHED", [TCP_SYN_SENT] = "SYN_SENT",
		[TCP_SYN_RECV] = "SYN_RCVD", [TCP_FIN_WAIT1] = "FIN_WAIT_1",
		[TCP_FIN_WAIT2] = "FIN_WAIT_2", [TCP_TIME_WAIT] = "TIME_WAIT",
		[TCP_CLOSE] = "CLOSED", [TCP_CLOSE_WAIT] = "CLOSE_WAIT",
		[TCP_LAST_ACK] = "LAST_ACK", [TCP_LISTEN] = "LISTEN", [TCP_CLOSING] = "CLOSING",
	};

	return state < ARRAY_SIZE(names) && names[state] ? names[state] : "?";
}
