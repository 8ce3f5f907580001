/* SPDX-License-Identifier: BSD-2-Clause */
/* How much work a policy can cause, counted: bytes read, files looked at, names compared. */
#define _XOPEN_SOURCE 700
#include "policy_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "diags.h"

static size_t bytes_read, suggestions;

/* The linker gives the policy layer these (--wrap). */
ssize_t __real_read(int fd, void *to, size_t count);
ssize_t __wrap_read(int fd, void *to, size_t count);
const char *__real_suggest_function(const char *wanted);
const char *__wrap_suggest_function(const char *wanted);

ssize_t __wrap_read(int fd, void *to, size_t count)
{
	ssize_t n = __real_read(fd, to, count);

	bytes_read += n > 0 ? (size_t)n : 0;
	return n;
}

const char *__wrap_suggest_function(const char *wanted)
{
	suggestions++;
	return __real_suggest_function(wanted);
}

static enum hvc_err load(const char *name, char **said)
{
	struct hvc_policy *policy;
	enum hvc_err err;

	bytes_read = suggestions = 0;
	err = test_load(name, &policy, said);
	hvc_policy_free(policy);
	return err;
}

static FILE *begin(const char *name)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs("hvcgate: 1\n", file);
	return file;
}

static void pad(FILE *file, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 64) {
		fputs("###############################################################\n", file);
	}
}

static void big(const char *name, size_t bytes)
{
	FILE *file = begin(name);

	pad(file, bytes);
	assert_int_equal(fclose(file), 0);
}

/* However often a parent is named, by whatever name, it is read once. */
static void read_once(void **state)
{
	FILE *child = begin("child.yaml");
	char *said;

	(void)state;
	big("parent.yaml", 1u << 20);
	fputs("extends: [", child);
	for (unsigned int i = 0; i < 200; i++) {
		fputs(i % 2 == 0 ? "parent.yaml, " : "./parent.yaml, ", child);
	}
	fputs("parent.yaml]\n", child);
	assert_int_equal(fclose(child), 0);
	assert_int_equal(load("child.yaml", &said), HVC_OK);
	assert_string_equal(said, "");
	assert_in_range(bytes_read, 1u << 20, (1u << 20) + 8192);
	free(said);
}

/* Naming costs something, too: it ends, and is said once. */
static void named_too_often(void **state)
{
	FILE *child = begin("child.yaml");
	char *said;
	const char *at;

	(void)state;
	big("parent.yaml", 1u << 20);
	fputs("extends:\n", child);
	for (unsigned int i = 0; i < 100000; i++) {
		fputs("  - parent.yaml\n", child);
	}
	assert_int_equal(fclose(child), 0);
	assert_int_equal(load("child.yaml", &said), HVC_EINVAL);
	assert_string_equal(
		said, "259:5: error: extends names parents more than 256 times in this policy\n");
	at = strstr(said, "more than 256");
	assert_non_null(at);
	assert_null(strstr(at + 1, "more than 256"));
	assert_in_range(bytes_read, 1u << 20, 5u << 20);
	free(said);
}

/* Files that cannot be read again and again: a file is tried once. */
static void bad_file_once(void **state)
{
	FILE *child = begin("child.yaml");
	char *said;

	(void)state;
	test_write("bad.yaml", "hvcgate: 1\n# \xff\n");
	fputs("extends: [bad.yaml, ./bad.yaml, bad.yaml]\n", child);
	assert_int_equal(fclose(child), 0);
	assert_int_equal(load("child.yaml", &said), HVC_EINVAL);
	assert_string_equal(
		said, "bad.yaml:2:3: error: byte 0xff is not UTF-8; save the file as UTF-8 text\n");
	free(said);
}

/* 16 MiB are for the whole policy. */
static void bytes_together(void **state)
{
	FILE *child = begin("child.yaml");
	char name[40], *said;

	(void)state;
	fputs("extends:\n", child);
	for (unsigned int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "part%u.yaml", i);
		big(name, 3u << 20);
		fprintf(child, "  - %s\n", name);
	}
	assert_int_equal(fclose(child), 0);
	assert_int_equal(load("child.yaml", &said), HVC_EINVAL);
	assert_non_null(strstr(
		said,
		"8:5: error: with 'part5.yaml' this policy is larger than 16 MiB, the most a policy may be\n"));
	assert_in_range(bytes_read, 15u << 20, 20u << 20);
	free(said);
}

/* And so are 1 000 000 values. */
static void values_together(void **state)
{
	FILE *child = begin("child.yaml");
	char name[40], *said;

	(void)state;
	fputs("extends: [v0.yaml, v1.yaml, v2.yaml]\n", child);
	assert_int_equal(fclose(child), 0);
	for (unsigned int i = 0; i < 3; i++) {
		FILE *file;

		snprintf(name, sizeof(name), "v%u.yaml", i);
		file = begin(name);
		fputs("registers: {STD_BMAP: [", file);
		for (unsigned int k = 0; k < 400000; k++) {
			fputs("trng,", file);
		}
		fputs("]}\n", file);
		assert_int_equal(fclose(file), 0);
	}
	assert_int_equal(load("child.yaml", &said), HVC_EINVAL);
	assert_non_null(
		strstr(said, "error: more than 1000000 values in one policy; use ranges\n"));
	assert_null(strstr(said, "v1.yaml"));
	free(said);
}

/* One rule with nothing but unknown names: as many suggestions as messages are kept. */
static void suggestions_kept(void **state)
{
	FILE *file = begin("p.yaml");
	char *said;

	(void)state;
	fputs("rules:\n  - deny: [", file);
	for (unsigned int i = 0; i < 900000; i++) {
		fputs("PSCI_CPUON,", file);
	}
	fputs("]\n", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(load("p.yaml", &said), HVC_EINVAL);
	assert_non_null(strstr(said, "too many errors: only the first 100 are shown\n"));
	assert_in_range(suggestions, 100, DIAGS_MAX + 1);
	free(said);
}

static void handlers_bounded(void **state)
{
	FILE *child = begin("child.yaml");
	char name[40], *said;

	(void)state;
	fputs("extends: [h0.yaml, h1.yaml]\n", child);
	assert_int_equal(fclose(child), 0);
	for (unsigned int i = 0; i < 2; i++) {
		FILE *file;

		snprintf(name, sizeof(name), "h%u.yaml", i);
		file = begin(name);
		fputs("handlers:\n", file);
		for (unsigned int k = 0; k < 200; k++) {
			fprintf(file, "  h%u: {socket: /s}\n", 200 * i + k);
		}
		assert_int_equal(fclose(file), 0);
	}
	assert_int_equal(load("child.yaml", &said), HVC_EINVAL);
	assert_non_null(
		strstr(said, "h1.yaml:59:3: error: more than 256 handlers in one policy\n"));
	free(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_once),        cmocka_unit_test(named_too_often),
		cmocka_unit_test(bad_file_once),    cmocka_unit_test(bytes_together),
		cmocka_unit_test(values_together),  cmocka_unit_test(suggestions_kept),
		cmocka_unit_test(handlers_bounded),
	};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
