// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/attr.h"
#include "kernel/nsid.h"
#include "kernel/netns.h"
#include "lib/memory.h"

#define BUF	8192

struct nsid {
	struct mnl_socket *asks, *hears;
	unsigned int seq;
};

static struct mnl_socket *open_route(int *err)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (s && mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		*err = -errno;
		mnl_socket_close(s);
		return NULL;
	}
	*err = s ? 0 : -errno;
	return s;
}

struct nsid *nsid_open(int *err)
{
	unsigned int group = RTNLGRP_NSID;
	struct nsid *n = zalloc(sizeof(*n));

	n->asks = open_route(err);
	if (n->asks)
		n->hears = open_route(err);
	if (n->hears && mnl_socket_setsockopt(n->hears, NETLINK_ADD_MEMBERSHIP, &group,
					      sizeof(group)))
		*err = -errno;
	if (!*err)
		return n;
	nsid_close(n);
	return NULL;
}

void nsid_close(struct nsid *n)
{
	if (!n)
		return;
	if (n->asks)
		mnl_socket_close(n->asks);
	if (n->hears)
		mnl_socket_close(n->hears);
	free(n);
}

int nsid_fd(const struct nsid *n)
{
	return mnl_socket_get_fd(n->hears);
}

static int read_number(const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[NETNSA_MAX + 1];

	attr_message(tb, NETNSA_MAX, nlh, sizeof(struct rtgenmsg));
	return tb[NETNSA_NSID] ? (int)attr_u32(tb[NETNSA_NSID]) : -1;
}

static int take_number(const struct nlmsghdr *nlh, void *arg)
{
	int *number = arg;

	*number = read_number(nlh);
	return MNL_CB_OK;
}

/* RTM_GETNSID or RTM_NEWNSID, of the namespace behind a file descriptor. */
static int ask_nsid(struct nsid *n, u16 type, int fd, int *number)
{
	char buf[BUF];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtgenmsg *rt;
	ssize_t len;
	int ret;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++n->seq;
	rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));
	rt->rtgen_family = AF_UNSPEC;
	mnl_attr_put_u32(nlh, NETNSA_FD, fd);
	if (type == RTM_NEWNSID)
		mnl_attr_put_u32(nlh, NETNSA_NSID, -1);		/* any that is free */
	if (mnl_socket_sendto(n->asks, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		len = mnl_socket_recvfrom(n->asks, buf, sizeof(buf));
		if (len < 0)
			return -errno;
		ret = mnl_cb_run(buf, len, n->seq, mnl_socket_get_portid(n->asks), take_number,
				 number);
	} while (ret == MNL_CB_OK);
	return ret == MNL_CB_STOP ? 0 : -errno;
}

int nsid_get(struct nsid *n, const struct netns *ns)
{
	int fd = netns_open(ns), number = -1, err;

	if (fd < 0)
		return fd;
	err = ask_nsid(n, RTM_GETNSID, fd, &number);
	if (!err && number < 0) {
		/* Somebody else may have given it one meanwhile. */
		err = ask_nsid(n, RTM_NEWNSID, fd, &number);
		if (!err || err == -EEXIST)
			err = ask_nsid(n, RTM_GETNSID, fd, &number);
	}
	close(fd);
	if (!err && number < 0)
		err = -ENOENT;
	return err ? err : number;
}

struct hearer {
	void (*fn)(int nsid, bool given, void *arg);
	void *arg;
};

static int hear_number(const struct nlmsghdr *nlh, void *arg)
{
	const struct hearer *h = arg;

	if (nlh->nlmsg_type == RTM_NEWNSID || nlh->nlmsg_type == RTM_DELNSID)
		h->fn(read_number(nlh), nlh->nlmsg_type == RTM_NEWNSID, h->arg);
	return MNL_CB_OK;
}

int nsid_read(struct nsid *n, void (*fn)(int nsid, bool given, void *arg), void *arg)
{
	struct hearer h = { fn, arg };
	char buf[BUF];
	ssize_t len;

	while ((len = recv(nsid_fd(n), buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		mnl_cb_run(buf, len, 0, 0, hear_number, &h);
	/* ENOBUFS: some were not heard; the namespaces are looked through anyway. */
	return !len || errno == EAGAIN || errno == ENOBUFS || errno == EINTR ? 0 : -errno;
}
