/* SPDX-License-Identifier: BSD-2-Clause */
/* Every allocation of a load and a compilation fails once: ENOMEM, no crash, no leak (run it in build/asan). */
#include "policy_test.h"

#include <stdlib.h>
#include <string.h>

static unsigned long countdown; /* 0: allocations succeed */
static bool failed;

static bool fails(void)
{
	if (countdown == 0 || --countdown != 0) {
		return false;
	}
	failed = true;
	return true;
}

/* The linker gives the policy layer these (--wrap). */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
	return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	return fails() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
	return fails() ? NULL : __real_realloc(memory, bytes);
}

static enum hvc_err load_and_compile(const char *path, enum hvc_err *compiled)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_policy *policy = NULL;
	struct hvc_image *image = NULL;
	enum hvc_err err = diags != NULL ? hvc_policy_load(path, &policy, diags) : HVC_ENOMEM;

	assert_true((err == HVC_OK) == (policy != NULL));
	*compiled = HVC_OK;
	if (err == HVC_OK) {
		*compiled = hvc_policy_compile(policy, &image, diags);
	}
	free(image);
	hvc_policy_free(policy);
	hvc_diags_free(diags);
	return err;
}

static void each_failure(const char *path, enum hvc_err result)
{
	unsigned long n = 1;

	for (;; n++) {
		enum hvc_err compiled, err;

		failed = false;
		countdown = n;
		err = load_and_compile(path, &compiled);
		countdown = 0;
		if (!failed) {
			assert_int_equal(err, result);
			assert_int_equal(compiled, HVC_OK);
			break;
		}
		assert_true(err == HVC_ENOMEM || compiled == HVC_ENOMEM);
	}
	print_message("%s: %lu allocations\n", path, n - 1);
	assert_true(n > 10);
}

static void good(void **state)
{
	(void)state;
	test_write("base.yaml", "hvcgate: 1\npsci: \"1.0\"\nrules:\n  - deny: {owner: sip}\n");
	test_write(
		"good.yaml",
		"hvcgate: 1\nprofile: hvcgate-2\nextends: base.yaml\npower-states: [{param: 1}]\n"
		"implementations: [{midr: 1}]\ntrusted-os: {cpu: 1, migrates: no}\nidentity: {uid: \"00112233-4455-6677-8899-aabbccddeeff\"}\n"
		"services: {trng: off, ptp: off}\ndefault: {forward: a}\nrules:\n"
		"  - deny: [PSCI_CPU_ON/64, {range: 0x82000000-0x820000ff}]\n  - forward: {service: ff-a}\n"
		"    to: a\n  - forward: TRNG_RND\n    to: a\n    features: 1\nhandlers: {a: {socket: /run/a}, b: {socket: /run/b}}\n");
	each_failure("good.yaml", HVC_OK);
}

static void bad(void **state)
{
	(void)state;
	test_write(
		"bad.yaml",
		"hvcgate: 1\nprofle: x\nsmccc: 1.1\nservices: {trgn: on}\nrules:\n  - deny: [CPU_ON, {ownr: x}]\n");
	each_failure("bad.yaml", HVC_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good), cmocka_unit_test(bad)};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
