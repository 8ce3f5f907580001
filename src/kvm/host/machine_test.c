/* SPDX-License-Identifier: BSD-2-Clause */
#define _XOPEN_SOURCE 700
#define _ISOC11_SOURCE
#include "machine_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan_make.h"
#include "policy_test.h"

/* --- The kernel: unsorted, as KVM's list is. */
struct kernel_reg kernel[KERNEL] = {
	{UAPI_CORE_X(0), 7, false, false}, {UAPI_FW(0), 0x10001, false, false},
	{UAPI_FW(1), 2, false, false},     {UAPI_BITMAP(0), 1, false, false},
	{PMMIR, 5, false, false},          {MMFR2, 0x1011, true, true},
	{DEMUX, 0x77, true, false},
};

static int one_reg(unsigned long request, const struct kvm_one_reg *reg)
{
	const size_t size = (size_t)1 << (reg->id >> 52 & 15);
	void *user = (void *)(uintptr_t)reg->addr;

	for (size_t i = 0; i < KERNEL; i++) {
		uint64_t value = 0;

		if (kernel[i].id != reg->id) {
			continue;
		}
		if (request == KVM_GET_ONE_REG) {
			memcpy(user, &kernel[i].value, size);
			return 0;
		}
		memcpy(&value, user, size);
		if (kernel[i].fixed && (kernel[i].stubborn || value != kernel[i].value)) {
			return EINVAL;
		}
		kernel[i].value = value;
		return 0;
	}
	return ENOENT;
}

static int list_regs(struct kvm_reg_list *list)
{
	const uint64_t room = list->n;

	list->n = KERNEL;
	for (size_t i = 0; i < KERNEL && room >= KERNEL; i++) {
		list->reg[i] = kernel[i].id;
	}
	return room < KERNEL ? E2BIG : 0;
}

int sys(const struct hvc_kvm *kvm, int fd, unsigned long request, void *argument)
{
	(void)kvm;
	assert_int_equal(fd, 42);
	return request == KVM_GET_REG_LIST ? list_regs(argument) : one_reg(request, argument);
}

char last_why[256];

int because(int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last_why, sizeof(last_why), format, args);
	va_end(args);
	return error;
}

/* --- Engines. */
unsigned int drained;
struct hvc_vcpu *pending_vcpu;

int call_drain(struct hvc_kvm_vm *vm, int timeout_ms)
{
	(void)vm;
	(void)timeout_ms;
	if (++drained == 3 && pending_vcpu != NULL) {
		struct hvc_frame frame = {{0}};

		assert_int_equal(hvc_forward_cancel(pending_vcpu, &frame), HVC_OK);
	}
	return 0;
}

unsigned int settled;

void call_settle(struct hvc_kvm_vcpu *vcpu)
{
	settled += atomic_exchange(&vcpu->left, false);
}

uint64_t forward_now(void)
{
	return drained;
}

uint64_t forward_deadline(const struct hvc_kvm_vm *vm)
{
	(void)vm;
	return 10;
}

static bool starts(void *host, uint32_t vcpu)
{
	(void)host;
	(void)vcpu;
	return true;
}

int engine_make(struct hvc_kvm_vm *vm, struct hvc_vm **engine, struct hvc_vcpu **vcpus,
		void **memory)
{
	static const struct hvc_platform platform = {.size = sizeof(platform), .cpu_start = starts};
	const size_t one = (hvc_vcpu_size() + 63) / 64 * 64, all = (hvc_vm_size() + 63) / 64 * 64;
	uint8_t *piece = aligned_alloc(64, all + vm->vcpu_count * one + 64);
	struct hvc_vcpu **array = (struct hvc_vcpu **)(piece + all + vm->vcpu_count * one);
	const struct hvc_vm_config config = {
		.size = sizeof(config),
		.vcpu_count = vm->vcpu_count,
		.image = vm->kvm->plan.image,
		.platform = &platform,
		.flags = HVC_VM_FORWARD,
	};

	*engine = (struct hvc_vm *)piece;
	*memory = piece;
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		vcpus[i] = array[i] = (struct hvc_vcpu *)(piece + all + i * one);
	}
	assert_int_equal(hvc_vm_init(*engine, &config, array), HVC_OK);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		assert_int_equal(hvc_vcpu_setup(vcpus[i], vm->vcpus[i]->mpidr, NULL), HVC_OK);
	}
	return 0;
}

void engine_take(struct hvc_kvm_vm *vm, struct hvc_vm *engine, struct hvc_vcpu *const *vcpus,
		 void *memory)
{
	free(vm->memory);
	vm->memory = memory;
	vm->engine = engine;
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		vm->vcpus[i]->engine = vcpus[i];
	}
}

void power_tell_all(struct hvc_kvm_vm *vm)
{
	(void)vm;
}

void work_settle(struct hvc_kvm_vcpu *vcpu)
{
	(void)vcpu;
}

/* KVM's, of its number. */
int sys_get(const struct hvc_kvm_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	assert_int_equal(id, UAPI_MPIDR_EL1);
	*value = 0x80000000u | vcpu->id;
	return 0;
}

/* --- A VM of two vCPUs. */
void machine_make(struct machine *machine, const char *policy_text)
{
	struct hvc_policy *policy = test_policy_warned(policy_text);
	struct hvc_plan_host host;
	char why[300] = "";
	size_t size;

	memset(machine, 0, sizeof(*machine));
	assert_true(hvc_plan_host_find(&host, "linux-6.12", why, sizeof(why)));
	if (plan_bytes_make(policy, &host, NULL, &machine->bytes, &size, why, sizeof(why)) !=
		    HVC_OK ||
	    plan_bytes_check(machine->bytes, size, &machine->kvm.plan, NULL) != HVC_OK) {
		fail_msg("%s", why);
	}
	hvc_policy_free(policy);
	machine->vm.kvm = &machine->kvm;
	pthread_mutex_init(&machine->vm.lock, NULL);
	for (uint32_t i = 0; i < 2; i++) {
		struct hvc_kvm_vcpu *vcpu = &machine->vcpus[i];

		*vcpu = (struct hvc_kvm_vcpu){
			.vm = &machine->vm, .id = 1 - i, .index = i, .fd = 42, .initialised = true};
		vcpu->init.features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2;
		machine->vm.vcpus[i] = vcpu;
	}
	machine->vm.vcpu_count = 2;
	drained = 0;
	pending_vcpu = NULL;
	last_why[0] = '\0';
}

void machine_unmake(struct machine *machine)
{
	free(machine->vm.memory);
	free(machine->bytes);
	pthread_mutex_destroy(&machine->vm.lock);
}

uint64_t reg_get(struct hvc_kvm_vcpu *vcpu, uint64_t id)
{
	uint64_t value = 0;

	assert_int_equal(hvc_kvm_get_reg(vcpu, id, &value), 0);
	return value;
}

int reg_set(struct hvc_kvm_vcpu *vcpu, uint64_t id, uint64_t value)
{
	return hvc_kvm_set_reg(vcpu, id, &value);
}

size_t reg_list(struct hvc_kvm_vcpu *vcpu, uint64_t ids[300])
{
	struct kvm_reg_list *regs = calloc(1, sizeof(*regs) + 300 * sizeof(uint64_t));
	size_t count;

	assert_int_equal(hvc_kvm_list_regs(vcpu, regs), E2BIG);
	count = (size_t)regs->n;
	assert_true(count <= 300);
	/* One too few is too few, and nothing is written but the number. */
	regs->n = count - 1;
	regs->reg[0] = 99;
	assert_int_equal(hvc_kvm_list_regs(vcpu, regs), E2BIG);
	assert_int_equal(regs->n, count);
	assert_int_equal(regs->reg[0], 99);
	assert_int_equal(hvc_kvm_list_regs(vcpu, regs), 0);
	assert_int_equal(regs->n, count);
	memcpy(ids, regs->reg, count * sizeof(ids[0]));
	for (size_t i = 1; i < count; i++) {
		assert_true(ids[i - 1] < ids[i]);
	}
	free(regs);
	return count;
}
