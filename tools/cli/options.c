// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <string.h>

#include "cli/options.h"
#include "lib/message.h"
#include "lib/options.h"

static bool take_numeric(const char *value)
{
	(void)value;
	opt.resolve = false;
	return true;
}

/* Those of every verb. */
static const struct verb_option common[] = {
	{ .id = OPTION_JSON, .letter = 'j', .name = "json",
	  .help = "print JSON; streams are one object a line", .flag = &opt.json },
	{ .id = OPTION_NUMERIC, .letter = 'n', .name = "numeric",
	  .help = "do not resolve names (the default)", .take = take_numeric },
	{ .id = OPTION_RESOLVE, .letter = 'r', .name = "resolve",
	  .help = "resolve names of hosts and ports in text", .flag = &opt.resolve },
	{ .id = OPTION_NO_HEADER, .letter = 'H', .name = "no-header",
	  .help = "no header line", .flag = &opt.no_header },
	{ .id = OPTION_HELP, .letter = 'h', .name = "help",
	  .help = "this help; after a command, its own" },
	{ .id = OPTION_VERSION, .letter = 'V', .name = "version", .help = "print the version" },
};

const struct verb_option *options[OPTIONS];

void options_collect(void)
{
	const struct verb *const *v;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(common); i++)
		options[common[i].id] = &common[i];
	for (v = verbs; *v; v++)
		for (i = 0; (*v)->options[i]; i++)
			options[(*v)->options[i]->id] = (*v)->options[i];
}

static bool is_common(const struct verb_option *o)
{
	return o >= common && o < common + ARRAY_SIZE(common);
}

bool option_is_own(const struct verb_option *o, const struct verb *v)
{
	size_t i;

	for (i = 0; v->options[i]; i++)
		if (v->options[i] == o)
			return true;
	return false;
}

/* Help and version, or how something is printed. */
static bool is_of_printing(const struct verb_option *o)
{
	return is_common(o) && o->id != OPTION_HELP && o->id != OPTION_VERSION;
}

bool option_fits(const struct verb_option *o, const struct verb *v)
{
	if (!v || option_is_own(o, v))
		return true;
	return is_common(o) && !(v->prints_nothing && is_of_printing(o));
}

const struct verb_option *option_of_letter(char letter, const struct verb *v)
{
	const struct verb_option *found = NULL;
	size_t i;

	for (i = 0; i < OPTIONS; i++) {
		if (options[i]->letter != letter)
			continue;
		if (option_fits(options[i], v))
			return options[i];
		found = options[i];
	}
	return found;
}

const struct verb_says *option_said_by(const struct verb_option *o, const struct verb *v)
{
	size_t i;

	for (i = 0; v && i < VERB_SAYS && v->says[i].help; i++)
		if (v->says[i].id == o->id)
			return &v->says[i];
	return NULL;
}

#define LONG	0x100		/* beside the id of an option that was given by its name */

static struct option longs[OPTIONS + 1];

/* For getopt_long(). */
static const char *list_letters(void)
{
	static char text[2 * OPTIONS + 2] = ":";
	char *l = text + 1;
	int i;

	for (i = 0; i < OPTIONS; i++) {
		const struct verb_option *o = options[i];

		longs[i] = (struct option){ o->name, o->arg ? required_argument : no_argument, NULL,
					    i | LONG };
		if (!o->letter)
			continue;
		*l++ = o->letter;
		if (o->arg)
			*l++ = ':';
	}
	*l = '\0';
	return text;
}

static bool apply_option(const struct verb_option *o, const char *value)
{
	if (o->flag)
		*o->flag = true;
	if (o->string)
		*o->string = value;
	return !o->take || o->take(value);
}

/* The command, wherever it stands: it tells which option a letter means. */
static const struct verb *find_command(int argc, char **argv, const char *known)
{
	const struct verb *v;

	while (getopt_long(argc, argv, known, longs, NULL) != -1)
		;
	v = guess_verb(argv[optind]);
	optind = 0;		/* so that getopt_long() starts again */
	return v;
}

bool options_parse(int argc, char **argv, bool *given)
{
	const char *known = list_letters();
	const struct verb *v = find_command(argc, argv, known);
	const struct verb_option *o;
	int c;

	while ((c = getopt_long(argc, argv, known, longs, NULL)) != -1) {
		if (c == ':') {
			fail("option '%s' needs a value; see tcpfsm --help", argv[optind - 1]);
			return false;
		}
		if (c == '?') {
			if (optopt && !strchr(known, optopt))
				fail("no such option: '-%c'; see tcpfsm --help", optopt);
			else
				fail("no such option: '%s'; see tcpfsm --help", argv[optind - 1]);
			return false;
		}
		o = c & LONG ? options[c & ~LONG] : option_of_letter((char)c, v);
		if (!apply_option(o, optarg))
			return false;
		given[o->id] = true;
	}
	return true;
}

bool options_check(const struct verb *v, const bool *given)
{
	size_t i;

	if (given[OPTION_NETNS] && given[OPTION_ALL_NETNS]) {
		fail("--netns and --all-netns cannot both be given: one namespace, or each");
		return false;
	}
	for (i = 0; i < OPTIONS; i++) {
		if (!given[i] || option_fits(options[i], v))
			continue;
		fail("%s has no option --%s; see tcpfsm %s --help", v->name, options[i]->name,
		     v->name);
		return false;
	}
	return true;
}
