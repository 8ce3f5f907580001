/* SPDX-License-Identifier: BSD-2-Clause */
/* What the compiler cannot assert about the catalogue, and the functions that search it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <hvcgate/catalog.h>

/* The model of hvc_function_by_id(): look at every row. */
static unsigned int slot_by_scan(uint32_t id)
{
	unsigned int found = 0;

	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *fn = hvc_function_at(slot);

		if (id != 0 && (fn->id32 == id || fn->id64 == id)) {
			assert_int_equal(found, 0);
			found = slot;
		}
	}
	return found;
}

static unsigned int comma_count(const char *text)
{
	unsigned int count = 0;

	for (; *text != '\0'; text++) {
		count += *text == ',';
	}
	return count;
}

static void test_slots(void **state)
{
	(void)state;
	assert_null(hvc_function_at(HVC_FN_NONE));
	assert_null(hvc_function_at(hvc_function_count()));
	assert_null(hvc_function_at(UINT32_MAX));
	assert_int_equal(hvc_function_count(), HVC_FN_COUNT);
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		assert_non_null(hvc_function_at(slot));
	}
}

/* Both neighbours of every ID, and every ID with each single bit flipped. */
static void test_by_id(void **state)
{
	(void)state;
	assert_int_equal(hvc_function_by_id(0), HVC_FN_NONE);
	assert_int_equal(hvc_function_by_id(UINT32_MAX), HVC_FN_NONE);
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *fn = hvc_function_at(slot);
		const uint32_t ids[] = {fn->id32, fn->id64};

		for (size_t i = 0; i < 2; i++) {
			if (ids[i] == 0) {
				continue;
			}
			assert_int_equal(hvc_function_by_id(ids[i]), slot);
			assert_int_equal(slot_by_scan(ids[i]), slot);
			assert_int_equal(hvc_function_by_id(ids[i] - 1), slot_by_scan(ids[i] - 1));
			assert_int_equal(hvc_function_by_id(ids[i] + 1), slot_by_scan(ids[i] + 1));
			for (unsigned int bit = 0; bit < 32; bit++) {
				uint32_t id = ids[i] ^ (uint32_t)1 << bit;

				assert_int_equal(hvc_function_by_id(id), slot_by_scan(id));
			}
		}
	}
}

static void test_by_name(void **state)
{
	char name[80];

	(void)state;
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *fn = hvc_function_at(slot);
		size_t length = strlen(fn->name);

		assert_int_equal(hvc_function_by_name(fn->name), slot);
		assert_true(length > 1 && length + 2 < sizeof(name));
		memcpy(name, fn->name, length);
		name[length] = '_';
		name[length + 1] = '\0';
		assert_int_equal(hvc_function_by_name(name), HVC_FN_NONE);
	}
	assert_int_equal(hvc_function_by_name(""), HVC_FN_NONE);
	assert_int_equal(hvc_function_by_name("PSCI_CPU_O"), HVC_FN_NONE);
	assert_int_equal(hvc_function_by_name("psci_cpu_on"), HVC_FN_NONE);
}

/* IDs that this test states itself: a table that is consistently wrong must not pass. */
static void test_known_ids(void **state)
{
	static const struct {
		const char *name;
		uint32_t id;
		unsigned int service;
	} known[] = {
		{"SMCCC_VERSION", 0x80000000, HVC_SERVICE_ARCH},
		{"SMCCC_ARCH_FEATURES", 0x80000001, HVC_SERVICE_ARCH},
		{"SMCCC_ARCH_WORKAROUND_1", 0x80008000, HVC_SERVICE_ARCH},
		{"SMCCC_ARCH_WORKAROUND_2", 0x80007fff, HVC_SERVICE_ARCH},
		{"SMCCC_ARCH_WORKAROUND_3", 0x80003fff, HVC_SERVICE_ARCH},
		{"PSCI_VERSION", 0x84000000, HVC_SERVICE_PSCI},
		{"PSCI_CPU_SUSPEND", 0xc4000001, HVC_SERVICE_PSCI},
		{"PSCI_CPU_OFF", 0x84000002, HVC_SERVICE_PSCI},
		{"PSCI_CPU_ON", 0xc4000003, HVC_SERVICE_PSCI},
		{"PSCI_AFFINITY_INFO", 0xc4000004, HVC_SERVICE_PSCI},
		{"PSCI_MIGRATE_INFO_TYPE", 0x84000006, HVC_SERVICE_PSCI},
		{"PSCI_SYSTEM_OFF", 0x84000008, HVC_SERVICE_PSCI},
		{"PSCI_SYSTEM_RESET", 0x84000009, HVC_SERVICE_PSCI},
		{"PSCI_FEATURES", 0x8400000a, HVC_SERVICE_PSCI},
		{"PSCI_SYSTEM_SUSPEND", 0xc400000e, HVC_SERVICE_PSCI},
		{"PSCI_SYSTEM_RESET2", 0xc4000012, HVC_SERVICE_PSCI},
		{"PSCI_SYSTEM_OFF2", 0xc4000015, HVC_SERVICE_PSCI},
		{"TRNG_VERSION", 0x84000050, HVC_SERVICE_TRNG},
		{"TRNG_RND", 0x84000053, HVC_SERVICE_TRNG},
		{"TRNG_RND", 0xc4000053, HVC_SERVICE_TRNG},
		{"PV_TIME_ST", 0xc5000021, HVC_SERVICE_PV_TIME},
		{"KVM_VENDOR_UID", 0x8600ff01, HVC_SERVICE_KVM_VENDOR},
		{"KVM_FEATURES", 0x86000000, HVC_SERVICE_KVM_VENDOR},
		{"KVM_PTP", 0x86000001, HVC_SERVICE_KVM_VENDOR},
		{"KVM_DISCOVER_IMPL_VER", 0xc6000040, HVC_SERVICE_KVM_VENDOR},
		{"PKVM_MEM_SHARE", 0xc6000003, HVC_SERVICE_PKVM},
		{"HV_HVCALL", 0x46000001, HVC_SERVICE_HYPER_V},
		{"SDEI_VERSION", 0xc4000020, HVC_SERVICE_SDEI},
		{"FFA_VERSION", 0x84000063, HVC_SERVICE_FF_A},
		{"FFA_MSG_SEND_DIRECT_REQ2", 0xc400008d, HVC_SERVICE_FF_A},
		{"LFA_VERSION", 0xc40002e0, HVC_SERVICE_LFA},
		{"OPTEE_CALL_WITH_ARG", 0x32000004, HVC_SERVICE_TEE},
		{"OPTEE_CALLS_UID", 0xbf00ff01, HVC_SERVICE_TEE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct hvc_function *fn = hvc_function_at(hvc_function_by_id(known[i].id));

		assert_non_null(fn);
		assert_string_equal(fn->name, known[i].name);
		assert_int_equal(fn->service, known[i].service);
	}
}

static void test_texts(void **state)
{
	(void)state;
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *fn = hvc_function_at(slot);
		size_t length = strlen(fn->args);

		if (fn->arg_count == 0) {
			assert_string_equal(fn->args, "");
		} else {
			assert_int_equal(comma_count(fn->args) + 1, fn->arg_count);
			assert_null(strstr(fn->args, ",,"));
			assert_null(strchr(fn->args, ' '));
			assert_true(fn->args[0] != ',' && fn->args[length - 1] != ',');
		}
		assert_true(strlen(fn->meaning) > 10);
		/* One table cell, one line of a trace. */
		assert_null(strpbrk(fn->meaning, "|\n\t\""));
		assert_true(fn->meaning[strlen(fn->meaning) - 1] != '.');
	}
}

/* The prefix of a name tells its service, and the owner in its IDs agrees with both. */
static void test_prefix_and_owner(void **state)
{
	static const struct {
		const char *prefix;
		unsigned int service;
		uint64_t owners; /* bit n: owner n */
	} rules[] = {
		{"SMCCC_", HVC_SERVICE_ARCH, 1u << 0 | 1u << 4 | 1u << 5 | 1u << 6},
		{"PSCI_0_1_", HVC_SERVICE_PSCI, 1u << 0x15},
		{"PSCI_", HVC_SERVICE_PSCI, 1u << 4},
		{"TRNG_", HVC_SERVICE_TRNG, 1u << 4},
		{"SDEI_", HVC_SERVICE_SDEI, 1u << 4},
		{"FFA_", HVC_SERVICE_FF_A, 1u << 4},
		{"LFA_", HVC_SERVICE_LFA, 1u << 4},
		{"PV_TIME_", HVC_SERVICE_PV_TIME, 1u << 5},
		{"KVM_", HVC_SERVICE_KVM_VENDOR, 1u << 6},
		{"PKVM_", HVC_SERVICE_PKVM, 1u << 6},
		{"HV_", HVC_SERVICE_HYPER_V, 1u << 6},
		{"OPTEE_", HVC_SERVICE_TEE, (uint64_t)1 << 50 | (uint64_t)1 << 63},
	};

	(void)state;
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *fn = hvc_function_at(slot);
		uint32_t id = fn->id32 != 0 ? fn->id32 : fn->id64;
		size_t i = 0;

		while (strncmp(fn->name, rules[i].prefix, strlen(rules[i].prefix)) != 0) {
			i++;
			assert_true(i < sizeof(rules) / sizeof(rules[0]));
		}
		assert_int_equal(fn->service, rules[i].service);
		assert_true((rules[i].owners >> HVC_ID_OWNER(id) & 1) != 0);
		if (fn->id32 != 0 && fn->id64 != 0) {
			assert_int_equal(HVC_ID_OWNER(fn->id32), HVC_ID_OWNER(fn->id64));
		}
	}
}

/* Number ranges that the specifications reserve for a service (DEN0028 tables 6-2 to 6-5). */
static void test_standard_ranges(void **state)
{
	static const struct {
		unsigned int service;
		uint32_t first;
		uint32_t last;
	} ranges[] = {
		{HVC_SERVICE_PSCI, 0x00, 0x1f},  {HVC_SERVICE_SDEI, 0x20, 0x3f},
		{HVC_SERVICE_TRNG, 0x50, 0x5f},  {HVC_SERVICE_FF_A, 0x60, 0xef},
		{HVC_SERVICE_LFA, 0x2e0, 0x2ff},
	};

	(void)state;
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *fn = hvc_function_at(slot);
		uint32_t id = fn->id32 != 0 ? fn->id32 : fn->id64;

		if (HVC_ID_OWNER(id) != HVC_OWNER_STD) {
			continue;
		}
		for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
			bool inside = HVC_ID_NUMBER(id) >= ranges[i].first &&
				      HVC_ID_NUMBER(id) <= ranges[i].last;

			assert_int_equal(inside, fn->service == ranges[i].service);
		}
	}
}

/* By the SMC32 ID of a function that has both, nothing beyond x7 takes part. */
static void test_narrow(void **state)
{
	const struct hvc_function *req = hvc_function_at(HVC_FN_FFA_MSG_SEND_DIRECT_REQ);
	const struct hvc_function *run = hvc_function_at(HVC_FN_FFA_RUN);
	const struct hvc_function *on = hvc_function_at(HVC_FN_PSCI_CPU_ON);
	const struct hvc_function *hvcall = hvc_function_at(HVC_FN_HV_HVCALL);

	(void)state;
	assert_int_equal(hvc_function_results(req, req->id32), HVC_X0_X7);
	assert_int_equal(hvc_function_results(req, req->id64), HVC_X0_X17);
	assert_int_equal(hvc_function_arg_count(req, req->id32), 7);
	assert_int_equal(hvc_function_arg_count(req, req->id64), 17);
	assert_int_equal(hvc_function_results(run, run->id32), HVC_X0_X17);
	assert_int_equal(hvc_function_arg_count(run, run->id32), 1);
	assert_int_equal(hvc_function_results(on, on->id32), HVC_X0);
	assert_int_equal(hvc_function_arg_count(on, on->id32), 3);
	assert_int_equal(hvc_function_arg_count(on, on->id64), 3);
	assert_int_equal(hvc_function_results(hvcall, hvcall->id64), HVC_X0_X17);
	assert_int_equal(hvc_function_arg_count(hvcall, hvcall->id64), 17);
}

static void test_gates(void **state)
{
	static const struct {
		const char *name;
		unsigned int reg;
		unsigned int bit;
	} gated[] = {
		{"TRNG_VERSION", HVC_REG_STD_BMAP, 0},
		{"TRNG_FEATURES", HVC_REG_STD_BMAP, 0},
		{"TRNG_GET_UUID", HVC_REG_STD_BMAP, 0},
		{"TRNG_RND", HVC_REG_STD_BMAP, 0},
		{"PV_TIME_FEATURES", HVC_REG_STD_HYP_BMAP, 0},
		{"PV_TIME_ST", HVC_REG_STD_HYP_BMAP, 0},
		{"KVM_VENDOR_UID", HVC_REG_VENDOR_HYP_BMAP, 0},
		{"KVM_FEATURES", HVC_REG_VENDOR_HYP_BMAP, 0},
		{"KVM_PTP", HVC_REG_VENDOR_HYP_BMAP, 1},
		{"KVM_DISCOVER_IMPL_VER", HVC_REG_VENDOR_HYP_BMAP_2, 0},
		{"KVM_DISCOVER_IMPL_CPUS", HVC_REG_VENDOR_HYP_BMAP_2, 1},
	};
	size_t count = 0;

	(void)state;
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		count += hvc_function_at(slot)->reg != HVC_REG_NONE;
	}
	assert_int_equal(count, sizeof(gated) / sizeof(gated[0]));
	for (size_t i = 0; i < count; i++) {
		const struct hvc_function *fn = hvc_function_at(
			hvc_function_by_name(gated[i].name));

		assert_non_null(fn);
		assert_int_equal(fn->reg, gated[i].reg);
		assert_int_equal(fn->reg_bit, gated[i].bit);
	}
}

static void test_no_return(void **state)
{
	static const char *const names[] = {
		"PSCI_0_1_CPU_OFF",    "PSCI_CPU_OFF",
		"PSCI_SYSTEM_OFF",     "PSCI_SYSTEM_RESET",
		"PSCI_CPU_FREEZE",     "PSCI_SYSTEM_SUSPEND",
		"PSCI_SYSTEM_RESET2",  "PSCI_SYSTEM_OFF2",
		"SDEI_EVENT_COMPLETE", "SDEI_EVENT_COMPLETE_AND_RESUME",
	};
	size_t count = 0;

	(void)state;
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		count += (hvc_function_at(slot)->flags & HVC_FLAG_NO_RETURN) != 0;
	}
	assert_int_equal(count, sizeof(names) / sizeof(names[0]));
	for (size_t i = 0; i < count; i++) {
		assert_true((hvc_function_at(hvc_function_by_name(names[i]))->flags &
			     HVC_FLAG_NO_RETURN) != 0);
	}
}

static void test_ffa_error(void **state)
{
	(void)state;
	assert_int_equal(hvc_function_at(HVC_FN_FFA_ERROR)->id32, 0x84000060u);
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *fn = hvc_function_at(slot);
		bool expected = fn->service == HVC_SERVICE_FF_A && slot != HVC_FN_FFA_VERSION;

		assert_int_equal((fn->flags & HVC_FLAG_FFA_ERROR) != 0, expected);
		if (expected) {
			/* The error is delivered in x0 to x7. */
			assert_int_equal(fn->results & HVC_X0_X7, HVC_X0_X7);
		}
	}
}

static void test_services(void **state)
{
	(void)state;
	assert_null(hvc_service_name(HVC_SERVICE_NONE));
	assert_null(hvc_service_name(HVC_SERVICE_COUNT));
	assert_int_equal(hvc_service_by_name("no-such"), HVC_SERVICE_NONE);
	assert_int_equal(hvc_service_by_name(""), HVC_SERVICE_NONE);
	for (unsigned int service = 1; service < HVC_SERVICE_COUNT; service++) {
		unsigned int functions = 0;

		assert_non_null(hvc_service_name(service));
		assert_int_equal(hvc_service_by_name(hvc_service_name(service)), service);
		for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
			functions += hvc_function_at(slot)->service == service;
		}
		assert_true(functions > 0);
	}
}

static void test_owners(void **state)
{
	unsigned int first = 1234;
	unsigned int last = 5678;

	(void)state;
	assert_false(hvc_owner_by_name("reserved", &first, &last));
	assert_false(hvc_owner_by_name("", &first, &last));
	assert_int_equal(first, 1234);
	assert_int_equal(last, 5678);
	for (unsigned int owner = 0; owner < 80; owner++) {
		const char *name = hvc_owner_name(owner);
		bool known = owner <= 6 || (owner >= 48 && owner <= 63);

		assert_non_null(name);
		assert_int_equal(strcmp(name, "reserved") != 0, known);
		if (known) {
			assert_true(hvc_owner_by_name(name, &first, &last));
			assert_true(first <= owner && owner <= last);
		}
	}
	assert_true(hvc_owner_by_name("trusted-app", &first, &last));
	assert_int_equal(first, 48);
	assert_int_equal(last, 49);
	assert_true(hvc_owner_by_name("trusted-os", &first, &last));
	assert_int_equal(first, 50);
	assert_int_equal(last, 63);
}

static void test_registers(void **state)
{
	(void)state;
	assert_null(hvc_register_name(HVC_REG_COUNT));
	assert_null(hvc_register_name(HVC_REG_NONE));
	assert_int_equal(hvc_register_by_name("STD"), HVC_REG_NONE);
	assert_string_equal(hvc_register_name(HVC_REG_VENDOR_HYP_BMAP_2), "VENDOR_HYP_BMAP_2");
	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		assert_non_null(hvc_register_name(reg));
		assert_int_equal(hvc_register_by_name(hvc_register_name(reg)), reg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slots),           cmocka_unit_test(test_by_id),
		cmocka_unit_test(test_by_name),         cmocka_unit_test(test_known_ids),
		cmocka_unit_test(test_texts),           cmocka_unit_test(test_prefix_and_owner),
		cmocka_unit_test(test_standard_ranges), cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_gates),           cmocka_unit_test(test_no_return),
		cmocka_unit_test(test_ffa_error),       cmocka_unit_test(test_services),
		cmocka_unit_test(test_owners),          cmocka_unit_test(test_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
