/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a VM, what it has, and its power state. */
#include "forward_state.h"
#include "rules.h"
#include "service.h"

#define MPIDR_AFFINITY 0xff00ffffffull

size_t hvc_vm_size(void)
{
	return sizeof(struct hvc_vm);
}

size_t hvc_vcpu_size(void)
{
	return sizeof(struct hvc_vcpu);
}

/* A register that the profile does not have gates nothing: its list of functions says it all. */
static bool gate_open(const struct hvc_vm *vm, const struct hvc_function *function)
{
	return function->reg >= vm->image->settings.reg_count ||
	       (vm->regs[function->reg] >> function->reg_bit & 1) != 0;
}

static bool function_present(const struct hvc_vm *vm, unsigned int slot)
{
	const struct hvc_function *function = hvc_function_at(slot);
	const struct hvc_service *service = hvc_services[function->service];

	if (!(vm->image->settings.functions[slot / 64] >> slot % 64 & 1) || service == NULL ||
	    serve_table[slot] == NULL || service->version(vm) < function->since ||
	    !gate_open(vm, function)) {
		return false;
	}
	return service->has == NULL || service->has(vm, slot);
}

void vm_update_present(struct hvc_vm *vm)
{
	hvc_store(&vm->fate[HVC_FN_NONE], HVC_ABSENT);
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		uint8_t fate = function_present(vm, slot) ? HVC_ANSWERED : HVC_ABSENT;

		hvc_store(&vm->fate[slot], fate);
	}
}

static enum hvc_err take_blocks(struct hvc_vm *vm, const struct hvc_vm_config *config)
{
	enum hvc_err err = stats_init(vm, config->stats_memory, config->stats_bytes);

	if (err == HVC_OK) {
		err = forwards_init(vm, config->forward_memory, config->forward_bytes);
	}
	if (err == HVC_OK) {
		err = events_init(vm, config->event_memory, config->event_bytes);
	}
	return err == HVC_OK ? shares_init(vm, config) : err;
}

static void init_vcpu(struct hvc_vm *vm, uint32_t index)
{
	struct hvc_vcpu *vcpu = vm->vcpus[index];

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->vm = vm;
	vcpu->entries = vm->filter.entries;
	vcpu->index = index;
	vcpu->mpidr = index;
	vcpu->hint_mask = vm_hint_mask(vm);
	vcpu->stolen_time = STOLEN_TIME_NONE;
	atomic_init(&vcpu->power, index == 0 ? POWER_ON : POWER_OFF);
}

static bool config_valid(const struct hvc_vm_config *config)
{
	const struct hvc_platform *platform = config->platform;

	return config->size == sizeof(*config) && config->vcpu_count != 0 &&
	       config->vcpu_count <= HVC_MAX_VCPUS && config->reserved == 0 &&
	       (config->flags & ~(HVC_VM_PSCI_0_1 | HVC_VM_FORWARD)) == 0 &&
	       (platform == NULL || platform->size == sizeof(*platform));
}

/* Does the profile have PSCI 0.1? Its IDs are not SMCCC's and have the bit that 1.3 takes for a hint. */
static bool has_psci_0_1(const struct hvc_settings *settings)
{
	return (settings->functions[HVC_FN_PSCI_0_1_CPU_ON / 64] >> HVC_FN_PSCI_0_1_CPU_ON % 64 &
		1) != 0 &&
	       settings->smccc_version < HVC_VERSION(1, 3);
}

static void take_settings(struct hvc_vm *vm)
{
	const struct hvc_settings *settings = &vm->image->settings;

	vm->smccc_version = settings->smccc_version;
	vm->quirks = settings->quirks;
	vm->trusted_os = settings->trusted_os;
	atomic_init(&vm->trusted_os_cpu, vm_trusted_os_home(vm));
	vm->serve = vm_quirk(vm, HVC_QUIRK_ZERO_X1_X3) ? zero_table
		    : vm_quirk(vm, QUIRKS_OF_ANSWERS)  ? quirks_table
						       : serve_table;
	vm->shown = settings->reg_count;
	memcpy(vm->regs, settings->regs, sizeof(vm->regs));
	if (vm->flags & HVC_VM_PSCI_0_1) {
		vm->regs[HVC_REG_PSCI_VERSION] = HVC_VERSION(0, 1);
	}
}

enum hvc_err hvc_vm_init(struct hvc_vm *vm, const struct hvc_vm_config *config,
			 struct hvc_vcpu *const *vcpus)
{
	enum hvc_err err;

	if (vm == NULL || config == NULL || config->image == NULL || vcpus == NULL ||
	    (uintptr_t)vm % 64 != 0 || (uintptr_t)config->filter_memory % 2 != 0) {
		return HVC_EFAULT;
	}
	if (!config_valid(config) ||
	    ((config->flags & HVC_VM_PSCI_0_1) != 0 && !has_psci_0_1(&config->image->settings))) {
		return HVC_EINVAL;
	}
	for (uint32_t i = 0; i < config->vcpu_count; i++) {
		if (vcpus[i] == NULL || (uintptr_t)vcpus[i] % 64 != 0) {
			return HVC_EFAULT;
		}
	}
	memset(vm, 0, sizeof(*vm));
	vm->image = config->image;
	vm->platform = config->platform;
	vm->host = config->host;
	vm->vcpus = vcpus;
	vm->vcpu_count = config->vcpu_count;
	vm->flags = config->flags;
	take_settings(vm);
	err = rules_take(&vm->filter, config->image, config->filter_memory, config->filter_bytes);
	if (err == HVC_OK) {
		err = take_blocks(vm, config);
	}
	if (err != HVC_OK) {
		return err;
	}
	for (uint32_t i = 0; i < config->vcpu_count; i++) {
		init_vcpu(vm, i);
	}
	vm_update_present(vm);
	return HVC_OK;
}

enum hvc_err hvc_vcpu_setup(struct hvc_vcpu *vcpu, uint64_t mpidr, struct hvc_counters *counters)
{
	const struct hvc_vm *vm = vcpu->vm;

	if ((mpidr & ~MPIDR_AFFINITY) != 0 ||
	    (counters != NULL && counters->size < sizeof(*counters))) {
		return HVC_EINVAL;
	}
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		const struct hvc_vcpu *other = vm->vcpus[i];

		if (other != vcpu && other->set_up && other->mpidr == mpidr) {
			return HVC_EINVAL;
		}
	}
	vcpu->set_up = true;
	vcpu->mpidr = mpidr;
	vcpu->counters = counters == NULL ? NULL : &counters->calls[0][0];
	return HVC_OK;
}

enum hvc_err hvc_vcpu_set_stolen_time(struct hvc_vcpu *vcpu, uint64_t ipa)
{
	if (ipa % 64 != 0) {
		return HVC_EINVAL;
	}
	if (vcpu->stolen_time != STOLEN_TIME_NONE) {
		return HVC_EEXIST;
	}
	vcpu->stolen_time = ipa;
	return HVC_OK;
}

void hvc_vm_freeze(struct hvc_vm *vm)
{
	vm->frozen = true;
}

struct hvc_request hvc_vcpu_request(const struct hvc_vcpu *vcpu)
{
	unsigned int slot = vcpu->last_entry & ENTRY_SLOT;
	struct hvc_request request = {.type = vcpu->request_type, .function = slot};

	if (slot == HVC_FN_PSCI_SYSTEM_RESET2 || slot == HVC_FN_PSCI_SYSTEM_OFF2) {
		request.cookie = vcpu->request_value;
	} else {
		request.entry = vcpu->request_entry;
		request.context = vcpu->request_value;
	}
	return request;
}

struct hvc_request hvc_vcpu_started(struct hvc_vcpu *vcpu)
{
	struct hvc_request start = {.entry = vcpu->start_entry,
				    .context = vcpu->start_context,
				    .function = HVC_FN_PSCI_CPU_ON};

	forward_abandon(vcpu); /* what it had asked before it went off */
	atomic_store(&vcpu->power, POWER_ON);
	stats_leave(vcpu);
	return start;
}

unsigned int hvc_vcpu_power(const struct hvc_vcpu *vcpu)
{
	enum power power = POWER_OF(atomic_load_explicit(&vcpu->power, memory_order_acquire));

	return power == POWER_FROZEN ? POWER_ON : power;
}
