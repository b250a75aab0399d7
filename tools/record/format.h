/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A record on disk: what the kernel told, in files of blocks.
 *
 *	file  := "tcpfsm1\n" block*
 *	block := struct block_head, index, body
 *
 * A block holds about a second. It stands alone: it has the addresses of each flow that it tells
 * of, so that a reader needs nothing before it, and what a crash leaves behind spoils no other.
 *
 * The index is a Bloom filter of the addresses, ports and numbers of flows in the block; see
 * record/index.h. The body is compressed by zstd: columns, each its length and so many bytes, in
 * the order of enum column. Values of a kind that stand together compress well.
 *
 * Numbers are little endian in the head; in a column they have seven bits a byte, the lowest first,
 * and what may be negative has its sign in the lowest bit (LEB128, zigzag).
 */
#ifndef RECORD_FORMAT_H
#define RECORD_FORMAT_H

#include "lib/base.h"

#define FILE_MAGIC	"tcpfsm1\n"
#define FILE_SUFFIX	".tcpfsm"
#define BLOCK_MAGIC	0x4b4c4254U		/* "TBLK" */
#define BODY_MOST	(64U << 20)		/* bytes; more is damage */
#define INDEX_MOST	(1U << 20)

struct block_head {
	u32 magic;
	u32 check;		/* zlib's CRC-32 of the rest of the head, and of the index */
	u32 body_check;		/* of the body on disk */
	u32 index;		/* bytes of the index, a power of two */
	u32 packed;		/* bytes of the body on disk */
	u32 size;		/* of the body once unpacked */
	u64 first, last;	/* ns since 1970: of what it tells of */
};

enum column {
	COLUMN_HEADS,		/* of flows: what of them follows in other columns, and how often */
	COLUMN_IDS,
	COLUMN_ADDRESSES,
	COLUMN_PORTS,
	COLUMN_MOVES,		/* from and to, cause, flags */
	COLUMN_TIMES,
	COLUMN_SPANS,
	COLUMN_ENDS,		/* how flows ended: states, reason, flags */
	COLUMN_TOTALS,		/* packets and bytes */
	COLUMN_REST,
	COLUMNS,
};

#endif
