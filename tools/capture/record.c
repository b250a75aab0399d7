// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "capture/record.h"
#include "data/json.h"
#include "data/names.h"
#include "lib/message.h"

/* ---- writing ---- */

FILE *record_open(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		fail("cannot record to '%s': %s", path, strerror(errno));
	return file;
}

static void write_line(FILE *file, struct buffer *line)
{
	buffer_char(line, '\n');
	fwrite(line->data, 1, line->len, file);
	buffer_free(line);
}

void record_event(FILE *file, const struct event *e)
{
	struct buffer line = { 0 };
	struct json json = { .to = &line };

	event_json(&json, e);
	write_line(file, &line);
}

void record_loss(FILE *file, const struct loss *l)
{
	struct buffer line = { 0 };
	struct json json = { .to = &line };

	loss_json(&json, l);
	write_line(file, &line);
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

	ungetc(c, file);
	return c == '{';
}

static u64 get_number(const json_t *line, const char *key)
{
	return json_integer_value(json_object_get(line, key));
}

static const char *get_word(const json_t *line, const char *key)
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
	const char *src = get_word(line, "src"), *dst = get_word(line, "dst");

	*t = (struct tuple){
		.sport = get_number(line, "sport"), .dport = get_number(line, "dport"),
	};
	if (inet_pton(AF_INET, src, t->src) == 1 && inet_pton(AF_INET, dst, t->dst) == 1)
		t->family = AF_INET;
	else if (inet_pton(AF_INET6, src, t->src) == 1 && inet_pton(AF_INET6, dst, t->dst) == 1)
		t->family = AF_INET6;
}

/* Return: NULL: it was not translated */
static const struct nat *read_nat(struct nat *n, const json_t *line)
{
	const json_t *nat = json_object_get(line, "nat");

	if (!nat)
		return NULL;
	n->known = true;
	read_tuple(&n->orig, json_object_get(nat, "orig"));
	read_tuple(&n->resp, json_object_get(nat, "resp"));
	return n;
}

/* The namespace that it was recorded in. NULL: it does not say */
static const struct netns *read_netns(struct netns *ns, const json_t *line)
{
	const char *name = get_word(line, "netns");

	*ns = (struct netns){ 0 };
	snprintf(ns->name, sizeof(ns->name), "%s", name);
	return *name ? ns : NULL;
}

static bool read_event(struct event *e, struct tuple *t, const json_t *line)
{
	*e = (struct event){
		.seq = get_number(line, "seq"), .flow = get_number(line, "flow"),
		.step = get_number(line, "step"), .dwell = get_number(line, "dwell_ns"),
		.end = strcmp(get_word(line, "end"), end_name(TCPFSM_RESP)) ?
		       TCPFSM_ORIG : TCPFSM_RESP,
		.from = state_find(get_word(line, "from")), .to = state_find(get_word(line, "to")),
		.cause = cause_find(get_word(line, "cause")), .tuple = t,
	};
	if (json_is_true(json_object_get(line, "correction")))
		e->flags |= TCPFSM_T_CORRECTION;
	if (json_is_true(json_object_get(line, "inferred")))
		e->flags |= TCPFSM_T_INFERRED;
	read_tuple(t, line);
	return e->from && e->to && read_time(get_word(line, "ts"), &e->when);
}

static void tell_loss(const json_t *line, const struct netns *ns, const struct record_reader *r)
{
	const struct loss loss = {
		get_word(line, "group"), get_number(line, "lost"), get_number(line, "first"),
		(int)get_number(line, "cpu"), ns,
	};

	r->on_lost(&loss, r->arg);
}

static bool read_line(const char *text, const struct record_reader *r)
{
	json_t *line = json_loads(text, 0, NULL);
	struct netns place;
	const struct netns *ns = read_netns(&place, line);
	struct event e;
	struct tuple t;
	struct nat nat;
	bool ok = true;

	if (json_object_get(line, "lost")) {
		tell_loss(line, ns, r);
	} else if (read_event(&e, &t, line)) {
		e.netns = ns;
		e.nat = read_nat(&nat, line);
		r->on_event(&e, r->arg);
	} else {
		ok = false;
	}
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
	if (!ok)
		return fail("%s: line %llu is not a transition as monitor records them", name,
			    (unsigned long long)n);
	return EXIT_FOUND;
}
