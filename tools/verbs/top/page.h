/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VERBS_TOP_PAGE_H
#define VERBS_TOP_PAGE_H

#include "verbs/top/view.h"

/* The overlay, in place of the panels, from line @top on. */
void draw_page(struct screen *s, int top);

#endif
