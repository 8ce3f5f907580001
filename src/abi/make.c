/* SPDX-License-Identifier: BSD-2-Clause */
/* A profile of records: what a kernel determines, whatever the host (docs/records.md). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "make.h"
#include "record.h"

#define NOT_SUPPORTED "0xffffffffffffffff"

static bool refuse(struct make *make, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool refuse(struct make *make, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(make->why, make->size, format, args);
	va_end(args);
	return false;
}

/* --- Answers. */
/* x of a call in the configuration "default" by HVC; NULL if it did not come back. */
static const json_t *default_answer(const json_t *record, const char *call)
{
	const json_t *answers = json_object_get(record, "answers");

	for (size_t i = 0; i < json_array_size(answers); i++) {
		const json_t *answer = json_array_get(answers, i);
		const json_t *results = json_object_get(answer, "results");

		for (size_t k = 0;
		     k < json_array_size(results) &&
		     strcmp(json_string_value(json_object_get(answer, "call")), call) == 0;
		     k++) {
			const json_t *result = json_array_get(results, k);
			const json_t *where = json_object_get(result, "hvc");

			if (json_has(where, "*") || json_has(where, "default")) {
				return json_object_get(result, "x");
			}
		}
	}
	return NULL;
}

/* Was it not refused, in some configuration? */
static bool is_served(const json_t *answer)
{
	const json_t *results = json_object_get(answer, "results");

	for (size_t i = 0; i < json_array_size(results); i++) {
		const json_t *x = json_object_get(json_array_get(results, i), "x");

		if (x == NULL ||
		    strcmp(json_string_value(json_array_get(x, 0)), NOT_SUPPORTED) != 0) {
			return true;
		}
	}
	return false;
}

static json_t *functions_of(const json_t *record)
{
	const json_t *answers = json_object_get(record, "answers");
	json_t *functions = json_array();

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const char *name = hvc_function_at(slot)->name;
		bool served = false;

		for (size_t i = 0; i < json_array_size(answers); i++) {
			const json_t *answer = json_array_get(answers, i);

			served |= strcmp(json_string_value(json_object_get(answer, "call")),
					 name) == 0 &&
				  is_served(answer);
		}
		if (served) {
			json_array_append_new(functions, json_string(name));
		}
	}
	return functions;
}

/* SMCCC's version is among them: every kernel with KVM on arm64 that there is has it. A function that no record has a
 * call of is younger than the record, and not in its profile. */
static bool has_smccc(struct make *make, const json_t *record)
{
	const json_t *x = default_answer(record, "SMCCC_VERSION");

	return (x != NULL && json_hex(json_array_get(x, 0)) <= HVC_VERSION(9, 9)) ||
	       refuse(make, "SMCCC_VERSION has no answer that is a version");
}

/* The UUID that a call returns in x0 to x3, each half of a word little-endian (DEN0028, 6.2). */
static json_t *uuid_of(const json_t *record, const char *call)
{
	const json_t *x = default_answer(record, call);
	uint8_t bytes[16];
	char text[37];
	size_t used = 0;

	if (x == NULL || strcmp(json_string_value(json_array_get(x, 0)), NOT_SUPPORTED) == 0) {
		return NULL;
	}
	for (size_t i = 0; i < 4; i++) {
		uint64_t word = json_hex(json_array_get(x, i));

		for (unsigned int k = 0; k < 4; k++) {
			bytes[4 * i + k] = (uint8_t)(word >> 8 * k);
		}
	}
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bool dash = i == 4 || i == 6 || i == 8 || i == 10;

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%02x",
					 dash ? "-" : "", bytes[i]);
	}
	return json_string(text);
}

/* --- Registers and versions. */
static json_t *version_text(uint64_t version)
{
	return json_sprintf("%u.%u", (unsigned int)(version >> 16 & 0xffff),
			    (unsigned int)(version & 0xffff));
}

static json_t *psci_of(const json_t *record)
{
	const json_t *reg = json_array_get(json_object_get(record, "firmware"), 0);
	json_t *psci = json_object(),
	       *versions = json_copy(json_object_get(reg, "accepted-psci-0.1"));

	json_array_extend(versions, json_object_get(reg, "accepted"));
	json_object_set_new(psci, "default", version_text(json_hex(json_object_get(reg, "value"))));
	json_object_set_new(psci, "versions", versions);
	return psci;
}

/* The feature registers that hvcgate knows, from the first on and none between missing. */
static bool known_registers(struct make *make, const json_t *record)
{
	const json_t *firmware = json_object_get(record, "firmware");

	for (size_t i = 0; i < json_array_size(firmware); i++) {
		const char *name = json_string_value(
			json_object_get(json_array_get(firmware, i), "name"));

		if (hvc_register_by_name(name) != i) {
			return refuse(
				make, "feature register %zu is %s, and this hvcgate knows %s there",
				i, name,
				i < HVC_REG_COUNT ? hvc_register_name((unsigned int)i) : "none");
		}
	}
	return true;
}

static json_t *registers_of(const json_t *record)
{
	const json_t *firmware = json_object_get(record, "firmware");
	json_t *registers = json_array();

	for (size_t i = 0; i < json_array_size(firmware); i++) {
		const json_t *from = json_array_get(firmware, i);
		json_t *reg = json_object();

		json_object_set(reg, "name", json_object_get(from, "name"));
		json_object_set(reg, "id", json_object_get(from, "id"));
		/* Workaround levels are the host's. */
		if (i == HVC_REG_PSCI_VERSION || i >= HVC_REG_STD_BMAP) {
			json_object_set(reg, "reset", json_object_get(from, "value"));
		}
		if (i >= HVC_REG_STD_BMAP) {
			json_object_set(reg, "legal-bits", json_object_get(from, "legal-bits"));
		}
		json_array_append_new(registers, reg);
	}
	return registers;
}

static json_t *filter_of(const json_t *record)
{
	const json_t *from = json_object_get(record, "filter");
	json_t *filter = json_object();

	json_object_set(filter, "supported", json_object_get(from, "supported"));
	json_object_set(filter, "reserved", json_object_get(from, "reserved"));
	return filter;
}

/* --- All but quirks and where it comes from. */
static json_t *body_of(const json_t *record)
{
	const json_t *smccc = default_answer(record, "SMCCC_VERSION");
	json_t *body = json_object(), *uuid;

	json_object_set_new(body, "smccc",
			    version_text(smccc != NULL ? json_hex(json_array_get(smccc, 0)) : 0));
	json_object_set_new(body, "psci", psci_of(record));
	json_object_set_new(body, "registers", registers_of(record));
	json_object_set_new(body, "filter", filter_of(record));
	uuid = uuid_of(record, "KVM_VENDOR_UID");
	if (uuid != NULL) {
		json_object_set_new(body, "vendor-uid", uuid);
	}
	uuid = uuid_of(record, "TRNG_GET_UUID");
	if (uuid != NULL) {
		json_object_set_new(body, "trng-uuid", uuid);
	}
	json_object_set_new(body, "functions", functions_of(record));
	return body;
}

/* "yes", "no", "unknown"; NULL if the record is older than the quirk. */
static const char *seen(const json_t *record, const char *quirk)
{
	return json_string_value(
		json_object_get(json_object_get(json_object_get(record, "quirks"), quirk), "seen"));
}

/* What all records say of a quirk, "" if nothing at all; NULL if two contradict each other. */
static const char *seen_by_all(const struct make *make, const char *quirk)
{
	const char *all = "";

	for (size_t i = 0; i < make->count; i++) {
		const char *one = seen(make->records[i], quirk);

		if (one == NULL || (all[0] != '\0' && strcmp(one, "unknown") == 0)) {
			continue;
		}
		if (all[0] != '\0' && strcmp(all, "unknown") != 0 && strcmp(one, all) != 0) {
			return NULL;
		}
		all = one;
	}
	return all;
}

static bool add_quirks(struct make *make, json_t *profile)
{
	json_t *quirks = json_array(), *unknown = json_array();
	bool sound = true;

	for (uint32_t quirk = 1; quirk < HVC_QUIRK_END; quirk <<= 1) {
		const char *name = hvc_quirk_name(quirk);
		const char *all = seen_by_all(make, name);

		if (all == NULL) {
			sound = refuse(make, "one record has quirk %s, another has not", name);
		} else if (strcmp(all, "yes") == 0) {
			json_array_append_new(quirks, json_string(name));
		} else if (strcmp(all, "unknown") == 0) {
			json_array_append_new(unknown, json_string(name));
		}
	}
	json_object_set_new(profile, "quirks", quirks);
	json_object_set_new(profile, "not-measured", unknown);
	return sound;
}

static bool same_body(struct make *make, const json_t *body, const json_t *other)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)body, key, value)
	{
		if (!json_equal(value, json_object_get(other, key))) {
			return refuse(make, "the records disagree in '%s'", key);
		}
	}
	return json_object_size(body) == json_object_size(other) ||
	       refuse(make, "one record has something that another has not");
}

static bool check_series(struct make *make, const json_t *record)
{
	const char *kernel = json_string_value(
		json_object_get(json_object_get(record, "host"), "kernel"));
	const char *series = make->name + strlen("linux-");
	size_t length = strlen(series);

	return (strncmp(kernel, series, length) == 0 &&
		(kernel[length] == '.' || kernel[length] == '-' || kernel[length] == '\0')) ||
	       refuse(make, "a record of %s makes no %s", kernel, make->name);
}

static bool check_all(struct make *make, const json_t *body)
{
	for (size_t i = 0; i < make->count; i++) {
		json_t *other;
		bool same;

		if (!check_series(make, make->records[i]) ||
		    !known_registers(make, make->records[i]) ||
		    !has_smccc(make, make->records[i])) {
			return false;
		}
		other = body_of(make->records[i]);
		same = same_body(make, body, other);
		json_decref(other);
		if (!same) {
			return false;
		}
	}
	return true;
}

json_t *abi_profile_make(struct make *make)
{
	json_t *profile = json_object(), *body = body_of(make->records[0]);
	bool sound = check_all(make, body);

	json_object_set_new(profile, "hvcgate-profile", json_integer(1));
	json_object_set_new(profile, "name", json_string(make->name));
	json_object_set_new(profile, "revision", json_integer(make->revision));
	json_object_set(profile, "made-from", make->made_from);
	json_object_update(profile, body);
	json_decref(body);
	if (!sound || !add_quirks(make, profile)) {
		json_decref(profile);
		return NULL;
	}
	return profile;
}
