// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "data/flow.h"
#include "data/names.h"

bool is_local_end(const struct flow *f, unsigned int end)
{
	return f->flags & (end == TCPFSM_ORIG ? TCPFSM_F_LOCAL_ORIG : TCPFSM_F_LOCAL_RESP);
}

char *fmt_pair(char *buf, unsigned int orig, unsigned int resp)
{
	char *p = stpcpy(buf, state_name(orig));

	*p++ = ':';
	strcpy(p, state_name(resp));
	return buf;
}

char *fmt_flags(char *buf, u32 flags)
{
	char *p = buf;
	unsigned int bit;

	*p = '\0';
	for (bit = 0; bit < 32; bit++) {
		const char *name = flags >> bit & 1 ? flag_name(bit) : NULL;

		if (!name)
			continue;
		if (p != buf)
			*p++ = ',';
		p = stpcpy(p, name);
	}
	if (p == buf)
		strcpy(buf, "-");
	return buf;
}

char *fmt_holders(char *buf, const struct flow *f)
{
	const struct process *p;
	char *at = buf;
	unsigned int i;

	*at = '\0';
	for (i = 0; i < TCPFSM_ENDS; i++) {
		p = f->end[i].process;
		if (p)
			at += sprintf(at, "%s%s:%s(%d)", at == buf ? "" : ",", end_name(i), p->name,
				      p->pid);
	}
	return buf;
}

char *fmt_told(char *buf, const struct flow *f, unsigned int sort, bool pends)
{
	const struct told *t = &f->told[sort];
	char addr[FMT_ADDR], mtu[24] = "", count[24] = "once";

	if (t->mtu)
		snprintf(mtu, sizeof(mtu), ", MTU %u", t->mtu);
	if (t->count > 1)
		snprintf(count, sizeof(count), "%u times", t->count);
	snprintf(buf, FMT_TOLD, "%s: %s (%u/%u)%s, of %s's segments, %s%s",
		 fmt_addr(addr, f->tuple.family, t->origin),
		 icmp_name(f->tuple.family == AF_INET6, t->type, t->code), t->type, t->code, mtu,
		 end_name(t->end), count,
		 pends && t->pends ? ", and nothing has been acknowledged since" : "");
	return buf;
}
