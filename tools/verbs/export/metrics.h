/* SPDX-License-Identifier: GPL-2.0 */
/* The module's numbers for Prometheus: OpenMetrics, or the text format before it. */
#ifndef VERBS_EXPORT_METRICS_H
#define VERBS_EXPORT_METRICS_H

#include <stdio.h>

#include "kernel/kernel.h"

/* Return: 0 or a negative errno for kernel_fail(); then what was written is not whole. */
int metrics_write(FILE *out, struct kernel *k, bool openmetrics);

#endif
