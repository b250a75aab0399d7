/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOP_DRAW_H
#define TOP_DRAW_H

#include "verbs/top/view.h"

void draw(struct screen *s);

#endif
