/* SPDX-License-Identifier: BSD-2-Clause */
/* The language: what a line becomes, and what is said of a line that is none. */
#include "../../tests/lib/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "script.h"

static struct scn_script *parse(const char *text, const char *profile, bool kernel,
				struct hvc_diags *diags)
{
	struct scn_options options = {.profile = abi_profile_find(profile),
				      .only_matching = kernel};

	assert_non_null(options.profile);
	return scn_parse("t.hvc", text, strlen(text), &options, diags);
}

static struct scn_script *good(const char *text, const char *profile)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct scn_script *script = parse(text, profile, false, diags);

	if (script == NULL) {
		print_error("%s: %u: %s\n", text, hvc_diags_at(diags, 0)->line,
			    hvc_diags_at(diags, 0)->message);
	}
	hvc_diags_free(diags);
	assert_non_null(script);
	return script;
}

/* A line behind "vm cpus=2", the column, and words of the message. */
static const struct {
	const char *line;
	unsigned int column;
	const char *says;
} bad[] = {
	{"cont", 1, "did you mean count?"},
	{"save 1", 6, "is no name of a state"},
	{"save", 5, "the name of the state is missing"},
	{"restore A", 9, "no 'save A' stands before"},
	{"events -> 1:0:hvc", 11, "SEQUENCE:CPU:CONDUIT:FUNCTION"},
	{"events -> 1:8:hvc:0", 11, "SEQUENCE:CPU:CONDUIT:FUNCTION"},
	{"events -> 1:0:svc:0", 11, "SEQUENCE:CPU:CONDUIT:FUNCTION"},
	{"events -> 1:0:hvc:PSCI_VERSIN", 19, "did you mean PSCI_VERSION"},
	{"tighten 0x84000053", 19, "the count is missing"},
	{"->", 1, "the command is missing"},
	{"count -> ok", 10, "it answers *, a number"},
	{"count ->", 9, "write * for anything"},
	{"count -> 1 -> 2", 12, "a second '->'"},
	{"count 5", 7, "is too much"},
	{"count -> 7 8", 12, "is too much"},
	{"  show", 7, "the number of registers is missing"},
	{"show x", 6, "is no value"},
	{"show 0x100000000", 6, "at most 0xffffffff"},
	{"get STD_BMP", 5, "did you mean STD_BMAP"},
	{"get 0x10", 5, "getraw"},
	{"get STD_BMAP cpu=2", 18, "CPU 2 is not there"},
	{"get STD_BMAP 1", 14, "only cpu=N"},
	{"get STD_BMAP -> EINVALID", 17, "did you mean EINVAL?"},
	{"get STD_BMAP -> E?", 17, "is nothing that get answers"},
	{"set STD_BMAP", 13, "the value is missing"},
	{"set STD_BMAP 18446744073709551616", 14, "is no value"},
	{"set STD_BMAP 0x", 14, "is no value"},
	{"set STD_BMAP -0x8000000000000001", 14, "is no value"},
	{"set STD_BMAP x=1", 14, "is no value"},
	{"set STD_BMAP - 1", 14, "is no value"},
	{"set STD_BMAP 1 -> 5", 19, "is nothing that set answers"},
	{"filter 0x84000000 1", 20, "the action is missing"},
	{"filter 0x84000000 1 denyy", 21, "did you mean deny?"},
	{"filter 0x84000000 1 255", 21, "filterraw"},
	{"filter 0x184000000 1 deny", 8, "at most 0xffffffff"},
	{"filterraw 00", 13, "2 hex digits, not 48"},
	{"filterraw 0x00000000000000000000000000000000000000000000000000", 11, "no 0x"},
	{"filterraw 0000000000000000000000000000000000000000000000000", 11, "48 hex digits"},
	{"filterraw", 10, "is missing"},
	{"query PSCI_VERSON", 7, "did you mean PSCI_VERSION?"},
	{"query PSCI_VERSION/64", 7, "no 64-bit ID"},
	{"query PSCI_CPU_ON/16", 7, "stands 32 or 64"},
	{"query PSCI_VERSION -> handle rul", 30, "decides nothing"},
	{"try 0x84000000 1 deny -> EEXIST ruled", 33, "nothing that stands in the way"},
	{"try 0x84000000 1 deny -> EEXIST rule 0x84000001-0x84000000", 38, "no range"},
	{"filter 0x84000000 1 deny -> EEXIST rule", 36, "is too much"},
	{"rules -> 0x84000000-0x84000001", 31, "the action is missing"},
	{"reserved -> 0x84000000", 13, "no range"},
	{"list -> STD_BMP", 9, "is no register"},
	{"call", 5, "the CPU is missing"},
	{"call x hvc PSCI_VERSION", 6, "is no CPU"},
	{"call -1 hvc PSCI_VERSION", 6, "is no CPU"},
	{"call 2 hvc PSCI_VERSION", 6, "the vm has cpus=2, 0 to 1"},
	{"call 0 hcv PSCI_VERSION", 8, "hvc or smc"},
	{"call 0 hvc", 11, "the function is missing"},
	{"call 0 hvc nothing", 12, "is no value"},
	{"call 0 hvc 1 foo=5", 14, "is no value"},
	{"call 0 hvc 1 x20=5", 14, "x1 to x17"},
	{"call 0 hvc 1 x2=z", 17, "is no value"},
	{"call 0 hvc 1 imm=0x10000", 18, "at most 0xffff"},
	{"call 0 hvc 1 x0=5", 17, "x0 is the function"},
	{"call 0 hvc 1 x18=5", 14, "x1 to x17"},
	{"call 0 hvc 1 2 x1=5", 16, "x1 was said before"},
	{"call 0 hvc 1 x2=5 7", 19, "come before"},
	{"call 0 hvc 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9", 48, "x1 to x17"},
	{"call 0 hvc 1 entry(8)", 14, "entry(n) is of CPU 0 to 7"},
	{"call 0 hvc 1 mpidr(512)", 14, "mpidr(n) is of CPU 0 to 511"},
	{"call 0 hvc 1 entry(-1)", 14, "is no value"},
	{"call 0 hvc 1 -> x18=0", 17, "x0=... to x17=..."},
	{"call 0 hvc 1 -> x0=0 x0=1", 22, "was stated before"},
	{"call 0 hvc 1 -> x0=random(65)", 17, "0 to 64 bits"},
	{"call 0 hvc 1 -> x0=random(", 17, "0 to 64 bits"},
	{"call 0 hvc 1 -> x0=0x10/0xf", 17, "can never be"},
	{"call 0 hvc 1 -> x0=1/x", 17, "no value/mask"},
	{"call 0 hvc 1 -> blocked x0=0", 25, "is too much"},
	{"call 0 hvc 1 -> ok", 17, "is nothing that call answers"},
	{"call 0 hvc 1 -> event", 22, "the event is missing"},
	{"call 0 hvc 1 -> event off", 23, "is no event"},
	{"call 0 hvc 1 -> event cpu-off 1", 31, "is the caller, 0"},
	{"call 0 hvc 1 -> event cpu-off 0 x0=1", 33, "is too much"},
	{"call 0 hvc 1 -> forward", 24, "the function is missing"},
	{"call 0 hvc 1 -> forward 1 svc", 27, "hvc or smc"},
	{"reply x0=1", 1, "no call stands before"},
	{"resume nowrite", 1, "no call stands before"},
	{"cancel", 1, "no call stands before"},
	{"wake 0", 6, "no call of its stands before"},
	{"arrive 1 -> x0=5", 13, "it answers *, pc=..."},
	{"cpu 1 start", 7, "one label, entry"},
	{"cpu 1 entry -> ok", 13, "answers nothing"},
	{"vm cpus=0", 4, "from 1 to 8"},
	{"vm cpus=9", 4, "from 1 to 8"},
	{"vm cpu=1", 4, "did you mean cpus?"},
	{"vm cpus=1 cpus=2", 11, "was said before"},
	{"vm suspend-cap=1", 4, "without '='"},
	{"vm cpus", 4, "write cpus=N"},
	{"vm psci02=maybe", 4, "on or off"},
	{"vm discovery=raww", 4, "raw or coherent"},
	{"vm pvtime=0", 4, "leave it out"},
	{"vm policy=-", 4, "is a file"},
	{"vm profile=linux-6.13", 4, "unknown profile 'linux-6.13'; did you mean linux-6.1"},
	{"vm profile=linux-6.12..linux-6.1", 4, "goes backwards"},
	{"vm profile=..", 4, "leave it out"},
	{"vm profile=linux-6.1@1..", 4, "no revisions"},
	{"[linux-6.1..] vm", 15, "profile=... itself"},
	{"[linux-6.1.. ] count", 1, "without blanks"},
	{"[linux-9] count", 1, "unknown profile"},
	{"[] count", 1, "without blanks"},
	{"count \x01", 7, "byte 0x01"},
	{"count \xc3\xa4", 7, "byte 0xc3"},
	{"count\r", 6, "as on Windows"},
};

static void bad_lines(void **state)
{
	char text[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct hvc_diags *diags = hvc_diags_new();
		const struct hvc_diag *diag;

		snprintf(text, sizeof(text), "# a comment\n\nvm cpus=2\n%s\n", bad[i].line);
		assert_null(parse(text, "hvcgate-1", false, diags));
		diag = hvc_diags_at(diags, 0);
		assert_non_null(diag);
		if (diag->line != 4 || diag->column != bad[i].column ||
		    strstr(diag->message, bad[i].says) == NULL) {
			fail_msg("%s: %u:%u: %s", bad[i].line, diag->line, diag->column,
				 diag->message);
		}
		assert_string_equal(diag->file, "t.hvc");
		assert_int_equal(hvc_diags_count(diags, HVC_ERROR), 1);
		hvc_diags_free(diags);
	}
}

/* What a VM can miss has a name, each its own, and an unknown one is refused. */
static void missing_names(void **state)
{
	struct hvc_diags *diags = hvc_diags_new();

	(void)state;
	for (unsigned int a = 0; a < HVC_MISSING_COUNT; a++) {
		assert_string_not_equal(scn_missing_name(a), "?");
		for (unsigned int b = 0; b < a; b++) {
			assert_string_not_equal(scn_missing_name(a), scn_missing_name(b));
		}
	}
	assert_string_equal(scn_missing_name(HVC_MISSING_COUNT), "?");
	assert_null(parse("vm\nsave A\nrestore A -> ENXIO luck\n", "hvcgate-1", false, diags));
	assert_int_equal(hvc_diags_at(diags, 0)->line, 3);
	assert_int_equal(hvc_diags_at(diags, 0)->column, 20);
	hvc_diags_free(diags);
}

static void without_vm(void **state)
{
	struct hvc_diags *diags = hvc_diags_new();

	(void)state;
	assert_null(parse("count\n", "hvcgate-1", false, diags));
	assert_non_null(strstr(hvc_diags_at(diags, 0)->message, "begin with 'vm cpus=1'"));
	hvc_diags_free(diags);
}

/* A wrong vm is one error, not one for each line that follows. */
static void wrong_vm(void **state)
{
	struct hvc_diags *diags = hvc_diags_new();

	(void)state;
	assert_null(parse("vm cpus=77\ncount\ncall 5 hvc 1\n", "hvcgate-1", false, diags));
	assert_int_equal(hvc_diags_count(diags, HVC_ERROR), 1);
	hvc_diags_free(diags);
}

static void limits(void **state)
{
	struct hvc_diags *diags = hvc_diags_new();
	size_t size = SCN_MAX_BYTES + 1;
	char *text = malloc(size + 1);
	struct scn_options options = {.profile = abi_profile_find("hvcgate-1")};

	(void)state;
	assert_non_null(text);
	memset(text, '\n', size);
	assert_null(scn_parse("t.hvc", text, size, &options, diags));
	assert_non_null(strstr(hvc_diags_at(diags, 0)->message, "larger than 1024 KiB"));
	hvc_diags_free(diags);

	/* The longest line, and one more byte. */
	diags = hvc_diags_new();
	memset(text, ' ', SCN_MAX_LINE);
	text[SCN_MAX_LINE] = '\n';
	scn_free(scn_parse("t.hvc", text, SCN_MAX_LINE + 1, &options, diags));
	assert_int_equal(hvc_diags_count(diags, HVC_ERROR), 0);
	text[SCN_MAX_LINE] = ' ';
	assert_null(scn_parse("t.hvc", text, SCN_MAX_LINE + 1, &options, diags));
	assert_non_null(strstr(hvc_diags_at(diags, 0)->message, "longer than 4096"));
	hvc_diags_free(diags);

	/* Words. */
	diags = hvc_diags_new();
	for (size_t i = 0; i < SCN_MAX_LINE; i++) {
		text[i] = i % 2 == 0 ? 'x' : ' ';
	}
	assert_null(scn_parse("t.hvc", text, SCN_MAX_LINE, &options, diags));
	assert_non_null(strstr(hvc_diags_at(diags, 0)->message, "words on a line"));
	hvc_diags_free(diags);

	/* Lines. */
	diags = hvc_diags_new();
	for (size_t i = 0; i < 3 + 6 * (size_t)SCN_MAX_OPS; i++) {
		text[i] = i < 3 ? "vm\n"[i] : "count\n"[(i - 3) % 6];
	}
	assert_null(scn_parse("t.hvc", text, 3 + 6 * SCN_MAX_OPS, &options, diags));
	assert_non_null(strstr(hvc_diags_at(diags, 0)->message, "make it several files"));
	hvc_diags_free(diags);
	diags = hvc_diags_new();
	scn_free(scn_parse("t.hvc", text, 3 + 6 * (SCN_MAX_OPS - 1), &options, diags));
	assert_int_equal(hvc_diags_count(diags, HVC_ERROR), 0);
	hvc_diags_free(diags);
	free(text);
}

static void calls(void **state)
{
	struct scn_script *script = good(
		"vm cpus=2\n"
		"call 1 smc PSCI_CPU_ON mpidr(17) entry(1) -2 imm=0x12 x7=PSCI_CPU_ON/32\n"
		"call 0 hvc PSCI_CPU_ON/32\n"
		"call 0 hvc 0x1234567884000000 # high half\n",
		"hvcgate-1");
	const struct scn_op *op = scn_op_at(script, 1);
	uint32_t id = hvc_function_at(HVC_FN_PSCI_CPU_ON)->id32;

	(void)state;
	assert_int_equal(scn_count(script), 4);
	assert_int_equal(op->command, SCN_CALL);
	assert_int_equal(op->line, 2);
	assert_int_equal(op->cpu, 1);
	assert_int_equal(op->conduit, HVC_CONDUIT_SMC);
	assert_int_equal(op->immediate, 0x12);
	assert_int_equal(op->id, hvc_function_at(HVC_FN_PSCI_CPU_ON)->id64);
	assert_int_equal(op->frame.x[0], op->id);
	assert_int_equal(op->frame.x[1], 0x101);
	assert_int_equal(op->frame.x[2], SCN_ENTRY_ADDRESS(1));
	assert_int_equal(op->frame.x[3], -2);
	assert_int_equal(op->frame.x[7], id);
	for (unsigned int reg = 4; reg < HVC_FRAME_REGS; reg++) {
		if (reg != 7) {
			assert_int_equal(op->frame.x[reg], SCN_PATTERN(reg));
			assert_int_not_equal(op->frame.x[reg] >> 32, 0);
			assert_int_not_equal((uint32_t)op->frame.x[reg], 0);
		}
	}
	assert_int_equal(scn_op_at(script, 2)->id, id);
	assert_int_equal(scn_op_at(script, 3)->frame.x[0], 0x1234567884000000ull);
	assert_int_equal(scn_op_at(script, 3)->id, 0x84000000u);
	assert_null(scn_op_at(script, 4));
	scn_free(script);
}

static void others(void **state)
{
	static const uint8_t bytes[HVC_FILTER_BYTES] = {0x12, 0xab, [23] = 0xf0};
	struct scn_script *script = good(
		"vm psci02=off suspend-cap pvtime=0x1000 discovery=coherent\n"
		"filter PSCI_VERSION 0x10 forward\n"
		"filterraw 12aB 00000000000000000000000000000000000000000 0f0\n"
		"setraw 0x6020000000160000 -1\n"
		"show 6\n"
		"cpu 0 entry\n"
		"call 0 hvc 1 -> forward 1 hvc\n"
		"reply x0=-1 x17=5\n",
		"linux-6.12");
	const struct scn_vm *vm = scn_op_at(script, 0)->vm;
	const struct scn_op *op = scn_op_at(script, 1);

	(void)state;
	assert_false(vm->psci_0_2);
	assert_true(vm->suspend_cap && vm->coherent);
	assert_int_equal(vm->stolen_time, 0x1000);
	assert_int_equal(vm->cpus, 1);
	assert_string_equal(abi_profile_name(vm->profile), "linux-6.12@1");
	assert_int_equal(vm->settings.discovery, HVC_DISCOVERY_COHERENT);
	assert_int_equal(vm->settings.system_suspend, 1);
	assert_int_equal(op->base, hvc_function_at(HVC_FN_PSCI_VERSION)->id32);
	assert_int_equal(op->count, 0x10);
	assert_int_equal(op->action, HVC_FORWARD);
	assert_memory_equal(scn_op_at(script, 2)->bytes, bytes, sizeof(bytes));
	assert_int_equal(scn_op_at(script, 3)->id, 0x6020000000160000ull);
	assert_int_equal(scn_op_at(script, 3)->value, UINT64_MAX);
	assert_int_equal(scn_op_at(script, 4)->value, 6);
	assert_int_equal(scn_op_at(script, 5)->command, SCN_CALL);
	assert_int_equal(scn_op_at(script, 6)->mask, 0x20001);
	assert_int_equal(scn_op_at(script, 6)->frame.x[17], 5);
	assert_int_equal(script->lines[6].in, 5);
	scn_free(script);
}

static size_t lines_for(const char *text, const char *profile, bool kernel, size_t *left_out)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct scn_script *script = parse(text, profile, kernel, diags);
	size_t count;

	assert_non_null(script);
	count = scn_count(script);
	*left_out = scn_left_out(script);
	scn_free(script);
	hvc_diags_free(diags);
	return count;
}

/* Which lines hold where. Each is a vm with one line. */
static void profiles(void **state)
{
	static const struct {
		const char *vm, *profile;
		bool engine, kernel;
	} rows[] = {
		{"vm", "linux-6.12", true, true},
		{"vm profile=host", "linux-6.12", true, true},
		{"vm profile=linux-6.12", "linux-6.12", true, true},
		{"vm profile=linux-6.12@1", "linux-6.12", true, true},
		{"vm profile=linux-6.1", "linux-6.12", true, false},
		{"vm profile=linux-6.1..", "linux-6.12", true, true},
		{"vm profile=linux-6.12..", "linux-6.12", true, true},
		{"vm profile=linux-6.13..", "linux-6.12", false, false},
		{"vm profile=..linux-6.12", "linux-6.12", true, true},
		{"vm profile=..linux-6.11", "linux-6.12", false, false},
		{"vm profile=..linux-7.0", "linux-6.12", true, true},
		{"vm profile=linux-5.10..linux-6.1", "linux-6.12", false, false},
		{"vm profile=..linux-6.1", "hvcgate-1", false, false},
		{"vm profile=hvcgate-1..", "hvcgate-1", true, true},
		{"vm profile=hvcgate-1..", "linux-6.1", true, true},
		{"vm profile=hvcgate-1", "linux-6.1", true, false},
		{"vm profile=hvcgate-2", "hvcgate-2", true, true},
		{"vm profile=hvcgate-2@1", "linux-6.1", true, false},
		{"vm profile=hvcgate-1..", "hvcgate-2", true, true},
		{"vm profile=hvcgate-2..", "hvcgate-1", false, false},
		{"vm profile=hvcgate-2..", "linux-6.1", true, true},
		{"vm profile=..hvcgate-1", "hvcgate-1", true, true},
		{"vm profile=..hvcgate-1", "hvcgate-2", false, false},
		{"vm profile=..hvcgate-2", "linux-6.1", false, false},
		{"vm profile=..linux-6.1", "hvcgate-2", false, false},
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (int kernel = 0; kernel < 2; kernel++) {
			bool holds = kernel ? rows[i].kernel : rows[i].engine;
			size_t left_out, count;

			snprintf(text, sizeof(text), "%s\ncount\n", rows[i].vm);
			count = lines_for(text, rows[i].profile, kernel, &left_out);
			if (count != (holds ? 2 : 0) || left_out != (holds ? 0 : 2)) {
				fail_msg("%s for %s (kernel %d): %zu lines, %zu left out",
					 rows[i].vm, rows[i].profile, kernel, count, left_out);
			}
		}
	}
}

/* A guard is held against the machine's own profile. */
static void guards(void **state)
{
	static const char *const text = "vm\n[linux-6.4..] count\n[..linux-6.3] count\n"
					"vm profile=linux-6.1\n[linux-6.4..] count\n"
					"[linux-6.1] count\n[linux-6.1] list\n";
	size_t left_out;

	(void)state;
	assert_int_equal(lines_for(text, "linux-6.12", false, &left_out), 5);
	assert_int_equal(left_out, 2);
	assert_int_equal(lines_for(text, "linux-6.12", true, &left_out), 2);
	assert_int_equal(lines_for(text, "hvcgate-1", false, &left_out), 4);
}

static void texts(void **state)
{
	struct scn_script *script = good("vm\n[hvcgate-1]\tcount  ->   8 # now\n  show 5",
					 "hvcgate-1");

	(void)state;
	assert_string_equal(scn_text(script, 1), "count");
	assert_string_equal(scn_expected(script, 1), "8");
	assert_string_equal(scn_text(script, 2), "show 5");
	assert_string_equal(scn_expected(script, 2), "");
	scn_free(script);
}

/* random() makes its call four times, as one line. */
static void repeats(void **state)
{
	struct scn_script *script = good("vm\ncall 0 hvc TRNG_RND 64 -> x0=0 x3=random(64)\n"
					 "call 0 hvc TRNG_RND 8 -> x0=0 x3=random(8)\n",
					 "hvcgate-1");

	(void)state;
	assert_int_equal(scn_count(script), 6);
	assert_false(scn_is_repeat(script, 1));
	for (size_t n = 2; n <= 4; n++) {
		assert_true(scn_is_repeat(script, n));
		assert_memory_equal(scn_op_at(script, n), scn_op_at(script, 1),
				    sizeof(struct scn_op));
	}
	assert_false(scn_is_repeat(script, 5));
	scn_free(script);
}

/* The registers' IDs stand in the engine, too. */
static void register_ids(void **state)
{
	struct scn_script *script = good("vm\nlist\n", "hvcgate-1");
	struct scn_result results[2] = {0};
	char why[64];

	(void)state;
	assert_true(scn_engine_host()->run(scn_engine_host(), script, results, why, sizeof(why)));
	assert_int_equal(results[1].list_count, HVC_REG_COUNT);
	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		assert_int_equal(results[1].list[reg], abi_register_id(reg));
		assert_true(scn_is_feature_register(abi_register_id(reg)));
	}
	assert_false(scn_is_feature_register(0x6030000000100000ull));
	scn_free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_lines),  cmocka_unit_test(missing_names),
		cmocka_unit_test(without_vm), cmocka_unit_test(wrong_vm),
		cmocka_unit_test(limits),     cmocka_unit_test(calls),
		cmocka_unit_test(others),     cmocka_unit_test(profiles),
		cmocka_unit_test(guards),     cmocka_unit_test(texts),
		cmocka_unit_test(repeats),    cmocka_unit_test(register_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
