// SPDX-License-Identifier: GPL-2.0
/* Verb counters: what the module counts beside states. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/netns.h"
#include "verbs/verb.h"

struct kept_counter {
	char *name, *help;
	const struct netns *netns;
	u64 value;
};

struct counters {
	struct kept_counter *counter;
	size_t n;
};

static void keep_counter(const struct counter *c, void *arg)
{
	struct counters *all = arg;

	all->counter = array_grow(all->counter, all->n, sizeof(*all->counter));
	all->counter[all->n++] = (struct kept_counter){
		string_copy(c->name), string_copy(c->help ? c->help : ""), c->netns, c->value,
	};
}

static u64 value_of(const struct counters *all, const char *name)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (!strcmp(all->counter[i].name, name))
			return all->counter[i].value;
	return 0;
}

/* With net.tcpfsm.audit: how often the state shown agreed with the socket's. */
static void print_audit(const struct counters *all)
{
	u64 checked = value_of(all, "audit_checked"), agreed = value_of(all, "audit_agreed");
	double percent = checked ? 100.0 * agreed / checked : 0;

	if (!checked)
		return;
	out_real("audit_agreed_percent", percent);
	if (out_is_text())
		fprintf(stderr, "audit: %.4f %% of %llu segments of local sockets were sent in the state shown\n",
			percent, (unsigned long long)checked);
}

/* Those of one namespace. */
static void print_counters(const struct counters *all)
{
	static const struct out_column columns[] = {
		NETNS_COLUMN, { "name", -22, NULL }, { "value", 14, NULL }, { 0 },
	};
	static bool headed;
	size_t i;

	if (!headed)
		out_header(netns_columns(columns));
	headed = true;
	out_object(OUT_ITEM);
	out_netns(all->n ? all->counter[0].netns : NULL);
	out_object("counters");
	for (i = 0; i < all->n; i++) {
		out_row(netns_columns(columns));
		out_row_netns(all->counter[i].netns);
		out_row_str(all->counter[i].name);
		out_row_num(all->counter[i].value);
		out_num(all->counter[i].name, 0, all->counter[i].value);
		if (opt.explain)
			out_str(NULL, -1, all->counter[i].help);
		out_line();
	}
	out_end();
	if (opt.explain) {
		out_object("explain");
		for (i = 0; i < all->n; i++)
			out_str(all->counter[i].name, 0, all->counter[i].help);
		out_end();
	}
	print_audit(all);
	out_end();
}

/* They come one namespace after the other. */
static void print_each_netns(const struct counters *all)
{
	struct counters part;
	size_t i = 0;

	while (i < all->n) {
		part = (struct counters){ &all->counter[i], 1 };
		while (i + part.n < all->n && part.counter[part.n].netns == part.counter->netns)
			part.n++;
		print_counters(&part);
		i += part.n;
	}
}

static int ask_counters(struct kernel *k, void *arg)
{
	return kernel_counters(k, keep_counter, arg);
}

static int run_counters(int argc, char **argv)
{
	struct counters all = { 0 };
	int err;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	if (opt.all_netns)
		out_array(NULL);
	err = kernel_once(ask_counters, &all);
	if (!err)
		print_each_netns(&all);
	if (!err && opt.all_netns)
		out_end();
	while (all.n) {
		free(all.counter[--all.n].name);
		free(all.counter[all.n].help);
	}
	free(all.counter);
	return err;
}

const struct verb verb_counters = {
	.name = "counters", .args = "",
	.help = "every counter, and what it counts",
	.options = { &option_netns, &option_all_netns, &option_explain },
	.run = run_counters,
};
