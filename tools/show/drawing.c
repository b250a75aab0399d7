// SPDX-License-Identifier: GPL-2.0
/* RFC 793's figure in characters, for a terminal. */
#include <stdio.h>
#include <string.h>

#include "data/names.h"
#include "lib/out.h"
#include "show/drawing.h"

#define WIDTH	80

/*
 * {X} stands for the ends in a state, {X>Y} for what moves along an arc; each is as wide as its
 * braces. A field that ends in < is aligned to the right.
 */
static const char * const drawing[] = {
	"                                +---------------+",
	"                                |    CLOSED     |",
	"                                |{C            }|",
	"                                +---------------+",
	"            {C>L              <}  |           |  {C>S               }",
	"                 +----------------+           +----------------+",
	"                 v                                             v",
	"         +---------------+                             +---------------+",
	"         |    LISTEN     |                             |   SYN_SENT    |",
	"         |{L            }|                             |{S            }|",
	"         +---------------+                             +---------------+",
	"                 | {L>R               }                  |         |",
	"                 v                                       |         |",
	"         +---------------+     {S>R                }     |         |",
	"         |   SYN_RCVD    |<------------------------------+         |",
	"         |{R            }|                                         |",
	"         +---------------+ {R>E                }                   |",
	"             |       |          +---------------+ {S>E          <} |",
	"             |       +--------->|  ESTABLISHED  |<-----------------+",
	"             |                  |{E            }|",
	"             | {R>F1          } +---------------+",
	"             |   {E>F1         <} |           | {E>W               }",
	"             |   +----------------+           +----------------+",
	"             v   v                                             v",
	"         +---------------+                             +---------------+",
	"         |  FIN_WAIT_1   |                             |  CLOSE_WAIT   |",
	"         |{F1           }|                             |{W            }|",
	"         +---------------+                             +---------------+",
	"             |       | {F1>G              }                    |",
	"             |       +------------------+                      |",
	"             | {F1>F2             }     |   {W>A            <} |",
	"             v                          v                      v",
	"         +---------------+      +---------------+      +---------------+",
	"         |  FIN_WAIT_2   |      |    CLOSING    |      |   LAST_ACK    |",
	"         |{F2           }|      |{G            }|      |{A            }|",
	"         +---------------+      +---------------+      +---------------+",
	"                 | {F2>T              } |  {A>C              <} |",
	"                 |                      v {G>T             }   v",
	"                 |              +---------------+      +---------------+",
	"                 +------------->|   TIME_WAIT   |----->|    CLOSED     |",
	"                                |{T            }|      +---------------+",
	"                                +---------------+ {T>C            }",
};

static const struct { const char *code; u8 state; } codes[] = {
	{ "C", TCPFSM_CLOSED }, { "L", TCPFSM_LISTEN }, { "S", TCPFSM_SYN_SENT },
	{ "R", TCPFSM_SYN_RCVD }, { "E", TCPFSM_ESTABLISHED }, { "F1", TCPFSM_FIN_WAIT_1 },
	{ "F2", TCPFSM_FIN_WAIT_2 }, { "W", TCPFSM_CLOSE_WAIT }, { "G", TCPFSM_CLOSING },
	{ "A", TCPFSM_LAST_ACK }, { "T", TCPFSM_TIME_WAIT },
};

static unsigned int state_of_code(const char *code, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(codes); i++)
		if (strlen(codes[i].code) == len && !memcmp(codes[i].code, code, len))
			return codes[i].state;
	return TCPFSM_STATE_UNSET;
}

/* The text of a field: @key is X or X>Y, up to a blank, < or }. */
static void field_text(char *text, size_t size, const struct figure *f, const char *key)
{
	unsigned int from = state_of_code(key, strcspn(key, "> <}"));
	const char *arrow = key + strcspn(key, "> <}");
	char a[FMT_ARC], b[FMT_SHORT];
	size_t i;

	if (*arrow != '>') {
		snprintf(text, size, "%s / %s", fmt_short(a, f->orig[from]),
			 fmt_short(b, f->resp[from]));
		return;
	}
	for (i = 0; i < ARCS; i++)
		if (arcs_drawn[i].from == from &&
		    arcs_drawn[i].to == state_of_code(arrow + 1, strcspn(arrow + 1, " <}")))
			snprintf(text, size, "%s %s", cause_name(arcs_drawn[i].cause),
				 fmt_arc(a, f, &arcs_drawn[i]));
}

/* Return: where the drawing goes on */
static const char *print_field(const struct figure *f, const char *field)
{
	const char *end = strchr(field, '}');
	int width = end - field + 1, pad;
	char text[64] = "";

	field_text(text, sizeof(text), f, field + 1);
	pad = width > (int)strlen(text) ? width - (int)strlen(text) : 0;
	if (!memchr(field, '>', width))
		out_text("%*s%s%*s", pad / 2, "", text, pad - pad / 2, "");
	else if (end[-1] == '<')
		out_text("%*s%s", pad, "", text);
	else
		out_text("%s%*s", text, pad, "");
	return end + 1;
}

static void print_beside(const struct figure *f)
{
	struct arc list[ARCS_BESIDE_MAX];
	unsigned int n = arcs_beside(f, list), i, column = WIDTH;
	char text[96], number[FMT_ARC];

	if (n)
		out_text("\nNot in the figure:");
	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%s > %s %s%s", state_name(list[i].from),
			 state_name(list[i].to), fmt_arc(number, f, &list[i]),
			 i + 1 < n ? "," : "");
		if (column + 1 + strlen(text) > WIDTH) {
			out_text("\n ");
			column = 1;
		}
		out_text(" %s", text);
		column += 1 + strlen(text);
	}
	if (n)
		out_text("\n");
}

void drawing_print(const struct figure *f)
{
	size_t i;

	out_text("%s\n\n", f->title);
	for (i = 0; i < ARRAY_SIZE(drawing); i++) {
		const char *p = drawing[i];

		while (*p) {
			size_t plain = strcspn(p, "{");

			out_text("%.*s", (int)plain, p);
			p += plain;
			if (*p)
				p = print_field(f, p);
		}
		out_text("\n");
	}
	print_beside(f);
	out_text("\nIn the states: ends now, orig's / resp's. At the arcs: moves%s.\n",
		 f->seconds ? " a second" : "");
}
