/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "interpose.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../host/internal.h"
#include "channel.h"
#include "record.h"
#include "table.h"

static struct interpose_system sys_;
static struct exec_shared *shared;
static int attention_fd = -1;
static struct hvc_kvm *kvm;
static struct exec_channel channel;
static struct hvc_kvm_channel channel_calls;
static _Atomic uint32_t vms_made;

/* --- News for the keeper. */

static void attention(void)
{
	const uint64_t one = 1;

	if (attention_fd >= 0) {
		(void)!write(attention_fd, &one, sizeof(one));
	}
}

static void reach(uint32_t stage)
{
	uint32_t before = atomic_load(&shared->stage);

	while (before < stage) {
		if (atomic_compare_exchange_weak(&shared->stage, &before, stage)) {
			attention();
			return;
		}
	}
}

/* A refusal in words, which the VMM knows only as an errno. The last one stays; the keeper prints those it sees. */
static void tell(const char *text)
{
	static _Atomic uint32_t busy;
	uint32_t none = 0;

	if (text[0] == '\0' || !atomic_compare_exchange_strong(&busy, &none, 1)) {
		return;
	}
	if (strncmp(shared->why, text, sizeof(shared->why)) != 0) {
		snprintf(shared->why, sizeof(shared->why), "%s", text);
		atomic_fetch_add(&shared->whys, 1);
		attention();
	}
	atomic_store(&busy, 0);
}

/* What ioctl() returns for an error of the library's. */
static int result(int error)
{
	if (error == 0) {
		return 0;
	}
	if (error == EPERM || error == EINVAL) {
		tell(hvc_kvm_why());
	}
	errno = error;
	return -1;
}

/* --- Objects. */

static void take_apart(struct object *object)
{
	struct object *owner = object->owner;
	const int error = errno;

	if (object->kind == OBJECT_VM) {
		hvc_kvm_vm_free(object->vm);
	} else {
		hvc_kvm_vcpu_free(object->vcpu);
		munmap(object->run, object->run_size);
	}
	if (owner != NULL && object_release(owner)) {
		take_apart(owner);
	}
	errno = error;
}

static void let_go(struct object *object)
{
	if (object_release(object)) {
		take_apart(object);
	}
}

/* Its fields are set; it gets its descriptor. False: it was taken apart, and the descriptor closed. */
static bool publish(struct object *object, int fd)
{
	struct object *before;
	bool fine;

	atomic_store(&object->holds, 1);
	fine = table_put(fd, object, &before);
	if (before != NULL) {
		let_go(before);
	}
	if (!fine) {
		sys_.close(fd);
	}
	let_go(object);
	if (!fine) {
		errno = EMFILE;
	}
	return fine;
}

static struct object *object_new(enum object_kind kind)
{
	static _Atomic(struct object *) all;
	struct object *object = calloc(1, sizeof(*object));

	if (object != NULL) {
		object->kind = (uint8_t)kind;
		object->before = atomic_load(&all);
		while (!atomic_compare_exchange_weak(&all, &object->before, object)) {
		}
	}
	return object;
}

/* --- A VM. */

/* One VMM at a time: what is shared is one's. */
static bool claim(void)
{
	const int32_t self = (int32_t)getpid();
	int32_t before = atomic_load(&shared->pid);

	do {
		if (before == self) {
			return true;
		}
		if (before > 0 && (kill(before, 0) == 0 || errno == EPERM)) {
			tell("another process of this command has VMs already; each VMM wants its own hvcgate exec");
			errno = EPERM;
			return false;
		}
	} while (!atomic_compare_exchange_strong(&shared->pid, &before, self));
	attention();
	if (sys_.settled != NULL) {
		sys_.settled();
	}
	return true;
}

static int refuse_vm(int fd, int error, const char *why)
{
	tell(why);
	sys_.close(fd);
	errno = error;
	return -1;
}

static int create_vm(int fd, void *type)
{
	const int run_size = sys_.raw(fd, KVM_GET_VCPU_MMAP_SIZE, NULL, shared->cookie);
	struct object *object;
	int vm_fd;

	/* As a kernel says that has none. With one, a plan without ranges would seem to fit: EL2 answers past it. */
	if (((uintptr_t)type & KVM_VM_TYPE_ARM_PROTECTED) != 0) {
		tell("a protected VM (KVM_CREATE_VM, type bit 31) cannot be under a policy: KVM gives it no filter of "
		     "hypercalls, and answers some at EL2; make an ordinary one");
		errno = EINVAL;
		return -1;
	}
	if (!claim()) {
		return -1;
	}
	vm_fd = sys_.raw(fd, KVM_CREATE_VM, type, shared->cookie);
	if (vm_fd < 0) {
		return vm_fd;
	}
	if (run_size <= 0 || atomic_fetch_add(&vms_made, 1) >= EXEC_VMS) {
		return refuse_vm(vm_fd, EMFILE, "too many VMs were made by this VMM");
	}
	object = object_new(OBJECT_VM);
	if (object == NULL) {
		return refuse_vm(vm_fd, ENOMEM, "no memory for a VM");
	}
	object->fd = vm_fd;
	object->run_size = (size_t)run_size;
	object->vm = hvc_kvm_vm_new(kvm, vm_fd);
	if (object->vm == NULL) {
		return refuse_vm(vm_fd, errno, hvc_kvm_why());
	}
	return publish(object, vm_fd) ? vm_fd : -1;
}

/* --- A vCPU. */

static int create_vcpu(struct object *vm, int vm_fd, void *id)
{
	const int fd = sys_.raw(vm_fd, KVM_CREATE_VCPU, id, shared->cookie);
	struct object *object;
	void *run;

	if (fd < 0) {
		return fd;
	}
	object = object_new(OBJECT_VCPU);
	/* The VMM's own mapping is of the same memory. */
	run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (object == NULL || run == MAP_FAILED) {
		return refuse_vm(fd, ENOMEM, "no memory for a vCPU");
	}
	object->fd = fd;
	object->run = run;
	object->run_size = vm->run_size;
	object->vcpu = hvc_kvm_vcpu_new(vm->vm, (uint32_t)(uintptr_t)id, fd, run);
	if (object->vcpu == NULL) {
		const int error = errno;

		munmap(run, vm->run_size);
		return refuse_vm(fd, error, hvc_kvm_why());
	}
	object->owner = vm;
	atomic_fetch_add(&vm->holds, 1); /* the caller has one */
	return publish(object, fd) ? fd : -1;
}

static int run_vcpu(struct hvc_kvm_vcpu *vcpu)
{
	const int error = hvc_kvm_run(vcpu);

	if (error == EPERM && hvc_kvm_why()[0] != '\0') {
		tell(hvc_kvm_why());
		reach(EXEC_REFUSED);
	}
	if (error != 0) {
		errno = error;
		return -1;
	}
	return 0;
}

static int set_reg(struct hvc_kvm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	return result(hvc_kvm_set_reg(vcpu, reg->id, (const void *)(uintptr_t)reg->addr));
}

static int get_reg(struct hvc_kvm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	return result(hvc_kvm_get_reg(vcpu, reg->id, (void *)(uintptr_t)reg->addr));
}

static int of_vcpu(struct object *object, uint32_t request, void *argument)
{
	struct hvc_kvm_vcpu *vcpu = object->vcpu;

	switch (request) {
	case KVM_RUN:
		return run_vcpu(vcpu);
	case KVM_GET_ONE_REG:
		return get_reg(vcpu, argument);
	case KVM_SET_ONE_REG:
		return set_reg(vcpu, argument);
	case KVM_GET_REG_LIST:
		return result(hvc_kvm_list_regs(vcpu, argument));
	case KVM_GET_MP_STATE:
		return result(hvc_kvm_get_mp_state(vcpu, argument));
	case KVM_SET_MP_STATE:
		return result(hvc_kvm_set_mp_state(vcpu, *(const uint32_t *)argument));
	default: /* KVM_ARM_VCPU_INIT */
		return result(hvc_kvm_vcpu_init(vcpu, argument));
	}
}

static int of_vm(struct object *object, int fd, uint32_t request, void *argument)
{
	switch (request) {
	case KVM_CREATE_VCPU:
		return create_vcpu(object, fd, argument);
	case KVM_ENABLE_CAP:
		return result(hvc_kvm_enable_cap(object->vm, argument));
	default: /* KVM_SET_DEVICE_ATTR */
		return result(hvc_kvm_set_attr(object->vm, argument));
	}
}

/* --- All ioctls. */

/* Is a request for us? The kernel looks at 32 bits of it. */
static inline bool is_ours(const struct object *object, uint32_t request)
{
	if (object == NULL) {
		return request == KVM_CREATE_VM;
	}
	if (object->kind == OBJECT_VM) {
		return request == KVM_CREATE_VCPU || request == KVM_ENABLE_CAP ||
		       request == KVM_SET_DEVICE_ATTR;
	}
	switch (request) {
	case KVM_RUN:
	case KVM_GET_ONE_REG:
	case KVM_SET_ONE_REG:
	case KVM_GET_REG_LIST:
	case KVM_GET_MP_STATE:
	case KVM_SET_MP_STATE:
	case KVM_ARM_VCPU_INIT:
		return true;
	default:
		return false;
	}
}

static bool wants_memory(uint32_t request)
{
	return request != KVM_RUN && request != KVM_CREATE_VCPU;
}

static int ours(struct object *object, int fd, unsigned long request, void *argument)
{
	int value;

	if (object == NULL) {
		return create_vm(fd, argument);
	}
	if (!object_hold(object)) {
		/* Another thread has closed it just now. */
		return sys_.next(fd, request, argument);
	}
	if (argument == NULL && wants_memory((uint32_t)request)) {
		value = sys_.next(fd, request, argument); /* which has an error for it */
	} else if (object->kind == OBJECT_VM) {
		value = of_vm(object, fd, (uint32_t)request, argument);
	} else {
		value = of_vcpu(object, (uint32_t)request, argument);
	}
	let_go(object);
	return value;
}

int interpose_ioctl(int fd, unsigned long request, void *argument)
{
	struct object *object = table_find(fd);

	if (__builtin_expect(is_ours(object, (uint32_t)request), 0)) {
		return ours(object, fd, request, argument);
	}
	return sys_.next(fd, request, argument);
}

/* --- Descriptors. */

/* The library uses another descriptor of the object's from now on, for this one goes. */
static void move_away(struct object *object, int from)
{
	for (unsigned int fd = 0; fd < TABLE_BLOCK * TABLE_BLOCKS; fd++) {
		if ((int)fd != from && table_find((int)fd) == object) {
			object->fd = (int)fd;
			if (object->kind == OBJECT_VM) {
				object->vm->fd = (int)fd;
			} else {
				object->vcpu->fd = (int)fd;
			}
			return;
		}
	}
}

void interpose_closing(int fd)
{
	struct object *object = table_find(fd), *before;

	if (object == NULL || !object_hold(object)) {
		return;
	}
	(void)table_put(fd, NULL, &before);
	if (before != NULL) {
		let_go(before);
	}
	if (object->fd == fd) {
		move_away(object, fd);
	}
	let_go(object);
}

void interpose_duplicated(int from, int to)
{
	struct object *object = table_find(from), *before;

	if (from == to) {
		return;
	}
	if (object != NULL && object_hold(object)) {
		(void)table_put(to, object, &before);
		let_go(object);
	} else if (table_find(to) != NULL) {
		(void)table_put(to, NULL, &before);
	} else {
		return;
	}
	if (before != NULL) {
		let_go(before);
	}
}

/* --- The beginning. */

static int library_ioctl(void *context, int fd, unsigned long request, void *argument)
{
	(void)context;
	return sys_.raw(fd, request, argument, shared->cookie);
}

static struct hvc_counters *counters_of(void *context, uint32_t vm, uint32_t vcpu)
{
	struct hvc_counters *counters = record_claim(shared, vm, vcpu);

	(void)context;
	reach(EXEC_APPLIED);
	return counters;
}

static void called(void *context, const struct hvc_kvm_vcpu *vcpu, const struct hvc_frame *before,
		   const struct hvc_frame *after, enum hvc_conduit conduit,
		   enum hvc_verdict verdict)
{
	(void)context;
	if (atomic_load_explicit(&shared->tracing, memory_order_relaxed) != 0) {
		record_call(shared, vcpu, before, after, conduit, verdict);
	}
}

bool interpose_start(const struct interpose_system *system, struct exec_shared *memory,
		     const void *plan, size_t size, int requests, int attention_line, char *why,
		     size_t why_size)
{
	struct hvc_kvm_options options = {.size = sizeof(options),
					  .ioctl = library_ioctl,
					  .called = called,
					  .counters = counters_of};
	enum hvc_err err;

	sys_ = *system;
	shared = memory;
	attention_fd = attention_line;
	/* Plain words to the library, which reads them as the keeper writes them: atomically. */
	options.revoked = (const uint64_t *)(const void *)shared->revoked;
	if (requests >= 0) {
		exec_channel_init(&channel, shared, requests, &channel_calls);
		options.channel = &channel_calls;
	}
	err = hvc_kvm_new(plan, size, &options, &kvm, why, why_size);
	if (err != HVC_OK) {
		return false;
	}
	atomic_store(&shared->left, 0);
	reach(EXEC_LOADED);
	return true;
}

void interpose_end(void)
{
	atomic_store(&shared->left, 1);
}
