// SPDX-License-Identifier: BSD-2-Clause
// 32-bit guests, where the CPU still has AArch32 at EL1: widths, Thumb, conditional calls.
#include <sys/ioctl.h>

#include "facts.h"

#define A32_HVC    0xe1400070U
#define A32_SMC    0xe1600070U
#define A32_SMC_EQ 0x01600070U // not executed: Z is clear
#define A32_STORE  0xe5854000U // str r4, [r5]
#define A32_NOP    0xe320f000U
#define T32_HVC    0x8000f7e0U // halfwords in memory order
#define T32_SMC    0x8000f7f0U
#define T32_STORE  0xbf00602cU // str r4, [r5]; nop
#define PSTATE_SVC 0x1d3ULL
#define PSTATE_T   0x20ULL

static bool thumb;

static int call32(const struct vm *vm, uint32_t instruction, const uint64_t args[4])
{
	for (unsigned int n = 0; n < 4; n++) {
		must(set_value(vm, 0, CORE_X(n), args[n]), "set r0 to r3");
	}
	must(set_value(vm, 0, CORE_X(5), NOWHERE), "set r5");
	must(set_value(vm, 0, CORE_PSTATE, PSTATE_SVC | (thumb ? PSTATE_T : 0)), "set PSTATE");
	put(vm, 0, 0, instruction);
	put(vm, 0, 1, thumb ? T32_STORE : A32_STORE);
	put(vm, 0, 2, thumb ? 0xbf00bf00U : A32_NOP);
	__builtin___clear_cache((char *)vm->ram, (char *)vm->ram + RAM_SIZE);
	return start(vm, 0);
}

static const struct shape narrow = {.features = FEATURE(KVM_ARM_VCPU_EL1_32BIT), .cpus = 2};

static void one(const char *name, uint32_t instruction, uint64_t id, uint64_t r1, uint64_t r2)
{
	const uint64_t args[4] = {id, r1, r2, 0x33};
	struct vm vm;

	vm_new(&vm, &narrow);
	int reason = call32(&vm, instruction, args);
	fact(name, "%d r0=%llx r1=%llx r2=%llx r3=%llx", reason, (unsigned long long)x(&vm, 0, 0),
	     (unsigned long long)x(&vm, 0, 1), (unsigned long long)x(&vm, 0, 2),
	     (unsigned long long)x(&vm, 0, 3));
	vm_free(&vm);
}

static void forwarded(const char *name, uint32_t instruction)
{
	static const uint64_t args[4] = {0x84000000};
	struct vm vm;

	vm_new(&vm, &narrow);
	if (set_filter(&vm, 0x84000000, 1, FORWARD) == 0) {
		int reason = call32(&vm, instruction, args);
		const uint64_t *said = (const uint64_t *)(const void *)((uint8_t *)vm.run[0] +
									EXIT_UNION);
		fact(name, "%d nr=%llx flags=%llx pc=+%llu", reason, (unsigned long long)said[0],
		     (unsigned long long)said[8],
		     (unsigned long long)(value_of(&vm, 0, CORE_PC) - CODE(0)));
	}
	vm_free(&vm);
}

static void calls(void)
{
	one("version", thumb ? T32_HVC : A32_HVC, 0x84000000, 0x11, 0x22);
	one("smccc_version_smc", thumb ? T32_SMC : A32_SMC, 0x80000000, 0x11, 0x22);
	one("cpu_on_64", thumb ? T32_HVC : A32_HVC, 0xc4000003, 1, 0x40001000);
	one("cpu_on_32", thumb ? T32_HVC : A32_HVC, 0x84000003, 1, 0x40001000);
	one("features_64", thumb ? T32_HVC : A32_HVC, 0x8400000a, 0xc4000003, 0x22);
	one("features_32", thumb ? T32_HVC : A32_HVC, 0x8400000a, 0x84000003, 0x22);
	one("trng_rnd_64", thumb ? T32_HVC : A32_HVC, 0xc4000053, 0, 0x22);
	one("pv_time_64", thumb ? T32_HVC : A32_HVC, 0xc5000020, 0xc5000021, 0x22);
	forwarded("forward_hvc", thumb ? T32_HVC : A32_HVC);
	forwarded("forward_smc", thumb ? T32_SMC : A32_SMC);
}

void facts_aarch32(void)
{
	struct vm vm;

	context = "aarch32.";
	int has = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_EL1_32BIT);
	fact("there", "%d", has);
	if (has <= 0 || !vm_try(&vm, &narrow)) {
		return;
	}
	vm_free(&vm);
	context = "a32.";
	calls();
	one("smc_condition_fails", A32_SMC_EQ, 0x80000000, 0x11, 0x22);
	context = "t32.";
	thumb = true;
	calls();
}
