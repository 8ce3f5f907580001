// SPDX-License-Identifier: BSD-2-Clause
// The filter: device attributes, order of errors with bad pointers, what a forwarded call looks like in kvm_run.
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "facts.h"

#define BAD 8ULL // no memory there

static int attr(const struct vm *vm, unsigned long request, uint32_t group, uint64_t number,
		uint64_t address)
{
	const struct kvm_device_attr a = {.group = group, .attr = number, .addr = address};

	return ioctl(vm->fd, request, &a);
}

static void attributes(void)
{
	static const uint64_t version[5] = {0x84000000};
	struct vm vm;
	struct filter filter = {.base = 0x84000000, .count = 1, .action = DENY};
	const struct shape none = {.no_init = true};

	vm_new(&vm, &none);
	fact_errno("add_before_vcpu_init", set_filter(&vm, 0x84000000, 1, DENY));
	vm_free(&vm);
	vm_new(&vm, &(struct shape){0});
	fact_errno("has", attr(&vm, KVM_HAS_DEVICE_ATTR, SMCCC_GROUP, SMCCC_FILTER, 0));
	fact_errno("has_other_attr", attr(&vm, KVM_HAS_DEVICE_ATTR, SMCCC_GROUP, 1, 0));
	fact_errno("has_other_group", attr(&vm, KVM_HAS_DEVICE_ATTR, 1, 0, 0));
	fact_errno("set_other_attr",
		   attr(&vm, KVM_SET_DEVICE_ATTR, SMCCC_GROUP, 1, (uintptr_t)&filter));
	fact_errno("set_other_group", attr(&vm, KVM_SET_DEVICE_ATTR, 1, 0, (uintptr_t)&filter));
	fact_errno("get",
		   attr(&vm, KVM_GET_DEVICE_ATTR, SMCCC_GROUP, SMCCC_FILTER, (uintptr_t)&filter));
	fact_errno("fault", attr(&vm, KVM_SET_DEVICE_ATTR, SMCCC_GROUP, SMCCC_FILTER, BAD));
	fact_errno("empty_at_0", set_filter(&vm, 0, 0, DENY));
	fact_errno("empty_at_1", set_filter(&vm, 1, 0, DENY));
	fact_errno("all_but_one", set_filter(&vm, 0, 0xffffffff, DENY));
	fact("version_exit", "%d", call(&vm, 0, HVC(0), version));
	fact_errno("ran_fault", attr(&vm, KVM_SET_DEVICE_ATTR, SMCCC_GROUP, SMCCC_FILTER, BAD));
	fact_errno("ran_action", set_filter(&vm, 0x84000000, 1, (enum filter_action)7));
	fact_errno("ran_reserved", set_filter(&vm, 0x80000000, 1, DENY));
	filter.pad[14] = 1;
	fact_errno("ran_pad",
		   attr(&vm, KVM_SET_DEVICE_ATTR, SMCCC_GROUP, SMCCC_FILTER, (uintptr_t)&filter));
	vm_free(&vm);
}

/// Which bytes of the exit's part of kvm_run a forwarded call writes, and with what.
static void exit_layout(const char *name, uint32_t instruction)
{
	static const uint64_t args[5] = {0xdeadbeef84000000, 11, 12, 13, 14};
	char text[64];
	struct vm vm;
	uint8_t before[256];
	uint64_t words[9];

	vm_new(&vm, &(struct shape){0});
	if (set_filter(&vm, 0x84000000, 1, FORWARD) != 0) {
		vm_free(&vm);
		return;
	}
	uint8_t *said = (uint8_t *)vm.run[0] + EXIT_UNION;
	memset(said, 0xa5, sizeof(before));
	memset(before, 0xa5, sizeof(before));
	snprintf(text, sizeof(text), "%s_exit", name);
	fact(text, "%d", call(&vm, 0, instruction, args));
	size_t last = sizeof(before);
	while (last > 0 && said[last - 1] == before[last - 1]) {
		last--;
	}
	memcpy(words, said, sizeof(words));
	snprintf(text, sizeof(text), "%s_exit_bytes", name);
	fact(text, "%zu", last);
	snprintf(text, sizeof(text), "%s_exit_words", name);
	fact(text, "nr=%llx args=%llx,%llx,%llx,%llx,%llx,%llx ret=%llx flags=%llx",
	     (unsigned long long)words[0], (unsigned long long)words[1],
	     (unsigned long long)words[2], (unsigned long long)words[3],
	     (unsigned long long)words[4], (unsigned long long)words[5],
	     (unsigned long long)words[6], (unsigned long long)words[7],
	     (unsigned long long)words[8]);
	snprintf(text, sizeof(text), "%s_exit_pc", name);
	fact(text, "+%llu", (unsigned long long)(value_of(&vm, 0, CORE_PC) - CODE(0)));
	words[7] = 0x1234; // ret: KVM does not look
	memcpy(said, words, sizeof(words));
	snprintf(text, sizeof(text), "%s_resumed", name);
	int reason = run(&vm, 0);
	fact(text, "%d x0=%llx x1=%llx x4=%llx", reason, (unsigned long long)x(&vm, 0, 0),
	     (unsigned long long)x(&vm, 0, 1), (unsigned long long)x(&vm, 0, 4));
	vm_free(&vm);
}

/// How much kernel memory a maple node takes, where the kernel says.
static void nodes(void)
{
	char line[512];
	FILE *info = fopen("/proc/slabinfo", "r");

	while (info != NULL && fgets(line, sizeof(line), info) != NULL) {
		char *end = line + strlen("maple_node ");
		if (strncmp(line, "maple_node ", strlen("maple_node ")) == 0) {
			strtoul(end, &end, 10); // how many are in use, how many there are
			strtoul(end, &end, 10);
			fact("maple_node_bytes", "%lu", strtoul(end, &end, 10));
		}
	}
	if (info != NULL) {
		fclose(info);
	}
}

void facts_filter(void)
{
	context = "filter.";
	attributes();
	exit_layout("hvc", HVC(0));
	exit_layout("smc", SMC(0));
	exit_layout("hvc_imm_1", HVC(1));
	nodes();
}
