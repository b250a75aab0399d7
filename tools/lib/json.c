// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "lib/format.h"
#include "lib/json.h"

#define REAL_SIZE	400	/* digits of the largest double, and a fraction */

static void put_key(struct json *j, const char *key)
{
	unsigned int top = j->depth - 1;
	size_t n;
	char *p;

	if (!j->depth)
		return;
	if (j->more[top])
		buffer_char(j->to, ',');
	j->more[top] = true;
	if (j->close[top] != '}')
		return;
	n = strlen(key);	/* keys are the tool's own: there is nothing to escape */
	p = buffer_room(j->to, n + 3);
	*p = '"';
	memcpy(p + 1, key, n);
	memcpy(p + 1 + n, "\":", 2);
	j->to->len += n + 3;
}

static void open_level(struct json *j, const char *key, char open, char close)
{
	if (j->depth == JSON_DEPTH)
		return;
	put_key(j, key);
	buffer_char(j->to, open);
	j->close[j->depth] = close;
	j->more[j->depth++] = false;
}

void jsonw_object(struct json *j, const char *key)
{
	open_level(j, key, '{', '}');
}

void jsonw_array(struct json *j, const char *key)
{
	open_level(j, key, '[', ']');
}

void jsonw_end(struct json *j)
{
	if (j->depth)
		buffer_char(j->to, j->close[--j->depth]);
}

void jsonw_num(struct json *j, const char *key, u64 v)
{
	char *digits;

	put_key(j, key);
	digits = buffer_room(j->to, FMT_U64);
	j->to->len += put_u64(digits, v) - digits;
}

/* Seventeen digits tell every double, but a whole number needs its point to stay a real. */
static size_t print_exact(char *text, double v)
{
	size_t n = snprintf(text, REAL_SIZE, "%.17g", v);

	if (!strpbrk(text, ".e"))
		n += snprintf(text + n, REAL_SIZE - n, ".0");
	return n;
}

void jsonw_real(struct json *j, const char *key, double v, int digits)
{
	char *text;

	put_key(j, key);
	text = buffer_room(j->to, REAL_SIZE);
	j->to->len += digits == JSON_EXACT ? print_exact(text, v) :
		      (size_t)snprintf(text, REAL_SIZE, "%.*f", digits, v);
}

/* How long the sequence at @s is; 0: it is no UTF-8. RFC 3629, table in section 4 */
static size_t utf8_length(const unsigned char *s)
{
	size_t len = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 :
		     *s < 0xf5 ? 4 : 0, i;

	for (i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) ||
	    (*s == 0xf0 && s[1] < 0x90) || (*s == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

bool is_utf8(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n;

	for (; *p; p += n) {
		n = utf8_length(p);
		if (!n)
			return false;
	}
	return true;
}

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~' || *s == '"' || *s == '\\')
			return false;
	return true;
}

static void put_escaped(struct buffer *b, const char *s)
{
	static const char letters[] = "\bb\ff\nn\rr\tt\"\"\\\\";
	char code[8];

	for (; *s; s++) {
		const char *l = letters;

		while (*l && *l != *s)
			l += 2;
		if (*l) {
			buffer_char(b, '\\');
			buffer_char(b, l[1]);
		} else if ((unsigned char)*s < ' ') {
			buffer_put(b, code, snprintf(code, sizeof(code), "\\u%04X", *s));
		} else {
			buffer_char(b, *s);
		}
	}
}

void jsonw_str(struct json *j, const char *key, const char *s)
{
	bool plain = s && is_plain(s);

	if (!plain && (!s || !is_utf8(s))) {
		jsonw_null(j, key);
		return;
	}
	put_key(j, key);
	buffer_char(j->to, '"');
	if (plain)
		buffer_put(j->to, s, strlen(s));
	else
		put_escaped(j->to, s);
	buffer_char(j->to, '"');
}

void jsonw_null(struct json *j, const char *key)
{
	put_key(j, key);
	buffer_put(j->to, "null", 4);
}

void jsonw_true(struct json *j, const char *key)
{
	put_key(j, key);
	buffer_put(j->to, "true", 4);
}
