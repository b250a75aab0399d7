/* SPDX-License-Identifier: GPL-2.0 */
/* Lines of flows and of transitions, in text and in JSON. */
#ifndef SHOW_FLOW_H
#define SHOW_FLOW_H

#include "data/event.h"
#include "data/flow.h"

void flow_header(void);
/* A flow that lives. */
void flow_print(const struct flow *f);
/* A flow of a capture, at the capture's end. */
void flow_print_final(const struct flow *f);

/* A flow that ended. */
void flow_ended_header(void);
void flow_print_ended(const struct flow *f);

void event_print(const struct event *e);
void loss_print(const struct loss *l);

#endif
