// SPDX-License-Identifier: GPL-2.0
/* Options of a TCP header. */
#include "tfsm.h"

enum {
	OPTION_END		= 0,	/* RFC 9293 3.1 */
	OPTION_NOP		= 1,
	OPTION_WINDOW		= 3,	/* RFC 7323 2.2 */
	OPTION_WINDOW_LENGTH	= 3,
};

void tfsm_read_options(struct tfsm_seg *s, const u8 *p, unsigned int len)
{
	const u8 *end = p + len;

	while (p < end && *p != OPTION_END) {
		if (*p == OPTION_NOP) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return;
		if (*p == OPTION_WINDOW && p[1] == OPTION_WINDOW_LENGTH) {
			s->has_wscale = true;
			s->wscale = p[2] > 14 ? 14 : p[2];	/* RFC 7323 2.3 */
		}
		p += p[1];
	}
}
