/* SPDX-License-Identifier: GPL-2.0 */
/* A thread that sends the files of a spool, each until the server has said that it has it. */
#ifndef VERBS_SHIP_SENDER_H
#define VERBS_SHIP_SENDER_H

#include "verbs/ship/spool.h"

struct sender;

/* Where rows of a table go. Return: for curl_free(), or NULL if @base is no URL */
char *sender_url(const char *base, const char *table);

/* Return: NULL, and said why. */
struct sender *sender_start(struct spool *spool, const char *url);
/* Lets it send what waits, for some seconds. */
void sender_stop(struct sender *s);

#endif
