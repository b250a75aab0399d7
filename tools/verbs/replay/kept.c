// SPDX-License-Identifier: GPL-2.0
/* What a record has kept, as replay tells it of a capture. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "lib/message.h"
#include "lib/options.h"
#include "record/reader.h"
#include "show/flow.h"
#include "verbs/replay/play.h"

/* How far a counter has grown while it was recorded. */
struct grown {
	char *name;
	u64 value;
};

struct kept {
	struct play *play;
	struct grown *grown;
	size_t nr_grown;
};

static void take_kept_event(const struct flow *f, const struct event *e, void *arg)
{
	struct play *p = ((struct kept *)arg)->play;

	if (!filter_event(p->filter, f, e))
		return;
	p->track.transitions++;
	figure_move(&p->figure, e);
	if (!opt.flows)
		play_event(p, e);
}

static void take_kept_end(const struct flow *f, void *arg)
{
	struct play *p = ((struct kept *)arg)->play;

	p->track.clock = f->ended;
	play_flow(p, f);
}

static void show_kept_loss(const struct loss *l, void *arg)
{
	(void)arg;
	if (!opt.quiet)
		loss_print(l);
}

static void add_growth(const struct counter *c, void *arg)
{
	struct kept *k = arg;
	size_t i;

	for (i = 0; i < k->nr_grown; i++)
		if (!strcmp(k->grown[i].name, c->name))
			break;
	if (i == k->nr_grown) {
		k->grown = array_grow(k->grown, k->nr_grown, sizeof(*k->grown));
		k->grown[k->nr_grown++] = (struct grown){ string_copy(c->name), 0 };
	}
	k->grown[i].value += c->value;
}

static void print_growths(struct kept *k)
{
	size_t i;

	play_counters_begin();
	for (i = 0; i < k->nr_grown; i++)
		play_counter(k->grown[i].name, k->grown[i].value, "");
	play_counters_end();
}

static int print_kept(struct kept *k)
{
	struct play *p = k->play;

	if (opt.by)
		tally_print(&p->tally, opt.top);
	if (opt.counters)
		print_growths(k);
	if (!opt.graph)
		return EXIT_FOUND;
	snprintf(p->title, sizeof(p->title), "%s: %llu transitions", p->name,
		 (unsigned long long)p->track.transitions);
	return figure_print(&p->figure);
}

int play_record(struct play *p, FILE *file)
{
	struct kept k = { .play = p };
	struct record_reader reader = {
		.name = p->name, .filter = opt.counters ? NULL : p->filter,
		.on_event = take_kept_event,
		.on_end = opt.flows || opt.by ? take_kept_end : NULL, .on_lost = show_kept_loss,
		.on_growth = add_growth, .arg = &k,
	};
	int status;

	if (opt.checksums || opt.no_expire)
		return fail("%s is a record: --checksums and --no-expire are of captures",
			    p->name);
	status = record_read_file(&reader, file);
	if (status == EXIT_FOUND)
		status = print_kept(&k);
	while (k.nr_grown)
		free(k.grown[--k.nr_grown].name);
	free(k.grown);
	return status;
}
