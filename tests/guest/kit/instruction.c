/* SPDX-License-Identifier: BSD-2-Clause */
#include "instruction.h"

#define RET 0xd65f03c0u

/* Every instruction of these forms with x0, and a return behind it: made once, so that no code changes later. */
#define FORMS (2u * 3 * 8 * 16 * 16 * 8)
static uint32_t (*const code)[2] = (uint32_t(*)[2])INSTRUCTIONS;

/* Bit 21 says which direction, 20:5 are op0, op1, CRn, CRm, op2; op0 is 1 to 3. */
static unsigned int form(uint32_t instruction)
{
	const unsigned int encoding = (instruction >> 5 & 0xffffu) - 0x4000u;

	return encoding + ((instruction & INSTRUCTION_READ) != 0 ? FORMS / 2 : 0);
}

void instructions_make(void)
{
	for (uint32_t encoding = 0; encoding < FORMS / 2; encoding++) {
		const uint32_t instruction = 0xd5080000u + (encoding << 5);

		code[form(instruction)][0] = instruction;
		code[form(instruction)][1] = RET;
		code[form(instruction | INSTRUCTION_READ)][0] = instruction | INSTRUCTION_READ;
		code[form(instruction | INSTRUCTION_READ)][1] = RET;
	}
	for (uint64_t i = 0; i < FORMS * sizeof(code[0]); i += 16) {
		__asm__ volatile("dc cvau, %0\n\tic ivau, %0" : : "r"((char *)code + i) : "memory");
	}
	__asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

struct run {
	const uint32_t *code;
	uint64_t x0;
};

static void run(void *arg)
{
	struct run *r = arg;
	register uint64_t x0 __asm__("x0") = r->x0;

	__asm__ volatile("blr %1" : "+r"(x0) : "r"(r->code) : "x30", "memory", "cc");
	r->x0 = x0;
}

bool instruction_try(uint32_t instruction, uint64_t *x0, struct kit_fault *fault)
{
	struct run r = {.code = code[form(instruction)], .x0 = *x0};
	const bool done = kit_try(run, &r, fault);

	*x0 = r.x0;
	return done;
}
