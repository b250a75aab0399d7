// SPDX-License-Identifier: GPL-2.0
/*
 * Arbitrary netlink messages as the kernel's answers: to the verbs that dump, and as events to what
 * monitor follows. netlink.c is the tool's own; only the socket beneath it is not.
 */
#include <libmnl/libmnl.h>
#include <sys/socket.h>

static struct mnl_socket *fake_open(void);
static ssize_t fake_sendto(const struct mnl_socket *nl, const void *buf, size_t len);
static int fake_recvmmsg(int fd, struct mmsghdr *v, unsigned int n, int flags, void *timeout);

#define mnl_socket_open2(bus, flags)		fake_open()
#define mnl_socket_bind(nl, groups, pid)	0
#define mnl_socket_close(nl)			0
#define mnl_socket_get_fd(nl)			(-1)
#define mnl_socket_setsockopt(nl, t, b, l)	((void)(b), 0)
#define mnl_socket_sendto			fake_sendto
#define recvmmsg				fake_recvmmsg
#include "kernel/netlink.c"
#undef recvmmsg

#include "fuzz.h"
#include "kernel/conntrack.h"
#include "kernel/follower.h"
#include "lib/out.h"
#include "show/flow.h"

#define FAMILY	0x20

static const u8 *left;
static size_t left_size;
static u32 asked;		/* the sequence number of the last request */
static bool honest;		/* the controller's answers are not the input's */
static bool to_controller;	/* the last request */

static struct mnl_socket *fake_open(void)
{
	return (struct mnl_socket *)&left;	/* no one looks into it */
}

static ssize_t fake_sendto(const struct mnl_socket *nl, const void *buf, size_t len)
{
	(void)nl;
	asked = ((const struct nlmsghdr *)buf)->nlmsg_seq;
	to_controller = ((const struct nlmsghdr *)buf)->nlmsg_type == GENL_ID_CTRL;
	return len;
}

/* This machine's is nobody's input. */
bool conntrack_there(void)
{
	return false;
}

int conntrack_each(void (*fn)(const struct conntrack *c, void *arg), void *arg)
{
	(void)fn;
	(void)arg;
	return -ENOENT;
}

int conntrack_each_translated(void (*fn)(const struct conntrack *c, void *arg), void *arg)
{
	return conntrack_each(fn, arg);
}

bool conntrack_translates(void)
{
	return false;
}

struct nfct_handle *conntrack_open(void)
{
	return NULL;
}

void conntrack_close(struct nfct_handle *h)
{
	(void)h;
}

bool conntrack_get(struct nfct_handle *h, const struct tuple *tuple, struct conntrack *c)
{
	(void)h;
	(void)tuple;
	(void)c;
	return false;
}

/* What the controller says of the family, so that there is more to come. */
static size_t known_family(void *buf)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nlmsghdr *ack;

	nlh->nlmsg_type = GENL_ID_CTRL;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct genlmsghdr));
	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, FAMILY);
	ack = mnl_nlmsg_put_header((char *)buf + nlh->nlmsg_len);
	ack->nlmsg_type = NLMSG_ERROR;
	mnl_nlmsg_put_extra_header(ack, sizeof(struct nlmsgerr));
	return nlh->nlmsg_len + ack->nlmsg_len;
}

/* The next piece of the input: two bytes of length, then messages. */
static size_t next_piece(void *buf)
{
	u16 size;

	memcpy(&size, left, sizeof(size));
	left += sizeof(size);
	left_size -= sizeof(size);
	if (size > left_size)
		size = left_size;
	memcpy(buf, left, size);
	left += size;
	left_size -= size;
	return size;
}

static int fake_recvmmsg(int fd, struct mmsghdr *v, unsigned int n, int flags, void *timeout)
{
	struct nlmsghdr *nlh = v->msg_hdr.msg_iov->iov_base;
	int len;

	(void)fd, (void)n, (void)flags, (void)timeout;
	if (honest && to_controller) {
		len = known_family(nlh);
	} else if (left_size >= sizeof(u16)) {
		len = next_piece(nlh);
	} else {
		errno = ECONNRESET;
		return -1;
	}
	v->msg_len = len;
	/* A wrong number is passed over: that is soon tried. */
	for (; is_message_whole(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
		nlh->nlmsg_seq = asked;
	return 1;
}

static void print_event(const struct entry *entry, const struct event *e, void *arg)
{
	(void)entry;
	(void)arg;
	event_print(e);
}

static void print_end(const struct flow *f, void *arg)
{
	(void)arg;
	flow_print(f);
}

static int take_events(const struct nlmsghdr *nlh, void *arg)
{
	return follower_take(arg, nlh);
}

static void follow_events(void)
{
	struct follow f = { .on_event = print_event, .on_end = print_end };
	struct following all = { .f = &f, .now = NSEC };
	struct netlink *events;
	struct follower *m;
	int err;

	out_start(OUT_LINES);
	events = netlink_open(NULL, &err);
	if (!events)
		return;
	m = follower_new(&all, NULL, -1);
	err = follower_begin_dump(m);
	while (!err && follower_read_dump(m) > 0)
		;
	while (netlink_events(events, take_events, m) > 0) {
		all.now += NSEC / 100;
		follower_tick(m, all.now, true);
	}
	follower_give_up(m);
	follower_free(m);
	netlink_close(events);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct verb *const verbs[] = {
		&verb_flows, &verb_log, &verb_counters, &verb_states, &verb_services, &verb_dwell,
		&verb_pairs, &verb_transitions,
	};

	if (!size)
		return 0;
	opt = (struct options){
		.json = *data & 16, .extended = *data & 32, .explain = *data & 64, .quiet = true,
	};
	honest = !(*data & 128);
	left = data + 1;
	left_size = size - 1;
	if (*data & 8)
		follow_events();
	else
		verbs[*data & 7]->run(0, NULL);
	return 0;
}
