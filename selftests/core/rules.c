// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of the engine: plays scenarios, files whose syntax scenarios/README.md describes, and
 * compares what becomes of the flow with what they expect. Each is a test with the file's name, and
 * where it has the line "mirror", another one, NAME.mirrored.
 */
#include <fts.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "play.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define SUFFIX		".tfsm"
#define WORDS		24	/* of a line, at most */

static const char *const end_names[TCPFSM_ENDS] = { "orig", "resp" };

static const char *const class_names[TFSM_CLASSES] = {
#define X(id, name, seconds, help) [TFSM_CLASS_##id] = #name,
	TCPFSM_CLASS_LIST(X)
#undef X
};

/* By bit. */
static const char *const flag_names[] = {
	"midstream", "unconfirmed", "gap", "one-way", "corrected", "offloaded", "forwarded",
	"local-orig", "local-resp", "synack-resent", "reanchored", "suspect",
	"syn-pending", "unreachable", "mtu",
};

static const char *const fact_names[] = {
	"SYN", "SYN_ACKED", "TOOK_SYN", "FIN", "FIN_ACKED", "TOOK_FIN", "PASSIVE",
};

static const char *const switch_names[] = { "rfc1337", "no-memory" };

/* How an end comes to be established. */
static const char *const established[TCPFSM_ENDS] = {
	"SYN_SENT>ESTABLISHED", "LISTEN>SYN_RCVD>ESTABLISHED",
};

struct test {
	char *file;
	bool in_mirror;		/* what is below the line "mirror" is played in the mirror */
};

struct scenario {
	const char *file;
	bool in_mirror;
	bool mirrored;		/* from here on */
	u32 isn[TCPFSM_ENDS];	/* of the SYNs above the mirror */
	unsigned int line;	/* the one at hand */
	struct play play;
	bool described;		/* a comment says what it shows */
	bool played;		/* something has happened, so that there was a pair to expect */
	bool failed;
	bool ended;		/* no point in going on */
};

/* ---- what is wrong ---- */

static void print_place(struct scenario *s)
{
	printf("# %s:%u: ", s->file, s->line);
	s->failed = true;
}

/* An expectation that does not hold. */
static __attribute__((format(printf, 2, 3))) void report_failure(struct scenario *s,
								   const char *format, ...)
{
	va_list args;

	print_place(s);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* A line that says nothing which can be played or expected. */
static void reject_word(struct scenario *s, const char *word, const char *right)
{
	print_place(s);
	if (word && *word)
		printf("'%s' should be %s\n", word, right);
	else
		printf("missing at the end: %s\n", right);
	s->ended = true;
}

/* Return: the index of a name in a list; -1, and the word is rejected, if it is not there. */
static int find_name(struct scenario *s, const char *word, const char *const *names, int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (word && names[i] && !strcmp(word, names[i]))
			return i;
	print_place(s);
	printf("'%s' should be one of:", word ? word : "");
	for (i = 0; i < count; i++)
		if (names[i])
			printf(" %s", names[i]);
	putchar('\n');
	s->ended = true;
	return -1;
}

/* Nothing may follow the words that a line needs. */
static void end_line(struct scenario *s, char **words)
{
	if (*words && !s->ended)
		reject_word(s, *words, "the end of the line");
}

/* Return: the end that is meant. */
static int find_end(struct scenario *s, const char *word)
{
	int end = find_name(s, word, end_names, TCPFSM_ENDS);

	return end < 0 ? end : end ^ s->mirrored;
}

static int find_state(struct scenario *s, const char *word)
{
	return find_name(s, word, state_names + 1, TCPFSM_STATES - 1) + 1;
}

/* ---- the mirror: each end does what the file says of the other ---- */

/*
 * Numbers that one end uses become those of the other: as far from its ISN. Who has no connection
 * sends a RST of 0.
 */
static void mirror_segment(const struct scenario *s, struct tfsm_seg *seg)
{
	u32 shift = s->isn[!seg->dir] - s->isn[seg->dir];

	seg->dir = !seg->dir;
	if (seg->seq || !(seg->flags & TFSM_RST))
		seg->seq += shift;
	if (seg->flags & TFSM_ACK)
		seg->ack -= shift;
}

/* The pair as the file would have it. */
static const char *show_pair(struct scenario *s)
{
	static char pair[sizeof(s->play.pair)];
	const struct tfsm_end *end = s->play.flow.end;

	if (!s->mirrored || !s->play.alive)
		return play_pair(&s->play);
	snprintf(pair, sizeof(pair), "%s:%s", state_names[end[TCPFSM_RESP].state],
		 state_names[end[TCPFSM_ORIG].state]);
	return pair;
}

/* The path of an end as the file would have it: before the mirror, it is that of the other end. */
static const char *show_path(struct scenario *s, u8 end)
{
	static char path[sizeof(s->play.path[0])];
	const char *have = s->play.path[end];
	size_t n = strlen(established[end]);

	if (!s->mirrored || strncmp(have, established[end], n))
		return have;
	snprintf(path, sizeof(path), "%s%s", established[!end], have + n);
	return path;
}

static u8 mirror_reason(u8 reason)
{
	switch (reason) {
	case TCPFSM_REASON_RST_ORIG:
		return TCPFSM_REASON_RST_RESP;
	case TCPFSM_REASON_RST_RESP:
		return TCPFSM_REASON_RST_ORIG;
	}
	return reason;
}

/* ---- expectations that follow what happens, on the same line ---- */

static void check_pair(struct scenario *s, const char *want)
{
	const char *have = show_pair(s);
	char *text, *resp;

	if (!want) {
		reject_word(s, NULL, "the pair that is expected, ORIG:RESP, or - for no flow");
		return;
	}
	if (!strcmp(have, want))
		return;
	text = strdup(want);
	resp = strchr(text, ':');
	if (resp) {
		*resp++ = '\0';
		if (find_state(s, text))
			find_state(s, resp);
	} else if (strcmp(want, "-")) {
		reject_word(s, want, "a pair, ORIG:RESP, or - for no flow");
	}
	free(text);
	if (!s->ended)
		report_failure(s, "the pair is %s, not %s", have, want);
	s->ended = true;
}

static void print_notes(u64 notes)
{
	int i;

	for (i = 0; i < TFSM_NOTES; i++)
		if (notes & (u64)1 << i)
			printf("# noted: %s\n", note_names[i]);
}

/* A word behind the pair. Return: it holds. */
static bool is_noted(struct scenario *s, const char *word)
{
	const u64 notes = s->play.notes;
	int note;

	if (!strcmp(word, "no-notes"))
		return !notes;
	if (!strcmp(word, "no-refusal"))
		return !(notes & TFSM_REFUSALS);
	if (!strcmp(word, "a-refusal"))
		return notes & TFSM_REFUSALS;
	note = find_name(s, word, note_names, TFSM_NOTES);	/* or one of the three above */
	return note < 0 || play_noted(&s->play, note);
}

static void check_outcome(struct scenario *s, char **words)
{
	s->played = true;
	check_pair(s, *words);
	for (; !s->ended && *++words;) {
		if (is_noted(s, *words))
			continue;
		report_failure(s, "%s does not hold", *words);
		print_notes(s->play.notes);
	}
}

/* ---- what happens ---- */

static void play_text(struct scenario *s, const char *text)
{
	struct tfsm_seg seg;
	char bad[32];
	const char *right = play_read(text, &seg, bad);

	if (right) {
		reject_word(s, bad, right);
		return;
	}
	if (s->mirrored)
		mirror_segment(s, &seg);
	else if (seg.flags & TFSM_SYN)
		s->isn[seg.dir] = seg.seq;
	play_seg(&s->play, seg);
}

static void play_silence(struct scenario *s, const char *what, const char *word)
{
	int end;

	if (!s->play.alive) {
		reject_word(s, what, "a segment: there is no flow yet");
	} else if (!strcmp(what, "expire")) {
		play_expire(&s->play);
	} else {
		end = find_end(s, word);
		if (end >= 0)
			(*what == 'g' ? play_gone : play_lives)(&s->play, end);
	}
}

static void play_icmp(struct scenario *s, char **words)
{
	struct tfsm_icmp e = {};
	const char *right = NULL;
	int place;

	for (place = 0; !right && (place < 3 || words[place]); place++) {
		right = play_read_error_word(&e, place, words[place] ?: "");
		if (right)
			reject_word(s, words[place], right);
		if (!words[place])
			return;
	}
	if (!s->play.alive)
		reject_word(s, "icmp", "a segment: there is no flow yet");
	else if (!s->ended)
		play_error(&s->play, e);
}

/* ---- what is so from here on ---- */

static void set_switch(struct scenario *s, const char *word, bool on)
{
	switch (find_name(s, word, switch_names, ARRAY_SIZE(switch_names))) {
	case 0:
		s->play.rfc1337 = on;
		break;
	case 1:
		s->play.no_memory = on;
		break;
	}
}

static void do_set(struct scenario *s, char **words)
{
	set_switch(s, *words, true);
}

static void do_unset(struct scenario *s, char **words)
{
	set_switch(s, *words, false);
}

static void do_local(struct scenario *s, char **words)
{
	int end = find_end(s, words[0]), state;
	struct tfsm_local local = {};

	if (end < 0)
		return;
	if (!words[1] || strcmp(words[1], "unknown")) {
		state = find_state(s, words[1]);
		if (!state)
			return;
		local.state = state;
	}
	if (words[1] && words[2] &&
	    (strncmp(words[2], "fin=", 4) || !play_number(words[2] + 4, UINT32_MAX, &local.fin)))
		reject_word(s, words[2], "fin= and the end of the FIN that it has to send");
	s->play.local[end] = local;
}

static void do_blind(struct scenario *s, char **words)
{
	tfsm_blind(&s->play.flow);
}

static void do_wait(struct scenario *s, char **words)
{
	u32 seconds;

	if (!*words || !play_number(*words, 60, &seconds))
		reject_word(s, *words, "how many seconds pass, 0-60");
	else
		s->play.clock += seconds * 1000000000ULL;
}

static void do_confirm(struct scenario *s, char **words)
{
	s->play.flow.flags &= ~TCPFSM_F_UNCONFIRMED;
}

/* An exchange of the ends is none if they differ already. */
static void do_mirror(struct scenario *s, char **words)
{
	const struct tfsm_end *end = s->play.flow.end;

	if (s->play.alive && end[TCPFSM_ORIG].state != end[TCPFSM_RESP].state)
		reject_word(s, "mirror", "where both ends are in the same state");
	s->mirrored = s->in_mirror;
}

/* ---- expectations on lines of their own ---- */

static void check_path(struct scenario *s, char **words)
{
	int end = find_end(s, words[0]);
	char *want, *state, *rest;
	const char *have;

	if (end < 0)
		return;
	if (!words[1]) {
		reject_word(s, NULL, "the states, SYN_SENT>ESTABLISHED, with ! behind a corrected one");
		return;
	}
	have = show_path(s, end);
	if (!strcmp(have, words[1]))
		return;
	want = rest = strdup(words[1]);
	while (!s->ended && (state = strsep(&rest, ">"))) {
		state[strcspn(state, "!")] = '\0';
		find_state(s, state);
	}
	free(want);
	if (!s->ended)
		report_failure(s, "the path of %s is %s", words[0], have);
}

static void check_reason(struct scenario *s, const char *word, u8 have)
{
	int want = find_name(s, word, reason_names, TCPFSM_REASONS);

	if (s->mirrored)
		have = mirror_reason(have);
	if (want >= 0 && want != have)
		report_failure(s, "the reason is %s, not %s", reason_names[have], word);
}

static void check_own_reason(struct scenario *s, char **words)
{
	check_reason(s, *words, s->play.flow.reason);
}

static void check_reason_before(struct scenario *s, char **words)
{
	check_reason(s, *words, s->play.reason);
}

static void check_flows(struct scenario *s, char **words)
{
	u32 want;

	if (!*words || !play_number(*words, UINT32_MAX, &want))
		reject_word(s, *words, "the number of flows so far");
	else if (want != s->play.flows)
		report_failure(s, "there were %d flows, not %s", s->play.flows, *words);
}

/* Names of bits that are set, or with ! before them, not set. */
static void check_bits(struct scenario *s, char **words, u32 have, const char *const *names,
		       int count)
{
	if (!*words)
		find_name(s, NULL, names, count);
	for (; *words && !s->ended; words++) {
		bool without = **words == '!';
		int bit = find_name(s, *words + without, names, count);

		if (bit >= 0 && without == !!(have & 1U << bit))
			report_failure(s, "%s does not hold", *words);
	}
}

static void check_flags(struct scenario *s, char **words)
{
	check_bits(s, words, s->play.flow.flags, flag_names, ARRAY_SIZE(flag_names));
}

static void check_facts(struct scenario *s, char **words)
{
	int end = find_end(s, *words);

	if (end >= 0)
		check_bits(s, words + 1, s->play.flow.end[end].facts, fact_names,
			   ARRAY_SIZE(fact_names));
}

static void check_class(struct scenario *s, char **words)
{
	enum tfsm_class have = tfsm_class(&s->play.flow);
	int want = find_name(s, *words, class_names, TFSM_CLASSES);

	if (want >= 0 && want != have)
		report_failure(s, "the class is %s, not %s", class_names[have], *words);
}

/* What the flow keeps of ICMP errors of a sort. */
static void check_told(struct scenario *s, char **words)
{
	static const char *const sorts[] = { "unreachable", "mtu" };
	int sort = find_name(s, words[0], sorts, TFSM_ICMP_SORTS);
	const struct tfsm_told *told;
	char have[48] = "-", want[48];

	if (sort < 0)
		return;
	told = tfsm_told(&s->play.flow, sort);
	if (told)
		snprintf(have, sizeof(have), "%s %u %s", end_names[told->last.dir], told->count,
			 tfsm_told_pends(&s->play.flow, told) ? "pends" : "over");
	snprintf(want, sizeof(want), "%s%s%s%s%s", words[1] ?: "", words[1] && words[2] ? " " : "",
		 words[1] && words[2] ? words[2] : "", words[1] && words[2] && words[3] ? " " : "",
		 words[1] && words[2] && words[3] ? words[3] : "");
	if (strcmp(have, want))
		report_failure(s, "what ICMP errors have told is: %s, not: %s", have, want);
}

static void check_orig(struct scenario *s, char **words)
{
	const char *have = s->play.turned ^ s->mirrored ? "<" : ">";

	if (!*words || (strcmp(*words, ">") && strcmp(*words, "<")))
		reject_word(s, *words, "the direction in which orig sends, > or <");
	else if (strcmp(have, *words))
		report_failure(s, "orig sends %s", have);
}

/* ---- lines ---- */

/* The first word of a line without a pair; how many words it may take at most. */
static const struct directive {
	const char *name;
	int words;
	void (*apply)(struct scenario *s, char **words);
} directives[] = {
	{ "set", 1, do_set },
	{ "unset", 1, do_unset },
	{ "local", 3, do_local },
	{ "blind", 0, do_blind },
	{ "confirm", 0, do_confirm },
	{ "mirror", 0, do_mirror },
	{ "wait", 1, do_wait },
	{ "path", 2, check_path },
	{ "reason", 1, check_own_reason },
	{ "before", 1, check_reason_before },
	{ "flows", 1, check_flows },
	{ "flags", WORDS, check_flags },
	{ "facts", WORDS, check_facts },
	{ "class", 1, check_class },
	{ "told", 4, check_told },
	{ "orig", 1, check_orig },
};

static void split_words(char *text, char *words[WORDS + 1])
{
	int n = 0;

	while (n < WORDS && (words[n] = strsep(&text, " \t\n")))
		n += *words[n] != '\0';
	words[n] = NULL;
}

static void take_happening(struct scenario *s, char *text, char *outcome)
{
	char *expected[WORDS + 1], *words[WORDS + 1], *copy;

	if (!outcome) {
		reject_word(s, NULL, "| and the pair that is expected");
		return;
	}
	split_words(outcome, expected);
	copy = strdup(text);
	split_words(copy, words);
	if (strchr("<>", *words[0])) {
		play_text(s, text);
	} else if (!strcmp(words[0], "icmp")) {
		play_icmp(s, words + 1);
	} else {
		play_silence(s, words[0], words[1]);
		end_line(s, words + (*words[0] == 'e' ? 1 : 2));
	}
	free(copy);
	if (!s->ended)
		check_outcome(s, expected);
}

static void take_directive(struct scenario *s, char **words)
{
	const struct directive *d;
	int n;

	for (d = directives; d < directives + ARRAY_SIZE(directives); d++) {
		if (strcmp(words[0], d->name))
			continue;
		d->apply(s, words + 1);
		for (n = 0; n < d->words && words[1 + n]; n++)
			;
		end_line(s, words + 1 + n);
		return;
	}
	reject_word(s, words[0],
		    "a segment (> or <), icmp, expire, gone, lives, set, unset, local, blind, confirm, "
		    "mirror, wait, path, reason, before, flows, flags, facts, class, told or orig");
}

static bool is_happening(const char *word)
{
	return strchr("<>", *word) || !strcmp(word, "expire") || !strcmp(word, "gone") ||
	       !strcmp(word, "lives") || !strcmp(word, "icmp");
}

static void take_line(struct scenario *s, char *line)
{
	char *comment = strchr(line, '#'), *outcome, *copy, *words[WORDS + 1];

	if (comment == line && !strstr(line, "SPDX"))
		s->described = true;
	if (comment)
		*comment = '\0';
	if (!line[strspn(line, " \t\n")])
		return;
	if (!s->described) {
		report_failure(s, "no comment before this line says what the scenario shows");
		s->described = true;
	}
	copy = strdup(line);
	outcome = strchr(line, '|');
	if (outcome)
		*outcome++ = '\0';
	split_words(copy, words);
	if (is_happening(words[0]))
		take_happening(s, line, outcome);
	else
		take_directive(s, words);
	free(copy);
}

/* Return: the exit status of a process that has played this. */
static int play_test(const struct test *t)
{
	struct scenario s = { .file = t->file, .in_mirror = t->in_mirror };
	FILE *f = fopen(t->file, "re");
	char line[256];

	if (!f) {
		printf("# %s: %m\n", t->file);
		return 1;
	}
	while (!s.ended && fgets(line, sizeof(line), f)) {
		s.line++;
		take_line(&s, line);
	}
	if (!s.played && !s.ended)
		report_failure(&s, "the scenario expects nothing: a line is a segment, |, and a pair");
	fclose(f);
	if (s.play.alive)
		free(tfsm_ext(&s.play.flow));
	return s.failed;
}

/* ---- tests ---- */

struct list {
	struct test *tests;
	size_t count;
};

/* Its name: that of its file, without directory and suffix. */
static const char *name_test(const struct test *t)
{
	static char name[128];
	const char *base = strrchr(t->file, '/');

	base = base ? base + 1 : t->file;
	snprintf(name, sizeof(name), "%.*s%s", (int)(strlen(base) - strlen(SUFFIX)), base,
		 t->in_mirror ? ".mirrored" : "");
	return name;
}

/* Does the test's name contain one of these words? With no words, each does. */
static bool is_wanted(const struct test *t, char **words)
{
	const char *name = name_test(t);
	char **word;

	for (word = words; *word; word++)
		if (strstr(name, *word))
			return true;
	return !*words;
}

static void add_test(struct list *l, const char *file, bool in_mirror, char **words)
{
	const struct test t = { .file = strdup(file), .in_mirror = in_mirror };

	if (!is_wanted(&t, words)) {
		free(t.file);
		return;
	}
	l->tests = realloc(l->tests, (l->count + 1) * sizeof(*l->tests));
	l->tests[l->count++] = t;
}

static bool has_mirror(const char *file)
{
	char line[256], word[8];
	FILE *f = fopen(file, "re");
	bool has = false;

	while (f && !has && fgets(line, sizeof(line), f))
		has = sscanf(line, " %7s", word) == 1 && !strcmp(word, "mirror");
	if (f)
		fclose(f);
	return has;
}

static void add_file(struct list *l, const char *file, char **words)
{
	size_t len = strlen(file);

	if (len <= strlen(SUFFIX) || strcmp(file + len - strlen(SUFFIX), SUFFIX))
		return;
	add_test(l, file, false, words);
	if (has_mirror(file))
		add_test(l, file, true, words);
}

static int compare_entries(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Return: whether all could be read. */
static bool find_files(struct list *l, char *path, char **words)
{
	char *const paths[] = { path, NULL };
	FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, compare_entries);
	bool ok = true;
	FTSENT *e;

	while ((e = fts_read(walk))) {
		if (e->fts_info == FTS_NS || e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) {
			fprintf(stderr, "rules: %s: %s\n", e->fts_path, strerror(e->fts_errno));
			ok = false;
		} else if (e->fts_info == FTS_F) {
			add_file(l, e->fts_path, words);
		}
	}
	fts_close(walk);
	return ok;
}

/* Tests are looked up by their names. */
static bool has_same_name(const struct list *l, size_t i)
{
	char *name = strdup(name_test(&l->tests[i]));
	bool same = false;
	size_t j;

	for (j = 0; j < i && !same; j++)
		same = !strcmp(name, name_test(&l->tests[j]));
	if (same)
		printf("# %s: another scenario has this name: %s\n", l->tests[i].file,
		       l->tests[j - 1].file);
	free(name);
	return same;
}

/* In a process of its own, for what is impossible ends the process. */
static bool run_test(const struct test *t)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		exit(play_test(t));
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static bool run_tests(const struct list *l)
{
	bool failed = false;
	size_t i;

	printf("TAP version 13\n1..%zu\n", l->count);
	for (i = 0; i < l->count; i++) {
		bool ok = !has_same_name(l, i) && run_test(&l->tests[i]);

		printf("%sok %zu %s\n", ok ? "" : "not ", i + 1, name_test(&l->tests[i]));
		failed |= !ok;
	}
	return failed;
}

int main(int argc, char **argv)
{
	bool listing = argc > 1 && !strcmp(argv[1], "--list");
	struct list l = {};
	int status = 0;
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);	/* abort() loses what is not written yet */
	argv += 1 + listing;
	if (!*argv || **argv == '-') {
		fprintf(stderr, "usage: rules [--list] DIRECTORY [WORD...]\n"
				"Plays the scenarios (*" SUFFIX ") whose name contains a word.\n");
		return 2;
	}
	if (!find_files(&l, *argv, argv + 1))
		return 2;
	if (!listing && !l.count) {
		fprintf(stderr, "rules: no scenario (*" SUFFIX ") of that name in %s\n", *argv);
		return 2;
	}
	if (!listing)
		status = run_tests(&l);
	for (i = 0; i < l.count; i++) {
		if (listing)
			puts(name_test(&l.tests[i]));
		free(l.tests[i].file);
	}
	free(l.tests);
	return status;
}
