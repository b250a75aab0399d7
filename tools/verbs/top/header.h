/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VERBS_TOP_HEADER_H
#define VERBS_TOP_HEADER_H

#include "verbs/top/view.h"

/* The title and how full the table is; in two lines, rates as well. */
void draw_header(const struct screen *s, int lines);

#endif
