/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damaged scenarios: whatever the bytes, parsing ends and says where it is wrong, or what it made runs on the engine,
 * prints and is judged; nothing leaks (run it in build/asan). Arguments: a count, then scenarios.
 */
#include "../../tests/lib/cmocka_all.h"
#include "../../tests/lib/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

#define MAX_BYTES 20000u
#define PIECE     3000u /* of a seed, so that a round is short */

static unsigned long rounds;
static int seed_count;
static bool verbose;
static char **seeds;

static const char *const words[] = {
	"\n",
	" ",
	" -> ",
	"->",
	"#",
	"x0=",
	"=in",
	"*",
	"/",
	"-",
	"-1",
	"0x",
	"0xffffffffffffffff",
	"18446744073709551616",
	"random(64)",
	"random(",
	"time",
	"entry(1)",
	"mpidr(",
	")",
	"[",
	"]",
	"[linux-6.1..]",
	"..",
	"vm cpus=8\n",
	"vm profile=linux-6.12\n",
	"vm psci02=off\n",
	"vm pvtime=1\n",
	"vm suspend-cap discovery=coherent\n",
	"vm policy=nothing.yaml\n",
	"count\n",
	"list -> ...\n",
	"show 3\n",
	"clearfrom 2\n",
	"get STD_BMAP\n",
	"getraw -1\n",
	"setraw 0 0\n",
	"filter 0 0 deny\n",
	"filter 0x84000000 0x100 forward\n",
	"filterraw ",
	"try 0 0xffffffff notify\n",
	"rules\n",
	"reserved\n",
	"query 0\n",
	"call 0 hvc PSCI_CPU_ON mpidr(1) entry(1)\n",
	"call 0 smc PSCI_SYSTEM_OFF\n",
	"call 0 hvc PSCI_SYSTEM_SUSPEND\n",
	"call 0 hvc PSCI_CPU_SUSPEND\n",
	"call 1 hvc PSCI_CPU_OFF\n",
	"call 0 hvc TRNG_RND 64 -> x3=random(64)\n",
	"call 0 hvc PSCI_VERSION\n",
	"reply x0=1\n",
	"resume nowrite\n",
	"cancel\n",
	"arrive 1\n",
	"wake 0\n",
	"cpu 1 entry\n",
	"imm=65535",
	"x17=1",
	"\x01",
	"\xff",
	"\r\n",
	"\t",
	"ok",
	"EINVAL",
	"E",
	"blocked",
	"forward 1 hvc",
	"event cpu-off 0",
	"%s%n",
};
#define WORDS (sizeof(words) / sizeof(words[0]))

struct buffer {
	char bytes[MAX_BYTES];
	size_t length;
};

static void insert(struct buffer *buffer, size_t at, const char *bytes, size_t count)
{
	if (buffer->length + count <= MAX_BYTES) {
		memmove(buffer->bytes + at + count, buffer->bytes + at, buffer->length - at);
		memcpy(buffer->bytes + at, bytes, count);
		buffer->length += count;
	}
}

static void mutate(struct buffer *buffer, struct rng *rng)
{
	size_t at = rng_below(rng, (uint32_t)buffer->length + 1), rest = buffer->length - at;
	size_t count = rng_below(rng, rest < 40 ? (uint32_t)rest + 1 : 40);
	const char *word = words[rng_below(rng, WORDS)];
	char copy[40];

	switch (rng_below(rng, 6)) {
	case 0:
		memmove(buffer->bytes + at, buffer->bytes + at + count, rest - count);
		buffer->length -= count;
		break;
	case 1:
	case 2:
		insert(buffer, at, word, strlen(word));
		break;
	case 3:
		memcpy(copy, buffer->bytes + at, count);
		insert(buffer, rng_below(rng, (uint32_t)buffer->length + 1), copy, count);
		break;
	case 4:
		if (rest != 0) {
			buffer->bytes[at] = (char)(buffer->bytes[at] ^ 1 << rng_below(rng, 8));
		}
		break;
	default:
		buffer->length = at;
		break;
	}
}

/* A piece of a seed, from a vm line on. */
static void read_seed(const char *path, struct rng *rng, struct buffer *buffer)
{
	static char whole[200000];
	FILE *file = fopen(path, "rb");
	size_t length, from;
	const char *vm;

	assert_non_null(file);
	length = fread(whole, 1, sizeof(whole) - 1, file);
	fclose(file);
	whole[length] = '\0';
	from = rng_below(rng, (uint32_t)length + 1);
	vm = strstr(whole + from, "\nvm");
	from = vm != NULL ? (size_t)(vm - whole) + 1 : 0;
	buffer->length = length - from < PIECE ? length - from : PIECE;
	memcpy(buffer->bytes, whole + from, buffer->length);
}

static void run(const struct scn_script *script)
{
	struct scn_result *results = calloc(scn_count(script) + 1, sizeof(*results));
	FILE *out = fopen("/dev/null", "w");
	char why[64];

	assert_non_null(results);
	assert_non_null(out);
	assert_true(scn_engine_host()->run(scn_engine_host(), script, results, why, sizeof(why)));
	for (size_t n = 0; n < scn_count(script); n++) {
		scn_print(out, script, n, &results[n]);
		scn_judge(script, n, &results[n], why, sizeof(why));
		assert_non_null(memchr(why, '\0', sizeof(why)));
	}
	fclose(out);
	free(results);
}

/* True: it is a script. */
static bool try_parse(const struct buffer *buffer, const char *profile)
{
	struct scn_options options = {.profile = abi_profile_find(profile)};
	struct hvc_diags *diags = hvc_diags_new();
	/* Exactly as large as it is: a byte beyond is seen. */
	char *exact = malloc(buffer->length + (buffer->length == 0));
	struct scn_script *script;

	assert_non_null(exact);
	memcpy(exact, buffer->bytes, buffer->length);
	script = scn_parse("f.hvc", exact, buffer->length, &options, diags);
	free(exact);
	assert_int_equal(script == NULL, hvc_diags_count(diags, HVC_ERROR) != 0);
	if (script != NULL) {
		run(script);
		scn_free(script);
		hvc_diags_free(diags);
		return true;
	}
	if (verbose) {
		print_message("%u: %s\n", hvc_diags_at(diags, 0)->line,
			      hvc_diags_at(diags, 0)->message);
	}
	hvc_diags_free(diags);
	return false;
}

static void damaged(void **state)
{
	struct rng rng = {.state = 20261122};
	unsigned long parsed = 0;

	(void)state;
	assert_true(seed_count > 0);
	for (unsigned long round = 0; round < rounds; round++) {
		static struct buffer buffer;

		read_seed(seeds[round % (unsigned long)seed_count], &rng, &buffer);
		for (uint32_t n = 1 + rng_below(&rng, 4); n > 0; n--) {
			mutate(&buffer, &rng);
		}
		parsed += try_parse(&buffer, round % 2 ? "linux-6.12" : "hvcgate-1");
	}
	print_message("%lu damaged scenarios, %lu of them still sound\n", rounds, parsed);
	assert_true(parsed > rounds / 100 && parsed < rounds);
}

/* Every file, cut after each byte of its first part. */
static void truncated(void **state)
{
	struct rng rng = {.state = 3};

	(void)state;
	for (int i = 0; i < seed_count; i++) {
		static struct buffer buffer;
		size_t whole;

		read_seed(seeds[i], &rng, &buffer);
		whole = buffer.length < 300 ? buffer.length : 300;
		for (buffer.length = 0; buffer.length < whole; buffer.length++) {
			try_parse(&buffer, "linux-6.12");
		}
	}
}

/* Nothing but words of the language. */
static void noise(void **state)
{
	struct rng rng = {.state = 7};

	(void)state;
	for (unsigned long round = 0; round < rounds / 4; round++) {
		static struct buffer buffer;

		buffer.length = 0;
		insert(&buffer, 0, "vm cpus=2\n", 10);
		while (buffer.length < 120) {
			const char *word = words[rng_below(&rng, WORDS)];

			insert(&buffer, buffer.length, word, strlen(word));
		}
		try_parse(&buffer, "hvcgate-1");
	}
}

/* Lines that are right, in any order: the machine takes what makes no sense. */
static void senseless(void **state)
{
	static const char start[] = "vm cpus=2\ncall 0 hvc 1\ncall 1 hvc 1\n";
	struct rng rng = {.state = 11};

	(void)state;
	verbose = true; /* an error is one of this test */
	for (unsigned long round = 0; round < rounds / 4; round++) {
		static struct buffer buffer;

		buffer.length = 0;
		insert(&buffer, 0, start, strlen(start));
		while (buffer.length < 600) {
			const char *word = words[rng_below(&rng, WORDS)];

			if (word[strlen(word) - 1] == '\n' && strlen(word) > 4 &&
			    strstr(word, "policy") == NULL) {
				insert(&buffer, buffer.length, word, strlen(word));
				/* What is checked when it is read: two CPUs, a call of each. */
				if (strncmp(word, "vm", 2) == 0) {
					insert(&buffer, buffer.length - 1, " cpus=2",
					       strstr(word, "cpus=") != NULL ? 0 : 7);
					insert(&buffer, buffer.length, start + 10,
					       strlen(start + 10));
				}
			}
		}
		assert_true(try_parse(&buffer, "linux-6.12"));
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged),
		cmocka_unit_test(truncated),
		cmocka_unit_test(noise),
		cmocka_unit_test(senseless),
	};

	rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	seed_count = argc - 2;
	seeds = argv + 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
