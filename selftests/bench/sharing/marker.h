/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the guest tells the plugin: by instructions that do nothing, nopl disp32(%rax), whose
 * displacement is a magic number and a code. A number is sent bit by bit, highest first, and then
 * used by a command.
 */
#ifndef _MARKER_H
#define _MARKER_H

#define MARKER_MAGIC	0x7c5fU
#define MARKER_CLASS	0xff00U		/* of the code */
#define MARKER_VALUE	0x00ffU

#define MARKER_BIT	0x0100U		/* value: 0 or 1 */
#define MARKER_COMMAND	0x0200U		/* value: one of the following */
#define MARKER_BEGIN	0x0300U		/* value: the window's kind */
#define MARKER_END	0x0400U

enum marker_kind {
	MARKER_SYN, MARKER_SYNACK, MARKER_ACK, MARKER_DATA, MARKER_FIN, MARKER_FIN_ACKED,
	MARKER_FIN_BACK, MARKER_LAST_ACK, MARKER_RST, MARKER_WORK, MARKER_KINDS,
};

enum marker_command {
	MARKER_ROW,		/* number of what is counted from here on */
	MARKER_TEXT_BEGIN,	/* addresses of a module's text: at most eight of them */
	MARKER_TEXT_END,
	MARKER_ENTRY_BEGIN,	/* of the text where interrupts enter the kernel */
	MARKER_ENTRY_END,
	MARKER_FORGET_TEXTS,
	MARKER_START,		/* count; every line is in memory */
	MARKER_STOP,		/* write down what has been counted for this row */
};

static const unsigned char marker_opcode[] __attribute__((unused)) = { 0x0f, 0x1f, 0x80 };

#endif /* _MARKER_H */
