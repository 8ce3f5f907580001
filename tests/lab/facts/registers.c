// SPDX-License-Identifier: BSD-2-Clause
// Feature registers: errors a scenario cannot provoke, the list, and what "has run" means.
#include <stdlib.h>
#include <sys/ioctl.h>

#include "facts.h"

#define BAD ((void *)8) // no memory there

static void before_init(void)
{
	struct vm vm;
	uint64_t value = 0;
	struct kvm_reg_list list = {.n = 0};

	vm_new(&vm, &(struct shape){.no_init = true});
	fact_errno("get_before_init", get_reg(&vm, 0, FW_REG(0), &value));
	fact_errno("set_before_init", set_reg(&vm, 0, FW_REG(0), &value));
	fact_errno("list_before_init", ioctl(vm.vcpu[0], KVM_GET_REG_LIST, &list));
	fact_errno("run_before_init", ioctl(vm.vcpu[0], KVM_RUN, 0));
	vm_free(&vm);
}

static void bad_arguments(void)
{
	struct vm vm;
	uint64_t value[32] = {0};

	vm_new(&vm, &(struct shape){0});
	fact_errno("get_not_arm64", get_reg(&vm, 0, 0x2030000000140000ULL, value));
	fact_errno("set_not_arm64", set_reg(&vm, 0, 0x2030000000140000ULL, value));
	fact_errno("get_fault", get_reg(&vm, 0, FW_REG(0), BAD));
	fact_errno("set_fault", set_reg(&vm, 0, FW_REG(0), BAD));
	fact_errno("get_unknown_fault", get_reg(&vm, 0, FW_REG(0x40), BAD));
	fact_errno("set_unknown_fault", set_reg(&vm, 0, FW_REG(0x40), BAD));
	fact_errno("set_size_32_fault", set_reg(&vm, 0, 0x6020000000140000ULL, BAD));
	fact_errno("get_size_8", get_reg(&vm, 0, 0x6000000000140000ULL, value));
	fact_errno("set_size_8", set_reg(&vm, 0, 0x6000000000140000ULL, value));
	fact_errno("set_size_2048", set_reg(&vm, 0, 0x6080000000140000ULL, value));
	fact_errno("set_size_2048_bitmap", set_reg(&vm, 0, 0x6080000000160000ULL, value));
	fact_errno("set_size_128", set_reg(&vm, 0, 0x6040000000140000ULL, value));
	vm_free(&vm);
}

static void list(void)
{
	struct vm vm;
	struct kvm_reg_list none = {.n = 0};

	vm_new(&vm, &(struct shape){0});
	fact_errno("list_of_0", ioctl(vm.vcpu[0], KVM_GET_REG_LIST, &none));
	struct kvm_reg_list *all = calloc(1, sizeof(*all) + none.n * sizeof(all->reg[0]));
	if (all == NULL) {
		vm_free(&vm);
		return;
	}
	all->n = none.n - 1;
	fact_errno("list_of_too_few", ioctl(vm.vcpu[0], KVM_GET_REG_LIST, all));
	fact("list_tells_needed", "%s", all->n == none.n ? "yes" : "no");
	fact_errno("list_fault", ioctl(vm.vcpu[0], KVM_GET_REG_LIST, BAD));
	must(ioctl(vm.vcpu[0], KVM_GET_REG_LIST, all), "KVM_GET_REG_LIST");
	printf("%slist_order", context);
	for (uint64_t i = 0; i < all->n; i++) {
		if ((all->reg[i] >> 16 & 0xfff) == 0x14 || (all->reg[i] >> 16 & 0xfff) == 0x16) {
			printf(" %llx", (unsigned long long)all->reg[i] & 0xffffff);
		}
	}
	printf("\n");
	int refused = 0;
	for (uint64_t i = 0; i < all->n; i++) { // a restored VM gets back what it had
		uint64_t value = 0;
		if ((all->reg[i] >> 16 & 0xfff) == 0x14 || (all->reg[i] >> 16 & 0xfff) == 0x16) {
			refused += get_reg(&vm, 0, all->reg[i], &value) != 0 ||
				   set_reg(&vm, 0, all->reg[i], &value) != 0;
		}
	}
	fact("list_refused_own_values", "%d", refused);
	free(all);
	vm_free(&vm);
}

/// Where the CPU has SVE, which the lab's has not by default.
static void list_before_sve_is_final(void)
{
	struct kvm_reg_list none = {.n = 0};
	struct vm vm;

	if (ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_SVE) > 0) {
		vm_new(&vm, &(struct shape){.features = FEATURE(KVM_ARM_VCPU_SVE)});
		fact_errno("list_before_sve_is_final", ioctl(vm.vcpu[0], KVM_GET_REG_LIST, &none));
		vm_free(&vm);
	}
}

/// What closes the bitmaps: a run of any vCPU, one that does not enter the guest, one that fails.
static void has_run(void)
{
	static const uint64_t version[5] = {0x80000000};
	struct vm vm;

	vm_new(&vm, &(struct shape){.cpus = 2, .cpu1_on = true});
	fact("other_vcpu_exit", "%d", call(&vm, 1, HVC(0), version));
	fact_errno("set_after_other_vcpu_ran", set_value(&vm, 0, BMAP_REG(0), 0));
	fact_errno("filter_after_other_vcpu_ran", set_filter(&vm, 0x84000000, 1, DENY));
	vm_free(&vm);

	vm_new(&vm, &(struct shape){0});
	vm.run[0]->immediate_exit = 1;
	fact_errno("run_immediate_exit", ioctl(vm.vcpu[0], KVM_RUN, 0));
	fact_errno("set_after_immediate_exit", set_value(&vm, 0, BMAP_REG(0), 0));
	vm_free(&vm);

	vm_new(&vm, &(struct shape){.no_init = true});
	struct kvm_vcpu_init init;
	must(ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, &init), "KVM_ARM_PREFERRED_TARGET");
	init.features[0] = FEATURE(KVM_ARM_VCPU_PSCI_0_2);
	ioctl(vm.vcpu[0], KVM_RUN, 0);
	must(ioctl(vm.vcpu[0], KVM_ARM_VCPU_INIT, &init), "KVM_ARM_VCPU_INIT");
	fact_errno("set_after_failed_run", set_value(&vm, 0, BMAP_REG(0), 0));
	vm_free(&vm);

	vm_new(&vm, &(struct shape){0});
	call(&vm, 0, HVC(0), version);
	must(ioctl(vm.vcpu[0], KVM_ARM_VCPU_INIT, &init), "KVM_ARM_VCPU_INIT");
	fact_errno("set_after_init_again", set_value(&vm, 0, BMAP_REG(0), 0));
	vm_free(&vm);
}

/// WORKAROUND_2 with and without SSBS in what the guest sees (ID_AA64PFR1_EL1, bits 7:4).
static void workaround_2(void)
{
	const uint64_t pfr1 = SYS_REG(3ULL, 0ULL, 0ULL, 4ULL, 1ULL);
	static const uint64_t features[5] = {0x80000001, 0x80007fff};
	struct vm vm;

	vm_new(&vm, &(struct shape){0});
	uint64_t value = value_of(&vm, 0, pfr1);
	fact("wa2_ssbs", "%llu", (unsigned long long)(value >> 4 & 0xf));
	fact("wa2", "%llu", (unsigned long long)value_of(&vm, 0, FW_REG(2)));
	fact_errno("wa2_clear_ssbs", set_value(&vm, 0, pfr1, value & ~0xf0ULL));
	fact("wa2_without_ssbs", "%llu", (unsigned long long)value_of(&vm, 0, FW_REG(2)));
	call(&vm, 0, HVC(0), features);
	fact("wa2_features_without_ssbs", "%lld", (long long)x(&vm, 0, 0));
	vm_free(&vm);
}

static void capabilities(void)
{
	struct vm vm;

	vm_new(&vm, &(struct shape){0});
	fact("cap_psci", "%d", ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PSCI));
	fact("cap_psci_0_2", "%d", ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PSCI_0_2));
	fact("cap_system_suspend", "%d",
	     ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_SYSTEM_SUSPEND));
	fact("cap_vm_attributes", "%d", ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_VM_ATTRIBUTES));
	vm_free(&vm);
}

void facts_registers(void)
{
	context = "reg.";
	before_init();
	bad_arguments();
	list();
	list_before_sve_is_final();
	has_run();
	workaround_2();
	capabilities();
}
