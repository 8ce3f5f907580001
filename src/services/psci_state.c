/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI's state, out and in. */
#include "psci_state.h"

#include "psci.h"
#include "psci_stat.h"

void psci_vm_state(const struct hvc_vm *vm, struct psci_vm_state *state)
{
	state->suspend_mode = atomic_load(&vm->suspend_mode);
	state->mem_protect = atomic_load(&vm->mem_protect);
	state->trusted_os_cpu = atomic_load(&vm->trusted_os_cpu);
}

bool psci_vm_state_valid(const struct hvc_vm *vm, const struct psci_vm_state *state)
{
	const struct hvc_settings *settings = &vm->image->settings;

	if (state->suspend_mode > SUSPEND_PLATFORM_USED || state->mem_protect > 1) {
		return false;
	}
	if (state->suspend_mode != SUSPEND_PLATFORM && !settings->os_initiated) {
		return false;
	}
	if (settings->trusted_os == HVC_TRUSTED_OS_MIGRATES) {
		return state->trusted_os_cpu < vm->vcpu_count;
	}
	return state->trusted_os_cpu == atomic_load(&vm->trusted_os_cpu);
}

void psci_vm_state_set(struct hvc_vm *vm, const struct psci_vm_state *state)
{
	atomic_store(&vm->suspend_mode, (uint8_t)state->suspend_mode);
	atomic_store(&vm->mem_protect, (uint8_t)state->mem_protect);
	atomic_store(&vm->trusted_os_cpu, state->trusted_os_cpu);
}

void psci_vcpu_state(const struct hvc_vcpu *vcpu, struct psci_vcpu_state *state)
{
	memset(state, 0, sizeof(*state));
	/* Who has the trusted OS is in the VM's state. */
	state->power = power_word(vcpu) & ~POWER_RESIDENT;
	if (vcpu->vm->stats != NULL) {
		const struct cpu_stats *stats = &vcpu->vm->stats->cpus[vcpu->index];

		for (unsigned int i = 0; i < HVC_POWER_STATES; i++) {
			state->count[i] = atomic_load(&stats->count[i]);
			state->us[i] = atomic_load(&stats->us[i]);
		}
	}
}

static bool power_valid(const struct hvc_vm *vm, uint32_t word)
{
	uint32_t declared = hvc_image_tables(vm->image)->power_state_count;

	if ((word & ~(3u | POWER_LEFT | POWER_SLEEP)) != 0 ||
	    (word & POWER_STATE) >> POWER_STATE_LOW > declared) {
		return false;
	}
	switch (POWER_OF(word)) {
	case POWER_ON:
		return (word & POWER_LEFT) == 0 &&
		       ((word & POWER_ASLEEP) != 0 || (word & POWER_SLEEP) == 0);
	case POWER_FROZEN:
		return (word & ~3u) == POWER_LEFT;
	case POWER_ON_PENDING:
		return (word & ~3u) == 0;
	case POWER_OFF:
	default:
		return (word & POWER_SLEEP) == 0;
	}
}

bool psci_vcpu_state_valid(const struct hvc_vcpu *vcpu, const struct psci_vcpu_state *state)
{
	uint32_t declared = hvc_image_tables(vcpu->vm->image)->power_state_count;

	if (!power_valid(vcpu->vm, state->power) || state->pad != 0) {
		return false;
	}
	for (unsigned int i = 0; i < HVC_POWER_STATES; i++) {
		if ((vcpu->vm->stats == NULL || i >= declared) &&
		    (state->count[i] != 0 || state->us[i] != 0)) {
			return false;
		}
	}
	return true;
}

void psci_vcpu_state_set(struct hvc_vcpu *vcpu, const struct psci_vcpu_state *state)
{
	struct hvc_stats *stats = vcpu->vm->stats;

	atomic_store(&vcpu->power, state->power);
	for (unsigned int i = 0; i < HVC_POWER_STATES && stats != NULL; i++) {
		atomic_store(&stats->cpus[vcpu->index].count[i], state->count[i]);
		atomic_store(&stats->cpus[vcpu->index].us[i], state->us[i]);
	}
}

/* On or off is what is left of a power state. */
static void forget_power(struct hvc_vcpu *vcpu)
{
	const enum power power = POWER_OF(power_word(vcpu));

	atomic_store(&vcpu->power, power == POWER_FROZEN ? POWER_OFF : power);
}

void hvc_vm_reset(struct hvc_vm *vm)
{
	psci_vm_state_set(vm, &(struct psci_vm_state){
				      .suspend_mode = SUSPEND_PLATFORM,
				      .trusted_os_cpu = vm_trusted_os_home(vm),
			      });
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		forget_power(vm->vcpus[i]);
	}
	stats_forget(vm);
}

void psci_states_set(struct hvc_vm *vm)
{
	stats_resume(vm);
}
