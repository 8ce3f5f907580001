/* SPDX-License-Identifier: BSD-2-Clause */
/* ABI records (docs/records.md): every part is checked before anybody relies on one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

#define FORMAT        1
#define MAX_REGISTERS 4096u
#define MAX_WIDTH     256u /* bytes of a register: SVE's are the widest */

/* --- The parts of a record, in the file's order. */
static void check_host(struct check *check, const json_t *host)
{
	static const char *const keys[] = {"kernel",   "version",      "machine",
					   "emulated", "?emulated-by", "cpu",
					   "cpus",     "page-size",    NULL};
	static const char *const cpu_keys[] = {"midr", "revidr", "aidr", "name", NULL};
	static const char *const texts[] = {"kernel", "version", "machine", "emulated-by"};
	const json_t *cpu = json_object_get(host, "cpu");
	size_t mark;

	check_keys(check, host, keys);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		check_member(check, host, texts[i], wrong_text(json_object_get(host, texts[i])));
	}
	check_member(check, host, "emulated",
		     wrong_yes_no_unknown(json_object_get(host, "emulated")));
	check_member(check, host, "cpus", wrong_integer(json_object_get(host, "cpus"), 1, 1 << 20));
	check_member(check, host, "page-size",
		     wrong_integer(json_object_get(host, "page-size"), 4096, 1 << 20));
	mark = check_enter(check, "cpu");
	check_keys(check, cpu, cpu_keys);
	check_member(check, cpu, "name", wrong_text(json_object_get(cpu, "name")));
	for (size_t i = 0; i < 3; i++) {
		check_member(check, cpu, cpu_keys[i],
			     wrong_hex(json_object_get(cpu, cpu_keys[i]), 8));
	}
	check_leave(check, mark);
}

static void check_capabilities(struct check *check, const json_t *object)
{
	const char *name;
	json_t *value;

	if (!json_is_object(object)) {
		check_fail(check, "is no object");
	}
	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		if (strncmp(name, "KVM_CAP_", 8) != 0) {
			check_fail(check, "'%.60s' is no capability's name", name);
		}
		check_member(check, object, name, wrong_integer(value, 1, INT32_MAX));
	}
}

/* No ID and no name twice: `seen` has those there were. */
static void check_new(struct check *check, json_t *seen, const json_t *id)
{
	if (check->failed) {
		return;
	}
	if (json_object_get(seen, json_string_value(id)) != NULL) {
		check_fail(check, "'%s' stands there twice", json_string_value(id));
	}
	json_object_set_new(seen, json_string_value(id), json_true());
}

static void check_register(struct check *check, json_t *seen, const json_t *reg)
{
	static const char *const keys[] = {"id", "name", "size", "?value", "?error", NULL};
	const json_t *size = json_object_get(reg, "size"), *value = json_object_get(reg, "value"),
		     *error = json_object_get(reg, "error");

	check_keys(check, reg, keys);
	check_member(check, reg, "id", wrong_hex(json_object_get(reg, "id"), 8));
	check_new(check, seen, json_object_get(reg, "id"));
	check_member(check, reg, "name", wrong_text(json_object_get(reg, "name")));
	check_member(check, reg, "size", wrong_integer(size, 1, MAX_WIDTH));
	check_member(check, reg, "error", wrong_error(error));
	if (!check->failed) {
		check_member(check, reg, "value",
			     wrong_hex(value, (size_t)json_integer_value(size)));
	}
	if ((value != NULL) == (error != NULL)) {
		check_fail(check, "has not either 'value' or 'error'");
	}
}

static void check_accepted(struct check *check, const json_t *reg, const char *key, bool versions)
{
	const json_t *array = json_object_get(reg, key);
	size_t mark = check_enter(check, key);

	if (array != NULL) {
		check_array(check, array, 0, 32);
	}
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *value = json_array_get(array, i);
		size_t at = check_enter_at(check, i);

		check_say(check, versions ? wrong_version(value) : wrong_hex(value, 8));
		check_leave(check, at);
	}
	check_leave(check, mark);
}

/* What only some of the firmware registers have. */
static void check_legal(struct check *check, const json_t *reg, unsigned int which)
{
	static const char *const members[] = {"accepted", "accepted-psci-0.1", "legal-bits"};
	const bool wanted[] = {which < HVC_REG_STD_BMAP, which == HVC_REG_PSCI_VERSION,
			       which >= HVC_REG_STD_BMAP && which < HVC_REG_COUNT};

	for (size_t i = 0; i < 3 && which < HVC_REG_COUNT; i++) {
		if ((json_object_get(reg, members[i]) != NULL) != wanted[i]) {
			check_fail(check, "%s %s '%s'", hvc_register_name(which),
				   wanted[i] ? "wants" : "has no", members[i]);
		}
	}
	check_accepted(check, reg, "accepted", which == HVC_REG_PSCI_VERSION);
	check_accepted(check, reg, "accepted-psci-0.1", true);
	check_member(check, reg, "legal-bits", wrong_hex(json_object_get(reg, "legal-bits"), 8));
}

/* A workaround's level is one that there is: an engine takes it over. */
static void check_level(struct check *check, const json_t *reg, unsigned int which)
{
	const uint64_t most = which == HVC_REG_WORKAROUND_2 ? 3 : 2;
	uint64_t value;

	if (check->failed || which < HVC_REG_WORKAROUND_1 || which > HVC_REG_WORKAROUND_3) {
		return;
	}
	value = json_hex(json_object_get(reg, "value"));
	if (value > most || (which == HVC_REG_WORKAROUND_2 && value != 0 && value != most)) {
		check_fail(check, "%s is no level of %s",
			   json_string_value(json_object_get(reg, "value")),
			   hvc_register_name(which));
	}
}

static void check_firmware(struct check *check, json_t *seen, const json_t *reg)
{
	static const char *const keys[] = {"id",          "name",
					   "value",       "value-psci-0.1",
					   "?accepted",   "?accepted-psci-0.1",
					   "?legal-bits", NULL};
	const json_t *id = json_object_get(reg, "id");
	unsigned int which;

	check_keys(check, reg, keys);
	check_member(check, reg, "id", wrong_hex(id, 8));
	check_new(check, seen, id);
	check_member(check, reg, "name", wrong_text(json_object_get(reg, "name")));
	check_member(check, reg, "value", wrong_hex(json_object_get(reg, "value"), 8));
	check_member(check, reg, "value-psci-0.1",
		     wrong_hex(json_object_get(reg, "value-psci-0.1"), 8));
	if (check->failed) {
		return;
	}
	which = hvc_register_by_name(json_string_value(json_object_get(reg, "name")));
	if (which != HVC_REG_NONE && json_hex(id) != abi_register_id(which)) {
		check_fail(check, "%s is not the ID of %s", json_string_value(id),
			   hvc_register_name(which));
	}
	check_legal(check, reg, which);
	check_level(check, reg, which);
}

static void check_tried(struct check *check, const json_t *array)
{
	static const char *const keys[] = {"what", "error", NULL};

	check_array(check, array, 0, 256);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *tried = json_array_get(array, i);
		size_t mark = check_enter_at(check, i);

		check_keys(check, tried, keys);
		check_member(check, tried, "what", wrong_text(json_object_get(tried, "what")));
		check_member(check, tried, "error", wrong_error(json_object_get(tried, "error")));
		check_leave(check, mark);
	}
}

static void check_range(struct check *check, const json_t *range)
{
	static const char *const keys[] = {"first", "last", NULL};
	const json_t *first = json_object_get(range, "first"),
		     *last = json_object_get(range, "last");

	check_keys(check, range, keys);
	check_member(check, range, "first", wrong_hex(first, 4));
	check_member(check, range, "last", wrong_hex(last, 4));
	if (!check->failed && json_hex(last) < json_hex(first)) {
		check_fail(check, "ends before it begins");
	}
}

static void check_filter(struct check *check, const json_t *filter)
{
	static const char *const keys[] = {"supported", "reserved", "checks", NULL};
	const json_t *reserved = json_object_get(filter, "reserved");
	size_t mark;

	check_keys(check, filter, keys);
	check_member(check, filter, "supported",
		     wrong_yes_no(json_object_get(filter, "supported")));
	mark = check_enter(check, "reserved");
	check_array(check, reserved, 0, 64);
	for (size_t i = 0; i < json_array_size(reserved); i++) {
		size_t at = check_enter_at(check, i);

		check_range(check, json_array_get(reserved, i));
		check_leave(check, at);
	}
	check_leave(check, mark);
	mark = check_enter(check, "checks");
	check_tried(check, json_object_get(filter, "checks"));
	check_leave(check, mark);
}

static void check_configuration(struct check *check, json_t *seen, const json_t *object)
{
	static const char *const keys[] = {"name",           "psci-0.2",    "psci-version",
					   "system-suspend", "stolen-time", NULL};

	check_keys(check, object, keys);
	check_member(check, object, "name", wrong_text(json_object_get(object, "name")));
	check_new(check, seen, json_object_get(object, "name"));
	check_member(check, object, "psci-version",
		     wrong_version(json_object_get(object, "psci-version")));
	for (size_t i = 1; keys[i] != NULL; i += i == 1 ? 2 : 1) {
		check_member(check, object, keys[i],
			     wrong_yes_no(json_object_get(object, keys[i])));
	}
	if (!check->failed && json_object_get(seen, "default") == NULL) {
		check_fail(check, "the first configuration is not 'default'");
	}
}

static void check_quirks(struct check *check, const json_t *quirks)
{
	static const char *const keys[] = {"seen", "how", NULL};
	const char *name;
	json_t *quirk;

	if (!json_is_object(quirks)) {
		check_fail(check, "is no object");
	}
	json_object_foreach((json_t *)(uintptr_t)quirks, name, quirk)
	{
		size_t mark;

		if (abi_quirk_by_name(name) == 0) {
			check_fail(check, "unknown quirk '%.60s'; a newer hvcgate's?", name);
		}
		mark = check_enter(check, name);
		check_keys(check, quirk, keys);
		check_member(check, quirk, "seen",
			     wrong_yes_no_unknown(json_object_get(quirk, "seen")));
		check_member(check, quirk, "how", wrong_text(json_object_get(quirk, "how")));
		check_leave(check, mark);
	}
}

/* An array of things that differ in ID or name. */
static void check_list(struct check *check, const json_t *array, size_t most,
		       void (*each)(struct check *check, json_t *seen, const json_t *element))
{
	json_t *seen = json_object();

	check_array(check, array, 1, most);
	if (seen == NULL) {
		check_fail(check, "no memory");
	}
	for (size_t i = 0; i < json_array_size(array) && !check->failed; i++) {
		size_t mark = check_enter_at(check, i);

		each(check, seen, json_array_get(array, i));
		check_leave(check, mark);
	}
	json_decref(seen);
}

static void check_registers(struct check *check, const json_t *array)
{
	check_list(check, array, MAX_REGISTERS, check_register);
}

static void check_all_firmware(struct check *check, const json_t *array)
{
	check_list(check, array, 64, check_firmware);
}

static void check_configurations(struct check *check, const json_t *array)
{
	check_list(check, array, ABI_MAX_CONFIGURATIONS, check_configuration);
}

static void check_record(struct check *check, const json_t *record)
{
	static const char *const keys[] = {"hvcgate-record", "made-by",  "host",   "capabilities",
					   "registers",      "firmware", "filter", "configurations",
					   "answers",        "checks",   "quirks", NULL};
	static const struct {
		const char *key;
		void (*check)(struct check *check, const json_t *part);
	} parts[] = {
		{"host", check_host},           {"capabilities", check_capabilities},
		{"registers", check_registers}, {"firmware", check_all_firmware},
		{"filter", check_filter},       {"configurations", check_configurations},
		{"checks", check_tried},        {"quirks", check_quirks},
	};
	const json_t *format = json_object_get(record, "hvcgate-record");

	if (format == NULL) {
		check_fail(check, "no ABI record: there is no 'hvcgate-record' in it");
	} else if (!json_is_integer(format) || json_integer_value(format) != FORMAT) {
		check_fail(check, "unknown format; the newest this hvcgate knows is %d", FORMAT);
	}
	check_keys(check, record, keys);
	check_member(check, record, "made-by", wrong_text(json_object_get(record, "made-by")));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !check->failed; i++) {
		size_t mark = check_enter(check, parts[i].key);

		parts[i].check(check, json_object_get(record, parts[i].key));
		check_leave(check, mark);
	}
	if (!check->failed) {
		record_check_answers(check, record);
	}
}

json_t *abi_record_load(const char *path, char *why, size_t size)
{
	struct check check = {.file = path, .why = why, .size = size};
	json_t *record = abi_json_read(&check, path);

	if (record != NULL) {
		check_record(&check, record);
	}
	if (check.failed) {
		json_decref(record);
		return NULL;
	}
	return record;
}

/* --- What others want to know of a record. */
uint32_t abi_quirk_by_name(const char *name)
{
	for (uint32_t quirk = 1; quirk < HVC_QUIRK_END; quirk <<= 1) {
		if (strcmp(hvc_quirk_name(quirk), name) == 0) {
			return quirk;
		}
	}
	return 0;
}

void abi_record_apply(const json_t *record, struct hvc_settings *settings)
{
	const json_t *firmware = json_object_get(record, "firmware");

	for (size_t i = 0; i < json_array_size(firmware); i++) {
		const json_t *reg = json_array_get(firmware, i);
		unsigned int which = hvc_register_by_name(
			json_string_value(json_object_get(reg, "name")));

		if (which >= HVC_REG_WORKAROUND_1 && which <= HVC_REG_WORKAROUND_3 &&
		    which < settings->reg_count) {
			settings->regs[which] = json_hex(json_object_get(reg, "value"));
		}
	}
}

/* "linux-6.12@1", "6.12.117+deb13": 6 << 16 | 12; 0 if it is no such thing. */
static uint32_t series(const char *text)
{
	unsigned long major, minor;
	char *end;

	major = strtoul(text, &end, 10);
	if (end == text || *end != '.' || major > 999) {
		return 0;
	}
	text = end + 1;
	minor = strtoul(text, &end, 10);
	return end == text || minor > 999 ? 0 : HVC_VERSION(major, minor);
}

const struct abi_profile *abi_record_profile(const json_t *record)
{
	uint32_t kernel = series(
		json_string_value(json_object_get(json_object_get(record, "host"), "kernel")));
	const struct abi_profile *best = NULL, *profile;

	/* Oldest first, revisions ascending: the last that fits. */
	for (size_t n = 0; (profile = abi_profile_at(n)) != NULL; n++) {
		if (abi_profile_rank(profile) != 0 &&
		    series(abi_profile_name(profile) + strlen("linux-")) <= kernel) {
			best = profile;
		}
	}
	return best;
}
