/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of PSCI share. Sections are those of DEN0022 F.b (PSCI 1.3).
 *
 * A vCPU's power is one atomic word, hvc_vcpu.power: enum power, and above it what it sleeps in and whether the trusted
 * OS came to it. Who changes it: OFF or FROZEN -> ON_PENDING whoever wins the exchange in CPU_ON; ON_PENDING -> ON the
 * started CPU itself, as well as everything else, but for POWER_RESIDENT, which another CPU's MIGRATE adds while it is ON.
 */
#ifndef HVC_PSCI_H
#define HVC_PSCI_H

#include "services.h"

#define POWER_ASLEEP    (1u << 2) /* by a suspend call, until hvc_vcpu_woke() */
#define POWER_DOWN      (1u << 3) /* asleep: a power-down state, else standby */
#define POWER_RESIDENT  (1u << 4) /* MIGRATE brought the trusted OS here */
#define POWER_LEFT      (1u << 5) /* off or frozen: by itself, it was on before */
#define POWER_LEVEL     (3u << 8) /* asleep: the highest power level that it lets go down */
#define POWER_LEVEL_LOW 8
#define POWER_STATE     (15u << 12) /* asleep: 1 + index of the declared power state, 0: of none */
#define POWER_STATE_LOW 12
#define POWER_SLEEP     (POWER_ASLEEP | POWER_DOWN | POWER_LEVEL | POWER_STATE)

/* Power levels are affinity levels: the node of a CPU at a level is all CPUs that share the affinity from there on. */
enum { POWER_LEVELS = 4 };

/* hvc_vm.suspend_mode: how power states of nodes are coordinated (4.2.3), and whether that can still be changed. */
enum suspend_mode {
	SUSPEND_PLATFORM = 0,      /* platform-coordinated; nobody has called CPU_SUSPEND */
	SUSPEND_OS = 1,            /* OS-initiated */
	SUSPEND_PLATFORM_USED = 2, /* platform-coordinated; CPU_SUSPEND was used */
};

/* What a CPU, or a node of CPUs, is in: NODE_HW_STATE's numbers (5.19). */
enum node_state { NODE_ON = 0, NODE_OFF = 1, NODE_STANDBY = 2 };

static inline uint32_t power_word(const struct hvc_vcpu *vcpu)
{
	return atomic_load_explicit(&vcpu->power, memory_order_acquire);
}

/* The bits of an affinity at and above a level: 0 is Aff0, 3 is Aff3, which starts at bit 32. */
static inline uint64_t level_mask(unsigned int level)
{
	return level == 3 ? 0xff00000000ull : 0xff00ffffffull & ~0ull << 8 * level;
}

static inline bool same_node(const struct hvc_vcpu *a, const struct hvc_vcpu *b, unsigned int level)
{
	return ((a->mpidr ^ b->mpidr) & level_mask(level)) == 0;
}

/* An MPIDR argument; false if bits are set that no affinity field has. */
bool affinity_of(const struct hvc_vm *vm, uint64_t argument, uint64_t *affinity);
/* The vCPU that a target_cpu argument names; NULL: none. */
struct hvc_vcpu *vcpu_of(const struct hvc_vm *vm, uint64_t argument);
bool entry_valid(const struct hvc_vm *vm, uint64_t entry);
/* INVALID_ADDRESS came with PSCI 1.0 (5.2.2). */
int32_t invalid_address(const struct hvc_vm *vm);

/* Is the trusted OS here, so that this CPU cannot go off (5.9.1)? */
bool trusted_os_here(const struct hvc_vcpu *vcpu, uint32_t word);

/* A power state is a power-down state, as this VM writes it. */
bool state_is_down(const struct hvc_vm *vm, uint32_t power_state);
/* Index of the deepest declared state of a level and kind; -1: there is none. */
int deepest_state(const struct hvc_vm *vm, unsigned int level, bool down);

void psci_wake(struct hvc_vcpu *vcpu);
/* The vCPU runs, whatever it was asleep in: where its host did not say hvc_vcpu_woke(), its next call does. */
static inline void psci_awake(struct hvc_vcpu *vcpu)
{
	if (hvc_unlikely((atomic_load_explicit(&vcpu->power, memory_order_relaxed) &
			  POWER_ASLEEP) != 0)) {
		psci_wake(vcpu);
	}
}

/* What the node of a vCPU at a level is in. *state: index of the declared state, -1: of none; if it is not NODE_ON. */
enum node_state node_state(const struct hvc_vcpu *vcpu, unsigned int level, int *state);

/* The vCPU's power word says that it does not run: what that is begins for the statistics. */
void stats_enter(const struct hvc_vcpu *vcpu);

#endif
