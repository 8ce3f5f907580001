/* SPDX-License-Identifier: BSD-2-Clause */
/* Where this kernel departs from the Arm documents: one experiment for each flag of enum hvc_quirk. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <hvcgate/image.h>

#include "internal.h"

/* An error of PSCI or SMCCC as a guest reads it. */
#define CODE(n)        ((uint64_t)(int64_t)(n))
#define ALREADY_ON     CODE(-4)
#define INVALID_PARAMS CODE(-2)
#define ODD_ENTRY      0xfffffffffffffff1ull /* not aligned, no address */
#define EVENT_SUSPEND  5

struct finding {
	const char *seen;
	char how[160];
};

static void found(struct finding *finding, const char *seen, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void found(struct finding *finding, const char *seen, const char *format, ...)
{
	va_list args;

	finding->seen = seen;
	va_start(args, format);
	vsnprintf(finding->how, sizeof(finding->how), format, args);
	va_end(args);
}

static const char *yes(bool seen)
{
	return seen ? "yes" : "no";
}

/* -1, 0x1000: as people read it. */
static const char *text(uint64_t value, char *buffer, size_t size)
{
	if ((int64_t)value < 0 && (int64_t)value > -4096) {
		snprintf(buffer, size, "%" PRId64, (int64_t)value);
	} else {
		snprintf(buffer, size, "0x%" PRIx64, value);
	}
	return buffer;
}
#define TEXT(value) text(value, (char[24]){""}, 24)

static struct kvm_machine *two_cpus(bool suspend)
{
	const struct kvm_machine_config config = {
		.cpus = 2, .psci_0_2 = true, .system_suspend = suspend};
	char why[256];

	return kvm_machine_new(&config, why, sizeof(why));
}

/* The address of CPU 1 in an MPIDR: the machine's CPUs differ in Aff0. */
#define CPU_1 1

static uint64_t ask3(struct probe *probe, struct kvm_machine *machine, enum hvc_fn function,
		     uint64_t x1, uint64_t x2, struct kvm_stop *stop)
{
	const struct call call = {
		.id = probe_id(function, true), .count = 3, .arguments = {x1, x2, 0}};
	struct hvc_frame frame = {{0}};

	(void)probe_call(probe, machine, HVC_CONDUIT_HVC, &call, &frame, stop);
	return frame.x[0];
}

static void zero_x1_x3(struct probe *probe, struct kvm_machine *machine, struct finding *finding)
{
	const struct call call = {.id = probe_id(HVC_FN_PSCI_VERSION, false)};
	struct hvc_frame frame;
	struct kvm_stop stop;

	if (probe_call(probe, machine, HVC_CONDUIT_HVC, &call, &frame, &stop) &&
	    stop.kind == KVM_STOP_DONE) {
		found(finding, yes((frame.x[1] | frame.x[2] | frame.x[3]) == 0),
		      "PSCI_VERSION with x1 to x3 set: x1 is %s behind it, x2 %s, x3 %s",
		      TEXT(frame.x[1]), TEXT(frame.x[2]), TEXT(frame.x[3]));
	}
}

static void hvc_any_immediate(struct probe *probe, struct kvm_machine *machine,
			      struct finding *finding)
{
	struct hvc_frame frame = {{probe_id(HVC_FN_PSCI_VERSION, false)}};
	struct kvm_stop stop;
	uint64_t plain;

	plain = probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_PSCI_VERSION, 0);
	if (kvm_machine_call(machine, 0, HVC_CONDUIT_HVC, 1, &frame, &stop) &&
	    stop.kind == KVM_STOP_DONE) {
		found(finding, yes(frame.x[0] == plain),
		      "PSCI_VERSION by hvc #1: %s, by hvc #0: %s", TEXT(frame.x[0]), TEXT(plain));
	}
}

static void smc_unknown(struct probe *probe, struct kvm_machine *machine, struct finding *finding)
{
	const struct call call = {.id = probe_id(HVC_FN_PSCI_VERSION, false)};
	struct hvc_frame frame;
	struct kvm_stop stop;

	if (probe_call(probe, machine, HVC_CONDUIT_SMC, &call, &frame, &stop) &&
	    stop.kind == KVM_STOP_DONE) {
		found(finding, yes(frame.x[0] == NOT_SUPPORTED && frame.x[1] == POISON(1)),
		      "PSCI_VERSION by smc: %s, x1 %s", TEXT(frame.x[0]),
		      frame.x[1] == POISON(1) ? "stays" : "is written");
	}
}

static void any_entry(struct probe *probe, struct kvm_machine *machine, struct finding *finding)
{
	struct kvm_stop stop;
	uint64_t answer = ask3(probe, machine, HVC_FN_PSCI_CPU_ON, CPU_1, ODD_ENTRY, &stop);

	found(finding, yes(answer == 0), "PSCI_CPU_ON with entry 0x%llx: %s", ODD_ENTRY,
	      TEXT(answer));
}

static void on_at_once(struct probe *probe, struct kvm_machine *machine, struct finding *finding)
{
	struct kvm_stop stop;
	uint64_t on, again, info;

	on = ask3(probe, machine, HVC_FN_PSCI_CPU_ON, CPU_1, kvm_machine_label(1), &stop);
	info = ask3(probe, machine, HVC_FN_PSCI_AFFINITY_INFO, CPU_1, 0, &stop);
	again = ask3(probe, machine, HVC_FN_PSCI_CPU_ON, CPU_1, kvm_machine_label(1), &stop);
	if (on == 0) {
		found(finding, yes(info == 0 && again == ALREADY_ON),
		      "PSCI_CPU_ON, its vCPU not run since: PSCI_AFFINITY_INFO %s, PSCI_CPU_ON again %s",
		      TEXT(info), TEXT(again));
	}
}

static void suspend_waits(struct probe *probe, struct kvm_machine *machine, struct finding *finding)
{
	struct kvm_stop stop;
	uint64_t answer = ask3(probe, machine, HVC_FN_PSCI_CPU_SUSPEND, 0xffffffff, ODD_ENTRY,
			       &stop);

	found(finding, yes(stop.kind == KVM_STOP_BLOCKED),
	      "PSCI_CPU_SUSPEND with power state 0xffffffff, entry 0x%llx: %s, x0 %s", ODD_ENTRY,
	      stop.kind == KVM_STOP_BLOCKED ? "waits" : "does not wait", TEXT(answer));
}

static void suspend_unchecked(struct probe *probe, struct kvm_machine *machine,
			      struct finding *finding)
{
	struct kvm_stop stop;
	uint64_t on, answer;

	on = ask3(probe, machine, HVC_FN_PSCI_CPU_ON, CPU_1, kvm_machine_label(1), &stop);
	answer = ask3(probe, machine, HVC_FN_PSCI_SYSTEM_SUSPEND, kvm_machine_label(0), 0, &stop);
	if (on == 0) {
		found(finding,
		      yes(stop.kind == KVM_STOP_SYSTEM_EVENT && stop.event == EVENT_SUSPEND),
		      "PSCI_SYSTEM_SUSPEND while CPU 1 is on: %s",
		      stop.kind == KVM_STOP_SYSTEM_EVENT ? "a suspend event" : TEXT(answer));
	}
}

static void psci_version_open(struct probe *probe, struct kvm_machine *machine,
			      struct finding *finding)
{
	uint64_t version = probe->version_count != 0 ? probe->versions[0] : 0, answer;
	int error;

	(void)probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_PSCI_VERSION, 0);
	error = kvm_machine_set_reg(machine, 0, REG_PSCI_VERSION, &version);
	answer = probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_PSCI_VERSION, 0);
	found(finding, yes(error == 0 && answer == version),
	      "PSCI_VERSION set to 0x%" PRIx64 " after a run: %s; the guest reads %s", version,
	      error == 0 ? "taken" : strerror(error), TEXT(answer));
}

static bool has_trng(struct probe *probe, struct kvm_machine *machine, struct finding *finding)
{
	uint64_t version = probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_TRNG_VERSION, 0);

	if (version == NOT_SUPPORTED) {
		found(finding, "unknown", "TRNG_VERSION is -1: there is no TRNG");
	}
	return version != NOT_SUPPORTED;
}

static void trng_zero_bits(struct probe *probe, struct kvm_machine *machine,
			   struct finding *finding)
{
	uint64_t zero, wide;

	if (has_trng(probe, machine, finding)) {
		zero = probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_TRNG_RND, 0);
		wide = probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_TRNG_RND, 1ull << 32);
		found(finding, yes(zero == 0 && wide == 0),
		      "TRNG_RND/64 of 0 bits: %s, of 0x100000000: %s", TEXT(zero), TEXT(wide));
	}
}

static void trng_features_64(struct probe *probe, struct kvm_machine *machine,
			     struct finding *finding)
{
	const uint64_t id = probe_id(HVC_FN_TRNG_VERSION, false);
	uint64_t plain, wide;

	if (has_trng(probe, machine, finding)) {
		plain = probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_TRNG_FEATURES, id);
		wide = probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_TRNG_FEATURES,
				 1ull << 32 | id);
		found(finding, yes(plain == 0 && wide != 0),
		      "TRNG_FEATURES of TRNG_VERSION: %s, with bit 32 of x1 set: %s", TEXT(plain),
		      TEXT(wide));
	}
}

static void trng_kvm_uuid(struct probe *probe, struct kvm_machine *machine, struct finding *finding)
{
	/* 0d21e000-4384-11eb-8070-5244554e5a4c */
	static const uint64_t kvm[4] = {0x00e0210d, 0xeb118443, 0x44527080, 0x4c5a4e55};
	const struct call call = {.id = probe_id(HVC_FN_TRNG_GET_UUID, false)};
	struct hvc_frame frame;
	struct kvm_stop stop;

	if (has_trng(probe, machine, finding) &&
	    probe_call(probe, machine, HVC_CONDUIT_HVC, &call, &frame, &stop) &&
	    stop.kind == KVM_STOP_DONE) {
		found(finding, yes(memcmp(frame.x, kvm, sizeof(kvm)) == 0),
		      "TRNG_GET_UUID: %s %s %s %s", TEXT(frame.x[0]), TEXT(frame.x[1]),
		      TEXT(frame.x[2]), TEXT(frame.x[3]));
	}
}

static void arch_features_few(struct probe *probe, struct kvm_machine *machine,
			      struct finding *finding)
{
	uint64_t version, itself, time;

	version = probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_SMCCC_ARCH_FEATURES,
			    probe_id(HVC_FN_SMCCC_VERSION, false));
	itself = probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_SMCCC_ARCH_FEATURES,
			   probe_id(HVC_FN_SMCCC_ARCH_FEATURES, false));
	time = probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_SMCCC_ARCH_FEATURES,
			 probe_id(HVC_FN_PV_TIME_FEATURES, true));
	found(finding, yes(version == NOT_SUPPORTED && itself == NOT_SUPPORTED && time == 0),
	      "SMCCC_ARCH_FEATURES of SMCCC_VERSION: %s, of itself: %s, of PV_TIME_FEATURES: %s",
	      TEXT(version), TEXT(itself), TEXT(time));
}

static void workaround_hvc_only(struct probe *probe, struct kvm_machine *machine,
				struct finding *finding)
{
	uint64_t by_hvc, by_smc;

	by_hvc = probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_SMCCC_ARCH_WORKAROUND_1, 0);
	by_smc = probe_ask(probe, machine, HVC_CONDUIT_SMC, HVC_FN_SMCCC_ARCH_WORKAROUND_1, 0);
	found(finding, yes(by_hvc == 0 && by_smc == NOT_SUPPORTED),
	      "SMCCC_ARCH_WORKAROUND_1 by hvc: %s, by smc: %s", TEXT(by_hvc), TEXT(by_smc));
}

static void reply_any(struct probe *probe, struct kvm_machine *machine, struct finding *finding)
{
	const struct filter_range range = {
		.base = probe_id(HVC_FN_TRNG_VERSION, false), .count = 1, .action = 2};
	const struct call call = {.id = range.base};
	struct hvc_frame frame, reply;
	struct kvm_stop stop;
	int error = probe_filter(machine, &range);

	if (error != 0) {
		found(finding, "unknown", "there is no filter: %s", strerror(error));
		return;
	}
	if (!probe_call(probe, machine, HVC_CONDUIT_HVC, &call, &frame, &stop) ||
	    stop.kind != KVM_STOP_HYPERCALL) {
		return;
	}
	for (unsigned int n = 0; n < HVC_FRAME_REGS; n++) {
		reply.x[n] = 0x5a00 + n;
	}
	frame = reply;
	if (kvm_machine_go_on(machine, 0, &frame, (1u << HVC_FRAME_REGS) - 1, &stop) &&
	    stop.kind == KVM_STOP_DONE) {
		found(finding, yes(memcmp(&frame, &reply, sizeof(frame)) == 0),
		      "forwarded, x0 to x17 written: the guest has %s",
		      memcmp(&frame, &reply, sizeof(frame)) == 0 ? "all of them" : "others");
	}
}

static void filter_empty_at_0(struct probe *probe, struct kvm_machine *machine,
			      struct finding *finding)
{
	const struct filter_range range = {.action = 1};
	int error = probe_filter(machine, &range);

	if (probe->filter) {
		found(finding, yes(error == EEXIST), "0 functions at 0: %s", strerror(error));
	} else {
		found(finding, "unknown", "there is no filter");
	}
}

static void mpidr_masked(struct probe *probe, struct kvm_machine *machine, struct finding *finding)
{
	struct kvm_stop stop;
	/* Bit 24 is no affinity field. */
	uint64_t answer = ask3(probe, machine, HVC_FN_PSCI_AFFINITY_INFO, 1u << 24, 0, &stop);

	found(finding, yes(answer != INVALID_PARAMS), "PSCI_AFFINITY_INFO of 0x1000000: %s",
	      TEXT(answer));
}

enum needs { ONE_CPU, TWO_CPUS, TWO_CPUS_AND_SUSPEND };

static const struct {
	enum hvc_quirk quirk;
	enum needs needs;
	void (*try)(struct probe *probe, struct kvm_machine *machine, struct finding *finding);
} tries[] = {
	{HVC_QUIRK_ZERO_X1_X3, ONE_CPU, zero_x1_x3},
	{HVC_QUIRK_HVC_ANY_IMMEDIATE, ONE_CPU, hvc_any_immediate},
	{HVC_QUIRK_SMC_UNKNOWN, ONE_CPU, smc_unknown},
	{HVC_QUIRK_ANY_ENTRY, TWO_CPUS, any_entry},
	{HVC_QUIRK_ON_AT_ONCE, TWO_CPUS, on_at_once},
	{HVC_QUIRK_SUSPEND_WAITS, ONE_CPU, suspend_waits},
	{HVC_QUIRK_SUSPEND_UNCHECKED, TWO_CPUS_AND_SUSPEND, suspend_unchecked},
	{HVC_QUIRK_PSCI_VERSION_OPEN, ONE_CPU, psci_version_open},
	{HVC_QUIRK_TRNG_ZERO_BITS, ONE_CPU, trng_zero_bits},
	{HVC_QUIRK_ARCH_FEATURES_FEW, ONE_CPU, arch_features_few},
	{HVC_QUIRK_WORKAROUND_HVC_ONLY, ONE_CPU, workaround_hvc_only},
	{HVC_QUIRK_REPLY_ANY, ONE_CPU, reply_any},
	{HVC_QUIRK_FILTER_EMPTY_AT_0, ONE_CPU, filter_empty_at_0},
	{HVC_QUIRK_MPIDR_MASKED, ONE_CPU, mpidr_masked},
	{HVC_QUIRK_TRNG_FEATURES_64, ONE_CPU, trng_features_64},
	{HVC_QUIRK_TRNG_KVM_UUID, ONE_CPU, trng_kvm_uuid},
};

static void try_one(struct probe *probe, size_t n, struct finding *finding)
{
	struct kvm_machine *machine = tries[n].needs == ONE_CPU
					      ? probe_machine(probe)
					      : two_cpus(tries[n].needs != TWO_CPUS);

	if (machine == NULL) {
		found(finding, "unknown", "%s",
		      tries[n].needs == TWO_CPUS_AND_SUSPEND ? "there is no system suspend"
							     : "no machine of two CPUs");
		return;
	}
	tries[n].try(probe, machine, finding);
	kvm_machine_free(machine);
}

json_t *probe_quirks(struct probe *probe)
{
	json_t *object = json_object();

	for (uint32_t flag = 1; flag < HVC_QUIRK_END; flag <<= 1) {
		struct finding finding = {"unknown", "no experiment was made"};

		for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
			if (tries[i].quirk == (enum hvc_quirk)flag) {
				found(&finding, "unknown", "what was tried came to no end");
				try_one(probe, i, &finding);
			}
		}
		json_object_set_new(object, hvc_quirk_name(flag),
				    json_pack("{s:s, s:s}", "seen", finding.seen, "how",
					      finding.how));
	}
	return object;
}
