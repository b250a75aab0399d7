// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "data/names.h"
#include "lib/format.h"
#include "show/tally_key.h"

struct address {
	u8 family, bits, addr[16];
};

static void put_address(u8 *to, const struct tally_subject *s, int family, const u8 *addr)
{
	unsigned int bits = family == AF_INET ? s->bits4 : s->bits6, i;
	struct address *a = (struct address *)to;

	a->family = family;
	a->bits = bits;
	for (i = 0; i < addr_len(family) && bits; i++) {
		unsigned int n = bits < 8 ? bits : 8;

		a->addr[i] = addr[i] & (u8)(0xff00 >> n);
		bits -= n;
	}
}

static void put_src(u8 *to, const struct tally_subject *s)
{
	put_address(to, s, s->flow->tuple.family, s->flow->tuple.src);
}

static void put_dst(u8 *to, const struct tally_subject *s)
{
	put_address(to, s, s->flow->tuple.family, s->flow->tuple.dst);
}

static const char *spell_address(char *text, const u8 *from)
{
	const struct address *a = (const struct address *)from;

	fmt_addr(text, a->family, a->addr);
	if (a->bits < 8 * addr_len(a->family))
		sprintf(text + strlen(text), "/%u", a->bits);
	return text;
}

static void put_sport(u8 *to, const struct tally_subject *s)
{
	memcpy(to, &s->flow->tuple.sport, sizeof(s->flow->tuple.sport));
}

static void put_dport(u8 *to, const struct tally_subject *s)
{
	memcpy(to, &s->flow->tuple.dport, sizeof(s->flow->tuple.dport));
}

static const char *spell_port(char *text, const u8 *from)
{
	u16 port;

	memcpy(&port, from, sizeof(port));
	*put_u64(text, port) = '\0';
	return text;
}

struct endpoint {
	u8 family, addr[16];
	u16 port;
};

static void put_service(u8 *to, const struct tally_subject *s)
{
	struct endpoint e = { .family = s->flow->tuple.family, .port = s->flow->tuple.dport };

	memcpy(e.addr, s->flow->tuple.dst, addr_len(e.family));
	memcpy(to, &e, sizeof(e));
}

static const char *spell_service(char *text, const u8 *from)
{
	struct endpoint e;

	memcpy(&e, from, sizeof(e));
	return fmt_endpoint(text, e.family, e.addr, e.port);
}

static void put_pair(u8 *to, const struct tally_subject *s)
{
	to[0] = s->flow->end[TCPFSM_ORIG].state;
	to[1] = s->flow->end[TCPFSM_RESP].state;
}

static const char *spell_pair(char *text, const u8 *from)
{
	return fmt_pair(text, from[0], from[1]);
}

static void put_state(u8 *to, const struct tally_subject *s)
{
	*to = s->flow->end[s->end].state;
}

static const char *spell_state(char *text, const u8 *from)
{
	(void)text;
	return state_name(*from);
}

static void put_reason(u8 *to, const struct tally_subject *s)
{
	*to = s->flow->reason;
}

static const char *spell_reason(char *text, const u8 *from)
{
	(void)text;
	return *from == TCPFSM_REASON_UNSET ? NULL : reason_name(*from);
}

static void put_flags(u8 *to, const struct tally_subject *s)
{
	memcpy(to, &s->flow->flags, sizeof(s->flow->flags));
}

static const char *spell_flags(char *text, const u8 *from)
{
	u32 flags;

	memcpy(&flags, from, sizeof(flags));
	return fmt_flags(text, flags);
}

static void put_uid(u8 *to, const struct tally_subject *s)
{
	to[0] = s->flow->end[s->end].has_uid;
	if (to[0])
		memcpy(to + 1, &s->flow->end[s->end].uid, sizeof(s->flow->end[s->end].uid));
}

static const char *spell_uid(char *text, const u8 *from)
{
	u32 uid;

	if (!from[0])
		return NULL;
	memcpy(&uid, from + 1, sizeof(uid));
	*put_u64(text, uid) = '\0';
	return text;
}

static void put_process(u8 *to, const struct tally_subject *s)
{
	const char *who = s->process(s->flow, s->end);

	if (who)
		memcpy(to, who, strnlen(who, FMT_PROCESS - 1));
}

static const char *spell_process(char *text, const u8 *from)
{
	(void)text;
	return *from ? (const char *)from : NULL;
}

static void put_netns(u8 *to, const struct tally_subject *s)
{
	memcpy(to, &s->flow->netns, sizeof(s->flow->netns));
}

static const char *spell_netns(char *text, const u8 *from)
{
	const struct netns *ns;

	(void)text;
	memcpy(&ns, from, sizeof(ns));
	return ns ? ns->name : NULL;
}

static const struct tally_key keys[] = {
	{ "src", sizeof(struct address), false, false, true, put_src, spell_address, NULL },
	{ "dst", sizeof(struct address), false, false, true, put_dst, spell_address, NULL },
	{ "sport", sizeof(u16), true, false, false, put_sport, spell_port, NULL },
	{ "dport", sizeof(u16), true, false, false, put_dport, spell_port, NULL },
	{ "service", sizeof(struct endpoint), false, false, false, put_service, spell_service,
	  NULL },
	{ "pair", 2, false, false, false, put_pair, spell_pair, NULL },
	{ "state", 1, false, true, false, put_state, spell_state, NULL },
	{ "reason", 1, false, false, false, put_reason, spell_reason, NULL },
	{ "flags", sizeof(u32), false, false, false, put_flags, spell_flags, NULL },
	{ "uid", 1 + sizeof(u32), true, true, false, put_uid, spell_uid, NULL },
	{ "process", FMT_PROCESS, false, true, false, put_process, spell_process,
	  "which process has a socket" },
	{ "netns", sizeof(struct netns *), false, false, false, put_netns, spell_netns,
	  "the network namespace" },
};

void tally_print_keys(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		puts(keys[i].name);
}

const struct tally_key *tally_find_key(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (strlen(keys[i].name) == len && !strncmp(keys[i].name, word, len))
			return &keys[i];
	return NULL;
}
