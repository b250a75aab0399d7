// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "data/service.h"

char *fmt_service(char *buf, const struct service *s)
{
	return s->family ? fmt_endpoint(buf, s->family, s->addr, s->port) : strcpy(buf, "other");
}
