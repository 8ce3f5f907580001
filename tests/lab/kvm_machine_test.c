// SPDX-License-Identifier: BSD-2-Clause
// The machine on /dev/kvm (src/kvm) does what machine.h says, on the kernel that it runs on. One line a failure; then
// `N passed, N failed, N skipped`. With the argument "all" also what takes long; with "time": what
// machines and calls cost, instead.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "../../src/kvm/machine.h"

/* IDs, from the catalogue. */
#define PSCI_VERSION     (hvc_function_at(HVC_FN_PSCI_VERSION)->id32)
#define CPU_SUSPEND      (hvc_function_at(HVC_FN_PSCI_CPU_SUSPEND)->id64)
#define CPU_OFF          (hvc_function_at(HVC_FN_PSCI_CPU_OFF)->id32)
#define CPU_ON           (hvc_function_at(HVC_FN_PSCI_CPU_ON)->id64)
#define SYSTEM_OFF       (hvc_function_at(HVC_FN_PSCI_SYSTEM_OFF)->id32)
#define SYSTEM_SUSPEND   (hvc_function_at(HVC_FN_PSCI_SYSTEM_SUSPEND)->id64)
#define SMCCC_VERSION    (hvc_function_at(HVC_FN_SMCCC_VERSION)->id32)
#define PV_TIME_ST       (hvc_function_at(HVC_FN_PV_TIME_ST)->id64)
#define NO_FUNCTION      0x8400ffffu
#define NOT_SUPPORTED    UINT64_MAX
#define INTERNAL_FAILURE ((uint64_t)-6)
#define ALREADY_ON       ((uint64_t)-4)

#define MPIDR_EL1        0x603000000013c005ull
#define FW_PSCI          0x6030000000140000ull
#define SCTLR_EL1        0x603000000013c080ull
#define STD_BITMAP       0x6030000000160000ull
#define CORE(n)          (0x6030000000100000ull + 2ull * (n))
#define FILTER_GROUP     0u
#define FORWARD          2u

static unsigned int passed, failures, skipped;
static char why[256];

static void equal(uint64_t got, uint64_t wanted, const char *what)
{
	if (got == wanted) {
		passed++;
		return;
	}
	failures++;
	if (failures <= 20) {
		printf("failed: %s: 0x%llx, not 0x%llx\n", what, (unsigned long long)got,
		       (unsigned long long)wanted);
	}
}

static struct kvm_machine *machine_new(unsigned int cpus)
{
	const struct kvm_machine_config config = {.cpus = cpus, .psci_0_2 = true};
	struct kvm_machine *machine = kvm_machine_new(&config, why, sizeof(why));

	if (machine == NULL) {
		printf("failed: %s\n", why);
		exit(1);
	}
	return machine;
}

static struct hvc_frame frame_of(uint64_t id, uint64_t a, uint64_t b, uint64_t c)
{
	struct hvc_frame frame = {.x = {id, a, b, c}};

	for (unsigned int n = 4; n < HVC_FRAME_REGS; n++) {
		frame.x[n] = 0x1111111111111111ull * n + id;
	}
	return frame;
}

static enum kvm_stop_kind call(struct kvm_machine *machine, unsigned int cpu, uint64_t id,
			       uint64_t a, uint64_t b, uint64_t c, uint64_t *x0)
{
	struct hvc_frame frame = frame_of(id, a, b, c);
	struct kvm_stop stop;

	kvm_machine_call(machine, cpu, HVC_CONDUIT_HVC, 0, &frame, &stop);
	*x0 = frame.x[0];
	return stop.kind;
}

static void test_calls(void)
{
	struct kvm_machine *machine = machine_new(1);
	struct kvm_stop stop;

	for (unsigned int n = 0; n < 4; n++) {
		const uint16_t immediate = (uint16_t)(n < 2 ? 0 : n * 1000);
		struct hvc_frame frame = frame_of(NO_FUNCTION, 1, 2, 3);
		const struct hvc_frame before = frame;

		equal(kvm_machine_call(machine, 0, n % 2 ? HVC_CONDUIT_SMC : HVC_CONDUIT_HVC,
				       immediate, &frame, &stop),
		      true, "call");
		equal(stop.kind, KVM_STOP_DONE, "kind of a call of no function");
		equal(frame.x[0], NOT_SUPPORTED, "x0 of a call of no function");
		equal(memcmp(&frame.x[4], &before.x[4], sizeof(frame.x) - 32), 0, "x4 to x17");
	}
	uint64_t x0;
	equal(call(machine, 0, SMCCC_VERSION, 0, 0, 0, &x0), KVM_STOP_DONE, "SMCCC_VERSION");
	equal(x0, 0x10001, "SMCCC_VERSION");
	equal(call(machine, 0, SYSTEM_OFF, 0, 0, 0, &x0), KVM_STOP_SYSTEM_EVENT, "SYSTEM_OFF");
	equal(x0, INTERNAL_FAILURE, "SYSTEM_OFF's x0");
	struct hvc_frame frame = {{0}};
	equal(kvm_machine_go_on(machine, 0, &frame, 0, &stop), true, "going on");
	equal(stop.kind, KVM_STOP_DONE, "going on");
	equal(frame.x[0], INTERNAL_FAILURE, "SYSTEM_OFF's result");
	kvm_machine_free(machine);
}

static void test_power(void)
{
	struct kvm_machine *machine = machine_new(3);
	struct kvm_stop stop;
	uint64_t x0, pc, mpidr = 0;

	equal(kvm_machine_get_reg(machine, 1, MPIDR_EL1, &mpidr), 0, "MPIDR");
	equal(call(machine, 1, PSCI_VERSION, 0, 0, 0, &x0), KVM_STOP_OFF,
	      "a call of a CPU that is off");
	equal(kvm_machine_arrive(machine, 1, &pc, &x0, &stop), false,
	      "arriving of a CPU that is off");
	for (unsigned int round = 0; round < 3; round++) {
		equal(call(machine, 0, CPU_ON, mpidr & 0xff00ffffff, kvm_machine_label(1),
			   0xabc + round, &x0),
		      KVM_STOP_DONE, "CPU_ON");
		equal(x0, 0, "CPU_ON");
		equal(kvm_machine_arrive(machine, 1, &pc, &x0, &stop), true, "arrive");
		equal(stop.kind, KVM_STOP_DONE, "arrive");
		equal(pc, kvm_machine_label(1), "pc");
		equal(x0, 0xabc + round, "x0");
		equal(kvm_machine_arrive(machine, 1, &pc, &x0, &stop), false, "arriving twice");
		equal(call(machine, 0, CPU_ON, mpidr & 0xff00ffffff, kvm_machine_label(1), 0xabc,
			   &x0),
		      KVM_STOP_DONE, "CPU_ON");
		equal(x0, ALREADY_ON, "CPU_ON");
		equal(call(machine, 1, SMCCC_VERSION, 0, 0, 0, &x0), KVM_STOP_DONE,
		      "SMCCC_VERSION");
		equal(x0, 0x10001, "SMCCC_VERSION on CPU 1");
		equal(call(machine, 1, CPU_OFF, 0, 0, 0, &x0), KVM_STOP_OFF, "CPU_OFF");
	}
	/* An entry where there is no memory, and a call without arriving first. */
	equal(call(machine, 0, CPU_ON, mpidr & 0xff00ffffff, 0xfeedf00d, 7, &x0), KVM_STOP_DONE,
	      "CPU_ON");
	equal(kvm_machine_arrive(machine, 1, &pc, &x0, &stop), true, "arrive");
	equal(pc, 0xfeedf00d, "pc");
	equal(x0, 7, "x0");
	equal(call(machine, 1, SMCCC_VERSION, 0, 0, 0, &x0), KVM_STOP_DONE, "SMCCC_VERSION");
	equal(x0, 0x10001, "SMCCC_VERSION on CPU 1");
	equal(call(machine, 1, CPU_OFF, 0, 0, 0, &x0), KVM_STOP_OFF, "CPU_OFF");
	equal(call(machine, 0, CPU_ON, mpidr & 0xff00ffffff, kvm_machine_label(1), 9, &x0),
	      KVM_STOP_DONE, "CPU_ON");
	equal(call(machine, 1, SMCCC_VERSION, 0, 0, 0, &x0), KVM_STOP_DONE, "SMCCC_VERSION");
	equal(x0, 0x10001, "SMCCC_VERSION on CPU 1, at once");
	/* A system event stops those that are on, and going on starts these only. */
	equal(call(machine, 1, SYSTEM_OFF, 0, 0, 0, &x0), KVM_STOP_SYSTEM_EVENT, "SYSTEM_OFF");
	struct hvc_frame frame = {{0}};
	equal(kvm_machine_go_on(machine, 1, &frame, 0, &stop), true, "going on");
	equal(call(machine, 0, SMCCC_VERSION, 0, 0, 0, &x0), KVM_STOP_DONE, "SMCCC_VERSION");
	equal(call(machine, 2, SMCCC_VERSION, 0, 0, 0, &x0), KVM_STOP_OFF, "CPU 2 stays off");
	kvm_machine_free(machine);
}

static void test_wait(unsigned int rounds)
{
	struct kvm_machine *machine = machine_new(2);
	struct kvm_stop stop;
	uint64_t x0, mpidr = 0;

	equal(kvm_machine_get_reg(machine, 1, MPIDR_EL1, &mpidr), 0, "MPIDR");
	for (unsigned int round = 0; round < rounds; round++) {
		struct hvc_frame frame;

		equal(call(machine, 0, CPU_SUSPEND, 0, 0, 0, &x0), KVM_STOP_BLOCKED, "CPU_SUSPEND");
		equal(kvm_machine_wake(machine, 0, &frame, &stop), true, "wake");
		equal(stop.kind, KVM_STOP_DONE, "wake");
		equal(frame.x[0], 0, "CPU_SUSPEND's result");
		equal(call(machine, 0, CPU_ON, mpidr & 0xff00ffffff, kvm_machine_label(1), 5, &x0),
		      KVM_STOP_DONE, "CPU_ON");
		equal(x0, 0, "CPU_ON");
		equal(call(machine, 1, CPU_OFF, 0, 0, 0, &x0), KVM_STOP_OFF, "CPU_OFF");
		equal(call(machine, 0, NO_FUNCTION, 0, 0, 0, &x0), KVM_STOP_DONE, "no function");
	}
	kvm_machine_free(machine);
}

static int filter(struct kvm_machine *machine, uint32_t base, uint32_t count, uint8_t action)
{
	const struct {
		uint32_t base, count;
		uint8_t action, pad[15];
	} bytes = {.base = base, .count = count, .action = action};

	return kvm_machine_set_attr(machine, FILTER_GROUP, 0, &bytes);
}

static void test_forward(void)
{
	struct kvm_machine *machine = machine_new(2);
	struct kvm_stop stop;

	if (kvm_machine_has_attr(machine, FILTER_GROUP, 0) != 0) {
		skipped++;
		printf("skipped: forwarded calls: this kernel has no filter\n");
		kvm_machine_free(machine);
		return;
	}
	equal(filter(machine, NO_FUNCTION, 1, FORWARD), 0, "filter");
	equal(filter(machine, NO_FUNCTION, 1, FORWARD), EEXIST, "the same again");
	for (unsigned int smc = 0; smc < 2; smc++) {
		struct hvc_frame frame = frame_of(NO_FUNCTION | 0xabcull << 32, 1, 2, 3);
		const struct hvc_frame before = frame;

		kvm_machine_call(machine, 0, smc ? HVC_CONDUIT_SMC : HVC_CONDUIT_HVC, 0, &frame,
				 &stop);
		equal(stop.kind, KVM_STOP_HYPERCALL, "a forwarded call");
		equal(stop.nr, NO_FUNCTION, "nr");
		equal(stop.flags, smc, "flags");
		equal(stop.args_clean, true, "args");
		equal(stop.pc_after, true, "pc");
		equal(memcmp(&frame, &before, sizeof(frame)), 0, "registers at the exit");
		for (unsigned int n = 0; n < HVC_FRAME_REGS; n++) {
			frame.x[n] = 100 + n;
		}
		kvm_machine_go_on(machine, 0, &frame, 0x20002, &stop);
		equal(stop.kind, KVM_STOP_DONE, "going on");
		for (unsigned int n = 0; n < HVC_FRAME_REGS; n++) {
			equal(frame.x[n], n == 1 || n == 17 ? 100 + n : before.x[n],
			      "a register afterwards");
		}
	}
	equal(filter(machine, NO_FUNCTION - 1, 1, FORWARD), EBUSY, "filter after the first run");
	kvm_machine_free(machine);
}

/* Nothing has run before the first call: registers and filter are open until then. */
static void test_first_run(void)
{
	struct kvm_machine *machine = machine_new(2);
	uint64_t x0, value = 0, pc;
	struct kvm_stop stop;

	if (kvm_machine_get_reg(machine, 0, STD_BITMAP, &value) == 0) {
		value = 0;
		equal(kvm_machine_set_reg(machine, 0, STD_BITMAP, &value), 0, "before");
		equal(call(machine, 1, NO_FUNCTION, 0, 0, 0, &x0), KVM_STOP_OFF, "CPU 1 is off");
		equal(kvm_machine_arrive(machine, 1, &pc, &x0, &stop), false, "CPU 1 is off");
		value = 1;
		equal(kvm_machine_set_reg(machine, 1, STD_BITMAP, &value), 0,
		      "after a call of a CPU that is off");
		equal(call(machine, 0, NO_FUNCTION, 0, 0, 0, &x0), KVM_STOP_DONE, "a call");
		value = 0;
		equal(kvm_machine_set_reg(machine, 1, STD_BITMAP, &value), EBUSY, "after it");
	} else {
		skipped++;
		printf("skipped: the first run: this kernel has no bitmap registers\n");
	}
	kvm_machine_free(machine);
}

/* Registers that are set from outside between calls. */
static void test_registers(void)
{
	const struct kvm_machine_config not_ready = {.cpus = 1, .no_init = true};
	struct kvm_machine *machine = kvm_machine_new(&not_ready, why, sizeof(why));
	uint64_t value = 0, *ids = NULL, x0;
	size_t count = 0;

	equal(machine != NULL, true, "a machine without KVM_ARM_VCPU_INIT");
	equal(kvm_machine_get_reg(machine, 0, FW_PSCI, &value), ENOEXEC, "before INIT");
	equal(kvm_machine_list_regs(machine, 0, &ids, &count), ENOEXEC, "before INIT");
	kvm_machine_free(machine);
	machine = machine_new(1);
	equal(kvm_machine_list_regs(machine, 0, &ids, &count), 0, "the list");
	bool found = false;
	for (size_t n = 0; n < count; n++) {
		found = found || ids[n] == FW_PSCI;
	}
	equal(found, true, "PSCI_VERSION in the list");
	free(ids);
	for (unsigned int round = 0; round < 3; round++) {
		value = 0x123456; /* the program counter, nowhere; x18, which the exit needs; x1 */
		equal(kvm_machine_set_reg(machine, 0, CORE(32), &value), 0, "set PC");
		equal(kvm_machine_set_reg(machine, 0, CORE(18), &value), 0, "set x18");
		equal(kvm_machine_set_reg(machine, 0, CORE(5), &value), 0, "set x5");
		equal(call(machine, 0, SMCCC_VERSION, 0, 0, 0, &x0), KVM_STOP_DONE, "a call");
		equal(x0, 0x10001, "its result");
	}
	kvm_machine_free(machine);
}

static void test_suspend(void)
{
	const struct kvm_machine_config config = {
		.cpus = 1, .psci_0_2 = true, .system_suspend = true};
	struct kvm_machine *machine = kvm_machine_new(&config, why, sizeof(why));
	uint64_t x0, pc;
	struct kvm_stop stop;

	if (machine == NULL) {
		skipped++;
		printf("skipped: SYSTEM_SUSPEND: %s\n", why);
		return;
	}
	for (unsigned int round = 0; round < 20; round++) {
		equal(call(machine, 0, SYSTEM_SUSPEND, 1, 2, 3, &x0), KVM_STOP_SYSTEM_EVENT,
		      "SYSTEM_SUSPEND");
		equal(kvm_machine_wake_up(machine, 0, kvm_machine_label(round % 8), round, &pc, &x0,
					  &stop),
		      true, "waking up");
		equal(stop.kind, KVM_STOP_DONE, "waking up");
		equal(pc, kvm_machine_label(round % 8), "entry");
		equal(x0, round, "context");
		equal(call(machine, 0, SMCCC_VERSION, 0, 0, 0, &x0), KVM_STOP_DONE, "a call");
		equal(x0, 0x10001, "its result");
	}
	kvm_machine_free(machine);
}

static void test_stolen_time(void)
{
	static const uint64_t places[] = {0x40000000, 0x4000ffc0, 0x50000000, 0x7ffffffc0};

	for (size_t n = 0; n < sizeof(places) / sizeof(places[0]); n++) {
		const struct kvm_machine_config config = {
			.cpus = 1, .psci_0_2 = true, .stolen_time = places[n]};
		struct kvm_machine *machine = kvm_machine_new(&config, why, sizeof(why));
		uint64_t x0;

		if (machine == NULL) {
			printf("%s\n", why);
			failures++;
			continue;
		}
		equal(call(machine, 0, PV_TIME_ST, 0, 0, 0, &x0), KVM_STOP_DONE, "PV_TIME_ST");
		equal(x0, places[n], "PV_TIME_ST");
		kvm_machine_free(machine);
	}
	const struct kvm_machine_config bad = {.cpus = 1, .stolen_time = 0x40000001};
	equal(kvm_machine_new(&bad, why, sizeof(why)) == NULL, true, "an odd address");
	const struct kvm_machine_config meets = {.cpus = 1, .stolen_time = 0x40010000};
	equal(kvm_machine_new(&meets, why, sizeof(why)) == NULL, true, "the labels' address");
}

/* A guest that runs wild (its MMU on, and nothing mapped) is stopped, and can be used again. */
static void test_wild(void)
{
	struct kvm_machine *machine = machine_new(1);
	uint64_t x0, value = 0;

	equal(kvm_machine_get_reg(machine, 0, SCTLR_EL1, &value), 0, "SCTLR_EL1");
	value |= 1;
	equal(kvm_machine_set_reg(machine, 0, SCTLR_EL1, &value), 0, "SCTLR_EL1");
	equal(call(machine, 0, SMCCC_VERSION, 0, 0, 0, &x0), KVM_STOP_OTHER, "a wild guest");
	value &= ~1ull;
	equal(kvm_machine_set_reg(machine, 0, SCTLR_EL1, &value), 0, "SCTLR_EL1");
	equal(call(machine, 0, SMCCC_VERSION, 0, 0, 0, &x0), KVM_STOP_DONE, "a tame guest");
	equal(x0, 0x10001, "its result");
	kvm_machine_free(machine);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void times(void)
{
	enum { MACHINES = 300, CALLS = 2000 };
	struct utsname host;
	uint64_t x0;
	struct hvc_frame frame;
	struct kvm_stop stop;

	uname(&host);
	double start = now();
	for (int n = 0; n < MACHINES; n++) {
		kvm_machine_free(machine_new(1));
	}
	printf("%s: machine %.0f us", host.release, (now() - start) / MACHINES);
	start = now();
	for (int n = 0; n < MACHINES; n++) {
		struct kvm_machine *machine = machine_new(1);
		call(machine, 0, NO_FUNCTION, 1, 2, 3, &x0);
		kvm_machine_free(machine);
	}
	printf(", with a call %.0f us", (now() - start) / MACHINES);
	start = now();
	for (int n = 0; n < MACHINES; n++) {
		kvm_machine_free(machine_new(4));
	}
	printf(", of 4 CPUs %.0f us", (now() - start) / MACHINES);
	struct kvm_machine *machine = machine_new(1);
	start = now();
	for (int n = 0; n < CALLS; n++) {
		call(machine, 0, NO_FUNCTION, 1, 2, 3, &x0);
	}
	printf("; call %.0f us", (now() - start) / CALLS);
	start = now();
	for (int n = 0; n < CALLS; n++) {
		call(machine, 0, CPU_SUSPEND, 1, 2, 3, &x0);
		kvm_machine_wake(machine, 0, &frame, &stop);
	}
	printf(", CPU_SUSPEND and wake %.0f us\n", (now() - start) / CALLS);
	kvm_machine_free(machine);
}

int main(int argc, char **argv)
{
	if (!kvm_machine_possible(why, sizeof(why))) {
		printf("%s\n", why);
		return 77;
	}
	if (argc > 1 && strcmp(argv[1], "time") == 0) {
		times();
		return 0;
	}
	test_calls();
	test_power();
	test_forward();
	test_first_run();
	test_registers();
	test_suspend();
	test_stolen_time();
	test_wait(500);
	if (argc > 1 && strcmp(argv[1], "all") == 0) {
		test_wild();
	}
	printf("%u passed, %u failed, %u skipped\n", passed, failures, skipped);
	return failures == 0 ? 0 : 1;
}
