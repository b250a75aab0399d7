// SPDX-License-Identifier: GPL-2.0
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
