/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers as a plan shows them, over a kernel of a few registers: listed, hidden, held, phantoms. */
#include <errno.h>
#include <string.h>

#include "machine_test.h"
#include "policy_test.h"

/* Ascending. */
static const struct plan_view views[] = {
	{TCR2, 0, PLAN_PHANTOM, KVM_ARM_VCPU_PMU_V3 + 1}, /* of a vCPU feature, whichever */
	{PMMIR, 0, PLAN_HIDE, 0},
	{UAPI_FW(0), 0x10003, PLAN_HELD, KVM_ARM_VCPU_PSCI_0_2 + 1},
	{UAPI_BITMAP(3), 0, PLAN_PHANTOM, 0},
};

static void with_views(struct machine *machine)
{
	static struct plan_header header;

	machine_make(machine, KERNEL_ONLY);
	header = *machine->kvm.plan.header;
	header.views.count = COUNT_OF(views);
	machine->kvm.plan.header = &header;
	machine->kvm.plan.views = views;
}

static bool listed(struct hvc_kvm_vcpu *vcpu, uint64_t id)
{
	uint64_t ids[300];
	const size_t count = reg_list(vcpu, ids);

	for (size_t i = 0; i < count; i++) {
		if (ids[i] == id) {
			return true;
		}
	}
	return false;
}

static void plain(void **state)
{
	struct machine machine;
	uint64_t ids[300];
	uint32_t half = 0;

	(void)state;
	machine_make(&machine, KERNEL_ONLY);
	assert_int_equal(reg_list(&machine.vcpus[0], ids), KERNEL);
	assert_int_equal(reg_get(&machine.vcpus[0], UAPI_CORE_X(0)), 7);
	assert_int_equal(reg_set(&machine.vcpus[0], UAPI_CORE_X(0), 8), 0);
	assert_int_equal(reg_get(&machine.vcpus[0], UAPI_CORE_X(0)), 8);
	assert_int_equal(hvc_kvm_get_reg(&machine.vcpus[0], DEMUX, &half), 0);
	assert_int_equal(half, 0x77);
	assert_int_equal(hvc_kvm_get_reg(&machine.vcpus[0], TCR2, ids), ENOENT);
	/* Nothing travels under this policy. */
	assert_int_equal(hvc_kvm_get_reg(&machine.vcpus[0], UAPI_TRAVEL_BASE, ids), ENOENT);
	assert_int_equal(reg_set(&machine.vcpus[0], UAPI_TRAVEL_BASE + 4, 0), ENOENT);
	machine_unmake(&machine);
}

static void chosen(void **state)
{
	struct machine machine;
	struct hvc_kvm_vcpu *vcpu = &machine.vcpus[0];

	(void)state;
	machine_make(&machine, KERNEL_ONLY);
	/* The policy's: the same value, and no other. */
	assert_int_equal(reg_set(vcpu, UAPI_FW(0), 0x10001), 0);
	assert_int_equal(reg_set(vcpu, UAPI_FW(0), 0x10000), EINVAL);
	assert_string_equal(
		last_why, "PSCI_VERSION (0x6030000000140000): the policy has 0x10001, not 0x10000");
	assert_int_equal(reg_set(vcpu, UAPI_BITMAP(0), 1), 0);
	assert_int_equal(reg_set(vcpu, UAPI_BITMAP(0), 0), EINVAL);
	assert_int_equal(reg_get(vcpu, UAPI_BITMAP(0)), 1);
	/* Workarounds assert: the kernel judges. */
	assert_int_equal(reg_set(vcpu, UAPI_FW(1), 1), 0);
	kernel[2].value = 2;
	/* What the kernel does not want to have written, though it has it, is not written; another value is refused. */
	assert_int_equal(reg_set(vcpu, MMFR2, 0x1011), 0);
	assert_int_equal(reg_set(vcpu, MMFR2, 0x1012), EINVAL);
	machine_unmake(&machine);
}

static void viewed(void **state)
{
	struct machine machine;
	struct hvc_kvm_vcpu *vcpu = &machine.vcpus[0];
	uint64_t value = 0;

	(void)state;
	with_views(&machine);
	/* Held: what the guest finds is read, and nothing else is taken; the kernel keeps its own. */
	assert_int_equal(reg_get(vcpu, UAPI_FW(0)), 0x10003);
	assert_int_equal(reg_set(vcpu, UAPI_FW(0), 0x10003), 0);
	assert_int_equal(reg_set(vcpu, UAPI_FW(0), 0x10001), EINVAL);
	assert_non_null(strstr(last_why, "the policy has 0x10003, not 0x10001"));
	assert_int_equal(kernel[1].value, 0x10001);
	assert_true(listed(vcpu, UAPI_FW(0)));
	/* A phantom takes what means nothing. */
	assert_true(listed(vcpu, UAPI_BITMAP(3)));
	assert_int_equal(reg_get(vcpu, UAPI_BITMAP(3)), 0);
	assert_int_equal(reg_set(vcpu, UAPI_BITMAP(3), 0), 0);
	assert_int_equal(reg_set(vcpu, UAPI_BITMAP(3), 1), EINVAL);
	assert_non_null(strstr(last_why, "only 0x0 means nothing, not 0x1"));
	/* Hidden: it is not there. */
	assert_false(listed(vcpu, PMMIR));
	assert_int_equal(hvc_kvm_get_reg(vcpu, PMMIR, &value), ENOENT);
	assert_int_equal(reg_set(vcpu, PMMIR, 5), ENOENT);
	/* Of another size it is another register, as the kernel says. */
	assert_int_equal(hvc_kvm_get_reg(vcpu, UAPI_BITMAP(3) - (1ull << 52), &value), ENOENT);
	machine_unmake(&machine);
}

static void of_features(void **state)
{
	struct machine machine;
	struct hvc_kvm_vcpu *vcpu = &machine.vcpus[0];
	uint64_t value;

	(void)state;
	with_views(&machine);
	assert_false(listed(vcpu, TCR2));
	assert_int_equal(hvc_kvm_get_reg(vcpu, TCR2, &value), ENOENT);
	vcpu->init.features[0] |= 1u << KVM_ARM_VCPU_PMU_V3;
	assert_true(listed(vcpu, TCR2));
	assert_int_equal(reg_get(vcpu, TCR2), 0);
	/* A scratch vCPU without PSCI 0.2 has the kernel's register. */
	vcpu->init.features[0] = 0;
	assert_int_equal(reg_get(vcpu, UAPI_FW(0)), 0x10001);
	/* Before KVM_ARM_VCPU_INIT nothing is ours. */
	vcpu->initialised = false;
	assert_int_equal(hvc_kvm_get_reg(vcpu, UAPI_BITMAP(3), &value), ENOENT);
	machine_unmake(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(chosen),
		cmocka_unit_test(viewed),
		cmocka_unit_test(of_features),
	};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
