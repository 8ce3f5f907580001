/* SPDX-License-Identifier: BSD-2-Clause */
/* What is printed of a result, and whether it fits its line. */
#define _GNU_SOURCE
#include "../../tests/lib/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "one_line.h"
#include "transcript.h"

#define RND "call 0 hvc TRNG_RND/64 "

static char *printed(const struct scn_script *script, size_t n, const struct scn_result *result)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	scn_print(out, script, n, result);
	fclose(out);
	return text;
}

/* A call that came back with its registers as they were, but these. */
#define UNTOUCHED 99
static void fill(const struct scn_script *script, size_t n, struct scn_result *result)
{
	for (unsigned int reg = 0; reg < HVC_FRAME_REGS; reg++) {
		if (result->frame.x[reg] == UNTOUCHED) {
			size_t in = script->lines[n].in;

			result->frame.x[reg] = script->lines[in].op.frame.x[reg];
		}
	}
}

#define U UNTOUCHED
#define R(...)                                                \
	{                                                     \
		.kind = SCN_FRAME, .frame = { {__VA_ARGS__} } \
	}
#define REST U, U, U, U, U, U, U, U, U, U, U, U, U, U
static const struct {
	const char *line;
	struct scn_result result;
	enum scn_verdict verdict;
	const char *why, *print; /* beginnings; NULL: not looked at */
} rows[] = {
	{"count -> 7", {.kind = SCN_NUMBER, .value = 7}, SCN_AGREED, "", "7"},
	{"count -> 7", {.kind = SCN_NUMBER, .value = 8}, SCN_DIFFERED, "it is 8, stated 7", "8"},
	{"count -> 7", {.kind = SCN_OK}, SCN_DIFFERED, "ok, stated a number", "ok"},
	{"count -> *", {.kind = SCN_NUMBER, .value = 8}, SCN_AGREED, "", NULL},
	{"count -> *", {.kind = SCN_NUMBER, .value = 10}, SCN_AGREED, "", "0xa"},
	{"count -> *", {.kind = SCN_NUMBER, .value = 9}, SCN_AGREED, "", "9"},
	{"count -> *", {.kind = SCN_NUMBER, .value = -99ull}, SCN_AGREED, "", "-99"},
	{"count -> *",
	 {.kind = SCN_NUMBER, .value = -100ull},
	 SCN_AGREED,
	 "",
	 "0xffffffffffffff9c"},
	{"count", {.kind = SCN_NUMBER, .value = 8}, SCN_AGREED, "", NULL},
	{"count", {.kind = SCN_NOT_RUN}, SCN_AGREED, "", "not run"},
	{"count -> *", {.kind = SCN_NOT_RUN}, SCN_DIFFERED, "it was not run", "not run"},
	{"count -> 7", {.kind = SCN_NOT_RUN, .reason = "off"}, SCN_DIFFERED, "off", "not run"},
	{"vm", {.kind = SCN_NOT_RUN}, SCN_DIFFERED, "it was not run", "not run"},
	{"count -> *",
	 {.kind = SCN_BROKEN, .reason = "bang"},
	 SCN_DIFFERED,
	 "bang",
	 "broken: bang"},
	{"count -> *", {.kind = SCN_BROKEN}, SCN_DIFFERED, "it was not run", "broken: no reason"},
	{"count",
	 {.kind = SCN_UNSUPPORTED, .reason = "no"},
	 SCN_NO_SUPPORT,
	 "unsupported: no",
	 "unsupported: no"},
	{"get STD_BMAP -> 0x1/0x3", {.kind = SCN_NUMBER, .value = 5}, SCN_AGREED, "", "5"},
	{"get STD_BMAP -> 0x1/0x3",
	 {.kind = SCN_NUMBER, .value = 7},
	 SCN_DIFFERED,
	 "it is 7, of which 0x3 counts; stated 1",
	 "7"},
	{"get STD_BMAP -> ENOENT",
	 {.kind = SCN_ERROR, .err = HVC_ENOENT},
	 SCN_AGREED,
	 "",
	 "ENOENT"},
	{"get STD_BMAP -> ENOENT",
	 {.kind = SCN_ERROR, .err = HVC_EINVAL},
	 SCN_DIFFERED,
	 "EINVAL, stated ENOENT",
	 "EINVAL"},
	{"get STD_BMAP -> ENOENT",
	 {.kind = SCN_NUMBER, .value = 1},
	 SCN_DIFFERED,
	 "a number, stated ENOENT",
	 NULL},
	{"get STD_BMAP -> 1",
	 {.kind = SCN_ERROR, .err = HVC_EINVAL},
	 SCN_DIFFERED,
	 "EINVAL, stated a number",
	 NULL},
	{"set STD_BMAP 0 -> ok",
	 {.kind = SCN_ERROR, .err = HVC_EBUSY},
	 SCN_DIFFERED,
	 "EBUSY, stated ok",
	 "EBUSY"},
	{"vm",
	 {.kind = SCN_ERROR, .err = HVC_EINVAL},
	 SCN_DIFFERED,
	 "the vm cannot be made: EINVAL",
	 NULL},
	{"vm -> EINVAL", {.kind = SCN_ERROR, .err = HVC_EINVAL}, SCN_AGREED, "", NULL},
	{"vm", {.kind = SCN_OK}, SCN_AGREED, "", "ok"},
	{"list -> PSCI_VERSION ...",
	 {.kind = SCN_IDS, .list_count = 2, .list = {0x6030000000140000, 9}},
	 SCN_AGREED,
	 "",
	 "0x6030000000140000 0x9"},
	{"list -> PSCI_VERSION",
	 {.kind = SCN_IDS, .list_count = 2, .list = {0x6030000000140000, 9}},
	 SCN_DIFFERED,
	 "there are 2, stated 1",
	 NULL},
	{"list -> PSCI_VERSION 9 ...",
	 {.kind = SCN_IDS, .list_count = 1, .list = {0x6030000000140000}},
	 SCN_DIFFERED,
	 "there are 1, stated 2",
	 NULL},
	{"list -> STD_BMAP",
	 {.kind = SCN_IDS, .list_count = 1, .list = {0x6030000000140000}},
	 SCN_DIFFERED,
	 "number 1 is 0x6030000000140000, stated 0x6030000000160000",
	 NULL},
	{"list -> none", {.kind = SCN_IDS}, SCN_AGREED, "", "none"},
	{"list -> none", {.kind = SCN_IDS, .list_count = 1}, SCN_DIFFERED, "there are 1", NULL},
	{"reserved -> 0x10-0x1f",
	 {.kind = SCN_IDS, .list_count = 2, .list = {0x10, 0x1f}},
	 SCN_AGREED,
	 "",
	 "0x00000010-0x0000001f"},
	{"reserved -> 0x10-0x1f",
	 {.kind = SCN_IDS, .list_count = 2, .list = {0x10, 0x1e}},
	 SCN_DIFFERED,
	 "range 1 ends at 0x1e, stated 0x1f",
	 NULL},
	{"rules -> 0x10-0x1f deny",
	 {.kind = SCN_IDS, .list_count = 2, .list = {0x10, 0x1f}, .actions = {HVC_DENY}},
	 SCN_AGREED,
	 "",
	 "0x00000010-0x0000001f deny"},
	{"rules -> 0x10-0x1f deny",
	 {.kind = SCN_IDS, .list_count = 2, .list = {0x10, 0x1f}, .actions = {HVC_FORWARD}},
	 SCN_DIFFERED,
	 "range 1 is forward, stated deny",
	 NULL},
	{"query 1 -> deny rule",
	 {.kind = SCN_DECISION, .decision = {.action = HVC_DENY, .decider = HVC_BY_RULE}},
	 SCN_AGREED,
	 "",
	 "deny rule"},
	{"query 1 -> deny rule",
	 {.kind = SCN_DECISION, .decision = {.action = HVC_DENY, .decider = HVC_BY_DEFAULT}},
	 SCN_DIFFERED,
	 "default decides, stated rule",
	 NULL},
	{"query 1 -> deny",
	 {.kind = SCN_DECISION, .decision = {.action = HVC_HANDLE, .decider = HVC_BY_DEFAULT}},
	 SCN_DIFFERED,
	 "it is handle, stated deny",
	 NULL},
	{"try 1 1 deny -> EEXIST rule 0x1-0x2 deny",
	 {.kind = SCN_ERROR,
	  .err = HVC_EEXIST,
	  .detail = {.obstacle = HVC_OBSTACLE_RULE, .first = 1, .last = 2, .action = HVC_DENY}},
	 SCN_AGREED,
	 "",
	 "EEXIST rule 0x00000001-0x00000002 deny"},
	{"try 1 1 deny -> EEXIST rule 0x1-0x2 deny",
	 {.kind = SCN_ERROR,
	  .err = HVC_EEXIST,
	  .detail = {.obstacle = HVC_OBSTACLE_RULE, .first = 1, .last = 2, .action = HVC_HANDLE}},
	 SCN_DIFFERED,
	 "the rule in the way is handle, stated deny",
	 NULL},
	{"try 1 1 deny -> EEXIST rule 0x1-0x2",
	 {.kind = SCN_ERROR,
	  .err = HVC_EEXIST,
	  .detail = {.obstacle = HVC_OBSTACLE_RULE, .first = 1, .last = 3}},
	 SCN_DIFFERED,
	 "0x00000001-0x00000003 is in the way, stated",
	 NULL},
	{"try 1 1 deny -> EEXIST rule",
	 {.kind = SCN_ERROR, .err = HVC_EEXIST, .detail = {.obstacle = HVC_OBSTACLE_RESERVED}},
	 SCN_DIFFERED,
	 "reserved is in the way, stated rule",
	 NULL},
	{"call 0 hvc 1 7 -> x0=-1 x1=in x4==in", R(UINT64_MAX, 7, 0, 0, REST), SCN_AGREED, "",
	 "x0=-1 x1=7 x2=0 x3=0 x4=in x5=in x6=in"},
	{"call 0 hvc 1 -> x0=-1", R(0x80000000, U, U, U, REST), SCN_DIFFERED,
	 "x0 is 0x80000000, stated -1", "x0=0x80000000 x1=in x2=in x3=in"},
	{"call 0 hvc 1 -> x4=in", R(0, U, U, U, 5, U, U, U, U, U, U, U, U, U, U, U, U, U),
	 SCN_DIFFERED, "x4 is 5, stated =in (0x5a5a5a045a5a5aa4)", "x0=0 x1=in x2=in x3=in x4=5"},
	{"call 0 hvc 1 -> x17=in", R(0, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, 0),
	 SCN_DIFFERED, "x17 is 0", NULL},
	{"call 0 hvc 1 -> blocked", {.kind = SCN_WAITS}, SCN_AGREED, "", "blocked"},
	{"call 0 hvc 1 -> blocked", R(0), SCN_DIFFERED, "the call returned, stated blocked", NULL},
	{"call 0 hvc 1 -> x0=0",
	 {.kind = SCN_WAITS},
	 SCN_DIFFERED,
	 "the CPU waits, stated registers",
	 NULL},
	{"call 0 hvc 1 -> event cpu-off 0",
	 {.kind = SCN_EVENT, .event = SCN_CPU_OFF},
	 SCN_AGREED,
	 "",
	 "event cpu-off 0"},
	{"call 0 hvc 1 -> event cpu-off 0",
	 {.kind = SCN_EVENT, .event = SCN_SYSTEM_OFF},
	 SCN_DIFFERED,
	 "the event is system-off, stated cpu-off",
	 "event system-off flags=0 x0=0"},
	{"call 0 hvc 1 -> event system-reset flags=1 x0=-6",
	 {.kind = SCN_EVENT, .event = SCN_SYSTEM_RESET, .event_flags = 1, .frame = {{-6ull}}},
	 SCN_AGREED,
	 "",
	 "event system-reset flags=1 x0=-6"},
	{"call 0 hvc 1 -> event system-reset flags=1",
	 {.kind = SCN_EVENT, .event = SCN_SYSTEM_RESET},
	 SCN_DIFFERED,
	 "flags is 0, stated 1",
	 NULL},
	{"call 0 hvc 1 -> event system-suspend",
	 {.kind = SCN_EVENT, .event = SCN_SYSTEM_SUSPEND},
	 SCN_AGREED,
	 "",
	 "event system-suspend x0=0"},
	{"call 0 hvc 1 -> forward 1 hvc x1=5",
	 {.kind = SCN_FORWARDED, .id = 1, .frame = {{1, 5}}},
	 SCN_AGREED,
	 "",
	 "forward 0x00000001 hvc x0=1 x1=5"},
	{"call 0 hvc 1 -> forward 1 hvc x1=5",
	 {.kind = SCN_FORWARDED, .id = 1, .frame = {{1, 6}}},
	 SCN_DIFFERED,
	 "x1 is 6, stated 5",
	 NULL},
	{"call 0 hvc 1 -> forward 2 hvc",
	 {.kind = SCN_FORWARDED, .id = 1},
	 SCN_DIFFERED,
	 "0x00000001 is forwarded, stated 0x00000002",
	 NULL},
	{"call 0 hvc 1 -> forward 1 smc",
	 {.kind = SCN_FORWARDED, .id = 1},
	 SCN_DIFFERED,
	 "it came by hvc, stated smc",
	 NULL},
	{"arrive 1 -> pc=entry(1) x0=5",
	 {.kind = SCN_ARRIVED, .value = SCN_ENTRY_ADDRESS(1), .frame = {{5}}},
	 SCN_AGREED,
	 "",
	 "pc=entry(1) x0=5"},
	{"arrive 1 -> pc=entry(1) x0=5",
	 {.kind = SCN_ARRIVED, .value = 0x1000, .frame = {{5}}},
	 SCN_DIFFERED,
	 "pc is 0x1000, stated 0x40010100",
	 "pc=0x1000 x0=5"},
	{"arrive 1 -> pc=* x0=5",
	 {.kind = SCN_ARRIVED, .value = 1, .frame = {{6}}},
	 SCN_DIFFERED,
	 "x0 is 6, stated 5",
	 NULL},
	{"reply x0=7 -> x0=7 x1=7", R(7, U, U, U, REST), SCN_AGREED, "", "x0=7 x1=7 x2=in"},
	{"wake 0 -> x0=0 x5=in", R(0, U, U, U, REST), SCN_AGREED, "", "x0=0 x1=7 x2=in"},
	/* Randomness has its place, as many bits as were asked for. */
	{RND "100 -> x0=0 x1=0 x2=random(36) x3=random(64)", R(0, 0, 0xfffffffff, 1ull << 63, REST),
	 SCN_AGREED, "", "x0=0 x1=0 x2=random(36) x3=random(64) x4=in"},
	{RND "100 -> x0=0 x2=random(36)", R(0, 0, 0x1fffffffff, 1ull << 63, REST), SCN_DIFFERED,
	 "x2 is 0x1fffffffff, stated random(36)", "x0=0 x1=0 x2=0x1fffffffff x3=random(64)"},
	{RND "100 -> x0=-3", R(-3ull, 0, 0, 0, REST), SCN_AGREED, "", "x0=-3 x1=0 x2=0 x3=0"},
	{"call 0 hvc TRNG_RND/32 70 -> x0=0", R(0, 0x3f, 0xffffffff, 0x12345678, REST), SCN_AGREED,
	 "", "x0=0 x1=random(6) x2=random(32) x3=random(32)"},
	{"call 0 hvc TRNG_RND/32 70 -> x0=0", R(0, 0x3f, 0x1ffffffff, 0, REST), SCN_AGREED, "",
	 "x0=0 x1=random(6) x2=0x1ffffffff x3=random(32)"},
	{"call 0 hvc KVM_PTP 0 -> x0=time x1=time x2=time x3=time", R(0x18000000, 5, 6, 7, REST),
	 SCN_AGREED, "", "x0=time x1=time x2=time x3=time x4=in"},
	{"call 0 hvc KVM_PTP 0 -> x0=time", R(UINT64_MAX, 0, 0, 0, REST), SCN_DIFFERED,
	 "x0 is -1, stated time: no time was answered", "x0=-1 x1=0"},
	{"call 0 hvc KVM_PTP 0 -> x2=time", R(1, 2, 1ull << 32, 4, REST), SCN_DIFFERED,
	 "x2 is 0x100000000, which is no half of a time", NULL},
	{"call 0 hvc KVM_PTP 0 -> x1=time", R(0, 0, 3, 4, REST), SCN_DIFFERED, "x1 is 0, which",
	 NULL},
	/* Who answers a forwarded call says no random numbers and no time. */
	{"reply x0=0 x3=5 -> x3=5", R(0, U, U, 5, REST), SCN_AGREED, "", "x0=0 x1=7 x2=in x3=5"},
};

static void judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct scn_script *script = script_of(rows[i].line);
		struct scn_result results[8] = {0};
		char why[256], *print;
		enum scn_verdict verdict;

		for (size_t n = 0; n < 8; n++) {
			results[n] = rows[i].result;
		}
		fill(script, 2, &results[2]);
		verdict = scn_judge(script, 2, &results[2], why, sizeof(why));
		print = printed(script, 2, &results[2]);
		if (verdict != rows[i].verdict ||
		    strncmp(why, rows[i].why, strlen(rows[i].why)) != 0 ||
		    (why[0] != '\0') != (rows[i].why[0] != '\0')) {
			fail_msg("%s: verdict %d: %s", rows[i].line, (int)verdict, why);
		}
		if (rows[i].print != NULL &&
		    strncmp(print, rows[i].print, strlen(rows[i].print)) != 0) {
			fail_msg("%s: printed %s", rows[i].line, print);
		}
		free(print);
		scn_free(script);
	}
}

/* What is printed can be stated: it parses, and the result fits it. */
static void printed_is_language(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct scn_script *script = script_of(rows[i].line), *again;
		struct scn_result results[8] = {0};
		char why[256], line[2048], *print;

		for (size_t n = 0; n < 8; n++) {
			results[n] = rows[i].result;
		}
		fill(script, 2, &results[2]);
		print = printed(script, 2, &results[2]);
		snprintf(line, sizeof(line), "%s -> %s", scn_text(script, 2), print);
		if (strstr(print, ":") == NULL && strcmp(print, "not run") != 0 &&
		    strstr(rows[i].line, "->") != NULL && rows[i].verdict == SCN_AGREED &&
		    strlen(line) < 480) {
			again = script_of(line);
			if (scn_judge(again, 2, &results[2], why, sizeof(why)) != SCN_AGREED) {
				fail_msg("%s: %s", line, why);
			}
			scn_free(again);
		}
		free(print);
		scn_free(script);
	}
}

/* The same bits in four calls are no random numbers. */
static void not_random(void **state)
{
	struct scn_script *script = script_of(RND "64 -> x0=0 x3=random(64)");
	struct scn_result results[6] = {0};
	char why[128];

	(void)state;
	assert_int_equal(scn_count(script), 6);
	for (size_t n = 2; n < 6; n++) {
		results[n] = (struct scn_result){.kind = SCN_FRAME, .frame = {{0, 0, 0, 0x4242}}};
		assert_int_equal(scn_judge(script, n, &results[n], why, sizeof(why)),
				 n < 5 ? SCN_AGREED : SCN_DIFFERED);
	}
	assert_string_equal(why, "x3 is 0x4242 in four calls, stated random");
	results[3].frame.x[3]++;
	assert_int_equal(scn_judge(script, 5, &results[5], why, sizeof(why)), SCN_AGREED);
	scn_free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judged),
		cmocka_unit_test(printed_is_language),
		cmocka_unit_test(not_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
