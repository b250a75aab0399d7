/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Plays segments, written as text, to the engine, and tells in text what became of the flow.
 *
 *   segment: DIRECTION FLAGS SEQ [ACK] [len=N] [win=N] [ws=N] [partial] [here] [own]
 *     DIRECTION  > from orig of the first flow, < from resp
 *     FLAGS      letters of SFRPAU
 *     here       a RST that this host made for a flow it forwards
 *     own        of a socket of this host
 *
 *   ICMP error: DIRECTION TYPE/CODE SEQ [mtu=N]
 *     DIRECTION  of the segment that it quotes, TYPE and CODE as in ICMPv4
 *
 * The flow is kept as the shell (mod/core/shell.h) wants it kept.
 */
#ifndef _PLAY_H
#define _PLAY_H

#include <stdio.h>
#include <stdlib.h>

#include "../../mod/core/shell.h"
#include "names.h"
#include "ways.h"

struct play {
	struct tfsm flow;
	bool alive;		/* a flow exists */
	bool turned;		/* its orig is resp of the first flow */
	u8 from;		/* the end of the first flow that sent the segment at hand */
	const struct tfsm_out *o;	/* what came of that segment so far */
	bool rfc1337;
	bool no_memory;		/* refuse memory for the extension */
	bool no_path;		/* do not write down the path */
	int flows;		/* so far */
	u64 clock;
	u64 notes;		/* of the last segment */
	u8 reason;		/* why the flow before ended */
	unsigned long segments, moves, quick;
	struct tfsm_local local[TCPFSM_ENDS];	/* local sockets at a pick-up */
	u8 shown[TCPFSM_ENDS];	/* where the moves have led so far */
	char path[TCPFSM_ENDS][1024];	/* of the flow: STATE+CAUSE>STATE */
	char pair[64];
};

static inline const char *play_pair(struct play *p)
{
	if (!p->alive)
		return "-";
	snprintf(p->pair, sizeof(p->pair), "%s:%s", state_names[p->flow.end[0].state],
		 state_names[p->flow.end[1].state]);
	return p->pair;
}

/* Every move must be what the table says, or come with its state. */
static inline void play_moves(struct play *p, const struct tfsm_out *o)
{
	u8 i;

	p->notes |= o->notes;
	for (i = 0; i < o->moves; i++) {
		const struct tfsm_move *m = &o->move[i];
		u8 to = tfsm_next(m->from, m->cause);
		size_t n;

		if (to != m->to && to != TFSM_GIVEN && to != TFSM_PASSIVE) {
			printf("# illegal move: %s %s > %s\n", cause_names[m->cause],
			       state_names[m->from], state_names[m->to]);
			abort();
		}
		if (m->from != p->shown[m->end])
			abort();	/* not where the last one led */
		p->shown[m->end] = m->to;
		p->moves++;
		if (p->no_path)
			continue;
		n = strlen(p->path[m->end]);
		snprintf(p->path[m->end] + n, sizeof(p->path[0]) - n, "%s%s%s", n ? ">" : "",
			 state_names[m->to], m->flags & TCPFSM_T_CORRECTION ? "!" : "");
	}
}

static inline struct tfsm_ext *play_alloc_ext(void *ctx)
{
	struct play *p = ctx;

	if (p->o->moves || p->o->notes || p->o->time_wait)
		abort();	/* it says that it has done nothing */
	return p->no_memory ? NULL : calloc(1, sizeof(struct tfsm_ext));
}

static inline void play_free_ext(void *ctx, struct tfsm_ext *ext)
{
	free(ext);
}

static inline void play_end(void *ctx, struct tfsm *f, u8 reason)
{
	struct play *p = ctx;

	p->reason = reason;
	free(tfsm_ext(f));
	p->alive = false;
}

static inline enum tfsm_opened play_open(void *ctx, const struct tfsm_start *start)
{
	struct play *p = ctx;
	struct tfsm_out o = { .now = p->clock, .local = { p->local[0], p->local[1] } };

	p->turned = p->from != start->sender;
	memset(&p->flow, 0, sizeof(p->flow));
	if (!p->no_path)
		memset(p->path, 0, sizeof(p->path));
	memset(p->shown, TCPFSM_CLOSED, sizeof(p->shown));
	p->alive = true;
	p->flows++;
	tfsm_shell_begin(&p->flow, start, &o);
	if (!p->flow.end[TCPFSM_ORIG].state)
		abort();	/* a kept SYN that is not there */
	play_moves(p, &o);
	return TFSM_OPENED;
}

static const struct tfsm_keeper player = {
	.alloc_ext = play_alloc_ext,
	.free_ext = play_free_ext,
	.end = play_end,
	.open = play_open,
};

/* What goes a short way must have gone the full way alike. Return: whether it does go one. */
static inline bool play_both_ways(const struct play *p, const struct tfsm_seg *s)
{
	const char *why;
	bool quick;

	why = ways_differ(&p->flow, s, p->clock, &quick);
	if (why) {
		printf("# %s\n", why);
		abort();
	}
	return quick;
}

/* Return: track it again, on the flow that has the tuple now. */
static inline bool play_track(struct play *p, struct tfsm_seg s)
{
	struct tfsm_out o = { .now = p->clock };
	enum tfsm_verdict v;

	p->o = &o;
	s.dir = p->from ^ p->turned;
	if (!p->alive) {
		if (tfsm_opens(s.kind))
			tfsm_shell_open(&player, p, &s);
		return false;
	}
	p->quick += play_both_ways(p, &s);
	v = tfsm_shell_track(&player, p, &p->flow, &s, &o);
	play_moves(p, &o);
	if (v == TFSM_REFUSED && o.moves)
		abort();
	return v >= TFSM_NEW && tfsm_shell_replace(&player, p, &p->flow, &s, v);
}

static inline void play_seg(struct play *p, struct tfsm_seg s)
{
	unsigned int tries = 0;

	p->clock++;
	p->notes = 0;
	p->segments++;
	p->from = s.dir;
	s.rfc1337 = p->rfc1337;
	tfsm_set_flags(&s, s.flags);
	while (play_track(p, s))
		if (++tries == TFSM_TRIES)
			abort();
}

/* A number in decimal digits, and nothing behind it. */
static inline bool play_number(const char *text, u32 max, u32 *value)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long long n = strtoull(text, NULL, 10);

	*value = n;
	return digits && digits <= 10 && !text[digits] && n <= max;
}

/* Return: NULL, or what would be right instead. */
static inline const char *play_read_flags(struct tfsm_seg *s, const char *word)
{
	static const char letters[] = "FSRPAU";

	for (; *word; word++) {
		const char *at = strchr(letters, *word);

		if (!at)
			return "flags, which are letters of SFRPAU";
		s->flags |= 1U << (at - letters);
	}
	return NULL;
}

/* What follows the numbers. Return: NULL, or what would be right instead. */
static inline const char *play_read_option(struct tfsm_seg *s, const char *word)
{
	u32 n;

	if (!strncmp(word, "len=", 4) && play_number(word + 4, 65535, &n)) {
		s->len = n;
	} else if (!strncmp(word, "win=", 4) && play_number(word + 4, 65535, &n)) {
		s->win = n;
	} else if (!strncmp(word, "ws=", 3) && play_number(word + 3, 14, &n)) {
		s->has_wscale = true;
		s->wscale = n;
	} else if (!strcmp(word, "partial")) {
		s->partial = true;
	} else if (!strcmp(word, "here")) {
		s->made_here = true;
	} else if (!strcmp(word, "own")) {
		s->own = true;
	} else {
		return "len=0-65535, win=0-65535, ws=0-14, partial, here or own";
	}
	return NULL;
}

/* The word at a place, counted from 0; empty: it is missing. Return: as above. */
static inline const char *play_read_word(struct tfsm_seg *s, int place, const char *word)
{
	switch (place) {
	case 0:
		s->dir = *word == '<';
		return strcmp(word, ">") && strcmp(word, "<") ? "a direction, > or <" : NULL;
	case 1:
		return *word ? play_read_flags(s, word) : "flags, which are letters of SFRPAU";
	case 2:
		return play_number(word, UINT32_MAX, &s->seq) ? NULL : "a sequence number";
	case 3:
		if (s->flags & TFSM_ACK)
			return play_number(word, UINT32_MAX, &s->ack) ? NULL :
			       "the number that it acknowledges";
		break;
	}
	return *word ? play_read_option(s, word) : NULL;
}

/*
 * A segment from its text. Return: NULL, or what would be right instead of the word that is left
 * in @bad, which is empty if the text ends too early.
 */
static inline const char *play_read(const char *text, struct tfsm_seg *s, char bad[32])
{
	const char *right = NULL;
	int place, n;

	*s = (struct tfsm_seg) { .win = 65535 };
	for (place = 0; !right && (*text || place < 4); place++) {
		n = 0;
		*bad = '\0';
		if (sscanf(text, " %31s%n", bad, &n) == 1)
			text += n;
		else
			text = "";
		right = play_read_word(s, place, bad);
	}
	return right;
}

/* Play one segment. Return: the pair after it. */
static inline const char *play(struct play *p, const char *text)
{
	struct tfsm_seg s;
	char bad[32];
	const char *right = play_read(text, &s, bad);

	if (right) {
		printf("# %s: '%s' should be %s\n", text, bad, right);
		abort();
	}
	play_seg(p, s);
	return play_pair(p);
}

static inline enum tfsm_verdict play_error(struct play *p, struct tfsm_icmp e)
{
	struct tfsm_out o = { .now = ++p->clock };
	enum tfsm_verdict v;

	p->notes = 0;
	p->o = &o;
	e.dir ^= p->turned;
	v = tfsm_shell_icmp(&player, p, &p->flow, &e, &o);
	if (o.moves || o.time_wait)
		abort();	/* an error moves nobody */
	play_moves(p, &o);
	return v;
}

/* The word at a place, counted from 0; empty: it is missing. Return: as play_read_word(). */
static inline const char *play_read_error_word(struct tfsm_icmp *e, int place, const char *word)
{
	static const char right[] = "TYPE/CODE of an ICMP error, as 3/1";
	u32 n;

	switch (place) {
	case 0:
		e->dir = *word == '<';
		return strcmp(word, ">") && strcmp(word, "<") ? "a direction, > or <" : NULL;
	case 1:
		if (sscanf(word, "%hhu/%hhu%c", &e->type, &e->code, &(char){ 0 }) != 2)
			return right;
		e->sort = tfsm_icmp_sort(false, e->type, e->code);
		return e->sort == TFSM_ICMP_SORTS ? right : NULL;
	case 2:
		return play_number(word, UINT32_MAX, &e->seq) ? NULL : "a sequence number";
	default:
		if (strncmp(word, "mtu=", 4) || !play_number(word + 4, 65535, &n))
			return "mtu=0-65535";
		e->mtu = n;
		return NULL;
	}
}

static inline bool play_noted(const struct play *p, enum tfsm_note n)
{
	return p->notes & (u64)1 << n;
}

static inline const char *play_expire(struct play *p)
{
	struct tfsm_out o = { .now = ++p->clock };

	tfsm_expire(&p->flow, &o);
	play_moves(p, &o);
	return play_pair(p);
}

static inline const char *play_gone(struct play *p, u8 end)
{
	struct tfsm_out o = { .now = ++p->clock };

	tfsm_gone(&p->flow, end, &o);
	play_moves(p, &o);
	return play_pair(p);
}

static inline const char *play_lives(struct play *p, u8 end)
{
	struct tfsm_out o = { .now = ++p->clock };

	p->notes = 0;
	tfsm_lives(&p->flow, end, &o);
	play_moves(p, &o);
	return play_pair(p);
}

#endif /* _PLAY_H */
