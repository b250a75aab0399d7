// SPDX-License-Identifier: GPL-2.0
/*
 * Text, JSON documents and JSON lines behind one interface.
 *
 * Documents are built with jansson. Lines, of which millions may pass, are written as they
 * come: building a tree for each costs ten times as much. That is safe since keys are ours
 * and numbers need no care; a string that holds anything but plain ASCII goes through
 * jansson there, too.
 */
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/fmt.h"
#include "lib/out.h"

#define DEPTH		8
#define REAL		400	/* digits of the largest double, and a fraction */
#define PLAIN_MAX	1024	/* longer ones go the long way */

static struct {
	enum out_shape shape;
	char buf[1 << 19];
	size_t len;
	size_t line;		/* where the line began */
	unsigned int depth;
	char close[DEPTH];	/* '}' or ']' */
	bool more[DEPTH];	/* a comma goes before what comes */
	json_t *tree[DEPTH];
	bool colours;
	enum out_paint paint;	/* of the next cell */
} out;

void out_start(enum out_shape shape)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (out.depth && out.shape == OUT_DOCUMENT)
		json_decref(out.tree[0]);
	out.depth = 0;
	out.shape = opt.json ? shape : OUT_TEXT;
	out.colours = isatty(STDOUT_FILENO) && !(no && *no) && !(term && !strcmp(term, "dumb"));
	out.paint = OUT_PLAIN;
}

void out_paint(enum out_paint paint)
{
	if (out.colours)
		out.paint = paint;
}

bool out_is_text(void)
{
	return out.shape == OUT_TEXT;
}

void out_flush(void)
{
	size_t done = 0;

	while (done < out.len) {
		ssize_t n = write(STDOUT_FILENO, out.buf + done, out.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			out.len = 0;
			exit(fail("cannot write: %s", strerror(errno)));
		}
		done += n;
	}
	out.len = 0;
	out.line = 0;
}

/* What stands in an open line stays. */
static __attribute__((noinline)) void make_room(size_t n)
{
	size_t open = out.len - out.line;

	out.len = out.line;
	if (out.len) {
		size_t at = out.len;

		out_flush();
		memmove(out.buf, out.buf + at, open);
	}
	out.len = open;
	if (out.len + n > sizeof(out.buf))
		out_flush();		/* a line longer than the buffer */
}

/* Room for n bytes behind what is there. */
static inline char *room(size_t n)
{
	if (out.len + n > sizeof(out.buf))
		make_room(n);
	return out.buf + out.len;
}

static int put(const char *s, size_t n, void *unused)
{
	(void)unused;
	while (n) {
		size_t part = n < sizeof(out.buf) / 2 ? n : sizeof(out.buf) / 2;

		memcpy(room(part), s, part);
		out.len += part;
		s += part;
		n -= part;
	}
	return 0;
}

static inline void put_char(char c)
{
	*room(1) = c;
	out.len++;
}

/* JSON lines */

static bool plain(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~' || *s == '"' || *s == '\\')
			return false;
	return true;
}

static void put_json_str(const char *s)
{
	size_t n = strlen(s);
	json_t *j;
	char *p;

	if (n <= PLAIN_MAX && plain(s)) {
		p = room(n + 2);
		*p = '"';
		memcpy(p + 1, s, n);
		p[n + 1] = '"';
		out.len += n + 2;
		return;
	}
	j = json_string(s);
	if (!j || json_dump_callback(j, put, NULL, JSON_ENCODE_ANY))
		put("null", 4, NULL);
	json_decref(j);
}

static void put_key(const char *key)
{
	if (!out.depth)
		return;
	if (out.more[out.depth - 1])
		put_char(',');
	out.more[out.depth - 1] = true;
	if (out.close[out.depth - 1] == '}') {
		size_t n = strlen(key);		/* ours, hence short */
		char *p = room(n + 3);

		*p = '"';
		memcpy(p + 1, key, n);
		memcpy(p + 1 + n, "\":", 2);
		out.len += n + 3;
	}
}

/* JSON documents */

static json_t *must(json_t *j)
{
	if (!j)
		exit(fail("out of memory"));
	return j;
}

static void add(const char *key, json_t *value)
{
	json_t *in = out.depth ? out.tree[out.depth - 1] : NULL;

	must(value);
	if (!in)
		return;
	if (json_is_array(in))
		json_array_append_new(in, value);
	else
		json_object_set_new(in, key, value);
}

static void open_json(const char *key, char mark, char close)
{
	if (out.shape == OUT_TEXT || out.depth == DEPTH)
		return;
	if (out.shape == OUT_LINES) {
		put_key(key);
		put_char(mark);
	} else {
		json_t *tree = must(mark == '{' ? json_object() : json_array());

		add(key, tree);
		out.tree[out.depth] = tree;
	}
	out.close[out.depth] = close;
	out.more[out.depth++] = false;
}

void out_object(const char *key)
{
	open_json(key, '{', '}');
}

void out_array(const char *key)
{
	open_json(key, '[', ']');
}

void out_end(void)
{
	if (out.shape == OUT_TEXT || !out.depth)
		return;
	out.depth--;
	if (out.shape == OUT_LINES) {
		put_char(out.close[out.depth]);
	} else if (!out.depth) {
		json_dump_callback(out.tree[0], put, NULL, JSON_COMPACT);
		json_decref(out.tree[0]);
	}
	if (!out.depth) {
		put_char('\n');
		out.line = out.len;
	}
}

/* Text */

static void put_spaces(size_t n)
{
	memset(room(n), ' ', n);
	out.len += n;
}

static void put_painted(const char *s, size_t len)
{
	static const char * const codes[] = {
		[OUT_GOOD] = "\033[32m", [OUT_ODD] = "\033[33m", [OUT_BAD] = "\033[31m",
		[OUT_OVER] = "\033[2m",
	};

	put(codes[out.paint], strlen(codes[out.paint]), NULL);
	put(s, len, NULL);
	put("\033[0m", 4, NULL);
	out.paint = OUT_PLAIN;
}

static void put_cell(int width, const char *s, size_t len)
{
	size_t want = width < 0 ? -width : width;
	size_t pad = want > len ? want - len : 0;

	if (out.len != out.line)
		put_char(' ');
	if (width > 0)
		put_spaces(pad);
	if (out.paint)
		put_painted(s, len);
	else
		put(s, len, NULL);
	if (width < 0)
		put_spaces(pad);
}

void out_text(const char *fmt, ...)
{
	char *s;
	va_list ap;
	int n;

	if (out.shape != OUT_TEXT)
		return;
	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		exit(fail("out of memory"));
	if (out.paint)
		put_painted(s, n);
	else
		put(s, n, NULL);
	if (n && s[n - 1] == '\n')
		out.line = out.len;
	free(s);
}

void out_line(void)
{
	if (out.shape != OUT_TEXT)
		return;
	while (out.len > out.line && out.buf[out.len - 1] == ' ')
		out.len--;
	put_char('\n');
	out.line = out.len;
}

void out_header(const struct out_column *c)
{
	if (out.shape != OUT_TEXT || opt.no_header)
		return;
	for (; c->name; c++)
		put_cell(c->width, c->name, strlen(c->name));
	out_line();
}

/* Values */

void out_real(const char *key, double v)
{
	if (out.shape == OUT_DOCUMENT) {
		add(key, json_real(v));
	} else if (out.shape == OUT_LINES) {
		put_key(key);
		out.len += snprintf(room(REAL), REAL, "%.3f", v);
	}
}

void out_num(const char *key, int width, u64 v)
{
	char cell[FMT_U64], *digits;

	if (out.shape == OUT_TEXT) {
		if (width)
			put_cell(width, cell, put_u64(cell, v) - cell);
	} else if (key) {
		if (out.shape == OUT_DOCUMENT) {
			add(key, json_integer(v));
			return;
		}
		put_key(key);
		digits = room(FMT_U64);
		out.len += put_u64(digits, v) - digits;
	}
}

void out_str(const char *key, int width, const char *s)
{
	if (out.shape == OUT_TEXT) {
		if (width)
			put_cell(width, s ? s : "-", s ? strlen(s) : 1);
	} else if (key) {
		if (out.shape == OUT_DOCUMENT) {
			json_t *j = s ? json_string(s) : NULL;

			add(key, j ? j : json_null());
			return;
		}
		put_key(key);
		if (s)
			put_json_str(s);
		else
			put("null", 4, NULL);
	}
}

void out_true(const char *key)
{
	if (out.shape == OUT_DOCUMENT) {
		add(key, json_true());
	} else if (out.shape == OUT_LINES) {
		put_key(key);
		put("true", 4, NULL);
	}
}
