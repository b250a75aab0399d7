/* SPDX-License-Identifier: GPL-2.0 */
/* What the screen of `top` shows, as the user has chosen. */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include "kernel/process.h"
#include "verbs/top/panel.h"

#define TOP_LINE	256

/* What the user has chosen of a panel. */
struct view {
	unsigned int column;	/* its order */
	bool reverse;
	unsigned int cursor, first;	/* row */
	unsigned int rows;	/* that fit, when it was drawn last */
};

enum overlay { OVERLAY_NONE, OVERLAY_HELP, OVERLAY_FLOW };

struct screen {
	struct top *t;
	struct view view[TOP_LISTS];
	enum top_list focus;
	bool zoomed;		/* the panel in focus alone */
	bool pointing;		/* the cursor shows */
	bool paused;
	bool rates;		/* the past is of rates */
	bool utf8;
	bool changed;		/* what is shown is to be drawn anew */
	enum overlay overlay;
	unsigned int overlay_first;
	struct flow flow;	/* that OVERLAY_FLOW shows */
	u64 flow_read;		/* as top.dumped */
	struct process process[TCPFSM_ENDS];	/* that have its sockets; inode 0: none is known */
	bool typing;
	char line[TOP_LINE];	/* what is being typed */
	char filter[TOP_LINE];	/* in force; "": none */
	char message[TOP_LINE];	/* until the next key */
};

#endif
