/* SPDX-License-Identifier: BSD-2-Clause */
/* Feature registers: KVM's firmware pseudo-registers, read and written with its order of checks. */
#include "service.h"
#include "settings.h"

/* KVM_REG_ARM64 | KVM_REG_SIZE_U64, then the class and the index in it. */
#define REG_U64       0x6030000000000000ull
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
	(void)vm;
	return cap == HVC_CAP_FEATURE_REGS ? HVC_REG_COUNT : 0;
}

uint64_t hvc_feature_reg_id(const struct hvc_vm *vm, unsigned int index)
{
	(void)vm;
	return index < HVC_REG_COUNT ? reg_ids[index] : 0;
}

static unsigned int reg_by_id(uint64_t id)
{
	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		if (reg_ids[reg] == id) {
			return reg;
		}
	}
	return HVC_REG_NONE;
}

enum hvc_err hvc_vm_get_reg(const struct hvc_vm *vm, uint64_t id, uint64_t *value)
{
	unsigned int reg = reg_by_id(id);

	if (reg == HVC_REG_NONE) {
		return HVC_ENOENT;
	}
	*value = vm->regs[reg];
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

enum hvc_err hvc_vm_set_reg(struct hvc_vm *vm, uint64_t id, uint64_t value)
{
	unsigned int reg = reg_by_id(id);

	if (reg == HVC_REG_NONE) {
		return HVC_ENOENT;
	}
	if (reg >= HVC_REG_WORKAROUND_1 && reg <= HVC_REG_WORKAROUND_3) {
		return assert_workaround(vm, reg, value);
	}
	if (!register_value_valid(reg, value)) {
		return HVC_EINVAL;
	}
	if (vm->frozen) {
		return vm->regs[reg] == value ? HVC_OK : HVC_EBUSY;
	}
	vm->regs[reg] = value;
	vm_update_present(vm);
	return HVC_OK;
}
