/* SPDX-License-Identifier: GPL-2.0 */
/* How flows and transitions are spelled in JSON. tcpfsm(8) documents the members. */
#ifndef DATA_JSON_H
#define DATA_JSON_H

#include "data/event.h"
#include "data/flow.h"
#include "lib/json.h"

/* src, sport, dst, dport; null for each if the tuple is not known, or NULL */
void tuple_json(struct json *j, const struct tuple *t);

/* The member nat, if the flow is translated: orig's tuple and resp's. */
void nat_json(struct json *j, const struct nat *n);

void event_json(struct json *j, const struct event *e);
/* Of these, what tells the move itself: end, from, to, cause, dwell_ns */
void move_json(struct json *j, const struct event *e);
void loss_json(struct json *j, const struct loss *l);

/* @final: a flow of a capture, at the capture's end; its times mean nothing there. */
void flow_json(struct json *j, const char *key, const struct flow *f, bool final);

#endif
