/* SPDX-License-Identifier: GPL-2.0 */
/* Names of hosts and ports. Each is asked for once, and a resolver that is silent not for long. */
#ifndef DATA_RESOLVE_H
#define DATA_RESOLVE_H

#include "lib/base.h"

/* Return: NULL: it has no name, or the resolver does not tell. */
const char *host_name(int family, const u8 *addr);
const char *port_name(u16 port);

#endif
