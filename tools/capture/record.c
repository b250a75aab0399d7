// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture/record.h"
#include "data/names.h"

/* ---- writing ---- */

FILE *record_open(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		fail("cannot record to '%s': %s", path, strerror(errno));
	return file;
}

void record_event(FILE *file, const struct event *e)
{
	char src[FMT_ADDR] = "", dst[FMT_ADDR] = "", ts[FMT_TIME];
	const struct tuple *t = e->tuple;

	if (t && t->family) {
		fmt_addr(src, t->family, t->src);
		fmt_addr(dst, t->family, t->dst);
	}
	fprintf(file, "{\"seq\":%llu,\"ts\":\"%s\",\"flow\":%llu,\"step\":%u",
		(unsigned long long)e->seq, fmt_time(ts, e->when, 9), (unsigned long long)e->flow,
		e->step);
	if (*src)
		fprintf(file, ",\"src\":\"%s\",\"sport\":%u,\"dst\":\"%s\",\"dport\":%u", src,
			t->sport, dst, t->dport);
	fprintf(file, ",\"end\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"cause\":\"%s\",\"dwell_ns\":%llu%s%s}\n",
		end_name(e->end), state_name(e->from), state_name(e->to), cause_name(e->cause),
		(unsigned long long)e->dwell,
		e->flags & TCPFSM_T_CORRECTION ? ",\"correction\":true" : "",
		e->flags & TCPFSM_T_INFERRED ? ",\"inferred\":true" : "");
}

void record_lost(FILE *file, u64 count, const char *group, int cpu, u64 first)
{
	fprintf(file, "{\"lost\":%llu,\"group\":\"%s\",\"cpu\":%d,\"first\":%llu}\n",
		(unsigned long long)count, group, cpu, (unsigned long long)first);
}

bool record_close(FILE *file, const char *path)
{
	bool failed = ferror(file);

	if (fclose(file) || failed) {
		fail("the record in '%s' is not whole: %s", path, strerror(errno));
		return false;
	}
	return true;
}

/* ---- reading ---- */

bool record_is(FILE *file)
{
	int c = getc(file);

	if (c != EOF)
		ungetc(c, file);
	return c == '{' || c == EOF;
}

static u64 number(const json_t *line, const char *key)
{
	return json_integer_value(json_object_get(line, key));
}

static const char *word(const json_t *line, const char *key)
{
	const char *s = json_string_value(json_object_get(line, key));

	return s ? s : "";
}

/* 2026-11-21T16:55:51.123456789Z */
static bool read_time(const char *s, u64 *when)
{
	struct tm tm = { 0 };
	char *rest = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	u64 ns = 0, digit = NSEC / 10;

	if (!rest || *rest++ != '.')
		return false;
	for (; *rest >= '0' && *rest <= '9'; rest++, digit /= 10)
		ns += (*rest - '0') * digit;
	*when = timegm(&tm) * NSEC + ns;
	return *rest == 'Z';
}

static void read_tuple(struct tuple *t, const json_t *line)
{
	const char *src = word(line, "src"), *dst = word(line, "dst");

	*t = (struct tuple){ .sport = number(line, "sport"), .dport = number(line, "dport") };
	if (inet_pton(AF_INET, src, t->src) == 1 && inet_pton(AF_INET, dst, t->dst) == 1)
		t->family = AF_INET;
	else if (inet_pton(AF_INET6, src, t->src) == 1 && inet_pton(AF_INET6, dst, t->dst) == 1)
		t->family = AF_INET6;
}

static bool read_event(struct event *e, struct tuple *t, const json_t *line)
{
	*e = (struct event){
		.seq = number(line, "seq"), .flow = number(line, "flow"),
		.step = number(line, "step"), .dwell = number(line, "dwell_ns"),
		.end = strcmp(word(line, "end"), end_name(TCPFSM_RESP)) ? TCPFSM_ORIG : TCPFSM_RESP,
		.from = state_find(word(line, "from")), .to = state_find(word(line, "to")),
		.cause = cause_find(word(line, "cause")), .tuple = t,
	};
	if (json_is_true(json_object_get(line, "correction")))
		e->flags |= TCPFSM_T_CORRECTION;
	if (json_is_true(json_object_get(line, "inferred")))
		e->flags |= TCPFSM_T_INFERRED;
	read_tuple(t, line);
	return e->from && e->to && read_time(word(line, "ts"), &e->when);
}

static bool read_line(const char *text, const struct record_reader *r)
{
	json_t *line = json_loads(text, 0, NULL);
	struct event e;
	struct tuple t;
	bool ok = true;

	if (json_object_get(line, "lost"))
		r->on_lost(number(line, "lost"), word(line, "group"), number(line, "cpu"),
			   number(line, "first"), r->arg);
	else if (read_event(&e, &t, line))
		r->on_event(&e, r->arg);
	else
		ok = false;
	json_decref(line);
	return ok;
}

int record_read(FILE *file, const char *name, const struct record_reader *r)
{
	char *text = NULL;
	size_t size = 0;
	u64 n = 0;
	bool ok = true;

	while (ok && getline(&text, &size, file) > 0) {
		n++;
		ok = read_line(text, r);
	}
	free(text);
	if (!n)
		note("%s is empty: no transition is recorded", name);
	if (!ok)
		return fail("%s: line %llu is no transition as monitor records them", name,
			    (unsigned long long)n);
	return EXIT_FOUND;
}
