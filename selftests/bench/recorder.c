// SPDX-License-Identifier: GPL-2.0
/*
 * What 'tcpfsm record' does in user space for a connection: messages of the module, made before,
 * through the tool's own parser, join, block, zstd and file; or what monitor does with them, as
 * text or as JSON. Prints the seconds that it took of all processors.
 *
 *	recorder record|text|json CONNECTIONS DIRECTORY
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernel/follower.h"
#include "lib/options.h"
#include "lib/out.h"
#include "record/writer.h"
#include "show/flow.h"

#define BATCH		10		/* connections in a message */
#define ROOM		(64 << 10)	/* of a message */
#define STEP		(NSEC / 10000)
#define MOVES		12

static const struct {
	u8 end, from, to, cause;
	u32 after;			/* about so many ns after the move before */
} moves[MOVES] = {
	{ TCPFSM_ORIG, TCPFSM_CLOSED, TCPFSM_SYN_SENT, TCPFSM_SND_SYN, 0 },
	{ TCPFSM_RESP, TCPFSM_CLOSED, TCPFSM_LISTEN, TCPFSM_PASSIVE_OPEN, 0 },
	{ TCPFSM_RESP, TCPFSM_LISTEN, TCPFSM_SYN_RCVD, TCPFSM_SND_SYNACK, 80000 },
	{ TCPFSM_ORIG, TCPFSM_SYN_SENT, TCPFSM_ESTABLISHED, TCPFSM_TOOK_SYNACK, 900000 },
	{ TCPFSM_RESP, TCPFSM_SYN_RCVD, TCPFSM_ESTABLISHED, TCPFSM_SYN_ACKED, 0 },
	{ TCPFSM_ORIG, TCPFSM_ESTABLISHED, TCPFSM_FIN_WAIT_1, TCPFSM_SND_FIN, 5000000 },
	{ TCPFSM_RESP, TCPFSM_ESTABLISHED, TCPFSM_CLOSE_WAIT, TCPFSM_TOOK_FIN, 60000 },
	{ TCPFSM_RESP, TCPFSM_CLOSE_WAIT, TCPFSM_LAST_ACK, TCPFSM_SND_FIN, 0 },
	{ TCPFSM_ORIG, TCPFSM_FIN_WAIT_1, TCPFSM_FIN_WAIT_2, TCPFSM_FIN_ACKED, 0 },
	{ TCPFSM_ORIG, TCPFSM_FIN_WAIT_2, TCPFSM_TIME_WAIT, TCPFSM_TOOK_FIN, 0 },
	{ TCPFSM_RESP, TCPFSM_LAST_ACK, TCPFSM_CLOSED, TCPFSM_FIN_ACKED, 800000 },
	{ TCPFSM_ORIG, TCPFSM_TIME_WAIT, TCPFSM_CLOSED, TCPFSM_EXPIRE, 0 },
};

/* ---- the messages ---- */

struct messages {
	char *data;
	size_t len, room;
	u64 sent[2];			/* events of each command, for their numbers */
	u64 state;			/* of the random numbers */
};

static u32 draw(struct messages *m, u32 below)
{
	m->state = m->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)((m->state >> 33) % below);
}

static struct nlmsghdr *begin_message(struct messages *m, u8 cmd, u32 count)
{
	struct nlmsghdr *nlh;
	struct genlmsghdr *genl;
	u64 *sent = &m->sent[cmd == TCPFSM_CMD_FLOW_NTF];

	if (m->room - m->len < ROOM) {
		m->room += 64 << 20;
		m->data = realloc(m->data, m->room);
		if (!m->data)
			abort();
	}
	nlh = mnl_nlmsg_put_header(m->data + m->len);
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	mnl_attr_put_u32(nlh, TCPFSM_A_CPU, 0);
	mnl_attr_put_u64(nlh, TCPFSM_A_SEQ, *sent + 1);
	mnl_attr_put_u32(nlh, TCPFSM_A_COUNT, count);
	*sent += count;
	return nlh;
}

static void put_end(struct nlmsghdr *nlh, u16 type, u32 state, u64 history, u32 packets)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put_u32(nlh, TCPFSM_END_STATE, state);
	mnl_attr_put_u64(nlh, TCPFSM_END_HISTORY, history);
	mnl_attr_put_u64(nlh, TCPFSM_END_DWELL, 1000);
	mnl_attr_put_u64(nlh, TCPFSM_END_PACKETS, packets);
	mnl_attr_put_u64(nlh, TCPFSM_END_BYTES, packets * 700);
	mnl_attr_nest_end(nlh, nest);
}

static void put_flow(struct messages *m, struct nlmsghdr *nlh, u64 id, u64 start, bool ended)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, TCPFSM_A_FLOW);
	u32 client = htonl(0x0a000000 + id * 2654435761U % 200), server = htonl(0x0a010001);

	mnl_attr_put_u64(nlh, TCPFSM_FLOW_ID, id);
	mnl_attr_put_u32(nlh, TCPFSM_FLOW_FAMILY, AF_INET);
	mnl_attr_put(nlh, TCPFSM_FLOW_SRC, 4, &client);
	mnl_attr_put(nlh, TCPFSM_FLOW_DST, 4, &server);
	mnl_attr_put_u32(nlh, TCPFSM_FLOW_SPORT, 32768 + id * 40503 % 28000);
	mnl_attr_put_u32(nlh, TCPFSM_FLOW_DPORT, id % 5 ? 443 : 80);
	mnl_attr_put_u32(nlh, TCPFSM_FLOW_FLAGS, TCPFSM_F_FORWARDED);
	mnl_attr_put_u32(nlh, TCPFSM_FLOW_STEP, ended ? MOVES : 2);
	mnl_attr_put_u64(nlh, TCPFSM_FLOW_START, start);
	mnl_attr_put_u64(nlh, TCPFSM_FLOW_IDLE, 0);
	if (ended)
		mnl_attr_put_u32(nlh, TCPFSM_FLOW_REASON, TCPFSM_REASON_FIN);
	put_end(nlh, TCPFSM_FLOW_ORIG, TCPFSM_CLOSED, 0x1356781, 4 + draw(m, 30));
	put_end(nlh, TCPFSM_FLOW_RESP, TCPFSM_CLOSED, 0x124591, 3 + draw(m, 60));
	mnl_attr_put_u32(nlh, TCPFSM_FLOW_REFUSED, 0);
	mnl_attr_nest_end(nlh, nest);
}

static void end_message(struct messages *m, struct nlmsghdr *nlh)
{
	m->len += NLMSG_ALIGN(nlh->nlmsg_len);
}

static void put_flows(struct messages *m, u64 first, u64 begun, bool ended)
{
	struct nlmsghdr *nlh = begin_message(m, TCPFSM_CMD_FLOW_NTF, BATCH);
	u64 i;

	for (i = 0; i < BATCH; i++)
		put_flow(m, nlh, first + i, begun + i * STEP, ended);
	end_message(m, nlh);
}

static void put_moves(struct messages *m, u64 first, u64 begun)
{
	struct nlmsghdr *nlh = begin_message(m, TCPFSM_CMD_TRANSITION_NTF, BATCH * MOVES);
	u64 i, when, since[TCPFSM_ENDS];
	unsigned int j;

	for (i = 0; i < BATCH; i++) {
		when = begun + i * STEP;
		since[0] = when;
		since[1] = when;
		for (j = 0; j < MOVES; j++) {
			struct nlattr *nest = mnl_attr_nest_start(nlh, TCPFSM_A_TRANSITION);
			u8 end = moves[j].end;

			when += moves[j].after ? moves[j].after / 2 + draw(m, moves[j].after) : 0;
			mnl_attr_put_u64(nlh, TCPFSM_TRANSITION_FLOW, first + i);
			mnl_attr_put_u64(nlh, TCPFSM_TRANSITION_WHEN, when);
			mnl_attr_put_u64(nlh, TCPFSM_TRANSITION_DWELL, when - since[end]);
			mnl_attr_put_u32(nlh, TCPFSM_TRANSITION_MOVE,
					 TCPFSM_MOVE(j + 1, end, 0, moves[j].cause, moves[j].from,
						     moves[j].to));
			mnl_attr_nest_end(nlh, nest);
			since[end] = when;
		}
	}
	end_message(m, nlh);
}

static void make_messages(struct messages *m, u64 connections)
{
	u64 first, begun;

	for (first = 1; first <= connections; first += BATCH) {
		begun = 1800000000 * NSEC + first * STEP;
		put_flows(m, first, begun, false);
		put_moves(m, first, begun);
		put_flows(m, first, begun, true);
	}
}

/* ---- who takes them ---- */

static struct recorder *recorder;

static void record_event(const struct entry *entry, const struct event *e, void *arg)
{
	static struct flow f;

	(void)arg;
	entry_as_flow(entry, e, &f);
	recorder_event(recorder, &f, e);
}

static void record_end(const struct flow *f, void *arg)
{
	(void)arg;
	recorder_end(recorder, f);
}

static void print_event(const struct entry *entry, const struct event *e, void *arg)
{
	(void)entry;
	(void)arg;
	event_print(e);
}

static double processor_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_utime.tv_sec + u.ru_stime.tv_sec +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void take_all(const struct messages *m, struct follow *f)
{
	struct following all = { .f = f, .verb = "recorder" };
	struct follower *follower;
	size_t at;

	follower = follower_new(&all, NULL, -1);
	cache_dump_end(&follower->cache, 0);
	for (at = 0; at < m->len;) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)(m->data + at);

		all.now += BATCH * STEP / 3;
		if (follower_take(follower, nlh) < 0)
			abort();
		follower_tick(follower, all.now, true);
		at += NLMSG_ALIGN(nlh->nlmsg_len);
	}
	follower_free(follower);
}

int main(int argc, char **argv)
{
	struct recorder_words words = { .verb = "recorder" };
	struct follow f = { .on_event = print_event };
	struct messages m = { .state = 1 };
	double before;

	if (argc != 4)
		return 2;
	make_messages(&m, strtoull(argv[2], NULL, 10));
	opt.json = !strcmp(argv[1], "json");
	out_start(OUT_LINES);
	if (!strcmp(argv[1], "record")) {
		words.path = argv[3];
		recorder = recorder_open(&words);
		if (!recorder)
			return 2;
		f = (struct follow){ .on_event = record_event, .on_end = record_end };
	}
	before = processor_seconds();
	take_all(&m, &f);
	if (recorder && !recorder_close(recorder))
		return 1;
	out_flush();
	fprintf(stderr, "%.3f\n", processor_seconds() - before);
	free(m.data);
	return 0;
}
