// SPDX-License-Identifier: GPL-2.0
#include "lib/options.h"

struct options opt;
