/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damaged policies: whatever the bytes, loading ends, says why or succeeds, and leaks nothing (run it in
 * build/asan). What loads also flattens to itself and compiles. Arguments: a count, then policy files.
 */
#include "policy_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 6000u

static unsigned long rounds;
static int seed_count;
static char **seeds;

static const char *const words[] = {
	"hvcgate: 1\n",
	"rules:\n",
	"  - deny: ",
	"- ",
	": ",
	"[",
	"]",
	"{",
	"}",
	", ",
	"\n",
	"\t",
	"&a ",
	"*a",
	"!!str ",
	"--- \n",
	"...\n",
	"\"",
	"'",
	"|\n",
	">\n",
	"# ",
	"0x80000000",
	"-",
	"0xffffffff",
	"\xff",
	"\xef\xbb\xbf",
	"extends: p.yaml\n",
	"PSCI_CPU_ON",
	"/64",
	"{owner: arch}",
	"{service: ff-a}",
	"default: deny\n",
	"%YAML 1.2\n",
	"<<: ",
	"? ",
	"registers: {STD_BMAP: 1}\n",
	"services: {psci: off}\n",
	"~",
	"profile: hvcgate-2\n",
	"power-states: [{param: 0x10001}]\n",
	"power-state-format: extended\n",
	"implementations: [{midr: 1}]\n",
	"trusted-os: {cpu: 1, migrates: no}\n",
	"    features: 1\n",
	"\\0",
	"\x01",
};
#define WORDS (sizeof(words) / sizeof(words[0]))

struct buffer {
	char bytes[MAX_BYTES];
	size_t length;
};

static void cut(struct buffer *buffer, size_t at, size_t count)
{
	memmove(buffer->bytes + at, buffer->bytes + at + count, buffer->length - at - count);
	buffer->length -= count;
}

static void insert(struct buffer *buffer, size_t at, const char *bytes, size_t count)
{
	char copy[MAX_BYTES];

	if (buffer->length + count > MAX_BYTES) {
		return;
	}
	memcpy(copy, bytes, count);
	memmove(buffer->bytes + at + count, buffer->bytes + at, buffer->length - at);
	memcpy(buffer->bytes + at, copy, count);
	buffer->length += count;
}

static void mutate(struct buffer *buffer, struct test_random *random)
{
	size_t at = test_random_below(random, (uint32_t)buffer->length + 1);
	size_t rest = buffer->length - at;
	size_t count = test_random_below(random, rest < 40 ? (uint32_t)rest + 1 : 40);
	const char *word = words[test_random_below(random, WORDS)];

	switch (test_random_below(random, 6)) {
	case 0:
		cut(buffer, at, count);
		break;
	case 1:
		insert(buffer, at, word, strlen(word));
		break;
	case 2:
		insert(buffer, test_random_below(random, (uint32_t)buffer->length + 1),
		       buffer->bytes + at, count);
		break;
	case 3:
		if (rest != 0) {
			buffer->bytes[at] = (char)(buffer->bytes[at] ^
						   1 << test_random_below(random, 8));
		}
		break;
	case 4:
		if (rest != 0) {
			buffer->bytes[at] = (char)test_random(random);
		}
		break;
	default:
		buffer->length = at;
		break;
	}
}

static void read_seed(const char *path, struct buffer *buffer)
{
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	buffer->length = fread(buffer->bytes, 1, MAX_BYTES, file);
	fclose(file);
}

static void write_buffer(const char *name, const struct buffer *buffer)
{
	FILE *file = fopen(name, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(buffer->bytes, 1, buffer->length, file), buffer->length);
	fclose(file);
}

static void check_sound(const struct hvc_policy *policy)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_policy *again;
	struct hvc_image *image;
	enum hvc_err err;

	test_write("flat.yaml", hvc_policy_flat(policy));
	assert_int_equal(test_load("flat.yaml", &again, NULL), HVC_OK);
	assert_string_equal(hvc_policy_flat(policy), hvc_policy_flat(again));
	hvc_policy_free(again);
	err = hvc_policy_compile(policy, &image, diags);
	assert_int_equal(err, HVC_OK);
	assert_int_equal(hvc_image_check(image, image->bytes), HVC_OK);
	free(image);
	hvc_diags_free(diags);
}

static void damaged(void **state)
{
	struct test_random random = {.state = 20261122};
	unsigned long loaded = 0;

	(void)state;
	assert_true(seed_count > 0);
	for (unsigned long round = 0; round < rounds; round++) {
		static struct buffer buffer;
		struct hvc_policy *policy;
		char *messages;

		read_seed(seeds[round % (unsigned long)seed_count], &buffer);
		for (uint32_t n = 1 + test_random_below(&random, 6); n > 0; n--) {
			mutate(&buffer, &random);
		}
		write_buffer("p.yaml", &buffer);
		if (test_load("p.yaml", &policy, &messages) == HVC_OK) {
			check_sound(policy);
			loaded++;
		} else {
			assert_true(messages[0] != '\0');
		}
		free(messages);
		hvc_policy_free(policy);
	}
	print_message("%lu damaged policies, %lu of them still sound\n", rounds, loaded);
	assert_true(loaded > rounds / 100 && loaded < rounds);
}

/* Nothing but noise. */
static void noise(void **state)
{
	struct test_random random = {.state = 7};

	(void)state;
	for (unsigned long round = 0; round < rounds / 10; round++) {
		static struct buffer buffer;
		struct hvc_policy *policy;

		buffer.length = 0;
		while (buffer.length < 200) {
			const char *word = words[test_random_below(&random, WORDS)];

			insert(&buffer, buffer.length, word, strlen(word));
		}
		write_buffer("p.yaml", &buffer);
		test_load("p.yaml", &policy, NULL);
		hvc_policy_free(policy);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(damaged), cmocka_unit_test(noise)};

	rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	seed_count = argc - 2;
	seeds = argv + 2;
	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
