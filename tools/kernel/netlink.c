// SPDX-License-Identifier: GPL-2.0
/* Generic netlink: requests, dumps, events. */
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

#define BATCH		16		/* messages a system call */
#define BUF		(64 * 1024)	/* above the 32 KB of a dump, and any event message */
#define RCVBUF		(128 << 20)	/* a limit only: the kernel charges what waits */

struct kernel {
	struct mnl_socket *nl;
	unsigned int seq;
	u16 family;
	u32 group[2];
	char *buf;			/* BATCH of BUF */
	struct mmsghdr mmsg[BATCH];
	struct iovec iov[BATCH];
	char message[256];		/* of the last extended acknowledgement */
};

static void take_groups(struct kernel *k, const struct nlattr *groups)
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
				k->group[i] = attr_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
	}
}

static int on_family(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *tb[CTRL_ATTR_MAX + 1], *id;
	struct kernel *k = arg;

	attr_message(tb, CTRL_ATTR_MAX, nlh, sizeof(struct genlmsghdr));
	id = tb[CTRL_ATTR_FAMILY_ID];
	if (id && mnl_attr_get_payload_len(id) >= sizeof(u16))
		k->family = mnl_attr_get_u16(id);
	take_groups(k, tb[CTRL_ATTR_MCAST_GROUPS]);
	return 0;
}

/* The sentence that the kernel gave with an error or a warning. */
static void take_extack(struct kernel *k, const struct nlmsghdr *nlh, size_t offset)
{
	const struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	const char *s;

	k->message[0] = '\0';
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    mnl_nlmsg_get_payload_len(nlh) < offset)
		return;
	attr_message(tb, NLMSGERR_ATTR_MAX, nlh, offset);
	s = attr_str(tb[NLMSGERR_ATTR_MSG]);
	if (s)
		snprintf(k->message, sizeof(k->message), "%s", s);
}

/* Nothing that could be taken for another answer of ours. */
static int checked(int error)
{
	return error <= 0 && error >= -4095 ? error : -EBADMSG;
}

/* An error, or an acknowledgement of 0. */
static int on_error(struct kernel *k, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t offset = sizeof(*err);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err))
		return -EBADMSG;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len >= sizeof(err->msg))
		offset += MNL_ALIGN(err->msg.nlmsg_len) - sizeof(err->msg);
	take_extack(k, nlh, offset);
	if (!err->error && k->message[0])
		note("%s", k->message);
	return checked(err->error);
}

static int on_done(struct kernel *k, const struct nlmsghdr *nlh)
{
	int err = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(err))
		memcpy(&err, mnl_nlmsg_get_payload(nlh), sizeof(err));
	take_extack(k, nlh, sizeof(err));
	if (err)
		return checked(err);
	if (k->message[0])
		note("%s", k->message);
	return 0;
}

/* libmnl takes a length of 2^31 and more for a negative one, hence for one that fits. */
static bool message_ok(const struct nlmsghdr *nlh, int len)
{
	return mnl_nlmsg_ok(nlh, len) && nlh->nlmsg_len <= (u32)len;
}

/* Return: 1 for more, 0 at the end, negative for an error. */
static int on_answer(struct kernel *k, unsigned int i, kernel_fn fn, void *arg)
{
	const struct nlmsghdr *nlh = k->iov[i].iov_base;
	int len = k->mmsg[i].msg_len, ret;

	for (; message_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq != k->seq)
			continue;	/* of a request given up */
		if (nlh->nlmsg_type == NLMSG_DONE)
			return on_done(k, nlh);
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return on_error(k, nlh);
		if (nlh->nlmsg_type < NLMSG_MIN_TYPE || !fn)
			continue;
		ret = fn(nlh, arg);
		if (ret < 0)
			return ret;
	}
	return 1;
}

int kernel_read(struct kernel *k, kernel_fn fn, void *arg)
{
	int n, i, ret = 1;

	/* Each part of a dump that is taken has the next one made. */
	do {
		n = recvmmsg(kernel_fd(k), k->mmsg, BATCH, MSG_WAITFORONE, NULL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (i = 0; i < n && ret > 0; i++)
		ret = on_answer(k, i, fn, arg);
	return ret;
}

static void put_addr(struct nlmsghdr *nlh, u16 type, u8 family, const u8 *addr, u8 len)
{
	if (!family)
		return;
	mnl_attr_put(nlh, type, addr_len(family), addr);
	mnl_attr_put_u32(nlh, type + 1, len);
}

static void put_u32_unless(struct nlmsghdr *nlh, u16 type, u32 value, u32 any)
{
	if (value != any)
		mnl_attr_put_u32(nlh, type, value);
}

static void put_u64_unless(struct nlmsghdr *nlh, u16 type, u64 value)
{
	if (value)
		mnl_attr_put_u64(nlh, type, value);
}

static void put_filter(struct nlmsghdr *nlh, const struct kernel_filter *f)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, TCPFSM_A_FILTER);

	_Static_assert(TCPFSM_FILTER_SRC_LEN == TCPFSM_FILTER_SRC + 1 &&
		       TCPFSM_FILTER_DST_LEN == TCPFSM_FILTER_DST + 1, "put_addr()");
	put_u64_unless(nlh, TCPFSM_FILTER_ID, f->id);
	put_u32_unless(nlh, TCPFSM_FILTER_FAMILY, f->family, 0);
	put_u32_unless(nlh, TCPFSM_FILTER_ORIG_STATES, f->orig_states, 0);
	put_u32_unless(nlh, TCPFSM_FILTER_RESP_STATES, f->resp_states, 0);
	put_u32_unless(nlh, TCPFSM_FILTER_ANY_STATES, f->any_states, 0);
	put_addr(nlh, TCPFSM_FILTER_SRC, f->src_family, f->src, f->src_len);
	put_addr(nlh, TCPFSM_FILTER_DST, f->dst_family, f->dst, f->dst_len);
	put_u32_unless(nlh, TCPFSM_FILTER_SPORT_MIN, f->sport_min, 0);
	put_u32_unless(nlh, TCPFSM_FILTER_SPORT_MAX, f->sport_max, 0xffff);
	put_u32_unless(nlh, TCPFSM_FILTER_DPORT_MIN, f->dport_min, 0);
	put_u32_unless(nlh, TCPFSM_FILTER_DPORT_MAX, f->dport_max, 0xffff);
	put_u64_unless(nlh, TCPFSM_FILTER_AGE_MIN, f->age_min);
	put_u64_unless(nlh, TCPFSM_FILTER_IDLE_MIN, f->idle_min);
	if (mnl_attr_get_payload_len(nest))
		mnl_attr_nest_end(nlh, nest);
	else
		mnl_attr_nest_cancel(nlh, nest);
}

static int request(struct kernel *k, u16 family, u8 cmd, u8 version, u16 flags,
		   const struct kernel_filter *filter, const char *name)
{
	char buf[1024];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++k->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	if (name)
		mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, name);
	if (filter)
		put_filter(nlh, filter);
	k->message[0] = '\0';
	return mnl_socket_sendto(k->nl, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

static int read_all(struct kernel *k, kernel_fn fn, void *arg)
{
	int ret;

	do {
		ret = kernel_read(k, fn, arg);
	} while (ret > 0);
	return ret;
}

int kernel_request(struct kernel *k, u8 cmd, bool dump, const struct kernel_filter *filter)
{
	return request(k, k->family, cmd, TCPFSM_GENL_VERSION, dump ? NLM_F_DUMP : NLM_F_ACK,
		       filter, NULL);
}

int kernel_ask(struct kernel *k, u8 cmd, bool dump, const struct kernel_filter *filter,
	       kernel_fn fn, void *arg)
{
	int ret = kernel_request(k, cmd, dump, filter);

	return ret ? ret : read_all(k, fn, arg);
}

static int find_family(struct kernel *k)
{
	int ret = request(k, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_ACK, NULL,
			  TCPFSM_GENL_NAME);

	if (!ret)
		ret = read_all(k, on_family, k);
	return !ret && !k->family ? -ENOENT : ret;
}

static int set_up(struct kernel *k)
{
	int on = 1, i;

	k->nl = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!k->nl || mnl_socket_bind(k->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	/* Kernels that know neither still answer. */
	mnl_socket_setsockopt(k->nl, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(k->nl, NETLINK_CAP_ACK, &on, sizeof(on));
	k->buf = zalloc((size_t)BATCH * BUF);
	for (i = 0; i < BATCH; i++) {
		k->iov[i] = (struct iovec){ k->buf + (size_t)i * BUF, BUF };
		k->mmsg[i].msg_hdr.msg_iov = &k->iov[i];
		k->mmsg[i].msg_hdr.msg_iovlen = 1;
	}
	return find_family(k);
}

struct kernel *kernel_open(int *err)
{
	struct kernel *k = zalloc(sizeof(*k));

	*err = set_up(k);
	if (!*err)
		return k;
	kernel_close(k);
	return NULL;
}

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	if (k->nl)
		mnl_socket_close(k->nl);
	free(k->buf);
	free(k);
}

int kernel_once(u8 cmd, bool dump, kernel_fn fn, void *arg)
{
	struct kernel *k;
	int err;

	k = kernel_open(&err);
	if (k)
		err = kernel_ask(k, cmd, dump, NULL, fn, arg);
	if (err)
		err = kernel_fail(k, err);
	kernel_close(k);
	return err;
}

int kernel_fd(const struct kernel *k)
{
	return mnl_socket_get_fd(k->nl);
}

int kernel_join(struct kernel *k)
{
	unsigned int control = GENL_ID_CTRL;
	int size = opt.buffer ? opt.buffer : RCVBUF, fd = kernel_fd(k), got = 0;
	socklen_t len = sizeof(got);
	size_t i;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	/* The controller's own group has its id; older kernels do without. */
	mnl_socket_setsockopt(k->nl, NETLINK_ADD_MEMBERSHIP, &control, sizeof(control));
	for (i = 0; i < ARRAY_SIZE(k->group); i++) {
		if (!k->group[i])
			return -EPROTONOSUPPORT;
		if (mnl_socket_setsockopt(k->nl, NETLINK_ADD_MEMBERSHIP, &k->group[i],
					  sizeof(k->group[i])))
			return -errno;
	}
	/* The kernel doubles the size, and caps it without a word. */
	if (!getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len) && got < size)
		note("the receive buffer is only %d KB (net.core.rmem_max caps it): a burst may cost events",
		     got / 1024);
	return 0;
}

/* The controller tells that the module goes: nothing would ever come again. */
static bool family_gone(const struct kernel *k, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *tb[CTRL_ATTR_MAX + 1], *id;

	if (nlh->nlmsg_type != GENL_ID_CTRL || genl->cmd != CTRL_CMD_DELFAMILY)
		return false;
	attr_message(tb, CTRL_ATTR_MAX, nlh, sizeof(*genl));
	id = tb[CTRL_ATTR_FAMILY_ID];
	return id && mnl_attr_get_payload_len(id) >= sizeof(u16) &&
	       mnl_attr_get_u16(id) == k->family;
}

static int on_event_message(const struct kernel *k, const struct nlmsghdr *nlh, kernel_fn fn,
			    void *arg)
{
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr))
		return 0;
	if (family_gone(k, nlh))
		return -ENODEV;
	return nlh->nlmsg_type == k->family ? fn(nlh, arg) : 0;
}

int kernel_events(struct kernel *k, kernel_fn fn, void *arg)
{
	int n = recvmmsg(kernel_fd(k), k->mmsg, BATCH, MSG_DONTWAIT, NULL), i, ret;

	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	for (i = 0; i < n; i++) {
		const struct nlmsghdr *nlh = k->iov[i].iov_base;
		int len = k->mmsg[i].msg_len;

		for (; message_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			ret = on_event_message(k, nlh, fn, arg);
			if (ret < 0)
				return ret;
		}
	}
	return n;
}

int kernel_fail(const struct kernel *k, int err)
{
	if (k && k->message[0])
		return fail("%s", k->message);
	switch (-err) {
	case ENOENT:
		if (!k)
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
