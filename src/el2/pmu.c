/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Performance monitors that nothing else keeps from counting in EL2 (PMUv3 before Armv8.1): their registers
 * trap, and what the guest writes is written but for NSH, which asks for that. For AArch32 programs they
 * are undefined.
 * Source: DDI 0487, D24.5 (PMU registers).
 */
#include "el2.h"
#include "sysreg.h"

#define FILTER_NSH    (1ull << 27)
#define CYCLE_COUNTER 31u

/* MRS and MSR: op1, CRn, CRm, op2 */
#define KEY(op1, crn, crm, op2) ((unsigned int)(op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

#define REGISTERS                             \
	REG(KEY(3, 9, 12, 0), pmcr_el0)       \
	REG(KEY(3, 9, 12, 1), pmcntenset_el0) \
	REG(KEY(3, 9, 12, 2), pmcntenclr_el0) \
	REG(KEY(3, 9, 12, 3), pmovsclr_el0)   \
	REG(KEY(3, 9, 12, 5), pmselr_el0)     \
	REG(KEY(3, 9, 13, 0), pmccntr_el0)    \
	REG(KEY(3, 9, 14, 0), pmuserenr_el0)  \
	REG(KEY(3, 9, 14, 3), pmovsset_el0)   \
	REG(KEY(0, 9, 14, 1), pmintenset_el1) \
	REG(KEY(0, 9, 14, 2), pmintenclr_el1)

static void filter(bool read, uint64_t *value)
{
	if (read) {
		*value = sysreg_read(pmccfiltr_el0);
	} else {
		sysreg_write(pmccfiltr_el0, *value & ~FILTER_NSH);
	}
}

/* PMEVCNTR<n>_EL0 or PMEVTYPER<n>_EL0, by PMSELR_EL0, which is the guest's. */
static bool counter(unsigned int n, bool type, bool read, uint64_t *value)
{
	uint64_t selected = sysreg_read(pmselr_el0);

	if (n == CYCLE_COUNTER && type) {
		filter(read, value);
		return true;
	}
	if (n >= (sysreg_read(pmcr_el0) >> 11 & 0x1f)) {
		return false;
	}
	sysreg_write(pmselr_el0, n);
	isb();
	if (type && read) {
		*value = sysreg_read(pmxevtyper_el0);
	} else if (type) {
		sysreg_write(pmxevtyper_el0, *value & ~FILTER_NSH);
	} else if (read) {
		*value = sysreg_read(pmxevcntr_el0);
	} else {
		sysreg_write(pmxevcntr_el0, *value);
	}
	sysreg_write(pmselr_el0, selected);
	isb();
	return true;
}

static bool plain(unsigned int key, bool read, uint64_t *value)
{
	switch (key) {
#define REG(k, name)                                \
	case k:                                     \
		if (read) {                         \
			*value = sysreg_read(name); \
		} else {                            \
			sysreg_write(name, *value); \
		}                                   \
		return true;
		REGISTERS
#undef REG
	case KEY(3, 9, 12, 4):
		if (!read) {
			sysreg_write(pmswinc_el0, *value);
		}
		return !read;
	case KEY(3, 9, 12, 6):
		*value = sysreg_read(pmceid0_el0);
		return read;
	case KEY(3, 9, 12, 7):
		*value = sysreg_read(pmceid1_el0);
		return read;
	default:
		return false;
	}
}

bool pmu_access(unsigned int key, bool read, uint64_t *value)
{
	unsigned int version = id_field(sysreg_read(id_aa64dfr0_el1), 8);

	if (version == 0 || version >= 4) {
		return false; /* there is none, or it does not trap */
	}
	if ((key & ~0x7fu) == KEY(3, 14, 0, 0) && (key & 0x40) != 0) {
		return counter(key & 0x1f, (key & 0x20) != 0, read, value);
	}
	if (key == KEY(3, 9, 13, 1) || key == KEY(3, 9, 13, 2)) {
		if (!counter((unsigned int)sysreg_read(pmselr_el0) & 0x1f, key == KEY(3, 9, 13, 1),
			     read, value)) {
			*value = 0; /* no such counter is selected: of what is permitted, RAZ/WI */
		}
		return true;
	}
	return plain(key, read, value);
}
