/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program for the Linux guest: uses the CPU's features from user space and says, a line each, what
 * came of it ("@ NAME: VALUE"). The features that EL2 has to let through: SVE, pointer authentication,
 * memory tagging; and two instructions it must not see from here: HVC and SMC.
 *
 * No C library: the guest has none, nor has the cross compiler's machine.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Linux on arm64: numbers of system calls, auxiliary vector entries and constants (kernel headers). */
enum {
	SYS_READ = 63,
	SYS_WRITE = 64,
	SYS_EXIT = 93,
	SYS_PRCTL = 167,
	SYS_CLONE = 220,
	SYS_MMAP = 222,
	SYS_PERF_EVENT_OPEN = 241,
	SYS_WAIT4 = 260
};
enum { AT_NULL = 0, AT_HWCAP = 16, AT_HWCAP2 = 26 };
#define HWCAP_SVE       (1ul << 22)
#define HWCAP_PACA      (1ul << 30)
#define HWCAP2_MTE      (1ul << 18)
#define SIGCHLD         17
#define PR_SVE_SET_VL   50
#define PR_SET_TAGGED   55
#define PR_TAGGED_ON    1
#define PR_MTE_TCF_SYNC (1ul << 1)
#define PR_MTE_TAGS     (0xfffeul << 3)
/* What HVC and SMC would ask for if they worked here: it would not go unnoticed. */
#define PSCI_SYSTEM_OFF  0x84000008u
#define PROT_READ_WRITE  3
#define PROT_MTE         0x20
#define MAP_PRIVATE_ANON 0x22

static long call(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory", "cc");
	return x0;
}

static _Noreturn void leave(int status)
{
	for (;;) {
		call(SYS_EXIT, status, 0, 0, 0, 0, 0);
	}
}

static void say(const char *name, const char *value)
{
	const char *parts[] = {"@ ", name, ": ", value, "\n"};
	char line[128];
	size_t used = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (const char *at = parts[i]; *at != '\0' && used < sizeof(line); at++) {
			line[used++] = *at;
		}
	}
	call(SYS_WRITE, 1, (long)line, (long)used, 0, 0, 0);
}

static void say_number(const char *name, unsigned long value)
{
	char digits[24];
	size_t at = sizeof(digits);

	digits[--at] = '\0';
	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0);
	say(name, digits + at);
}

/* --- In a process of its own: the signal that ended it, or 0. */
static unsigned long signal_of(void (*work)(uintptr_t), uintptr_t with)
{
	int status = 0;
	long child = call(SYS_CLONE, SIGCHLD, 0, 0, 0, 0, 0);

	if (child == 0) {
		work(with);
		leave(0);
	}
	if (child < 0 || call(SYS_WAIT4, child, (long)&status, 0, 0, 0, 0) != child) {
		return 99;
	}
	return (unsigned long)status & 0x7f;
}

static void do_hvc(uintptr_t id)
{
	register uintptr_t x0 __asm__("x0") = id;

	__asm__ volatile("hvc #0" : "+r"(x0) : : "memory");
}

static void do_smc(uintptr_t id)
{
	register uintptr_t x0 __asm__("x0") = id;

	__asm__ volatile("smc #0" : "+r"(x0) : : "memory");
}

/* --- SVE: a vector that depends on its length, held while others run. */

static uint64_t sve_sum(void)
{
	uint64_t sum;

	__asm__ volatile(".arch_extension sve\n\t"
			 "ptrue p0.d\n\t"
			 "index z0.d, #1, #1\n\t"
			 "uaddv d1, p0, z0.d\n\t"
			 "fmov %0, d1"
			 : "=r"(sum)
			 :
			 : "v0", "v1", "p0");
	return sum;
}

/* True if every lane of z8 to z10 and p1 kept its value while a second passed, mostly without system calls. */
static bool sve_keeps(void)
{
	uint64_t wrong;

	__asm__ volatile(".arch_extension sve\n\t"
			 "index z8.b, #1, #3\n\t"
			 "index z9.h, #7, #5\n\t"
			 "index z10.d, #-3, #11\n\t"
			 "ptrue p1.h\n\t"
			 "mrs x9, cntvct_el0\n\t"
			 "mrs x10, cntfrq_el0\n"
			 "1:\n\t"
			 "index z0.b, #1, #3\n\t"
			 "index z1.h, #7, #5\n\t"
			 "index z2.d, #-3, #11\n\t"
			 "ptrue p0.b\n\t"
			 "eor z0.d, z0.d, z8.d\n\t"
			 "eor z1.d, z1.d, z9.d\n\t"
			 "eor z2.d, z2.d, z10.d\n\t"
			 "orr z0.d, z0.d, z1.d\n\t"
			 "orr z0.d, z0.d, z2.d\n\t"
			 "orv b0, p0, z0.b\n\t"
			 "umov %w0, v0.b[0]\n\t"
			 "ptrue p2.h\n\t"
			 "eors p2.b, p0/z, p1.b, p2.b\n\t"
			 "b.any 2f\n\t"
			 "cbnz %0, 3f\n\t"
			 "mrs x11, cntvct_el0\n\t"
			 "sub x11, x11, x9\n\t"
			 "cmp x11, x10\n\t"
			 "b.lo 1b\n\t"
			 "b 3f\n"
			 "2:\n\t"
			 "mov %0, #1\n"
			 "3:"
			 : "=r"(wrong)
			 :
			 : "v0", "v1", "v2", "v8", "v9", "v10", "p0", "p1", "p2", "x9", "x10",
			   "x11", "cc", "memory");
	return wrong == 0;
}

static void try_sve(void)
{
	unsigned long longest = 0, lengths = 0;
	bool right = true;

	for (unsigned long bytes = 16; bytes <= 256; bytes += 16) {
		long set = call(SYS_PRCTL, PR_SVE_SET_VL, (long)bytes, 0, 0, 0, 0);
		unsigned long lanes = bytes / 8;

		/* A length the machine does not have becomes the next shorter one. */
		if (set < 0 || ((unsigned long)set & 0xffff) != bytes) {
			continue;
		}
		lengths++;
		longest = bytes;
		right = right && sve_sum() == lanes * (lanes + 1) / 2;
	}
	say_number("sve_lengths", lengths);
	say_number("sve_longest", longest);
	say("sve_sums", right ? "right" : "wrong");
	say("sve_kept", sve_keeps() ? "yes" : "no");
}

/* --- Pointer authentication. */

static void try_pauth(void)
{
	uint64_t pointer = (uint64_t)&try_pauth, is_signed = pointer, back, other;

	__asm__ volatile(".arch_extension pauth\n\tpacia %0, %1" : "+r"(is_signed) : "r"(42ul));
	back = is_signed;
	__asm__ volatile("autia %0, %1" : "+r"(back) : "r"(42ul));
	other = pointer;
	__asm__ volatile("pacia %0, %1" : "+r"(other) : "r"(43ul));
	say("pauth", back != pointer                            ? "broken"
		     : is_signed == pointer && other == pointer ? "does nothing"
								: "works");
}

/* --- Memory tagging: a tagged granule, and an access with another tag. */

static void write_byte(uintptr_t at)
{
	*(volatile uint8_t *)at = 1;
}

static void try_mte(void)
{
	uint64_t at, read_back;

	/* The kernel excludes tag 0 with this mask, so that an untagged pointer is a wrong one. */
	call(SYS_PRCTL, PR_SET_TAGGED, PR_TAGGED_ON | PR_MTE_TCF_SYNC | PR_MTE_TAGS, 0, 0, 0, 0);
	at = (uint64_t)call(SYS_MMAP, 0, 4096, PROT_READ_WRITE | PROT_MTE, MAP_PRIVATE_ANON, -1, 0);
	__asm__ volatile(".arch armv8.5-a+memtag\n\tirg %0, %0" : "+r"(at));
	__asm__ volatile("stg %0, [%0]" : : "r"(at) : "memory");
	read_back = at & ~(0xfull << 56);
	__asm__ volatile("ldg %0, [%0]" : "+r"(read_back) : : "memory");
	say("mte_tag", (at >> 56 & 0xf) != 0 && read_back == at ? "kept" : "lost");
	say_number("mte_right_tag_signal", signal_of(write_byte, at));
	say_number("mte_wrong_tag_signal", signal_of(write_byte, at ^ 1ul << 56));
}

/* --- The performance counters: cycles of a loop. A trap of EL2 in the way would be undefined. */

struct perf_event {
	uint32_t type, size;
	uint64_t config, period, sample_type, read_format, flags, rest[8];
};
#define PERF_HARDWARE       0
#define PERF_CPU_CYCLES     0
#define PERF_EXCLUDE_KERNEL (1u << 5)

static void try_pmu(void)
{
	struct perf_event event = {.type = PERF_HARDWARE,
				   .size = sizeof(event),
				   .config = PERF_CPU_CYCLES,
				   .flags = PERF_EXCLUDE_KERNEL};
	uint64_t before = 0, after = 0;
	long counter = call(SYS_PERF_EVENT_OPEN, (long)&event, 0, -1, -1, 0, 0);

	if (counter < 0) {
		say("pmu", "none");
		return;
	}
	call(SYS_READ, counter, (long)&before, 8, 0, 0, 0);
	for (unsigned int i = 0; i < 1000000; i++) {
		__asm__ volatile("");
	}
	call(SYS_READ, counter, (long)&after, 8, 0, 0, 0);
	say("pmu", after > before ? "counts" : "stands still");
}

/* Nanoseconds since the machine started, which are instructions where QEMU's -icount makes them so. */
static void say_counter(void)
{
	uint64_t now, hz;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(now));
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	say_number("counter_ns", now * (1000000000 / hz));
}

/* Called with the stack as the kernel left it: argc, argv, 0, environment, 0, auxiliary vector. */
__attribute__((used)) static _Noreturn void begin(const unsigned long *stack)
{
	const unsigned long *at = stack + 1 + stack[0] + 1;
	unsigned long hwcap = 0, hwcap2 = 0;

	while (*at++ != 0) {
	}
	for (; at[0] != AT_NULL; at += 2) {
		hwcap = at[0] == AT_HWCAP ? at[1] : hwcap;
		hwcap2 = at[0] == AT_HWCAP2 ? at[1] : hwcap2;
	}
	if (stack[0] > 1) { /* any argument: bench/el2 wants the time only */
		say_counter();
		leave(0);
	}
	say_number("hvc_signal", signal_of(do_hvc, PSCI_SYSTEM_OFF));
	say_number("smc_signal", signal_of(do_smc, PSCI_SYSTEM_OFF));
	try_pmu();
	if ((hwcap & HWCAP_SVE) != 0) {
		try_sve();
	}
	if ((hwcap & HWCAP_PACA) != 0) {
		try_pauth();
	}
	if ((hwcap2 & HWCAP2_MTE) != 0) {
		try_mte();
	}
	leave(0);
}

__asm__(".pushsection .text\n"
	".global _start\n"
	"_start:\n\t"
	"mov x0, sp\n\t"
	"b begin\n"
	".popsection");
