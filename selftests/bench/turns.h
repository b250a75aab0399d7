/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections on many processors at once, segment by segment: each processor sends one segment of
 * its connection, then the next one does. So what they share moves from one to the other as often
 * as it can. Each segment is a window of the plugin that counts (sharing/marker.h).
 */
#ifndef _BENCH_TURNS_H
#define _BENCH_TURNS_H

#include "segments.h"

struct bench_turns {
	struct bench_path *path;	/* skb: not used */
	u32	cpus;		/* processors 0 to cpus - 1 */
	u32	first;		/* flow */
	u32	flows;		/* connections of each processor that are counted */
	u32	warm;		/* connections of each processor before them */
	u32	split;		/* the server's segments come on the next processor */
	u32	syns;		/* SYNs alone, instead of connections */
	u32	len;		/* bytes of data */
	u32	row;		/* what the plugin counts it as; 0: it does not count */
	u64	segments, dropped;	/* out */
};

int bench_take_turns(struct bench_turns *t);

/* Count what a function of the kernel does within so many ms, whoever calls it. */
int bench_count_work(const char *function, u32 row, u32 ms);

/* Tell the plugin of "text=BEGIN-END" or "entry=BEGIN-END", hexadecimal; "text=" forgets all. */
int bench_name_text(char *words);

#endif /* _BENCH_TURNS_H */
