/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VERBS_TOP_SCREEN_H
#define VERBS_TOP_SCREEN_H

#include "verbs/top/data.h"

/*
 * Shows it on the terminal until the user quits. The words are those of the filter.
 * Return: an exit status
 */
int top_screen(struct top *t, int argc, char **argv);

#endif
