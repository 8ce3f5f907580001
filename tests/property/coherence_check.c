/* SPDX-License-Identifier: BSD-2-Clause */
/* The truth about each function, by calling it; and what discovery says, held against it. */
#include "coherence.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct coherent_seen coherent_seen;

#define SMCCC_VERSION    0x80000000u
#define ARCH_FEATURES    0x80000001u
#define PSCI_VERSION     0x84000000u
#define PSCI_FEATURES    0x8400000au
#define TRNG_FEATURES    0x84000051u
#define PV_TIME_FEATURES 0xc5000020u
#define KVM_FEATURES     0x86000000u
#define GUARD_INFO       0xc6000005u

/* Arguments that a function does not refuse as such; the others get zeroes. A query is asked of itself. */
static const struct {
	const char *name;
	uint64_t x1;
} arguments[] = {
	{"SMCCC_ARCH_FEATURES", ARCH_FEATURES},
	{"SMCCC_ARCH_SOC_ID_NAME", 2},
	{"SMCCC_ARCH_FEATURE_AVAILABILITY", 0x1e1100},
	{"PSCI_FEATURES", PSCI_FEATURES},
	{"TRNG_FEATURES", TRNG_FEATURES},
	{"TRNG_RND", 32},
	{"PV_TIME_FEATURES", PV_TIME_FEATURES},
};

/*
 * Functions that their service answers with NOT_SUPPORTED although they are there, and when.
 *
 * PV_TIME_*: the VMM gives each vCPU a stolen-time record, or none. Whether there are such calls is the VM's and told by
 * ARCH_FEATURES; whether this vCPU has a record is told by PV_TIME_FEATURES, which says no of itself as well (KVM's way;
 * DEN0057, 3.2: "supported" is of the feature), and then PV_TIME_ST answers NOT_SUPPORTED (3.3).
 */
static bool may_refuse(const struct policy *policy, const struct hvc_function *function)
{
	return policy->no_record && function->service == HVC_SERVICE_PV_TIME;
}

/* Discovery that departs by a flag of the profile, and so says less than there is, or more. */
static bool departs(const struct policy *policy, uint32_t query,
		    const struct hvc_function *function)
{
	uint32_t quirks = policy->settings.quirks;
	bool workaround = strncmp(function->name, "SMCCC_ARCH_WORKAROUND_", 22) == 0;

	if (query != ARCH_FEATURES) {
		return false;
	}
	/* Known are the workarounds and PV time only. */
	if (quirks & HVC_QUIRK_ARCH_FEATURES_FEW && !workaround &&
	    function->id64 != PV_TIME_FEATURES) {
		return true;
	}
	/* Each is answered, whatever the level. */
	return quirks & HVC_QUIRK_WORKAROUND_HVC_ONLY && workaround;
}

enum fate { ABSENT, HANDLED, FORWARDED };

/* By slot and spelling: bit 0 is bit 30 of the ID, bit 1 is bit 31. */
struct truth {
	uint8_t fates[HVC_FN_COUNT][4];
};

static uint32_t spelt(const struct hvc_function *function, unsigned int spelling)
{
	return ((function->id32 | function->id64) & 0x3fffffffu) | spelling << 30;
}

static bool is_id_of(const struct hvc_function *function, uint32_t id)
{
	return id != 0 && (id == function->id32 || id == function->id64);
}

/* The other width of this is another function: SOC_ID is two. */
static bool is_anothers(const struct hvc_function *function, uint32_t id)
{
	return !is_id_of(function, id) && hvc_function_by_id(id) != HVC_FN_NONE;
}

/* Cases are counted, not judged. */
static void remember(const struct hvc_outcome *outcome, enum fate fate)
{
	coherent_seen.handled += fate == HANDLED;
	coherent_seen.notified += fate == HANDLED && outcome->action == HVC_NOTIFY;
	coherent_seen.forwarded += fate == FORWARDED;
	coherent_seen.denied += fate == ABSENT && outcome->action == HVC_DENY;
	coherent_seen.failed += fate == ABSENT && outcome->action >= HVC_FORWARD;
	coherent_seen.absent += fate == ABSENT && outcome->action == HVC_HANDLE;
}

/*
 * Call it. It is there if somebody took it: another verdict than to go on, or an answer that is not NOT_SUPPORTED.
 * Forwarded with nobody attached, or notified with no queue, it gets the function's failure value, which only the
 * action tells from an answer: nobody took it.
 */
static enum fate fate_of(struct coherent_vm *vm, const struct hvc_function *function, uint32_t id)
{
	struct hvc_frame frame = {.x = {id}};
	struct hvc_outcome outcome;
	enum hvc_verdict verdict;
	enum fate fate = HANDLED;

	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		if (strcmp(arguments[i].name, function->name) == 0) {
			frame.x[1] = arguments[i].x1;
		}
	}
	verdict = coherent_vm_call(vm, &frame, &outcome);
	if (verdict == HVC_FORWARDED) {
		/* Of what the catalogue does not know discovery says nothing, whoever may answer it. */
		fate = is_id_of(function, outcome.id) ? FORWARDED : ABSENT;
	} else if (verdict == HVC_RESUME &&
		   (outcome.action == HVC_FORWARD ||
		    (outcome.action == HVC_NOTIFY && !vm->policy->events))) {
		fate = ABSENT;
	} else if (verdict == HVC_RESUME && frame.x[0] == STATUS(NOT_SUPPORTED)) {
		fate = ABSENT;
		if (outcome.action != HVC_DENY && is_id_of(function, id) &&
		    may_refuse(vm->policy, function) && vm->answered) {
			coherent_seen.excused++;
			fate = HANDLED;
		}
	}
	remember(&outcome, fate);
	return fate;
}

static void look(struct coherent_vm *vm, struct truth *truth)
{
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		for (unsigned int spelling = 0; spelling < 4; spelling++) {
			uint32_t id = spelt(function, spelling);

			truth->fates[slot][spelling] = is_anothers(function, id)
							       ? (uint8_t)ABSENT
							       : (uint8_t)fate_of(vm, function, id);
		}
	}
}

static enum fate known(const struct truth *truth, uint32_t id)
{
	unsigned int slot = hvc_function_by_id(id);

	return slot == HVC_FN_NONE ? ABSENT : (enum fate)truth->fates[slot][id >> 30];
}

static bool say(char *why, size_t size, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(why, size, format, list);
	va_end(list);
	return false;
}

static uint64_t ask(struct coherent_vm *vm, uint32_t query, uint64_t x1)
{
	struct hvc_frame frame = {.x = {query, x1}};
	struct hvc_outcome outcome;

	coherent_seen.queries++;
	(void)coherent_vm_call(vm, &frame, &outcome);
	return frame.x[0];
}

/* Is a query about this function? */
static bool in_scope(uint32_t query, const struct hvc_function *function)
{
	switch (query) {
	case PSCI_FEATURES:
		return strncmp(function->name, "PSCI_", 5) == 0 || function->id32 == SMCCC_VERSION;
	case TRNG_FEATURES:
		return strncmp(function->name, "TRNG_", 5) == 0;
	case PV_TIME_FEATURES:
		return strncmp(function->name, "PV_TIME_", 8) == 0;
	default:
		return strncmp(function->name, "SMCCC_ARCH_", 11) == 0 ||
		       function->id32 == SMCCC_VERSION || function->id64 == PV_TIME_FEATURES;
	}
}

/* DEN0028, 7.3: 0 is needed and there, 1 (WORKAROUND_2: -2) is there and not needed. */
static int32_t workaround_value(const struct hvc_settings *settings,
				const struct hvc_function *function)
{
	switch (function->name[strlen(function->name) - 1]) {
	case '1':
		return settings->regs[HVC_REG_WORKAROUND_1] == 2;
	case '2':
		return -2;
	case '3':
		return settings->regs[HVC_REG_WORKAROUND_3] == 2;
	default:
		return settings->workaround_4 == 2;
	}
}

/* What is said of a function that is there. Of a forwarded one the policy may state it. */
static int32_t value_of(const struct policy *policy, const struct truth *truth,
			const struct hvc_function *function, enum fate fate)
{
	const struct hvc_tables *tables = &policy->tables;

	for (unsigned int i = 0; i < tables->feature_count && fate == FORWARDED; i++) {
		if (hvc_function_at(tables->features[i].fn) == function) {
			coherent_seen.stated++;
			return tables->features[i].value;
		}
	}
	if (strncmp(function->name, "SMCCC_ARCH_WORKAROUND_", 22) == 0) {
		return workaround_value(&policy->settings, function);
	}
	if (strcmp(function->name, "PSCI_SYSTEM_OFF2") == 0) {
		return 1; /* DEN0022, 5.16: hibernate */
	}
	if (strcmp(function->name, "PSCI_CPU_SUSPEND") == 0) {
		/* DEN0022, 5.16: who can choose OS-initiated mode has SET_SUSPEND_MODE. */
		return (policy->settings.power_state_format != 0 ? 2 : 0) |
		       (known(truth, 0x8400000f) != ABSENT ? 1 : 0);
	}
	return 0;
}

static bool check_query(struct coherent_vm *vm, const struct truth *truth, uint32_t query,
			char *why, size_t size)
{
	if (known(truth, query) != HANDLED) {
		return true;
	}
	for (unsigned int i = 4; i < 4 * HVC_FN_COUNT; i++) {
		const struct hvc_function *function = hvc_function_at(i / 4);
		uint32_t id = spelt(function, i % 4);
		enum fate fate = (enum fate)truth->fates[i / 4][i % 4];
		uint64_t expected = STATUS(NOT_SUPPORTED), told = ask(vm, query, id);

		if (is_anothers(function, id)) {
			continue;
		}
		if (fate != ABSENT && in_scope(query, function) &&
		    !(query == PV_TIME_FEATURES && vm->policy->no_record && fate == HANDLED)) {
			expected = STATUS(value_of(vm->policy, truth, function, fate));
		}
		if (told != expected && departs(vm->policy, query, function)) {
			coherent_seen.excused++;
			continue;
		}
		if (told != expected) {
			return say(why, size,
				   "query 0x%08" PRIx32 " says %" PRId64 " of %s (0x%08" PRIx32
				   "), which is %s: %" PRId64,
				   query, (int64_t)told, function->name, id,
				   fate == HANDLED     ? "handled"
				   : fate == FORWARDED ? "forwarded"
						       : "absent",
				   (int64_t)expected);
		}
	}
	return true;
}

/* KVM's bitmap: a bit a function number of the vendor range. */
static bool check_bitmap(struct coherent_vm *vm, const struct truth *truth, char *why, size_t size)
{
	struct hvc_frame frame = {.x = {KVM_FEATURES}};
	uint32_t words[4] = {0};
	struct hvc_outcome outcome;

	if (known(truth, KVM_FEATURES) != HANDLED) {
		return true;
	}
	for (unsigned int i = 4; i < 4 * HVC_FN_COUNT; i++) {
		uint32_t id = spelt(hvc_function_at(i / 4), i % 4), number = HVC_ID_NUMBER(id);

		if (truth->fates[i / 4][i % 4] != ABSENT && (id & 0xbfff0000u) == 0x86000000u &&
		    number < 128) {
			words[number / 32] |= 1u << number % 32;
		}
	}
	(void)coherent_vm_call(vm, &frame, &outcome);
	for (unsigned int i = 0; i < 4; i++) {
		if (frame.x[i] != words[i]) {
			return say(why, size,
				   "KVM_FEATURES says 0x%" PRIx64 " in x%u, there is 0x%" PRIx32,
				   frame.x[i], i, words[i]);
		}
	}
	return true;
}

static bool check_counts(struct coherent_vm *vm, const struct truth *truth, char *why, size_t size)
{
	for (uint32_t owner = HVC_OWNER_STD; owner <= HVC_OWNER_VENDOR_HYP; owner++) {
		uint32_t query = 0x8000ff00u | owner << 24;
		uint64_t count = 0, told;

		if (known(truth, query) != HANDLED) {
			continue;
		}
		for (unsigned int i = 4; i < 4 * HVC_FN_COUNT; i++) {
			count += truth->fates[i / 4][i % 4] != ABSENT &&
				 HVC_ID_OWNER(spelt(hvc_function_at(i / 4), i % 4)) == owner;
		}
		told = ask(vm, query, 0);
		if (told != count) {
			return say(why, size,
				   "CALL_COUNT of owner %" PRIu32 " says %" PRIu64
				   ", there are %" PRIu64,
				   owner, told, count);
		}
	}
	return true;
}

/* Android's guests ask whether the guard takes ranges: both functions or none. */
static bool check_guard(struct coherent_vm *vm, const struct truth *truth, char *why, size_t size)
{
	struct hvc_frame frame = {.x = {GUARD_INFO}};
	struct hvc_outcome outcome;
	bool ranges = known(truth, 0xc600000a) != ABSENT && known(truth, 0xc600000b) != ABSENT;

	if (known(truth, GUARD_INFO) != HANDLED) {
		return true;
	}
	(void)coherent_vm_call(vm, &frame, &outcome);
	return frame.x[1] == ranges ||
	       say(why, size, "PKVM_MMIO_GUARD_INFO says %" PRIu64 " of ranges", frame.x[1]);
}

/* What the engine answers is in the version that it tells, and no spelling but the catalogue's is answered. */
static bool check_versions(struct coherent_vm *vm, const struct truth *truth, char *why,
			   size_t size)
{
	bool psci = known(truth, PSCI_VERSION) == HANDLED;
	uint64_t version = psci ? ask(vm, PSCI_VERSION, 0) : 0;

	for (unsigned int i = 4; i < 4 * HVC_FN_COUNT; i++) {
		const struct hvc_function *function = hvc_function_at(i / 4);

		if (truth->fates[i / 4][i % 4] != HANDLED) {
			continue;
		}
		if (!is_id_of(function, spelt(function, i % 4))) {
			return say(why, size, "0x%08" PRIx32 " is answered: %s has another ID",
				   spelt(function, i % 4), function->name);
		}
		if (psci && function->service == HVC_SERVICE_PSCI && function->since > version) {
			return say(why, size, "%s is answered, PSCI is 0x%" PRIx64, function->name,
				   version);
		}
	}
	return true;
}

bool coherent(struct coherent_vm *vm, char *why, size_t size)
{
	static const uint32_t queries[] = {PSCI_FEATURES, ARCH_FEATURES, TRNG_FEATURES,
					   PV_TIME_FEATURES};
	static struct truth truth;

	look(vm, &truth);
	for (unsigned int i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		if (!check_query(vm, &truth, queries[i], why, size)) {
			return false;
		}
	}
	return check_bitmap(vm, &truth, why, size) && check_counts(vm, &truth, why, size) &&
	       check_guard(vm, &truth, why, size) && check_versions(vm, &truth, why, size);
}
