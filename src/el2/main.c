/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order in which the monitor comes up, on the first CPU and on each other one.
 */
#include <stdatomic.h>

#include <hvcgate/image.h>

#include "el2.h"
#include "sysreg.h"

_Static_assert(sizeof(struct el2_frame) == FRAME_BYTES, "frame");
_Static_assert(offsetof(struct el2_frame, x) + 30 * 8 == FRAME_X30, "frame");
_Static_assert(offsetof(struct el2_frame, vcpu) == FRAME_VCPU, "frame");
_Static_assert(offsetof(struct el2_frame, news) == FRAME_VCPU + 8, "frame");
_Static_assert(offsetof(struct el2_cpu, fault_x) == CPU_FAULT_X, "cpu");
_Static_assert(offsetof(struct el2_cpu, fault_sp) == CPU_FAULT_SP, "cpu");
_Static_assert(offsetof(struct el2_cpu, fault_vector) == CPU_FAULT_VECTOR, "cpu");
_Static_assert(offsetof(struct el2_cpu, fault_stack) == CPU_FAULT_STACK, "cpu");
_Static_assert(offsetof(struct el2_cpu, frame) == CPU_STACK, "cpu");
_Static_assert(offsetof(struct el2_cpu, expected) == CPU_EXPECTED, "cpu");
_Static_assert(sizeof(struct el2_cpu) == CPU_BYTES, "cpu");
_Static_assert(EL2_MAX_CPUS == 8, "monitor.ld has as many stacks");

#define MPIDR_AFFINITY 0xff00ffffffull

extern char __stacks[], __fault_stacks[];

struct el2_cpu el2_cpus[EL2_MAX_CPUS];

/* Of the engine's sizes; it tells them only at run time. */
static char vm_memory[4096] __attribute__((aligned(64)));
static char vcpu_memory[EL2_MAX_CPUS][512] __attribute__((aligned(64)));
static char stats_memory[8192] __attribute__((aligned(64)));
static struct hvc_vcpu *vcpus[EL2_MAX_CPUS];

static void cpus_init(const struct el2_launch *launch)
{
	for (unsigned int i = 0; i < launch->cpu_count; i++) {
		struct el2_cpu *cpu = &el2_cpus[i];
		char *top = __stacks + (i + 1) * STACK_STRIDE;

		cpu->index = i;
		cpu->mpidr = launch->mpidr[i];
		cpu->frame = (struct el2_frame *)(void *)(top - FRAME_BYTES);
		cpu->fault_stack = (uint64_t)__fault_stacks + (i + 1) * FAULT_STACK_BYTES;
		cpu->vcpu = (struct hvc_vcpu *)(void *)vcpu_memory[i];
		vcpus[i] = cpu->vcpu;
		ring_init(cpu);
	}
	if (launch->mpidr[0] != (sysreg_read(mpidr_el1) & MPIDR_AFFINITY)) {
		report_refused("the first CPU is not CPU 0 of the launch block but",
			       sysreg_read(mpidr_el1) & MPIDR_AFFINITY);
	}
}

static void engine_init(const struct el2_launch *launch)
{
	struct hvc_vm *vm = (struct hvc_vm *)(void *)vm_memory;
	const struct hvc_vm_config config = {
		.size = sizeof(config),
		.vcpu_count = launch->cpu_count,
		.image = (const struct hvc_image *)EL2_IMAGE_PA,
		.platform = &el2_platform,
		.stats_memory = stats_memory,
		.stats_bytes = sizeof(stats_memory),
		.filter_memory = launch->filter_bytes != 0 ? (void *)EL2_FILTER_PA : NULL,
		.filter_bytes = launch->filter_bytes,
	};
	enum hvc_err err;

	if (hvc_vm_size() > sizeof(vm_memory) || hvc_vcpu_size() > sizeof(vcpu_memory[0])) {
		report_broken("engine state is larger than its memory; bytes", hvc_vm_size());
	}
	err = hvc_vm_init(vm, &config, vcpus);
	if (err != HVC_OK) {
		report_refused("the engine refuses the launch; error", (uint64_t)-err);
	}
	for (unsigned int i = 0; i < launch->cpu_count; i++) {
		struct hvc_counters *counters = (struct hvc_counters *)(EL2_SHARED_PA +
									EL2_COUNTERS_OFFSET +
									i * EL2_COUNTERS_STRIDE);

		counters->size = sizeof(*counters);
		err = hvc_vcpu_setup(vcpus[i], launch->mpidr[i], counters);
		if (err != HVC_OK) {
			report_refused("the engine refuses CPU", i);
		}
	}
	revoke_init(vm);
	hvc_vm_freeze(vm);
}

/* What each CPU has to itself. */
static void cpu_init(const struct el2_launch *launch)
{
	if ((launch->flags & EL2_FLAG_TRACE) != 0) {
		sysreg_write(vbar_el2, el2_vectors_traced); /* which watches, too */
	} else if (launch->filter_bytes != 0) {
		sysreg_write(vbar_el2, el2_vectors_watched);
	}
	features_init();
	stage2_on();
	gic_cpu_init();
}

void el2_boot(struct el2_cpu *cpu)
{
	const struct el2_launch *launch = el2_launch();
	struct el2_mailbox *mailbox = el2_mailbox();

	launch_check(launch);
	mmu_build(launch);
	doorbell_init(launch);
	gic_init(launch);
	mmu_on();
	doorbell_open(launch);
	gic_open();
	launch_check_image(launch);
	cpus_init(launch);
	stage2_build(launch);
	memory_init(launch);
	entropy_init(launch);
	seeds_write(launch);
	engine_init(launch);
	cpu_init(launch);
	power_init();
	mailbox->counter_hz = (uint32_t)counter_hz();
	mailbox->exit = EL2_EXIT_NONE;
	atomic_store_explicit((_Atomic uint32_t *)&mailbox->ready, mailbox->ready + 1,
			      memory_order_release);
	power_enter(cpu, launch->guest_entry, launch->guest_dtb, true);
}

void el2_cpu_boot(struct el2_cpu *cpu)
{
	struct hvc_request request;

	mmu_on();
	cpu->expected = 0;
	cpu_init(el2_launch());
	request = hvc_vcpu_started(cpu->vcpu);
	power_enter(cpu, request.entry, request.context, true);
}
