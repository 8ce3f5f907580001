/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs, calls and expected exceptions of bare-metal guests. */
#include "kit.h"

#define PSCI_CPU_ON        0xc4000003u
#define PSCI_AFFINITY_INFO 0xc4000004u
#define PSCI_SYSTEM_OFF    0x84000008u

/* Offsets are in vectors.S and start.S. */
struct kit_cpu {
	uint32_t index;
	uint64_t armed;
	uint64_t saved[13];
	struct kit_fault fault;
	void (*fn)(void *);
	void *arg;
};
_Static_assert(offsetof(struct kit_cpu, armed) == 8, "vectors.S");
_Static_assert(offsetof(struct kit_cpu, saved) == 16, "vectors.S");
_Static_assert(offsetof(struct kit_cpu, fault) == 120, "vectors.S");

struct kit_cpu kit_cpus[KIT_MAX_CPUS];
char kit_stacks[KIT_MAX_CPUS][16384] __attribute__((aligned(16)));
static char el0_stacks[KIT_MAX_CPUS][4096] __attribute__((aligned(16)));
uint64_t kit_device_tree;

uint64_t call_hvc0(uint64_t *x);
uint64_t call_hvc1(uint64_t *x);
uint64_t call_smc0(uint64_t *x);
uint64_t call_smc1(uint64_t *x);
int try_el1(void (*fn)(void *), void *arg);
int try_el0(void (*fn)(void *), void *arg, void *stack, void *end, uint64_t spsr);
extern char kit_secondary[], try_el0_end[];
void kit_first_cpu(struct kit_cpu *cpu);
void kit_next_cpu(struct kit_cpu *cpu);
_Noreturn void kit_unexpected(const struct kit_cpu *cpu);

static struct kit_cpu *this_cpu(void)
{
	struct kit_cpu *cpu;

	__asm__("mrs %0, tpidr_el1" : "=r"(cpu));
	return cpu;
}

void kit_first_cpu(struct kit_cpu *cpu)
{
	(void)cpu;
	kit_main();
	kit_end();
}

void kit_next_cpu(struct kit_cpu *cpu)
{
	cpu->fn(cpu->arg);
}

void kit_unexpected(const struct kit_cpu *cpu)
{
	kit_fail("exception on CPU %u: vector %lu esr %lx far %lx elr %lx spsr %lx", cpu->index,
		 cpu->fault.vector, cpu->fault.esr, cpu->fault.far, cpu->fault.elr,
		 cpu->fault.spsr);
	kit_end();
}

__attribute__((weak)) void kit_irq(uint64_t vector)
{
	kit_fail("interrupt through vector %lu", vector);
	kit_end();
}

void kit_end(void)
{
	if (kit_failures() == 0) {
		kit_printf("PASS\n");
	} else {
		kit_printf("FAIL %u\n", kit_failures());
	}
	kit_hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;) {
		__asm__ volatile("wfi");
	}
}

uint64_t kit_call(enum kit_conduit conduit, unsigned int immediate, struct kit_regs *regs)
{
	if (conduit == KIT_HVC) {
		return immediate == 0 ? call_hvc0(regs->x) : call_hvc1(regs->x);
	}
	return immediate == 0 ? call_smc0(regs->x) : call_smc1(regs->x);
}

uint64_t kit_hvc(uint32_t id, uint64_t x1, uint64_t x2, uint64_t x3)
{
	struct kit_regs regs = {.x = {id, x1, x2, x3}};

	kit_call(KIT_HVC, 0, &regs);
	return regs.x[0];
}

bool kit_try(void (*fn)(void *), void *arg, struct kit_fault *fault)
{
	if (try_el1(fn, arg) == 0) {
		return true;
	}
	*fault = this_cpu()->fault;
	return false;
}

bool kit_try_el0(void (*fn)(void *), void *arg, struct kit_fault *fault)
{
	const uint64_t el0t = 0x3c0; /* D A I F masked */
	char *stack = el0_stacks[this_cpu()->index] + sizeof(el0_stacks[0]);

	try_el0((void (*)(void *))((uint64_t)fn + KIT_EL0), arg,
		(void *)((uint64_t)stack + KIT_EL0), (void *)((uint64_t)try_el0_end + KIT_EL0),
		el0t);
	*fault = this_cpu()->fault;
	return KIT_EC(fault->esr) == KIT_EC_SVC64;
}

bool kit_try_el0_32(uint64_t code, uint64_t r0, struct kit_fault *fault)
{
	const uint64_t usr = 0x1d0; /* A32, A I F masked */

	try_el0((void (*)(void *))code, (void *)r0, NULL, NULL, usr);
	*fault = this_cpu()->fault;
	return KIT_EC(fault->esr) == KIT_EC_SVC32;
}

struct access {
	uint64_t address, value;
	unsigned int bytes;
};

static void do_read(void *arg)
{
	struct access *a = arg;
	volatile void *p = (volatile void *)a->address;

	switch (a->bytes) {
	case 1:
		a->value = *(volatile uint8_t *)p;
		break;
	case 2:
		a->value = *(volatile uint16_t *)p;
		break;
	case 4:
		a->value = *(volatile uint32_t *)p;
		break;
	default:
		a->value = *(volatile uint64_t *)p;
		break;
	}
	__asm__ volatile("dsb sy" : : : "memory");
}

static void do_write(void *arg)
{
	const struct access *a = arg;
	volatile void *p = (volatile void *)a->address;

	switch (a->bytes) {
	case 1:
		*(volatile uint8_t *)p = (uint8_t)a->value;
		break;
	case 2:
		*(volatile uint16_t *)p = (uint16_t)a->value;
		break;
	case 4:
		*(volatile uint32_t *)p = (uint32_t)a->value;
		break;
	default:
		*(volatile uint64_t *)p = a->value;
		break;
	}
	__asm__ volatile("dsb sy" : : : "memory");
}

static void do_execute(void *arg)
{
	((void (*)(void))arg)();
}

bool kit_read(uint64_t address, unsigned int bytes, uint64_t *value, struct kit_fault *fault)
{
	struct access a = {.address = address, .bytes = bytes};
	bool done = kit_try(do_read, &a, fault);

	*value = a.value;
	return done;
}

bool kit_write(uint64_t address, unsigned int bytes, uint64_t value, struct kit_fault *fault)
{
	struct access a = {.address = address, .value = value, .bytes = bytes};

	return kit_try(do_write, &a, fault);
}

bool kit_execute(uint64_t address, struct kit_fault *fault)
{
	return kit_try(do_execute, (void *)address, fault);
}

unsigned int kit_cpu_count(void)
{
	unsigned int count = 0;

	while (count < KIT_MAX_CPUS && (int64_t)kit_hvc(PSCI_AFFINITY_INFO, count, 0, 0) >= 0) {
		count++;
	}
	return count;
}

unsigned int kit_cpu_index(void)
{
	return this_cpu()->index;
}

int64_t kit_cpu_on(unsigned int index, void (*fn)(void *), void *arg)
{
	struct kit_cpu *cpu = &kit_cpus[index];

	cpu->index = index;
	cpu->fn = fn;
	cpu->arg = arg;
	/* The other CPU reads this, and the kit's code, with its MMU off. */
	__asm__ volatile("dc civac, %0\n\tdc civac, %1\n\tdsb sy"
			 :
			 : "r"(cpu), "r"(&cpu->arg)
			 : "memory");
	return (int64_t)kit_hvc(PSCI_CPU_ON, index, (uint64_t)kit_secondary, (uint64_t)cpu);
}

uint64_t kit_counter(void)
{
	uint64_t now;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(now) : : "memory");
	return now;
}

uint64_t kit_counter_hz(void)
{
	uint64_t hz;

	__asm__("mrs %0, cntfrq_el0" : "=r"(hz));
	return hz;
}

uint64_t kit_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}
