/* SPDX-License-Identifier: BSD-2-Clause */
#include "record.h"

#include <hvcgate/engine.h>

#include "../host/internal.h"

/* Index in exec_shared.vcpus, and 1; by VM and KVM's ID of the vCPU, which arm64's KVM has fewer of. */
static _Atomic uint16_t slots[EXEC_VMS][HVC_MAX_VCPUS];
/* What the ring's writer knows of it; nothing is believed that is in shared memory. */
static struct {
	uint64_t head, dropped;
} rings[EXEC_VCPUS];

struct hvc_counters *record_claim(struct exec_shared *shared, uint32_t vm, uint32_t vcpu)
{
	uint32_t index = atomic_load(&shared->vcpu_count);
	struct exec_vcpu *block;

	if (vm >= EXEC_VMS || vcpu >= HVC_MAX_VCPUS) {
		return NULL;
	}
	/* From the VM's lock: one at a time, but for other VMs. */
	do {
		if (index >= EXEC_VCPUS) {
			return NULL;
		}
		block = &shared->vcpus[index];
	} while (!atomic_compare_exchange_weak(&shared->vcpu_count, &index, index + 1));
	block->counters.size = sizeof(block->counters);
	block->vm = vm;
	block->id = vcpu;
	atomic_store_explicit(&block->used, 1, memory_order_release);
	atomic_store(&slots[vm][vcpu], (uint16_t)(index + 1));
	return &block->counters;
}

static void put(struct exec_shared *shared, unsigned int index, struct hvc_record *record)
{
	struct hvc_ring *ring = &shared->vcpus[index].ring;
	const uint64_t tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);

	record->sequence = rings[index].head + rings[index].dropped;
	if (rings[index].head - tail >= EXEC_RECORDS) {
		rings[index].dropped++;
		__atomic_store_n(&ring->dropped, rings[index].dropped, __ATOMIC_RELEASE);
		return;
	}
	shared->vcpus[index].records[rings[index].head % EXEC_RECORDS] = *record;
	rings[index].head++;
	__atomic_store_n(&ring->head, rings[index].head, __ATOMIC_RELEASE);
}

void record_call(struct exec_shared *shared, const struct hvc_kvm_vcpu *vcpu,
		 const struct hvc_frame *before, const struct hvc_frame *after,
		 enum hvc_conduit conduit, enum hvc_verdict verdict)
{
	const uint32_t slot = vcpu->vm->number < EXEC_VMS && vcpu->id < HVC_MAX_VCPUS
				      ? atomic_load(&slots[vcpu->vm->number][vcpu->id])
				      : 0;
	const struct hvc_outcome outcome = hvc_vcpu_outcome(vcpu->engine);
	struct hvc_record record = {.time = exec_clock(),
				    .vcpu = (uint16_t)(slot - 1),
				    .conduit = (uint8_t)conduit,
				    .decider = outcome.decider,
				    .verdict = (uint8_t)verdict,
				    .action = outcome.action,
				    .id = outcome.id,
				    .fn = outcome.fn};

	if (slot == 0) {
		return;
	}
	for (unsigned int i = 0; i < 8; i++) {
		record.in[i] = before->x[i];
	}
	for (unsigned int i = 0; i < 4; i++) {
		record.out[i] = after->x[i];
	}
	hvc_record_trim(&record);
	put(shared, slot - 1, &record);
}
