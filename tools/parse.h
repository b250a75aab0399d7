/* SPDX-License-Identifier: GPL-2.0 */
/* The module's attributes as the tool's structs. */
#ifndef PARSE_H
#define PARSE_H

#include "attr.h"
#include "flow.h"

void flow_parse(struct flow *f, const struct nlattr *nest);
/* A nest of TCPFSM_TRANSITION_*; e->tuple and e->seq are not touched. */
void event_parse(struct event *e, const struct nlattr *a);

/* The first attribute of a type in a message of the family. */
const struct nlattr *message_attr(const struct nlmsghdr *nlh, unsigned int type);

#endif
