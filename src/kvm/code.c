/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's code: labels, and calls with the immediate that is asked for. */
#include <string.h>

#include "internal.h"

static void *at(uint8_t *memory, uint64_t address)
{
	return memory + (address - MEMORY_BASE);
}

void *kvm_memory_at(struct kvm_machine *machine, uint64_t address)
{
	return at(machine->memory, address);
}

static uint64_t slot_address(enum call_slot slot)
{
	return CALL_BASE + CALL_STEP * (uint64_t)slot;
}

static uint32_t call_instruction(enum hvc_conduit conduit, uint16_t immediate)
{
	const uint32_t base = conduit == HVC_CONDUIT_SMC ? INSTRUCTION_SMC : INSTRUCTION_HVC;

	return base | (uint32_t)immediate << 5;
}

/* A guest whose caches and MMU are off fetches from memory: where hardware does not keep that coherent, the line
 * must get there. */
static void publish(const void *line)
{
	__asm__ volatile("dc cvac, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" ::"r"(line)
			 : "memory");
}

void kvm_code_write(uint8_t *memory)
{
	static const uint32_t end[] = {INSTRUCTION_EXIT, INSTRUCTION_NEXT};

	for (unsigned int cpu = 0; cpu < KVM_MACHINE_CPUS; cpu++) {
		memcpy(at(memory, kvm_machine_label(cpu)), end, sizeof(end));
		publish(at(memory, kvm_machine_label(cpu)));
	}
	for (unsigned int slot = 0; slot < CALL_SLOTS; slot++) {
		const enum hvc_conduit conduit = slot == CALL_SMC ? HVC_CONDUIT_SMC
								  : HVC_CONDUIT_HVC;
		const uint32_t call = call_instruction(conduit, 0);
		uint8_t *code = at(memory, slot_address((enum call_slot)slot));

		memcpy(code, &call, sizeof(call));
		memcpy(code + sizeof(call), end, sizeof(end));
		publish(code);
	}
}

uint64_t kvm_code_call(struct kvm_machine *machine, enum hvc_conduit conduit, uint16_t immediate)
{
	const uint64_t other = slot_address(CALL_OTHER);

	if (immediate == 0) {
		return slot_address(conduit == HVC_CONDUIT_SMC ? CALL_SMC : CALL_HVC);
	}
	if (machine->immediate != immediate || machine->conduit != conduit) {
		const uint32_t call = call_instruction(conduit, immediate);

		memcpy(kvm_memory_at(machine, other), &call, sizeof(call));
		publish(kvm_memory_at(machine, other));
		machine->immediate = immediate;
		machine->conduit = conduit;
	}
	return other;
}

uint64_t kvm_machine_label(unsigned int cpu)
{
	return LABEL_BASE + LABEL_STEP * cpu;
}
