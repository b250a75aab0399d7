/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FILTER_TERM_H
#define FILTER_TERM_H

#include "filter/lexer.h"
#include "filter/node.h"

/* The term at hand. Return: NULL, and said why. */
struct filter *term_parse(struct lexer *p);

#endif
