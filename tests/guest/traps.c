/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the monitor makes of accesses it does not allow: exceptions as the Arm ARM takes them (DDI 0487, J1
 * AArch64.TakeException), from EL1 with either stack pointer and from EL0; and of registers that trap.
 */
#include "kit/kit.h"

#define NOWHERE      0x38000000ull /* no device, no RAM */

#define SPSR_MODE(s) ((unsigned int)(s)&0x1fu)
#define EL0T         0x0u
#define EL1T         0x4u
#define EL1H         0x5u

struct expected {
	unsigned int ec, iss, mode;
	uint64_t vector, far;
};

static void check(const char *what, const struct kit_fault *fault, const struct expected *want)
{
	if (KIT_EC(fault->esr) != want->ec || (fault->esr & 0x1ffffff) != want->iss ||
	    (fault->esr >> 25 & 1) == 0 || SPSR_MODE(fault->spsr) != want->mode ||
	    fault->vector != want->vector || (want->far != 0 && fault->far != want->far)) {
		kit_fail("%s: esr %lx far %lx spsr %lx vector %lu", what, fault->esr, fault->far,
			 fault->spsr, fault->vector);
	}
}

static void loads_and_stores(void)
{
	struct kit_fault fault;
	uint64_t value;

	for (unsigned int bytes = 1; bytes <= 8; bytes *= 2) {
		if (kit_read(NOWHERE + bytes, bytes, &value, &fault)) {
			kit_fail("read of %u bytes gave %lx", bytes, value);
		}
		check("read", &fault,
		      &(struct expected){KIT_EC_DABORT_SAME, 0x10, EL1H, 4, NOWHERE + bytes});
		if (kit_write(NOWHERE + bytes, bytes, 1, &fault)) {
			kit_fail("write of %u bytes", bytes);
		}
		check("write", &fault,
		      &(struct expected){KIT_EC_DABORT_SAME, 0x50, EL1H, 4, NOWHERE + bytes});
	}
	kit_read(0, 4, &value, &fault);
	check("read of 0", &fault, &(struct expected){KIT_EC_DABORT_SAME, 0x10, EL1H, 4, 0});
	if (kit_execute(NOWHERE, &fault)) {
		kit_fail("fetch");
	}
	check("fetch", &fault, &(struct expected){KIT_EC_IABORT_SAME, 0x10, EL1H, 4, NOWHERE});
	if (kit_execute(0x09000000, &fault)) {
		kit_fail("fetch from a device");
	}
	check("fetch from a device", &fault,
	      &(struct expected){KIT_EC_IABORT_SAME, 0x10, EL1H, 4, 0x09000000});
}

/* Pairs and atomics have no syndrome of one register. */
static void pair(void *address)
{
	__asm__ volatile("ldp x2, x3, [%0]" : : "r"(address) : "x2", "x3", "memory");
}
static void pair_after(void *address)
{
	__asm__ volatile("stp x2, x3, [%0], #16" : "+r"(address) : : "memory");
}
static void zero_line(void *address)
{
	__asm__ volatile("dc zva, %0" : : "r"(address) : "memory");
}
static void clean_line(void *address)
{
	__asm__ volatile("dc civac, %0" : : "r"(address) : "memory");
}
static void translate(void *address)
{
	uint64_t par;

	__asm__ volatile("at s1e1r, %1\n\tisb\n\tmrs %0, par_el1"
			 : "=r"(par)
			 : "r"(address)
			 : "memory");
	(void)par;
}

static void other_instructions(void)
{
	struct kit_fault fault;
	void *nowhere = (void *)NOWHERE;

	if (kit_try(pair, nowhere, &fault)) {
		kit_fail("ldp");
	}
	check("ldp", &fault, &(struct expected){KIT_EC_DABORT_SAME, 0x10, EL1H, 4, NOWHERE});
	if (kit_try(pair_after, nowhere, &fault)) {
		kit_fail("stp");
	}
	check("stp", &fault, &(struct expected){KIT_EC_DABORT_SAME, 0x50, EL1H, 4, NOWHERE});
	kit_try(zero_line, nowhere, &fault);
	kit_try(clean_line, nowhere, &fault);
	kit_try(translate, nowhere, &fault);
}

/* On SP_EL0 at EL1: vector 0. */
static void read_on_sp0(void *arg)
{
	__asm__ volatile(
		"mov x9, sp\n\tmsr spsel, #0\n\tmov sp, x9\n\tldr w1, [%0]\n\tmsr spsel, #1"
		:
		: "r"(arg)
		: "x1", "x9", "memory");
}

static void read_plain(void *arg)
{
	__asm__ volatile("ldr w1, [%0]" : : "r"(arg) : "x1", "memory");
}

static void jump(void *arg)
{
	__asm__ volatile("br %0" : : "r"(arg));
}

static void hvc_from_el0(void *arg)
{
	(void)arg;
	__asm__ volatile("hvc #0");
}

static void smc_from_el0(void *arg)
{
	(void)arg;
	__asm__ volatile("smc #0");
}

static void from_elsewhere(void)
{
	struct kit_fault fault;

	kit_try(read_on_sp0, (void *)NOWHERE, &fault);
	check("read on SP_EL0", &fault,
	      &(struct expected){KIT_EC_DABORT_SAME, 0x10, EL1T, 0, NOWHERE});
	kit_try_el0(read_plain, (void *)(NOWHERE + KIT_EL0), &fault);
	check("read at EL0", &fault,
	      &(struct expected){KIT_EC_DABORT_LOW, 0x10, EL0T, 8, NOWHERE + KIT_EL0});
	kit_try_el0(jump, (void *)(NOWHERE + KIT_EL0), &fault);
	check("fetch at EL0", &fault,
	      &(struct expected){KIT_EC_IABORT_LOW, 0x10, EL0T, 8, NOWHERE + KIT_EL0});
	kit_try_el0(hvc_from_el0, NULL, &fault);
	check("HVC at EL0", &fault, &(struct expected){KIT_EC_UNKNOWN, 0, EL0T, 8, 0});
	kit_try_el0(smc_from_el0, NULL, &fault);
	check("SMC at EL0", &fault, &(struct expected){KIT_EC_UNKNOWN, 0, EL0T, 8, 0});
}

/* A stage 1 table that stage 2 does not let be read. */
static void walk(void *arg)
{
	uint64_t old, value;

	__asm__ volatile("mrs %0, ttbr1_el1" : "=r"(old));
	__asm__ volatile("msr ttbr1_el1, %2\n\tmrs %0, tcr_el1\n\tbic %1, %0, #1 << 23\n\t"
			 "orr %1, %1, #16 << 16\n\torr %1, %1, #2 << 30\n\tmsr tcr_el1, %1\n\tisb"
			 : "=&r"(old), "=&r"(value)
			 : "r"(arg)
			 : "memory");
	__asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(0xffff000000001000ull) : "memory");
}

static uint64_t next_table[512] __attribute__((aligned(4096)));

static void table_walk(void)
{
	struct kit_fault fault;

	if (kit_try(walk, (void *)NOWHERE, &fault)) {
		kit_fail("walk of a table that is nowhere");
	}
	check("table walk", &fault,
	      &(struct expected){KIT_EC_DABORT_SAME, 0x14, EL1H, 4, 0xffff000000001000ull});
	/* Tables in Device memory are refused, too (HCR_EL2.PTW). */
	if (kit_try(walk, (void *)0x09000000ull, &fault)) {
		kit_fail("walk of a table in a device");
	}
	check("device table walk", &fault,
	      &(struct expected){KIT_EC_DABORT_SAME, 0x14, EL1H, 4, 0xffff000000001000ull});
	/* A later table: its level is a guess, that it is a table is not. */
	next_table[0] = NOWHERE | 3;
	__asm__ volatile("dsb sy" : : : "memory");
	kit_try(walk, next_table, &fault);
	if ((fault.esr & 0x3c) != 0x14) {
		kit_fail("later table: esr %lx", fault.esr);
	}
}

/* A32 code: ldr r1, [r0]; svc #0 */
static const uint32_t a32_read[] = {0xe5901000, 0xef000000};
/* hvc #0; svc #0 */
static const uint32_t a32_hvc[] = {0xe1400070, 0xef000000};
/* mrc p15, 0, r1, c0, c0, 0; svc #0 */
static const uint32_t a32_mrc[] = {0xee101f10, 0xef000000};

/* An AArch32 program at EL0: abort and undefined instructions take vector 12. */
static void aarch32(void)
{
	const uint64_t ram = 0xc0000000, devices = 0x80000000;
	struct kit_fault fault;
	uint64_t pfr0;

	__asm__ volatile("mrs %0, id_aa64pfr0_el1" : "=r"(pfr0));
	if ((pfr0 & 0xf) != 2) {
		return;
	}
	kit_map(ram, 0x40000000, true);
	kit_map(devices, 0, true);
#define AT(code) (ram + ((uint64_t)(code)&0x3fffffff))
	if (kit_try_el0_32(AT(a32_read), devices + NOWHERE, &fault)) {
		kit_fail("A32 read");
	}
	check("A32 read", &fault,
	      &(struct expected){KIT_EC_DABORT_LOW, 0x10, 0x10, 12, devices + NOWHERE});
	if (kit_try_el0_32(devices + NOWHERE, 0, &fault)) {
		kit_fail("A32 fetch");
	}
	check("A32 fetch", &fault,
	      &(struct expected){KIT_EC_IABORT_LOW, 0x10, 0x10, 12, devices + NOWHERE});
	/* What the monitor answers in place of the interrupt controller, it does not for AArch32. */
	if (kit_try_el0_32(AT(a32_read), devices + 0x080a0008, &fault)) {
		kit_fail("A32 read of a redistributor");
	}
	check("A32 read of a redistributor", &fault,
	      &(struct expected){KIT_EC_DABORT_LOW, 0x10, 0x10, 12, devices + 0x080a0008});
	kit_try_el0_32(AT(a32_hvc), 0, &fault);
	check("A32 hvc", &fault, &(struct expected){KIT_EC_UNKNOWN, 0, 0x10, 12, 0});
	kit_try_el0_32(AT(a32_mrc), 0, &fault);
	check("A32 mrc", &fault, &(struct expected){KIT_EC_UNKNOWN, 0, 0x10, 12, 0});
	if (!kit_try_el0_32(AT(a32_mrc + 1), 0, &fault)) {
		kit_fail("A32 svc: esr %lx", fault.esr);
	}
}

static void write_actlr(void *arg)
{
	uint64_t value;

	__asm__ volatile("msr actlr_el1, %1\n\tisb\n\tmrs %0, actlr_el1"
			 : "=r"(value)
			 : "r"(~0ull));
	*(uint64_t *)arg = value;
}

static void el2_register(void *arg)
{
	__asm__ volatile("mrs %0, vttbr_el2" : "=r"(*(uint64_t *)arg));
}

static void trace_register(void *arg)
{
	__asm__ volatile("mrs %0, S2_1_C0_C0_6" : "=r"(*(uint64_t *)arg)); /* TRCIDR... */
}

static void monitor_counts(void *arg)
{
	const uint64_t only_el2 = 1ull << 31 | 1ull << 30 | 1ull << 27 |
				  0x11; /* P, U, NSH; cycles */
	uint64_t *found = arg;

	__asm__ volatile("msr pmselr_el0, xzr\n\tisb\n\tmsr pmxevtyper_el0, %0\n\t"
			 "msr pmxevcntr_el0, xzr\n\tmsr pmccfiltr_el0, %0\n\t"
			 "msr pmcntenset_el0, %1\n\tmsr pmcr_el0, %2\n\tisb"
			 :
			 : "r"(only_el2), "r"(1ull), "r"(1ull));
	for (unsigned int i = 0; i < 1000; i++) {
		kit_hvc(0x84000000, 0, 0, 0);
	}
	__asm__ volatile("msr pmcr_el0, xzr\n\tisb\n\tmrs %0, pmxevcntr_el0\n\t"
			 "mrs %1, pmevtyper0_el0\n\tmrs %2, pmccfiltr_el0\n\tmrs %3, pmcr_el0"
			 : "=r"(found[0]), "=r"(found[1]), "=r"(found[2]), "=r"(found[3]));
}

static void guest_counts(void *arg)
{
	uint64_t *found = arg;

	__asm__ volatile(
		"msr pmevtyper0_el0, %0\n\tmsr pmevcntr0_el0, xzr\n\tmsr pmcr_el0, %1\n\tisb"
		:
		: "r"(0x11ull), "r"(1ull));
	for (unsigned int i = 0; i < 10000; i++) {
		__asm__ volatile("");
	}
	__asm__ volatile("msr pmcr_el0, xzr\n\tisb\n\tmrs %0, pmevcntr0_el0\n\tmrs %1, pmceid0_el0"
			 : "=r"(found[0]), "=r"(found[1]));
}

/* Counters count, but not what the monitor does. */
static void counters(void)
{
	struct kit_fault fault;
	uint64_t dfr0, found[4] = {0};

	__asm__("mrs %0, id_aa64dfr0_el1" : "=r"(dfr0));
	if ((dfr0 >> 8 & 0xf) == 0) {
		kit_printf("no counters\n");
		return;
	}
	if (!kit_try(monitor_counts, found, &fault)) {
		kit_fail("counters: esr %lx elr %lx", fault.esr, fault.elr);
		return;
	}
	if (found[0] != 0) {
		kit_fail("%lu cycles of the monitor counted", found[0]);
	}
	if ((dfr0 >> 8 & 0xf) < 4 && ((found[1] | found[2]) & 1ull << 27) != 0) {
		kit_fail("filters %lx and %lx count in the monitor", found[1], found[2]);
	}
	if ((found[1] & 0xffff) != 0x11 || (found[3] >> 11 & 0x1f) == 0) {
		kit_fail("PMEVTYPER0 %lx PMCR %lx", found[1], found[3]);
	}
	if (!kit_try(guest_counts, found, &fault) || found[0] == 0) {
		kit_fail("counters stand still: esr %lx", fault.esr);
	}
	kit_printf("PMUVer %lu, PMCR %lx, %lu cycles, PMCEID0 %lx\n", dfr0 >> 8 & 0xf, found[3],
		   found[0], found[1]);
}

static void debug_registers_access(void *arg)
{
	uint64_t *found = arg;

	__asm__ volatile("msr oslar_el1, %0\n\tisb" : : "r"(0ull));
	__asm__ volatile("mrs %0, oslsr_el1" : "=r"(found[0]));
	__asm__ volatile("msr oslar_el1, %0\n\tisb" : : "r"(1ull));
	__asm__ volatile("mrs %0, oslsr_el1" : "=r"(found[1]));
	__asm__ volatile("msr oslar_el1, %0\n\tisb" : : "r"(0ull));
	__asm__ volatile("msr osdlr_el1, %1\n\tisb\n\tmrs %0, osdlr_el1"
			 : "=r"(found[2])
			 : "r"(1ull));
	__asm__ volatile("mrs %0, mdrar_el1" : "=r"(found[3]));
}

static void power_request(void *arg)
{
	uint64_t *request = arg;

	__asm__ volatile("msr dbgprcr_el1, %1\n\tisb\n\tmrs %0, dbgprcr_el1"
			 : "=r"(*request)
			 : "r"(*request));
}

/* The OS lock works; the double lock, power requests and the place of debug registers are not there. */
static void debug_registers(void)
{
	struct kit_fault fault;
	uint64_t found[4] = {0}, request = 1;

	if (!kit_try(debug_registers_access, found, &fault)) {
		kit_fail("debug registers: esr %lx elr %lx", fault.esr, fault.elr);
	}
	if ((found[0] & 2) != 0 || (found[1] & 2) == 0 || (found[2] | found[3]) != 0) {
		kit_fail("OSLSR %lx %lx OSDLR %lx MDRAR %lx", found[0], found[1], found[2],
			 found[3]);
	}
	if (kit_try(power_request, &request, &fault) && request != 0) { /* QEMU has none */
		kit_fail("DBGPRCR %lx", request);
	}
}

#define ID(name, value) __asm__ volatile("mrs %0, " #name : "=r"(value))

static void registers(void)
{
	struct kit_fault fault;
	uint64_t value = 1;

	if (!kit_try(write_actlr, &value, &fault) || value != 0) {
		kit_fail("ACTLR_EL1 reads %lx", value);
	}
	if (kit_try(el2_register, &value, &fault)) {
		kit_fail("VTTBR_EL2 reads %lx", value);
	}
	check("VTTBR_EL2", &fault, &(struct expected){KIT_EC_UNKNOWN, 0, EL1H, 4, 0});
	if (kit_try(trace_register, &value, &fault)) {
		kit_fail("a trace register reads %lx", value);
	}
	check("trace register", &fault, &(struct expected){KIT_EC_UNKNOWN, 0, EL1H, 4, 0});
	ID(id_aa64pfr0_el1, value);
	kit_printf("PFR0 %lx", value);
	if ((value & 0xff00) != 0) {
		kit_fail("EL2 and EL3 are visible: %lx", value);
	}
	ID(id_aa64pfr1_el1, value);
	kit_printf(" PFR1 %lx", value);
	ID(id_aa64dfr0_el1, value);
	kit_printf(" DFR0 %lx", value);
	ID(id_aa64mmfr0_el1, value);
	kit_printf(" MMFR0 %lx", value);
	ID(id_aa64mmfr1_el1, value);
	kit_printf(" MMFR1 %lx", value);
	ID(id_aa64mmfr2_el1, value);
	kit_printf(" MMFR2 %lx", value);
	ID(id_aa64isar0_el1, value);
	kit_printf(" ISAR0 %lx", value);
	ID(id_aa64isar1_el1, value);
	kit_printf(" ISAR1 %lx\n", value);
}

/* GICv3 only: no LPIs behind the monitor's back. */
static void redistributor(void)
{
	const uint64_t base = 0x080a0000;
	struct kit_fault fault;
	uint64_t value, frames = 0;

	if (!kit_read(base + 8, 8, &value, &fault)) {
		return; /* GICv2 */
	}
	for (;; frames++) {
		uint64_t frame = base + frames * 0x20000;

		kit_read(frame + 8, 8, &value, &fault);
		if ((value & 0xb) != 0) {
			kit_fail("GICR_TYPER %lx has LPIs", value);
		}
		if (!kit_write(frame, 4, 1, &fault) || !kit_read(frame, 4, &value, &fault) ||
		    (value & 1) != 0) {
			kit_fail("GICR_CTLR is %lx", value);
		}
		kit_write(frame + 0x70, 8, 0x40200000, &fault);
		kit_read(frame + 0x70, 8, &value, &fault);
		if (value != 0) {
			kit_fail("GICR_PROPBASER is %lx", value);
		}
		kit_write(frame + 0x78, 4, 0x40200000, &fault);
		kit_read(frame + 0x78, 4, &value, &fault);
		if (value != 0) {
			kit_fail("GICR_PENDBASER is %lx", value);
		}
		kit_read(frame + 8, 4, &value, &fault);
		if ((value & 1 << 4) != 0) {
			break;
		}
	}
	/* Behind the last one there is nothing, up to the end of the region. */
	for (uint64_t frame = frames + 1; frame < 123; frame++) {
		if (kit_read(base + frame * 0x20000 + 8, 4, &value, &fault) ||
		    kit_read(base + frame * 0x20000 + 0x10080, 4, &value, &fault) ||
		    kit_write(base + frame * 0x20000 + 0x14, 4, 0, &fault)) {
			kit_fail("redistributor %lu reads %lx", frame, value);
		}
	}
	kit_read(base + 0xffe8, 4, &value, &fault);
	kit_printf("redistributors %lu, GICR_PIDR2 %lx\n", frames + 1, value);
	if (kit_read(base + 1, 1, &value, &fault)) {
		kit_fail("a byte of GICR_CTLR reads %lx", value);
	}
}

void kit_main(void)
{
	loads_and_stores();
	other_instructions();
	from_elsewhere();
	table_walk();
	aarch32();
	registers();
	counters();
	debug_registers();
	redistributor();
}
