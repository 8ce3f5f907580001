// SPDX-License-Identifier: BSD-2-Clause
// Calls: conduits, immediates, workarounds, the stolen-time record.
#include <string.h>
#include <sys/ioctl.h>

#include "facts.h"

static void one(const char *name, uint32_t instruction, uint64_t id, uint64_t x1)
{
	const uint64_t args[5] = {id, x1, 0x22, 0x33, 0x44};
	struct vm vm;

	vm_new(&vm, &(struct shape){0});
	int reason = call(&vm, 0, instruction, args);
	fact(name, "%d x0=%lld x1=%llx x2=%llx x3=%llx x4=%llx", reason, (long long)x(&vm, 0, 0),
	     (unsigned long long)x(&vm, 0, 1), (unsigned long long)x(&vm, 0, 2),
	     (unsigned long long)x(&vm, 0, 3), (unsigned long long)x(&vm, 0, 4));
	vm_free(&vm);
}

static void answers(void)
{
	one("version_hvc", HVC(0), 0x80000000, 0x11);
	one("version_smc", SMC(0), 0x80000000, 0x11);
	one("version_hvc_imm_1", HVC(1), 0x80000000, 0x11);
	one("version_hvc_imm_ffff", HVC(0xffff), 0x80000000, 0x11);
	one("version_smc_imm_1", SMC(1), 0x80000000, 0x11);
	one("version_high_half", HVC(0), 0xdeadbeef80000000, 0x11);
	one("unknown_hvc", HVC(0), 0x83000000, 0x11);
	one("unknown_smc", SMC(0), 0x83000000, 0x11);
	one("wa1_hvc", HVC(0), 0x80008000, 0x11);
	one("wa1_hvc_imm_1", HVC(1), 0x80008000, 0x11);
	one("wa1_high_half", HVC(0), 0xdeadbeef80008000, 0x11);
	one("wa1_smc", SMC(0), 0x80008000, 0x11);
	one("wa2_hvc", HVC(0), 0x80007fff, 1);
	one("wa2_smc", SMC(0), 0x80007fff, 1);
	one("wa3_hvc", HVC(0), 0x80003fff, 0x11);
	one("wa3_smc", SMC(0), 0x80003fff, 0x11);
	one("wa4_hvc", HVC(0), 0x80000004, 0x11);
}

static int set_ipa(const struct vm *vm, uint64_t number, const void *address)
{
	const struct kvm_device_attr a = {
		.group = KVM_ARM_VCPU_PVTIME_CTRL, .attr = number, .addr = (uintptr_t)address};

	return ioctl(vm->vcpu[0], KVM_SET_DEVICE_ATTR, &a);
}

static void stolen_time(void)
{
	static const uint64_t call_st[5] = {0xc5000021};
	const uint64_t odd = RAM + 0x20020, outside = 0x80000000, good = RAM + 0x20000;
	struct vm vm;

	vm_new(&vm, &(struct shape){0});
	fact_errno("pvtime_other_attr", set_ipa(&vm, 1, &good));
	fact_errno("pvtime_fault", set_ipa(&vm, KVM_ARM_VCPU_PVTIME_IPA, (void *)8));
	fact_errno("pvtime_unaligned", set_ipa(&vm, KVM_ARM_VCPU_PVTIME_IPA, &odd));
	fact_errno("pvtime_outside", set_ipa(&vm, KVM_ARM_VCPU_PVTIME_IPA, &outside));
	fact_errno("pvtime_set", set_ipa(&vm, KVM_ARM_VCPU_PVTIME_IPA, &good));
	fact_errno("pvtime_again", set_ipa(&vm, KVM_ARM_VCPU_PVTIME_IPA, &good));
	uint8_t *record = vm.ram + 0x20000;
	static const uint64_t version[5] = {0x80000000};
	memset(record, 0xee, 64);
	call(&vm, 0, HVC(0), version);
	fact("pvtime_before_st", "revision %s, attributes %s, stolen %s",
	     record[0] == 0xee ? "kept" : "changed", record[4] == 0xee ? "kept" : "changed",
	     memcmp(record + 8, record + 24, 8) == 0 ? "kept" : "counted up");
	memset(record, 0xa5, 64);
	call(&vm, 0, HVC(0), call_st);
	fact("pvtime_st", "%llx", (unsigned long long)x(&vm, 0, 0));
	unsigned int zero = 0;
	while (zero < 64 && (zero >= 8 && zero < 16 ? record[zero] != 0xa5 : record[zero] == 0)) {
		zero++;
	}
	fact("pvtime_record_bytes", "%u", zero);
	vm_free(&vm);
}

void facts_calls(void)
{
	context = "call.";
	answers();
	stolen_time();
}
