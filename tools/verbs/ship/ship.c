// SPDX-License-Identifier: GPL-2.0
/*
 * Verb ship: every transition, every flow that ended and every loss as rows for a ClickHouse
 * server, by way of a spool on disk. One thread follows the module and writes; the other one sends,
 * again and again until the server has said that it has the rows. Rows that it took without saying
 * so are sent twice: their key (host, boot, run, seq) tells.
 */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/history.h"
#include "data/json.h"
#include "data/names.h"
#include "kernel/follow.h"
#include "lib/live.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/options.h"
#include "verbs/ship/sender.h"
#include "verbs/ship/spool.h"
#include "verbs/verb.h"

#define SPOOL_DIR	"/var/spool/tcpfsm"
#define SPOOL_LIMIT	(1ULL << 30)
#define DELIVER		(10 * NSEC)

enum { TRANSITIONS, FLOWS, LOSSES, TABLES };

static const char *const tables[TABLES] = { "transitions", "flows", "losses" };

struct ship {
	struct spool *spool;
	char host[256], boot[64];
	u64 run;
	u64 seq;		/* of the last row, in this run */
	u64 gone;		/* rows that the spool had no room for, not told yet */
	u64 interval, deliver;	/* CLOCK_MONOTONIC, when to */
	FILE *file;		/* of the row that is being written */
	struct buffer row;
	struct json json;
};

/* ---- rows ---- */

static struct json *begin_row(struct ship *s, unsigned int table)
{
	s->file = spool_row(s->spool, table);
	s->row.len = 0;
	s->json = (struct json){ .to = &s->row };
	jsonw_object(&s->json, NULL);
	jsonw_str(&s->json, "host", s->host);
	jsonw_str(&s->json, "boot", s->boot);
	jsonw_num(&s->json, "run", s->run);
	jsonw_num(&s->json, "seq", ++s->seq);
	return &s->json;
}

static void end_row(struct ship *s)
{
	jsonw_end(&s->json);
	buffer_char(&s->row, '\n');
	fwrite(s->row.data, 1, s->row.len, s->file);
}

/* The columns of the server have no NULL. */
static void put_netns(struct json *j, const struct netns *ns)
{
	jsonw_str(j, "netns", ns ? ns->name : "");
}

static void put_tuple(struct json *j, const struct tuple *t)
{
	if (t && t->family) {
		tuple_json(j, t);
		return;
	}
	jsonw_str(j, "src", "");
	jsonw_num(j, "sport", 0);
	jsonw_str(j, "dst", "");
	jsonw_num(j, "dport", 0);
}

/* What only one of both ends knows of a flow that is translated. */
static void put_nat(struct json *j, const struct nat *n)
{
	char addr[FMT_ADDR];
	bool known = n && n->known;

	jsonw_str(j, "nat_dst", known ? fmt_addr(addr, n->orig.family, n->orig.dst) : "");
	jsonw_num(j, "nat_dport", known ? n->orig.dport : 0);
	jsonw_str(j, "nat_src", known ? fmt_addr(addr, n->resp.family, n->resp.src) : "");
	jsonw_num(j, "nat_sport", known ? n->resp.sport : 0);
}

static void write_event(const struct entry *entry, const struct event *e, void *arg)
{
	struct json *j = begin_row(arg, TRANSITIONS);

	(void)entry;
	jsonw_num(j, "time_ns", e->when);
	put_netns(j, e->netns);
	jsonw_num(j, "flow", e->flow);
	jsonw_num(j, "step", e->step);
	put_tuple(j, e->tuple);
	put_nat(j, e->nat);
	move_json(j, e);
	jsonw_num(j, "correction", !!(e->flags & TCPFSM_T_CORRECTION));
	jsonw_num(j, "inferred", !!(e->flags & TCPFSM_T_INFERRED));
	end_row(arg);
}

/* A column of one end: orig_packets */
static const char *column_of(char *buf, unsigned int end, const char *what)
{
	return strcat(strcat(strcpy(buf, end_name(end)), "_"), what);
}

static void put_end(struct json *j, const struct flow_end *e, unsigned int which)
{
	char name[32], text[FMT_HISTORY];

	jsonw_str(j, end_name(which), state_name(e->state));
	jsonw_num(j, column_of(name, which, "packets"), e->packets);
	jsonw_num(j, column_of(name, which, "bytes"), e->bytes);
	*put_history(text, e->history) = '\0';
	jsonw_str(j, column_of(name, which, "history"), text);
}

static void write_flow(const struct flow *f, void *arg)
{
	struct json *j = begin_row(arg, FLOWS);
	char text[FMT_FLAGS];
	unsigned int i;

	jsonw_num(j, "time_ns", clock_of_day());
	jsonw_num(j, "start_ns", f->start);
	put_netns(j, f->netns);
	jsonw_num(j, "flow", f->id);
	put_tuple(j, &f->tuple);
	put_nat(j, &f->nat);
	jsonw_str(j, "reason", reason_name(f->reason));
	jsonw_num(j, "refused", f->refused);
	jsonw_str(j, "flags", fmt_flags(text, f->flags));
	for (i = 0; i < TCPFSM_ENDS; i++)
		put_end(j, &f->end[i], i);
	end_row(arg);
}

static void write_loss(const struct loss *l, void *arg)
{
	struct json *j = begin_row(arg, LOSSES);

	jsonw_num(j, "time_ns", clock_of_day());
	put_netns(j, l->netns);
	jsonw_str(j, "what", l->group);
	jsonw_num(j, "lost", l->count);
	jsonw_num(j, "cpu", l->cpu);
	jsonw_num(j, "first", l->first);
	end_row(arg);
}

/* ---- delivery ---- */

static void deliver_rows(struct ship *s)
{
	u64 gone = spool_deliver(s->spool);
	const struct loss loss = { .group = "spool", .count = s->gone };

	s->deliver = clock_now() + s->interval;
	if (gone && !s->gone)
		note("ship: the spool is full: the oldest rows have to go");
	if (!gone && s->gone) {
		note("ship: %llu rows had to go, there is room again", (unsigned long long)s->gone);
		write_loss(&loss, s);
		s->gone = 0;
	}
	s->gone += gone;
}

static void on_tick(void *arg)
{
	struct ship *s = arg;

	if (clock_now() >= s->deliver || spool_is_full(s->spool))
		deliver_rows(s);
}

/* ---- the verb ---- */

static void read_boot_id(char *boot, size_t size)
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (f && fgets(boot, (int)size, f))
		boot[strcspn(boot, "\n")] = '\0';
	if (f)
		fclose(f);
}

static int follow_and_send(struct ship *s, const char *url)
{
	struct follow f = { .on_event = opt.flows ? NULL : write_event, .on_end = write_flow,
			    .on_lost = write_loss, .on_tick = on_tick, .wants_nat = true,
			    .arg = s };
	struct sender *sender = sender_start(s->spool, url);
	int status;
	u64 left;

	if (!sender)
		return EXIT_ERROR;
	status = follow(&f, "ship");
	deliver_rows(s);
	deliver_rows(s);	/* and what that has to tell of a spool that is full */
	deliver_rows(s);
	sender_stop(sender);
	left = spool_waiting(s->spool);
	if (left && !opt.quiet)
		note("ship: %llu files are left for the next run", (unsigned long long)left);
	return status;
}

static bool is_http(const char *url)
{
	return !strncasecmp(url, "http://", 7) || !strncasecmp(url, "https://", 8);
}

static int run_ship(int argc, char **argv)
{
	struct ship s = { .interval = opt.interval_ns ? opt.interval_ns : DELIVER,
			  .run = clock_of_day() };
	char *url;
	int status;

	if (argc != 1)
		return fail(argc ? "ship takes one URL, but got '%s', too" : "ship where? It takes a URL like http://clickhouse:8123",
			    argc ? argv[1] : "");
	url = is_http(argv[0]) ? sender_url(argv[0], *tables) : NULL;
	if (!url)
		return fail("'%s' is not an HTTP URL: ship takes one like http://clickhouse:8123",
			    argv[0]);
	curl_free(url);
	s.spool = spool_open(opt.spool ? opt.spool : SPOOL_DIR, s.run,
			     opt.spool_limit ? opt.spool_limit : SPOOL_LIMIT, tables, TABLES);
	if (!s.spool)
		return EXIT_ERROR;
	gethostname(s.host, sizeof(s.host) - 1);
	if (!is_utf8(s.host))
		return fail("the host's name is not UTF-8");
	read_boot_id(s.boot, sizeof(s.boot));
	s.deliver = clock_now() + s.interval;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	status = follow_and_send(&s, argv[0]);
	buffer_free(&s.row);
	spool_close(s.spool);
	return status;
}

static const struct verb_option option_spool = {
	.id = OPTION_SPOOL, .name = "spool", .arg = "DIR",
	.help = "keep rows there until the server has them (default /var/spool/tcpfsm)",
	.string = &opt.spool,
};

static bool take_spool_limit(const char *value)
{
	return take_size(value, ~0ULL, &opt.spool_limit, "--spool-limit");
}

static const struct verb_option option_spool_limit = {
	.id = OPTION_SPOOL_LIMIT, .name = "spool-limit", .arg = "BYTES",
	.help = "drop the oldest rows above this size (default 1 GiB)", .take = take_spool_limit,
};

const struct verb verb_ship = {
	.name = "ship", .args = "URL",
	.help = "send transitions and ended flows to a ClickHouse server, by way of a spool",
	.prints_nothing = true,
	.options = {
		&option_netns, &option_all_netns, &option_for, &option_interval, &option_flows,
		&option_quiet, &option_spool, &option_spool_limit,
	},
	.says = {
		{ OPTION_INTERVAL, "time between deliveries (default 10s)" },
		{ OPTION_FLOWS, "send flows only, no transitions" },
		{ OPTION_QUIET, "print no notes of progress" },
	},
	.run = run_ship,
};
