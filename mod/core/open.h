/* SPDX-License-Identifier: GPL-2.0 */
/* How flows begin: SYN, SYN|ACK, the handshake's ACKs, and flows met after their start. */
#ifndef _TFSM_OPEN_H
#define _TFSM_OPEN_H

#include "engine.h"

enum tfsm_verdict tfsm_on_syn(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);
enum tfsm_verdict tfsm_on_synack(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

/*
 * The handshake's own conditions on an ACK-kind segment, before those on sequence space. Raises
 * what one direction proves of the other.
 * Return: TFSM_NOTES to go on, else the note that says why the segment is refused.
 */
enum tfsm_note tfsm_check_handshake(struct tfsm *f, const struct tfsm_seg *s, struct tfsm_out *o);

/*
 * Remember what a refused segment acknowledges: its receiver, in SYN_SENT or SYN_RCVD, answers
 * it with a RST of that number and stays (RFC 9293 3.10.7.3, 3.10.7.4; figures 8 and 9).
 */
void tfsm_mark_refused(struct tfsm_end *b, const struct tfsm_seg *s);

#endif /* _TFSM_OPEN_H */
