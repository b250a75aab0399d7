// SPDX-License-Identifier: GPL-2.0
/* Verb doctor: what is wrong now and why, worst first, with the command to look further. */
#include <errno.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/tuple.h"
#include "kernel/kernel.h"
#include "kernel/netns.h"
#include "lib/format.h"
#include "lib/live.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/number.h"
#include "lib/options.h"
#include "lib/out.h"
#include "show/netns.h"
#include "verbs/doctor/doctor.h"
#include "verbs/verb.h"

static struct finding *findings;
static const struct netns *patient_netns;	/* that is being looked at */

/* ---- findings ---- */

static bool is_worse(const struct finding *a, const struct finding *b)
{
	return a->rank != b->rank ? a->rank > b->rank : a->weight > b->weight;
}

struct finding *finding(enum rank rank, const char *id, u64 weight, const char *fmt, ...)
{
	struct finding *f = zalloc(sizeof(*f)), **at = &findings;
	va_list args;

	f->rank = rank;
	f->netns = patient_netns;
	f->id = id;
	f->weight = weight;
	va_start(args, fmt);
	f->what = string_print(fmt, args);
	va_end(args);
	while (*at && !is_worse(f, *at))
		at = &(*at)->next;
	f->next = *at;
	*at = f;
	return f;
}

void evidence(struct finding *f, const char *fmt, ...)
{
	va_list args;

	if (f->nr_evidence == ARRAY_SIZE(f->evidence))
		return;
	va_start(args, fmt);
	f->evidence[f->nr_evidence++] = string_print(fmt, args);
	va_end(args);
}

char *fmt_target_word(char *buf, u8 family, const u8 *addr, u16 port)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family, addr, text, sizeof(text));
	/* Brackets are a shell's pattern. */
	sprintf(buf, family == AF_INET6 ? "'[%s]:%u'" : "%s:%u", text, port);
	return buf;
}

void evidence_flow(struct finding *f, const char *how, const struct flow *flow)
{
	char src[FMT_ENDPOINT], dst[FMT_ENDPOINT], pair[FMT_PAIR], span[FMT_SPAN];

	evidence(f, "%s: flow %llu, %s > %s, %s, silent for %s", how,
		 (unsigned long long)flow->id, fmt_src(src, &flow->tuple),
		 fmt_dst(dst, &flow->tuple),
		 fmt_pair(pair, flow->end[TCPFSM_ORIG].state, flow->end[TCPFSM_RESP].state),
		 fmt_span(span, flow->idle));
	f->flow = flow->id;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(((struct tuple *)NULL)->src));
}

void evidence_sources(struct finding *f, const struct patient *p,
		      bool (*fits)(const struct flow *f, const void *arg), const void *arg)
{
	u8 (*src)[sizeof(p->flow->tuple.src)] = zalloc((p->flows + 1) * sizeof(*src));
	size_t n = 0, different = 0, i;

	for (i = 0; i < p->flows; i++)
		if (fits(&p->flow[i], arg))
			memcpy(src[n++], p->flow[i].tuple.src, sizeof(*src));
	qsort(src, n, sizeof(*src), by_bytes);
	for (i = 0; i < n; i++)
		different += !i || memcmp(src[i], src[i - 1], sizeof(*src)) != 0;
	free(src);
	evidence(f, "they come from %zu address%s", different, different == 1 ? "" : "es");
}

/* Is it a command that looks at the network namespace which it runs in? */
static bool is_of_netns(const char *command)
{
	static const char * const those[] = { "ss ", "sysctl ", "conntrack ", "nft ", "ip " };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(those); i++)
		if (!strncmp(command, those[i], strlen(those[i])))
			return true;
	return false;
}

static void put_command(FILE *out, const char *command, const struct netns *ns)
{
	char prefix[NETNS_PREFIX];
	const char *arg = strchr(command, ' ');
	bool takes_name = !strncmp(command, "tcpfsm ", 7) ||
			  (!strncmp(command, "ss ", 3) && netns_has_ip_name(ns));

	if (takes_name)
		fprintf(out, "%.*s -N %s%s", (int)(arg - command), command, ns->name, arg);
	else if (is_of_netns(command))
		fprintf(out, "%s%s", netns_prefix(prefix, ns), command);
	else
		fputs(command, out);
}

/* Commands, with "; " between them, for the network namespace that is looked at. */
void look_with(struct finding *f, const char *fmt, ...)
{
	char *commands, *command, *rest, *all = NULL;
	va_list args;
	size_t size;
	FILE *out;

	va_start(args, fmt);
	commands = string_print(fmt, args);
	va_end(args);
	if (!opt.netns && !opt.all_netns) {
		f->look = commands;
		return;
	}
	out = open_memstream(&all, &size);
	if (!out)
		out_of_memory();
	for (command = commands; command; command = rest) {
		rest = strstr(command, "; ");
		if (rest) {
			*rest = '\0';
			rest += 2;
		}
		put_command(out, command, patient_netns);
		fputs(rest ? "; " : "", out);
	}
	fclose(out);
	free(commands);
	f->look = all;
}

static const char *rank_name(enum rank rank)
{
	static const char * const names[] = { "note", "warning", "serious" };

	return names[rank];
}

/* In JSON: what the sentence says, and nothing that it does not. */
static void tell_members(const struct finding *f)
{
	if (f->count)
		out_num("count", 0, f->count);
	if (f->service)
		out_str("service", 0, f->service);
	if (f->pid)
		out_num("pid", 0, f->pid);
	if (f->oldest)
		out_num("oldest_ns", 0, f->oldest);
	if (f->flow)
		out_num("flow", 0, f->flow);
}

/* Return: whether any finding is more than a note */
static bool tell_findings(unsigned int *told)
{
	const struct finding *f;
	unsigned int n = 0, i;
	bool ill = false;

	for (f = findings; f; f = f->next) {
		out_object(OUT_ITEM);
		out_netns(f->netns);
		out_str("rank", 0, rank_name(f->rank));
		out_str("id", 0, f->id);
		out_str("what", 0, f->what);
		out_text("%s%u. %s: ", n ? "\n" : "", n + 1, rank_name(f->rank));
		if (opt.all_netns)
			out_text("netns %s: ", f->netns->name);
		out_text("%s\n", f->what);
		out_array("evidence");
		for (i = 0; i < f->nr_evidence; i++) {
			out_str(OUT_ITEM, 0, f->evidence[i]);
			out_text("     %s\n", f->evidence[i]);
		}
		out_end();
		out_str("look", 0, f->look);
		tell_members(f);
		if (f->look)
			out_text("   look: %s\n", f->look);
		out_end();
		ill |= f->rank > RANK_NOTE;
		n++;
	}
	*told = n;
	return ill;
}

static void forget_findings(void)
{
	struct finding *f;

	while ((f = findings)) {
		findings = f->next;
		free(f->what);
		free(f->look);
		free(f->service);
		while (f->nr_evidence)
			free(f->evidence[--f->nr_evidence]);
		free(f);
	}
}

/* ---- what there is to see ---- */

const char *s_of(u64 n)
{
	return n == 1 ? "" : "s";
}

unsigned int numbers_in(const char *path, u64 *number, unsigned int most)
{
	FILE *f = fopen(path, "re");
	char line[256];
	const char *at = line;
	unsigned int n = 0;

	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		*line = '\0';
	fclose(f);
	while (n < most && scan_u64(&at, &number[n]))
		n++;
	return n;
}

u64 number_in(const char *path, u64 otherwise)
{
	u64 n;

	return numbers_in(path, &n, 1) ? n : otherwise;
}

static struct { char *name; u64 value; } *counters;
static size_t nr_counters;

u64 doctor_counter(const char *name)
{
	size_t i;

	for (i = 0; i < nr_counters; i++)
		if (!strcmp(counters[i].name, name))
			return counters[i].value;
	return 0;
}

static void keep_counter(const struct counter *c, void *arg)
{
	(void)arg;
	counters = array_grow(counters, nr_counters, sizeof(*counters));
	counters[nr_counters].name = string_copy(c->name);
	counters[nr_counters++].value = c->value;
}

static void keep_flow(const struct flow *f, void *arg)
{
	struct patient *p = arg;

	p->flow = array_grow(p->flow, p->flows, sizeof(*p->flow));
	p->flow[p->flows++] = *f;
}

static void keep_service(const struct service *s, void *arg)
{
	struct patient *p = arg;

	p->service = array_grow(p->service, p->services, sizeof(*p->service));
	p->service[p->services++] = *s;
}

static void keep_event(const struct flow *f, const struct event *e, void *arg)
{
	struct patient *p = arg;

	p->event = array_grow(p->event, p->events, sizeof(*p->event));
	p->tuple = array_grow(p->tuple, p->events, sizeof(*p->tuple));
	p->tuple[p->events] = f->tuple;
	p->event[p->events++] = *e;
}

static int ask_everything(struct kernel *k, struct patient *p)
{
	int err = kernel_stats(k, &p->stats);

	if (!err)
		err = kernel_counters(k, keep_counter, p);
	if (!err)
		err = kernel_flows(k, NULL, keep_flow, p);
	if (!err)
		err = kernel_services(k, keep_service, p);
	if (!err)
		err = kernel_log(k, keep_event, p);
	return err;
}

static int examine_patient(struct patient *p)
{
	struct kernel *k;
	size_t i;
	int err;

	k = kernel_open(&err);
	if (!k)
		return err == -ENOENT ? doctor_no_module() : kernel_fail(k, err);
	err = ask_everything(k, p);
	if (err)
		err = kernel_fail(k, err);
	kernel_close(k);
	for (i = 0; i < p->events; i++)
		p->event[i].tuple = &p->tuple[i];
	p->now = clock_of_day();
	return err;
}

static void dismiss_patient(struct patient *p)
{
	free(p->flow);
	free(p->service);
	free(p->event);
	free(p->tuple);
	while (nr_counters)
		free(counters[--nr_counters].name);
	free(counters);
	counters = NULL;
}

struct round {
	size_t flows, services, places;
};

static int look_at(const struct netns *ns, void *arg)
{
	struct patient p = { 0 };
	struct round *r = arg;
	int status;

	patient_netns = ns;
	p.first = !r->places++;
	status = examine_patient(&p);
	if (status == EXIT_FOUND) {
		doctor_flows(&p);
		doctor_backed();
		doctor_resets(&p);
		doctor_conntrack(&p);
		doctor_queues(&p);
		doctor_host(&p);
	}
	r->flows += p.flows;
	r->services += p.services;
	dismiss_patient(&p);
	return status;
}

/* Status 0: nothing is wrong, apart from notes; 1: something is; 2: doctor could not look. */
static int run_doctor(int argc, char **argv)
{
	struct round r = { 0 };
	unsigned int n;
	int status;
	bool ill;

	(void)argc;
	(void)argv;
	out_start(OUT_DOCUMENT);
	status = kernel_in_each_netns(look_at, &r);
	out_object(NULL);
	if (status != EXIT_ERROR)
		out_num("flows", 0, r.flows);
	out_array("findings");
	ill = tell_findings(&n);
	out_end();
	if (status != EXIT_ERROR && !n) {
		out_text("Nothing is wrong with %zu flow%s of %zu service%s", r.flows,
			 s_of(r.flows), r.services, s_of(r.services));
		if (opt.all_netns)
			out_text(" in %zu network namespace%s", r.places, s_of(r.places));
		out_text(".\n");
	}
	if (opt.explain)
		doctor_explain();
	out_end();
	forget_findings();
	return status == EXIT_ERROR ? status : ill ? EXIT_NONE : EXIT_FOUND;
}

const struct verb verb_doctor = {
	.name = "doctor", .args = "",
	.help = "what is wrong now and why, worst first (status 0: nothing, 1: something)",
	.options = { &option_netns, &option_all_netns, &option_explain },
	.run = run_doctor,
};
