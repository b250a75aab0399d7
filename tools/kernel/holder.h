/* SPDX-License-Identifier: GPL-2.0 */
/* The processes behind the ends of flows. */
#ifndef KERNEL_HOLDER_H
#define KERNEL_HOLDER_H

#include "data/flow.h"
#include "kernel/process.h"

/*
 * The process that has this end's socket. Sockets and /proc are read at the first question, after
 * holders_forget(), and again for a socket that is not found, a second later or when that has cost
 * a twentieth of the time. NULL: the socket is another host's, no process has it, or none that this
 * user may see. It lasts until the next question.
 */
const struct process *holder_of(const struct flow *f, unsigned int end);
void holders_forget(void);

/*
 * Is a local socket in the state that this end is in? True also where it cannot be known: the end
 * is another host's, or sockets cannot be asked for. It reads as holder_of() does, but not again.
 */
bool holder_backs(const struct flow *f, unsigned int end);

/* Names the holders of both ends in f->end[].process. */
void flow_add_holders(struct flow *f);

#endif
