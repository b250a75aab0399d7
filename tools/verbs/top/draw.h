/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VERBS_TOP_DRAW_H
#define VERBS_TOP_DRAW_H

#include "verbs/top/view.h"

void draw(struct screen *s);

#endif
