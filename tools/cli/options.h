/* SPDX-License-Identifier: GPL-2.0 */
/* All options: those of every verb, and those that the verbs declare. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/verbs.h"

/* By id; set up by options_collect(). */
extern const struct verb_option *options[OPTIONS];
void options_collect(void);

/* Does a verb know it, or any verb if NULL? */
bool option_fits(const struct verb_option *o, const struct verb *v);
/* Does this verb know it, but not every verb? */
bool option_is_own(const struct verb_option *o, const struct verb *v);
/* As this verb calls it by the letter, else as another does. NULL: there is none. */
const struct verb_option *option_of_letter(char letter, const struct verb *v);
/* What the verb says of it instead; NULL: nothing, or the verb is NULL. */
const struct verb_says *option_said_by(const struct verb_option *o, const struct verb *v);

/*
 * Parses the command line; @given is by id. optind stands at the verb afterwards.
 * Return: false if an option was wrong, and said which.
 */
bool options_parse(int argc, char **argv, bool *given);
/* Does the verb know all that were given? If not, says so. */
bool options_check(const struct verb *v, const bool *given);

#endif
