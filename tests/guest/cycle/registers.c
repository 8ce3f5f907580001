/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All system registers of EL1 and EL0 that this CPU has, found by trying every encoding. Left out are those
 * that run by themselves, those that do something when they are read or written, and the few that the code
 * which spoils them lives by.
 */
#include "../kit/instruction.h"
#include "cycle.h"

#define LDR_X0_POST 0xf8408440u /* ldr x0, [x2], #8 */
#define STR_X0_POST 0xf8008440u /* str x0, [x2], #8 */
#define RET         0xd65f03c0u
#define JUNK        0x5555555555555555ull
#define TOLD        40u

/* op0 << 16 | op1 << 12 | CRn << 8 | CRm << 4 | op2 */
#define CODE(instruction)          ((instruction) >> 5 & 0xffffu)
#define R(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

enum how {
	HELD = 1,  /* by CPU_SUSPEND, too: not spoiled before it */
	FIXED = 2, /* not spoiled at all */
	AWAY = 4,  /* not looked at */
};
static const struct {
	uint16_t from, to;
	uint8_t how;
} special[] = {
	{R(3, 3, 14, 0, 1), R(3, 3, 14, 0, 7), AWAY},   /* counters */
	{R(3, 3, 14, 2, 0), R(3, 3, 14, 2, 0), AWAY},   /* CNTP_TVAL_EL0 */
	{R(3, 3, 14, 3, 0), R(3, 3, 14, 3, 0), AWAY},   /* CNTV_TVAL_EL0 */
	{R(3, 3, 14, 2, 1), R(3, 3, 14, 3, 2), HELD},   /* timers */
	{R(3, 3, 2, 4, 0), R(3, 3, 2, 4, 1), AWAY},     /* random numbers */
	{R(3, 0, 12, 1, 0), R(3, 0, 12, 1, 0), AWAY},   /* ISR_EL1 */
	{R(3, 0, 12, 8, 0), R(3, 0, 12, 8, 2), AWAY},   /* ICC_IAR0, EOIR0, HPPIR0 */
	{R(3, 0, 12, 12, 0), R(3, 0, 12, 12, 2), AWAY}, /* group 1 */
	{R(3, 0, 12, 11, 1), R(3, 0, 12, 11, 7), AWAY}, /* ICC_DIR, RPR, SGI */
	{R(3, 0, 12, 8, 4), R(3, 0, 12, 9, 7), HELD},   /* ICC_AP0R, AP1R: what is active */
	{R(3, 0, 0, 0, 5), R(3, 0, 0, 0, 5), AWAY},     /* MPIDR_EL1 */
	{R(3, 0, 1, 0, 0), R(3, 0, 1, 0, 0), FIXED},    /* SCTLR_EL1: entry.S */
	{R(3, 0, 4, 2, 0), R(3, 0, 4, 2, 7), FIXED},    /* SPSel, CurrentEL, PAN, UAO */
	{R(3, 3, 4, 2, 0), R(3, 3, 4, 2, 7), FIXED},    /* NZCV, DAIF, SVCR, DIT, SSBS, TCO */
	{R(2, 3, 0, 4, 0), R(2, 3, 0, 7, 7), AWAY},     /* debug transfer */
	{R(2, 0, 0, 0, 2), R(2, 0, 0, 0, 2), AWAY},     {R(2, 0, 0, 3, 2), R(2, 0, 0, 3, 2), AWAY},
	{R(2, 0, 1, 3, 4), R(2, 0, 1, 3, 4), FIXED}, /* OSDLR_EL1 */
};

/* What is not zero in a CPU that starts, of registers that can be written. */
static const struct {
	uint16_t code;
	uint64_t value, mask;
} documented[] = {
	{R(3, 0, 1, 0, 0), 0x30d00800, ~0ull}, /* SCTLR_EL1: RES1 */
	{R(3, 3, 9, 12, 0), 0, 0xff},          /* PMCR_EL0: implementer, number of counters */
	{R(3, 0, 12, 12, 4), 0, 0x3},          /* ICC_CTLR_EL1: identification */
	{R(3, 0, 12, 12, 5), 7, ~0ull},        /* ICC_SRE_EL1: no GICv2 in it */
	{R(3, 0, 12, 8, 3), 0, 0},             /* ICC_BPR0, BPR1: the smallest supported */
	{R(3, 0, 12, 12, 3), 0, 0},
	{R(2, 0, 7, 8, 6), 0, 0},         /* DBGCLAIMSET_EL1 reads as which tags there are */
	{R(3, 3, 4, 2, 1), 0x3c0, ~0ull}, /* DAIF */
	{R(3, 0, 4, 2, 0), 1, ~0ull},     /* SPSel */
};

static struct {
	uint16_t code;
	bool writable, held;
} registers[CYCLE_MAX];
static unsigned int count, writable;

static unsigned int how(unsigned int code)
{
	for (unsigned int i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if (code >= special[i].from && code <= special[i].to) {
			return special[i].how;
		}
	}
	return 0;
}

static void consider(uint32_t instruction)
{
	struct kit_fault fault;
	const unsigned int is = how(CODE(instruction));
	uint64_t value = 0;
	bool written = false;

	if ((is & AWAY) != 0 || !instruction_try(instruction, &value, &fault)) {
		return;
	}
	if (count == CYCLE_MAX) {
		kit_fail("more than %u registers", count);
		return;
	}
	if ((is & FIXED) == 0) {
		written = instruction_try(instruction & ~INSTRUCTION_READ, &value, &fault);
	}
	registers[count].code = (uint16_t)CODE(instruction);
	registers[count].writable = written;
	registers[count].held = (is & HELD) != 0;
	writable += written ? 1 : 0;
	count++;
}

/* Into memory that CPUs run with the MMU off. */
static void make(uint64_t address, bool load, bool sleep)
{
	uint32_t *code = (uint32_t *)address;

	for (unsigned int i = 0; i < count; i++) {
		const uint32_t write = 0xd5000000u | (uint32_t)registers[i].code << 5;

		if (!load) {
			*code++ = write | INSTRUCTION_READ;
			*code++ = STR_X0_POST;
		} else {
			*code++ = LDR_X0_POST;
			if (registers[i].writable && !(sleep && registers[i].held)) {
				*code++ = write;
			}
		}
	}
	*code++ = RET;
	for (uint64_t at = address; at < (uint64_t)code; at += 16) {
		__asm__ volatile("dc civac, %0\n\tic ivau, %0" : : "r"(at) : "memory");
	}
	__asm__ volatile("dsb sy\n\tisb" : : : "memory");
}

void registers_find(void)
{
	instructions_make();
	for (uint32_t n = 0; n < 2u * 4 * 16 * 16 * 8; n++) {
		consider(INSTRUCTION_MRS(2 + n / 8192, n / 2048 % 4, n / 128 % 16, n / 8 % 16,
					 n % 8));
	}
	make(CYCLE_STORE, false, false);
	make(CYCLE_LOAD, true, false);
	make(CYCLE_LOAD_SLEEP, true, true);
}

unsigned int registers_count(void)
{
	return count;
}

unsigned int registers_writable(void)
{
	return writable;
}

void registers_spoil(const uint64_t *now, uint64_t *values)
{
	for (unsigned int i = 0; i < count; i++) {
		values[i] = now[i] ^ JUNK;
	}
}

static void differs(struct cycle_cpu *cpu, unsigned int i, uint64_t right)
{
	const unsigned int code = registers[i].code;

	if (cpu->wrong++ < TOLD) {
		kit_fail("CPU %u, start %lu: S%u_%u_C%u_C%u_%u is %lx, not %lx", cpu->index,
			 cpu->come, code >> 14, code >> 11 & 7, code >> 7 & 15, code >> 3 & 15,
			 code & 7, cpu->found[i], right);
	}
}

/* The first time: registers that hold state are zero, or what is written above. */
static void compare_documented(struct cycle_cpu *cpu, unsigned int i)
{
	const unsigned int crn = registers[i].code >> 7 & 15;

	/* CRn 11 and 15 are IMPLEMENTATION DEFINED; where they can be read at all they are constants. */
	if (!registers[i].writable || crn == 11 || crn == 15) {
		return;
	}
	for (unsigned int n = 0; n < sizeof(documented) / sizeof(documented[0]); n++) {
		if (documented[n].code == registers[i].code) {
			if ((cpu->found[i] & documented[n].mask) != documented[n].value) {
				differs(cpu, i, documented[n].value);
			}
			return;
		}
	}
	if (cpu->found[i] != 0) {
		differs(cpu, i, 0);
	}
}

unsigned int registers_compare(struct cycle_cpu *cpu, bool slept)
{
	const uint64_t before = cpu->wrong;

	for (unsigned int i = 0; i < count; i++) {
		if (cpu->first == 0) {
			cpu->reference[i] = cpu->found[i];
			compare_documented(cpu, i);
		} else if (cpu->found[i] != cpu->reference[i] && !(slept && registers[i].held)) {
			differs(cpu, i, cpu->reference[i]);
		}
	}
	cpu->first = 1;
	return (unsigned int)(cpu->wrong - before);
}

void registers_tell(const struct cycle_cpu *cpu)
{
	unsigned int changed = 0;

	for (unsigned int i = 0; i < count; i++) {
		changed += cpu->dirty[i] != cpu->reference[i] ? 1 : 0;
	}
	kit_printf("cycle: %u registers, %u writable, %u spoiled each time\n", count, writable,
		   changed);
}
