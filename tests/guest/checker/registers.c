/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers that say what the CPU is: Arm Architecture Reference Manual (DDI 0487), D24.2. */
#include "checker.h"

#define ENCODING(op0, op1, crn, crm, op2) \
	((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

/* No pointers in a guest's tables: the names themselves. */
static const struct {
	uint16_t encoding;
	char name[22];
} names[] = {
#define SYSREG(op0, op1, crn, crm, op2, name) {ENCODING(op0, op1, crn, crm, op2), #name},
#include "../../../src/kvm/probe/sysregs.def"
#undef SYSREG
};

void checker_print_register(uint64_t key)
{
	const unsigned int encoding = (unsigned int)key & 0xffffu;

	if (CHECKER_KIND(key) == CHECKER_CACHE) {
		kit_printf("CCSIDR_EL1[%u]", encoding);
		return;
	}
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].encoding == encoding) {
			kit_printf("%s", names[i].name);
			return;
		}
	}
	kit_printf("S%u_%u_C%u_C%u_%u", encoding >> 14, encoding >> 11 & 7, encoding >> 7 & 15,
		   encoding >> 3 & 15, encoding & 7);
}

#define READ(op0, op1, crn, crm, op2)                                                          \
	do {                                                                                   \
		uint64_t value;                                                                \
		__asm__ volatile("mrs %0, S" #op0 "_" #op1 "_C" #crn "_C" #crm "_" #op2        \
				 : "=r"(value));                                               \
		checker_note(CHECKER_KEY(CHECKER_REGISTER, ENCODING(op0, op1, crn, crm, op2)), \
			     value);                                                           \
	} while (0)
/* Of this space all can be read; what is not allocated is zero. A function each: they are long enough. */
#define ROW(crm)                       \
	static void row_##crm(void)    \
	{                              \
		READ(3, 0, 0, crm, 0); \
		READ(3, 0, 0, crm, 1); \
		READ(3, 0, 0, crm, 2); \
		READ(3, 0, 0, crm, 3); \
		READ(3, 0, 0, crm, 4); \
		READ(3, 0, 0, crm, 5); \
		READ(3, 0, 0, crm, 6); \
		READ(3, 0, 0, crm, 7); \
	}
ROW(1)
ROW(2)
ROW(3)
ROW(4)
ROW(5)
ROW(6)
ROW(7)

/* CCSIDR_EL1 of the caches that CLIDR_EL1 names: instruction, data, both, unified. */
static void caches(void)
{
	uint64_t clidr, size;

	__asm__ volatile("mrs %0, clidr_el1" : "=r"(clidr));
	for (unsigned int level = 0; level < 7; level++) {
		unsigned int type = (unsigned int)(clidr >> (3 * level)) & 7u;

		for (unsigned int instruction = 0; instruction < 2; instruction++) {
			bool there = instruction == 1 ? type == 1 || type == 3 : type >= 2;

			if (!there) {
				continue;
			}
			__asm__ volatile("msr csselr_el1, %1\n\tisb\n\tmrs %0, ccsidr_el1"
					 : "=r"(size)
					 : "r"((uint64_t)(level << 1 | instruction)));
			checker_note(CHECKER_KEY(CHECKER_CACHE, level << 1 | instruction), size);
		}
	}
}

void checker_registers(void)
{
	READ(3, 0, 0, 0, 0);
	READ(3, 0, 0, 0, 5);
	READ(3, 0, 0, 0, 6);
	row_1();
	row_2();
	row_3();
	row_4();
	row_5();
	row_6();
	row_7();
	READ(3, 1, 0, 0, 1);  /* CLIDR */
	READ(3, 1, 0, 0, 7);  /* AIDR */
	READ(3, 3, 0, 0, 1);  /* CTR */
	READ(3, 3, 0, 0, 7);  /* DCZID */
	READ(3, 3, 14, 0, 0); /* CNTFRQ */
	caches();
}
