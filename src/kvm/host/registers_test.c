/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers as a plan shows them, over a kernel of a few registers; and the engine's state on its way in registers. */
#define _XOPEN_SOURCE 700
#define _ISOC11_SOURCE
#include "policy_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "plan_make.h"

#define PMMIR 0x603000000013c4f6ull
#define TCR2  0x603000000013c103ull
#define MMFR2 0x603000000013c03aull
#define DEMUX 0x6020000000110003ull /* 32 bits */

/* --- The kernel: unsorted, as KVM's list is. */
static struct {
	uint64_t id, value;
	bool fixed; /* another value is EINVAL; the same one too, if `stubborn` */
	bool stubborn;
} kernel[] = {
	{UAPI_CORE_X(0), 7, false, false}, {UAPI_FW(0), 0x10001, false, false},
	{UAPI_FW(1), 2, false, false},     {UAPI_BITMAP(0), 1, false, false},
	{PMMIR, 5, false, false},          {MMFR2, 0x1011, true, true},
	{DEMUX, 0x77, true, false},
};
#define KERNEL          COUNT_OF(kernel)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

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

static char last_why[256];

int because(int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last_why, sizeof(last_why), format, args);
	va_end(args);
	return error;
}

/* --- Engines. */
static unsigned int drained;
static struct hvc_vcpu *pending_vcpu; /* whose call gets its answer by the third call_drain() */

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

static unsigned int settled;

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

/* --- A VM of two vCPUs, made in the other order of their IDs. */
struct machine {
	struct hvc_kvm kvm;
	struct hvc_kvm_vm vm;
	struct hvc_kvm_vcpu vcpus[2];
	void *bytes;
};

static void make(struct machine *machine, const char *text)
{
	struct hvc_policy *policy = test_policy_warned(text);
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

static void unmake(struct machine *machine)
{
	free(machine->vm.memory);
	free(machine->bytes);
	pthread_mutex_destroy(&machine->vm.lock);
}

/* What core does before the first run. */
static int first_run(struct machine *machine)
{
	struct hvc_kvm_vm *vm = &machine->vm;
	struct hvc_vcpu *vcpus[2] = {NULL, NULL};
	int error;

	for (unsigned int i = 0; i < 2; i++) {
		machine->vcpus[i].mpidr = machine->vcpus[i].id;
	}
	assert_int_equal(engine_make(vm, &vm->engine, vcpus, &vm->memory), 0);
	for (unsigned int i = 0; i < 2; i++) {
		machine->vcpus[i].engine = vcpus[i];
	}
	error = travel_restore(vm);
	if (error == 0) {
		hvc_vm_freeze(vm->engine);
	}
	return error;
}

#define KERNEL_ONLY "hvcgate: 1\nprofile: linux-6.12\nstrictness: kvm\ndiscovery: raw\n"
#define FORWARDS                                                                  \
	KERNEL_ONLY "rules: [{forward: {range: 0xc2000000-0xc20000ff}, to: h}]\n" \
		    "handlers: {h: {socket: /run/h.sock, timeout: 1ms}}\n"

/* --- Views. */
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

	make(machine, KERNEL_ONLY);
	header = *machine->kvm.plan.header;
	header.views.count = COUNT_OF(views);
	machine->kvm.plan.header = &header;
	machine->kvm.plan.views = views;
}

static uint64_t get(struct hvc_kvm_vcpu *vcpu, uint64_t id)
{
	uint64_t value = 0;

	assert_int_equal(hvc_kvm_get_reg(vcpu, id, &value), 0);
	return value;
}

static int set(struct hvc_kvm_vcpu *vcpu, uint64_t id, uint64_t value)
{
	return hvc_kvm_set_reg(vcpu, id, &value);
}

static size_t list(struct hvc_kvm_vcpu *vcpu, uint64_t ids[300])
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

static bool listed(struct hvc_kvm_vcpu *vcpu, uint64_t id)
{
	uint64_t ids[300];
	const size_t count = list(vcpu, ids);

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
	make(&machine, KERNEL_ONLY);
	assert_int_equal(list(&machine.vcpus[0], ids), KERNEL);
	assert_int_equal(get(&machine.vcpus[0], UAPI_CORE_X(0)), 7);
	assert_int_equal(set(&machine.vcpus[0], UAPI_CORE_X(0), 8), 0);
	assert_int_equal(get(&machine.vcpus[0], UAPI_CORE_X(0)), 8);
	assert_int_equal(hvc_kvm_get_reg(&machine.vcpus[0], DEMUX, &half), 0);
	assert_int_equal(half, 0x77);
	assert_int_equal(hvc_kvm_get_reg(&machine.vcpus[0], TCR2, ids), ENOENT);
	/* Nothing travels under this policy. */
	assert_int_equal(hvc_kvm_get_reg(&machine.vcpus[0], UAPI_TRAVEL_BASE, ids), ENOENT);
	assert_int_equal(set(&machine.vcpus[0], UAPI_TRAVEL_BASE + 4, 0), ENOENT);
	unmake(&machine);
}

static void chosen(void **state)
{
	struct machine machine;
	struct hvc_kvm_vcpu *vcpu = &machine.vcpus[0];

	(void)state;
	make(&machine, KERNEL_ONLY);
	/* The policy's: the same value, and no other. */
	assert_int_equal(set(vcpu, UAPI_FW(0), 0x10001), 0);
	assert_int_equal(set(vcpu, UAPI_FW(0), 0x10000), EINVAL);
	assert_string_equal(
		last_why, "PSCI_VERSION (0x6030000000140000): the policy has 0x10001, not 0x10000");
	assert_int_equal(set(vcpu, UAPI_BITMAP(0), 1), 0);
	assert_int_equal(set(vcpu, UAPI_BITMAP(0), 0), EINVAL);
	assert_int_equal(get(vcpu, UAPI_BITMAP(0)), 1);
	/* Workarounds assert: the kernel judges. */
	assert_int_equal(set(vcpu, UAPI_FW(1), 1), 0);
	kernel[2].value = 2;
	/* What the kernel does not want to have written, though it has it, is not written; another value is refused. */
	assert_int_equal(set(vcpu, MMFR2, 0x1011), 0);
	assert_int_equal(set(vcpu, MMFR2, 0x1012), EINVAL);
	unmake(&machine);
}

static void viewed(void **state)
{
	struct machine machine;
	struct hvc_kvm_vcpu *vcpu = &machine.vcpus[0];
	uint64_t value = 0;

	(void)state;
	with_views(&machine);
	/* Held: what the guest finds is read, and nothing else is taken; the kernel keeps its own. */
	assert_int_equal(get(vcpu, UAPI_FW(0)), 0x10003);
	assert_int_equal(set(vcpu, UAPI_FW(0), 0x10003), 0);
	assert_int_equal(set(vcpu, UAPI_FW(0), 0x10001), EINVAL);
	assert_non_null(strstr(last_why, "the policy has 0x10003, not 0x10001"));
	assert_int_equal(kernel[1].value, 0x10001);
	assert_true(listed(vcpu, UAPI_FW(0)));
	/* A phantom takes what means nothing. */
	assert_true(listed(vcpu, UAPI_BITMAP(3)));
	assert_int_equal(get(vcpu, UAPI_BITMAP(3)), 0);
	assert_int_equal(set(vcpu, UAPI_BITMAP(3), 0), 0);
	assert_int_equal(set(vcpu, UAPI_BITMAP(3), 1), EINVAL);
	assert_non_null(strstr(last_why, "only 0x0 means nothing, not 0x1"));
	/* Hidden: it is not there. */
	assert_false(listed(vcpu, PMMIR));
	assert_int_equal(hvc_kvm_get_reg(vcpu, PMMIR, &value), ENOENT);
	assert_int_equal(set(vcpu, PMMIR, 5), ENOENT);
	/* Of another size it is another register, as the kernel says. */
	assert_int_equal(hvc_kvm_get_reg(vcpu, UAPI_BITMAP(3) - (1ull << 52), &value), ENOENT);
	unmake(&machine);
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
	assert_int_equal(get(vcpu, TCR2), 0);
	/* A scratch vCPU without PSCI 0.2 has the kernel's register. */
	vcpu->init.features[0] = 0;
	assert_int_equal(get(vcpu, UAPI_FW(0)), 0x10001);
	/* Before KVM_ARM_VCPU_INIT nothing is ours. */
	vcpu->initialised = false;
	assert_int_equal(hvc_kvm_get_reg(vcpu, UAPI_BITMAP(3), &value), ENOENT);
	unmake(&machine);
}

/* --- What travels. */
static void copy_all(struct machine *from, uint64_t values[2][UAPI_TRAVEL_COUNT])
{
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int n = 0; n < UAPI_TRAVEL_COUNT; n++) {
			values[i][n] = get(&from->vcpus[i], UAPI_TRAVEL_BASE + n);
		}
	}
}

/* The first error, as a VMM that goes on would see it. */
static int paste_all(struct machine *to, uint64_t values[2][UAPI_TRAVEL_COUNT])
{
	int first = 0;

	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int n = 0; n < UAPI_TRAVEL_COUNT; n++) {
			const int error = set(&to->vcpus[i], UAPI_TRAVEL_BASE + n, values[i][n]);

			first = first != 0 ? first : error;
		}
	}
	return first;
}

/* Something to know a state by: CPU_OFF of the second vCPU. */
static void turn_off(struct machine *machine, unsigned int i)
{
	struct hvc_frame frame = {{0x84000002}};

	assert_int_equal(hvc_call(machine->vcpus[i].engine, HVC_CONDUIT_HVC, 0, &frame),
			 HVC_CPU_OFF);
}

static void there_and_back(void **state)
{
	uint64_t values[2][UAPI_TRAVEL_COUNT], again[2][UAPI_TRAVEL_COUNT];
	struct machine from, to;
	uint64_t ids[300];

	(void)state;
	make(&from, FORWARDS);
	assert_int_equal(list(&from.vcpus[0], ids), KERNEL + UAPI_TRAVEL_COUNT);
	/* Before the first run there is no state, and writing that back is nothing. */
	copy_all(&from, values);
	assert_memory_equal(values[0], from.kvm.plan.header->policy_sha256, 32);
	assert_int_equal(values[1][UAPI_TRAVEL_DIGEST], 0); /* of ID 0: how many bytes */
	assert_int_equal(paste_all(&from, values), 0);
	assert_int_equal(first_run(&from), 0);
	turn_off(&from, 0);
	copy_all(&from, values);
	assert_in_range(values[1][UAPI_TRAVEL_DIGEST], 100, 2040);
	/* Written back as it was read: nothing arrives. */
	assert_int_equal(paste_all(&from, values), 0);
	assert_int_equal(travel_forget(&from.vm), 0);

	make(&to, FORWARDS);
	assert_int_equal(paste_all(&to, values), 0);
	assert_int_equal(paste_all(&to, values), 0);
	assert_int_equal(first_run(&to), 0);
	assert_int_equal(hvc_vcpu_power(to.vcpus[0].engine), hvc_vcpu_power(from.vcpus[0].engine));
	copy_all(&to, again);
	assert_memory_equal(values, again, sizeof(values));
	unmake(&from);
	unmake(&to);
}

/* A VM that has run gets another state: as QEMU's loadvm does it. */
static void in_place(void **state)
{
	uint64_t before[2][UAPI_TRAVEL_COUNT], values[2][UAPI_TRAVEL_COUNT];
	struct machine machine;
	unsigned int on;

	(void)state;
	make(&machine, FORWARDS);
	assert_int_equal(first_run(&machine), 0);
	on = hvc_vcpu_power(machine.vcpus[0].engine);
	copy_all(&machine, before);
	assert_int_equal(travel_forget(&machine.vm), 0);
	turn_off(&machine, 0);
	assert_int_not_equal(hvc_vcpu_power(machine.vcpus[0].engine), on);
	copy_all(&machine, values);
	assert_memory_not_equal(before, values, sizeof(values));
	assert_int_equal(paste_all(&machine, before), 0);
	assert_int_equal(travel_forget(&machine.vm), 0);
	assert_int_equal(hvc_vcpu_power(machine.vcpus[0].engine), on);
	unmake(&machine);
}

static void in_part(void **state)
{
	uint64_t before[2][UAPI_TRAVEL_COUNT];
	struct machine machine;

	(void)state;
	make(&machine, FORWARDS);
	assert_int_equal(first_run(&machine), 0);
	copy_all(&machine, before);
	assert_int_equal(travel_forget(&machine.vm), 0);
	turn_off(&machine, 0);
	/* The checksum, and no more. */
	assert_int_equal(set(&machine.vcpus[1], UAPI_TRAVEL_BASE + UAPI_TRAVEL_DIGEST + 2,
			     before[1][UAPI_TRAVEL_DIGEST + 2]),
			 0);
	assert_int_equal(travel_forget(&machine.vm), EPERM);
	assert_int_equal(travel_forget(&machine.vm), EPERM);
	/* All of it repairs that. */
	assert_int_equal(paste_all(&machine, before), 0);
	assert_int_equal(travel_forget(&machine.vm), 0);
	unmake(&machine);
}

static void damaged(void **state)
{
	uint64_t values[2][UAPI_TRAVEL_COUNT];
	struct machine from, to;

	(void)state;
	make(&from, FORWARDS);
	assert_int_equal(first_run(&from), 0);
	copy_all(&from, values);
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int n = UAPI_TRAVEL_DIGEST; n < UAPI_TRAVEL_COUNT; n += 5) {
			make(&to, FORWARDS);
			values[i][n] ^= 1ull << n % 64;
			assert_int_equal(paste_all(&to, values), EINVAL);
			assert_int_equal(first_run(&to), EPERM);
			assert_non_null(strstr(last_why, "the state that arrived"));
			values[i][n] ^= 1ull << n % 64;
			unmake(&to);
		}
	}
	unmake(&from);
}

static void other_policy(void **state)
{
	uint64_t values[2][UAPI_TRAVEL_COUNT];
	struct machine from, to;

	(void)state;
	make(&from, FORWARDS);
	copy_all(&from, values);
	make(&to, FORWARDS "psci: \"1.0\"\n");
	assert_int_equal(set(&to.vcpus[0], UAPI_TRAVEL_BASE, values[0][0]), EPERM);
	assert_non_null(strstr(last_why, "another policy: bytes 0 to 7 of its SHA-256 are "));
	assert_int_equal(set(&from.vcpus[0], UAPI_TRAVEL_BASE, values[0][0]), 0);
	unmake(&from);
	unmake(&to);
}

static void while_running(void **state)
{
	struct machine machine;
	uint64_t stale;

	(void)state;
	make(&machine, FORWARDS);
	assert_int_equal(first_run(&machine), 0);
	stale = get(&machine.vcpus[1], UAPI_TRAVEL_BASE + 4);
	assert_int_equal(travel_forget(&machine.vm), 0);
	atomic_store(&machine.vcpus[0].inside, true);
	assert_int_equal(get(&machine.vcpus[1], UAPI_TRAVEL_BASE + 4), stale);
	assert_int_equal(set(&machine.vcpus[1], UAPI_TRAVEL_BASE + 4, stale), 0);
	assert_int_equal(set(&machine.vcpus[1], UAPI_TRAVEL_BASE + 4, stale + 8), EBUSY);
	assert_int_equal(travel_forget(&machine.vm), 0);
	unmake(&machine);
}

static void pending(void **state)
{
	struct hvc_frame frame = {{0xc2000001}};
	struct machine machine;
	uint64_t value;

	(void)state;
	make(&machine, FORWARDS);
	assert_int_equal(first_run(&machine), 0);
	assert_int_equal(hvc_call(machine.vcpus[0].engine, HVC_CONDUIT_HVC, 0, &frame),
			 HVC_FORWARDED);
	/* Its answer comes while the state is asked for. */
	pending_vcpu = machine.vcpus[0].engine;
	assert_int_equal(hvc_kvm_get_reg(&machine.vcpus[1], UAPI_TRAVEL_BASE + 4, &value), 0);
	assert_int_equal(drained, 3);
	unmake(&machine);
}

/* Its answer does not come. Here the guest goes on; there nothing can be made of it. */
static void busy(void **state)
{
	uint64_t values[2][UAPI_TRAVEL_COUNT];
	struct hvc_frame frame = {{0xc2000001}};
	struct machine from, to;

	(void)state;
	make(&from, FORWARDS);
	assert_int_equal(first_run(&from), 0);
	assert_int_equal(hvc_call(from.vcpus[0].engine, HVC_CONDUIT_HVC, 0, &frame), HVC_FORWARDED);
	copy_all(&from, values);
	assert_int_equal(drained, 10); /* once, not for each register */
	assert_int_equal(values[1][UAPI_TRAVEL_DIGEST], UINT64_MAX);
	assert_int_equal(paste_all(&from, values), 0);
	assert_int_equal(travel_forget(&from.vm), 0);
	make(&to, FORWARDS);
	assert_int_equal(paste_all(&to, values), EINVAL);
	assert_string_equal(
		last_why,
		"a forwarded call was under way when the state was read; try again, or the policy may say replay: allowed");
	assert_int_equal(first_run(&to), EPERM);
	unmake(&from);
	unmake(&to);
}

/* A call that was left is settled before anything of its vCPU is read, and of every other before the state is. */
static void left(void **state)
{
	struct machine machine;

	(void)state;
	make(&machine, FORWARDS);
	assert_int_equal(first_run(&machine), 0);
	settled = 0;
	atomic_store(&machine.vcpus[0].left, true);
	atomic_store(&machine.vcpus[1].left, true);
	(void)get(&machine.vcpus[0], UAPI_CORE_X(0));
	assert_int_equal(settled, 1);
	(void)get(&machine.vcpus[0], UAPI_TRAVEL_BASE + 4);
	assert_int_equal(settled, 2);
	unmake(&machine);
	/* Nothing travels: the guest makes the call again. */
	make(&machine, KERNEL_ONLY);
	atomic_store(&machine.vcpus[0].left, true);
	(void)get(&machine.vcpus[0], UAPI_CORE_X(0));
	assert_int_equal(settled, 2);
	unmake(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),          cmocka_unit_test(chosen),
		cmocka_unit_test(viewed),         cmocka_unit_test(of_features),
		cmocka_unit_test(there_and_back), cmocka_unit_test(in_place),
		cmocka_unit_test(in_part),        cmocka_unit_test(damaged),
		cmocka_unit_test(other_policy),   cmocka_unit_test(while_running),
		cmocka_unit_test(pending),        cmocka_unit_test(busy),
		cmocka_unit_test(left),
	};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
