/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In place of src/el2/power.c: one physical CPU plays all vCPUs in turn, so that nothing is started and nothing
 * stops. A verdict is kept for traps.c, and the guest goes on behind its call.
 */
#include "../sysreg.h"
#include "replay_el2.h"

#define PSTATE_EL1H_MASKED 0x3c5ull /* EL1h, D A I F set */

static enum hvc_verdict last = HVC_RESUME;

void power_init(void)
{
	replay_open(el2_launch());
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

void power_verdict(struct el2_frame *frame, enum hvc_verdict verdict)
{
	(void)frame;
	last = verdict;
}

enum hvc_verdict replay_verdict(void)
{
	const enum hvc_verdict verdict = last;

	last = HVC_RESUME;
	return verdict;
}

/* Of the VM that the monitor starts with and nobody uses. */
const struct hvc_platform el2_platform = {.size = sizeof(struct hvc_platform)};
