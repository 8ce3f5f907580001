/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM's state as bytes: written. */
#include <hvcgate/event.h>

#include "saved.h"

#include "../services/pkvm_state.h"
#include "../services/psci.h"
#include "../services/psci_state.h"
#include "forward_state.h"
#include "rules.h"

/* Bytes behind one another; where `bytes` is NULL they are only counted. */
struct out {
	uint8_t *bytes;
	size_t at;
};

static void put(struct out *out, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++, out->at++) {
		if (out->bytes != NULL) {
			out->bytes[out->at] = (uint8_t)(value >> 8 * i);
		}
	}
}

static void put_32(struct out *out, uint32_t value)
{
	put(out, value, 4);
}

static void put_64(struct out *out, uint64_t value)
{
	put(out, value, 8);
}

/* A number that is known when what it counts is written. */
static void put_32_at(const struct out *out, size_t at, uint32_t value)
{
	struct out there = {.bytes = out->bytes, .at = at};

	put_32(&there, value);
}

void saved_policy(const struct hvc_image *image, uint8_t policy[SAVED_POLICY])
{
	static const uint8_t none[SAVED_POLICY];
	const uint64_t words[] = {(uint64_t)image->bytes << 32 | image->crc32, image->catalog};

	_Static_assert(sizeof(image->settings.policy_sha256) == SAVED_POLICY, "a digest fits");
	memcpy(policy, image->settings.policy_sha256, SAVED_POLICY);
	if (memcmp(policy, none, SAVED_POLICY) != 0) {
		return;
	}
	for (unsigned int i = 0; i < sizeof(words); i++) {
		policy[i] = (uint8_t)(words[i / 8] >> i % 8 * 8);
	}
}

static void write_policy(const struct hvc_vm *vm, struct out *out)
{
	uint8_t policy[SAVED_POLICY];

	saved_policy(vm->image, policy);
	for (unsigned int i = 0; i < SAVED_POLICY; i++) {
		put(out, policy[i], 1);
	}
}

static void write_vm(const struct hvc_vm *vm, struct out *out)
{
	struct psci_vm_state psci;

	psci_vm_state(vm, &psci);
	put_32(out, vm->frozen);
	put_32(out, psci.suspend_mode);
	put_32(out, psci.mem_protect);
	put_32(out, psci.trusted_os_cpu);
}

static void write_registers(const struct hvc_vm *vm, struct out *out)
{
	put_32(out, vm->shown);
	put_32(out, 0);
	for (unsigned int reg = 0; reg < vm->shown; reg++) {
		put_64(out, hvc_feature_reg_id(vm, reg));
		put_64(out, hvc_load(&vm->regs[reg]));
	}
}

static void write_functions(const struct hvc_vm *vm, struct out *out)
{
	size_t count_at = out->at;
	uint32_t count = 0;

	put_32(out, 0);
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (vm_has(vm, slot)) {
			put_32(out, function->id32 != 0 ? function->id32 : function->id64);
			count++;
		}
	}
	put_32_at(out, count_at, count);
}

static bool has_ranges(const struct hvc_vm *vm)
{
	struct own_range range;
	uint64_t id = 0;

	return rules_next_own(&vm->filter, &id, &range);
}

static void write_ranges(const struct hvc_vm *vm, struct out *out)
{
	size_t count_at = out->at;
	struct own_range range;
	uint32_t count = 0;
	uint64_t id = 0;

	put_64(out, 0);
	while (rules_next_own(&vm->filter, &id, &range)) {
		put_32(out, range.first);
		put_32(out, range.last);
		put_32(out, range.action);
		put_32(out, 0);
		count++;
	}
	put_32_at(out, count_at, count);
}

/* Where the host knows no stolen time the address says nothing. */
static uint64_t record_of(const struct hvc_vcpu *vcpu)
{
	const struct hvc_platform *platform = vcpu->vm->platform;

	return platform != NULL && platform->stolen_time != NULL ? vcpu->stolen_time
								 : STOLEN_TIME_NONE;
}

bool saved_sleep_call(unsigned int slot)
{
	return slot == HVC_FN_PSCI_CPU_SUSPEND || slot == HVC_FN_PSCI_0_1_CPU_SUSPEND ||
	       slot == HVC_FN_PSCI_CPU_DEFAULT_SUSPEND || slot == HVC_FN_PSCI_SYSTEM_SUSPEND;
}

static void write_vcpu(const struct hvc_vcpu *vcpu, struct out *out)
{
	struct psci_vcpu_state psci;
	bool starts, sleeps, down;

	psci_vcpu_state(vcpu, &psci);
	/* One that has made another call since is awake, whether its host said so or not. */
	if ((psci.power & POWER_ASLEEP) != 0 && !saved_sleep_call(vcpu->last_entry & ENTRY_SLOT)) {
		psci.power &= ~POWER_SLEEP;
	}
	starts = POWER_OF(psci.power) == POWER_ON_PENDING;
	sleeps = (psci.power & POWER_ASLEEP) != 0;
	down = (psci.power & POWER_DOWN) != 0;
	put_64(out, vcpu->mpidr);
	put_32(out, psci.power);
	put_32(out, sleeps ? vcpu->last_id : 0);
	put_64(out, starts ? vcpu->start_entry : 0);
	put_64(out, starts ? vcpu->start_context : 0);
	put_64(out, down ? vcpu->request_entry : 0);
	put_64(out, down ? vcpu->request_value : 0);
	put_64(out, record_of(vcpu));
}

static void write_vcpus(const struct hvc_vm *vm, struct out *out)
{
	put_32(out, vm->vcpu_count);
	put_32(out, 0);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		write_vcpu(vm->vcpus[i], out);
	}
}

static bool has_stats(const struct hvc_vm *vm)
{
	return vm->stats != NULL;
}

static void write_stats(const struct hvc_vm *vm, struct out *out)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct psci_vcpu_state psci;

		psci_vcpu_state(vm->vcpus[i], &psci);
		for (unsigned int n = 0; n < HVC_POWER_STATES; n++) {
			put_64(out, psci.count[n]);
			put_64(out, psci.us[n]);
		}
	}
}

static bool has_forwards(const struct hvc_vm *vm)
{
	return vm->forwards != NULL;
}

static void write_forward(const struct hvc_vm *vm, struct out *out)
{
	put_64(out, forwards_next(vm));
}

static bool has_calls(const struct hvc_vm *vm)
{
	struct left_call call;

	return forwards_next_left(vm, 0, &call);
}

static void write_call(const struct left_call *call, struct out *out)
{
	uint32_t args = 0;

	for (unsigned int n = 1; n <= HVC_ARGS_MAX; n++) {
		args |= call->args[n - 1] != 0 ? 1u << n : 0;
	}
	put_64(out, call->sequence);
	put_64(out, call->key.pc);
	put_64(out, call->key.sp);
	put_32(out, call->id);
	put_32(out, call->vcpu);
	put_32(out, args);
	put_32(out, call->mask & HVC_X0_X17);
	put_32(out, call->conduit);
	put_32(out, call->failed);
	for (unsigned int n = 1; n <= HVC_ARGS_MAX; n++) {
		if ((args >> n & 1) != 0) {
			put_64(out, call->args[n - 1]);
		}
	}
	for (unsigned int n = 0; n < HVC_FRAME_REGS; n++) {
		if ((call->mask >> n & 1) != 0) {
			put_64(out, call->reply.x[n]);
		}
	}
}

static void write_calls(const struct hvc_vm *vm, struct out *out)
{
	size_t count_at = out->at;
	struct left_call call = {0};
	uint32_t count = 0;

	put_64(out, 0);
	for (; forwards_next_left(vm, call.sequence, &call); count++) {
		write_call(&call, out);
	}
	put_32_at(out, count_at, count);
}

static bool has_events(const struct hvc_vm *vm)
{
	return vm->events != NULL;
}

static void write_events(const struct hvc_vm *vm, struct out *out)
{
	put_64(out, hvc_event_next(vm));
}

static bool has_shares(const struct hvc_vm *vm)
{
	return vm->shares != NULL;
}

/* Guarded granules have slots in the order in which they came; here they are in order of address. */
static bool next_guarded(const struct hvc_shares *shares, uint64_t from, uint64_t *ipa)
{
	uint64_t at;
	bool found = false;

	for (unsigned int slot = 0; slot < SHARE_MMIO_SLOTS; slot++) {
		if (shares_mmio_at(shares, slot, &at) && at >= from && (!found || at < *ipa)) {
			*ipa = at;
			found = true;
		}
	}
	return found;
}

static void write_shares(const struct hvc_vm *vm, struct out *out)
{
	const struct hvc_shares *shares = vm->shares;
	uint32_t ranges = 0, guarded = 0;
	struct share_range range = {0};
	size_t counts_at;
	uint64_t ipa = 0;

	put_64(out, shares->base);
	put_64(out, shares->granules * SHARE_GRANULE);
	put_32(out, atomic_load(&shares->enrolled));
	counts_at = out->at;
	put_32(out, 0);
	put_64(out, 0);
	for (; shares_next(shares, range.ipa + range.bytes, &range); ranges++) {
		put_64(out, range.ipa);
		put_64(out, range.bytes);
	}
	for (; next_guarded(shares, ipa, &ipa); guarded++, ipa += SHARE_GRANULE) {
		put_64(out, ipa);
	}
	put_32_at(out, counts_at, ranges);
	put_32_at(out, counts_at + 4, guarded);
}

static const struct {
	void (*write)(const struct hvc_vm *vm, struct out *out);
	bool (*present)(const struct hvc_vm *vm); /* NULL: always */
} sections[SECTION_COUNT] = {
	[SECTION_POLICY] = {write_policy, NULL},
	[SECTION_VM] = {write_vm, NULL},
	[SECTION_REGISTERS] = {write_registers, NULL},
	[SECTION_FUNCTIONS] = {write_functions, NULL},
	[SECTION_RANGES] = {write_ranges, has_ranges},
	[SECTION_VCPUS] = {write_vcpus, NULL},
	[SECTION_STATS] = {write_stats, has_stats},
	[SECTION_FORWARD] = {write_forward, has_forwards},
	[SECTION_EVENTS] = {write_events, has_events},
	[SECTION_SHARES] = {write_shares, has_shares},
	[SECTION_CALLS] = {write_calls, has_calls},
};

static void write_section(const struct hvc_vm *vm, unsigned int type, struct out *out)
{
	size_t from = out->at + SECTION_HEADER;

	put(out, type, 2);
	put(out, SECTION_MUST, 2);
	put_32(out, 0);
	sections[type].write(vm, out);
	put_32_at(out, from - 4, (uint32_t)(out->at - from));
	while (out->at % SECTION_ALIGN != 0) {
		put(out, 0, 1);
	}
}

static size_t write_all(const struct hvc_vm *vm, uint8_t *bytes)
{
	struct out out = {.bytes = bytes, .at = SAVED_HEADER};
	struct out header = {.bytes = bytes};

	for (unsigned int type = SECTION_POLICY; type < SECTION_COUNT; type++) {
		if (sections[type].present == NULL || sections[type].present(vm)) {
			write_section(vm, type, &out);
		}
	}
	put_32(&header, HVC_SAVE_MAGIC);
	put_32(&header, HVC_SAVE_FORMAT);
	put_32(&header, (uint32_t)out.at);
	put_32(&header, bytes == NULL ? 0 : crc32_of(bytes + SAVED_HEADER, out.at - SAVED_HEADER));
	return out.at;
}

enum hvc_err hvc_vm_save(const struct hvc_vm *vm, void *bytes, size_t *size, uint32_t *vcpu)
{
	uint32_t pending;
	size_t needed;

	if (vm == NULL || size == NULL || (bytes == NULL && *size != 0)) {
		return HVC_EFAULT;
	}
	if (!vm->image->settings.replay && forwards_pending(vm, &pending)) {
		if (vcpu != NULL) {
			*vcpu = pending;
		}
		return HVC_EBUSY;
	}
	needed = write_all(vm, NULL);
	if (*size < needed) {
		*size = needed;
		return HVC_E2BIG;
	}
	*size = write_all(vm, bytes);
	return HVC_OK;
}
