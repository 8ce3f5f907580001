/* SPDX-License-Identifier: BSD-2-Clause */
/* A record as what a VMM finds on that host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "records.h"

/* What QEMU does not send as a list of registers: those of the core and of SVE. */
enum { CLASS_CORE = 0x10, CLASS_SVE = 0x15 };
#define MAX_ADDED 128u

static const struct {
	const char *capability, *name;
	uint64_t first;
	unsigned int count;
	uint32_t series;
} adds[] = {
#define ADDS(capability, name, first, count, major, minor) \
	{capability, name, first, count, HVC_VERSION(major, minor)},
#include "registers.def"
#undef ADDS
};

static void copy(char *to, size_t size, const json_t *text)
{
	snprintf(to, size, "%s", json_is_string(text) ? json_string_value(text) : "?");
}

static uint64_t hex(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? strtoull(text, NULL, 16) : 0;
}

const struct compat_register *compat_find(const struct compat_host *host, uint64_t id)
{
	for (uint32_t i = 0; i < host->count; i++) {
		if (host->registers[i].id == id) {
			return &host->registers[i];
		}
	}
	return NULL;
}

bool compat_can_set(const struct compat_register *reg, uint64_t value)
{
	if (reg->bitmap) {
		return (value & ~reg->legal) == 0;
	}
	for (unsigned int i = 0; i < reg->accepted_count; i++) {
		if (reg->accepted[i] == value) {
			return true;
		}
	}
	return reg->accepted_count == 0 && reg->value == value;
}

unsigned int compat_shown(const struct compat_host *const *hosts, size_t count)
{
	for (unsigned int which = 0; which < HVC_REG_COUNT; which++) {
		for (size_t n = 0; n < count; n++) {
			if (compat_find(hosts[n], abi_register_id(which)) == NULL) {
				return which;
			}
		}
	}
	return HVC_REG_COUNT;
}

static void take_registers(struct compat_host *host, const json_t *array)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *reg = json_array_get(array, i);
		struct compat_register *out = &host->registers[host->count];
		uint64_t id = hex(reg, "id"), kind = id >> 16 & 0xfff;

		if (kind == CLASS_CORE || kind == CLASS_SVE) {
			continue;
		}
		out->id = id;
		copy(out->name, sizeof(out->name), json_object_get(reg, "name"));
		out->has_value = json_object_get(reg, "value") != NULL &&
				 json_integer_value(json_object_get(reg, "size")) <= 8;
		out->value = out->has_value ? hex(reg, "value") : 0;
		host->count++;
	}
}

static uint64_t version(const char *text)
{
	unsigned long major, minor = 0;
	char *end;

	major = strtoul(text, &end, 10);
	if (*end == '.') {
		minor = strtoul(end + 1, NULL, 10);
	}
	return (uint64_t)major << 16 | (minor & 0xffff);
}

/* What can be set of a register that is in the list too. */
static void take_firmware(struct compat_host *host, const json_t *reg)
{
	const json_t *accepted = json_object_get(reg, "accepted");
	struct compat_register *out = (struct compat_register *)(uintptr_t)compat_find(
		host, hex(reg, "id"));

	if (out == NULL) {
		return;
	}
	out->firmware = true;
	copy(out->name, sizeof(out->name), json_object_get(reg, "name"));
	out->bitmap = json_object_get(reg, "legal-bits") != NULL;
	out->legal = hex(reg, "legal-bits");
	out->value = hex(reg, "value");
	out->has_value = true;
	for (size_t i = 0; i < json_array_size(accepted) && i < 32; i++) {
		const char *text = json_string_value(json_array_get(accepted, i));

		out->accepted[out->accepted_count++] = strncmp(text, "0x", 2) == 0
							       ? strtoull(text, NULL, 16)
							       : version(text);
	}
}

/* "PMEVCNTR#_EL0", 3 */
static void number_name(char *to, size_t size, const char *name, unsigned int n)
{
	size_t mark = strcspn(name, "#");

	if (name[mark] == '\0') {
		snprintf(to, size, "%s", name);
	} else {
		snprintf(to, size, "%.*s%u%s", (int)mark, name, n, name + mark + 1);
	}
}

static void add_features(struct compat_host *host, const json_t *capabilities)
{
	for (size_t i = 0; i < sizeof(adds) / sizeof(adds[0]); i++) {
		if (json_object_get(capabilities, adds[i].capability) == NULL ||
		    host->series < adds[i].series) {
			continue;
		}
		for (unsigned int n = 0; n < adds[i].count; n++) {
			struct compat_register *out = &host->registers[host->count];

			if (compat_find(host, adds[i].first + n) == NULL) {
				out->id = adds[i].first + n;
				number_name(out->name, sizeof(out->name), adds[i].name, n);
				host->count++;
			}
		}
	}
}

static int by_id(const void *left, const void *right)
{
	const struct compat_register *a = left, *b = right;

	return a->id < b->id ? -1 : a->id > b->id;
}

struct compat_host *compat_host_new(const json_t *record, const char *name)
{
	const json_t *host_json = json_object_get(record, "host"),
		     *registers = json_object_get(record, "registers"),
		     *firmware = json_object_get(record, "firmware"),
		     *cpu = json_object_get(host_json, "cpu");
	struct compat_host *host = calloc(1, sizeof(*host));

	if (host == NULL) {
		return NULL;
	}
	host->registers = calloc(json_array_size(registers) + MAX_ADDED,
				 sizeof(host->registers[0]));
	if (host->registers == NULL) {
		free(host);
		return NULL;
	}
	snprintf(host->name, sizeof(host->name), "%s", name);
	copy(host->kernel, sizeof(host->kernel), json_object_get(host_json, "kernel"));
	copy(host->cpu, sizeof(host->cpu), json_object_get(cpu, "name"));
	host->midr = hex(cpu, "midr");
	host->series = (uint32_t)version(host->kernel);
	host->profile = abi_record_profile(record);
	take_registers(host, registers);
	for (size_t i = 0; i < json_array_size(firmware); i++) {
		take_firmware(host, json_array_get(firmware, i));
	}
	add_features(host, json_object_get(record, "capabilities"));
	qsort(host->registers, host->count, sizeof(host->registers[0]), by_id);
	return host;
}

void compat_host_free(struct compat_host *host)
{
	if (host != NULL) {
		free(host->registers);
		free(host);
	}
}

const char *compat_record_name(size_t n)
{
	return compat_records[n].name;
}

/* linux-6.12, a profile's linux-6.12@1, linux-7.x */
static const struct compat_record *built_in(const char *name)
{
	size_t length = strcspn(name, "@");
	const struct compat_record *found = NULL;

	if (name[length] == '@' && abi_profile_find(name) == NULL) {
		return NULL;
	}
	for (const struct compat_record *record = compat_records; record->name != NULL; record++) {
		if (length > 2 && strcmp(name + length - 2, ".x") == 0
			    ? strncmp(record->name, name, length - 1) == 0 &&
				      strchr(record->name + length, '-') == NULL
			    : strlen(record->name) == length &&
				      strncmp(record->name, name, length) == 0) {
			found = record;
		}
	}
	return found;
}

static struct compat_host *host_of(json_t *json, const char *name, char *why, size_t size)
{
	struct compat_host *host = json != NULL ? compat_host_new(json, name) : NULL;

	if (host == NULL) {
		snprintf(why, size, "no memory");
	}
	json_decref(json);
	return host;
}

struct compat_host *compat_host_open(const char *name, char *why, size_t size)
{
	const struct compat_record *record = built_in(name);
	const char *slash = strrchr(name, '/');
	json_t *json;

	if (record != NULL) {
		return host_of(json_loads(record->json, 0, NULL), record->name, why, size);
	}
	if (strncmp(name, "linux-", 6) == 0 && slash == NULL && strstr(name, ".json") == NULL) {
		snprintf(
			why, size,
			"no record of '%.64s' is built in; there are linux-5.10 to %s, or name a file",
			name, built_in("linux-7.x")->name);
		return NULL;
	}
	json = abi_record_load(name, why, size);
	return json != NULL ? host_of(json, slash != NULL ? slash + 1 : name, why, size) : NULL;
}
