// SPDX-License-Identifier: BSD-2-Clause
// PSCI: states of vCPUs and what events leave behind.
#include <string.h>
#include <sys/ioctl.h>

#include "facts.h"

#define SCTLR    SYS_REG(3ULL, 0ULL, 1ULL, 0ULL, 0ULL)
#define SCTLR_EE (1ULL << 25)

static void event(const char *name, const struct vm *vm, int reason)
{
	char text[64];

	snprintf(text, sizeof(text), "%s_exit", name);
	if (reason == KVM_EXIT_SYSTEM_EVENT) {
		fact(text, "type=%u ndata=%u data0=%llu x0=%lld x1=%llx x2=%llx x3=%llx",
		     vm->run[0]->system_event.type, vm->run[0]->system_event.ndata,
		     (unsigned long long)vm->run[0]->system_event.data[0], (long long)x(vm, 0, 0),
		     (unsigned long long)x(vm, 0, 1), (unsigned long long)x(vm, 0, 2),
		     (unsigned long long)x(vm, 0, 3));
	} else {
		fact(text, "none x0=%lld", (long long)x(vm, 0, 0));
	}
	snprintf(text, sizeof(text), "%s_states", name);
	fact(text, "%u %u", mp_state(vm, 0), mp_state(vm, 1));
}

static void system_off(const char *name, uint64_t id, uint64_t type)
{
	const uint64_t args[5] = {id, type, 0, 0x33, 0x44};
	struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
	char text[64];
	struct vm vm;

	vm_new(&vm, &(struct shape){.cpus = 2, .cpu1_on = true});
	memset((uint8_t *)vm.run[0] + EXIT_UNION, 0, 256);
	int reason = call(&vm, 0, HVC(0), args);
	event(name, &vm, reason);
	if (reason != KVM_EXIT_SYSTEM_EVENT) { // this kernel has no such function
		vm_free(&vm);
		return;
	}
	snprintf(text, sizeof(text), "%s_run_while_stopped", name);
	fact(text, "%s", run_until_blocked(&vm, 0) == -EINTR ? "EINTR" : "returned");
	must(ioctl(vm.vcpu[0], KVM_SET_MP_STATE, &runnable), "KVM_SET_MP_STATE");
	snprintf(text, sizeof(text), "%s_run_again", name);
	reason = run(&vm, 0);
	fact(text, "%d x0=%lld", reason, (long long)x(&vm, 0, 0));
	vm_free(&vm);
}

/// What CPU_ON leaves in its target, which has not run.
static void cpu_on(void)
{
	const uint64_t args[5] = {0xc4000003, 1, 0xfeedf00d, 0xdeadc0de, 0};
	struct vm vm;

	vm_new(&vm, &(struct shape){.cpus = 2});
	fact("cpu_on_before", "%u", mp_state(&vm, 1));
	uint64_t sctlr = value_of(&vm, 0, SCTLR);
	must(set_value(&vm, 0, SCTLR, sctlr | SCTLR_EE), "set SCTLR_EL1");
	int reason = call(&vm, 0, HVC(0), args);
	fact("cpu_on_exit", "%d x0=%lld", reason, (long long)x(&vm, 0, 0));
	fact("cpu_on_after", "%u", mp_state(&vm, 1));
	fact("cpu_on_target", "pc=%llx x0=%llx EE=%d",
	     (unsigned long long)value_of(&vm, 1, CORE_PC), (unsigned long long)x(&vm, 1, 0),
	     (value_of(&vm, 1, SCTLR) & SCTLR_EE) != 0);
	vm_free(&vm);
}

/// CPU_OFF, and then what a VMM makes runnable again without a reset.
static void cpu_off(void)
{
	const uint64_t args[5] = {0x84000002, 0x11, 0x22, 0x33, 0x44};
	struct kvm_mp_state runnable = {.mp_state = KVM_MP_STATE_RUNNABLE};
	struct vm vm;

	vm_new(&vm, &(struct shape){.cpus = 2, .cpu1_on = true});
	int reason = call_until_blocked(&vm, 0, HVC(0), args);
	fact("cpu_off", "%d x0=%lld x1=%llx state=%u", reason, (long long)x(&vm, 0, 0),
	     (unsigned long long)x(&vm, 0, 1), mp_state(&vm, 0));
	must(ioctl(vm.vcpu[0], KVM_SET_MP_STATE, &runnable), "KVM_SET_MP_STATE");
	reason = run(&vm, 0);
	fact("cpu_off_run_again", "%d x0=%lld", reason, (long long)x(&vm, 0, 0));
	vm_free(&vm);
}

static void suspend(void)
{
	const uint64_t args[5] = {0xc400000e, 0x4000f000, 0xdead, 0x33, 0x44};
	struct kvm_enable_cap cap = {.cap = KVM_CAP_ARM_SYSTEM_SUSPEND};
	struct kvm_mp_state suspended = {.mp_state = KVM_MP_STATE_SUSPENDED};
	struct kvm_irq_level irq = {.irq = 0, .level = 1};
	struct vm vm;

	vm_new(&vm, &(struct shape){.cpus = 2, .cpu1_on = true});
	fact_errno("suspend_enable", ioctl(vm.fd, KVM_ENABLE_CAP, &cap));
	if (ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_SYSTEM_SUSPEND) > 0) {
		memset((uint8_t *)vm.run[0] + EXIT_UNION, 0, 256);
		event("suspend", &vm, call(&vm, 0, HVC(0), args));
		must(ioctl(vm.vcpu[0], KVM_SET_MP_STATE, &suspended), "KVM_SET_MP_STATE");
		fact("suspend_run", "%s",
		     run_until_blocked(&vm, 0) == -EINTR ? "EINTR" : "returned");
		must(ioctl(vm.fd, KVM_IRQ_LINE, &irq), "KVM_IRQ_LINE");
		int reason = run(&vm, 0);
		fact("suspend_wakeup", "%d type=%u", reason, vm.run[0]->system_event.type);
		fact("suspend_wakeup_state", "%u", mp_state(&vm, 0));
	}
	vm_free(&vm);
}

/// CPU_SUSPEND: its answer is written after the wake-up.
static void cpu_suspend(void)
{
	const uint64_t args[5] = {0xc4000001, 0x10000, 0x4000f000, 0x33, 0x44};
	struct kvm_irq_level irq = {.irq = 0, .level = 1};
	struct vm vm;

	vm_new(&vm, &(struct shape){0});
	int reason = call_until_blocked(&vm, 0, HVC(0), args);
	fact("cpu_suspend_blocked", "%d x0=%llx x1=%llx", reason, (unsigned long long)x(&vm, 0, 0),
	     (unsigned long long)x(&vm, 0, 1));
	must(ioctl(vm.fd, KVM_IRQ_LINE, &irq), "KVM_IRQ_LINE");
	reason = run(&vm, 0);
	fact("cpu_suspend_woken", "%d x0=%llx x1=%llx", reason, (unsigned long long)x(&vm, 0, 0),
	     (unsigned long long)x(&vm, 0, 1));
	vm_free(&vm);
}

void facts_power(void)
{
	context = "psci.";
	cpu_on();
	cpu_off();
	system_off("off", 0x84000008, 0x11);
	system_off("reset", 0x84000009, 0x11);
	system_off("reset2", 0xc4000012, 0);
	system_off("off2", 0xc4000015, 1);
	suspend();
	cpu_suspend();
}
