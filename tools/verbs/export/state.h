/* SPDX-License-Identifier: GPL-2.0 */
/* What the page shows, /state.json: counts, services, and the flows that are stuck. */
#ifndef EXPORT_STATE_H
#define EXPORT_STATE_H

#include <stdio.h>

#include "kernel/kernel.h"

/* Return: 0 or a negative errno for kernel_fail(); then nothing is written. */
int state_write(FILE *out, struct kernel *k);

#endif
