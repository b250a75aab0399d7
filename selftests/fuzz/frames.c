// SPDX-License-Identifier: GPL-2.0
/* Arbitrary frames against the tool's decoder: link layer, IP, extension headers, TCP, ICMP. */
#include <pcap/dlt.h>
#include <stdlib.h>

#include "capture/packet.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const int links[] = {
		DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_IPV4, DLT_IPV6, DLT_NULL,
		DLT_LOOP,
	};
	enum decoded result;
	struct decoder d;
	struct segment s;
	u8 *frame;

	if (!size)
		return 0;
	d.link = links[*data & 7];
	d.checksums = *data & 8;
	/* Of its own size, so that a byte beyond it is noticed. */
	frame = malloc(size - 1);
	memcpy(frame, data + 1, size - 1);
	result = packet_decode(&d, frame, size - 1, &s);
	if (result == DECODED_icmp_error && s.icmp.sort >= TFSM_ICMP_SORTS)
		abort();
	if (result == DECODED_segment &&
	    (s.seg.len >= s.bytes || s.seg.wscale > 14 ||
	     (s.tuple.family != AF_INET && s.tuple.family != AF_INET6)))
		abort();
	free(frame);
	return 0;
}
