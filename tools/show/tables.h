/* SPDX-License-Identifier: GPL-2.0 */
/* Tables that more than one verb prints, in text and in JSON. */
#ifndef TABLES_H
#define TABLES_H

#include "kernel/message.h"

/* stats.c: members of an object. @rate: by state, how many ends entered it a second; or NULL */
void stats_print(const struct stats *s, const double *rate);

/* services.c */
void service_header(void);
void service_print(const struct service *s);

#endif
