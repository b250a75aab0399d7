// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/buffer.h"
#include "lib/list.h"
#include "lib/memory.h"
#include "lib/message.h"
#include "lib/number.h"
#include "lib/options.h"
#include "record/block.h"
#include "record/check.h"
#include "record/files.h"
#include "record/format.h"
#include "record/index.h"
#include "record/reader.h"

/* A file's first transitions may be this much older than the file: they waited for the disk. */
#define FILE_SLACK	(60 * NSEC)

#define OPEN_MOST	64		/* blocks, which overlap in time by some milliseconds */
#define HEADS_MOST	100000		/* damaged ones of a file, before it is given up */
#define SEARCHED	(1U << 16)	/* bytes at a time, for a block behind damage */

/* What a block tells of, in the order of time. */
struct item {
	u64 when;
	u32 index;
	enum { ITEM_MOVE, ITEM_END, ITEM_LOSS } kind;
};

/* A block of which not everything is told yet. */
struct open_block {
	struct list_node node;
	struct block block;
	const struct netns **netns;	/* of block.netns, those that last */
	struct flow *flow;		/* of block.flow */
	struct item *item;
	size_t nr_items, told;
};

struct reading {
	struct record_reader *r;
	struct list open;
	unsigned int opened;		/* how many these are */
	struct buffer body;
	u64 seq;
};

/* ---- what is told ---- */

/* Those that were told of last as long as the program: whoever counts keeps them. */
struct told_netns {
	struct netns ns;
	struct list_node node;
};

static const struct netns *keep_netns(const struct netns *ns)
{
	static struct list told;
	struct told_netns *t;
	struct list_node *n;

	for (n = list_first(&told); n; n = list_next(&told, n)) {
		t = container_of(n, struct told_netns, node);
		if (t->ns.inode == ns->inode && !strcmp(t->ns.name, ns->name))
			return &t->ns;
	}
	t = zalloc(sizeof(*t));
	t->ns = *ns;
	list_append(&told, &t->node);
	return &t->ns;
}

static const struct netns *netns_at(const struct open_block *o, u32 i)
{
	return i == BLOCK_NONE ? NULL : o->netns[i];
}

static const struct process *process_or_null(const struct process *p)
{
	return p->pid ? p : NULL;
}

static void tell_move(struct reading *x, struct open_block *o, const struct block_move *m)
{
	const struct block_flow *bf = &o->block.flow.at[m->flow];
	struct flow *f = &o->flow[m->flow];
	struct event e = {
		.seq = ++x->seq, .flow = bf->id, .when = m->when, .dwell = m->dwell,
		.step = m->step, .end = m->end, .from = m->from, .to = m->to, .cause = m->cause,
		.flags = m->flags, .netns = f->netns,
		.tuple = f->tuple.family ? &f->tuple : NULL,
		.nat = bf->nat.known ? &bf->nat : NULL,
		.process = {
			process_or_null(&bf->process[TCPFSM_ORIG]),
			process_or_null(&bf->process[TCPFSM_RESP]),
		},
	};

	f->end[m->end].state = m->to;
	if (x->r->on_event)
		x->r->on_event(f, &e, x->r->arg);
}

static void tell_end(struct reading *x, struct open_block *o, struct block_end *end)
{
	struct flow *f = &end->flow;
	unsigned int i;

	f->netns = netns_at(o, end->netns);
	f->ended = end->when;
	for (i = 0; i < TCPFSM_ENDS; i++)
		f->end[i].process = process_or_null(&end->process[i]);
	if (x->r->on_end)
		x->r->on_end(f, x->r->arg);
}

static void tell_loss(struct reading *x, struct open_block *o, const struct block_loss *l)
{
	const struct loss loss = {
		.group = l->group, .count = l->count, .first = l->first, .cpu = (int)l->cpu,
		.netns = netns_at(o, l->netns),
	};

	if (x->r->on_lost)
		x->r->on_lost(&loss, x->r->arg);
}

/* By its name, or the number of its inode. */
static bool is_netns_wanted(const struct netns *ns)
{
	u64 inode;

	if (!ns)
		return true;
	return !strcmp(opt.netns, ns->name) ||
	       (read_u64(opt.netns, 1, ~0U, &inode) && inode == ns->inode);
}

static const struct netns *netns_of_item(const struct open_block *o, const struct item *i)
{
	switch (i->kind) {
	case ITEM_MOVE:
		return o->flow[o->block.move.at[i->index].flow].netns;
	case ITEM_END:
		return netns_at(o, o->block.end.at[i->index].netns);
	default:
		return netns_at(o, o->block.loss.at[i->index].netns);
	}
}

static void tell_item(struct reading *x, struct open_block *o)
{
	const struct item *i = &o->item[o->told++];

	if (opt.netns && !is_netns_wanted(netns_of_item(o, i)))
		return;
	if (i->when < opt.since || (opt.until && i->when > opt.until))
		return;
	switch (i->kind) {
	case ITEM_MOVE:
		tell_move(x, o, &o->block.move.at[i->index]);
		break;
	case ITEM_END:
		tell_end(x, o, &o->block.end.at[i->index]);
		break;
	case ITEM_LOSS:
		tell_loss(x, o, &o->block.loss.at[i->index]);
		break;
	}
}

static struct open_block *open_block_at(struct list_node *n)
{
	return n ? container_of(n, struct open_block, node) : NULL;
}

static u64 next_time(const struct open_block *o)
{
	return o->item[o->told].when;
}

static void close_block(struct open_block *o)
{
	list_remove(&o->node);
	block_free(&o->block);
	free(o->netns);
	free(o->flow);
	free(o->item);
	free(o);
}

/* The open block with the earliest item that is not told yet. */
static struct open_block *find_first(const struct reading *x)
{
	struct open_block *o, *first = NULL;
	struct list_node *n;

	for (n = list_first(&x->open); n; n = list_next(&x->open, n)) {
		o = open_block_at(n);
		if (!first || next_time(o) < next_time(first))
			first = o;
	}
	return first;
}

static void tell_next_of(struct reading *x, struct open_block *o)
{
	tell_item(x, o);
	if (o->told < o->nr_items)
		return;
	close_block(o);
	x->opened--;
}

/* All that is no later, of all open blocks. */
static void tell_until(struct reading *x, u64 when)
{
	struct open_block *first;

	while ((first = find_first(x)) && next_time(first) <= when)
		tell_next_of(x, first);
}

static void tell_first(struct reading *x)
{
	tell_next_of(x, find_first(x));
}

/* ---- blocks ---- */

static int by_time(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->when != y->when)
		return x->when < y->when ? -1 : 1;
	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void put_item(struct open_block *o, u64 when, int kind, u32 index)
{
	o->item[o->nr_items++] = (struct item){ .when = when, .index = index, .kind = kind };
}

/* The moves of a flow stay in the flow's own order, whatever their times. */
static void sort_items(struct open_block *o)
{
	const struct block *b = &o->block;
	u64 when = 0;
	size_t i;

	o->item = zalloc((b->move.n + b->end.n + b->loss.n) * sizeof(*o->item));
	for (i = 0; i < b->move.n; i++) {
		if (b->flow.at[b->move.at[i].flow].first == i)
			when = 0;
		when = b->move.at[i].when > when ? b->move.at[i].when : when;
		put_item(o, when, ITEM_MOVE, i);
	}
	for (i = 0; i < b->end.n; i++)
		put_item(o, b->end.at[i].when, ITEM_END, i);
	for (i = 0; i < b->loss.n; i++)
		put_item(o, b->loss.at[i].when, ITEM_LOSS, i);
	qsort(o->item, o->nr_items, sizeof(*o->item), by_time);
}

static void tell_growths(struct reading *x, const struct open_block *o)
{
	const struct block *b = &o->block;
	struct counter c;
	size_t i;

	for (i = 0; i < b->growth.n && x->r->on_growth; i++) {
		c = (struct counter){
			.name = b->growth.at[i].name, .value = b->growth.at[i].growth,
			.netns = netns_at(o, b->growth.at[i].netns),
		};
		x->r->on_growth(&c, x->r->arg);
	}
}

static void open_block(struct reading *x, struct block *b)
{
	struct open_block *o = zalloc(sizeof(*o));
	size_t i;
	unsigned int end;

	o->block = *b;
	o->netns = zalloc((b->netns.n + 1) * sizeof(*o->netns));
	for (i = 0; i < b->netns.n; i++)
		o->netns[i] = keep_netns(&b->netns.at[i]);
	tell_growths(x, o);
	o->flow = zalloc((b->flow.n + 1) * sizeof(*o->flow));
	for (i = 0; i < b->flow.n; i++) {
		o->flow[i].id = b->flow.at[i].id;
		o->flow[i].start = b->flow.at[i].start;
		o->flow[i].tuple = b->flow.at[i].tuple;
		o->flow[i].nat = b->flow.at[i].nat;
		o->flow[i].netns = netns_at(o, b->flow.at[i].netns);
		for (end = 0; end < TCPFSM_ENDS; end++)
			o->flow[i].end[end].state = b->flow.at[i].state[end];
	}
	list_append(&x->open, &o->node);
	sort_items(o);
	if (o->nr_items)
		x->opened++;
	else
		close_block(o);
}

/* Return: false if it is damaged */
static bool unpack_block(struct reading *x, const struct block_head *head, const u8 *body)
{
	struct block block;
	size_t n;

	x->body.len = 0;
	n = ZSTD_decompress(buffer_room(&x->body, head->size + 1), head->size, body, head->packed);
	if (ZSTD_isError(n) || n != head->size || !block_unpack(&block, x->body.data, n))
		return false;
	open_block(x, &block);
	return true;
}

/* ---- bytes ---- */

/* A file that can be read anywhere, or what came through a pipe. */
struct source {
	const char *name;
	int fd;				/* -1: everything is in bytes */
	struct buffer bytes;
	u64 size;			/* when it was opened: it may grow */
	u64 damaged;			/* bytes, in a row, so far */
	u64 heads;			/* that were found */
	bool in_directory;		/* others are to be read after it */
};

/* Return: NULL if there are not so many; else they last until the next call */
static const u8 *get_bytes(struct source *s, u64 at, size_t n)
{
	size_t have = 0;
	ssize_t got;

	if (at + n > s->size)
		return NULL;
	if (s->fd < 0)
		return (u8 *)s->bytes.data + at;
	s->bytes.len = 0;
	buffer_room(&s->bytes, n);
	while (have < n) {
		got = pread(s->fd, s->bytes.data + have, n - have, at + have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return NULL;
		have += got;
	}
	return (u8 *)s->bytes.data;
}

/* Where the next block may begin, behind @at; the end of the source if none does. */
static u64 find_block(struct source *s, u64 at)
{
	const u32 magic = BLOCK_MAGIC;
	const u8 *p, *found;
	size_t n;

	for (at++; at + sizeof(magic) <= s->size; at += n - sizeof(magic) + 1) {
		n = s->size - at < SEARCHED ? s->size - at : SEARCHED;
		p = get_bytes(s, at, n);
		found = p ? memmem(p, n, &magic, sizeof(magic)) : NULL;
		if (found)
			return at + (found - p);
	}
	return s->size;
}

static void say_damage(struct source *s)
{
	if (s->damaged)
		note("%s: %llu bytes are damaged, or of a block that was not written to its end; passed over",
		     s->name, (unsigned long long)s->damaged);
	s->damaged = 0;
}

static bool is_head(const struct block_head *h)
{
	return h->magic == BLOCK_MAGIC && h->index && !(h->index & (h->index - 1)) &&
	       h->index <= INDEX_MOST && h->size <= BODY_MOST &&
	       h->packed <= ZSTD_compressBound(h->size);
}

static bool is_time_wanted(const struct block_head *h)
{
	return h->last >= opt.since && (!opt.until || h->first <= opt.until);
}

/* The head and the index of the block there. Return: NULL: there is none, or they are damaged */
static const u8 *get_head(struct source *s, u64 at, struct block_head *head)
{
	const u8 *p = get_bytes(s, at, sizeof(*head));

	if (!p)
		return NULL;
	memcpy(head, p, sizeof(*head));
	if (!is_head(head))
		return NULL;
	s->heads++;
	p = get_bytes(s, at + sizeof(*head), head->index);
	return p && block_check(head, p) == head->check ? p : NULL;
}

/* Return: the length of the block there, 0: there is none, or it is damaged */
static u64 take_block(struct reading *x, struct source *s, u64 at)
{
	struct block_head head;
	const u8 *p = get_head(s, at, &head);
	u64 len;

	if (!p)
		return 0;
	len = sizeof(head) + head.index + head.packed;
	if (at + len > s->size)
		return 0;
	if (!is_time_wanted(&head) || !index_may_hold(p, head.index, x->r->filter))
		return len;
	p = get_bytes(s, at + sizeof(head) + head.index, head.packed);
	if (!p || crc32_z(0, p, head.packed) != head.body_check)
		return 0;
	if (head.first)
		tell_until(x, head.first - 1);
	while (x->opened >= OPEN_MOST)
		tell_first(x);
	return unpack_block(x, &head, p) ? len : 0;
}

static int read_blocks(struct reading *x, struct source *s)
{
	u64 at = strlen(FILE_MAGIC), len, next, blocks = 0;
	const u8 *p = get_bytes(s, 0, at);

	if (!p || memcmp(p, FILE_MAGIC, at)) {
		if (!s->in_directory)
			return fail("%s: this is not a record of tcpfsm", s->name);
		s->damaged = at;
	}
	while (at < s->size && s->heads - blocks < HEADS_MOST) {
		len = take_block(x, s, at);
		blocks += len != 0;
		if (len) {
			say_damage(s);
			at += len;
			continue;
		}
		next = find_block(s, at);
		s->damaged += next - at;
		at = next;
	}
	say_damage(s);
	return EXIT_FOUND;
}

/* ---- files ---- */

/* A pipe has no length before it ends. */
static int read_pipe(struct source *s, FILE *file)
{
	const size_t n = 1 << 16;
	size_t got;

	do {
		got = fread(buffer_room(&s->bytes, n), 1, n, file);
		s->bytes.len += got;
	} while (got);
	s->fd = -1;
	s->size = s->bytes.len;
	return ferror(file) ? fail("%s: %s", s->name, strerror(errno)) : EXIT_FOUND;
}

static int read_source(struct reading *x, const char *name, FILE *file, bool in_directory)
{
	struct source s = {
		.name = name, .fd = fileno(file), .in_directory = in_directory,
	};
	int status = EXIT_FOUND;
	struct stat st;

	if (fstat(s.fd, &st) || !S_ISREG(st.st_mode))
		status = read_pipe(&s, file);
	else
		s.size = st.st_size;
	if (status == EXIT_FOUND)
		status = read_blocks(x, &s);
	buffer_free(&s.bytes);
	return status;
}

static void end_reading(struct reading *x)
{
	tell_until(x, ~0ULL);
	buffer_free(&x->body);
}

bool record_is(FILE *file)
{
	int c = getc(file);

	ungetc(c, file);
	return c == FILE_MAGIC[0];
}

int record_read_file(struct record_reader *r, FILE *file)
{
	struct reading x = { .r = r };
	int status = read_source(&x, r->name, file, false);

	end_reading(&x);
	return status;
}

/* Files that ended before, or begin after, are not opened: a file ends where the next begins. */
static bool is_file_wanted(const struct record_file *files, int n, int i)
{
	if ((opt.until && files[i].begin > opt.until + FILE_SLACK) ||
	    files[i].size <= strlen(FILE_MAGIC))
		return false;
	return i + 1 == n || files[i + 1].begin >= opt.since;
}

static int read_directory(struct record_reader *r, const char *path)
{
	struct reading x = { .r = r };
	struct record_file *files;
	int n = files_list(path, &files), i, status = EXIT_FOUND;
	FILE *file;

	if (n < 0)
		return fail("%s: %s", path, strerror(-n));
	if (!n)
		status = fail("%s: there is no record in this directory; 'tcpfsm record %s' makes one",
			      path, path);
	for (i = 0; i < n && status == EXIT_FOUND; i++) {
		if (!is_file_wanted(files, n, i))
			continue;
		file = fopen(files[i].path, "re");
		if (!file && errno == ENOENT)
			continue;	/* the recorder has removed it */
		if (!file) {
			status = fail("%s: %s", files[i].path, strerror(errno));
			break;
		}
		status = read_source(&x, files[i].path, file, true);
		fclose(file);
	}
	end_reading(&x);
	files_free(files, n > 0 ? n : 0);
	return status;
}

int record_read(struct record_reader *r, const char *path)
{
	struct stat st;
	FILE *file;
	int status;

	r->name = path;
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return read_directory(r, path);
	file = fopen(path, "re");
	if (!file)
		return fail("%s: %s", path, strerror(errno));
	status = record_read_file(r, file);
	fclose(file);
	return status;
}
