// SPDX-License-Identifier: GPL-2.0
/* Which kind of segment the flags make. */
#include "tfsm.h"

enum tfsm_kind tfsm_classify(u8 flags)
{
	switch (flags & (TFSM_SYN | TFSM_FIN | TFSM_RST | TFSM_ACK)) {
	case TFSM_SYN:
		return TFSM_KIND_SYN;
	case TFSM_SYN | TFSM_ACK:
		return TFSM_KIND_SYNACK;
	case TFSM_RST:
	case TFSM_RST | TFSM_ACK:
		return TFSM_KIND_RST;
	case TFSM_ACK:
	case TFSM_ACK | TFSM_FIN:
		return TFSM_KIND_ACK;
	case 0:
		/* PSH or URG alone is data without ACK; nothing at all is a null scan. */
		return flags & (TFSM_PSH | TFSM_URG) ? TFSM_KIND_NO_ACK : TFSM_KIND_BAD;
	case TFSM_FIN:
		return TFSM_KIND_NO_ACK;
	default:
		return TFSM_KIND_BAD;
	}
}
