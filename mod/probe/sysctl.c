// SPDX-License-Identifier: GPL-2.0
#include "../compat.h"

static int probe_handler(tcpfsm_ctl_table *table, int write, void *buffer, size_t *len, loff_t *pos)
{
	return proc_douintvec_minmax(table, write, buffer, len, pos);
}

struct ctl_table probe_table = {
	.proc_handler = probe_handler,
};
