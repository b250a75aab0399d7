/* SPDX-License-Identifier: GPL-2.0 */
/* From a captured frame to a TCP segment: IP and TCP. */
#ifndef CAPTURE_PACKET_H
#define CAPTURE_PACKET_H

#include "core/tfsm.h"
#include "data/tuple.h"

/* Why a packet is no segment that can be tracked: name, sentence. */
#define DECODE_LIST(X) \
	X(segment,	   "a TCP segment") \
	X(icmp_error,	   "an ICMP error that quotes a TCP segment") \
	X(other_link,	   "a frame of another protocol than IP") \
	X(other_ip,	   "an IP packet of another protocol than TCP") \
	X(later_fragments, "a fragment behind the first: it carries no TCP header") \
	X(cut_short,	   "captured with too few bytes to reach the end of its TCP header") \
	X(malformed,	   "an IP header that contradicts itself") \
	X(short_header,	   "a TCP header that is cut short or claims an impossible length") \
	X(bad_checksum,	   "a wrong TCP checksum")

enum decoded {
#define X(name, help) DECODED_##name,
	DECODE_LIST(X)
#undef X
	DECODED_RESULTS,
};

/* A segment, seen from its sender. */
struct segment {
	struct tuple tuple;	/* src is the sender */
	struct tfsm_seg seg;	/* all but its dir */
	u32 bytes;		/* from the IP header on */
	u16 id;			/* IPv4 identification */
	u16 sum;		/* TCP checksum */
	struct tfsm_icmp icmp;	/* the error that quotes it: all but its dir */
};

struct decoder {
	int link;		/* DLT_* */
	bool checksums;		/* verify those of packets captured whole */
};

/* Finds the segment in a frame of which so many bytes were captured. */
enum decoded packet_decode(const struct decoder *d, const u8 *frame, u32 captured,
			   struct segment *s);

#endif
