// SPDX-License-Identifier: GPL-2.0
/* Verb services: every responding address and port, over all its flows. */
#include <stdlib.h>
#include <sys/socket.h>

#include "kernel/kernel.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/service.h"
#include "verbs/verb.h"

struct services {
	struct service *service;
	size_t n;
};

static void keep_service(const struct service *s, void *arg)
{
	struct services *all = arg;

	if (opt.family && s->family != opt.family)
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

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	out_object(NULL);
	out_array("services");
	err = kernel_once(ask_services, &all);
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
	.name = "services", .args = "",
	.help = "responding addresses and ports, over all their flows",
	.options = {
		&option_netns, &option_all_netns, &option_ipv4, &option_ipv6, &option_explain,
	},
	.run = run_services,
};
