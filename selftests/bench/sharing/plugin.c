// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU's emulator (API version 1) that counts what a piece of the guest's kernel costs
 * on a machine with many processors: instructions, instructions that lock the bus, lines of memory
 * read and written, and lines that had to come from another processor.
 *
 * The guest says by markers what to count (marker.h). What it runs between "begin" and "end" is a
 * window of one kind; interrupts within it do not belong to it. Caches are modelled by line and
 * without a bound: a processor has a line once it has read or written it, until another one writes
 * it; then the line has to come from that one. All that the guest's kernel accesses while the
 * plugin counts changes the model, within windows or not. A line counts once in a window.
 *
 * At "stop" it appends to the file given as out=FILE:
 *
 *	kind ROW KIND windows N instructions N locked N read N written N moved N
 *	blame ROW PC SITE moved N
 *	spent ROW KIND PC N
 *
 * "moved" are lines from another processor. PC is the instruction that asked for one, SITE the last
 * instruction before it in one of the modules named by the guest (0: none), both hexadecimal.
 * "spent" says how often an instruction was executed.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marker.h"
#include "qemu.h"

#define EXPORT	__attribute__((visibility("default")))
#define LINE	64
#define CPUS	64
#define TEXTS	8
#define TOUCHED	4096	/* places for lines of one window, a power of two */

EXPORT int qemu_plugin_version = 1;

static qemu_plugin_id_t self;
static FILE *out;
static bool counting, translating;

static void *need_memory(void *p)
{
	if (!p)
		abort();
	return p;
}

/* ---- hash tables by a number that is not 0 ---- */

struct slot {
	uint64_t key;
	uint64_t a, b;
};

struct map {
	struct slot *slots;
	size_t size, used;	/* size is a power of two, or 0 */
};

static size_t hash_of(uint64_t key)
{
	key *= 0x9e3779b97f4a7c15ULL;
	return key ^ key >> 32;
}

static struct slot *find_slot(const struct map *m, uint64_t key)
{
	size_t i = hash_of(key);

	for (;; i++) {
		struct slot *s = &m->slots[i & (m->size - 1)];

		if (s->key == key || !s->key)
			return s;
	}
}

static void grow_map(struct map *m)
{
	struct map old = *m;
	size_t i;

	m->size = old.size ? 2 * old.size : 1 << 16;
	m->slots = need_memory(calloc(m->size, sizeof(*m->slots)));
	for (i = 0; i < old.size; i++)
		if (old.slots[i].key)
			*find_slot(m, old.slots[i].key) = old.slots[i];
	free(old.slots);
}

/* Return: the key's slot, zeroed if it is new. */
static struct slot *get_slot(struct map *m, uint64_t key)
{
	struct slot *s;

	if (2 * m->used >= m->size)
		grow_map(m);
	s = find_slot(m, key);
	if (!s->key) {
		s->key = key;
		m->used++;
	}
	return s;
}

static void empty_map(struct map *m)
{
	free(m->slots);
	*m = (struct map) {};
}

/* ---- what has been counted ---- */

struct sums {
	uint64_t windows, instructions, locked, read, written, moved;
};

/* A line that a window has met. */
struct touched {
	uint64_t line, window;
	bool read, written, moved;
};

static struct {
	bool open;		/* a window */
	bool interrupted;
	unsigned int kind;
	uint64_t window;	/* its number */
	unsigned int touches;	/* how many lines it has met */
	uint64_t site;		/* last instruction in a module */
	const void *last;	/* instruction that counted, struct instruction */
	uint64_t value;		/* what the guest sends bit by bit */
	struct touched touched[TOUCHED];
} cpus[CPUS];

static struct sums sums[MARKER_KINDS];
static struct map lines;	/* a: who has it, by bit; b: who wrote it last */
static struct map blames;	/* key: of pc and site; a: index of a blame */
static struct blame {
	uint64_t pc, site, moved;
} *blame;
static size_t nr_blames;
static uint64_t row, windows;
static struct { uint64_t begin, end; } text[TEXTS], entry;
static unsigned int nr_texts;

static void put_blame(uint64_t pc, uint64_t site)
{
	struct slot *s = get_slot(&blames, hash_of(pc * 0xff51afd7ed558ccdULL + site) | 1);

	if (!s->b) {
		s->b = 1;
		s->a = nr_blames++;
		blame = need_memory(realloc(blame, nr_blames * sizeof(*blame)));
		blame[s->a] = (struct blame) { .pc = pc, .site = site };
	}
	blame[s->a].moved++;
}

/* Kept for good: code that was translated before may still be executed. */
static struct instruction {
	struct instruction *next;
	uint64_t pc;
	uint64_t spent[MARKER_KINDS];
	bool locked, repeats, returns, is_entry, in_module;
} *instructions;

static void flush_spent(void)
{
	struct instruction *i;
	unsigned int kind;

	for (i = instructions; i; i = i->next)
		for (kind = 0; kind < MARKER_KINDS; kind++) {
			if (i->spent[kind])
				fprintf(out, "spent %llu %u %llx %llu\n", (unsigned long long)row,
					kind, (unsigned long long)i->pc,
					(unsigned long long)i->spent[kind]);
			i->spent[kind] = 0;
		}
}

static void flush_row(void)
{
	unsigned int i;
	size_t j;

	for (i = 0; i < MARKER_KINDS; i++)
		if (sums[i].windows)
			fprintf(out, "kind %llu %u windows %llu instructions %llu locked %llu "
				"read %llu written %llu moved %llu\n", (unsigned long long)row, i,
				(unsigned long long)sums[i].windows,
				(unsigned long long)sums[i].instructions,
				(unsigned long long)sums[i].locked,
				(unsigned long long)sums[i].read,
				(unsigned long long)sums[i].written,
				(unsigned long long)sums[i].moved);
	for (j = 0; j < nr_blames; j++)
		fprintf(out, "blame %llu %llx %llx moved %llu\n", (unsigned long long)row,
			(unsigned long long)blame[j].pc, (unsigned long long)blame[j].site,
			(unsigned long long)blame[j].moved);
	flush_spent();
	fflush(out);
	memset(sums, 0, sizeof(sums));
	empty_map(&blames);
	nr_blames = 0;
}

/* ---- caches ---- */

/* Return: another processor has it, or has written it last. */
static bool move_line(uint64_t line, unsigned int cpu, bool write)
{
	struct slot *s = get_slot(&lines, line + 1);
	uint64_t me = 1ULL << cpu;
	bool moved = !(s->a & me) && s->b & ~me;

	if (write) {
		moved = moved || s->a & ~me;
		s->a = me;
		s->b = me;
	} else {
		s->a |= me;
	}
	return moved;
}

/* A window that meets more lines than there are places for begins anew, as if it had met none. */
static struct touched *get_touched(unsigned int cpu, uint64_t line)
{
	size_t i = hash_of(line + 1);
	struct touched *t;

	if (cpus[cpu].touches == TOUCHED / 2) {
		cpus[cpu].window = ++windows;
		cpus[cpu].touches = 0;
	}
	for (;; i++) {
		t = &cpus[cpu].touched[i & (TOUCHED - 1)];
		if (t->window != cpus[cpu].window) {
			*t = (struct touched) { .line = line, .window = cpus[cpu].window };
			cpus[cpu].touches++;
		}
		if (t->line == line)
			return t;
	}
}

/* ---- what the guest does ---- */

static void access_line(unsigned int cpu, const struct instruction *insn, uint64_t line, bool write)
{
	bool moved = move_line(line, cpu, write);
	struct sums *sum = &sums[cpus[cpu].kind];
	struct touched *t;

	if (!cpus[cpu].open || cpus[cpu].interrupted)
		return;
	t = get_touched(cpu, line);
	sum->read += !write && !t->read;
	sum->written += write && !t->written;
	t->read |= !write;
	t->written |= write;
	if (!moved || t->moved)
		return;
	t->moved = true;
	sum->moved++;
	put_blame(insn->pc, cpus[cpu].site);
}

static void on_access(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data)
{
	const struct qemu_plugin_hwaddr *hw = qemu_plugin_get_hwaddr(info, address);
	unsigned int size = 1U << qemu_plugin_mem_size_shift(info);
	bool write = qemu_plugin_mem_is_store(info);
	uint64_t physical;

	if (!counting || !hw || qemu_plugin_hwaddr_is_io(hw))
		return;
	physical = qemu_plugin_hwaddr_phys_addr(hw);
	access_line(cpu, data, physical / LINE, write);
	if ((physical + size - 1) / LINE != physical / LINE)
		access_line(cpu, data, physical / LINE + 1, write);
}

static void on_instruction(unsigned int cpu, void *data)
{
	struct instruction *insn = data;

	if (!counting || !cpus[cpu].open)
		return;
	if (insn->is_entry && !cpus[cpu].interrupted)
		cpus[cpu].interrupted = true;
	if (cpus[cpu].interrupted) {
		if (insn->returns)
			cpus[cpu].interrupted = false;
		return;
	}
	if (insn->in_module)
		cpus[cpu].site = insn->pc;
	/* The emulator comes here for each item of a string. */
	if (insn->repeats && cpus[cpu].last == insn)
		return;
	cpus[cpu].last = insn;
	sums[cpus[cpu].kind].instructions++;
	sums[cpus[cpu].kind].locked += insn->locked;
	insn->spent[cpus[cpu].kind]++;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
static void at_exit(qemu_plugin_id_t id, void *data);

/*
 * The first time that the guest wants to be counted, what has been translated so far is forgotten,
 * and translated anew with callbacks. There is no way back: QEMU 7.2 may still use what it frees.
 */
static void at_reset(qemu_plugin_id_t id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
}

static void obey(unsigned int command, uint64_t value)
{
	switch (command) {
	case MARKER_ROW:
		row = value;
		break;
	case MARKER_TEXT_BEGIN:
		if (nr_texts < TEXTS)
			text[nr_texts].begin = value;
		break;
	case MARKER_TEXT_END:
		if (nr_texts < TEXTS)
			text[nr_texts++].end = value;
		break;
	case MARKER_ENTRY_BEGIN:
		entry.begin = value;
		break;
	case MARKER_ENTRY_END:
		entry.end = value;
		break;
	case MARKER_FORGET_TEXTS:
		nr_texts = 0;
		break;
	case MARKER_START:
		empty_map(&lines);
		counting = true;
		if (!translating)
			qemu_plugin_reset(self, at_reset);
		translating = true;
		break;
	case MARKER_STOP:
		counting = false;
		flush_row();
		break;
	}
}

static void on_marker(unsigned int cpu, void *data)
{
	unsigned int code = (uintptr_t)data;

	switch (code & MARKER_CLASS) {
	case MARKER_BIT:
		cpus[cpu].value = cpus[cpu].value << 1 | (code & 1);
		break;
	case MARKER_COMMAND:
		obey(code & MARKER_VALUE, cpus[cpu].value);
		break;
	case MARKER_BEGIN:
		if (!counting)
			break;
		cpus[cpu].open = true;
		cpus[cpu].interrupted = false;
		cpus[cpu].kind = code & MARKER_VALUE;
		cpus[cpu].window = ++windows;
		cpus[cpu].touches = 0;
		cpus[cpu].site = 0;
		sums[cpus[cpu].kind].windows++;
		break;
	case MARKER_END:
		cpus[cpu].open = false;
		break;
	}
}

/* ---- translation ---- */

static bool is_marker(const uint8_t *code, size_t size, uint32_t *value)
{
	if (size != 7 || memcmp(code, marker_opcode, sizeof(marker_opcode)))
		return false;
	memcpy(value, code + sizeof(marker_opcode), sizeof(*value));
	return *value >> 16 == MARKER_MAGIC;
}

static bool is_prefix(uint8_t byte)
{
	return byte == 0x66 || byte == 0x67 || byte == 0xf2 || byte == 0xf3 || byte == 0x2e ||
	       byte == 0x36 || byte == 0x3e || byte == 0x26 || byte == 0x64 || byte == 0x65 ||
	       (byte & 0xf0) == 0x40;
}

/* A lock prefix, or xchg with memory, which needs none. */
static bool is_locked(const uint8_t *code, size_t size)
{
	size_t i;

	for (i = 0; i < size && (is_prefix(code[i]) || code[i] == 0xf0); i++)
		if (code[i] == 0xf0)
			return true;
	return i + 1 < size && (code[i] == 0x86 || code[i] == 0x87) && code[i + 1] >> 6 != 3;
}

/* A string instruction with a rep prefix. */
static bool is_repeated(const uint8_t *code, size_t size)
{
	bool repeats = false;
	size_t i;

	for (i = 0; i < size && is_prefix(code[i]); i++)
		repeats = repeats || code[i] == 0xf2 || code[i] == 0xf3;
	return repeats && i + 1 == size &&
	       ((code[i] >= 0x6c && code[i] <= 0x6f) || (code[i] >= 0xa4 && code[i] <= 0xa7) ||
		(code[i] >= 0xaa && code[i] <= 0xaf));
}

/* The upper half of the address space; what programs do is of no interest. */
static bool is_kernel(uint64_t pc)
{
	return pc >> 63;
}

static bool in_modules(uint64_t pc)
{
	unsigned int i;

	for (i = 0; i < nr_texts; i++)
		if (pc >= text[i].begin && pc < text[i].end)
			return true;
	return false;
}

static struct instruction *describe(uint64_t pc, const uint8_t *code, size_t size)
{
	struct instruction *insn = need_memory(malloc(sizeof(*insn)));

	*insn = (struct instruction) {
		.next = instructions,
		.pc = pc,
		.locked = is_locked(code, size),
		.repeats = is_repeated(code, size),
		.returns = size == 2 && code[0] == 0x48 && code[1] == 0xcf,	/* iretq */
		.is_entry = pc >= entry.begin && pc < entry.end,
		.in_module = in_modules(pc),
	};
	instructions = insn;
	return insn;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb), i;

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint8_t *code = qemu_plugin_insn_data(insn);
		size_t size = qemu_plugin_insn_size(insn);
		struct instruction *what;
		uint32_t value;
		uint64_t pc;

		if (is_marker(code, size, &value)) {
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_marker,
							       QEMU_PLUGIN_CB_NO_REGS,
							       (void *)(uintptr_t)(value & 0xffff));
			continue;
		}
		pc = qemu_plugin_insn_vaddr(insn);
		if (!translating || !is_kernel(pc))
			continue;
		what = describe(pc, code, size);
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction,
						       QEMU_PLUGIN_CB_NO_REGS, what);
		qemu_plugin_register_vcpu_mem_cb(insn, on_access, QEMU_PLUGIN_CB_NO_REGS,
						 QEMU_PLUGIN_MEM_RW, what);
	}
}

static void at_exit(qemu_plugin_id_t id, void *data)
{
	fclose(out);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_plugin_info *info, int argc,
			       char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "sharing: the plugin takes out=FILE\n");
		return -1;
	}
	out = fopen(argv[0] + 4, "w");
	if (!out) {
		perror(argv[0] + 4);
		return -1;
	}
	self = id;
	at_reset(id);
	return 0;
}
