/* SPDX-License-Identifier: BSD-2-Clause */
/* Feature registers: KVM's firmware pseudo-registers, read and written with its order of checks. */
#include "registers.h"
#include "service.h"
#include "settings.h"

/* KVM_REG_ARM64 | KVM_REG_SIZE_U64, then the class and the index in it. */
#define REG_ARM64     0x6000000000000000ull
#define REG_U64       (REG_ARM64 | 0x0030000000000000ull)
#define REG_FW(n)     (REG_U64 | 0x14ull << 16 | (n))
#define REG_BITMAP(n) (REG_U64 | 0x16ull << 16 | (n))

static const uint64_t reg_ids[HVC_REG_COUNT] = {
	[HVC_REG_PSCI_VERSION] = REG_FW(0),        [HVC_REG_WORKAROUND_1] = REG_FW(1),
	[HVC_REG_WORKAROUND_2] = REG_FW(2),        [HVC_REG_WORKAROUND_3] = REG_FW(3),
	[HVC_REG_STD_BMAP] = REG_BITMAP(0),        [HVC_REG_STD_HYP_BMAP] = REG_BITMAP(1),
	[HVC_REG_VENDOR_HYP_BMAP] = REG_BITMAP(2), [HVC_REG_VENDOR_HYP_BMAP_2] = REG_BITMAP(3),
};

uint32_t hvc_vm_check(const struct hvc_vm *vm, enum hvc_cap cap)
{
	return cap == HVC_CAP_FEATURE_REGS ? vm->shown : 0;
}

uint64_t hvc_feature_reg_id(const struct hvc_vm *vm, unsigned int index)
{
	return index < vm->shown ? reg_ids[index] : 0;
}

enum hvc_err hvc_vm_list_regs(const struct hvc_vm *vm, uint64_t *ids, uint32_t *count)
{
	uint32_t room = *count;

	*count = vm->shown;
	if (room < vm->shown) {
		return HVC_E2BIG;
	}
	for (unsigned int reg = 0; reg < vm->shown; reg++) {
		ids[reg] = reg_ids[reg];
	}
	return HVC_OK;
}

/* The whole ID must match, size and all. Hidden is as unknown. */
static unsigned int reg_by_id(const struct hvc_vm *vm, uint64_t id)
{
	for (unsigned int reg = 0; reg < vm->shown; reg++) {
		if (reg_ids[reg] == id) {
			return reg;
		}
	}
	return HVC_REG_NONE;
}

/* Of a register that is not there: IDs that are not arm64's at all are another error. */
static enum hvc_err absent(uint64_t id)
{
	const uint64_t size = 0x00f0000000000000ull;

	return (id & ~size) >> 32 == REG_ARM64 >> 32 ? HVC_ENOENT : HVC_EINVAL;
}

static uint64_t reg_value(const struct hvc_vm *vm, unsigned int reg)
{
	return reg == HVC_REG_PSCI_VERSION ? vm_psci_version(vm) : vm->regs[reg];
}

/* A single store: calls may be reading. */
static void store(struct hvc_vm *vm, unsigned int reg, uint64_t value)
{
	hvc_store(&vm->regs[reg], value);
	vm_update_present(vm);
}

enum hvc_err hvc_vm_get_reg(const struct hvc_vm *vm, uint64_t id, uint64_t *value)
{
	unsigned int reg = reg_by_id(vm, id);

	if (reg == HVC_REG_NONE) {
		return absent(id);
	}
	*value = reg_value(vm, reg);
	return HVC_OK;
}

/* WORKAROUND_2 collapses its levels: 0 and 1 mean not available, 2 and 3 not required; ENABLED (bit 4)
 * goes with level 2 only. HVC_EINVAL for anything else. */
static enum hvc_err collapse_workaround_2(uint64_t *value)
{
	const uint64_t enabled = 1u << 4;
	uint64_t level = *value & 0xf;

	if ((*value & ~(enabled | 0xf)) || level > 3 || ((*value & enabled) && level != 2)) {
		return HVC_EINVAL;
	}
	*value = level < 2 ? 0 : 3;
	return HVC_OK;
}

/* A workaround level is an assertion by whoever restores a VM: "at least this much is needed". */
static enum hvc_err assert_workaround(const struct hvc_vm *vm, unsigned int reg, uint64_t value)
{
	if (reg == HVC_REG_WORKAROUND_2) {
		enum hvc_err err = collapse_workaround_2(&value);

		if (err != HVC_OK) {
			return err;
		}
	}
	return value <= vm->regs[reg] ? HVC_OK : HVC_EINVAL;
}

/* vCPUs without the feature PSCI_0_2 have 0.1 and nothing else; with it, anything else. */
static bool psci_version_valid(const struct hvc_vm *vm, uint64_t value)
{
	if (vm->flags & HVC_VM_PSCI_0_1) {
		return value == HVC_VERSION(0, 1);
	}
	return register_value_valid(&vm->image->settings, HVC_REG_PSCI_VERSION, value);
}

static bool is_open(const struct hvc_vm *vm, unsigned int reg)
{
	return !vm->frozen ||
	       (reg == HVC_REG_PSCI_VERSION && (vm->quirks & HVC_QUIRK_PSCI_VERSION_OPEN) != 0);
}

enum hvc_err hvc_vm_set_reg(struct hvc_vm *vm, uint64_t id, uint64_t value)
{
	unsigned int reg = reg_by_id(vm, id);

	if (reg == HVC_REG_NONE) {
		return absent(id);
	}
	if (reg >= HVC_REG_WORKAROUND_1 && reg <= HVC_REG_WORKAROUND_3) {
		return assert_workaround(vm, reg, value);
	}
	if (reg == HVC_REG_PSCI_VERSION ? !psci_version_valid(vm, value)
					: !register_value_valid(&vm->image->settings, reg, value)) {
		return HVC_EINVAL;
	}
	if (value == reg_value(vm, reg)) {
		return HVC_OK;
	}
	if (!is_open(vm, reg)) {
		return HVC_EBUSY;
	}
	store(vm, reg, value);
	return HVC_OK;
}

static uint64_t nothing(const struct hvc_vm *vm, unsigned int reg)
{
	if (reg == HVC_REG_PSCI_VERSION && (vm->flags & HVC_VM_PSCI_0_1) != 0) {
		return HVC_VERSION(0, 1);
	}
	return register_nothing(&vm->image->settings, reg);
}

/* Registers from `index` on get the value that means nothing of it. */
static void clear(struct hvc_vm *vm, unsigned int index)
{
	for (unsigned int reg = index; reg < vm->image->settings.reg_count; reg++) {
		store(vm, reg, nothing(vm, reg));
	}
}

enum hvc_err hvc_vm_clear_from(struct hvc_vm *vm, unsigned int index)
{
	if (index > vm->shown) {
		return HVC_EINVAL;
	}
	for (unsigned int reg = index; reg < vm->shown && vm->frozen; reg++) {
		if (reg_value(vm, reg) != nothing(vm, reg)) {
			return HVC_EBUSY;
		}
	}
	if (!vm->frozen) {
		clear(vm, index);
	}
	return HVC_OK;
}

enum hvc_err hvc_vm_show(struct hvc_vm *vm, unsigned int n)
{
	if (n > vm->image->settings.reg_count) {
		return HVC_EINVAL;
	}
	if (vm->frozen) {
		return HVC_EBUSY;
	}
	clear(vm, n);
	vm->shown = n;
	return HVC_OK;
}

bool register_restorable(const struct hvc_vm *vm, unsigned int reg, uint64_t value)
{
	if (reg == HVC_REG_PSCI_VERSION) {
		return psci_version_valid(vm, value);
	}
	return register_value_valid(&vm->image->settings, reg, value) &&
	       (register_is_bitmap(reg) || value <= vm->regs[reg]);
}

uint64_t register_nothing_of(const struct hvc_vm *vm, unsigned int reg)
{
	return nothing(vm, reg);
}

void registers_restore(struct hvc_vm *vm, const uint64_t *values, unsigned int shown)
{
	for (unsigned int reg = 0; reg < shown; reg++) {
		hvc_store(&vm->regs[reg], values[reg]);
	}
	clear(vm, shown);
	vm->shown = shown;
	vm_update_present(vm);
}
