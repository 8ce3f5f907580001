// SPDX-License-Identifier: BSD-2-Clause
// Protected guests, where the kernel makes them (kvm-arm.mode=protected): what EL2 answers, and whether a filter can be
// had. Such a guest's registers may be hidden from the host, so it stores them where there is no memory.
#include <string.h>

#include "facts.h"

#define STORE_X(n) (0xf90002a0U | (uint32_t)(n)) // str xn, [x21]
#define RESULTS    4

static bool cleared; // VENDOR_HYP_BMAP is 0

static void one(const char *name, uint64_t id, uint64_t x1)
{
	const uint64_t args[5] = {id, x1, 0, 0, 0};
	uint64_t seen[RESULTS] = {0};
	struct vm vm;

	vm_new(&vm, &(struct shape){.type = VM_PROTECTED});
	must(cleared ? set_value(&vm, 0, BMAP_REG(2), 0) : 0, "clear VENDOR_HYP_BMAP");
	put(&vm, 0, 0, HVC(0));
	for (unsigned int n = 0; n < RESULTS; n++) {
		put(&vm, 0, 1 + n, STORE_X(n));
	}
	__builtin___clear_cache((char *)vm.ram, (char *)vm.ram + RAM_SIZE);
	for (unsigned int n = 0; n < 5; n++) {
		must(set_value(&vm, 0, CORE_X(n), args[n]), "set x0 to x4");
	}
	int reason = start(&vm, 0);
	for (unsigned int n = 0; reason == KVM_EXIT_MMIO; n++) {
		memcpy(&seen[n], vm.run[0]->mmio.data, sizeof(seen[n]));
		if (n == RESULTS - 1) {
			break;
		}
		reason = run(&vm, 0);
	}
	fact(name, "%d x0=%lld x1=%llx x2=%llx x3=%llx", reason, (long long)seen[0],
	     (unsigned long long)seen[1], (unsigned long long)seen[2], (unsigned long long)seen[3]);
	vm_free(&vm);
}

static void settings(void)
{
	struct vm vm;

	vm_new(&vm, &(struct shape){.type = VM_PROTECTED});
	fact_errno("filter", set_filter(&vm, 0x84000000, 1, DENY));
	fact_errno("set_std", set_value(&vm, 0, BMAP_REG(0), 0));
	fact_errno("set_vendor", set_value(&vm, 0, BMAP_REG(2), 0));
	fact_errno("set_psci_version", set_value(&vm, 0, FW_REG(0), 0x10000));
	fact("get_vendor", "%llu", (unsigned long long)value_of(&vm, 0, BMAP_REG(2)));
	vm_free(&vm);
}

void facts_protected(void)
{
	struct vm vm;

	context = "protected.";
	bool there = vm_try(&vm, &(struct shape){.type = VM_PROTECTED});
	fact_errno("vm", there ? 0 : -1);
	if (!there) {
		return;
	}
	vm_free(&vm);
	settings();
	one("psci_version", 0x84000000, 0);
	one("smccc_version", 0x80000000, 0);
	one("kvm_features", 0x86000000, 0);
	one("kvm_uid", 0x8600ff01, 0);
	one("meminfo", 0xc6000002, 0);
	one("meminfo_argument", 0xc6000002, 1);
	one("share", 0xc6000003, RAM + 0x10000);
	one("share_unaligned", 0xc6000003, RAM + 0x10001);
	one("unshare", 0xc6000004, RAM + 0x10000);
	one("mmio_guard", 0xc6000007, NOWHERE);
	one("trng_version", 0x84000050, 0);
	one("unknown", 0x83000000, 0);
	cleared = true;
	one("kvm_features_cleared", 0x86000000, 0);
	one("kvm_uid_cleared", 0x8600ff01, 0);
}
