// SPDX-License-Identifier: GPL-2.0
/*
 * Verb ship: every transition, every flow that ended and every loss as rows for a ClickHouse
 * server, by way of a spool on disk: one thread follows the module and writes, another one sends,
 * over and over until the server has said that it has them. What was taken without our hearing of
 * it is sent again: rows have a key, (host, boot, run, seq), by which they are told.
 */
#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/names.h"
#include "kernel/follow.h"
#include "lib/live.h"
#include "verbs/ship/spool.h"

#define SPOOL_DIR	"/var/spool/tcpfsm"
#define SPOOL_LIMIT	(1ULL << 30)
#define DELIVER		(10 * NSEC)
#define RETRY_FIRST	1000		/* ms; then twice as long each time */
#define RETRY_LAST	60000
#define IDLE		200		/* ms between looks for what there is to send */
#define ANSWER		512		/* of what the server says, for a note */
#define SLOW		60		/* s without any progress: given up */
#define LAST_WORDS	(5 * NSEC)	/* for what waits, when it is to stop */

enum { TRANSITIONS, FLOWS, LOSSES, TABLES };

static const char *const tables[TABLES] = { "transitions", "flows", "losses" };

struct ship {
	struct spool *spool;
	const char *url;
	char *who;		/* members that all rows begin with, in braces not closed yet */
	u64 seq;		/* of the last row, in this run */
	u64 gone;		/* rows that the spool had no room for, not told yet */
	u64 interval, deliver;	/* CLOCK_MONOTONIC, when to */
	u64 stop;		/* 0, or by the writer, atomically: when it is to be at an end */
};

/* ---- rows ---- */

static FILE *row(struct ship *s, unsigned int table)
{
	FILE *out = spool_row(s->spool, table);

	s->seq++;
	fprintf(out, "%s,\"seq\":%llu", s->who, (unsigned long long)s->seq);
	return out;
}

static void put_tuple(FILE *out, const struct tuple *t)
{
	char src[FMT_ADDR] = "", dst[FMT_ADDR] = "";

	if (t && t->family) {
		fmt_addr(src, t->family, t->src);
		fmt_addr(dst, t->family, t->dst);
	}
	fprintf(out, ",\"src\":\"%s\",\"sport\":%u,\"dst\":\"%s\",\"dport\":%u", src,
		t ? t->sport : 0, dst, t ? t->dport : 0);
}

static void on_event(const struct entry *entry, const struct event *e, void *arg)
{
	FILE *out = row(arg, TRANSITIONS);

	(void)entry;
	fprintf(out, ",\"time_ns\":%llu,\"flow\":%llu,\"step\":%u", (unsigned long long)e->when,
		(unsigned long long)e->flow, e->step);
	put_tuple(out, e->tuple);
	fprintf(out, ",\"end\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"cause\":\"%s\",\"dwell_ns\":%llu,\"correction\":%d,\"inferred\":%d}\n",
		end_name(e->end), state_name(e->from), state_name(e->to), cause_name(e->cause),
		(unsigned long long)e->dwell, !!(e->flags & TCPFSM_T_CORRECTION),
		!!(e->flags & TCPFSM_T_INFERRED));
}

static void on_end(const struct flow *f, void *arg)
{
	FILE *out = row(arg, FLOWS);
	char text[FMT_HISTORY > FMT_FLAGS ? FMT_HISTORY : FMT_FLAGS];
	unsigned int i;

	fprintf(out, ",\"time_ns\":%llu,\"start_ns\":%llu,\"flow\":%llu",
		(unsigned long long)clock_of_day(), (unsigned long long)f->start,
		(unsigned long long)f->id);
	put_tuple(out, &f->tuple);
	fprintf(out, ",\"reason\":\"%s\",\"refused\":%u,\"flags\":\"%s\"", reason_name(f->reason),
		f->refused, fmt_flags(text, f->flags));
	for (i = 0; i < TCPFSM_ENDS; i++) {
		const struct flow_end *e = &f->end[i];
		const char *end = end_name(i);

		*put_history(text, e->history) = '\0';
		fprintf(out, ",\"%s\":\"%s\",\"%s_packets\":%llu,\"%s_bytes\":%llu,\"%s_history\":\"%s\"",
			end, state_name(e->state), end, (unsigned long long)e->packets, end,
			(unsigned long long)e->bytes, end, text);
	}
	fputs("}\n", out);
}

static void lose(struct ship *s, const char *what, u64 count, unsigned int cpu, u64 first)
{
	fprintf(row(s, LOSSES), ",\"time_ns\":%llu,\"what\":\"%s\",\"lost\":%llu,\"cpu\":%u,\"first\":%llu}\n",
		(unsigned long long)clock_of_day(), what, (unsigned long long)count, cpu,
		(unsigned long long)first);
}

static void on_lost(u64 count, const char *group, u32 cpu, u64 first, void *arg)
{
	lose(arg, group, count, cpu, first);
}

static void deliver(struct ship *s)
{
	u64 gone = spool_deliver(s->spool);

	s->deliver = clock_now() + s->interval;
	if (gone && !s->gone)
		note("ship: the spool is full: the oldest rows have to go");
	if (!gone && s->gone) {
		note("ship: %llu rows had to go, there is room again", (unsigned long long)s->gone);
		lose(s, "spool", s->gone, 0, 0);
		s->gone = 0;
	}
	s->gone += gone;
}

static void on_tick(void *arg)
{
	struct ship *s = arg;

	if (clock_now() >= s->deliver || spool_is_full(s->spool))
		deliver(s);
}

/* ---- sending ---- */

struct answer {
	char text[ANSWER];
	size_t len;
};

static size_t on_answer(char *data, size_t size, size_t n, void *arg)
{
	struct answer *a = arg;
	size_t room = sizeof(a->text) - 1 - a->len, part = size * n < room ? size * n : room;

	memcpy(a->text + a->len, data, part);
	a->len += part;
	a->text[a->len] = '\0';
	return size * n;
}

/* On one line, for a terminal. */
static void tidy(char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = ' ';
}

/* Where rows of a table go. Return: for curl_free(), or NULL if @base is no URL */
static char *url_of(const char *base, const char *table)
{
	CURLU *u = curl_url();
	char query[128], *url = NULL;

	snprintf(query, sizeof(query), "query=INSERT INTO tcpfsm.%s FORMAT JSONEachRow", table);
	if (u && !curl_url_set(u, CURLUPART_URL, base, 0) &&
	    !curl_url_set(u, CURLUPART_QUERY, query, CURLU_APPENDQUERY | CURLU_URLENCODE) &&
	    !curl_url_set(u, CURLUPART_QUERY, "input_format_skip_unknown_fields=1",
			  CURLU_APPENDQUERY))
		curl_url_get(u, CURLUPART_URL, &url, 0);
	curl_url_cleanup(u);
	return url;
}

static u64 stop_at(const struct ship *s)
{
	return __atomic_load_n(&s->stop, __ATOMIC_ACQUIRE);
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	u64 stop = stop_at(arg);

	(void)a, (void)b, (void)c, (void)d;
	return stop && clock_now() >= stop;
}

/* Return: what HTTP says, 0 if there was no answer; @a: in words. */
static long post(const struct ship *s, CURL *curl, FILE *file, u64 size, const char *url,
		 struct answer *a)
{
	char error[CURL_ERROR_SIZE] = "";
	CURLcode err;
	long status = 0;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, s);
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	curl_easy_setopt(curl, CURLOPT_READDATA, file);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	err = curl_easy_perform(curl);
	if (!err)
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	else
		snprintf(a->text, sizeof(a->text), "%s", *error ? error : curl_easy_strerror(err));
	tidy(a->text);
	return status;
}

/* What would fare no better next time. */
static bool set_aside(const struct ship *s, const char *name, const char *why)
{
	note("ship: %s is kept as %s.refused: %s", name, name, why);
	return spool_refused(s->spool, name);
}

/* Return: false if it stays in the queue: errno, or if that is 0, @a says why. */
static bool send_open_file(const struct ship *s, CURL *curl, const char *name, FILE *file,
			   u64 size, struct answer *a)
{
	char *url;
	long status;

	if (!spool_is_whole(name, file))
		return set_aside(s, name, "Code: none, it was cut short on this disk");
	url = url_of(s->url, spool_table(name));
	if (!url)
		exit(fail("out of memory"));
	status = post(s, curl, file, size, url, a);
	curl_free(url);
	if (status == 200)
		return spool_delivered(s->spool, name);
	if (status == 400 && !strncmp(a->text, "Code: ", 6))
		return set_aside(s, name, a->text);
	errno = 0;
	return false;
}

/* Return: false if it must be tried again; @a: why. */
static bool send_file(const struct ship *s, CURL *curl, const char *name, struct answer *a)
{
	FILE *file;
	bool gone;
	u64 size;

	*a = (struct answer){ 0 };
	file = spool_read(s->spool, name, &size);
	if (file) {
		gone = send_open_file(s, curl, name, file, size, a);
		if (!gone && errno)
			snprintf(a->text, sizeof(a->text), "%s: %s", name, strerror(errno));
		fclose(file);
		return gone;
	}
	gone = errno == ENOENT;		/* to make room */
	snprintf(a->text, sizeof(a->text), "%s: %s", name, strerror(errno));
	return gone;
}

/* Not longer than a look for more would take, if it is to stop. */
static void wait_or_stop(const struct ship *s, unsigned int ms)
{
	for (; ms && !stop_at(s); ms -= ms < IDLE ? ms : IDLE)
		poll(NULL, 0, ms < IDLE ? ms : IDLE);
}

static void *sender(void *arg)
{
	struct ship *s = arg;
	unsigned int retry = 0;
	char name[SPOOL_NAME];
	CURL *curl = NULL;
	struct answer a;
	u64 last;

	for (;;) {
		last = stop_at(s);
		if (last && clock_now() >= last)
			break;
		if (!spool_oldest(s->spool, name)) {
			if (last)
				break;
			/* Its connection would wait in CLOSE_WAIT till the next delivery. */
			curl_easy_cleanup(curl);
			curl = NULL;
			wait_or_stop(s, IDLE);
			continue;
		}
		if (!curl)
			curl = curl_easy_init();
		if (!curl)
			exit(fail("out of memory"));
		if (send_file(s, curl, name, &a)) {
			if (retry)
				note("ship: the server takes rows again");
			retry = 0;
		} else {
			if (!retry)
				note("ship: kept for later, the server does not take rows: %s",
				     a.text);
			if (last)
				break;
			retry = retry ? 2 * retry : RETRY_FIRST;
			retry = retry < RETRY_LAST ? retry : RETRY_LAST;
			wait_or_stop(s, retry);
		}
	}
	curl_easy_cleanup(curl);
	return NULL;
}

/* ---- the verb ---- */

/* {"host":...,"boot":...,"run":... */
static char *who_we_are(u64 run)
{
	char host[256] = "", boot[64] = "", *who;
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	json_t *j;

	gethostname(host, sizeof(host) - 1);
	if (f && fgets(boot, sizeof(boot), f))
		boot[strcspn(boot, "\n")] = '\0';
	if (f)
		fclose(f);
	j = json_pack("{s:s,s:s,s:I}", "host", host, "boot", boot, "run", (json_int_t)run);
	who = j ? json_dumps(j, JSON_COMPACT) : NULL;
	json_decref(j);
	if (!who)
		exit(fail("the host's name is no UTF-8"));
	who[strlen(who) - 1] = '\0';
	return who;
}

static int ship(struct ship *s)
{
	struct follow f = { .on_event = opt.flows ? NULL : on_event, .on_end = on_end,
			    .on_lost = on_lost, .on_tick = on_tick, .arg = s };
	pthread_t thread;
	sigset_t all, before;
	int status;
	u64 left;

	/* Signals are for this thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	status = pthread_create(&thread, NULL, sender, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status)
		return fail("cannot start a thread: %s", strerror(status));
	status = follow(&f, "ship");
	deliver(s);
	deliver(s);		/* and what that has to tell of a spool that is full */
	deliver(s);
	__atomic_store_n(&s->stop, clock_now() + LAST_WORDS, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	left = spool_waiting(s->spool);
	if (left && !opt.quiet)
		note("ship: %llu files are left for the next run", (unsigned long long)left);
	return status;
}

int verb_ship(int argc, char **argv)
{
	u64 run = clock_of_day();
	struct ship s = { .interval = opt.interval_ns ? opt.interval_ns : DELIVER };
	char *url;
	int status;

	if (argc != 1)
		return fail(argc ? "ship takes one URL, but got '%s', too" : "ship where? It takes a URL like http://clickhouse:8123",
			    argc ? argv[1] : "");
	s.url = argv[0];
	url = strstr(s.url, "://") ? url_of(s.url, *tables) : NULL;
	if (!url)
		return fail("'%s' is no URL: ship takes one like http://clickhouse:8123", s.url);
	curl_free(url);
	s.spool = spool_open(opt.spool ? opt.spool : SPOOL_DIR, run,
			     opt.spool_limit ? opt.spool_limit : SPOOL_LIMIT, tables, TABLES);
	if (!s.spool)
		return EXIT_ERROR;
	s.who = who_we_are(run);
	s.deliver = clock_now() + s.interval;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	status = ship(&s);
	free(s.who);
	spool_close(s.spool);
	return status;
}
