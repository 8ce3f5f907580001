/* SPDX-License-Identifier: BSD-2-Clause */
/* A made-up KVM: descriptors, the system's and a VM's ioctls. */
#define _GNU_SOURCE
#include "arm_kvm_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/stat.h>

#include "../../src/abi/abi.h"
#include "rng.h"

void arm_die(const char *what)
{
	fprintf(stderr, "arm_kvm: %s\n", what);
	abort();
}

void *arm_memory(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);

	if (memory == NULL) {
		arm_die("no memory");
	}
	memset(memory, 0, (bytes + 63) / 64 * 64);
	return memory;
}

/* --- Descriptors. */
static int new_file(const char *name, size_t bytes)
{
	const int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)bytes) != 0) {
		arm_die("no descriptor");
	}
	return fd;
}

/* The descriptor for the caller; the object keeps one of its own. */
static int new_object(struct arm_kvm *kvm, enum object_kind kind, int fd, void *of)
{
	struct object *object = calloc(1, sizeof(*object));
	struct stat stat;

	if (object == NULL || fstat(fd, &stat) != 0) {
		arm_die("no object");
	}
	object->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (object->fd < 0) {
		arm_die("no descriptor");
	}
	object->kind = kind;
	object->device = stat.st_dev;
	object->inode = stat.st_ino;
	object->of = of;
	pthread_mutex_lock(&kvm->lock);
	object->next = kvm->objects;
	kvm->objects = object;
	pthread_mutex_unlock(&kvm->lock);
	return fd;
}

static struct object *find(struct arm_kvm *kvm, int fd)
{
	struct stat stat;

	if (fstat(fd, &stat) != 0) {
		return NULL;
	}
	pthread_mutex_lock(&kvm->lock);
	struct object *object = kvm->objects;
	while (object != NULL && (object->device != stat.st_dev || object->inode != stat.st_ino)) {
		object = object->next;
	}
	pthread_mutex_unlock(&kvm->lock);
	return object;
}

static void *find_kind(struct arm_kvm *kvm, int fd, enum object_kind kind)
{
	struct object *object = find(kvm, fd);

	if (object == NULL || object->kind != kind) {
		arm_die("not such a descriptor");
	}
	return object->of;
}

bool arm_kvm_owns(struct arm_kvm *kvm, int fd)
{
	return find(kvm, fd) != NULL;
}

int arm_kvm_open(struct arm_kvm *kvm)
{
	struct object *object = kvm->objects;

	while (object->kind != OBJECT_SYSTEM) {
		object = object->next;
	}
	return fcntl(object->fd, F_DUPFD_CLOEXEC, 0);
}

/* --- A kernel. */
static const struct arm_register usual[] = {
	{0x603000000010003eull, 0, true},                      /* SP_EL0 */
	{0x6030000000100046ull, 0, true},                      /* ELR_EL1 */
	{0x603000000013c000ull, 0x00000000410fd0c0ull, false}, /* MIDR_EL1 */
	{0x603000000013c020ull, 0x1100000010111112ull, true},  /* ID_AA64PFR0_EL1 */
	{0x603000000013c080ull, 0x0000000030c50838ull, true},  /* SCTLR_EL1 */
	{0x603000000013c102ull, 0, true},                      /* TCR_EL1 */
	{0x603000000013df1aull, 0, true},                      /* KVM_REG_ARM_TIMER_CNT */
};

struct arm_kvm *arm_kvm_new(const char *profile)
{
	struct arm_kvm *kvm = arm_memory(sizeof(*kvm));
	const struct abi_profile *found = abi_profile_find(profile);

	if (found == NULL) {
		arm_die("no such profile");
	}
	abi_profile_settings(found, &kvm->settings);
	kvm->profile = abi_profile_name(found);
	pthread_mutex_init(&kvm->lock, NULL);
	for (size_t n = 0; n < sizeof(usual) / sizeof(usual[0]); n++) {
		arm_kvm_add_register(kvm, usual[n].id, usual[n].value, usual[n].writable);
	}
	const int fd = new_file("kvm", 0);
	new_object(kvm, OBJECT_SYSTEM, fd, kvm);
	close(fd);
	return kvm;
}

static void vm_free(struct arm_vm *vm)
{
	for (unsigned int n = 0; n < ARM_VCPUS; n++) {
		free(vm->slots[n]);
	}
	free(vm->engine);
	free(vm->image);
	free(vm->filter_memory);
	pthread_mutex_destroy(&vm->config);
	pthread_mutex_destroy(&vm->power);
	free(vm);
}

void arm_kvm_free(struct arm_kvm *kvm)
{
	if (kvm == NULL) {
		return;
	}
	while (kvm->objects != NULL) {
		struct object *object = kvm->objects;

		kvm->objects = object->next;
		if (object->kind == OBJECT_VM) {
			vm_free(object->of);
		} else if (object->kind == OBJECT_VCPU) {
			arm_vcpu_free(object->of);
		}
		close(object->fd);
		free(object);
	}
	pthread_mutex_destroy(&kvm->lock);
	free(kvm);
}

static struct arm_kvm *the_shared;
static void make_shared(void)
{
	const char *profile = getenv("ARM_KVM_PROFILE");

	the_shared = arm_kvm_new(profile != NULL ? profile : "linux-6.12");
}

struct arm_kvm *arm_kvm_shared(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_shared);
	return the_shared;
}

void arm_kvm_set_hook(struct arm_kvm *kvm, arm_kvm_hook *hook, void *context)
{
	pthread_mutex_lock(&kvm->lock);
	kvm->hook = hook;
	kvm->hook_context = context;
	pthread_mutex_unlock(&kvm->lock);
}

void arm_kvm_add_register(struct arm_kvm *kvm, uint64_t id, uint64_t value, bool writable)
{
	if (kvm->register_count == ARM_REGISTERS - 1) { /* MPIDR_EL1 is one, too */
		arm_die("too many registers");
	}
	kvm->registers[kvm->register_count++] = (struct arm_register){id, value, writable};
}

/* --- A VM. */
static void replay(struct arm_vm *vm, struct hvc_vm *before)
{
	uint64_t ids[HVC_REG_COUNT], value;
	uint32_t count = HVC_REG_COUNT;

	if (before != NULL) {
		hvc_vm_list_regs(before, ids, &count);
		for (uint32_t n = 0; n < count; n++) {
			/* What is no value of it now, PSCI_VERSION for one, is as after a reset. */
			if (hvc_vm_get_reg(before, ids[n], &value) == HVC_OK) {
				hvc_vm_set_reg(vm->engine, ids[n], value);
			}
		}
	}
	for (uint32_t n = 0; n < vm->filter_count; n++) {
		if (hvc_filter_add_bytes(vm->engine, vm->filters[n]) != HVC_OK) {
			arm_die("a filter range is lost");
		}
	}
}

/* As random as a test needs. */
static bool entropy(void *host, uint64_t *words, uint32_t n)
{
	static atomic_ullong drawn;

	(void)host;
	for (uint32_t i = 0; i < n; i++) {
		struct rng rng = {.state = atomic_fetch_add(&drawn, 1)};

		words[i] = rng_next(&rng);
	}
	return true;
}

static const struct hvc_platform platform = {.size = sizeof(platform), .entropy = entropy};

void arm_engine_make(struct arm_vm *vm)
{
	struct hvc_settings settings = vm->kvm->settings;
	struct hvc_vm *before = vm->engine;
	const size_t image_bytes = hvc_image_min_size();
	const bool psci_0_2 = !vm->has_features ||
			      (vm->features.features[0] & 1u << KVM_ARM_VCPU_PSCI_0_2) != 0;

	settings.system_suspend = vm->system_suspend;
	free(vm->image);
	free(vm->filter_memory);
	vm->image = arm_memory(image_bytes);
	if (hvc_image_begin(vm->image, image_bytes, &settings) != HVC_OK) {
		arm_die("no image");
	}
	hvc_image_seal(vm->image);
	const size_t filter_bytes = hvc_filter_size(vm->image, ARM_FILTERS);
	vm->filter_memory = arm_memory(filter_bytes);
	const struct hvc_vm_config config = {
		.size = sizeof(config),
		.vcpu_count = ARM_VCPUS,
		.image = vm->image,
		.platform = &platform,
		.host = vm,
		.filter_memory = vm->filter_memory,
		.filter_bytes = filter_bytes,
		.flags = HVC_VM_FORWARD | (psci_0_2 ? 0 : HVC_VM_PSCI_0_1),
	};
	vm->engine = arm_memory(hvc_vm_size());
	if (hvc_vm_init(vm->engine, &config, vm->slots) != HVC_OK) {
		arm_die("no engine");
	}
	replay(vm, before);
	free(before);
}

static int create_vm(struct arm_kvm *kvm, uint64_t type)
{
	struct arm_vm *vm;

	if ((type & ~0xffull) != 0) { /* more than the size of its addresses: protected, ... */
		return -EINVAL;
	}
	vm = arm_memory(sizeof(*vm));
	vm->kvm = kvm;
	pthread_mutex_init(&vm->config, NULL);
	pthread_mutex_init(&vm->power, NULL);
	for (unsigned int n = 0; n < ARM_VCPUS; n++) {
		vm->slots[n] = arm_memory(hvc_vcpu_size());
	}
	arm_engine_make(vm);
	return new_object(kvm, OBJECT_VM, new_file("kvm-vm", 0), vm);
}

static int extension(const struct arm_kvm *kvm, uint64_t capability)
{
	switch (capability) {
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_MP_STATE:
	case KVM_CAP_ONE_REG:
	case KVM_CAP_ARM_PSCI:
	case KVM_CAP_ARM_PSCI_0_2:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_DEVICE_CTRL:
	case KVM_CAP_ENABLE_CAP_VM:
	case KVM_CAP_IRQCHIP:
		return 1;
	case KVM_CAP_ARM_SYSTEM_SUSPEND:
		return strcmp(kvm->profile, "linux-5.10@1") != 0;
	case KVM_CAP_NR_VCPUS:
	case KVM_CAP_MAX_VCPUS:
	case KVM_CAP_MAX_VCPU_ID:
		return ARM_VCPUS;
	case KVM_CAP_ARM_VM_IPA_SIZE:
		return 48;
	default: /* KVM_CAP_VM_ATTRIBUTES, too: the filter tells itself */
		return 0;
	}
}

static int system_ioctl(struct arm_kvm *kvm, unsigned long request, void *argument)
{
	switch (request) {
	case KVM_GET_API_VERSION:
		return argument == NULL ? KVM_API_VERSION : -EINVAL;
	case KVM_CREATE_VM:
		return create_vm(kvm, (uintptr_t)argument);
	case KVM_CHECK_EXTENSION:
		return extension(kvm, (uintptr_t)argument);
	case KVM_GET_VCPU_MMAP_SIZE:
		return argument == NULL ? ARM_RUN_BYTES : -EINVAL;
	default:
		return -ENOTTY;
	}
}

static int create_vcpu(struct arm_vm *vm, uint64_t id)
{
	int fd;

	if (id >= ARM_VCPUS) {
		return -EINVAL;
	}
	pthread_mutex_lock(&vm->config);
	if (atomic_load(&vm->vcpus[id]) != NULL) {
		fd = -EEXIST;
	} else {
		fd = new_file("kvm-vcpu", ARM_RUN_BYTES);
		struct arm_vcpu *vcpu = arm_vcpu_new(vm, (uint32_t)id, fd);
		new_object(vm->kvm, OBJECT_VCPU, fd, vcpu);
		atomic_store(&vm->vcpus[id], vcpu);
	}
	pthread_mutex_unlock(&vm->config);
	return fd;
}

static int enable_cap(struct arm_vm *vm, const struct kvm_enable_cap *cap)
{
	int result = -EINVAL;

	if (cap == NULL) {
		return -EFAULT;
	}
	pthread_mutex_lock(&vm->config);
	if (cap->flags == 0 && cap->cap == KVM_CAP_ARM_SYSTEM_SUSPEND &&
	    extension(vm->kvm, cap->cap) == 1) {
		if (vm->ran) {
			arm_die("KVM_CAP_ARM_SYSTEM_SUSPEND after the first run");
		}
		vm->system_suspend = true;
		arm_engine_make(vm);
		result = 0;
	}
	pthread_mutex_unlock(&vm->config);
	return result;
}

static int set_filter(struct arm_vm *vm, const struct kvm_device_attr *attr)
{
	const uint8_t *bytes = (const void *)(uintptr_t)attr->addr;
	enum hvc_err error;

	if (bytes == NULL) {
		return -EFAULT;
	}
	pthread_mutex_lock(&vm->config);
	error = vm->filter_count < ARM_FILTERS ? hvc_filter_add_bytes(vm->engine, bytes)
					       : HVC_ENOMEM;
	if (error == HVC_OK) {
		memcpy(vm->filters[vm->filter_count++], bytes, HVC_FILTER_BYTES);
	}
	pthread_mutex_unlock(&vm->config);
	return (int)error;
}

/* A kernel without a filter has no attributes of VMs at all. */
static int vm_attr(struct arm_vm *vm, unsigned long request, const struct kvm_device_attr *attr)
{
	if (!vm->kvm->settings.filter) {
		return -EINVAL;
	}
	if (attr == NULL) {
		return -EFAULT;
	}
	if (attr->group != KVM_ARM_VM_SMCCC_CTRL || attr->attr != KVM_ARM_VM_SMCCC_FILTER) {
		return -ENXIO;
	}
	return request == KVM_HAS_DEVICE_ATTR ? 0 : set_filter(vm, attr);
}

static int vm_ioctl(struct arm_vm *vm, unsigned long request, void *argument)
{
	struct kvm_vcpu_init *init = argument;

	switch (request) {
	case KVM_CREATE_VCPU:
		return create_vcpu(vm, (uintptr_t)argument);
	case KVM_CHECK_EXTENSION:
		return extension(vm->kvm, (uintptr_t)argument);
	case KVM_ENABLE_CAP:
		return enable_cap(vm, argument);
	case KVM_SET_DEVICE_ATTR:
	case KVM_HAS_DEVICE_ATTR:
		return vm_attr(vm, request, argument);
	case KVM_ARM_PREFERRED_TARGET:
		if (init == NULL) {
			return -EFAULT;
		}
		*init = (struct kvm_vcpu_init){.target = ARM_TARGET};
		return 0;
	case KVM_SET_USER_MEMORY_REGION: /* there is no memory: programs are elsewhere */
	case KVM_IRQ_LINE:
		return argument == NULL ? -EFAULT : 0;
	default:
		return -ENOTTY;
	}
}

/* --- Any of them. */
static int ask_hook(struct arm_kvm *kvm, int fd, unsigned long request, void *argument, int *value)
{
	pthread_mutex_lock(&kvm->lock);
	arm_kvm_hook *hook = kvm->hook;
	void *context = kvm->hook_context;
	pthread_mutex_unlock(&kvm->lock);
	return hook != NULL ? hook(context, fd, request, argument, value) : 0;
}

static int dispatch(struct arm_kvm *kvm, int fd, unsigned long request, void *argument)
{
	struct object *object = find(kvm, fd);
	int value = 0;

	if (object == NULL) {
		return fcntl(fd, F_GETFD) < 0 ? -EBADF : -ENOTTY;
	}
	atomic_fetch_add(&kvm->ioctls, 1);
	const int said = ask_hook(kvm, fd, request, argument, &value);
	if (said != 0) {
		return said == ARM_KVM_DONE ? value : -said;
	}
	switch (object->kind) {
	case OBJECT_SYSTEM:
		return system_ioctl(kvm, request, argument);
	case OBJECT_VM:
		return vm_ioctl(object->of, request, argument);
	default:
		return arm_vcpu_ioctl(object->of, request, argument);
	}
}

int arm_kvm_ioctl(void *context, int fd, unsigned long request, void *argument)
{
	const int value = dispatch(context, fd, request, argument);

	if (value < 0) {
		errno = -value;
		return -1;
	}
	return value;
}

/* --- For the test. */
void arm_kvm_load(struct arm_kvm *kvm, int vm_fd, uint64_t base,
		  const struct arm_instruction *program, size_t count)
{
	struct arm_vm *vm = find_kind(kvm, vm_fd, OBJECT_VM);

	pthread_mutex_lock(&vm->config);
	const uint32_t n = atomic_load(&vm->program_count);
	if (n == ARM_PROGRAMS) {
		arm_die("too many programs");
	}
	vm->programs[n] = (struct arm_program){base, program, count};
	atomic_store(&vm->program_count, n + 1);
	pthread_mutex_unlock(&vm->config);
}

void arm_kvm_interrupt(struct arm_kvm *kvm, int vcpu_fd)
{
	struct arm_vcpu *vcpu = find_kind(kvm, vcpu_fd, OBJECT_VCPU);

	pthread_mutex_lock(&vcpu->vm->power);
	vcpu->interrupt = true;
	pthread_mutex_unlock(&vcpu->vm->power);
	arm_vcpu_wake(vcpu);
}

static void add_counts(struct arm_vcpu_counts *sum, struct arm_vcpu *vcpu)
{
	sum->runs += vcpu->counts.runs;
	sum->instructions += vcpu->counts.instructions;
	sum->gets += vcpu->counts.gets;
	sum->sets += vcpu->counts.sets;
	for (unsigned int n = 0; n < 18; n++) {
		sum->got[n] += vcpu->counts.got[n];
		sum->wrote[n] += vcpu->counts.wrote[n];
	}
	sum->inits += vcpu->counts.inits;
	sum->foreign += vcpu->counts.foreign;
	sum->others += vcpu->counts.others;
	sum->lost += vcpu->counts.lost;
}

struct arm_vcpu_counts arm_kvm_vcpu_counts(struct arm_kvm *kvm, int vcpu_fd)
{
	struct arm_vcpu_counts sum = {0};

	add_counts(&sum, find_kind(kvm, vcpu_fd, OBJECT_VCPU));
	return sum;
}

struct arm_vcpu_counts arm_kvm_counts(struct arm_kvm *kvm)
{
	struct arm_vcpu_counts sum = {0};

	pthread_mutex_lock(&kvm->lock);
	for (struct object *object = kvm->objects; object != NULL; object = object->next) {
		if (object->kind == OBJECT_VCPU) {
			add_counts(&sum, object->of);
		}
	}
	pthread_mutex_unlock(&kvm->lock);
	return sum;
}

uint64_t arm_kvm_ioctls(struct arm_kvm *kvm)
{
	return kvm->ioctls;
}

uint32_t arm_kvm_mp_state(struct arm_kvm *kvm, int vcpu_fd)
{
	struct arm_vcpu *vcpu = find_kind(kvm, vcpu_fd, OBJECT_VCPU);

	pthread_mutex_lock(&vcpu->vm->power);
	const uint32_t state = vcpu->mp_state;
	pthread_mutex_unlock(&vcpu->vm->power);
	return state;
}

struct arm_guest arm_kvm_peek(struct arm_kvm *kvm, int vcpu_fd, uint32_t *mp_state)
{
	struct arm_vcpu *vcpu = find_kind(kvm, vcpu_fd, OBJECT_VCPU);

	pthread_mutex_lock(&vcpu->vm->power);
	if (mp_state != NULL) {
		*mp_state = vcpu->mp_state;
	}
	pthread_mutex_unlock(&vcpu->vm->power);
	return vcpu->guest;
}
