// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "lib/format.h"
#include "show/arcs.h"

const struct arc arcs_drawn[ARCS] = {
#define ARC(from, to, cause) { TCPFSM_##from, TCPFSM_##to, TCPFSM_##cause }
	ARC(CLOSED, LISTEN, PASSIVE_OPEN),
	ARC(CLOSED, SYN_SENT, SND_SYN),
	ARC(LISTEN, SYN_RCVD, SND_SYNACK),
	ARC(SYN_SENT, SYN_RCVD, SND_SYNACK),
	ARC(SYN_SENT, ESTABLISHED, TOOK_SYNACK),
	ARC(SYN_RCVD, ESTABLISHED, SYN_ACKED),
	ARC(SYN_RCVD, FIN_WAIT_1, SND_FIN),
	ARC(ESTABLISHED, FIN_WAIT_1, SND_FIN),
	ARC(ESTABLISHED, CLOSE_WAIT, TOOK_FIN),
	ARC(FIN_WAIT_1, FIN_WAIT_2, FIN_ACKED),
	ARC(FIN_WAIT_1, CLOSING, TOOK_FIN),
	ARC(FIN_WAIT_2, TIME_WAIT, TOOK_FIN),
	ARC(CLOSING, TIME_WAIT, FIN_ACKED),
	ARC(CLOSE_WAIT, LAST_ACK, SND_FIN),
	ARC(LAST_ACK, CLOSED, FIN_ACKED),
	ARC(TIME_WAIT, CLOSED, EXPIRE),
#undef ARC
};

double arc_rate(const struct figure *f, const struct arc *a)
{
	return f->seconds ? f->moves[a->from][a->to] / f->seconds : f->moves[a->from][a->to];
}

char *fmt_arc(char *buf, const struct figure *f, const struct arc *a)
{
	fmt_short(buf, arc_rate(f, a));
	if (f->seconds)
		strcat(buf, "/s");
	return buf;
}

static bool is_drawn(unsigned int from, unsigned int to)
{
	size_t i;

	for (i = 0; i < ARCS; i++)
		if (arcs_drawn[i].from == from && arcs_drawn[i].to == to)
			return true;
	return false;
}

unsigned int arcs_beside(const struct figure *f, struct arc *list)
{
	unsigned int n = 0, i, j;

	for (i = 0; i < TCPFSM_STATES; i++)
		for (j = 0; j < TCPFSM_STATES; j++)
			if (f->moves[i][j] && !is_drawn(i, j))
				list[n++] = (struct arc){ i, j, 0 };
	return n;
}
