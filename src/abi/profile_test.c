/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of profiles: names, order, and settings that are what the profiles' own files say. */
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "cmocka_all.h"

static void names_are_found(void **state)
{
	(void)state;
	assert_string_equal(abi_profile_name(abi_profile_find("hvcgate-1")), "hvcgate-1@1");
	assert_string_equal(abi_profile_name(abi_profile_find("hvcgate-1@1")), "hvcgate-1@1");
	assert_string_equal(abi_profile_name(abi_profile_find("linux-6.12@1")), "linux-6.12@1");
	assert_ptr_equal(abi_profile_find("linux-6.1@1"), abi_profile_find("linux-6.1"));
	assert_null(abi_profile_find("linux-6.12@"));
	assert_null(abi_profile_find("linux-6.12@0"));
	assert_null(abi_profile_find("linux-6.12@11"));
	assert_null(abi_profile_find("linux-6."));
	assert_null(abi_profile_find("linux-6.121"));
	assert_null(abi_profile_find("linux"));
	assert_null(abi_profile_find(""));
	assert_null(abi_profile_find("@1"));
}

/* Oldest first, each name once, and ranks that grow with the kernel. */
static void order_is_the_kernels(void **state)
{
	unsigned int rank = 0;
	size_t n = 0;

	(void)state;
	for (; abi_profile_at(n) != NULL; n++) {
		const struct abi_profile *profile = abi_profile_at(n);

		assert_ptr_equal(abi_profile_find(abi_profile_name(profile)), profile);
		assert_in_range(abi_profile_rank(profile), rank, rank + 1);
		rank = abi_profile_rank(profile);
	}
	assert_true(n >= 8);
	assert_int_equal(abi_profile_rank(abi_profile_find("hvcgate-1")), 0);
	assert_int_equal(abi_profile_rank(abi_profile_find("linux-5.10")), 1);
	assert_true(abi_profile_rank(abi_profile_find("linux-6.1")) <
		    abi_profile_rank(abi_profile_find("linux-6.12")));
	assert_null(abi_profile_at(n + 1));
}

/* Every profile of ours that the engine has is here by its number, before the kernels'. */
static void ours_are_the_engines(void **state)
{
	struct hvc_settings want, have;
	char name[32];

	(void)state;
	for (unsigned int n = 1; n <= HVC_PROFILE_NEWEST; n++) {
		const struct abi_profile *profile;

		snprintf(name, sizeof(name), "hvcgate-%u", n);
		profile = abi_profile_find(name);
		assert_ptr_equal(profile, abi_profile_at(n - 1));
		assert_int_equal(abi_profile_rank(profile), 0);
		assert_null(abi_profile_json(profile));
		assert_int_equal(hvc_settings_profile(&want, n), HVC_OK);
		abi_profile_settings(profile, &have);
		assert_memory_equal(&have, &want, sizeof(want));
	}
	hvc_settings_init(&want);
	abi_profile_settings(abi_profile_find("hvcgate-1"), &have);
	assert_memory_equal(&have, &want, sizeof(want));
}

static uint32_t version(const char *text)
{
	char *minor;
	unsigned long major = strtoul(text, &minor, 10);

	assert_int_equal(*minor, '.');
	return HVC_VERSION(major, strtoul(minor + 1, NULL, 10));
}

static uint64_t number(const json_t *value)
{
	return value != NULL ? strtoull(json_string_value(value), NULL, 16) : 0;
}

static bool lists(const json_t *array, const char *name)
{
	const json_t *value;
	size_t i;

	json_array_foreach(array, i, value)
	{
		if (strcmp(json_string_value(value), name) == 0) {
			return true;
		}
	}
	return false;
}

static void check_registers(const json_t *file, const struct hvc_settings *settings)
{
	const json_t *registers = json_object_get(file, "registers"), *reg;
	size_t i;

	assert_int_equal(json_array_size(registers), settings->reg_count);
	json_array_foreach(registers, i, reg)
	{
		assert_string_equal(json_string_value(json_object_get(reg, "name")),
				    hvc_register_name((unsigned int)i));
		assert_int_equal(number(json_object_get(reg, "reset")), settings->regs[i]);
		assert_int_equal(number(json_object_get(reg, "legal-bits")), settings->reg_mask[i]);
	}
	for (; i < HVC_REG_COUNT; i++) {
		assert_int_equal(settings->regs[i] | settings->reg_mask[i], 0);
	}
}

static void check_functions(const json_t *file, const struct hvc_settings *settings)
{
	const json_t *names = json_object_get(file, "functions");
	size_t found = 0;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		bool has = settings->functions[slot / 64] >> slot % 64 & 1;

		assert_int_equal(has, lists(names, hvc_function_at(slot)->name));
		found += has;
	}
	assert_int_equal(found, json_array_size(names));
}

static void check_quirks(const json_t *file, const struct hvc_settings *settings)
{
	const json_t *names = json_object_get(file, "quirks");
	size_t found = 0;

	for (uint32_t quirk = 1; quirk < HVC_QUIRK_END; quirk <<= 1) {
		assert_int_equal((settings->quirks & quirk) != 0,
				 lists(names, hvc_quirk_name(quirk)));
		found += (settings->quirks & quirk) != 0;
	}
	assert_int_equal(found, json_array_size(names));
}

static void check_psci(const json_t *file, const struct hvc_settings *settings)
{
	const json_t *psci = json_object_get(file, "psci"), *value;
	uint32_t bits = 0;
	size_t i;

	assert_int_equal(version(json_string_value(json_object_get(psci, "default"))),
			 settings->regs[HVC_REG_PSCI_VERSION]);
	json_array_foreach(json_object_get(psci, "versions"), i, value)
	{
		uint32_t v = version(json_string_value(value));

		bits |= v == HVC_VERSION(0, 1) ? 0 : HVC_PSCI_BIT(v);
	}
	assert_int_equal(bits, settings->psci_versions);
}

static void settings_are_the_files(void **state)
{
	(void)state;
	for (size_t n = HVC_PROFILE_NEWEST; abi_profile_at(n) != NULL; n++) {
		const struct abi_profile *profile = abi_profile_at(n);
		struct hvc_settings settings;
		json_t *file = json_loads(abi_profile_json(profile), 0, NULL);
		const char *filter;

		assert_non_null(file);
		abi_profile_settings(profile, &settings);
		assert_int_equal(settings.size, sizeof(settings));
		assert_int_equal(settings.strictness, HVC_STRICT_KVM);
		assert_int_equal(settings.discovery, HVC_DISCOVERY_RAW);
		assert_int_equal(settings.smccc_version,
				 version(json_string_value(json_object_get(file, "smccc"))));
		check_psci(file, &settings);
		check_registers(file, &settings);
		check_functions(file, &settings);
		check_quirks(file, &settings);
		filter = json_string_value(
			json_object_get(json_object_get(file, "filter"), "supported"));
		assert_int_equal(settings.filter, strcmp(filter, "yes") == 0);
		assert_int_equal(settings.vendor_uid_present,
				 json_object_get(file, "vendor-uid") != NULL);
		json_decref(file);
	}
}

/* A few facts that are known without the files (reference: KVM's documentation). */
static void known_facts(void **state)
{
	struct hvc_settings old, new;

	(void)state;
	abi_profile_settings(abi_profile_find("linux-5.10"), &old);
	abi_profile_settings(abi_profile_find("linux-7.3"), &new);
	assert_int_equal(old.reg_count, 4);
	assert_int_equal(new.reg_count, 8);
	assert_int_equal(old.vendor_uid_present, 0);
	assert_int_equal(new.vendor_uid[0], 0xb66fb428);
	assert_int_equal(new.vendor_uid[3], 0x743a004d);
	assert_int_equal(old.regs[HVC_REG_PSCI_VERSION], HVC_VERSION(1, 0));
	assert_int_equal(new.regs[HVC_REG_PSCI_VERSION], HVC_VERSION(1, 3));
	assert_int_equal(new.regs[HVC_REG_VENDOR_HYP_BMAP_2], 0);
	assert_int_equal(new.reg_mask[HVC_REG_VENDOR_HYP_BMAP_2], 3);
	assert_true(old.quirks & HVC_QUIRK_SMC_UNKNOWN);
	assert_false(new.quirks &HVC_QUIRK_SMC_UNKNOWN);
	assert_int_equal(new.system_suspend, 0);
	/* Stolen time since 5.5, its register since 5.19. */
	assert_true(old.functions[HVC_FN_PV_TIME_ST / 64] >> HVC_FN_PV_TIME_ST % 64 & 1);
	assert_false(old.functions[HVC_FN_TRNG_VERSION / 64] >> HVC_FN_TRNG_VERSION % 64 & 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found),      cmocka_unit_test(order_is_the_kernels),
		cmocka_unit_test(ours_are_the_engines), cmocka_unit_test(settings_are_the_files),
		cmocka_unit_test(known_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
