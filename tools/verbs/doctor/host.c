// SPDX-License-Identifier: GPL-2.0
/* What is wrong with the host: its queues, our table, and how we are installed. */
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kernel/process.h"
#include "kernel/socket.h"
#include "lib/memory.h"
#include "tcpfsm_version.h"
#include "verbs/doctor/doctor.h"

#define PERCENT_FULL	80
#define HALF_OPEN	8	/* fewer are just being opened */

/* ---- queues of listeners ---- */

/* Several sockets may listen at one place (SO_REUSEPORT). */
struct listener {
	struct listener *next;
	struct tuple tuple;
	u64 limit;
};

static bool is_served_by(const struct listener *l, const struct flow *f)
{
	static const u8 any[16];
	const struct tuple *own = &f->end[TCPFSM_RESP].sk, *at = own->family ? own : &f->tuple;
	const u8 *addr = own->family ? own->src : f->tuple.dst;
	u16 port = own->family ? own->sport : f->tuple.dport;

	if (port != l->tuple.sport)
		return false;
	if (!memcmp(l->tuple.src, any, addr_len(l->tuple.family)))
		return at->family == l->tuple.family || l->tuple.family == AF_INET6;
	return at->family == l->tuple.family &&
	       !memcmp(addr, l->tuple.src, addr_len(at->family));
}

static void collect_listener(struct listener **list, const struct sock *s)
{
	struct listener *l;

	for (l = *list; l; l = l->next)
		if (l->tuple.family == s->tuple.family && l->tuple.sport == s->tuple.sport &&
		    !memcmp(l->tuple.src, s->tuple.src, sizeof(l->tuple.src)))
			break;
	if (!l) {
		l = zalloc(sizeof(*l));
		l->tuple = s->tuple;
		l->next = *list;
		*list = l;
	}
	l->limit += s->sendq;
}

static void check_accept_queue(const struct sock *s)
{
	const struct process *process = process_of(s->inode);
	char where[FMT_ENDPOINT], who[64] = "its process";
	bool full = s->recvq > s->sendq;
	struct finding *f;

	if (!s->recvq || s->recvq * 100ULL < s->sendq * (u64)PERCENT_FULL)
		return;
	fmt_endpoint(where, s->tuple.family, s->tuple.src, s->tuple.sport);
	if (process)
		snprintf(who, sizeof(who), "%s (pid %d)", process->name, process->pid);
	f = finding(full ? RANK_SERIOUS : RANK_WARNING, "accept-queue", s->recvq,
		    "The accept queue of %s %s: %u connection%s wait%s, its limit is %u%s: %s does not accept them fast enough.",
		    where, full ? "is full" : "fills", s->recvq, s_of(s->recvq),
		    s->recvq == 1 ? "s" : "", s->sendq,
		    full ? ", and new ones are dropped" : "", who);
	evidence(f, "its limit is the least of listen()'s and net.core.somaxconn, which is %llu",
		 (unsigned long long)number_in("/proc/sys/net/core/somaxconn", 0));
	look_with(f, "ss -ltnp sport = :%u; tcpfsm services", s->tuple.sport);
}

static void take_listener(const struct sock *s, void *arg)
{
	collect_listener(arg, s);
	check_accept_queue(s);
}

/* Handshakes with a local socket that wait for their last ACK, against what may wait. */
static void check_half_open(const struct patient *p, const struct listener *l)
{
	char where[FMT_ENDPOINT];
	struct finding *f;
	u64 waiting = 0;
	size_t i;

	for (i = 0; i < p->flows; i++)
		waiting += p->flow[i].end[TCPFSM_RESP].state == TCPFSM_SYN_RCVD &&
			   p->flow[i].flags & TCPFSM_F_LOCAL_RESP && is_served_by(l, &p->flow[i]);
	if (waiting < HALF_OPEN || waiting * 100 < l->limit * PERCENT_FULL)
		return;
	fmt_endpoint(where, l->tuple.family, l->tuple.src, l->tuple.sport);
	f = finding(RANK_SERIOUS, "half-open", waiting,
		    "%llu handshakes with %s are half-open and its limit is %llu: a SYN flood, or clients that do not hear its SYN|ACKs.",
		    (unsigned long long)waiting, where, (unsigned long long)l->limit);
	evidence(f, "net.ipv4.tcp_syncookies is %llu, tcp_max_syn_backlog %llu",
		 (unsigned long long)number_in("/proc/sys/net/ipv4/tcp_syncookies", 0),
		 (unsigned long long)number_in("/proc/sys/net/ipv4/tcp_max_syn_backlog", 0));
	look_with(f, "tcpfsm services; tcpfsm flows state syn-recv dport = :%u", l->tuple.sport);
}

static void check_listeners(const struct patient *p)
{
	struct listener *list = NULL, *l;
	int err;

	err = sock_each(1U << TCP_LISTEN, take_listener, &list);
	if (err)
		finding(RANK_NOTE, "sockets", 0,
			"The sockets could not be asked (%s): no word of queues and processes.",
			strerror(-err));
	while ((l = list)) {
		check_half_open(p, l);
		list = l->next;
		free(l);
	}
}

/* ---- our table ---- */

static void check_table(const struct patient *p)
{
	unsigned long long entries = p->stats.entries, limit = p->stats.limit;
	unsigned long long evicted = doctor_counter("ended_evicted"), refused = doctor_counter("table_full");
	struct finding *f;

	if (limit && entries * 100 >= limit * PERCENT_FULL) {
		f = finding(RANK_WARNING, "table", entries,
			    "The table holds %llu of at most %llu flows; when it is full, half-open and closed ones give way.",
			    entries, limit);
		evidence(f, "max_flows can be changed at any time (/sys/module/tcpfsm/parameters/max_flows), hashsize when it is loaded");
		look_with(f, "tcpfsm services; tcpfsm pairs");
	}
	if (evicted || refused) {
		f = finding(RANK_NOTE, "evicted", evicted + refused,
			    "Since it was loaded, %llu flows gave way to others in a full table, and %llu found no room.",
			    evicted, refused);
		look_with(f, "tcpfsm counters --explain");
	}
	if (doctor_counter("no_memory"))
		finding(RANK_NOTE, "memory", doctor_counter("no_memory"),
			"Since it was loaded, %llu flows or parts of them found no memory.",
			(unsigned long long)doctor_counter("no_memory"));
	if (doctor_counter("events_lost"))
		finding(RANK_NOTE, "events-lost", doctor_counter("events_lost"),
			"Since it was loaded, %llu events were not sent for want of memory; their numbers are missing in every listener's sequence.",
			(unsigned long long)doctor_counter("events_lost"));
	if (!number_in("/proc/sys/net/tcpfsm/enabled", 1))
		look_with(finding(RANK_SERIOUS, "disabled", 0,
				  "Tracking is switched off in this network namespace."),
			  "sysctl net.tcpfsm.enabled=1");
}

/* ---- the installation ---- */

static bool read_word(const char *path, char *word, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (!f)
		return false;
	ok = fgets(word, size, f);
	fclose(f);
	if (ok)
		word[strcspn(word, "\n")] = '\0';
	return ok;
}

static bool has_file(const char *fmt, const char *release)
{
	char path[300];

	snprintf(path, sizeof(path), fmt, release);
	return access(path, F_OK) == 0;
}

static bool has_module(const char *release)
{
	return has_file("/lib/modules/%s/updates/dkms/tcpfsm.ko", release) ||
	       has_file("/lib/modules/%s/updates/dkms/tcpfsm.ko.xz", release) ||
	       has_file("/lib/modules/%s/updates/dkms/tcpfsm.ko.zst", release) ||
	       has_file("/lib/modules/%s/extra/tcpfsm.ko", release) ||
	       has_file("/lib/modules/%s/updates/tcpfsm.ko", release);
}

static bool has_headers(const char *release)
{
	return has_file("/lib/modules/%s/build/Makefile", release);
}

/* The last byte of the firmware's variable, behind four of attributes. */
static bool is_secure_boot(void)
{
	u8 data[5] = { 0 };
	FILE *f = fopen("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
			"re");

	if (!f)
		return false;
	if (fread(data, 1, sizeof(data), f) != sizeof(data))
		data[4] = 0;
	fclose(f);
	return data[4] == 1;
}

/* Kernels that may be booted next. */
static void check_other_kernels(const char *running)
{
	DIR *dir = opendir("/lib/modules");
	struct dirent *d;
	struct finding *f;

	if (!dir)
		return;
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.' || !strcmp(d->d_name, running) ||
		    !has_file("/boot/vmlinuz-%s", d->d_name) || has_module(d->d_name))
			continue;
		f = finding(RANK_NOTE, "next-kernel", 0,
			    "The kernel %s is installed and has no tcpfsm module: after a reboot into it nothing is watched.",
			    d->d_name);
		if (!has_headers(d->d_name))
			evidence(f, "its headers are missing: linux-headers-%s", d->d_name);
		look_with(f, "dkms status; dkms autoinstall -k %s", d->d_name);
	}
	closedir(dir);
}

static void check_installation(void)
{
	char version[64];
	struct utsname uts;

	uname(&uts);
	if (read_word("/sys/module/tcpfsm/version", version, sizeof(version)) &&
	    strcmp(version, TCPFSM_VERSION))
		look_with(finding(RANK_WARNING, "version", 0,
				  "The module that is loaded is version %s, this tool %s: what is new in one the other does not know.",
				  version, TCPFSM_VERSION),
			  "modinfo tcpfsm; rmmod tcpfsm && modprobe tcpfsm");
	if (has_module(uts.release))	/* installed, not just tried */
		check_other_kernels(uts.release);
}

int doctor_no_module(void)
{
	struct finding *f;
	struct utsname uts;

	uname(&uts);
	f = finding(RANK_SERIOUS, "not-loaded", 0,
		    "The kernel module tcpfsm is not loaded: there is nothing to look at.");
	if (!has_module(uts.release))
		evidence(f, "the running kernel %s has none: build it, or install tcpfsm-dkms",
			 uts.release);
	if (!has_headers(uts.release))
		evidence(f, "its headers are missing: linux-headers-%s", uts.release);
	if (is_secure_boot())
		evidence(f, "Secure Boot is on: the module must be signed with a key that is enrolled (mokutil --test-key /var/lib/dkms/mok.pub)");
	look_with(f, has_module(uts.release) ? "modprobe tcpfsm; dmesg | tail" : "dkms status");
	return EXIT_ERROR;
}

void doctor_host(const struct patient *p)
{
	check_listeners(p);
	check_table(p);
	check_installation();
}
