/* SPDX-License-Identifier: GPL-2.0 */
/* What the screen of `top` shows, as the user has chosen. */
#ifndef VERBS_TOP_VIEW_H
#define VERBS_TOP_VIEW_H

#include "kernel/process.h"
#include "verbs/top/panel.h"

#define TOP_LINE	256

/* How the user has set a panel. */
struct view {
	unsigned int column;	/* the one it is ordered by */
	bool reverse;
	unsigned int cursor, first;	/* row */
	unsigned int rows;	/* how many fit when it was drawn last */
};

enum overlay { OVERLAY_NONE, OVERLAY_HELP, OVERLAY_FLOW };

struct screen {
	struct top *t;
	struct view view[TOP_LISTS];
	enum top_list focus;
	bool zoomed;		/* the panel in focus alone */
	bool pointing;		/* the cursor shows */
	bool paused;
	bool rates;		/* the past shows rates */
	bool utf8;
	bool changed;		/* the screen must be drawn again */
	enum overlay overlay;
	unsigned int overlay_first;
	struct flow flow;	/* the one that OVERLAY_FLOW shows */
	u64 flow_read;		/* as top.dumped */
	struct process process[TCPFSM_ENDS];	/* hold its sockets; inode 0: not known */
	bool typing;
	char line[TOP_LINE];	/* being typed */
	char filter[TOP_LINE];	/* the one in force; "": none */
	char message[TOP_LINE];	/* until the next key */
};

#endif
