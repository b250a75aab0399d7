// SPDX-License-Identifier: GPL-2.0
/* Verb services: every responding address and port, over all its flows. */
#include <stdlib.h>
#include <sys/socket.h>

#include "filter/filter.h"
#include "kernel/kernel.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/service.h"
#include "verbs/verb.h"

struct services {
	struct filter *filter;
	struct service *service;
	size_t n;
};

static void keep_service(const struct service *s, void *arg)
{
	struct services *all = arg;

	if (!filter_service(all->filter, s))
		return;
	all->service = array_grow(all->service, all->n, sizeof(*s));
	all->service[all->n++] = *s;
}

static int ask_services(struct kernel *k, void *arg)
{
	return kernel_services(k, keep_service, arg);
}

static int by_flows(const void *a, const void *b)
{
	const struct service *s = a, *t = b;

	return (s->flows < t->flows) - (s->flows > t->flows);
}

static int run_services(int argc, char **argv)
{
	struct services all = { 0 };
	size_t i;
	int err;

	if (!filter_parse(&all.filter, argc, argv) || !filter_of_services(all.filter))
		return EXIT_ERROR;
	out_start(OUT_DOCUMENT);
	out_object(NULL);
	out_array("services");
	err = kernel_once(ask_services, &all);
	filter_free(all.filter);
	if (err) {
		free(all.service);
		return err;
	}
	if (all.n)
		qsort(all.service, all.n, sizeof(*all.service), by_flows);
	service_header();
	for (i = 0; i < all.n; i++)
		service_print(&all.service[i]);
	free(all.service);
	out_end();
	out_end();
	if (opt.explain)
		service_explain();
	return EXIT_FOUND;
}

const struct verb verb_services = {
	.name = "services", .args = "[FILTER]",
	.help = "responding addresses and ports, over all their flows",
	.filter = FILTER_OF_SERVICES,
	.options = {
		&option_netns, &option_all_netns, &option_ipv4, &option_ipv6, &option_explain,
	},
	.run = run_services,
};
