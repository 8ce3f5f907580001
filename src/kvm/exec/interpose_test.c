/* SPDX-License-Identifier: BSD-2-Clause */
/* The interposer on a made-up KVM: a VMM's ioctls on descriptors that it duplicates, closes and uses again. */
#define _GNU_SOURCE
#include "interpose.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include "vmm_test.h"

#define STD_BMAP 0x6030000000160000ull
#define VERSION  0x84000000u
#define POLICY   "psci: \"1.0\"\nservices: {trng: off}\n" VMM_TO_HANDLER("", "250ms")

static struct guest_log told;
static const struct arm_instruction program[] = {GUEST_CALL(VERSION, 0, 0, 0), GUEST_LOG(told),
						 GUEST_CALL(VMM_FREE_ID, 0, 0, 0), GUEST_LOG(told),
						 GUEST_DONE};
static const struct vmm_setup setup = {.policy = POLICY};
static struct vmm vmm; /* kernel and plan; its library is not used */
static struct exec_shared *shared;
static const uint64_t cookie[3] = {11, 22, 33};
static atomic_uint nexts, raws, closes;
static unsigned int vms;
static int kvm_fd;

static int next_ioctl(int fd, unsigned long request, void *argument)
{
	atomic_fetch_add(&nexts, 1);
	return arm_kvm_ioctl(vmm.fake, fd, request, argument);
}

static int raw_ioctl(int fd, unsigned long request, void *argument, const uint64_t with[3])
{
	assert_memory_equal(with, cookie, sizeof(cookie));
	atomic_fetch_add(&raws, 1);
	return arm_kvm_ioctl(vmm.fake, fd, request, argument);
}

static int next_close(int fd)
{
	atomic_fetch_add(&closes, 1);
	return close(fd);
}

static int enter(void **state)
{
	static const struct interpose_system system = {
		.next = next_ioctl, .raw = raw_ioctl, .close = next_close};
	char why[500] = "";

	if (vmm_enter(state) != 0) {
		return -1;
	}
	vmm_begin(&vmm, &setup);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	memcpy(shared->cookie, cookie, sizeof(cookie));
	assert_true(interpose_start(&system, shared, vmm.plan, vmm.plan_bytes, -1, -1, why,
				    sizeof(why)));
	assert_int_equal(shared->stage, EXEC_LOADED);
	kvm_fd = arm_kvm_open(vmm.fake);
	return 0;
}

static int leave(void **state)
{
	close(kvm_fd);
	munmap(shared, sizeof(*shared));
	vmm_free(&vmm);
	return vmm_leave(state);
}

/* --- The VMM. */
static void close_fd(int fd)
{
	interpose_closing(fd);
	close(fd);
}

static int duplicate(int fd, int least)
{
	const int other = fcntl(fd, F_DUPFD_CLOEXEC, least);

	interpose_duplicated(fd, other);
	return other;
}

static int new_vm(void)
{
	const int fd = interpose_ioctl(kvm_fd, KVM_CREATE_VM, NULL);

	assert_true(fd >= 0);
	vms++;
	arm_kvm_load(vmm.fake, fd, VMM_ENTRY, program, COUNT_OF(program));
	return fd;
}

static int one_reg(int fd, unsigned long request, uint64_t id, uint64_t *value)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)value};

	return interpose_ioctl(fd, request, &reg) == 0 ? 0 : errno;
}

static int new_vcpu(int vm)
{
	struct kvm_vcpu_init init = {.target = 5, .features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2};
	const int fd = interpose_ioctl(vm, KVM_CREATE_VCPU, NULL);
	uint64_t pc = VMM_ENTRY;

	assert_true(fd >= 0);
	assert_int_equal(interpose_ioctl(fd, KVM_ARM_VCPU_INIT, &init), 0);
	assert_int_equal(one_reg(fd, KVM_SET_ONE_REG, UAPI_CORE_PC, &pc), 0);
	return fd;
}

static void assert_runs(int vcpu)
{
	told.count = 0;
	assert_int_equal(interpose_ioctl(vcpu, KVM_RUN, NULL), 0);
	assert_int_equal(told.count, 2);
	assert_int_equal(told.x[0][0], 0x10000);
	assert_int_equal(told.x[1][0], STATUS(-1));
}

/* --- Tests. */
static void test_runs(void **state)
{
	const int vm = new_vm(), vcpu = new_vcpu(vm);

	(void)state;
	assert_int_equal(shared->pid, getpid());
	assert_runs(vcpu);
	assert_int_equal(shared->stage, EXEC_APPLIED);
	assert_int_equal(shared->vcpu_count, 1);
	close_fd(vcpu);
	close_fd(vm);
}

/* What is not ours goes on as it came: once, with its errno. */
static void test_passes(void **state)
{
	struct kvm_device_attr attr = {.group = 7};
	const int vm = new_vm(), vcpu = new_vcpu(vm);
	const unsigned int before = raws;

	(void)state;
	atomic_store(&nexts, 0);
	assert_int_equal(interpose_ioctl(kvm_fd, KVM_GET_API_VERSION, NULL), 12);
	assert_int_equal(interpose_ioctl(vm, KVM_HAS_DEVICE_ATTR, &attr), -1);
	assert_int_equal(errno, ENXIO);
	assert_int_equal(interpose_ioctl(vcpu, KVM_SET_SIGNAL_MASK, NULL), 0);
	assert_int_equal(interpose_ioctl(0, KVM_RUN, NULL), -1);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(interpose_ioctl(-1, KVM_RUN, NULL), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(nexts, 5);
	assert_int_equal(raws, before);
	close_fd(vcpu);
	close_fd(vm);
}

/* The policy's filter and registers are not the VMM's. */
static void test_refuses(void **state)
{
	const struct uapi_smccc_filter range = {.base = VERSION, .nr_functions = 1};
	struct kvm_device_attr attr = {.addr = (uintptr_t)&range};
	const int vm = new_vm(), vcpu = new_vcpu(vm);
	const uint32_t whys = shared->whys;
	uint64_t one = 1;

	(void)state;
	assert_int_equal(interpose_ioctl(vm, KVM_SET_DEVICE_ATTR, &attr), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(shared->whys, whys + 1);
	assert_string_not_equal(shared->why, "");
	attr.group = 7;
	assert_int_equal(interpose_ioctl(vm, KVM_SET_DEVICE_ATTR, &attr), -1);
	assert_int_equal(errno, ENXIO);
	assert_int_equal(one_reg(vcpu, KVM_SET_ONE_REG, STD_BMAP, &one), EINVAL);
	close_fd(vcpu);
	close_fd(vm);
}

static void test_no_argument(void **state)
{
	static const unsigned long requests[] = {KVM_GET_ONE_REG,  KVM_SET_ONE_REG,
						 KVM_GET_REG_LIST, KVM_GET_MP_STATE,
						 KVM_SET_MP_STATE, KVM_ARM_VCPU_INIT};
	const int vm = new_vm(), vcpu = new_vcpu(vm);

	(void)state;
	for (size_t n = 0; n < COUNT_OF(requests); n++) {
		errno = 0;
		assert_int_equal(interpose_ioctl(vcpu, requests[n], NULL), -1);
		assert_int_equal(errno, EFAULT);
	}
	assert_int_equal(interpose_ioctl(vm, KVM_ENABLE_CAP, NULL), -1);
	assert_int_equal(errno, EFAULT);
	assert_int_equal(interpose_ioctl(vm, KVM_SET_DEVICE_ATTR, NULL), -1);
	assert_int_equal(errno, EFAULT);
	close_fd(vcpu);
	close_fd(vm);
}

/* A VM is what it is by any descriptor, as long as there is one; and no longer. */
static void test_duplicates(void **state)
{
	const int vm = new_vm(), vcpu = new_vcpu(vm);
	const int other = duplicate(vcpu, 300), other_vm = duplicate(vm, 400);
	uint64_t one = 1;

	(void)state;
	assert_int_equal(one_reg(other, KVM_SET_ONE_REG, STD_BMAP, &one), EINVAL);
	close_fd(vcpu);
	close_fd(vm);
	assert_int_equal(one_reg(other, KVM_SET_ONE_REG, STD_BMAP, &one), EINVAL);
	assert_runs(other);
	close_fd(other_vm); /* the vCPU keeps it */
	assert_int_equal(one_reg(other, KVM_SET_ONE_REG, STD_BMAP, &one), EINVAL);
	close_fd(other);
	/* Their numbers are anybody's now. */
	const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(dup3(file, other, O_CLOEXEC), other);
	interpose_duplicated(file, other);
	assert_int_equal(interpose_ioctl(other, KVM_RUN, NULL), -1);
	assert_int_equal(errno, ENOTTY);
	close_fd(other);
	close_fd(file);
	const int again = new_vm(), again_vcpu = new_vcpu(again);
	assert_runs(again_vcpu);
	close_fd(again_vcpu);
	close_fd(again);
}

/* A file is put over a descriptor of a vCPU's. */
static void test_put_over(void **state)
{
	const int vm = new_vm(), vcpu = new_vcpu(vm), other = duplicate(vcpu, 300);
	const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uint64_t one = 1;

	(void)state;
	assert_int_equal(dup3(file, other, O_CLOEXEC), other);
	interpose_duplicated(file, other);
	assert_int_equal(interpose_ioctl(other, KVM_RUN, NULL), -1);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(one_reg(vcpu, KVM_SET_ONE_REG, STD_BMAP, &one), EINVAL);
	assert_runs(vcpu);
	close_fd(vcpu);
	close_fd(other);
	close_fd(file);
	close_fd(vm);
}

/* Threads that duplicate, use and close. */
enum { LAPS = 500 };
struct lapper {
	int fd, least;
	unsigned int wrong;
};

static void *do_laps(void *context)
{
	struct lapper *lapper = context;

	for (unsigned int n = 0; n < LAPS; n++) {
		const int fd = duplicate(lapper->fd, lapper->least);
		uint64_t value = 1;

		lapper->wrong += one_reg(fd, KVM_SET_ONE_REG, STD_BMAP, &value) != EINVAL;
		lapper->wrong += one_reg(fd, KVM_GET_ONE_REG, STD_BMAP, &value) != 0 || value != 0;
		close_fd(fd);
	}
	return NULL;
}

static void test_threads(void **state)
{
	const int vm = new_vm(), vcpu = new_vcpu(vm);
	struct lapper lappers[] = {{.fd = vcpu, .least = 300}, {.fd = vcpu, .least = 500}};
	pthread_t threads[2];

	(void)state;
	for (unsigned int n = 0; n < 2; n++) {
		pthread_create(&threads[n], NULL, do_laps, &lappers[n]);
	}
	for (unsigned int n = 0; n < 2; n++) {
		pthread_join(threads[n], NULL);
		assert_int_equal(lappers[n].wrong, 0);
	}
	assert_runs(vcpu);
	close_fd(vcpu);
	close_fd(vm);
}

/* --- How it ends: the order of these is that of main(). */
static void test_other_process(void **state)
{
	(void)state;
	shared->pid = getppid();
	assert_int_equal(interpose_ioctl(kvm_fd, KVM_CREATE_VM, NULL), -1);
	assert_int_equal(errno, EPERM);
	shared->pid = getpid();
}

static int count_vms(void *context, int fd, unsigned long request, void *argument, int *value)
{
	unsigned int *count = context;

	(void)fd, (void)argument, (void)value;
	*count += request == KVM_CREATE_VM;
	return 0;
}

/* The kernel is not asked: one that can would make it. */
static void test_protected(void **state)
{
	unsigned int made = 0;

	(void)state;
	arm_kvm_set_hook(vmm.fake, count_vms, &made);
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): the VM's type is ioctl()'s third argument */
	void *const type = (void *)(uintptr_t)(KVM_VM_TYPE_ARM_PROTECTED | 40);
	assert_int_equal(interpose_ioctl(kvm_fd, KVM_CREATE_VM, type), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(made, 0);
	assert_non_null(strstr(shared->why, "protected VM"));
	close_fd(new_vm());
	assert_int_equal(made, 1);
	arm_kvm_set_hook(vmm.fake, NULL, NULL);
}

static int lie_set(void *context, int fd, unsigned long request, void *argument, int *value)
{
	const struct kvm_one_reg *reg = argument;

	(void)context, (void)fd;
	*value = 0;
	return request == KVM_SET_ONE_REG && reg->id == STD_BMAP ? ARM_KVM_DONE : 0;
}

static void test_not_applied(void **state)
{
	const uint64_t runs = arm_kvm_counts(vmm.fake).runs;

	(void)state;
	arm_kvm_set_hook(vmm.fake, lie_set, NULL);
	const int vm = new_vm(), vcpu = new_vcpu(vm);
	assert_int_equal(interpose_ioctl(vcpu, KVM_RUN, NULL), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(arm_kvm_counts(vmm.fake).runs, runs);
	assert_int_equal(shared->stage, EXEC_REFUSED);
	arm_kvm_set_hook(vmm.fake, NULL, NULL);
	close_fd(vcpu);
	close_fd(vm);
}

static void test_too_many(void **state)
{
	const unsigned int before = closes;

	(void)state;
	while (vms < EXEC_VMS) {
		close_fd(new_vm());
	}
	assert_int_equal(interpose_ioctl(kvm_fd, KVM_CREATE_VM, NULL), -1);
	assert_int_equal(errno, EMFILE);
	assert_int_equal(closes, before + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs),       cmocka_unit_test(test_passes),
		cmocka_unit_test(test_refuses),    cmocka_unit_test(test_no_argument),
		cmocka_unit_test(test_duplicates), cmocka_unit_test(test_put_over),
		cmocka_unit_test(test_threads),    cmocka_unit_test(test_other_process),
		cmocka_unit_test(test_protected),  cmocka_unit_test(test_not_applied),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
