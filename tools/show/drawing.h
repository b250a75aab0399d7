/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHOW_DRAWING_H
#define SHOW_DRAWING_H

#include "show/figure.h"

void drawing_print(const struct figure *f);

#endif
