/* SPDX-License-Identifier: BSD-2-Clause */
/* The host kvm on a machine that says what a test wants: also what no kernel should say. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "../../tests/lib/cmocka_all.h"
#include "../kvm/reserved.h"
#include "kvm_fake.h"
#include "kvm_profile.h"
#include "scenario.h"

#define MAX_LINES FAKE_STOPS
#define STOPPED   5u

/* --- A script of a test's own. */
struct scn_script {
	size_t count;
	struct scn_op op[MAX_LINES];
};
static struct scn_script script;
static struct scn_result result[MAX_LINES];
static struct scn_vm vm;

size_t scn_count(const struct scn_script *lines)
{
	return lines->count;
}

const struct scn_op *scn_op_at(const struct scn_script *lines, size_t n)
{
	return &lines->op[n];
}

static const char *release;

int __wrap_uname(struct utsname *name);
int __wrap_uname(struct utsname *name)
{
	memset(name, 0, sizeof(*name));
	snprintf(name->release, sizeof(name->release), "%s", release);
	return 0;
}

/* --- Scripts are put together and run. */
static int fresh(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	memset(&script, 0, sizeof(script));
	memset(result, 0, sizeof(result));
	memset(&vm, 0, sizeof(vm));
	release = "6.12.117+deb13-arm64";
	for (unsigned int cpu = 1; cpu < KVM_MACHINE_CPUS; cpu++) {
		fake.state[cpu] = STOPPED;
	}
	vm.cpus = 2;
	vm.psci_0_2 = true;
	vm.profile = abi_profile_find("linux-6.12");
	script.op[script.count++] = (struct scn_op){.command = SCN_VM, .vm = &vm};
	return 0;
}

static struct scn_op *add(enum scn_command command)
{
	struct scn_op *op = &script.op[script.count++];

	assert_in_range(script.count, 1, MAX_LINES);
	op->command = command;
	op->vm = &vm;
	return op;
}

static struct scn_op *add_call(unsigned int cpu, uint32_t id)
{
	struct scn_op *op = add(SCN_CALL);

	op->cpu = cpu;
	op->frame.x[0] = id | 0xabcull << 32;
	return op;
}

static struct scn_host *run(void)
{
	const struct abi_profile *profile = NULL;
	char why[256] = "";
	struct scn_host *host = scn_kvm_host(&profile, why, sizeof(why));

	assert_non_null(host);
	assert_string_equal(host->name, "kvm");
	assert_ptr_equal(profile, kvm_profile_of(release));
	assert_true(host->run(host, &script, result, why, sizeof(why)));
	return host;
}

static void run_and_close(void)
{
	struct scn_host *host = run();

	host->close(host);
}

static void check_reason(size_t n, enum scn_kind kind, const char *text)
{
	assert_int_equal(result[n].kind, kind);
	assert_non_null(result[n].reason);
	assert_non_null(strstr(result[n].reason, text));
}

/* The n-th line is broken, for a reason that has `text` in it. */
static void check_broken(size_t n, const char *text)
{
	check_reason(n, SCN_BROKEN, text);
}

/* Its CPU is in no state for it. */
static void check_not_run(size_t n, const char *text)
{
	check_reason(n, SCN_NOT_RUN, text);
}

static const struct kvm_stop clean_exit = {
	.kind = KVM_STOP_HYPERCALL, .nr = 7, .args_clean = true, .pc_after = true};

/* --- Tests. */
static void profiles_of_releases(void **state)
{
	static const struct {
		const char *release, *profile;
	} cases[] = {
		{"5.10.0-32-cloud-arm64", "linux-5.10@1"},
		{"5.15.1", "linux-5.10@1"},
		{"6.1.0", "linux-6.1@1"},
		{"6.10.9", "linux-6.1@1"},
		{"6.12.117+deb13", "linux-6.12@1"},
		{"6.15", "linux-6.12@1"},
		{"6.16.12", "linux-6.16@1"},
		{"6.19.1", "linux-6.18@1"},
		{"7.0.13", "linux-6.18@1"},
	};

	(void)state;
	for (size_t n = 0; n < COUNT_OF(cases); n++) {
		assert_string_equal(abi_profile_name(kvm_profile_of(cases[n].release)),
				    cases[n].profile);
	}
	assert_non_null(kvm_profile_of("99.0"));
	assert_null(kvm_profile_of("5.9.16"));
	assert_null(kvm_profile_of("4.20"));
	assert_null(kvm_profile_of(""));
	assert_null(kvm_profile_of("current"));
}

static void no_host(void **state)
{
	const struct abi_profile *profile;
	char why[256];

	(void)state;
	release = "4.19.0";
	assert_null(scn_kvm_host(&profile, why, sizeof(why)));
	assert_string_equal(why, "there is no profile for Linux 4.19.0");
	fake.impossible = true;
	assert_null(scn_kvm_host(&profile, why, sizeof(why)));
	assert_string_equal(why, "impossible");
}

static void machines(void **state)
{
	(void)state;
	vm.suspend_cap = true;
	vm.stolen_time = 0x5000;
	add(SCN_COUNT);
	run_and_close();
	assert_int_equal(result[0].kind, SCN_OK);
	assert_int_equal(fake.config.cpus, 2);
	assert_true(fake.config.psci_0_2 && fake.config.system_suspend && !fake.config.no_init);
	assert_int_equal(fake.config.stolen_time, 0x5000);
}

/* What a machine cannot be made for is said at each of its lines, until the next one. */
static void no_machines(void **state)
{
	static const struct scn_vm good = {.cpus = 1};
	struct scn_vm coherent = vm, other = vm, next = good;

	(void)state;
	coherent.coherent = true;
	other.profile = abi_profile_find("linux-6.1");
	next.profile = vm.profile;
	script.op[0].vm = &coherent;
	add(SCN_COUNT);
	add(SCN_VM)->vm = &other;
	add(SCN_RESERVED);
	add(SCN_VM)->vm = &next;
	add(SCN_COUNT);
	struct scn_host *host = run();
	for (size_t n = 0; n < 4; n++) {
		assert_int_equal(result[n].kind, SCN_UNSUPPORTED);
	}
	assert_string_equal(result[3].reason, "this kernel is linux-6.12@1, not linux-6.1@1");
	assert_int_equal(result[4].kind, SCN_OK);
	assert_int_equal(result[5].kind, SCN_NUMBER);
	fake.no_machine = true;
	assert_true(host->run(host, &script, result, NULL, 0));
	check_broken(4, "no machine");
	assert_int_equal(result[5].kind, SCN_NOT_RUN);
	host->close(host);
}

static void registers(void **state)
{
	(void)state;
	for (unsigned int size = 0; size < 16; size += 5) {
		add(SCN_GET)->id = 0x6000000000140000ull | (uint64_t)size << 52;
		struct scn_op *set = add(SCN_SET);
		set->id = script.op[script.count - 2].id;
		set->value = 0x42;
	}
	add(SCN_GET)->cpu = 2;
	run_and_close();
	for (size_t n = 1; n < 8; n += 2) {
		assert_int_equal(result[n].kind, SCN_NUMBER);
		assert_int_equal(result[n].value, n == 1 ? 0x77 : 0x7777777777777777);
		assert_int_equal(result[n + 1].kind, SCN_OK);
	}
	check_broken(9, "no such CPU");
}

static void errors(void **state)
{
	(void)state;
	add(SCN_GET);
	add(SCN_SET)->value = 0x42;
	add(SCN_LIST);
	add(SCN_FILTER);
	fake.error = ENOEXEC;
	struct scn_host *host = run();
	for (size_t n = 1; n < 5; n++) {
		assert_int_equal(result[n].kind, SCN_ERROR);
		assert_int_equal(result[n].err, HVC_ENOEXEC);
	}
	fake.error = 4000; /* nothing that Linux has */
	memset(result, 0, sizeof(result));
	assert_true(host->run(host, &script, result, NULL, 0));
	for (size_t n = 1; n < 5; n++) {
		check_broken(n, "error 4000");
	}
	assert_ptr_equal(result[1].reason, result[2].reason);
	host->close(host);
}

static void lists(void **state)
{
	(void)state;
	add(SCN_COUNT);
	add(SCN_LIST);
	fake.list = SCN_LIST_MAX;
	struct scn_host *host = run();
	assert_int_equal(result[1].kind, SCN_NUMBER);
	assert_int_equal(result[1].value, SCN_LIST_MAX);
	assert_int_equal(result[2].kind, SCN_IDS);
	assert_int_equal(result[2].list_count, SCN_LIST_MAX);
	assert_int_equal(result[2].list[3], 0x6030000000140003);
	fake.list++;
	memset(result, 0, sizeof(result));
	assert_true(host->run(host, &script, result, NULL, 0));
	check_broken(1, "more registers");
	check_broken(2, "more registers");
	host->close(host);
}

static void filters(void **state)
{
	static const uint8_t said[HVC_FILTER_BYTES] = {1, 0, 0, 0x84, 3, 0, 0, 0, 2};
	struct scn_op *op = add(SCN_FILTER);

	(void)state;
	op->base = 0x84000001;
	op->count = 3;
	op->action = HVC_FORWARD;
	struct scn_host *host = run();
	assert_int_equal(result[1].kind, SCN_OK);
	assert_memory_equal(fake.filter, said, sizeof(said));
	op->action = HVC_NOTIFY;
	assert_true(host->run(host, &script, result, NULL, 0));
	assert_int_equal(result[1].kind, SCN_UNSUPPORTED);
	op->command = SCN_FILTER_RAW;
	memset(op->bytes, 0xee, sizeof(op->bytes));
	assert_true(host->run(host, &script, result, NULL, 0));
	assert_int_equal(result[1].kind, SCN_OK);
	assert_memory_equal(fake.filter, op->bytes, sizeof(said));
	host->close(host);
}

static void check_reserved(const struct kvm_range *ranges, unsigned int count)
{
	memset(result, 0, sizeof(result));
	fake.reserved = ranges;
	run_and_close();
	assert_int_equal(result[1].kind, SCN_IDS);
	assert_int_equal(result[1].list_count, 2 * count);
	for (unsigned int n = 0; n < count; n++) {
		assert_int_equal(result[1].list[2 * n], ranges[n].first);
		assert_int_equal(result[1].list[2 * n + 1], ranges[n].last);
	}
}

/* Ranges are found as they are, wherever they lie. */
static void reserved_ranges(void **state)
{
	static const struct kvm_range none[] = {{1, 0}};
	static const struct kvm_range edges[] = {
		{0, 0}, {2, 2}, {4, 5}, {UINT32_MAX, UINT32_MAX}, {1, 0}};
	static const struct kvm_range middle[] = {
		{0x1234, 0x1300}, {0x7ffffffd, 0x80000001}, {0xc0000000, 0xc0000fff}, {1, 0}};
	struct kvm_range many[KVM_RANGES + 2];

	(void)state;
	add(SCN_RESERVED);
	check_reserved(none, 0);
	check_reserved(edges, 4);
	check_reserved(middle, 3);
	for (unsigned int n = 0; n < KVM_RANGES + 1; n++) {
		many[n].first = many[n].last = 10 * n;
	}
	many[KVM_RANGES + 1] = (struct kvm_range){1, 0};
	fake.reserved = many;
	memset(result, 0, sizeof(result));
	run_and_close();
	check_broken(1, "more");
	fake.no_filter = true;
	run_and_close();
	assert_int_equal(result[1].kind, SCN_UNSUPPORTED);
}

static void unsupported_commands(void **state)
{
	static const enum scn_command commands[] = {SCN_SHOW,    SCN_CLEAR_FROM, SCN_TRY,
						    SCN_QUERY,   SCN_RULES,      SCN_CANCEL,
						    SCN_TIGHTEN, SCN_EVENTS,     SCN_SAVE,
						    SCN_RESTORE};

	(void)state;
	for (size_t n = 0; n < COUNT_OF(commands); n++) {
		add(commands[n]);
	}
	run_and_close();
	for (size_t n = 1; n <= COUNT_OF(commands); n++) {
		assert_int_equal(result[n].kind, SCN_UNSUPPORTED);
		assert_non_null(result[n].reason);
	}
}

/* An exit for a forwarded call must be just as documented. */
static void forwarded_calls(void **state)
{
	static const char *const reasons[] = {"nr is 8", "flags is 1", "args", "program counter",
					      "flags is 2"};

	(void)state;
	for (unsigned int n = 0; n < COUNT_OF(reasons); n++) {
		fresh(NULL);
		add_call(0, 7);
		fake.stop[0] = clean_exit;
		fake.stop[0].nr += n == 0;
		fake.stop[0].flags = n == 1 ? 1 : n == 4 ? 2 : 0;
		fake.stop[0].args_clean = n != 2;
		fake.stop[0].pc_after = n != 3;
		struct scn_host *host = run();
		check_broken(1, reasons[n]);
		host->close(host);
	}
	fresh(NULL);
	fake.state[1] = 0;
	fake.stop[0].kind = KVM_STOP_DONE; /* arrives */
	fake.stop[1] = clean_exit;
	fake.stop[1].flags = 1;
	fake.stop[2].kind = KVM_STOP_DONE;
	add(SCN_ARRIVE)->cpu = 1;
	add_call(1, 7)->conduit = HVC_CONDUIT_SMC;
	add_call(1, 7);
	add(SCN_REPLY);
	add(SCN_REPLY);
	struct scn_host *host = run();
	assert_int_equal(result[1].kind, SCN_ARRIVED);
	assert_int_equal(result[1].value, 0x1234);
	assert_int_equal(result[2].kind, SCN_FORWARDED);
	assert_int_equal(result[2].id, 7);
	assert_int_equal(result[2].conduit, HVC_CONDUIT_SMC);
	check_not_run(3, "'reply' comes first");
	assert_int_equal(result[4].kind, SCN_FRAME);
	check_not_run(5, "no call is pending");
	host->close(host);
}

static void stops(void **state)
{
	static const enum kvm_stop_kind kinds[] = {KVM_STOP_BLOCKED, KVM_STOP_DONE, KVM_STOP_ERRNO,
						   KVM_STOP_OTHER, KVM_STOP_OFF};

	(void)state;
	for (unsigned int n = 0; n < COUNT_OF(kinds); n++) {
		fake.stop[n] = (struct kvm_stop){.kind = kinds[n], .error = 14, .exit_reason = 17};
	}
	add_call(0, 1);
	add_call(0, 1);
	add(SCN_WAKE);
	add_call(0, 1);
	add_call(0, 1);
	add_call(0, 1);
	fake.state[0] = STOPPED;
	add_call(0, 1);
	add(SCN_ARRIVE);
	add(SCN_WAKE);
	add_call(1, 1);
	struct scn_host *host = run();
	assert_int_equal(result[1].kind, SCN_WAITS);
	check_not_run(2, "'wake' comes first");
	assert_int_equal(result[3].kind, SCN_FRAME);
	check_broken(4, "error 14");
	check_broken(5, "exit 17");
	assert_int_equal(result[6].kind, SCN_EVENT);
	assert_int_equal(result[6].event, SCN_CPU_OFF);
	check_not_run(7, "is off");
	check_not_run(8, "nobody turned");
	check_not_run(9, "waits for nothing");
	check_not_run(10, "is off");
	host->close(host);
}

static void system_events(void **state)
{
	static const int kinds[] = {
		-1, SCN_SYSTEM_OFF, SCN_SYSTEM_RESET, -1, SCN_WAKEUP, SCN_SYSTEM_SUSPEND, -1};

	(void)state;
	for (unsigned int type = 0; type < COUNT_OF(kinds); type++) {
		fresh(NULL);
		fake.stop[0] = (struct kvm_stop){.kind = KVM_STOP_SYSTEM_EVENT,
						 .event = type,
						 .event_data = 3,
						 .pc_after = true};
		fake.stop[1].kind = KVM_STOP_DONE;
		struct scn_op *call = add_call(0, 1);
		call->frame.x[1] = 0x111;
		call->frame.x[2] = 0x222;
		add_call(0, 1);
		add(SCN_WAKE);
		struct scn_host *host = run();
		if (kinds[type] < 0) {
			check_broken(1, "a system event of type");
		} else {
			assert_int_equal(result[1].kind, SCN_EVENT);
			assert_int_equal(result[1].event, kinds[type]);
			assert_int_equal(result[1].event_flags, 3);
		}
		check_not_run(2, "'resume nowrite' comes first");
		if (kinds[type] == SCN_SYSTEM_SUSPEND) {
			assert_int_equal(result[3].kind, SCN_ARRIVED);
			assert_int_equal(fake.entry, 0x111);
			assert_int_equal(fake.context, 0x222);
		} else {
			check_not_run(3, "waits for nothing");
		}
		host->close(host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(profiles_of_releases, fresh),
		cmocka_unit_test_setup(no_host, fresh),
		cmocka_unit_test_setup(machines, fresh),
		cmocka_unit_test_setup(no_machines, fresh),
		cmocka_unit_test_setup(registers, fresh),
		cmocka_unit_test_setup(errors, fresh),
		cmocka_unit_test_setup(lists, fresh),
		cmocka_unit_test_setup(filters, fresh),
		cmocka_unit_test_setup(reserved_ranges, fresh),
		cmocka_unit_test_setup(unsupported_commands, fresh),
		cmocka_unit_test_setup(forwarded_calls, fresh),
		cmocka_unit_test_setup(stops, fresh),
		cmocka_unit_test_setup(system_events, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
