// SPDX-License-Identifier: GPL-2.0
/* The terms of a filter: state, pair, port, address, time, reason, flag, cause, id. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "data/names.h"
#include "data/tuple.h"
#include "filter/term.h"
#include "lib/memory.h"
#include "lib/number.h"

/* The operator, or @missing if there is none. */
static enum node_op parse_op(struct lexer *p, enum node_op missing)
{
	static const struct { const char *mark, *word; enum node_op op; } ops[] = {
		{ "=", "eq", OP_EQ }, { "==", "eq", OP_EQ }, { "!=", "ne", OP_NE },
		{ "<", "lt", OP_LT }, { "<=", "le", OP_LE }, { ">", "gt", OP_GT },
		{ ">=", "ge", OP_GE }, { "!=", "neq", OP_NE }, { "<=", "leq", OP_LE },
		{ ">=", "geq", OP_GE },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		if (lexer_take(p, ops[i].mark) || lexer_take(p, ops[i].word))
			return ops[i].op;
	return missing;
}

/* The operator of a term whose values have no order. */
static bool parse_equality(struct lexer *p, struct filter *f)
{
	f->op = parse_op(p, OP_EQ);
	return f->op == OP_EQ || f->op == OP_NE ||
	       lexer_fail(p, "an address, reason, cause or flag can only be equal (=) or not (!=)");
}

#define X(id, word, ...) " " word
#define CAUSE(id, ...) " " #id

static bool parse_states(struct lexer *p, struct filter *f)
{
	f->states = state_set(p->token);
	return f->states ||
	       lexer_fail(p, "no such state; there are" TCPFSM_STATE_LIST(X)
			     ", and groups: " STATE_GROUPS);
}

static bool parse_pair(struct lexer *p, struct filter *f)
{
	char *colon = strchr(p->token, ':'), *orig;

	if (colon) {
		orig = strndup(p->token, colon - p->token);
		if (!orig)
			out_of_memory();
		f->pair[TCPFSM_ORIG] = state_find(orig);
		f->pair[TCPFSM_RESP] = state_find(colon + 1);
		free(orig);
	}
	return (f->pair[TCPFSM_ORIG] && f->pair[TCPFSM_RESP]) ||
	       lexer_fail(p, "expected two states, as in fin-wait-2:close-wait");
}

static bool read_port(const char *s, u64 *port)
{
	const struct servent *serv;

	if (read_u64(s, 0, 0xffff, port))
		return true;
	serv = *s && !strpbrk(s, ":/[]") ? getservbyname(s, "tcp") : NULL;
	if (serv)
		*port = ntohs(serv->s_port);
	return serv;
}

static bool parse_port(struct lexer *p, struct filter *f)
{
	f->op = parse_op(p, OP_EQ);
	return read_port(p->token + (*p->token == ':'), &f->value) ||
	       lexer_fail(p, "expected a port, as in :443 or :https");
}

/* ADDR[/LEN] of either family; empty or * is any */
static bool parse_address(struct filter *f, char *s)
{
	char *slash = strchr(s, '/');
	u64 len;

	if (!*s || !strcmp(s, "*"))
		return true;
	if (slash)
		*slash++ = '\0';
	if (inet_pton(AF_INET, s, f->addr) == 1)
		f->family = AF_INET;
	else if (inet_pton(AF_INET6, s, f->addr) == 1)
		f->family = AF_INET6;
	else
		return false;
	len = 8 * addr_len(f->family);
	if (slash && !read_u64(slash, 0, len, &len))
		return false;
	f->len = len;
	return true;
}

/* Cuts :PORT off the end of an address, and brackets around the address. */
static bool cut_port(struct filter *f, char *s)
{
	char *close = *s == '[' ? strchr(s, ']') : NULL, *colon = strrchr(s, ':');
	u64 port;

	if (close) {
		if (colon && colon < close)
			colon = NULL;
	} else if (colon && strchr(s, ':') != colon) {
		colon = NULL;		/* IPv6 without brackets has no port */
	}
	if (colon) {
		if (!read_port(colon + 1, &port))
			return false;
		f->has_port = true;
		f->port = port;
		*colon = '\0';
	}
	if (close) {
		/* [2001:db8::]/32 and [2001:db8::/32] */
		memmove(close, close + 1, strlen(close));
		memmove(s, s + 1, strlen(s));
	}
	return true;
}

static bool read_host(const char *word, struct filter *f)
{
	char *s = string_copy(word);
	bool ok;

	ok = cut_port(f, s) && parse_address(f, s);
	free(s);
	return ok;
}

bool filter_read_end(const char *word, struct filter_end *end)
{
	struct filter f = { 0 };

	if (!read_host(word, &f) || !f.has_port || strchr(word, '/') ||
	    f.family != (*word == '[' ? AF_INET6 : AF_INET))
		return false;
	*end = (struct filter_end){ .family = f.family, .port = f.port };
	memcpy(end->addr, f.addr, sizeof(end->addr));
	return true;
}

static bool parse_host(struct lexer *p, struct filter *f)
{
	if (!parse_equality(p, f))
		return false;
	return (read_host(p->token, f) && (f->family || f->has_port)) ||
	       lexer_fail(p, "expected an address, as in 10.0.0.0/8, 10.0.0.1:443 or [2001:db8::1]:443");
}

static bool parse_time(struct lexer *p, struct filter *f)
{
	f->op = parse_op(p, OP_GE);
	return read_span(p->token, &f->value) ||
	       lexer_fail(p, "expected a time with a unit of us, ms, s, m, h or d, as in 10s");
}

static bool parse_reason(struct lexer *p, struct filter *f)
{
	if (!parse_equality(p, f))
		return false;
	f->value = reason_find(p->token);
	return f->value ||
	       lexer_fail(p, "no such reason; there are" TCPFSM_REASON_LIST(X));
}

static bool parse_cause(struct lexer *p, struct filter *f)
{
	if (!parse_equality(p, f))
		return false;
	f->value = cause_find(p->token);
	return f->value ||
	       lexer_fail(p, "no such cause; there are" TCPFSM_CAUSE_LIST(CAUSE));
}

static bool parse_flag(struct lexer *p, struct filter *f)
{
	if (!parse_equality(p, f))
		return false;
	f->value = flag_set(p->token);
	return f->value ||
	       lexer_fail(p, "no such flag; there are" FLAG_LIST(X) " local");
}

#undef X

static bool parse_id(struct lexer *p, struct filter *f)
{
	f->op = parse_op(p, OP_EQ);
	return read_u64(p->token, 1, ~0ULL, &f->value) ||
	       lexer_fail(p, "expected the number of a flow");
}

static const struct word {
	const char *name;
	enum node_kind kind;
	u8 ends;
	bool (*parse)(struct lexer *p, struct filter *f);
} words[] = {
	{ "state",	NODE_STATE,	ENDS_ANY,	parse_states },
	{ "exclude",	NODE_NOT,	ENDS_ANY,	parse_states },
	{ "pair",	NODE_PAIR,	ENDS_ANY,	parse_pair },
	{ "sport",	NODE_PORT,	ENDS_ORIG,	parse_port },
	{ "dport",	NODE_PORT,	ENDS_RESP,	parse_port },
	{ "port",	NODE_PORT,	ENDS_ANY,	parse_port },
	{ "src",	NODE_HOST,	ENDS_ORIG,	parse_host },
	{ "dst",	NODE_HOST,	ENDS_RESP,	parse_host },
	{ "host",	NODE_HOST,	ENDS_ANY,	parse_host },
	{ "age",	NODE_AGE,	ENDS_ANY,	parse_time },
	{ "idle",	NODE_IDLE,	ENDS_ANY,	parse_time },
	{ "dwell",	NODE_DWELL,	ENDS_ANY,	parse_time },
	{ "from",	NODE_FROM,	ENDS_ANY,	parse_states },
	{ "to",		NODE_TO,	ENDS_ANY,	parse_states },
	{ "cause",	NODE_CAUSE,	ENDS_ANY,	parse_cause },
	{ "reason",	NODE_REASON,	ENDS_ANY,	parse_reason },
	{ "flag",	NODE_FLAG,	ENDS_ANY,	parse_flag },
	{ "id",		NODE_ID,	ENDS_ANY,	parse_id },
};

static const struct word *find_term(const struct lexer *p)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (lexer_at(p, words[i].name))
			return &words[i];
	return NULL;
}

static u8 parse_end(struct lexer *p)
{
	if (lexer_take(p, "orig"))
		return ENDS_ORIG;
	if (lexer_take(p, "resp"))
		return ENDS_RESP;
	return ENDS_ANY;
}

static bool is_of_one_end(const struct word *w)
{
	return w->parse == parse_states || w->kind == NODE_DWELL;
}

/* Is it a term of parse_equality()? A number's operator is a part of the comparison. */
static bool is_equality(const struct filter *f)
{
	return f->kind == NODE_HOST || f->kind == NODE_REASON || f->kind == NODE_CAUSE ||
	       f->kind == NODE_FLAG;
}

struct filter *term_parse(struct lexer *p)
{
	u8 ends = parse_end(p);
	const struct word *w = find_term(p);
	bool negated;
	struct filter *f;

	if (ends != ENDS_ANY && (!w || !is_of_one_end(w))) {
		lexer_fail(p, "'orig' and 'resp' stand before state, exclude, from, to or dwell");
		return NULL;
	}
	if (!w) {
		lexer_fail(p, "expected state, exclude, orig, resp, pair, sport, dport, port, src, dst, host, age, idle, dwell, from, to, cause, reason, flag, id, not or '('");
		return NULL;
	}
	lexer_next(p);
	f = node_new(w->kind == NODE_NOT ? NODE_STATE : w->kind);
	f->ends = ends == ENDS_ANY ? w->ends : ends;
	if (!w->parse(p, f)) {
		filter_free(f);
		return NULL;
	}
	lexer_next(p);
	negated = w->kind == NODE_NOT || (is_equality(f) && f->op == OP_NE);
	return negated ? node_join(NODE_NOT, f, NULL) : f;
}

void filter_print_words(bool services)
{
	static const char * const more[] = { "orig", "resp", "and", "or", "not" };
	size_t i;

	if (services) {
		puts("dst\ndport\nhost\nport\nand\nor\nnot");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(words); i++)
		puts(words[i].name);
	for (i = 0; i < ARRAY_SIZE(more); i++)
		puts(more[i]);
}

bool filter_print_values(const char *word, bool state)
{
	static const struct { const char *word; void (*print)(void); bool is_state; } lists[] = {
		{ "state", names_print_states, true }, { "exclude", names_print_states, true },
		{ "pair", names_print_states, true }, { "from", names_print_states, true },
		{ "to", names_print_states, true }, { "cause", names_print_causes, false },
		{ "reason", names_print_reasons, false }, { "flag", names_print_flags, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		if (strcmp(word, lists[i].word) || (lists[i].is_state && !state))
			continue;
		lists[i].print();
		return true;
	}
	return false;
}
