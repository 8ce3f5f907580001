/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM that knows of no made-up kernel but for its guest's program. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "../../src/kvm/host/uapi.h"
#include "arm_kvm.h"
#include "cmocka_all.h"

static void test_vmm(void **state)
{
	static const struct arm_instruction program[] = {ARM_MOV(0, 0x84000000u), ARM_HVC,
							 ARM_STORE(0, 0x9000)};
	struct kvm_vcpu_init init;
	struct kvm_run *run;
	int number;

	(void)state;
	const int system = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	assert_true(system >= 0);
	assert_int_equal(ioctl(system, KVM_GET_API_VERSION, 0), 12);
	const int bytes = ioctl(system, KVM_GET_VCPU_MMAP_SIZE, 0);
	const int vm = ioctl(system, KVM_CREATE_VM, 0);
	const int vcpu = (int)syscall(SYS_ioctl, vm, KVM_CREATE_VCPU, 0L, 1L, 2L, 3L);
	assert_true(vcpu >= 0);
	run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	assert_ptr_not_equal(run, MAP_FAILED);
	assert_int_equal(ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init), 0);
	init.features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2;
	assert_int_equal(ioctl(vcpu, KVM_ARM_VCPU_INIT, &init), 0);
	arm_kvm_load(arm_kvm_shared(), vm, 0, program, COUNT_OF(program));
	assert_int_equal(ioctl(vcpu, KVM_RUN, 0), 0);
	assert_int_equal(run->exit_reason, KVM_EXIT_MMIO);
	assert_int_equal(run->mmio.data[0] | run->mmio.data[2] << 16, 0x10001);
	/* What is not KVM's goes where it always goes. */
	errno = 0;
	assert_int_equal(ioctl(-1, KVM_RUN, 0), -1);
	assert_int_equal(errno, EBADF);
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	assert_int_equal(ioctl(ends[0], FIONREAD, &number), 0);
	assert_int_equal(number, 3);
	assert_int_equal(open("/no such file", O_RDONLY), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(syscall(SYS_getpid), getpid());
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_vmm)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
