/* SPDX-License-Identifier: GPL-2.0 */
/* What the targets that drive whole verbs have alike; main.c comes as tool_main(). */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/verbs.h"
#include "lib/options.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif
