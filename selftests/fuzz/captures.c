// SPDX-License-Identifier: GPL-2.0
/* Arbitrary captures through the whole of tcpfsm replay: libpcap, decoder, engine, output. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static int fd = -1;
	char name[32], *argv[] = { name };

	if (!size)
		return 0;
	if (fd < 0)
		fd = memfd_create("capture", MFD_CLOEXEC);
	if (ftruncate(fd, 0) || pwrite(fd, data + 1, size - 1, 0) != (ssize_t)size - 1)
		abort();
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	opt = (struct options){
		.json = *data & 1, .flows = *data & 2, .counters = *data & 4,
		.checksums = *data & 8, .extended = *data & 16, .no_expire = *data & 32,
		.graph = *data & 64,
	};
	verb_replay.run(1, argv);
	return 0;
}
