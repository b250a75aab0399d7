// SPDX-License-Identifier: GPL-2.0
#include "../compat.h"

struct probed {
	struct timer_list timer;
};

struct probed *probe_timer(struct timer_list *t)
{
	struct probed *p = tcpfsm_timer_owner(p, t, timer);

	tcpfsm_timer_shutdown(&p->timer);
	return p;
}
