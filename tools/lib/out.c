// SPDX-License-Identifier: GPL-2.0
/*
 * Lines are written as they come, of which millions may pass, and leave in large pieces. A JSON
 * document waits in the buffer until it is complete, so that an error leaves nothing half said.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/format.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/options.h"
#include "lib/out.h"

#define PIECE	(1 << 19)	/* bytes worth a system call */

static struct {
	enum out_shape shape;
	struct buffer buf;
	size_t line;		/* where the open line or document begins */
	struct json json;
	bool colours;
	enum out_paint paint;	/* of the next cell */
	const struct out_column *column;	/* of the next value of a row */
} out = { .json.to = &out.buf };

/* ---- the buffer ---- */

static void write_out(size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(STDOUT_FILENO, out.buf.data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			out.buf.len = 0;
			out.line = 0;
			exit(fail("cannot write: %s", strerror(errno)));
		}
		done += n;
	}
	if (!len)
		return;
	out.buf.len -= len;
	memmove(out.buf.data, out.buf.data + len, out.buf.len);
	out.line -= out.line < len ? out.line : len;
}

static void mark_line_end(void)
{
	out.line = out.buf.len;
	if (out.line >= PIECE)
		write_out(out.line);
}

static void end_line(void)
{
	buffer_char(&out.buf, '\n');
	mark_line_end();
}

void out_flush(void)
{
	/* What stands in an open line of text is complete; of JSON it is not. */
	write_out(out.shape == OUT_TEXT ? out.buf.len : out.line);
}

void out_start(enum out_shape shape)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	note_after(out_flush);
	out.buf.len = out.line;
	out.json.depth = 0;
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

/* ---- JSON ---- */

struct json *out_json(void)
{
	return out_is_text() ? NULL : &out.json;
}

void out_json_done(void)
{
	if (!out.json.depth)
		end_line();
}

void out_object(const char *key)
{
	if (!out_is_text())
		jsonw_object(&out.json, key);
}

void out_array(const char *key)
{
	if (!out_is_text())
		jsonw_array(&out.json, key);
}

void out_end(void)
{
	if (out_is_text() || !out.json.depth)
		return;
	jsonw_end(&out.json);
	out_json_done();
}

/* ---- text ---- */

static void put_spaces(size_t n)
{
	memset(buffer_room(&out.buf, n), ' ', n);
	out.buf.len += n;
}

static void put_painted(const char *s, size_t len)
{
	static const char * const codes[] = {
		[OUT_GOOD] = "\033[32m", [OUT_ODD] = "\033[33m", [OUT_BAD] = "\033[31m",
		[OUT_OVER] = "\033[2m",
	};

	buffer_put(&out.buf, codes[out.paint], strlen(codes[out.paint]));
	buffer_put(&out.buf, s, len);
	buffer_put(&out.buf, "\033[0m", 4);
	out.paint = OUT_PLAIN;
}

static void put_cell(int width, const char *s, size_t len)
{
	size_t want = width < 0 ? -width : width;
	size_t pad = want > len ? want - len : 0;

	if (out.buf.len != out.line)
		buffer_char(&out.buf, ' ');
	if (width > 0)
		put_spaces(pad);
	if (out.paint)
		put_painted(s, len);
	else
		buffer_put(&out.buf, s, len);
	if (width < 0)
		put_spaces(pad);
}

void out_text(const char *fmt, ...)
{
	va_list ap;
	size_t len;
	char *s;

	if (!out_is_text())
		return;
	va_start(ap, fmt);
	s = string_print(fmt, ap);
	va_end(ap);
	len = strlen(s);
	if (out.paint)
		put_painted(s, len);
	else
		buffer_put(&out.buf, s, len);
	if (len && s[len - 1] == '\n')
		mark_line_end();
	free(s);
}

void out_line(void)
{
	if (!out_is_text())
		return;
	while (out.buf.len > out.line && out.buf.data[out.buf.len - 1] == ' ')
		out.buf.len--;
	end_line();
}

/* ---- values ---- */

void out_real(const char *key, double v)
{
	if (!out_is_text())
		jsonw_real(&out.json, key, v, out.shape == OUT_DOCUMENT ? JSON_EXACT : 3);
}

void out_num(const char *key, int width, u64 v)
{
	char cell[FMT_U64];

	if (!out_is_text()) {
		if (key)
			jsonw_num(&out.json, key, v);
	} else if (width) {
		put_cell(width, cell, put_u64(cell, v) - cell);
	}
}

void out_str(const char *key, int width, const char *s)
{
	if (!out_is_text()) {
		if (key)
			jsonw_str(&out.json, key, s);
	} else if (width) {
		put_cell(width, s ? s : "-", s ? strlen(s) : 1);
	}
}

void out_true(const char *key)
{
	if (!out_is_text())
		jsonw_true(&out.json, key);
}

/* ---- tables ---- */

void out_header(const struct out_column *c)
{
	if (!out_is_text() || opt.no_header)
		return;
	for (; c->name; c++)
		put_cell(c->width, c->name, strlen(c->name));
	out_line();
}

void out_row(const struct out_column *columns)
{
	out.column = columns;
}

void out_row_num(u64 v)
{
	out_num(out.column->key, out.column->width, v);
	out.column++;
}

void out_row_str(const char *s)
{
	out_str(out.column->key, out.column->width, s);
	out.column++;
}
