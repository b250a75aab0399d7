// SPDX-License-Identifier: GPL-2.0
/*
 * Arbitrary records through the whole of tcpfsm replay. An input is a file, or, so that it comes
 * past the checksum and the compression, the body of a block in one; what is read of a body, and
 * written again, must be read as the same.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "fuzz.h"
#include "lib/buffer.h"
#include "record/block.h"
#include "record/check.h"
#include "record/codec.h"
#include "record/format.h"

#define INDEX	8

static void pack_again(const void *body, size_t size)
{
	struct buffer once = { 0 }, twice = { 0 };
	struct codec codec = { 0 };
	struct block block, again;

	if (!block_unpack(&block, body, size))
		return;
	block_pack(&block, &codec, &once);
	if (!block_unpack(&again, once.data, once.len))
		abort();
	block_pack(&again, &codec, &twice);
	if (once.len != twice.len || memcmp(once.data, twice.data, once.len))
		abort();
	block_free(&block);
	block_free(&again);
	buffer_free(&once);
	buffer_free(&twice);
	codec_free(&codec);
}

static void put_file(struct buffer *file, const u8 *body, size_t size)
{
	struct block_head head = {
		.magic = BLOCK_MAGIC, .index = INDEX, .size = size, .last = ~0ULL,
	};
	size_t room = ZSTD_compressBound(size), start;

	buffer_put(file, FILE_MAGIC, strlen(FILE_MAGIC));
	start = file->len;
	buffer_put(file, (char *)&head, sizeof(head));
	memset(buffer_room(file, INDEX), 0xff, INDEX);
	file->len += INDEX;
	head.packed = ZSTD_compress(buffer_room(file, room), room, body, size, 1);
	file->len += head.packed;
	head.body_check = crc32_z(0, (u8 *)file->data + file->len - head.packed, head.packed);
	head.check = block_check(&head, (u8 *)file->data + start + sizeof(head));
	memcpy(file->data + start, &head, sizeof(head));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static int fd = -1;
	struct buffer file = { 0 };
	char name[32], *argv[] = { name };

	if (size < 2)
		return 0;
	if (fd < 0)
		fd = memfd_create("record", MFD_CLOEXEC);
	opt = (struct options){
		.json = *data & 1, .flows = *data & 2, .counters = *data & 4, .quiet = *data & 8,
		.graph = *data & 16,
	};
	if (*data & 128) {
		buffer_put(&file, FILE_MAGIC, strlen(FILE_MAGIC));
		buffer_put(&file, (char *)data + 1, size - 1);
	} else {
		pack_again(data + 1, size - 1);
		put_file(&file, data + 1, size - 1);
	}
	if (ftruncate(fd, 0) || pwrite(fd, file.data, file.len, 0) != (ssize_t)file.len)
		abort();
	buffer_free(&file);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	verb_replay.run(1, argv);
	return 0;
}
