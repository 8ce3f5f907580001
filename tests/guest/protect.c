/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MEM_PROTECT: memory outlives resets until the guest asks that it does not, and then for one. Four boots, which the
 * clock counts (PL031's load register), because nothing else outlives them. Options: ram=BYTES of guest RAM.
 */
#include "kit/kit.h"

#define SYSTEM_RESET  0x84000009u
#define SYSTEM_RESET2 0xc4000012u
#define MEM_PROTECT   0x84000013u
#define CHECK_RANGE   0xc4000014u
#define DENIED        (-3)

#define RAM           0x40000000ull
#define PAGE          4096
#define CLOCK         ((volatile uint32_t *)0x09010000) /* PL031: data register, match, load */
#define BOOT_SECONDS  1000000u
#define MARK(at)      ((at) ^ 0x5ec2e75ec2e75ec2ull)

extern char kit_image[];
static uint64_t ram;

/* Whole pages that are the guest's own: its image as far as it can go, and the device tree. */
static bool own(uint64_t at)
{
	const uint32_t *tree = (const uint32_t *)kit_device_tree;
	const uint64_t image = (uint64_t)kit_image;

	return (at >= image / PAGE * PAGE && at < image + 0x80000) ||
	       (at >= kit_device_tree / PAGE * PAGE &&
		at < kit_device_tree + __builtin_bswap32(tree[1]));
}

/* Two words of each page, and what is behind the device tree in its own last one. */
static uint64_t behind_tree(void)
{
	const uint32_t *tree = (const uint32_t *)kit_device_tree;

	return (kit_device_tree + __builtin_bswap32(tree[1]) + 15) / 8 * 8;
}

static void leave_marks(void)
{
	for (uint64_t at = RAM; at < RAM + ram; at += PAGE) {
		if (!own(at)) {
			*(volatile uint64_t *)at = MARK(at);
			*(volatile uint64_t *)(at + PAGE - 8) = MARK(at);
		}
	}
	*(volatile uint64_t *)behind_tree() = MARK(1);
}

/* How many words have their mark, or are not 0. */
static void look(uint64_t *marked, uint64_t *other)
{
	*marked = *other = 0;
	for (uint64_t at = RAM; at < RAM + ram; at += PAGE) {
		const volatile uint64_t *words = (const volatile uint64_t *)at;

		if (own(at)) {
			continue;
		}
		*marked += words[0] == MARK(at) ? 1 : 0;
		*marked += words[PAGE / 8 - 1] == MARK(at) ? 1 : 0;
		for (unsigned int i = 0; i < PAGE / 8; i++) {
			*other += words[i] != 0 && words[i] != MARK(at) ? 1 : 0;
		}
	}
	*marked += *(const volatile uint64_t *)behind_tree() == MARK(1) ? 1 : 0;
}

/* The next boot is number `boot`. */
static _Noreturn void reset(uint32_t boot, uint32_t function)
{
	if (kit_failures() != 0) {
		kit_end();
	}
	leave_marks();
	CLOCK[2] = boot * BOOT_SECONDS;
	/* It must not depend on caches that are written back by chance. */
	__asm__ volatile("dsb sy" : : : "memory");
	kit_hvc(function, 0, 0, 0);
	kit_fail("the reset came back");
	kit_end();
}

static void want(const char *what, int64_t answer, int64_t wanted)
{
	if (answer != wanted) {
		kit_fail("%s answers %ld, not %ld", what, answer, wanted);
	}
}

static void protect(void)
{
	want("MEM_PROTECT on", (int64_t)kit_hvc(MEM_PROTECT, 1, 0, 0), 0);
	want("MEM_PROTECT off", (int64_t)kit_hvc(MEM_PROTECT, 0, 0, 0), 1);
	want("MEM_PROTECT on again", (int64_t)kit_hvc(MEM_PROTECT, 1, 0, 0), 0);
	want("MEM_PROTECT still on", (int64_t)kit_hvc(MEM_PROTECT, 1, 0, 0), 1);
	want("range: all RAM", (int64_t)kit_hvc(CHECK_RANGE, RAM, ram, 0), 0);
	want("range: one byte more", (int64_t)kit_hvc(CHECK_RANGE, RAM, ram + 1, 0), DENIED);
	want("range: below RAM", (int64_t)kit_hvc(CHECK_RANGE, RAM - 1, 2, 0), DENIED);
	want("range: around the end", (int64_t)kit_hvc(CHECK_RANGE, RAM, ~0ull, 0), DENIED);
	want("range: a device", (int64_t)kit_hvc(CHECK_RANGE, (uint64_t)CLOCK, 4, 0), DENIED);
}

void kit_main(void)
{
	uint32_t boot = CLOCK[0] / BOOT_SECONDS;
	uint64_t marked, other, all = 1;

	ram = kit_option("ram", 0);
	for (uint64_t at = RAM; at < RAM + ram; at += PAGE) {
		all += own(at) ? 0 : 2;
	}
	boot = boot <= 3 ? boot : 0;
	look(&marked, &other);
	kit_printf("boot %u: %lu of %lu marks, %lu other words\n", boot, marked, all, other);
	if (boot == 0) {
		reset(1, SYSTEM_RESET2);
	}
	if (boot == 1) {
		want("marks after a reset", (int64_t)marked, (int64_t)all);
		protect();
		reset(2, SYSTEM_RESET2);
	}
	if (boot == 2) {
		want("marks after protection", (int64_t)marked, 0);
		want("other words after protection", (int64_t)other, 0);
		reset(3, SYSTEM_RESET);
	}
	want("marks after a reset without", (int64_t)marked, (int64_t)all);
	want("MEM_PROTECT two boots later", (int64_t)kit_hvc(MEM_PROTECT, 0, 0, 0), 0);
}
