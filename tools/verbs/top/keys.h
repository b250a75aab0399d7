/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOP_KEYS_H
#define TOP_KEYS_H

#include "verbs/top/view.h"

/* What a key does. Return: false to quit */
bool top_press(struct screen *s, int key);

#endif
