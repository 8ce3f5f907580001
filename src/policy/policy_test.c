/* SPDX-License-Identifier: BSD-2-Clause */
#define _XOPEN_SOURCE 700
#include "policy_test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[] = "/tmp/hvcgate-test-XXXXXX";

int test_enter(void **state)
{
	(void)state;
	return mkdtemp(directory) != NULL && chdir(directory) == 0 ? 0 : -1;
}

/* Files and directories of files. */
static void empty(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[600];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
			if (unlink(name) != 0) {
				empty(name);
				rmdir(name);
			}
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
}

int test_leave(void **state)
{
	(void)state;
	empty(directory);
	return chdir("/") == 0 && rmdir(directory) == 0 ? 0 : -1;
}

void test_write(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static char *messages_of(const struct hvc_diags *diags, const char *name)
{
	static const char *const severities[] = {"error", "warning", "note"};
	const struct hvc_diag *diag;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (size_t i = 0; (diag = hvc_diags_at(diags, i)) != NULL; i++) {
		if (strcmp(diag->file, name) != 0) {
			fprintf(out, "%s:", diag->file);
		}
		if (diag->line != 0) {
			fprintf(out, "%u:%u: ", diag->line, diag->column);
		}
		fprintf(out, "%s: %s\n", severities[diag->severity], diag->message);
	}
	fclose(out);
	return text;
}

enum hvc_err test_load(const char *name, struct hvc_policy **policy, char **messages)
{
	struct hvc_diags *diags = hvc_diags_new();
	enum hvc_err err;

	assert_non_null(diags);
	err = hvc_policy_load(name, policy, diags);
	if (messages != NULL) {
		*messages = messages_of(diags, name);
	}
	assert_true((err == HVC_OK) == (hvc_diags_count(diags, HVC_ERROR) == 0));
	assert_true((err == HVC_OK) == (*policy != NULL));
	hvc_diags_free(diags);
	return err;
}

struct hvc_policy *test_policy(const char *text)
{
	struct hvc_policy *policy;
	char *messages;

	test_write("p.yaml", text);
	test_load("p.yaml", &policy, &messages);
	assert_string_equal(messages, "");
	free(messages);
	return policy;
}

struct hvc_policy *test_policy_warned(const char *text)
{
	struct hvc_policy *policy;
	char *messages;

	test_write("p.yaml", text);
	if (test_load("p.yaml", &policy, &messages) != HVC_OK) {
		fail_msg("%s", messages);
	}
	free(messages);
	return policy;
}

void test_bad_cases(const struct bad_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct hvc_policy *policy;
		char *messages;

		test_write("p.yaml", cases[i].text);
		test_load("p.yaml", &policy, &messages);
		if (strcmp(messages, cases[i].messages) != 0) {
			fail_msg("%s:\n%swanted:\n%s", cases[i].name, messages, cases[i].messages);
		}
		free(messages);
		hvc_policy_free(policy);
	}
}

uint64_t test_random(struct test_random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return random->state * 0x2545f4914f6cdd1dull;
}

uint32_t test_random_below(struct test_random *random, uint32_t limit)
{
	return (uint32_t)((test_random(random) >> 32) * limit >> 32);
}
