/* SPDX-License-Identifier: GPL-2.0 */
/* What the page shows, /state.json: counts, services, and the flows that are stuck. */
#ifndef VERBS_EXPORT_STATE_H
#define VERBS_EXPORT_STATE_H

#include <stdio.h>

#include "kernel/kernel.h"

/* Return: 0 or a negative errno for kernel_fail(); then nothing is written. */
int state_write(FILE *out, struct kernel *k);

#endif
