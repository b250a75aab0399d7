/* SPDX-License-Identifier: GPL-2.0 */
/* The module's messages and attributes as the tool's structs. Private to the room. */
#ifndef KERNEL_MESSAGE_H
#define KERNEL_MESSAGE_H

#include <linux/netlink.h>

#include "data/event.h"
#include "data/flow.h"
#include "data/service.h"
#include "data/stats.h"

/* The first attribute of a type in a message of the family. */
const struct nlattr *message_attr(const struct nlmsghdr *nlh, unsigned int type);

/* Whole messages. Return: false if the message is about none. */
void stats_parse(struct stats *s, const struct nlmsghdr *nlh);
bool service_parse(struct service *s, const struct nlmsghdr *nlh);
bool counter_parse(struct counter *c, const struct nlmsghdr *nlh);
/* @f: id and tuple alone, to which @e points. */
bool log_parse(struct flow *f, struct event *e, const struct nlmsghdr *nlh);

void flow_parse(struct flow *f, const struct nlattr *nest);
/* A nest of TCPFSM_TRANSITION_*; tuple and seq of @e are not touched. */
void event_parse(struct event *e, const struct nlattr *a);

#endif
