/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that tries to get out: every way to touch what is not its own. It knows QEMU's virt machine and
 * the monitor's layout, and counts: an attempt is contained when it ended in the exception that it must
 * end in, or did nothing where the architecture says it may do nothing. That nothing changed behind the
 * guest's back is checked on the host side.
 */
#ifndef HVCGATE_GUEST_ATTACK_H
#define HVCGATE_GUEST_ATTACK_H

#include "../kit/gic.h"
#include "../kit/kit.h"

#define GIB (1ull << 30)

/* --- main.c: the record. */
/* `what` at `where`; `detail` is of use to whoever reads an escape. */
void attempt(bool contained, const char *what, uint64_t where, uint64_t detail);

extern uint64_t attack_ram;      /* bytes of RAM from 1 GiB on */
extern unsigned int attack_cpus; /* CPUs in the attack */
#define RAM_START GIB
#define RAM_END   (RAM_START + attack_ram)

/* --- windows.c: more ways to look at physical memory than the kit's. */
/* Normal memory at EL1, from physical 0 and from 512 GiB; Device memory from 512 GiB. */
#define WINDOW_NORMAL      (2ull << 39)
#define WINDOW_NORMAL_HIGH (3ull << 39)
#define WINDOW_DEVICE_HIGH (4ull << 39)
/* Block n (1 GiB) is physical 1 << (40 + n): beyond what stage 2 can translate. */
#define WINDOW_BEYOND (5ull << 39)
#define BEYOND_COUNT  8u
/* Below 4 GiB, open to EL0 (AArch32, too): RAM, and the first GiB as Normal memory. */
#define WINDOW_EL0_RAM   (3ull << 30)
#define WINDOW_EL0_FIRST (2ull << 30)
/* Free: its level 0 entry is walk.c's. */
#define WINDOW_WALK  (6ull << 39)
#define WINDOW_INDEX 6u
void windows_make(void);  /* once */
void windows_enter(void); /* on each CPU: EL0 execution, FP, tags */
uint64_t *windows_root(void);
void windows_changed(void);
/* Virtual address of a physical one as Normal memory. */
uint64_t window_normal(uint64_t physical);
/* The same as the kit (or, above 512 GiB, a Device window) maps it. */
uint64_t window_plain(uint64_t physical);

/* --- The attacks. Those with a `part` split their work among attack_cpus CPUs. */
void attack_memory(unsigned int part);
void attack_sweep(unsigned int part);
void attack_registers(void);
void attack_devices(void);
void attack_gic(void);
void attack_el0(void);
void attack_walks(void);
void attack_debug(void);
void attack_calls(void);

/* --- sweep.c: where the guest may be. */
bool area_allowed(uint64_t physical);

/* --- memory.c: an access of a number at a virtual address. */
#define ACCESS_LOAD 2u /* ldr w */
bool access_try(unsigned int kind, uint64_t address, struct kit_fault *fault);

/* Did an attempt end as one at memory that stage 2 hides has to? */
static inline bool is_external(const struct kit_fault *fault)
{
	unsigned int ec = KIT_EC(fault->esr);

	return (ec == KIT_EC_DABORT_SAME || ec == KIT_EC_IABORT_SAME || ec == KIT_EC_DABORT_LOW ||
		ec == KIT_EC_IABORT_LOW) &&
	       KIT_FSC(fault->esr) == KIT_FSC_EXTERNAL;
}

static inline bool is_undefined(const struct kit_fault *fault)
{
	return KIT_EC(fault->esr) == KIT_EC_UNKNOWN;
}

#endif
