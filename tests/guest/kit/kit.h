/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small runtime for bare-metal guests at EL1: console, hypercalls, expected exceptions, CPUs.
 *
 * A guest is one C file with kit_main(). It is linked position-independent, so no constant table of
 * pointers. The MMU is on: addresses below 512 GiB are identity-mapped (1 to 256 GiB as Normal memory,
 * the rest as Device), readable, writable and executable at EL1; the same again at KIT_EL0 and up for EL0.
 * FP and SIMD are not used.
 */
#ifndef HVCGATE_GUEST_KIT_H
#define HVCGATE_GUEST_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIT_MAX_CPUS 8

/* The guest itself; runs on the first CPU. Returning from it ends the machine. */
void kit_main(void);

/* --- Console: PL011 of QEMU's virt machine. One caller at a time gets a line out whole.
 * %s %c %d %u %x %lx %lu %ld, width with leading zeros as in %08x. */
void kit_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints "FAIL: ..." and counts it; kit_failures() tells how many there were. */
void kit_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
unsigned int kit_failures(void);
/* "PASS" or "FAIL n", then PSCI SYSTEM_OFF. */
_Noreturn void kit_end(void);

/* --- Hypercalls. */
enum kit_conduit { KIT_HVC = 0, KIT_SMC = 1 };
struct kit_regs {
	uint64_t x[18];
};
/* Calls with x0..x17 as given and stores what came back. `immediate` is 0 or 1. Returns 0, or a bit n for
 * every register xn of x18..x28, x30 that changed, 31 for SP, 32 for the flags. */
uint64_t kit_call(enum kit_conduit conduit, unsigned int immediate, struct kit_regs *regs);
/* Simple form, by HVC: x0 of the answer. */
uint64_t kit_hvc(uint32_t id, uint64_t x1, uint64_t x2, uint64_t x3);

/* --- Expected exceptions. */
struct kit_fault {
	uint64_t esr, far, elr, spsr;
	uint64_t
		vector; /* offset in the table / 0x80: 4 EL1 with SP_EL1, 0 with SP_EL0, 8 EL0, 12 AArch32 */
};
#define KIT_EC(esr)        ((unsigned int)((esr) >> 26) & 0x3fu)
#define KIT_FSC(esr)       ((unsigned int)(esr)&0x3fu)
#define KIT_EC_UNKNOWN     0x00u
#define KIT_EC_SVC64       0x15u
#define KIT_EC_IABORT_LOW  0x20u
#define KIT_EC_IABORT_SAME 0x21u
#define KIT_EC_DABORT_LOW  0x24u
#define KIT_EC_DABORT_SAME 0x25u
#define KIT_FSC_EXTERNAL   0x10u

/* Runs fn(arg). True if it returned; false if it took a synchronous exception: *fault says which. */
bool kit_try(void (*fn)(void *), void *arg, struct kit_fault *fault);
/* The same at EL0; fn must be position-independent code and not write to the kit's data. */
bool kit_try_el0(void (*fn)(void *), void *arg, struct kit_fault *fault);
#define KIT_EL0 (1ull << 39)
/* The same in AArch32 at EL0: A32 code at a 32-bit address (kit_map) that ends with SVC. */
bool kit_try_el0_32(uint64_t code, uint64_t r0, struct kit_fault *fault);
#define KIT_EC_SVC32 0x11u

/* Let the GiB at `address` (below 1 TiB) be the one at `ipa`, for EL0 or for EL1, on all CPUs. */
void kit_map(uint64_t address, uint64_t ipa, bool el0);

/* One access or fetch of 1, 2, 4 or 8 bytes under kit_try(). */
bool kit_read(uint64_t address, unsigned int bytes, uint64_t *value, struct kit_fault *fault);
bool kit_write(uint64_t address, unsigned int bytes, uint64_t value, struct kit_fault *fault);
bool kit_execute(uint64_t address, struct kit_fault *fault);

/* --- CPUs. */
/* How many CPUs there are: AFFINITY_INFO knows them, with affinities 0, 1, 2... */
unsigned int kit_cpu_count(void);
unsigned int kit_cpu_index(void);
/* CPU_ON; fn(arg) runs there on a stack of its own, then the CPU waits forever (CPU_OFF is up to fn).
 * Returns PSCI's answer. */
int64_t kit_cpu_on(unsigned int index, void (*fn)(void *), void *arg);

/* Called for IRQ, FIQ; defined weakly as a failure. */
void kit_irq(uint64_t vector);

/* In every loop that waits for another CPU: with --deterministic they run in turn. */
static inline void kit_yield(void)
{
	__asm__ volatile("yield" : : : "memory");
}

/* --- Odds and ends. */
/* The first property of this name in the device tree, NULL if there is none. */
const void *kit_property(const char *name, unsigned int *bytes);
/* bootargs of the device tree, "" if there are none. */
const char *kit_bootargs(void);
/* The number behind "name=" in bootargs, or `otherwise`. */
uint64_t kit_option(const char *name, uint64_t otherwise);
extern uint64_t kit_device_tree;
uint64_t kit_counter(void);           /* CNTVCT_EL0 */
uint64_t kit_counter_hz(void);        /* CNTFRQ_EL0 */
uint64_t kit_random(uint64_t *state); /* xorshift64*; state must not be 0 */

#endif
