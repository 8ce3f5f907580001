/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the policy layer share: policies from text, in a directory of their own. */
#ifndef HVCGATE_POLICY_TEST_H
#define HVCGATE_POLICY_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include <hvcgate/policy.h>

/* Group setup: a new directory, which becomes the current one; and away with it. */
int test_enter(void **state);
int test_leave(void **state);

void test_write(const char *name, const char *text);
/* Load a file; `messages` gets "line:column: severity: message\n" of every message, with the file's name
 * in front if it is not the one loaded. free() it. */
enum hvc_err test_load(const char *name, struct hvc_policy **policy, char **messages);
/* Load text that must be without any message. */
struct hvc_policy *test_policy(const char *text);
/* Load text that may have warnings, but no errors. */
struct hvc_policy *test_policy_warned(const char *text);

/* Bad policies, and what is said of them. */
struct bad_case {
	const char *name, *text, *messages;
};
void test_bad_cases(const struct bad_case *cases, size_t count);

/* xorshift64*: the same numbers everywhere. */
struct test_random {
	uint64_t state;
};
uint64_t test_random(struct test_random *random);
uint32_t test_random_below(struct test_random *random, uint32_t limit);

#endif
