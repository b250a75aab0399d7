/* SPDX-License-Identifier: GPL-2.0 */
/* Which segments are acceptable: sequence space, RFC 9293 3.10.7.4 and RFC 5961. */
#ifndef _TFSM_ACCEPT_H
#define _TFSM_ACCEPT_H

#include "tfsm.h"

/*
 * Is an ACK-kind segment of a synchronized sender acceptable?
 * Return: TFSM_NOTES if so, else the note that says why not.
 */
enum tfsm_note tfsm_acceptable(const struct tfsm *f, const struct tfsm_seg *s);

/* How a RST stands to its receiver. */
enum tfsm_rst {
	TFSM_RST_EXACT,
	TFSM_RST_BEHIND_HOLE,	/* its sender's own number, which the receiver does not expect */
	TFSM_RST_CHALLENGED,
	TFSM_RST_OUTSIDE,
};

enum tfsm_rst tfsm_rst_stands(const struct tfsm *f, const struct tfsm_seg *s);

#endif /* _TFSM_ACCEPT_H */
