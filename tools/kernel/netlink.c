// SPDX-License-Identifier: GPL-2.0
/* Generic netlink: dumps, events, and what the kernel says of errors. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/attr.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "kernel/request.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/options.h"

#define BATCH		16		/* messages a system call */
#define BUF		(64 * 1024)	/* above the 32 KB of a dump, and any event message */
#define RCVBUF		(128 << 20)	/* only a limit: memory is used as events wait */

struct netlink {
	struct mnl_socket *socket;
	unsigned int seq;
	u16 family;
	u32 group[2];
	char *buf;			/* BATCH of BUF */
	struct mmsghdr mmsg[BATCH];
	struct iovec iov[BATCH];
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control[BATCH];
	int nsid;
	char message[256];		/* of the last extended acknowledgement */
};

static void take_groups(struct netlink *nl, const struct nlattr *groups)
{
	static const char * const names[] = { TCPFSM_GENL_GRP_TRANSITION, TCPFSM_GENL_GRP_FLOW };
	const struct nlattr *group, *tb[CTRL_ATTR_MCAST_GRP_MAX + 1];
	const char *name;
	size_t i;

	if (!groups)
		return;
	mnl_attr_for_each_nested(group, groups) {
		attr_nest(tb, CTRL_ATTR_MCAST_GRP_MAX, group);
		name = attr_str(tb[CTRL_ATTR_MCAST_GRP_NAME]);
		for (i = 0; i < ARRAY_SIZE(names); i++)
			if (name && !strcmp(name, names[i]))
				nl->group[i] = attr_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
	}
}

static int on_family(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *tb[CTRL_ATTR_MAX + 1], *id;
	struct netlink *nl = arg;

	attr_message(tb, CTRL_ATTR_MAX, nlh, sizeof(struct genlmsghdr));
	id = tb[CTRL_ATTR_FAMILY_ID];
	if (id && mnl_attr_get_payload_len(id) >= sizeof(u16))
		nl->family = mnl_attr_get_u16(id);
	take_groups(nl, tb[CTRL_ATTR_MCAST_GROUPS]);
	return 0;
}

/* The sentence that the kernel gave with an error or a warning. */
static void take_extack(struct netlink *nl, const struct nlmsghdr *nlh, size_t offset)
{
	const struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	const char *s;

	nl->message[0] = '\0';
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    mnl_nlmsg_get_payload_len(nlh) < offset)
		return;
	attr_message(tb, NLMSGERR_ATTR_MAX, nlh, offset);
	s = attr_str(tb[NLMSGERR_ATTR_MSG]);
	if (s)
		snprintf(nl->message, sizeof(nl->message), "%s", s);
}

/* The kernel's errno must not be taken for one of this tool's own results. */
static int check_errno(int error)
{
	return error <= 0 && error >= -4095 ? error : -EBADMSG;
}

/* An error, or an acknowledgement of 0. */
static int on_error(struct netlink *nl, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t offset = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return -EBADMSG;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len >= sizeof(err->msg))
		offset += MNL_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	take_extack(nl, nlh, offset);
	if (!err->error && nl->message[0])
		note("%s", nl->message);
	return check_errno(err->error);
}

static int on_done(struct netlink *nl, const struct nlmsghdr *nlh)
{
	int err = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(err))
		memcpy(&err, mnl_nlmsg_get_payload(nlh), sizeof(err));
	take_extack(nl, nlh, sizeof(err));
	if (err)
		return check_errno(err);
	if (nl->message[0])
		note("%s", nl->message);
	return 0;
}

/* libmnl takes a length of 2^31 and more for a negative one, hence for one that fits. */
static bool is_message_whole(const struct nlmsghdr *nlh, int len)
{
	return mnl_nlmsg_ok(nlh, len) && nlh->nlmsg_len <= (u32)len;
}

/* Return: 1 for more, 0 at the end, negative for an error. */
static int on_answer(struct netlink *nl, unsigned int i, netlink_fn fn, void *arg)
{
	const struct nlmsghdr *nlh = nl->iov[i].iov_base;
	int len = nl->mmsg[i].msg_len, ret;

	for (; is_message_whole(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq != nl->seq)
			continue;	/* it answers a request that was given up */
		if (nlh->nlmsg_type == NLMSG_DONE)
			return on_done(nl, nlh);
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return on_error(nl, nlh);
		if (nlh->nlmsg_type < NLMSG_MIN_TYPE || !fn)
			continue;
		ret = fn(nlh, arg);
		if (ret < 0)
			return ret;
	}
	return 1;
}

int netlink_read(struct netlink *nl, netlink_fn fn, void *arg)
{
	int n, i, ret = 1;

	/* The kernel makes the next part of a dump when one is read. */
	do {
		n = recvmmsg(netlink_fd(nl), nl->mmsg, BATCH, MSG_WAITFORONE, NULL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (i = 0; i < n && ret > 0; i++)
		ret = on_answer(nl, i, fn, arg);
	return ret;
}

static int read_all(struct netlink *nl, netlink_fn fn, void *arg)
{
	int ret;

	do {
		ret = netlink_read(nl, fn, arg);
	} while (ret > 0);
	return ret;
}

static int send_request(struct netlink *nl, struct nlmsghdr *nlh)
{
	nlh->nlmsg_seq = ++nl->seq;
	nl->message[0] = '\0';
	return mnl_socket_sendto(nl->socket, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

int netlink_request(struct netlink *nl, u8 cmd, bool dump, const struct kernel_filter *filter)
{
	char buf[REQUEST_SIZE];
	struct nlmsghdr *nlh = request_begin(buf, nl->family, cmd, TCPFSM_GENL_VERSION,
					     dump ? NLM_F_DUMP : NLM_F_ACK);

	if (filter)
		request_put_filter(nlh, filter);
	return send_request(nl, nlh);
}

int netlink_ask(struct netlink *nl, u8 cmd, bool dump, const struct kernel_filter *filter,
		netlink_fn fn, void *arg)
{
	int ret = netlink_request(nl, cmd, dump, filter);

	return ret ? ret : read_all(nl, fn, arg);
}

int netlink_ask_flow(struct netlink *nl, const struct tuple *tuple, netlink_fn fn, void *arg)
{
	char buf[REQUEST_SIZE];
	struct nlmsghdr *nlh = request_begin(buf, nl->family, TCPFSM_CMD_FLOW_GET,
					     TCPFSM_GENL_VERSION, NLM_F_ACK);
	int ret;

	request_put_tuple(nlh, tuple);
	ret = send_request(nl, nlh);
	return ret ? ret : read_all(nl, fn, arg);
}

static int find_family(struct netlink *nl)
{
	char buf[REQUEST_SIZE];
	struct nlmsghdr *nlh = request_begin(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_ACK);
	int ret;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, TCPFSM_GENL_NAME);
	ret = send_request(nl, nlh);
	if (!ret)
		ret = read_all(nl, on_family, nl);
	return !ret && !nl->family ? -ENOENT : ret;
}

static int set_up(struct netlink *nl)
{
	int on = 1, i;

	nl->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->socket || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	/* Kernels that know neither option still answer. */
	mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	nl->buf = zalloc((size_t)BATCH * BUF);
	for (i = 0; i < BATCH; i++) {
		nl->iov[i] = (struct iovec){ nl->buf + (size_t)i * BUF, BUF };
		nl->mmsg[i].msg_hdr.msg_iov = &nl->iov[i];
		nl->mmsg[i].msg_hdr.msg_iovlen = 1;
	}
	return find_family(nl);
}

struct netlink *netlink_open(const struct netns *ns, int *err)
{
	struct netlink *nl = zalloc(sizeof(*nl));

	*err = netns_enter(ns);
	if (!*err) {
		*err = set_up(nl);
		netns_leave();
	}
	if (!*err)
		return nl;
	netlink_close(nl);
	return NULL;
}

void netlink_close(struct netlink *nl)
{
	if (!nl)
		return;
	if (nl->socket)
		mnl_socket_close(nl->socket);
	free(nl->buf);
	free(nl);
}

int netlink_fd(const struct netlink *nl)
{
	return mnl_socket_get_fd(nl->socket);
}

int netlink_nsid(const struct netlink *nl)
{
	return nl->nsid;
}

static int listen_to_all(struct netlink *nl)
{
	int on = 1, i;

	if (setsockopt(netlink_fd(nl), SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof(on)))
		return -errno;
	for (i = 0; i < BATCH; i++)
		nl->mmsg[i].msg_hdr.msg_control = &nl->control[i];
	return 0;
}

int netlink_join(struct netlink *nl, bool all)
{
	unsigned int control = GENL_ID_CTRL;
	int size = opt.buffer ? opt.buffer : RCVBUF, fd = netlink_fd(nl), got = 0;
	socklen_t len = sizeof(got);
	size_t i;
	int err;

	err = all ? listen_to_all(nl) : 0;
	if (err)
		return err;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* This is the controller's own group; it tells when the module goes. */
	mnl_socket_setsockopt(nl->socket, NETLINK_ADD_MEMBERSHIP, &control, sizeof(control));
	for (i = 0; i < ARRAY_SIZE(nl->group); i++) {
		if (!nl->group[i])
			return -EPROTONOSUPPORT;
		if (mnl_socket_setsockopt(nl->socket, NETLINK_ADD_MEMBERSHIP, &nl->group[i],
					  sizeof(nl->group[i])))
			return -errno;
	}
	/* The kernel doubles the size, and caps it without a word. */
	if (!getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len) && got < size)
		note("the receive buffer is only %d KB (net.core.rmem_max caps it): a burst may cost events",
		     got / 1024);
	return 0;
}

/* The controller tells that the module goes; no event would ever come again. */
static bool is_family_gone(const struct netlink *nl, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[CTRL_ATTR_MAX + 1], *id;

	if (nlh->nlmsg_type != GENL_ID_CTRL || genl->cmd != CTRL_CMD_DELFAMILY)
		return false;
	attr_message(tb, CTRL_ATTR_MAX, nlh, sizeof(*genl));
	id = tb[CTRL_ATTR_FAMILY_ID];
	return id && mnl_attr_get_payload_len(id) >= sizeof(u16) &&
	       mnl_attr_get_u16(id) == nl->family;
}

static int on_event_message(const struct netlink *nl, const struct nlmsghdr *nlh, netlink_fn fn,
			    void *arg)
{
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr))
		return 0;
	if (is_family_gone(nl, nlh))
		return -ENODEV;
	return nlh->nlmsg_type == nl->family ? fn(nlh, arg) : 0;
}

static int read_nsid(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int nsid = -1;

	if (c && c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID)
		memcpy(&nsid, CMSG_DATA(c), sizeof(nsid));
	return nsid;
}

int netlink_events(struct netlink *nl, netlink_fn fn, void *arg)
{
	int n, i, ret;

	for (i = 0; i < BATCH; i++)
		nl->mmsg[i].msg_hdr.msg_controllen =
			nl->mmsg[i].msg_hdr.msg_control ? sizeof(nl->control[i]) : 0;
	n = recvmmsg(netlink_fd(nl), nl->mmsg, BATCH, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	for (i = 0; i < n; i++) {
		const struct nlmsghdr *nlh = nl->iov[i].iov_base;
		int len = nl->mmsg[i].msg_len;

		nl->nsid = read_nsid(&nl->mmsg[i].msg_hdr);
		for (; is_message_whole(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			ret = on_event_message(nl, nlh, fn, arg);
			if (ret < 0)
				return ret;
		}
	}
	return n;
}

int netlink_fail(const struct netlink *nl, int err)
{
	if (nl && nl->message[0])
		return fail("%s", nl->message);
	switch (-err) {
	case ENOENT:
		if (!nl)
			return fail("the kernel module is not loaded; run: sudo insmod tcpfsm.ko, or modprobe tcpfsm");
		return fail("there is no such flow");
	case EPERM:
	case EACCES:
		return fail("this needs CAP_NET_ADMIN over the network namespace; run with sudo");
	case EPROTONOSUPPORT:
		return fail("the loaded kernel module has no event groups: it is of another version than this tool");
	case EPROTO:
		return fail("the kernel module tells what cannot be: it is of another version than this tool");
	default:
		return fail("asking the kernel module: %s", strerror(-err));
	}
}
