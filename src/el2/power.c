/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the engine's verdicts mean here: CPUs on, off and asleep, the machine off and reset.
 */
#include <stdatomic.h>

#include "el2.h"
#include "sysreg.h"

#define HCR_FMO              (1ull << 3)
#define HCR_IMO              (1ull << 4)

#define PSTATE_EL1H_MASKED   0x3c5ull /* EL1h, D A I F set: the state of a CPU that starts */

#define PSCI_HOST_SUCCESS    0
#define PSCI_HOST_ALREADY_ON (-4)

/* Lives of CPUs: from before CPU_ON starts one until its CPU_OFF. Whoever starts one is alive itself, so
 * only the last CPU_OFF of all finds no other. */
static _Atomic uint32_t cpus_alive;

void power_init(void)
{
	const struct el2_launch *launch = el2_launch();

	cpus_alive = 1;
	stage2_show(EL2_STOLEN_IPA, stolen_page());
	for (unsigned int i = 0; i < launch->cpu_count; i++) {
		if (hvc_vcpu_set_stolen_time(el2_cpus[i].vcpu,
					     EL2_STOLEN_IPA + i * EL2_STOLEN_STRIDE) != HVC_OK) {
			report_broken("the engine refuses stolen time of CPU", i);
		}
	}
}

void power_enter(struct el2_cpu *cpu, uint64_t entry, uint64_t context, bool timers)
{
	guest_state_reset(timers);
	cpu->frame->vcpu = cpu->vcpu;
	cpu->frame->news = &el2_mailbox()->revoked.news;
	cpu->frame->cpu = cpu;
	sysreg_write(elr_el2, entry);
	sysreg_write(spsr_el2, PSTATE_EL1H_MASKED);
	isb();
	el2_guest_enter(context);
}

/* Until an interrupt is pending for this CPU. Interrupts belong to EL1; routed to EL2 and masked there
 * they end a WFI without being taken. */
static void wait_for_interrupt(bool forget)
{
	uint64_t hcr = sysreg_read(hcr_el2);
	struct gic_interface interface;

	gic_sleep(&interface, forget);
	sysreg_write(hcr_el2, hcr | HCR_IMO | HCR_FMO);
	isb();
	do {
		dsb_sy();
		wfi();
	} while (sysreg_read(isr_el1) == 0);
	sysreg_write(hcr_el2, hcr);
	gic_wake(&interface);
}

/* The states below standby lose the CPU's state. */
static _Noreturn void power_down(struct el2_cpu *cpu)
{
	struct hvc_request request = hvc_vcpu_request(cpu->vcpu);

	wait_for_interrupt(true);
	hvc_vcpu_woke(cpu->vcpu);
	gic_cpu_init();
	/* Lost with the rest: what this CPU had cached of stage 1 and of code. */
	__asm__ volatile("tlbi vmalle1\n\tic iallu\n\tdsb nsh\n\tisb" : : : "memory");
	power_enter(cpu, request.entry, request.context, false);
}

/* One way out for the whole machine, whichever CPU comes first. */
static _Noreturn void end_machine(enum el2_exit how, struct hvc_request request)
{
	static atomic_flag ended;
	struct el2_mailbox *mailbox = el2_mailbox();

	if (atomic_flag_test_and_set(&ended)) {
		for (;;) {
			wfi();
		}
	}
	mailbox->exit_type = request.type;
	mailbox->exit_cookie = request.cookie;
	mailbox->exit_function = request.function;
	atomic_store_explicit((_Atomic uint32_t *)&mailbox->exit, (uint32_t)how,
			      memory_order_release);
	doorbell_ring();
	if (how == EL2_EXIT_RESET) {
		psci_host_system_reset();
	}
	psci_host_system_off();
}

/* A machine without a running CPU stays so: end it, so that somebody hears of it. */
static _Noreturn void cpu_off(const struct el2_cpu *cpu)
{
	if (atomic_fetch_sub_explicit(&cpus_alive, 1, memory_order_acq_rel) == 1) {
		end_machine(EL2_EXIT_ALL_OFF, hvc_vcpu_request(cpu->vcpu));
	}
	psci_host_cpu_off();
	report_broken("the machine's CPU_OFF came back on CPU", cpu->index);
}

void power_verdict(struct el2_frame *frame, enum hvc_verdict verdict)
{
	struct el2_cpu *cpu = frame->cpu;

	switch (verdict) {
	case HVC_CPU_STANDBY:
		wait_for_interrupt(false);
		hvc_vcpu_woke(cpu->vcpu);
		return;
	case HVC_CPU_POWERDOWN:
	case HVC_SYSTEM_SUSPEND:
		power_down(cpu);
	case HVC_CPU_OFF:
	case HVC_CPU_FREEZE: /* differ in what other CPUs are told, which is the engine's */
		cpu_off(cpu);
	case HVC_SYSTEM_OFF:
		end_machine(EL2_EXIT_OFF, hvc_vcpu_request(cpu->vcpu));
	case HVC_SYSTEM_RESET:
		end_machine(EL2_EXIT_RESET, hvc_vcpu_request(cpu->vcpu));
	case HVC_RESUME:
		return;
	case HVC_VERDICT_COUNT:
	default:
		report_broken("unknown verdict", verdict);
	}
}

static bool cpu_start(void *host, uint32_t vcpu)
{
	const uint64_t began = counter_now(), deadline = began + 10 * counter_hz();
	struct el2_cpu *cpu = &el2_cpus[vcpu];
	int result;

	(void)host;
	atomic_fetch_add_explicit(&cpus_alive, 1, memory_order_acq_rel);
	cpu->expected = 1;
	cache_flush(cpu, sizeof(*cpu)); /* read with the MMU off */
	for (;;) {
		result = psci_host_cpu_on(cpu->mpidr, (uint64_t)el2_secondary, (uint64_t)cpu);
		if (result != PSCI_HOST_ALREADY_ON || counter_now() > deadline) {
			break;
		}
		/* It called CPU_OFF and is on its way out: the engine has seen it, the machine not
		 * yet. */
		yield();
	}
	stolen_add(counter_now() - began);
	if (result != PSCI_HOST_SUCCESS) {
		cpu->expected = 0;
		atomic_fetch_sub_explicit(&cpus_alive, 1, memory_order_acq_rel);
	}
	return result == PSCI_HOST_SUCCESS;
}

static bool is_ram(void *host, uint64_t ipa)
{
	(void)host;
	return stage2_is_ram(ipa);
}

static uint64_t now_us(void *host)
{
	(void)host;
	return interval_ns(counter_now(), counter_hz()) / 1000;
}

const struct hvc_platform el2_platform = {
	.size = sizeof(struct hvc_platform),
	.cpu_start = cpu_start,
	.is_ram = is_ram,
	.entropy = entropy_fill,
	.feature_availability = availability,
	.stolen_time = stolen_start,
	.ptp = clock_read,
	.now_us = now_us,
	.mem_protect = memory_protect,
	.is_ram_range = memory_is_ram_range,

};
