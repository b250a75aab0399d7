/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VERBS_TOP_KEYS_H
#define VERBS_TOP_KEYS_H

#include "verbs/top/view.h"

/* Does what a key stands for. Return: false to quit */
bool top_press(struct screen *s, int key);

#endif
