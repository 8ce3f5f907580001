/* SPDX-License-Identifier: BSD-2-Clause */
/* The small parts: SHA-256, the languages of values, edit distance. */
#include "policy_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sha256.h"
#include "suggest.h"
#include "values.h"

static void digest_is(const void *data, size_t bytes, const char *hex)
{
	uint8_t digest[32];
	char text[65];

	sha256(data, bytes, digest);
	for (size_t i = 0; i < 32; i++) {
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	}
	assert_string_equal(text, hex);
}

/* FIPS 180-4's examples (NIST, SHA256.pdf), and every length around a block's end. */
static void test_sha256(void **state)
{
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char *million = malloc(1000000);

	(void)state;
	digest_is("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_is("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_is(two_blocks, 56,
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	assert_non_null(million);
	memset(million, 'a', 1000000);
	digest_is(million, 1000000,
		  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	digest_is(million, 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
	digest_is(million, 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
	digest_is(million, 119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb");
	free(million);
}

static void test_version(void **state)
{
	static const char *const bad[] = {"",    "1",   "1.",     ".1",   "1.1.1", "v1.1",
					  "1.x", "1,1", "1234.1", " 1.1", "1.1 "};
	uint32_t version;

	(void)state;
	assert_true(parse_version("1.3", &version));
	assert_int_equal(version, 0x10003);
	assert_true(parse_version("0.2", &version));
	assert_int_equal(version, 2);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(parse_version(bad[i], &version));
	}
}

static void test_range(void **state)
{
	static const char *const bad[] = {"",         "0x",          "0x1-",
					  "-0x1",     "0x1-0x",      "1-2",
					  "0x1--0x2", "0x1-0x2-0x3", "0x123456789",
					  "0x1 -0x2", "0xg"};
	uint32_t first, last;

	(void)state;
	assert_true(parse_id_range("0x82000000-0x8200fFFF", &first, &last));
	assert_int_equal(first, 0x82000000u);
	assert_int_equal(last, 0x8200ffffu);
	assert_true(parse_id_range("0x1", &first, &last));
	assert_int_equal(first, 1);
	assert_int_equal(last, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(parse_id_range(bad[i], &first, &last));
	}
}

static void test_number(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(parse_number("18446744073709551615", &value));
	assert_true(value == UINT64_MAX);
	assert_true(parse_number("0xffffffffffffffff", &value));
	assert_true(value == UINT64_MAX);
	assert_false(parse_number("18446744073709551616", &value));
	assert_false(parse_number("", &value));
	assert_false(parse_number("0x", &value));
	assert_false(parse_number("-1", &value));
}

static void test_uuid(void **state)
{
	/* KVM's: what its guests compare x0..x3 with. */
	static const char kvm[] = "28b46fb6-2ec5-11e9-a9ca-4b564d003a74";
	uint32_t words[4];
	char text[37];

	(void)state;
	assert_true(parse_uuid(kvm, words));
	assert_int_equal(words[0], 0xb66fb428u);
	assert_int_equal(words[1], 0xe911c52eu);
	assert_int_equal(words[2], 0x564bcaa9u);
	assert_int_equal(words[3], 0x743a004du);
	format_uuid(words, text);
	assert_string_equal(text, kvm);
	assert_false(parse_uuid("28b46fb6-2ec5-11e9-a9ca-4b564d003a7", words));
	assert_false(parse_uuid("28b46fb6-2ec5-11e9-a9ca-4b564d003a7g", words));
	assert_false(parse_uuid("28b46fb62-ec5-11e9-a9ca-4b564d003a74", words));
}

static void test_duration(void **state)
{
	uint32_t ms;

	(void)state;
	assert_true(parse_duration("100ms", &ms));
	assert_int_equal(ms, 100);
	assert_true(parse_duration("3600s", &ms));
	assert_int_equal(ms, 3600000);
	assert_false(parse_duration("3601s", &ms));
	assert_false(parse_duration("0ms", &ms));
	assert_false(parse_duration("ms", &ms));
	assert_false(parse_duration("1m", &ms));
	assert_false(parse_duration("99999999999ms", &ms));
}

static void test_distance(void **state)
{
	(void)state;
	assert_int_equal(edit_distance("trng", "trng", 3), 0);
	assert_int_equal(edit_distance("trgn", "trng", 3), 1); /* swapped neighbours */
	assert_int_equal(edit_distance("kitten", "sitting", 9), 3);
	assert_int_equal(edit_distance("kitten", "sitting", 2), 3); /* the limit and one more */
	assert_int_equal(edit_distance("FF_A", "ff-a", 3), 0);
	assert_int_equal(edit_distance("", "abc", 5), 3);
}

static void test_suggestions(void **state)
{
	(void)state;
	assert_string_equal(suggest_function("PSCI_CPUON"), "PSCI_CPU_ON");
	assert_string_equal(suggest_function("SYSTEM_OFF"), "PSCI_SYSTEM_OFF");
	assert_null(suggest_function("zebra"));
	assert_null(suggest_function(""));
	assert_string_equal(suggest_service("kvm-vender"), "kvm-vendor");
	assert_string_equal(suggest_owner("vendorhyp"), "vendor-hyp");
	assert_string_equal(suggest_register("STD_BITMAP"), "STD_BMAP");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),   cmocka_unit_test(test_version),
		cmocka_unit_test(test_range),    cmocka_unit_test(test_number),
		cmocka_unit_test(test_uuid),     cmocka_unit_test(test_duration),
		cmocka_unit_test(test_distance), cmocka_unit_test(test_suggestions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
