// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>

#include "lib/live.h"

static u64 read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC + ts.tv_nsec;
}

u64 clock_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

u64 clock_of_day(void)
{
	return read_clock(CLOCK_REALTIME);
}

int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}
