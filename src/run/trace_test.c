/* SPDX-License-Identifier: BSD-2-Clause */
/* The reading end of the rings, and what a record looks like as a line. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "run.h"

#define SECOND 1000000000ull

static uint8_t *shared;

static struct hvc_ring *ring(unsigned int cpu)
{
	return (struct hvc_ring *)(void *)(shared + EL2_RINGS_OFFSET + cpu * EL2_RING_STRIDE);
}

static struct hvc_record *slot(unsigned int cpu, uint64_t index)
{
	return (struct hvc_record *)(void *)(ring(cpu) + 1) + index % EL2_RING_RECORDS;
}

static const struct run_counters *counters_of(unsigned int cpus)
{
	static struct run_counters counters;

	counters = (struct run_counters){.first = shared + EL2_COUNTERS_OFFSET,
					 .stride = EL2_COUNTERS_STRIDE,
					 .count = cpus};
	return &counters;
}

/* As the monitor does it. */
static void write_record(unsigned int cpu, uint64_t time)
{
	*slot(cpu, ring(cpu)->head) = (struct hvc_record){.time = time,
							  .vcpu = (uint16_t)cpu,
							  .sequence = ring(cpu)->head,
							  .decider = HVC_BY_SERVICE,
							  .fn = HVC_FN_PSCI_VERSION,
							  .id = 0x84000000};
	ring(cpu)->head++;
}

static int set_up(void **state)
{
	(void)state;
	shared = mmap(NULL, EL2_SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	return shared == MAP_FAILED ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	return munmap(shared, EL2_SHARED_SIZE);
}

static void assert_next(struct run_reader *reader, uint64_t now, bool final, uint64_t time)
{
	struct hvc_record record;

	assert_true(run_reader_next(reader, now, final, &record));
	assert_int_equal(record.time, time);
}

static void assert_none(struct run_reader *reader, uint64_t now)
{
	struct hvc_record record;

	assert_false(run_reader_next(reader, now, false, &record));
}

static void merges_by_time(void **state)
{
	struct run_reader *reader = run_reader_new(shared, 2, false);

	(void)state;
	write_record(0, 10);
	write_record(0, 30);
	assert_int_equal(run_reader_poll(reader, 0), 2);
	assert_none(reader, 0); /* CPU 1 may still show an earlier one */
	write_record(1, 20);
	write_record(1, 40);
	assert_int_equal(run_reader_poll(reader, 1000), 2);
	assert_next(reader, 1000, false, 10);
	assert_next(reader, 1000, false, 20);
	assert_next(reader, 1000, false, 30);
	assert_none(reader, 1000);
	assert_next(reader, SECOND, false, 40); /* held long enough */
	assert_int_equal(ring(0)->tail, 2);
	assert_int_equal(ring(1)->tail, 2);
	run_reader_free(reader);
}

/* Under --deterministic only the guest's time counts: the host's may be anything. */
static void deterministic_order(void **state)
{
	struct run_reader *reader = run_reader_new(shared, 2, true);

	(void)state;
	write_record(0, 1000);
	run_reader_poll(reader, 0);
	assert_none(reader, 1000 * SECOND);
	write_record(0, 2000);
	run_reader_poll(reader, 0);
	assert_none(reader, 1000 * SECOND);
	write_record(0, 1000 + SECOND);
	run_reader_poll(reader, 0);
	assert_next(reader, 0, false, 1000);
	write_record(1, 1500); /* late, and yet in order */
	run_reader_poll(reader, 0);
	assert_next(reader, 0, false, 1500);
	assert_next(reader, 0, false, 2000);
	assert_none(reader, 1000 * SECOND);
	assert_next(reader, 0, true, 1000 + SECOND);
	run_reader_free(reader);
}

static void goes_round(void **state)
{
	struct run_reader *reader = run_reader_new(shared, 1, false);
	uint64_t wanted = 0;

	(void)state;
	for (int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < EL2_RING_RECORDS - 3; i++) {
			write_record(0, ring(0)->head);
		}
		assert_int_equal(run_reader_poll(reader, 0), EL2_RING_RECORDS - 3);
		for (unsigned int i = 0; i < EL2_RING_RECORDS - 3; i++) {
			assert_next(reader, 0, false, wanted++);
		}
	}
	ring(0)->dropped = 7;
	run_reader_poll(reader, 0);
	assert_int_equal(run_reader_dropped(reader), 7);
	assert_int_equal(run_reader_damaged(reader), 0);
	run_reader_free(reader);
}

/* Nothing in shared memory can make us read outside it, or believe it. */
static void distrusts(void **state)
{
	static const uint64_t heads[] = {UINT64_MAX, 1ull << 63, EL2_RING_RECORDS + 1, 1ull << 32};
	struct run_reader *reader = run_reader_new(shared, 1, false);
	struct hvc_record record;

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		ring(0)->head += heads[i];
		assert_int_equal(run_reader_poll(reader, 0), 0);
		assert_int_equal(run_reader_damaged(reader), i + 1);
	}
	/* And it goes on from where the writer is. */
	write_record(0, 5);
	assert_int_equal(run_reader_poll(reader, 0), 1);
	assert_next(reader, 0, false, 5);
	for (int field = 0; field < 6; field++) {
		struct hvc_record *bad = slot(0, ring(0)->head);

		write_record(0, 6);
		bad->vcpu = field == 0 ? 1 : bad->vcpu;
		bad->conduit = field == 1 ? 2 : bad->conduit;
		bad->decider = field == 2 ? HVC_DECIDER_COUNT : bad->decider;
		bad->verdict = field == 3 ? HVC_VERDICT_COUNT : bad->verdict;
		bad->action = field == 4 ? 4 : bad->action;
		bad->fn = field == 5 ? HVC_FN_COUNT : bad->fn;
		run_reader_poll(reader, 0);
		assert_false(run_reader_next(reader, 0, true, &record));
		assert_int_equal(run_reader_damaged(reader), 4 + 1 + field);
	}
	run_reader_free(reader);
}

/* --- Lines. */

static struct run_options options = {.smp = 2, .cpu = "cortex-a72", .mem = 512 * RUN_MIB, .gic = 3};
static struct hvc_policy *policy;

static struct run_trace trace_of(void)
{
	if (policy == NULL) {
		struct hvc_diags *diags = hvc_diags_new();

		assert_int_equal(hvc_policy_load(NULL, &policy, diags), HVC_OK);
		hvc_diags_free(diags);
	}
	return (struct run_trace){.policy = policy, .options = &options, .counter_hz = 1000};
}

static void assert_answer(uint32_t fn, uint32_t id, uint64_t x0, const char *wanted)
{
	const struct hvc_record record = {.fn = fn, .id = id, .out = {x0}};
	char text[128];

	run_answer(&record, text, sizeof(text));
	assert_string_equal(text, wanted);
}

static void answers_in_words(void **state)
{
	(void)state;
	assert_answer(HVC_FN_PSCI_VERSION, 0x84000000, 0x10001, "1.1");
	assert_answer(HVC_FN_SMCCC_VERSION, 0x80000000, 0x10002, "1.2");
	assert_answer(HVC_FN_TRNG_VERSION, 0x84000050, UINT64_MAX, "NOT_SUPPORTED");
	assert_answer(HVC_FN_TRNG_VERSION, 0x84000050, 0xffffffff, "NOT_SUPPORTED");
	assert_answer(HVC_FN_TRNG_RND, 0xc4000053, (uint64_t)-3, "NO_ENTROPY");
	assert_answer(HVC_FN_PSCI_CPU_ON, 0xc4000003, 0, "SUCCESS");
	assert_answer(HVC_FN_PSCI_CPU_ON, 0xc4000003, (uint64_t)-4, "ALREADY_ON");
	assert_answer(HVC_FN_PSCI_CPU_ON, 0xc4000003, (uint64_t)-9, "INVALID_ADDRESS");
	assert_answer(HVC_FN_PSCI_AFFINITY_INFO, 0xc4000004, 0, "ON");
	assert_answer(HVC_FN_PSCI_AFFINITY_INFO, 0xc4000004, 1, "OFF");
	assert_answer(HVC_FN_PSCI_AFFINITY_INFO, 0xc4000004, (uint64_t)-2, "INVALID_PARAMETERS");
	assert_answer(HVC_FN_PSCI_MIGRATE_INFO_TYPE, 0x84000006, 2, "NOT_REQUIRED");
	assert_answer(HVC_FN_SMCCC_ARCH_FEATURES, 0x80000001, (uint64_t)-2, "NOT_REQUIRED");
	assert_answer(HVC_FN_SMCCC_ARCH_FEATURES, 0x80000001, 1, "0x1");
	assert_answer(HVC_FN_NONE, 0xc6001234, UINT64_MAX, "NOT_SUPPORTED");
	assert_answer(HVC_FN_NONE, 0xc6001234, (uint64_t)-77, "0xffffffffffffffb3");
	assert_answer(HVC_FN_KVM_FEATURES, 0x86000000, 0, "0x0 x1=0x0 x2=0x0 x3=0x0");
}

static const struct hvc_record cpu_on = {.time = 1500,
					 .vcpu = 1,
					 .conduit = HVC_CONDUIT_SMC,
					 .decider = HVC_BY_SERVICE,
					 .fn = HVC_FN_PSCI_CPU_ON,
					 .id = 0xc4000003,
					 .in = {0xc4000003, 1, 0x40000000, 0x1234567890}};
static const struct hvc_record unknown = {.time = 2000,
					  .decider = HVC_BY_UNKNOWN,
					  .id = 0x86001234,
					  .immediate = 7,
					  .in = {0x86001234, 0xffffffff00000001},
					  .out = {UINT64_MAX}};

static void text_lines(void **state)
{
	const struct run_trace trace = trace_of();
	struct hvc_record asks = {.fn = HVC_FN_PSCI_FEATURES,
				  .id = 0x8400000a,
				  .decider = HVC_BY_SERVICE,
				  .in = {0x8400000a, 0xc4000001}};
	char *line = run_text_call(&trace, &cpu_on);

	(void)state;
	assert_string_equal(
		line,
		"   1.500000 cpu1 smc PSCI_CPU_ON(target_cpu=0x1, entry_point_address=0x40000000, "
		"context_id=0x1234567890) = SUCCESS  [service psci]\n");
	free(line);
	line = run_text_call(&trace, &unknown);
	assert_ptr_equal(
		strstr(line,
		       "   2.000000 cpu0 hvc#7 0x86001234(x1=0x1, x2=0x0, x3=0x0) = NOT_SUPPORTED  ["),
		line);
	free(line);
	line = run_text_call(&trace, &asks);
	assert_non_null(strstr(line, "PSCI_FEATURES(psci_func_id=PSCI_CPU_SUSPEND/64) = SUCCESS"));
	free(line);
	asks = (struct hvc_record){.fn = HVC_FN_PSCI_CPU_OFF,
				   .id = 0x84000002,
				   .verdict = HVC_CPU_OFF,
				   .decider = HVC_BY_SERVICE};
	line = run_text_call(&trace, &asks);
	assert_non_null(strstr(line, "PSCI_CPU_OFF() = cpu-off  "));
	free(line);
}

/* Every function of the catalogue, with every decider and the least and most of each register. */
static void every_function_has_a_line(void **state)
{
	const struct run_trace trace = trace_of();

	(void)state;
	for (uint32_t fn = 0; fn < HVC_FN_COUNT; fn++) {
		for (unsigned int decider = 0; decider < HVC_DECIDER_COUNT; decider++) {
			struct hvc_record record = {.fn = fn,
						    .decider = (uint8_t)decider,
						    .id = fn == 0 ? 0xffffffff : 0};
			char *line;
			json_t *object;

			memset(record.in, 0xff, sizeof(record.in));
			memset(record.out, 0x7f, sizeof(record.out));
			line = run_text_call(&trace, &record);
			assert_int_equal(line[strlen(line) - 1], '\n');
			assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
			free(line);
			line = run_json_call(&trace, &record);
			object = json_loads(line, 0, NULL);
			assert_non_null(object);
			assert_string_equal(json_string_value(json_object_get(object, "type")),
					    "call");
			assert_int_equal(json_object_size(json_object_get(object, "arguments")),
					 fn == 0 ? 0
					 : hvc_function_at(fn)->arg_count < 7
						 ? hvc_function_at(fn)->arg_count
						 : 7);
			json_decref(object);
			free(line);
		}
	}
}

static void json_lines(void **state)
{
	const struct run_trace trace = trace_of();
	char *line = run_json_call(&trace, &cpu_on);
	json_t *object = json_loads(line, 0, NULL);
	json_t *arguments = json_object_get(object, "arguments");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(object, "function")), "PSCI_CPU_ON");
	assert_string_equal(json_string_value(json_object_get(object, "conduit")), "smc");
	assert_string_equal(json_string_value(json_object_get(object, "id")), "0xc4000003");
	assert_string_equal(json_string_value(json_object_get(arguments, "context_id")),
			    "0x1234567890");
	assert_string_equal(json_string_value(json_object_get(object, "decided_by")),
			    "service psci");
	assert_int_equal(json_integer_value(json_object_get(object, "cpu")), 1);
	assert_true(json_is_null(json_object_get(object, "rule")));
	json_decref(object);
	free(line);
	line = run_json_head(&trace, "g\xff"); /* no UTF-8 */
	object = json_loads(line, 0, NULL);
	assert_non_null(object);
	assert_int_equal(strlen(json_string_value(
				 json_object_get(json_object_get(object, "policy"), "sha256"))),
			 64);
	json_decref(object);
	free(line);
}

static void summary_adds_up(void **state)
{
	const struct run_trace trace = trace_of();
	const struct run_outcome outcome = {
		.reason = "the guest powered off", .seconds = 1.5, .boots = 1};
	char *text;
	json_t *object, *total;

	(void)state;
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		struct hvc_counters *counters = (void *)(shared + EL2_COUNTERS_OFFSET +
							 cpu * EL2_COUNTERS_STRIDE);

		counters->calls[HVC_FN_PSCI_VERSION][HVC_ANSWERED] = 3;
		counters->calls[HVC_FN_TRNG_RND][HVC_ABSENT] = 4;
		counters->calls[HVC_FN_PSCI_CPU_ON][HVC_DENIED] = 5;
		counters->calls[HVC_FN_NONE][HVC_ABSENT] = 6;
		counters->calls[HVC_FN_NONE][HVC_DENIED] = 1;
	}
	text = run_summary(&trace, counters_of(2), &outcome, RUN_FORMAT_TEXT);
	assert_non_null(strstr(
		text,
		"PSCI_VERSION                             6         6         0         0         0\n"));
	assert_non_null(strstr(
		text,
		"(unknown functions)                     14         0         2         0        12\n"));
	assert_non_null(strstr(
		text,
		"total                                   38         6        12         8        12\n"));
	free(text);
	text = run_summary(&trace, counters_of(2), &outcome, RUN_FORMAT_JSON);
	object = json_loads(text, 0, NULL);
	total = json_object_get(object, "total");
	assert_int_equal(json_integer_value(json_object_get(total, "calls")), 38);
	assert_int_equal(json_integer_value(json_object_get(total, "unknown")), 12);
	assert_int_equal(json_array_size(json_object_get(object, "functions")), 3);
	json_decref(object);
	free(text);
}

/* Shared memory may count what cannot be: no number becomes negative or small. */
static void summary_distrusts(void **state)
{
	const struct run_trace trace = trace_of();
	const struct run_outcome outcome = {
		.reason = "fault: \xff", .trace = true, .dropped = UINT64_MAX};
	struct hvc_counters *counters = (void *)(shared + EL2_COUNTERS_OFFSET);
	char *text;
	json_t *object, *total;

	(void)state;
	counters->calls[HVC_FN_PSCI_VERSION][HVC_ANSWERED] = UINT64_MAX;
	counters->calls[HVC_FN_TRNG_RND][HVC_ANSWERED] = 9;
	counters->calls[HVC_FN_TRNG_RND][HVC_DENIED] = 1ull << 63;
	text = run_summary(&trace, counters_of(1), &outcome, RUN_FORMAT_JSON);
	object = json_loads(text, 0, NULL);
	total = json_object_get(object, "total");
	assert_true(json_integer_value(json_object_get(total, "calls")) == INT64_MAX);
	assert_true(json_integer_value(json_object_get(total, "answered")) == INT64_MAX);
	assert_true(json_integer_value(json_object_get(total, "denied")) == INT64_MAX);
	assert_true(json_integer_value(json_object_get(object, "trace_dropped")) == INT64_MAX);
	assert_string_equal(json_string_value(json_object_get(object, "reason")),
			    "fault: \xef\xbf\xbd");
	json_decref(object);
	free(text);
	text = run_summary(&trace, counters_of(1), &outcome, RUN_FORMAT_TEXT);
	assert_non_null(strstr(text, "total                            18446744073709551615"));
	free(text);
}

/* A policy in a file whose name is no UTF-8 decides: every member is there. */
static void json_of_odd_paths(void **state)
{
	static const char path[] = "trace-test-\xff.yaml";
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_record record = {.id = 0x84000002,
				    .fn = HVC_FN_PSCI_CPU_OFF,
				    .decider = HVC_BY_RULE,
				    .action = HVC_DENY,
				    .sequence = UINT64_MAX};
	struct run_trace trace = trace_of();
	struct hvc_policy *odd = NULL;
	FILE *file = fopen(path, "w");
	json_t *object;
	char *line;

	(void)state;
	assert_non_null(file);
	fputs("hvcgate: 1\nrules:\n  - deny: PSCI_CPU_OFF\n", file);
	fclose(file);
	assert_int_equal(hvc_policy_load(path, &odd, diags), HVC_OK);
	assert_int_equal(unlink(path), 0);
	trace.policy = odd;
	line = run_json_call(&trace, &record);
	object = json_loads(line, 0, NULL);
	assert_true(json_is_string(json_object_get(object, "decided_by")));
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(object, "rule"), "file")),
		"trace-test-\xef\xbf\xbd.yaml");
	assert_true(json_integer_value(json_object_get(object, "sequence")) == INT64_MAX);
	json_decref(object);
	free(line);
	hvc_policy_free(odd);
	hvc_diags_free(diags);
}

/* A CPU that shows nothing does not let the others' records pile up: the rest stays in the ring. */
static void holds_no_more(void **state)
{
	struct run_reader *reader = run_reader_new(shared, 2, true);
	const unsigned int room = 2 * EL2_RING_RECORDS;
	struct hvc_record record;
	uint64_t written = 0;

	(void)state;
	for (int round = 0; round < 5; round++) {
		for (uint64_t tail = ring(0)->tail; ring(0)->head - tail < EL2_RING_RECORDS;) {
			write_record(0, written++);
		}
		run_reader_poll(reader, 0);
	}
	assert_int_equal(written, room + EL2_RING_RECORDS);
	assert_int_equal(ring(0)->tail, room);
	/* Nothing is settled, and yet there is room again. */
	assert_next(reader, 0, false, 0);
	assert_none(reader, 0);
	assert_int_equal(run_reader_poll(reader, 0), 1);
	for (uint64_t time = 1; time < room + 1; time++) {
		assert_next(reader, 0, true, time);
	}
	assert_false(run_reader_next(reader, 0, true, &record));
	assert_int_equal(run_reader_damaged(reader), 0);
	run_reader_free(reader);
}

static void assert_harmless(const char *text, const char *wanted)
{
	char copy[64];

	snprintf(copy, sizeof(copy), "%s", text);
	run_make_harmless(copy);
	assert_string_equal(copy, wanted);
}

static void makes_harmless(void **state)
{
	(void)state;
	assert_harmless("plain\n\ttext", "plain\n\ttext");
	assert_harmless("\033[2J\a\b\r\177", "?[2J????");
	assert_harmless("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
			"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	assert_harmless("\xc2\x9b"
			"2J \x9b"
			"2J",
			"??2J ?2J");
	assert_harmless("cut \xe2\x82", "cut ??");
	assert_harmless("\xed\xa0\x80\xff", "????");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(merges_by_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(deterministic_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(goes_round, set_up, tear_down),
		cmocka_unit_test_setup_teardown(distrusts, set_up, tear_down),
		cmocka_unit_test(answers_in_words),
		cmocka_unit_test(text_lines),
		cmocka_unit_test(every_function_has_a_line),
		cmocka_unit_test(json_lines),
		cmocka_unit_test_setup_teardown(summary_adds_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(summary_distrusts, set_up, tear_down),
		cmocka_unit_test(json_of_odd_paths),
		cmocka_unit_test_setup_teardown(holds_no_more, set_up, tear_down),
		cmocka_unit_test(makes_harmless),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	hvc_policy_free(policy);
	return failed;
}
