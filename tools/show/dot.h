/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHOW_DOT_H
#define SHOW_DOT_H

#include <stdio.h>

#include "show/arcs.h"

void dot_print(FILE *out, const struct figure *f);
/* Lets Graphviz's dot draw it. Return: EXIT_FOUND, or EXIT_ERROR and said why. */
int dot_print_svg(const struct figure *f);

#endif
