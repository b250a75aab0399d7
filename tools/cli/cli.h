/* SPDX-License-Identifier: GPL-2.0 */
/* What main() chooses from. Each returns an exit status. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "verbs/verb.h"

/* Help on a verb, or on all of them if NULL. */
int help(const struct verb *v);
/* Candidates for the shell's completion, by the words before it. */
int complete(int argc, char **argv);
/* A part of the manual page. */
int manual(const char *part);

#endif
