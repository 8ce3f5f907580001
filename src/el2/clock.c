/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's wall clock for the guest (KVM_PTP; Linux Documentation/virt/kvm/arm/ptp_kvm.rst). The process
 * cannot read our counter and we cannot read its clock: it is asked through the mailbox, and what it answers
 * was so at some time between asking and hearing it. That is all that is assumed of the two clocks, and that they do
 * not drift apart by more than 500 ppm, by which earlier answers make a later one more exact.
 */
#include <stdatomic.h>

#include "el2.h"
#include "sysreg.h"

/* How long to wait for an answer, as part of a second, and how often, when there never was one. */
#define WAIT  50
#define TRIES 50

/* Nothing is told that may be further off, in nanoseconds: half of the wait. */
#define BOUND_MAX 10000000u

/* 2020-01-01, where a deterministic machine's clock starts */
#define DETERMINISTIC_EPOCH 1577836800000000000ull

/* Ask, and take the answer if it comes in time. */
static void ask(struct el2_clock *clock, struct el2_cpu *cpu)
{
	const uint64_t hz = counter_hz(), before = counter_now();
	const uint64_t deadline = before + hz / WAIT;
	const uint32_t number = clock->asked + 1;
	_Atomic uint32_t *answered = (_Atomic uint32_t *)&clock->answered;
	struct interval fresh;
	uint64_t after;
	bool heard;

	atomic_store_explicit((_Atomic uint32_t *)&clock->asked, number, memory_order_release);
	doorbell_ring();
	do {
		heard = atomic_load_explicit(answered, memory_order_acquire) == number;
		after = counter_now();
	} while (!heard && after < deadline);
	stolen_add(after - before);
	if (!heard) {
		return;
	}
	fresh = interval_seen(*(volatile uint64_t *)&clock->wall_ns, interval_ns(before, hz),
			      interval_ns(after, hz));
	cpu->clock = cpu->clock_known != 0 ? interval_join(cpu->clock, fresh) : fresh;
	cpu->clock_known = 1;
}

/* For the summary; other CPUs may write it at the same time, and one of them is lost. */
static void note_bound(uint64_t bound)
{
	_Atomic uint64_t *worst = (_Atomic uint64_t *)&el2_mailbox()->clock_bound_ns;

	if (bound > atomic_load_explicit(worst, memory_order_relaxed)) {
		atomic_store_explicit(worst, bound, memory_order_relaxed);
	}
}

static bool host_time(struct el2_clock *clock, struct el2_cpu *cpu, uint64_t *now, uint64_t *ns)
{
	unsigned int tries = 0;
	uint64_t bound;

	do {
		ask(clock, cpu);
	} while (cpu->clock_known == 0 && ++tries < TRIES);
	if (cpu->clock_known == 0) {
		return false;
	}
	*now = counter_now();
	*ns = interval_wall(cpu->clock, interval_ns(*now, counter_hz()), &bound);
	if (bound > BOUND_MAX) {
		return false;
	}
	note_bound(bound);
	return true;
}

bool clock_read(void *host, uint32_t vcpu, bool physical, uint64_t *ns, uint64_t *counter)
{
	uint64_t now;

	(void)host;
	if ((el2_launch()->flags & EL2_FLAG_DETERMINISTIC) != 0) {
		now = counter_now();
		*ns = DETERMINISTIC_EPOCH + interval_ns(now, counter_hz());
	} else if (!host_time(&el2_mailbox()->clocks[vcpu], &el2_cpus[vcpu], &now, ns)) {
		return false;
	}
	*counter = physical ? now : now - sysreg_read(cntvoff_el2);
	return true;
}
