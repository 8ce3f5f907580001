/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM for tests of the KVM host. */
#define _GNU_SOURCE
#include "vmm_test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include "plan_make.h"
#include "policy_test.h"

#define RUN_BYTES 8192
#define TARGET    5

/* --- The plan. */
int vmm_enter(void **state)
{
	return test_enter(state);
}

static int by_base(const void *a, const void *b)
{
	const struct hvc_plan_range *one = a, *other = b;

	return one->base < other->base ? -1 : one->base > other->base;
}

/* The plan's ranges, and those that the test wants besides: a guest cannot tell who answers. */
static void add_ranges(struct hvc_plan *plan, const uint32_t *forward)
{
	const struct hvc_plan_range *ranges = plan->ranges;
	size_t count = 0;

	while (forward != NULL && forward[count] != 0) {
		count++;
	}
	plan->ranges = calloc(plan->range_count + count + 1, sizeof(ranges[0]));
	assert_non_null(plan->ranges);
	for (size_t n = 0; n < plan->range_count; n++) {
		plan->ranges[n] = ranges[n];
	}
	for (size_t n = 0; n < count; n++) {
		plan->ranges[plan->range_count++] = (struct hvc_plan_range){
			.base = forward[n], .count = 1, .action = HVC_FORWARD};
	}
	qsort(plan->ranges, plan->range_count, sizeof(plan->ranges[0]), by_base);
}

/* The last policy and its plan: tests make many machines of one. */
static struct {
	char text[4000], host[40];
	struct hvc_policy *policy;
	struct hvc_plan *plan;
	struct hvc_image *image;
} last;

static void forget_last(void)
{
	free(last.image);
	hvc_plan_free(last.plan);
	hvc_policy_free(last.policy);
	memset(&last, 0, sizeof(last));
}

static void plan_for(const char *text, const char *host_name)
{
	struct hvc_plan_host host;
	char why[500];

	if (last.policy != NULL && strcmp(last.text, text) == 0 &&
	    strcmp(last.host, host_name) == 0) {
		return;
	}
	forget_last();
	snprintf(last.text, sizeof(last.text), "%s", text);
	snprintf(last.host, sizeof(last.host), "%s", host_name);
	last.policy = test_policy_warned(text);
	if (!hvc_plan_host_find(&host, host_name, why, sizeof(why))) {
		fail_msg("%s", why);
	}
	assert_int_equal(hvc_plan_make(last.policy, &host, &last.plan), HVC_OK);
	assert_int_equal(hvc_plan_image(last.policy, &host, &last.image), HVC_OK);
	json_decref((json_t *)(uintptr_t)host.record);
}

static void make_plan(struct vmm *vmm, const char *host_name)
{
	const struct vmm_setup *setup = vmm->setup;
	char text[4000];

	snprintf(text, sizeof(text), "%s%s", setup->head != NULL ? setup->head : VMM_HEAD,
		 setup->policy != NULL ? setup->policy : "");
	plan_for(text, host_name);
	struct hvc_plan plan = *last.plan;
	add_ranges(&plan, setup->forward);
	const struct plan_parts parts = {.policy = last.policy, .plan = &plan, .image = last.image};
	assert_int_equal(plan_bytes_pack(&parts, &vmm->plan, &vmm->plan_bytes), HVC_OK);
	free(plan.ranges);
}

int vmm_leave(void **state)
{
	forget_last();
	return test_leave(state);
}

void vmm_begin(struct vmm *vmm, const struct vmm_setup *setup)
{
	const char *host = setup->host != NULL ? setup->host : "linux-6.12";
	struct hvc_kvm_options options = {.size = sizeof(options), .ioctl = arm_kvm_ioctl};
	char why[500] = "";

	memset(vmm, 0, sizeof(*vmm));
	vmm->setup = setup;
	vmm->count = setup->cpus != 0 ? setup->cpus : 1;
	vmm->fake = arm_kvm_new(host);
	make_plan(vmm, host);
	options.ioctl_context = vmm->fake;
	options.channel = setup->desk != NULL ? &setup->desk->channel : NULL;
	if (hvc_kvm_new(vmm->plan, vmm->plan_bytes, &options, &vmm->kvm, why, sizeof(why)) !=
	    HVC_OK) {
		fail_msg("%s", why);
	}
}

/* --- The VM. */
int vmm_ioctl(struct vmm *vmm, int fd, unsigned long request, void *argument)
{
	const int value = arm_kvm_ioctl(vmm->fake, fd, request, argument);

	return value < 0 ? -errno : value;
}

static int new_vcpu(struct vmm *vmm, unsigned int number)
{
	struct vmm_cpu *cpu = &vmm->cpus[number];

	cpu->vmm = vmm;
	cpu->fd = vmm_ioctl(vmm, vmm->vm_fd, KVM_CREATE_VCPU, (void *)(uintptr_t)number);
	if (cpu->fd < 0) {
		return -cpu->fd;
	}
	cpu->run = mmap(NULL, RUN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
	assert_ptr_not_equal(cpu->run, MAP_FAILED);
	cpu->vcpu = hvc_kvm_vcpu_new(vmm->vm, number, cpu->fd, cpu->run);
	return cpu->vcpu != NULL ? 0 : errno;
}

static int init_vcpu(struct vmm *vmm, unsigned int number)
{
	struct kvm_vcpu_init init = {.target = TARGET,
				     .features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2 |
						    (number != 0 ? 1u << KVM_ARM_VCPU_POWER_OFF
								 : 0)};
	init.features[0] &= ~vmm->setup->features_off;
	int error = hvc_kvm_vcpu_init(vmm->cpus[number].vcpu, &init);

	return error != 0 || number != 0 ? error : vmm_set(vmm, 0, UAPI_CORE_PC, VMM_ENTRY);
}

static void load(struct vmm *vmm)
{
	const struct vmm_setup *setup = vmm->setup;

	if (setup->program != NULL) {
		arm_kvm_load(vmm->fake, vmm->vm_fd, VMM_ENTRY, setup->program, setup->count);
	}
	if (setup->program2 != NULL) {
		arm_kvm_load(vmm->fake, vmm->vm_fd, VMM_ENTRY2, setup->program2, setup->count2);
	}
}

int vmm_make(struct vmm *vmm)
{
	const int system = arm_kvm_open(vmm->fake);
	int error = 0;

	memset(vmm->cpus, 0, sizeof(vmm->cpus));
	vmm->vm_fd = vmm_ioctl(vmm, system, KVM_CREATE_VM, NULL);
	close(system);
	if (vmm->vm_fd < 0) {
		return -vmm->vm_fd;
	}
	vmm->vm = hvc_kvm_vm_new(vmm->kvm, vmm->vm_fd);
	if (vmm->vm == NULL) {
		return errno;
	}
	load(vmm);
	for (unsigned int n = 0; n < vmm->count && error == 0; n++) {
		error = new_vcpu(vmm, n);
	}
	for (unsigned int n = 0; n < vmm->count && error == 0; n++) {
		error = init_vcpu(vmm, n);
	}
	return error;
}

void vmm_new(struct vmm *vmm, const struct vmm_setup *setup)
{
	vmm_begin(vmm, setup);
	const int error = vmm_make(vmm);
	if (error != 0) {
		fail_msg("%s: %s", strerror(error), hvc_kvm_why());
	}
}

void vmm_drop(struct vmm *vmm)
{
	for (unsigned int n = 0; n < VMM_CPUS; n++) {
		struct vmm_cpu *cpu = &vmm->cpus[n];

		assert_false(cpu->started);
		assert_int_equal(cpu->hypercalls, 0);
		hvc_kvm_vcpu_free(cpu->vcpu);
		if (cpu->run != NULL) {
			munmap(cpu->run, RUN_BYTES);
		}
		if (cpu->fd > 0) {
			close(cpu->fd);
		}
	}
	hvc_kvm_vm_free(vmm->vm);
	if (vmm->vm_fd > 0) {
		close(vmm->vm_fd);
	}
	memset(vmm->cpus, 0, sizeof(vmm->cpus));
	vmm->vm = NULL;
	vmm->vm_fd = 0;
}

void vmm_free(struct vmm *vmm)
{
	const struct arm_vcpu_counts counts = arm_kvm_counts(vmm->fake);

	vmm_drop(vmm);
	hvc_kvm_free(vmm->kvm);
	free(vmm->plan);
	arm_kvm_free(vmm->fake);
	assert_int_equal(counts.foreign, 0);
	assert_int_equal(counts.lost, 0);
}

const uint64_t vmm_answer[4] = {5, 6, 7, 8};

void vmm_call(struct vmm *vmm, const struct vmm_setup *setup, struct guest_log *told)
{
	told->count = 0;
	desk_init(setup->desk);
	vmm_new(vmm, setup);
	vmm_start(vmm, 0);
}

void vmm_answered(struct vmm *vmm, const struct guest_log *told)
{
	vmm_join(vmm, 0);
	assert_int_equal(told->count, 1);
	assert_memory_equal(told->x[0], vmm_answer, sizeof(vmm_answer));
	assert_int_equal(desk_sent(vmm->setup->desk), 1);
}

uint64_t vmm_get(struct vmm *vmm, unsigned int cpu, uint64_t id)
{
	uint64_t value = 0;
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)&value};

	assert_int_equal(vmm_ioctl(vmm, vmm->cpus[cpu].fd, KVM_GET_ONE_REG, &reg), 0);
	return value;
}

int vmm_set(struct vmm *vmm, unsigned int cpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)&value};

	return -vmm_ioctl(vmm, vmm->cpus[cpu].fd, KVM_SET_ONE_REG, &reg);
}

uint32_t vmm_mp_state(struct vmm *vmm, unsigned int cpu)
{
	return arm_kvm_mp_state(vmm->fake, vmm->cpus[cpu].fd);
}

/* --- vCPUs' threads. */
static _Thread_local struct kvm_run *volatile my_run;

/* As kick.c's. */
__attribute__((no_sanitize("thread"))) static void on_stop(int number)
{
	(void)number;
	if (my_run != NULL) {
		__atomic_store_n(&my_run->immediate_exit, 1, __ATOMIC_RELAXED);
	}
}

static void set_state(struct vmm_cpu *cpu, uint32_t state)
{
	atomic_store(&cpu->state, state);
	wake_word(&cpu->state);
}

/* EINTR: false if the thread is to end. */
static bool stand_still(struct vmm_cpu *cpu)
{
	__atomic_store_n(&cpu->run->immediate_exit, 0, __ATOMIC_RELAXED);
	if (!atomic_load(&cpu->stop)) {
		atomic_fetch_add(&cpu->spurious, 1);
		return true;
	}
	atomic_fetch_add(&cpu->stopped, 1);
	set_state(cpu, VMM_STANDS);
	while (atomic_load(&cpu->state) == VMM_STANDS || atomic_load(&cpu->state) == VMM_WORKS) {
		if (atomic_load(&cpu->state) == VMM_WORKS) {
			cpu->error = init_vcpu(cpu->vmm, (unsigned int)(cpu - cpu->vmm->cpus));
			set_state(cpu, VMM_STANDS);
		}
		wait_word(&cpu->state, VMM_STANDS, -1);
	}
	return atomic_load(&cpu->state) == VMM_RUNS;
}

/* False: the thread ends. */
static bool take_exit(struct vmm_cpu *cpu)
{
	const struct kvm_run *run = cpu->run;

	switch (run->exit_reason) {
	case KVM_EXIT_MMIO:
		cpu->done = run->mmio.phys_addr == VMM_DONE;
		atomic_fetch_add(&cpu->exits, 1);
		return !cpu->done;
	case KVM_EXIT_SYSTEM_EVENT:
		cpu->event = run->system_event.type;
		cpu->event_flags = run->system_event.ndata != 0 ? run->system_event.data[0] : 0;
		return false;
	case KVM_EXIT_HYPERCALL:
		cpu->hypercalls++;
		return true;
	default:
		return false;
	}
}

static void *cpu_main(void *context)
{
	struct vmm_cpu *cpu = context;
	bool goes_on = true;

	my_run = cpu->run;
	set_state(cpu, VMM_RUNS);
	while (goes_on) {
		cpu->error = hvc_kvm_run(cpu->vcpu);
		goes_on = cpu->error == 0       ? take_exit(cpu)
			  : cpu->error == EINTR ? stand_still(cpu)
						: false;
	}
	my_run = NULL;
	set_state(cpu, VMM_ENDED);
	return NULL;
}

void vmm_start(struct vmm *vmm, unsigned int number)
{
	const struct sigaction action = {.sa_handler = on_stop};
	struct vmm_cpu *cpu = &vmm->cpus[number];

	sigaction(SIGUSR1, &action, NULL);
	cpu->done = false;
	cpu->event = 0;
	atomic_store(&cpu->stop, false);
	atomic_store(&cpu->state, VMM_STARTS);
	cpu->started = true;
	assert_int_equal(pthread_create(&cpu->thread, NULL, cpu_main, cpu), 0);
	while (atomic_load(&cpu->state) == VMM_STARTS) {
		wait_word(&cpu->state, VMM_STARTS, -1);
	}
}

void vmm_join(struct vmm *vmm, unsigned int number)
{
	pthread_join(vmm->cpus[number].thread, NULL);
	vmm->cpus[number].started = false;
}

void vmm_run(struct vmm *vmm)
{
	for (unsigned int n = 0; n < vmm->count; n++) {
		vmm_start(vmm, n);
	}
	vmm_join(vmm, 0);
	for (unsigned int n = 1; n < vmm->count; n++) {
		vmm_end(vmm, n);
	}
}

bool vmm_stop(struct vmm *vmm, unsigned int number)
{
	struct vmm_cpu *cpu = &vmm->cpus[number];

	atomic_store(&cpu->stop, true);
	pthread_kill(cpu->thread, SIGUSR1);
	while (atomic_load(&cpu->state) == VMM_RUNS) {
		wait_word(&cpu->state, VMM_RUNS, -1);
	}
	atomic_store(&cpu->stop, false);
	return atomic_load(&cpu->state) == VMM_STANDS;
}

void vmm_go(struct vmm *vmm, unsigned int number)
{
	set_state(&vmm->cpus[number], VMM_RUNS);
}

void vmm_reset(struct vmm *vmm, unsigned int number)
{
	struct vmm_cpu *cpu = &vmm->cpus[number];

	set_state(cpu, VMM_WORKS);
	while (atomic_load(&cpu->state) == VMM_WORKS) {
		wait_word(&cpu->state, VMM_WORKS, -1);
	}
	assert_int_equal(cpu->error, 0);
}

void vmm_end(struct vmm *vmm, unsigned int number)
{
	if (vmm_stop(vmm, number)) {
		set_state(&vmm->cpus[number], VMM_TO_END);
	}
	vmm_join(vmm, number);
}

/* --- Guest programs. */
void guest_log(struct arm_guest *guest, void *context)
{
	struct guest_log *log = context;
	const uint32_t n = atomic_load(&log->count);

	if (n < VMM_PLACES) {
		memcpy(log->x[n], guest->x, sizeof(log->x[n]));
		atomic_store(&log->count, n + 1);
	}
}

void guest_interrupt(struct arm_guest *guest, void *vmm)
{
	const struct vmm *in = vmm;

	arm_kvm_interrupt(in->fake, in->cpus[guest->vcpu].fd);
}

uint64_t guest_pattern(unsigned int n)
{
	return 0x1111111111111111ull * (n % 15 + 1) ^ n;
}

void guest_paint(struct arm_guest *guest, void *context)
{
	(void)context;
	for (unsigned int n = 4; n < 31; n++) {
		guest->x[n] = guest_pattern(n);
	}
}

void guest_raise(struct arm_guest *guest, void *flag)
{
	(void)guest;
	atomic_fetch_add((atomic_uint *)flag, 1);
}
