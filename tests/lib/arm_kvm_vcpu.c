/* SPDX-License-Identifier: BSD-2-Clause */
/* A made-up KVM: a vCPU, its registers and its power state. */
#define _GNU_SOURCE
#include "arm_kvm_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/eventfd.h>
#include <sys/mman.h>

#define CLASS(id)    ((id) >> 16 & 0xfff)
#define CLASS_CORE   0x10u
#define CLASS_FW     0x14u
#define CLASS_BITMAP 0x16u
#define ARCH(id)     ((id) >> 56)
#define ARCH_ARM64   0x60u
#define SIZE_64(id)  (((id) >> 52 & 15) == 3)
#define MP_RUNNABLE  KVM_MP_STATE_RUNNABLE
#define MP_STOPPED   KVM_MP_STATE_STOPPED
#define MP_SUSPENDED KVM_MP_STATE_SUSPENDED
#define RESET_PSTATE 0x3c5u /* EL1h, all masked */
#define MPIDR_RES1   0x80000000u
#define FEATURES_KNOWN \
	(1u << KVM_ARM_VCPU_POWER_OFF | 1u << KVM_ARM_VCPU_PSCI_0_2 | 1u << KVM_ARM_VCPU_PMU_V3)

struct arm_vcpu *arm_vcpu_new(struct arm_vm *vm, uint32_t id, int fd)
{
	struct arm_vcpu *vcpu = arm_memory(sizeof(*vcpu));
	const struct arm_kvm *kvm = vm->kvm;

	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->guest.vcpu = id;
	vcpu->engine = vm->slots[id];
	vcpu->mp_state = MP_RUNNABLE;
	vcpu->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vcpu->signal_fd = -1;
	vcpu->run = mmap(NULL, ARM_RUN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (vcpu->wake_fd < 0 || vcpu->run == MAP_FAILED) {
		arm_die("no vCPU");
	}
	memcpy(vcpu->registers, kvm->registers, sizeof(vcpu->registers));
	vcpu->registers[kvm->register_count] = (struct arm_register){
		UAPI_MPIDR_EL1, MPIDR_RES1 | (id >> 4) << 8 | (id & 15), true};
	pthread_mutex_init(&vcpu->lock, NULL);
	return vcpu;
}

void arm_vcpu_free(struct arm_vcpu *vcpu)
{
	munmap(vcpu->run, ARM_RUN_BYTES);
	close(vcpu->wake_fd);
	if (vcpu->signal_fd >= 0) {
		close(vcpu->signal_fd);
	}
	pthread_mutex_destroy(&vcpu->lock);
	free(vcpu);
}

void arm_vcpu_wake(struct arm_vcpu *vcpu)
{
	const uint64_t one = 1;

	if (write(vcpu->wake_fd, &one, sizeof(one)) != sizeof(one) && errno != EAGAIN) {
		arm_die("a vCPU cannot be woken");
	}
}

/* --- Power state and reset. */
void arm_vcpu_apply_reset(struct arm_vcpu *vcpu)
{
	const uint32_t id = vcpu->id;

	pthread_mutex_lock(&vcpu->vm->power);
	if (vcpu->reset) {
		vcpu->reset = false;
		vcpu->guest = (struct arm_guest){.vcpu = id,
						 .pc = vcpu->entry,
						 .pstate = RESET_PSTATE,
						 .x[0] = vcpu->context};
	}
	pthread_mutex_unlock(&vcpu->vm->power);
}

/* All vCPUs of a VM have the same features, but for whether they begin powered off. */
static int choose_features(struct arm_vm *vm, const struct kvm_vcpu_init *init)
{
	struct kvm_vcpu_init features = *init;
	int error = 0;

	features.features[0] &= ~(1u << KVM_ARM_VCPU_POWER_OFF);
	pthread_mutex_lock(&vm->config);
	if (!vm->has_features) {
		vm->features = features;
		vm->has_features = true;
		arm_engine_make(vm);
	} else if (memcmp(&vm->features, &features, sizeof(features)) != 0) {
		error = -EINVAL;
	}
	pthread_mutex_unlock(&vm->config);
	return error;
}

static int vcpu_init(struct arm_vcpu *vcpu, const struct kvm_vcpu_init *init)
{
	int error;

	if (init == NULL) {
		return -EFAULT;
	}
	if (init->target != ARM_TARGET) {
		return -EINVAL;
	}
	for (unsigned int n = 0; n < 7; n++) {
		if ((init->features[n] & ~(n == 0 ? FEATURES_KNOWN : 0)) != 0) {
			return -ENOENT;
		}
	}
	error = choose_features(vcpu->vm, init);
	if (error != 0) {
		return error;
	}
	atomic_fetch_add(&vcpu->counts.inits, 1);
	vcpu->init = *init;
	vcpu->initialised = true;
	vcpu->guest = (struct arm_guest){.vcpu = vcpu->id, .pstate = RESET_PSTATE};
	arm_vcpu_apply_reset(vcpu); /* a CPU_ON that was under way still has its entry */
	pthread_mutex_lock(&vcpu->vm->power);
	vcpu->mp_state = init->features[0] & 1u << KVM_ARM_VCPU_POWER_OFF ? MP_STOPPED
									  : MP_RUNNABLE;
	pthread_mutex_unlock(&vcpu->vm->power);
	return 0;
}

static int get_mp_state(struct arm_vcpu *vcpu, struct kvm_mp_state *state)
{
	if (state == NULL) {
		return -EFAULT;
	}
	pthread_mutex_lock(&vcpu->vm->power);
	state->mp_state = vcpu->mp_state;
	pthread_mutex_unlock(&vcpu->vm->power);
	return 0;
}

static int set_mp_state(struct arm_vcpu *vcpu, const struct kvm_mp_state *state)
{
	if (state == NULL) {
		return -EFAULT;
	}
	if (state->mp_state != MP_RUNNABLE && state->mp_state != MP_STOPPED &&
	    state->mp_state != MP_SUSPENDED) {
		return -EINVAL;
	}
	pthread_mutex_lock(&vcpu->vm->power);
	vcpu->mp_state = state->mp_state;
	pthread_mutex_unlock(&vcpu->vm->power);
	return 0;
}

/* --- Registers. */
static uint64_t *core_register(struct arm_vcpu *vcpu, uint64_t id)
{
	if (id >= UAPI_CORE_X(0) && id <= UAPI_CORE_X(30) && (id & 1) == 0) {
		return &vcpu->guest.x[(id - UAPI_CORE_X(0)) / 2];
	}
	switch (id) {
	case UAPI_CORE_PC:
		return &vcpu->guest.pc;
	case UAPI_CORE_PSTATE:
		return &vcpu->guest.pstate;
	case UAPI_CORE_SP_EL1:
		return &vcpu->guest.sp;
	default:
		return NULL;
	}
}

static struct arm_register *other_register(struct arm_vcpu *vcpu, uint64_t id)
{
	for (uint32_t n = 0; n <= vcpu->vm->kvm->register_count; n++) {
		if (vcpu->registers[n].id == id) {
			return &vcpu->registers[n];
		}
	}
	return NULL;
}

static int copy(uint64_t *value, const struct kvm_one_reg *reg, bool set)
{
	void *user = (void *)(uintptr_t)reg->addr;

	if (user == NULL) {
		return -EFAULT;
	}
	if (set) {
		memcpy(value, user, sizeof(*value));
	} else {
		memcpy(user, value, sizeof(*value));
	}
	return 0;
}

static int firmware(struct arm_vcpu *vcpu, const struct kvm_one_reg *reg, bool set)
{
	struct arm_vm *vm = vcpu->vm;
	uint64_t value = 0;
	int error;

	if (!SIZE_64(reg->id)) {
		return -ENOENT;
	}
	if (set && copy(&value, reg, true) != 0) {
		return -EFAULT;
	}
	pthread_mutex_lock(&vm->config);
	error = (int)(set ? hvc_vm_set_reg(vm->engine, reg->id, value)
			  : hvc_vm_get_reg(vm->engine, reg->id, &value));
	pthread_mutex_unlock(&vm->config);
	return error == 0 && !set ? copy(&value, reg, false) : error;
}

static int other(struct arm_vcpu *vcpu, const struct kvm_one_reg *reg, bool set)
{
	struct arm_register *found = other_register(vcpu, reg->id);
	uint64_t value;

	if (found == NULL) {
		return CLASS(reg->id) == CLASS_CORE ? -EINVAL : -ENOENT;
	}
	if (!set) {
		return copy(&found->value, reg, false);
	}
	if (copy(&value, reg, true) != 0) {
		return -EFAULT;
	}
	if (!found->writable && value != found->value) {
		return -EINVAL;
	}
	found->value = value;
	return 0;
}

static int one_reg(struct arm_vcpu *vcpu, const struct kvm_one_reg *reg, bool set)
{
	uint64_t *core;

	if (!vcpu->initialised) {
		return -ENOEXEC;
	}
	if (reg == NULL) {
		return -EFAULT;
	}
	arm_vcpu_apply_reset(vcpu);
	if (ARCH(reg->id) != ARCH_ARM64) {
		return -EINVAL;
	}
	atomic_fetch_add(set ? &vcpu->counts.sets : &vcpu->counts.gets, 1);
	if (CLASS(reg->id) == CLASS_FW || CLASS(reg->id) == CLASS_BITMAP) {
		return firmware(vcpu, reg, set);
	}
	core = core_register(vcpu, reg->id);
	if (core == NULL) {
		return other(vcpu, reg, set);
	}
	if (reg->id <= UAPI_CORE_X(17)) {
		const uint64_t n = (reg->id - UAPI_CORE_X(0)) / 2;
		atomic_fetch_add(set ? &vcpu->counts.wrote[n] : &vcpu->counts.got[n], 1);
	}
	return copy(core, reg, set);
}

/* In KVM's order: core registers, firmware's, the others. */
static uint32_t all_ids(struct arm_vcpu *vcpu, uint64_t *ids)
{
	const uint32_t others = vcpu->vm->kvm->register_count + 1;
	uint32_t count = 0, room = HVC_REG_COUNT;

	for (unsigned int n = 0; n < 31; n++) {
		ids[count++] = UAPI_CORE_X(n);
	}
	ids[count++] = UAPI_CORE_PC;
	ids[count++] = UAPI_CORE_PSTATE;
	ids[count++] = UAPI_CORE_SP_EL1;
	for (uint32_t n = 0; n < others; n++) {
		if (CLASS(vcpu->registers[n].id) == CLASS_CORE) {
			ids[count++] = vcpu->registers[n].id;
		}
	}
	hvc_vm_list_regs(vcpu->vm->engine, &ids[count], &room);
	count += room;
	for (uint32_t n = 0; n < others; n++) {
		if (CLASS(vcpu->registers[n].id) != CLASS_CORE) {
			ids[count++] = vcpu->registers[n].id;
		}
	}
	return count;
}

static int reg_list(struct arm_vcpu *vcpu, struct kvm_reg_list *list)
{
	uint64_t ids[ARM_REGISTERS + 34 + HVC_REG_COUNT];

	if (!vcpu->initialised) {
		return -ENOEXEC;
	}
	if (list == NULL) {
		return -EFAULT;
	}
	const uint64_t room = list->n;
	list->n = all_ids(vcpu, ids);
	if (room < list->n) {
		return -E2BIG;
	}
	memcpy(list->reg, ids, list->n * sizeof(ids[0]));
	return 0;
}

static int set_signal_mask(struct arm_vcpu *vcpu, const struct kvm_signal_mask *mask)
{
	vcpu->masked = mask != NULL;
	if (mask == NULL) {
		return 0;
	}
	if (mask->len != sizeof(vcpu->signal_mask)) {
		return -EINVAL;
	}
	memcpy(&vcpu->signal_mask, mask->sigset, sizeof(vcpu->signal_mask));
	return 0;
}

/* --- Any of them. */
static int locked_ioctl(struct arm_vcpu *vcpu, unsigned long request, void *argument)
{
	switch (request) {
	case KVM_RUN:
		return argument == NULL ? arm_vcpu_run(vcpu) : -EINVAL;
	case KVM_ARM_VCPU_INIT:
		return vcpu_init(vcpu, argument);
	case KVM_GET_ONE_REG:
	case KVM_SET_ONE_REG:
		return one_reg(vcpu, argument, request == KVM_SET_ONE_REG);
	case KVM_GET_REG_LIST:
		return reg_list(vcpu, argument);
	case KVM_GET_MP_STATE:
		return get_mp_state(vcpu, argument);
	case KVM_SET_MP_STATE:
		return set_mp_state(vcpu, argument);
	case KVM_SET_SIGNAL_MASK:
		return set_signal_mask(vcpu, argument);
	default:
		return -EINVAL;
	}
}

int arm_vcpu_ioctl(struct arm_vcpu *vcpu, unsigned long request, void *argument)
{
	const pthread_t self = pthread_self();
	int value;

	if (pthread_mutex_trylock(&vcpu->lock) != 0) {
		if (atomic_load(&vcpu->running)) {
			atomic_fetch_add(&vcpu->counts.foreign, 1);
		}
		pthread_mutex_lock(&vcpu->lock);
	}
	if (atomic_load(&vcpu->has_run) && !pthread_equal(vcpu->runner, self)) {
		atomic_fetch_add(&vcpu->counts.others, 1);
	}
	value = locked_ioctl(vcpu, request, argument);
	pthread_mutex_unlock(&vcpu->lock);
	return value;
}
