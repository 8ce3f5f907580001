/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of registers and numbers in records; the list of calls. */
#include <stdio.h>
#include <string.h>

#include "calls.h"
#include "cmocka_all.h"

static void assert_name(uint64_t id, const char *wanted)
{
	char name[32];

	probe_reg_name(id, name, sizeof(name));
	assert_string_equal(name, wanted);
}

static void registers_have_names(void **state)
{
	(void)state;
	assert_name(0x6030000000100000, "X0");
	assert_name(0x603000000010003c, "X30");
	assert_name(0x603000000010003e, "SP_EL0");
	assert_name(0x6030000000100040, "PC");
	assert_name(0x6040000000100054, "V0");
	assert_name(0x60400000001000d0, "V31");
	assert_name(0x60200000001000d5, "FPCR");
	assert_name(0x6030000000100001, "?");
	assert_name(0x60300000001000d2, "?");
	assert_name(0x603000000013c020, "ID_AA64PFR0_EL1");
	assert_name(0x603000000013c039, "ID_AA64MMFR1_EL1");
	assert_name(0x603000000013c4f6, "PMMIR_EL1");
	assert_name(0x603000000013c510, "MAIR_EL1");
	assert_name(0x603000000013c01b, "S3_0_C0_C3_3");
	assert_name(0x603000000013c00f, "ID_MMFR3_EL1");
	assert_name(0x603000000013bfff, "S2_7_C15_C15_7");
	assert_name(0x6020000000110003, "CCSIDR_EL1[3]");
	assert_name(0x6030000000140000, "PSCI_VERSION");
	assert_name(0x6030000000140004, "FW_4");
	assert_name(0x6030000000160000, "STD_BMAP");
	assert_name(0x6030000000160003, "VENDOR_HYP_BMAP_2");
	assert_name(0x6030000000160004, "BMAP_4");
	assert_name(0x603000000016ffff, "BMAP_65535");
	assert_name(0x60a0000000150000, "?");
}

/* KVM's IDs of these are each other's encodings. */
static void timers_are_called_what_they_hold(void **state)
{
	(void)state;
	assert_name(0x603000000013df1a, "CNTVCT_EL0");
	assert_name(0x603000000013df02, "CNTV_CVAL_EL0");
	assert_name(0x603000000013df01, "CNTPCT_EL0");
	assert_name(0x603000000013df12, "CNTP_CVAL_EL0");
}

static void assert_number(const uint8_t *value, unsigned int bytes, const char *wanted)
{
	char text[64];

	probe_number(value, bytes, text, sizeof(text));
	assert_string_equal(text, wanted);
}

static void numbers_have_no_leading_zeros(void **state)
{
	static const uint8_t value[16] = {0x01, 0xff, 0, 0x0a};
	static const uint8_t high[16] = {[15] = 0x80};

	(void)state;
	assert_number(value, 1, "0x1");
	assert_number(value, 2, "0xff01");
	assert_number(value, 4, "0xa00ff01");
	assert_number(value, 16, "0xa00ff01");
	assert_number(value + 4, 8, "0x0");
	assert_number(high, 16, "0x80000000000000000000000000000000");
}

/* Every ID of every function, then the questions. */
static void all_functions_are_called(void **state)
{
	static struct listed_call calls[CALLS_MAX];
	const size_t count = probe_call_list(calls);
	size_t at = 0;

	(void)state;
	assert_true(count < CALLS_MAX);
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *function = hvc_function_at(slot);
		const uint32_t ids[2] = {function->id32, function->id64};

		for (int n = 0; n < 2; n++) {
			if (ids[n] != 0) {
				assert_true(at < count);
				assert_int_equal(calls[at].function, slot);
				assert_int_equal(calls[at].call.id, ids[n]);
				at++;
			}
		}
	}
	assert_true(at < count);
	for (; at < count; at++) {
		assert_int_not_equal(hvc_function_by_id((uint32_t)calls[at].call.arguments[0]), 0);
		assert_int_equal(calls[at].call.count, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_have_names),
		cmocka_unit_test(timers_are_called_what_they_hold),
		cmocka_unit_test(numbers_have_no_leading_zeros),
		cmocka_unit_test(all_functions_are_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
