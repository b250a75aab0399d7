/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Copies of a segment in a capture: a SPAN port that mirrors both directions of a link, a capture
 * of all interfaces. A copy may come behind the answer, so that it would look like a segment sent
 * again.
 */
#ifndef CAPTURE_COPIES_H
#define CAPTURE_COPIES_H

#include "capture/packet.h"

#define COPIES_SLOTS	8192	/* segments remembered, a power of two */

struct copies {
	struct {
		u64 hash;
		u64 when;
	} seen[COPIES_SLOTS];
};

/*
 * copies_seen - has this very segment passed some milliseconds ago?
 * @hash: of its tuple, the same for both directions
 * @when: ns
 *
 * The same numbers, flags, length, window, IPv4 identification and TCP checksum, and so the same
 * timestamps: a segment that is sent again differs in the last two. Where there is no
 * identification, as in IPv6, an ACK alone may be sent twice at once, and is none.
 */
bool copies_seen(struct copies *c, const struct segment *s, u64 hash, u64 when);

#endif
