/* SPDX-License-Identifier: BSD-2-Clause */
/* Names, and error numbers that are Linux's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/call.h>
#include <hvcgate/err.h>

#include "cmocka_all.h"

/* Every error, with its number of <errno.h>. */
#define ERRORS(X)  \
	X(EPERM)   \
	X(ENOENT)  \
	X(EIO)     \
	X(E2BIG)   \
	X(ENOMEM)  \
	X(EFAULT)  \
	X(EBUSY)   \
	X(EEXIST)  \
	X(EINVAL)  \
	X(EBADMSG) \
	X(ENOTSUP) \
	X(ECANCELED)

#define SAME_NUMBER(name) _Static_assert((int)HVC_##name == -(name), #name " has Linux's number");
ERRORS(SAME_NUMBER)
_Static_assert((int)HVC_OK == 0, "success is 0");

static void test_errors(void **state)
{
	(void)state;
	assert_string_equal(hvc_err_name(HVC_OK), "OK");
#define SAME_NAME(name) assert_string_equal(hvc_err_name(HVC_##name), #name);
	ERRORS(SAME_NAME)
	assert_string_equal(hvc_err_name((enum hvc_err)1), "E?");
	assert_string_equal(hvc_err_name((enum hvc_err) - 3), "E?");
	assert_string_equal(hvc_err_name((enum hvc_err)INT32_MIN), "E?");
}

/* Every value has a name of its own, "?" beyond them. */
#define CHECK_NAMES(type, function, count)                                       \
	do {                                                                     \
		for (unsigned int i = 0; i < (count); i++) {                     \
			assert_string_not_equal(function((enum type)i), "?");    \
			for (unsigned int j = 0; j < i; j++) {                   \
				assert_string_not_equal(function((enum type)i),  \
							function((enum type)j)); \
			}                                                        \
		}                                                                \
		assert_string_equal(function((enum type)(count)), "?");          \
		assert_string_equal(function((enum type) - 1), "?");             \
		assert_string_equal(function((enum type)INT32_MIN), "?");        \
	} while (0)

static void test_names(void **state)
{
	(void)state;
	CHECK_NAMES(hvc_verdict, hvc_verdict_name, HVC_VERDICT_COUNT);
	CHECK_NAMES(hvc_action, hvc_action_name, HVC_NOTIFY + 1);
	CHECK_NAMES(hvc_decider, hvc_decider_name, HVC_DECIDER_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
