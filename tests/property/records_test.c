/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine under a kernel's profile against what was measured on that kernel: every answer of each record, in each
 * configuration, by both conduits; every value that the feature registers take; every range that the filter was
 * offered. Arguments: records. That the comparison notices something is proven with wrong engines: a quirk less, a
 * function less.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <hvcgate/engine.h>

#include "../../src/abi/abi.h"
#include "world.h"

#define REG_PSCI_VERSION 0x6030000000140000ull
#define POISON           0xa5a5a5a500000000ull
#define SHOWN            4 /* registers of a result */
#define STOLEN_TIME      0x50000000ull
#define MESSAGES         40

struct run {
	const char *name; /* of the record */
	const json_t *record;
	struct hvc_settings settings;
	unsigned long checked, wrong;
	bool silent;
};

static void differs(struct run *run, const char *what, const char *fresh, const char *measured)
{
	if (run->wrong++ < MESSAGES && !run->silent) {
		printf("%s: %s: engine %s, measured %s\n", run->name, what, fresh, measured);
	}
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text == NULL) {
		printf("a record without %s\n", key);
		exit(1);
	}
	return text;
}

static bool is_yes(const json_t *object, const char *key)
{
	return strcmp(text_of(object, key), "yes") == 0;
}

static uint64_t number(const json_t *string)
{
	return strtoull(json_string_value(string), NULL, 16);
}

static uint32_t version_of(const char *text)
{
	char *end;
	const unsigned long major = strtoul(text, &end, 10);

	return HVC_VERSION(major, strtoul(end + 1, NULL, 10));
}

/* --- Answers. */
static struct world *configured(const struct run *run, const json_t *config)
{
	struct hvc_settings settings = run->settings;
	const bool psci_0_2 = is_yes(config, "psci-0.2");
	struct world *world;

	settings.system_suspend = is_yes(config, "system-suspend");
	world = world_new(&(struct world_setup){
		.settings = &settings, .host_time = true, .flags = psci_0_2 ? 0 : HVC_VM_PSCI_0_1});
	if (psci_0_2 && hvc_vm_set_reg(world->vm, REG_PSCI_VERSION,
				       version_of(text_of(config, "psci-version"))) != HVC_OK) {
		printf("%s: the engine refuses PSCI %s\n", run->name,
		       text_of(config, "psci-version"));
		exit(1);
	}
	if (is_yes(config, "stolen-time")) {
		(void)hvc_vcpu_set_stolen_time(world->vcpus[0], STOLEN_TIME);
	}
	return world;
}

/* What a record calls it when a call does not come back. */
static const char *outcome_of(enum hvc_verdict verdict)
{
	static const char *const outcomes[HVC_VERDICT_COUNT] = {
		[HVC_CPU_STANDBY] = "waits",    [HVC_CPU_POWERDOWN] = "powerdown",
		[HVC_CPU_OFF] = "off",          [HVC_SYSTEM_OFF] = "event 1",
		[HVC_SYSTEM_RESET] = "event 2", [HVC_SYSTEM_SUSPEND] = "event 5",
		[HVC_FORWARDED] = "forwarded",
	};

	return outcomes[verdict];
}

static const json_t *result_of(const json_t *answer, const char *conduit, const char *config)
{
	size_t i, j;
	const json_t *result, *name;

	json_array_foreach(json_object_get(answer, "results"), i, result)
	{
		json_array_foreach(json_object_get(result, conduit), j, name)
		{
			if (strcmp(json_string_value(name), config) == 0 ||
			    strcmp(json_string_value(name), "*") == 0) {
				return result;
			}
		}
	}
	printf("no result of %s by %s in %s\n", text_of(answer, "call"), conduit, config);
	exit(1);
}

static void write_result(char *text, size_t size, const struct hvc_frame *frame,
			 const char *outcome)
{
	if (outcome != NULL) {
		snprintf(text, size, "%s", outcome);
	} else {
		snprintf(text, size, "0x%llx 0x%llx 0x%llx 0x%llx", (unsigned long long)frame->x[0],
			 (unsigned long long)frame->x[1], (unsigned long long)frame->x[2],
			 (unsigned long long)frame->x[3]);
	}
}

/* "varies" stands for all four. */
static void measured_result(char *text, size_t size, const json_t *result)
{
	const char *outcome = json_string_value(json_object_get(result, "outcome"));
	struct hvc_frame frame = {{0}};

	for (size_t n = 0; outcome == NULL && n < SHOWN; n++) {
		const json_t *x = json_array_get(json_object_get(result, "x"), n);

		if (strcmp(json_string_value(x), "varies") == 0) {
			outcome = "varies";
		}
		frame.x[n] = number(x);
	}
	write_result(text, size, &frame, outcome);
}

/* One call; false: it stopped the vCPU. */
static bool check_call(struct run *run, struct world *world, const json_t *answer,
		       const char *config, enum hvc_conduit conduit)
{
	const char *by = conduit == HVC_CONDUIT_HVC ? "hvc" : "smc";
	struct hvc_frame frame = {{number(json_object_get(answer, "id"))}};
	char fresh[120], measured[120], what[160];
	const json_t *argument;
	enum hvc_verdict verdict;
	size_t i;

	for (unsigned int n = 1; n < HVC_FRAME_REGS; n++) {
		frame.x[n] = POISON + n;
	}
	json_array_foreach(json_object_get(answer, "arguments"), i, argument)
	{
		frame.x[i + 1] = number(argument);
	}
	snprintf(what, sizeof(what), "%s %s %s by %s in %s", text_of(answer, "call"),
		 text_of(answer, "id"), frame.x[1] < POISON ? "(x1)" : "", by, config);
	verdict = hvc_call(world->vcpus[0], conduit, 0, &frame);
	write_result(fresh, sizeof(fresh), &frame, outcome_of(verdict));
	measured_result(measured, sizeof(measured), result_of(answer, by, config));
	run->checked++;
	if (strcmp(fresh, measured) != 0 &&
	    !(strcmp(measured, "varies") == 0 && verdict == HVC_RESUME &&
	      frame.x[0] != STATUS(NOT_SUPPORTED))) {
		differs(run, what, fresh, measured);
	}
	return verdict == HVC_RESUME;
}

static void check_configuration(struct run *run, const json_t *config)
{
	struct world *world = configured(run, config);
	const json_t *answer;
	size_t i;

	for (int conduit = 0; conduit < 2; conduit++) {
		json_array_foreach(json_object_get(run->record, "answers"), i, answer)
		{
			if (!check_call(run, world, answer, text_of(config, "name"),
					(enum hvc_conduit)conduit)) {
				world_free(world);
				world = configured(run, config);
			}
		}
	}
	world_free(world);
}

/* --- Feature registers. */
static struct world *plain(const struct run *run, uint32_t flags)
{
	return world_new(&(struct world_setup){
		.settings = &run->settings, .flags = flags, .filter_ranges = 2});
}

static bool is_in(const json_t *list, uint64_t value, bool versions)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		if ((versions ? version_of(json_string_value(entry)) : number(entry)) == value) {
			return true;
		}
	}
	return false;
}

/* A write of `value` must work or not as it did there. */
static void check_write(struct run *run, struct world *world, uint64_t id, uint64_t value,
			bool accepted)
{
	const enum hvc_err err = hvc_vm_set_reg(world->vm, id, value);
	char what[80];

	run->checked++;
	if ((err == HVC_OK) != accepted) {
		snprintf(what, sizeof(what), "register 0x%llx set to 0x%llx",
			 (unsigned long long)id, (unsigned long long)value);
		differs(run, what, hvc_err_name(err), accepted ? "taken" : "refused");
	}
}

static void check_values(struct run *run, const json_t *reg, struct world *world, const char *key)
{
	const uint64_t id = number(json_object_get(reg, "id"));
	const json_t *accepted = json_object_get(reg, key);
	const json_t *bits = json_object_get(reg, "legal-bits");
	static const uint32_t versions[] = {0x1,     0x2,     0x10000, 0x10001, 0x10002,
					    0x10003, 0x10004, 0x10005, 0x10009, 0x20000};

	if (bits != NULL) {
		for (unsigned int bit = 0; bit < 64; bit++) {
			check_write(run, world, id, 1ull << bit, number(bits) >> bit & 1);
		}
	} else if (id == REG_PSCI_VERSION) {
		for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
			check_write(run, world, id, versions[i],
				    is_in(accepted, versions[i], true));
		}
	} else {
		for (uint64_t value = 0; value < 0x20; value++) {
			check_write(run, world, id, value, is_in(accepted, value, false));
		}
	}
}

static void check_start(struct run *run, const json_t *reg, const struct world *world,
			const char *key)
{
	uint64_t value = 0;
	const enum hvc_err err = hvc_vm_get_reg(world->vm, number(json_object_get(reg, "id")),
						&value);
	char fresh[24];

	run->checked++;
	if (err != HVC_OK || value != number(json_object_get(reg, key))) {
		snprintf(fresh, sizeof(fresh), "0x%llx", (unsigned long long)value);
		differs(run, text_of(reg, "name"), err == HVC_OK ? fresh : hvc_err_name(err),
			text_of(reg, key));
	}
}

static void check_registers(struct run *run)
{
	const json_t *firmware = json_object_get(run->record, "firmware"), *reg;
	struct world *with = plain(run, 0), *without = plain(run, HVC_VM_PSCI_0_1);
	uint64_t ids[HVC_REG_COUNT];
	uint32_t count = HVC_REG_COUNT;
	size_t i;

	if (hvc_vm_list_regs(with->vm, ids, &count) != HVC_OK ||
	    count != json_array_size(firmware)) {
		differs(run, "list of registers", "another number", "");
		count = 0;
	}
	json_array_foreach(firmware, i, reg)
	{
		run->checked++;
		if (i < count && ids[i] != number(json_object_get(reg, "id"))) {
			differs(run, text_of(reg, "name"), "another register", "");
		}
		check_start(run, reg, with, "value");
		check_start(run, reg, without, "value-psci-0.1");
		check_values(run, reg, with, "accepted");
		if (json_object_get(reg, "accepted-psci-0.1") != NULL) {
			check_values(run, reg, without, "accepted-psci-0.1");
		}
	}
	world_free(with);
	world_free(without);
}

/* --- The filter: docs/records.md says what was tried. */
static const struct {
	const char *what;
	uint32_t before_base, before_count, base, count;
	uint8_t action, pad;
} tries[] = {
	{"handle", 0, 0, 0x84000050, 1, HVC_HANDLE, 0},
	{"deny", 0, 0, 0x84000050, 1, HVC_DENY, 0},
	{"forward", 0, 0, 0x84000050, 1, HVC_FORWARD, 0},
	{"action-3", 0, 0, 0x84000050, 1, 3, 0},
	{"action-255", 0, 0, 0x84000050, 1, 255, 0},
	{"pad", 0, 0, 0x84000050, 1, HVC_DENY, 1},
	{"empty", 0, 0, 0x84000050, 0, HVC_DENY, 0},
	{"empty-at-0", 0, 0, 0, 0, HVC_DENY, 0},
	{"wrap", 0, 0, 0xffffffff, 2, HVC_DENY, 0},
	{"wrap-all", 0, 0, 0xffffffff, 0xffffffff, HVC_DENY, 0},
	{"last", 0, 0, 0xffffffff, 1, HVC_DENY, 0},
	{"arch-32", 0, 0, 0x80008000, 1, HVC_DENY, 0},
	{"arch-64", 0, 0, 0xc0000000, 1, HVC_DENY, 0},
	{"below-arch-32", 0, 0, 0x7fffffff, 1, HVC_DENY, 0},
	{"above-arch-32", 0, 0, 0x80010000, 1, HVC_DENY, 0},
	{"straddle-below", 0, 0, 0x7fffffff, 2, HVC_DENY, 0},
	{"straddle-above", 0, 0, 0x8000ffff, 2, HVC_DENY, 0},
	{"same-again", 0x84000050, 1, 0x84000050, 1, HVC_DENY, 0},
	{"overlap", 0x84000050, 4, 0x84000052, 8, HVC_DENY, 0},
	{"adjacent", 0x84000050, 4, 0x84000054, 4, HVC_DENY, 0},
};

static const char *recorded_error(const struct run *run, const char *what)
{
	const json_t *checks = json_object_get(json_object_get(run->record, "filter"), "checks");
	const json_t *check;
	size_t i;

	json_array_foreach(checks, i, check)
	{
		if (strcmp(text_of(check, "what"), what) == 0) {
			return text_of(check, "error");
		}
	}
	printf("%s: no check %s\n", run->name, what);
	exit(1);
}

static enum hvc_err add(struct world *world, uint32_t base, uint32_t count, uint8_t action,
			uint8_t pad)
{
	uint8_t bytes[HVC_FILTER_BYTES] = {0};

	for (unsigned int i = 0; i < 4; i++) {
		bytes[i] = (uint8_t)(base >> 8 * i);
		bytes[4 + i] = (uint8_t)(count >> 8 * i);
	}
	bytes[8] = action;
	bytes[9] = bytes[23] = pad;
	return hvc_filter_add_bytes(world->vm, bytes);
}

static void check_filter(struct run *run)
{
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		const char *measured = recorded_error(run, tries[i].what), *fresh;
		struct world *world = plain(run, 0);
		enum hvc_err err;

		if (tries[i].before_count != 0) {
			(void)add(world, tries[i].before_base, tries[i].before_count, HVC_DENY, 0);
		}
		err = add(world, tries[i].base, tries[i].count, tries[i].action, tries[i].pad);
		fresh = err == HVC_OK ? "0" : hvc_err_name(err);
		run->checked++;
		/* A kernel without the filter has other errors, for want of the attribute. */
		if (strcmp(fresh, measured) != 0 && (run->settings.filter != 0 || err == HVC_OK)) {
			differs(run, tries[i].what, fresh, measured);
		}
		world_free(world);
	}
}

static void check_all(struct run *run)
{
	const json_t *config;
	size_t i;

	json_array_foreach(json_object_get(run->record, "configurations"), i, config)
	{
		check_configuration(run, config);
	}
	check_registers(run);
	check_filter(run);
}

/* Quirks that these calls cannot show. */
#define NOT_SHOWN                                                                          \
	(HVC_QUIRK_HVC_ANY_IMMEDIATE | HVC_QUIRK_ANY_ENTRY | HVC_QUIRK_ON_AT_ONCE |        \
	 HVC_QUIRK_SUSPEND_UNCHECKED | HVC_QUIRK_PSCI_VERSION_OPEN | HVC_QUIRK_REPLY_ANY | \
	 HVC_QUIRK_TRNG_FEATURES_64 | HVC_QUIRK_SUSPEND_WAITS)

static bool is_noticed(const struct run *run, const struct hvc_settings *wrong, const char *what)
{
	struct run mutant = {
		.name = run->name, .record = run->record, .settings = *wrong, .silent = true};

	check_all(&mutant);
	if (mutant.wrong == 0) {
		printf("%s: an engine without %s is not noticed\n", run->name, what);
	}
	return mutant.wrong != 0;
}

/* Engines that lack something; how many, and how many of them are noticed. */
static unsigned int mutants(const struct run *run, unsigned int *noticed)
{
	static const enum hvc_fn functions[] = {HVC_FN_SMCCC_ARCH_FEATURES, HVC_FN_PSCI_CPU_SUSPEND,
						HVC_FN_PSCI_SYSTEM_RESET};
	struct hvc_settings settings;
	unsigned int made = 0;

	for (uint32_t quirk = 1; quirk < HVC_QUIRK_END; quirk <<= 1) {
		settings = run->settings;
		settings.quirks &= ~quirk;
		if (settings.quirks != run->settings.quirks && (quirk & NOT_SHOWN) == 0) {
			made++;
			*noticed += is_noticed(run, &settings, hvc_quirk_name(quirk));
		}
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		settings = run->settings;
		settings.functions[functions[i] / 64] &= ~(1ull << functions[i] % 64);
		made++;
		*noticed += is_noticed(run, &settings, hvc_function_at(functions[i])->name);
	}
	return made;
}

static bool check_record(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct run run = {.name = slash != NULL ? slash + 1 : path};
	char why[256] = "";
	json_t *record = abi_record_load(path, why, sizeof(why));
	const struct abi_profile *profile = record != NULL ? abi_record_profile(record) : NULL;
	unsigned int made, noticed = 0;

	if (profile == NULL) {
		printf("%s: %s\n", path, record != NULL ? "no profile of its kernel" : why);
		json_decref(record);
		return false;
	}
	run.record = record;
	abi_profile_settings(profile, &run.settings);
	abi_record_apply(record, &run.settings);
	check_all(&run);
	made = mutants(&run, &noticed);
	printf("%s: profile %s: %lu of %lu facts as measured; %u of %u wrong engines noticed\n",
	       run.name, abi_profile_name(profile), run.checked - run.wrong, run.checked, noticed,
	       made);
	json_decref(record);
	return run.wrong == 0 && run.checked > 1000 && noticed == made;
}

int main(int argc, char **argv)
{
	bool fine = argc > 1;

	for (int i = 1; i < argc; i++) {
		fine = check_record(argv[i]) && fine;
	}
	return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
