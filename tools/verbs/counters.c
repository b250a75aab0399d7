// SPDX-License-Identifier: GPL-2.0
/* Verb counters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/message.h"
#include "kernel/netlink.h"
#include "lib/out.h"

struct counter {
	struct counter *next;
	char *name, *help;
	u64 value;
};

struct list {
	struct counter *first, **end;
};

static char *copy(const char *s)
{
	char *t = strdup(s ? s : "");

	if (!t)
		exit(fail("out of memory"));
	return t;
}

static int on_counter(const struct nlmsghdr *nlh, void *arg)
{
	struct list *list = arg;
	struct counted counted;
	struct counter *c;

	if (!counter_parse(&counted, nlh))
		return 0;
	c = zalloc(sizeof(*c));
	c->name = copy(counted.name);
	c->help = copy(counted.help);
	c->value = counted.value;
	*list->end = c;
	list->end = &c->next;
	return 0;
}

static u64 value_of(const struct counter *c, const char *name)
{
	for (; c; c = c->next)
		if (!strcmp(c->name, name))
			return c->value;
	return 0;
}

/* How much of what local sockets sent was in the state that was shown, with net.tcpfsm.audit. */
static void print_audit(const struct counter *first)
{
	u64 checked = value_of(first, "audit_checked"), agreed = value_of(first, "audit_agreed");

	double percent = checked ? 100.0 * agreed / checked : 0;

	if (!checked)
		return;
	out_real("audit_agreed_percent", percent);
	if (out_is_text())
		fprintf(stderr, "audit: %.4f %% of %llu segments of local sockets were sent in the state shown\n",
			percent, (unsigned long long)checked);
}

static void print(const struct counter *first)
{
	static const struct out_column columns[] = {
		{ "name", -22 }, { "value", 14 }, { NULL, 0 },
	};
	const struct counter *c;

	out_header(columns);
	out_object(NULL);
	out_object("counters");
	for (c = first; c; c = c->next) {
		out_str(NULL, -22, c->name);
		out_num(c->name, 14, c->value);
		if (opt.explain)
			out_str(NULL, -1, c->help);
		out_line();
	}
	out_end();
	if (opt.explain) {
		out_object("explain");
		for (c = first; c; c = c->next)
			out_str(c->name, 0, c->help);
		out_end();
	}
	print_audit(first);
	out_end();
}

int verb_counters(int argc, char **argv)
{
	struct list list = { NULL, &list.first };
	int err;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	err = kernel_once(TCPFSM_CMD_COUNTER_GET, true, on_counter, &list);
	if (!err)
		print(list.first);
	while (list.first) {
		struct counter *c = list.first;

		list.first = c->next;
		free(c->name);
		free(c->help);
		free(c);
	}
	return err;
}
