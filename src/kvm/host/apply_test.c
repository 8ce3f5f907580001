/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan is applied as a whole and read back, or no vCPU runs. */
#include <errno.h>
#include <string.h>

#include "policy_test.h"
#include "vmm_test.h"

#define STD_BMAP     0x6030000000160000ull
#define PSCI_VERSION 0x6030000000140000ull
#define FREE_ID      0xc2000000u
#define MIGRATE_TYPE 0x84000006u
#define TRNG_VERSION 0x84000050u

/* A register, a range that is denied, one that is forwarded. */
#define POLICY                                                       \
	"psci: \"1.0\"\nservices: {trng: off}\n"                     \
	"rules:\n"                                                   \
	"  - deny: PSCI_MIGRATE_INFO_TYPE\n"                         \
	"  - forward: {range: 0xc2000000-0xc20000ff}\n    to: ffa\n" \
	"handlers:\n"                                                \
	"  ffa: {socket: /run/ffa.sock, timeout: 250ms}\n"

static struct guest_log told;
static const struct arm_instruction program[] = {
	GUEST_CALL(0x84000000u, 0, 0, 0),
	GUEST_LOG(told),
	GUEST_CALL(TRNG_VERSION, 0, 0, 0),
	GUEST_LOG(told),
	GUEST_CALL(MIGRATE_TYPE, 0, 0, 0),
	GUEST_LOG(told),
	GUEST_CALL(FREE_ID, 0, 0, 0),
	GUEST_LOG(told),
	GUEST_DONE,
};
static const struct vmm_setup setup = {.policy = POLICY, .cpus = 2, VMM_PROGRAM(program)};

/* The plan is what the guest finds. Nobody takes what is forwarded, which is no reason to tell it its own ID. */
static void assert_in_force(void)
{
	assert_int_equal(told.count, 4);
	assert_int_equal(told.x[0][0], 0x10000);
	assert_int_equal(told.x[1][0], STATUS(-1));
	assert_int_equal(told.x[2][0], STATUS(-1));
	assert_int_equal(told.x[3][0], STATUS(-1));
}

static void test_applied(void **state)
{
	struct vmm vmm;

	(void)state;
	told.count = 0;
	vmm_new(&vmm, &setup);
	vmm_start(&vmm, 0);
	vmm_join(&vmm, 0);
	assert_int_equal(vmm.cpus[0].error, 0);
	assert_true(vmm.cpus[0].done);
	assert_in_force();
	vmm_free(&vmm);
}

/* --- Each ioctl fails in its turn, from the making of the VM to its first run. */
struct trouble {
	struct arm_kvm *kvm;
	uint64_t left; /* ioctls before it */
	bool happened;
	bool is_run; /* it was KVM_RUN itself */
};

static int fail_one(void *context, int fd, unsigned long request, void *argument, int *value)
{
	struct trouble *trouble = context;

	(void)fd, (void)argument, (void)value;
	if (trouble->happened || trouble->left-- != 0) {
		return 0;
	}
	trouble->happened = true;
	trouble->is_run = request == KVM_RUN;
	return EIO;
}

/* 0 and the guest ran under the plan; or it did not run. */
static void one_trouble(struct vmm *vmm, struct trouble *trouble)
{
	int error;

	told.count = 0;
	arm_kvm_set_hook(vmm->fake, fail_one, trouble);
	error = vmm_make(vmm);
	if (error == 0) {
		error = hvc_kvm_run(vmm->cpus[0].vcpu);
	}
	const uint64_t runs = arm_kvm_counts(vmm->fake).runs;
	if (error != 0) {
		assert_true(trouble->happened);
		assert_true(trouble->is_run || runs == 0);
		/* Nor does it at the second try, unless all is well then. */
		if (vmm->cpus[0].vcpu != NULL) {
			told.count = 0;
			error = hvc_kvm_run(vmm->cpus[0].vcpu);
			assert_true(error == 0 || arm_kvm_counts(vmm->fake).runs == runs);
		}
	}
	if (arm_kvm_counts(vmm->fake).runs != 0 && !trouble->is_run) {
		assert_int_equal(error, 0);
		assert_in_force();
	}
}

static void test_each_ioctl_fails(void **state)
{
	struct trouble trouble;
	uint64_t n = 0;

	(void)state;
	do {
		struct vmm vmm;

		vmm_begin(&vmm, &setup);
		trouble = (struct trouble){.kvm = vmm.fake, .left = n++};
		one_trouble(&vmm, &trouble);
		arm_kvm_set_hook(vmm.fake, NULL, NULL);
		vmm_free(&vmm);
	} while (trouble.happened && !trouble.is_run);
	assert_true(n > 10);
}

/* --- A kernel that says yes and does not do it. */
static int lie_set(void *context, int fd, unsigned long request, void *argument, int *value)
{
	const struct kvm_one_reg *reg = argument;

	(void)fd;
	*value = 0;
	return request == KVM_SET_ONE_REG && reg->id == *(const uint64_t *)context ? ARM_KVM_DONE
										   : 0;
}

static void refused_run(const struct vmm_setup *how, arm_kvm_hook *hook, void *context)
{
	struct vmm vmm;

	vmm_begin(&vmm, how);
	arm_kvm_set_hook(vmm.fake, hook, context);
	assert_int_equal(vmm_make(&vmm), 0);
	for (unsigned int n = 0; n < vmm.count; n++) {
		assert_int_equal(hvc_kvm_run(vmm.cpus[n].vcpu), EPERM);
		assert_string_not_equal(hvc_kvm_why(), "");
	}
	assert_int_equal(arm_kvm_counts(vmm.fake).runs, 0);
	arm_kvm_set_hook(vmm.fake, NULL, NULL);
	vmm_free(&vmm);
}

static void test_register_read_back(void **state)
{
	uint64_t ids[] = {STD_BMAP, PSCI_VERSION};

	(void)state;
	for (size_t n = 0; n < COUNT_OF(ids); n++) {
		refused_run(&setup, lie_set, &ids[n]);
	}
}

/* The VM of a kernel that has a filter says that it has none. */
static int lie_filter(void *context, int fd, unsigned long request, void *argument, int *value)
{
	(void)context, (void)fd, (void)argument, (void)value;
	return request == KVM_SET_DEVICE_ATTR ? ENXIO : 0;
}

static void test_no_filter(void **state)
{
	struct vmm vmm;

	(void)state;
	vmm_begin(&vmm, &setup);
	arm_kvm_set_hook(vmm.fake, lie_filter, NULL);
	if (vmm_make(&vmm) == 0) {
		assert_int_equal(hvc_kvm_run(vmm.cpus[0].vcpu), EPERM);
	}
	assert_int_equal(arm_kvm_counts(vmm.fake).runs, 0);
	arm_kvm_set_hook(vmm.fake, NULL, NULL);
	vmm_free(&vmm);
}

/* That of a protected VM: the filter's errno says no more. */
static int lie_protected(void *context, int fd, unsigned long request, void *argument, int *value)
{
	(void)context, (void)fd, (void)argument, (void)value;
	return request == KVM_SET_DEVICE_ATTR ? EINVAL : 0;
}

static void test_protected(void **state)
{
	struct vmm vmm;

	(void)state;
	vmm_begin(&vmm, &setup);
	arm_kvm_set_hook(vmm.fake, lie_protected, NULL);
	assert_int_equal(vmm_make(&vmm), EINVAL);
	assert_non_null(strstr(hvc_kvm_why(), "a protected one?"));
	arm_kvm_set_hook(vmm.fake, NULL, NULL);
	vmm_free(&vmm);
}

/* --- What the VMM does between. */
static void test_vmm_in_between(void **state)
{
	const struct uapi_smccc_filter range = {.base = 0x84000000u, .nr_functions = 1};
	const struct kvm_device_attr attr = {.addr = (uintptr_t)&range};
	const struct kvm_enable_cap cap = {.cap = KVM_CAP_ARM_SYSTEM_SUSPEND};
	struct vmm vmm;

	(void)state;
	told.count = 0;
	vmm_new(&vmm, &setup);
	assert_int_equal(hvc_kvm_set_attr(vmm.vm, &attr), EPERM);
	assert_int_equal(hvc_kvm_enable_cap(vmm.vm, &cap), 0);
	/* Its own writes, past the library, would not survive. */
	assert_int_equal(vmm_set(&vmm, 1, STD_BMAP, 1), 0);
	const int error = hvc_kvm_run(vmm.cpus[0].vcpu);
	if (error == 0) {
		assert_in_force();
	} else {
		assert_int_equal(error, EPERM);
		assert_int_equal(arm_kvm_counts(vmm.fake).runs, 0);
	}
	vmm_free(&vmm);
}

/* Without PSCI_0_2 there is another PSCI than the plan's: such a VM does not run, nor can a vCPU become so later. */
static void test_features(void **state)
{
	struct vmm_setup lacking = {.policy = POLICY,
				    .features_off = 1u << KVM_ARM_VCPU_PSCI_0_2,
				    VMM_PROGRAM(program)};
	const struct kvm_vcpu_init init = {.target = 5};
	struct vmm vmm;

	(void)state;
	refused_run(&lacking, NULL, NULL);
	lacking.policy = NULL; /* no register would tell */
	refused_run(&lacking, NULL, NULL);
	vmm_new(&vmm, &setup);
	assert_int_equal(hvc_kvm_run(vmm.cpus[0].vcpu), 0);
	assert_int_equal(hvc_kvm_vcpu_init(vmm.cpus[0].vcpu, &init), EPERM);
	assert_string_not_equal(hvc_kvm_why(), "");
	vmm_free(&vmm);
}

/* VMs that only look: as many as a VMM makes. No vCPU of them runs, and they cost others nothing. */
static void test_scratch(void **state)
{
	struct vmm vmm;

	(void)state;
	told.count = 0;
	vmm_begin(&vmm, &setup);
	for (unsigned int n = 0; n < 20; n++) {
		assert_int_equal(vmm_make(&vmm), 0);
		assert_int_equal(arm_kvm_counts(vmm.fake).runs, 0);
		vmm_drop(&vmm);
	}
	assert_int_equal(vmm_make(&vmm), 0);
	assert_int_equal(hvc_kvm_run(vmm.cpus[0].vcpu), 0);
	assert_in_force();
	vmm_free(&vmm);
}

/* A vCPU that is set up anew by its VMM, for a reset, runs under the plan again. */
static void test_init_again(void **state)
{
	const struct kvm_vcpu_init init = {.target = 5, .features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2};
	struct vmm vmm;

	(void)state;
	vmm_new(&vmm, &setup);
	for (unsigned int n = 0; n < 3; n++) {
		told.count = 0;
		assert_int_equal(hvc_kvm_run(vmm.cpus[0].vcpu), 0);
		assert_in_force();
		/* The store is done with when KVM_RUN was entered again. */
		vmm.cpus[0].run->immediate_exit = 1;
		assert_int_equal(hvc_kvm_run(vmm.cpus[0].vcpu), EINTR);
		vmm.cpus[0].run->immediate_exit = 0;
		assert_int_equal(hvc_kvm_vcpu_init(vmm.cpus[0].vcpu, &init), 0);
		assert_int_equal(vmm_set(&vmm, 0, UAPI_CORE_PC, VMM_ENTRY), 0);
	}
	vmm_free(&vmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_applied),
		cmocka_unit_test(test_each_ioctl_fails),
		cmocka_unit_test(test_register_read_back),
		cmocka_unit_test(test_no_filter),
		cmocka_unit_test(test_protected),
		cmocka_unit_test(test_vmm_in_between),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_scratch),
		cmocka_unit_test(test_init_again),
	};

	return VMM_TESTS(tests);
}
