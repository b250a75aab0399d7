/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHOW_DRAWING_H
#define SHOW_DRAWING_H

#include "show/arcs.h"

void drawing_print(const struct figure *f);

#endif
