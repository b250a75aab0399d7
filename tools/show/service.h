/* SPDX-License-Identifier: GPL-2.0 */
/* The table of services; JSON rows stand in an array that the caller has open. */
#ifndef SHOW_SERVICE_H
#define SHOW_SERVICE_H

#include "data/service.h"

void service_header(void);
void service_print(const struct service *s);
/* What the columns mean, in text only. */
void service_explain(void);

#endif
