// SPDX-License-Identifier: GPL-2.0
/* Which kind of segment the flags make. */
#include "tfsm.h"

/* PSH and URG make no difference. */
#define WITH_DATA(flags, kind)						\
	[flags] = (kind),						\
	[(flags) | TFSM_PSH] = (kind),					\
	[(flags) | TFSM_URG] = (kind),					\
	[(flags) | TFSM_PSH | TFSM_URG] = (kind)

/* What is not here is TFSM_KIND_BAD. */
const u8 tfsm_kinds[TFSM_FLAGS + 1] = {
	WITH_DATA(TFSM_SYN, TFSM_KIND_SYN),
	WITH_DATA(TFSM_SYN | TFSM_ACK, TFSM_KIND_SYNACK),
	WITH_DATA(TFSM_SYN | TFSM_ACK | TFSM_FIN, TFSM_KIND_SYNACK),	/* RFC 9293 3.10.7.3 */
	WITH_DATA(TFSM_RST, TFSM_KIND_RST),
	WITH_DATA(TFSM_RST | TFSM_ACK, TFSM_KIND_RST),
	WITH_DATA(TFSM_ACK, TFSM_KIND_ACK),
	WITH_DATA(TFSM_FIN | TFSM_ACK, TFSM_KIND_ACK),
	WITH_DATA(TFSM_FIN, TFSM_KIND_NO_ACK),
	/* Data without ACK; nothing at all is a null scan. */
	[TFSM_PSH] = TFSM_KIND_NO_ACK,
	[TFSM_URG] = TFSM_KIND_NO_ACK,
	[TFSM_PSH | TFSM_URG] = TFSM_KIND_NO_ACK,
};
