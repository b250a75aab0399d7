// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/attr.h"
#include "kernel/socket.h"

/* ---- sockets ---- */

struct each {
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
	const struct each *each = arg;
	struct sock s = { 0 };

	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(nlh) < sizeof(*m))
		return MNL_CB_OK;
	set_addresses(&s.tuple, m);
	s.state = m->idiag_state;
	s.inode = m->idiag_inode;
	s.uid = m->idiag_uid;
	s.recvq = m->idiag_rqueue;
	/* The kernel counts in sequence numbers, of which the peer's FIN took one. */
	if (s.recvq && (s.state == TCP_CLOSE_WAIT || s.state == TCP_LAST_ACK ||
			s.state == TCP_CLOSING))
		s.recvq--;
	s.sendq = m->idiag_wqueue;
	s.cookie = (u64)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	each->fn(&s, each->arg);
	return MNL_CB_OK;
}

static int dump(struct mnl_socket *nl, u8 family, u32 states, struct each *each)
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
		ret = mnl_cb_run(buf, len, 0, 0, on_message, each);
	}
	return ret == MNL_CB_STOP ? 0 : -errno;
}

int sock_each(u32 states, sock_fn fn, void *arg)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	struct each each = { fn, arg };
	int err;

	if (!nl)
		return -errno;
	err = dump(nl, AF_INET, states, &each);
	if (!err)
		err = dump(nl, AF_INET6, states, &each);
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

/* ---- processes ---- */

static struct process *found;
static size_t nr_found;
static bool looked;

static void add(u32 inode, int pid, int fd, const char *name)
{
	found = array_grow(found, nr_found, sizeof(*found));
	found[nr_found] = (struct process){ .inode = inode, .pid = pid, .fd = fd };
	snprintf(found[nr_found++].name, sizeof(found->name), "%s", name);
}

static void read_name(const char *pid, char *name, size_t size)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	snprintf(name, size, "?");
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(name, size, f))
		name[strcspn(name, "\n")] = '\0';
	fclose(f);
	/* Whoever gave it may have had a terminal in mind. */
	for (; *name; name++)
		if (*name < ' ' || *name > '~')
			*name = '?';
}

static void look_at(const char *pid)
{
	char path[300], link[64], name[16] = "";
	static const char kind[] = "socket:[";
	struct dirent *d;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((d = readdir(dir))) {
		len = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);
		if (len <= 0)
			continue;
		link[len] = '\0';
		if (strncmp(link, kind, strlen(kind)))
			continue;
		if (!*name)
			read_name(pid, name, sizeof(name));
		add(strtoul(link + strlen(kind), NULL, 10), strtol(pid, NULL, 10),
		    strtol(d->d_name, NULL, 10), name);
	}
	closedir(dir);
}

static int by_inode(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return x->inode < y->inode ? -1 : x->inode > y->inode ? 1 : x->pid - y->pid;
}

static void look(void)
{
	struct dirent *d;
	DIR *dir = opendir("/proc");

	looked = true;
	if (!dir)
		return;
	while ((d = readdir(dir)))
		if (isdigit((unsigned char)d->d_name[0]))
			look_at(d->d_name);
	closedir(dir);
	qsort(found, nr_found, sizeof(*found), by_inode);
}

void processes_forget(void)
{
	nr_found = 0;
	looked = false;
}

const struct process *process_of(u32 inode)
{
	size_t low = 0, high, middle;

	if (!looked)
		look();
	for (high = nr_found; low < high;) {
		middle = (low + high) / 2;
		if (found[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return inode && low < nr_found && found[low].inode == inode ? &found[low] : NULL;
}
