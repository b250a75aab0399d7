/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include "verbs/top/data.h"

/*
 * Show it on the terminal until the user has seen enough. The words are those of the filter.
 * Return: an exit status
 */
int top_screen(struct top *t, int argc, char **argv);

#endif
