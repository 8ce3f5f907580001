/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys about the machine: its silicon, its power states, its trusted OS; and what discovery says of forwards. */
#include "policy_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEW     "hvcgate: 1\nprofile: hvcgate-2\n"
#define STATES  NEW "power-states:\n"
#define HANDLER "handlers: {h: {socket: /run/h}}\n"
#define FORWARDED \
	" note: rule 1: forwarded calls are answered under hvcgate exec; hvcgate run has no handlers, and there they read their failure value\n"

static const struct bad_case bad_silicon[] = {
	{"name of an old profile", "hvcgate: 1\nsoc-id: {version: 1, revision: 2, name: A1}\n",
	 "2:9: error: hvcgate-1@1 has no SMCCC_ARCH_SOC_ID_NAME; write soc-id without a name, or profile: hvcgate-2\n"},
	{"empty name", NEW "soc-id: {version: 1, revision: 2, name: \"\"}\n",
	 "3:41: error: soc-id name is no text of 1 to 135 printable ASCII characters; write one such as \"ACME A1\", or leave it out\n"},
	{"name not ASCII", NEW "soc-id: {version: 1, revision: 2, name: \"\xc3\xa9\"}\n",
	 "3:41: error: soc-id name is no text of 1 to 135 printable ASCII characters; write one such as \"ACME A1\", or leave it out\n"},
	{"name no text", NEW "soc-id: {version: 1, revision: 2, name: [a]}\n",
	 "3:41: error: 'name' wants a single value and has a list; write a text\n"},
	{"name alone", NEW "soc-id: {name: A1}\n",
	 "3:9: error: soc-id has no 'version'; write soc-id: {version: 0x..., revision: 0x...}\n"
	 "3:9: error: soc-id has no 'revision'; write soc-id: {version: 0x..., revision: 0x...}\n"},
	{"unknown key of soc-id", NEW "soc-id: {version: 1, revision: 2, nam: A1}\n",
	 "3:35: error: unknown key 'nam' in 'soc-id'; did you mean 'name'?\n"},
	{"implementations of an old profile", "hvcgate: 1\nimplementations: [{midr: 1}]\n",
	 "2:18: error: hvcgate-1@1 has no KVM_DISCOVER_IMPL_CPUS; write implementations: [], or profile: hvcgate-2\n"},
	{"implementations no list", NEW "implementations: {midr: 1}\n",
	 "3:18: error: 'implementations' wants a list and has a mapping; write [] or lines such as '  - {midr: 0x410fd0b1}'\n"},
	{"implementation no mapping", NEW "implementations: [0x410fd0b1]\n",
	 "3:19: error: 'implementations' wants a mapping and has a single value; write {midr: 0x...}\n"},
	{"implementation without midr", NEW "implementations: [{aidr: 1}]\n",
	 "3:19: error: an implementation has no midr; write {midr: 0x410fd0b1}, what MIDR_EL1 reads there\n"},
	{"midr too wide", NEW "implementations: [{midr: 0x100000000}]\n",
	 "3:26: error: midr is '0x100000000'; write a number from 0 to 0xffffffff\n"},
	{"revidr no number", NEW "implementations: [{midr: 1, revidr: -1}]\n",
	 "3:37: error: revidr is '-1'; write a number from 0 to 0xffffffffffffffff\n"},
	{"aidr no number", NEW "implementations: [{midr: 1, aidr: {}}]\n",
	 "3:35: error: 'aidr' wants a single value and has a mapping; write a number\n"},
	{"implementation unknown key", NEW "implementations: [{midr: 1, mdir: 1}]\n",
	 "3:29: error: unknown key 'mdir' in an implementation; did you mean 'midr'?\n"},
	{"implementation twice",
	 NEW "implementations: [{midr: 1}, {midr: 2}, {midr: 1, aidr: 0}]\n",
	 "3:41: error: this implementation stands in the list already; remove it\n"},
	{"os-initiated of an old profile", "hvcgate: 1\nos-initiated: on\n",
	 "2:15: error: hvcgate-1@1 has no PSCI_SET_SUSPEND_MODE; write os-initiated: off, or profile: hvcgate-2\n"},
	{"os-initiated", NEW "os-initiated: yes\n",
	 "3:15: error: os-initiated is 'yes'; write on or off\n"},
	{"os-initiated no word", NEW "os-initiated: [on]\n",
	 "3:15: error: 'os-initiated' wants a single value and has a list; write on or off\n"},
	{"trusted OS of a kernel",
	 "hvcgate: 1\nprofile: linux-7.3\ntrusted-os: {cpu: 0, migrates: yes}\n",
	 "3:13: error: linux-7.3@1 has no PSCI_MIGRATE_INFO_UP_CPU; write trusted-os: none, or profile: hvcgate-2\n"},
	{"trusted OS no word", NEW "trusted-os: here\n",
	 "3:13: error: 'trusted-os' wants a mapping and has a single value; write none or {cpu: 0, migrates: no}\n"},
	{"trusted OS nowhere", NEW "trusted-os: {migrates: yes}\n",
	 "3:13: error: trusted-os has no 'cpu'; write trusted-os: {cpu: 0, migrates: no}\n"},
	{"trusted OS, and does it migrate?", NEW "trusted-os: {cpu: 0}\n",
	 "3:13: error: trusted-os has no 'migrates'; write migrates: yes if PSCI_MIGRATE moves it to another CPU, no if its CPU cannot be turned off\n"},
	{"trusted OS too far", NEW "trusted-os: {cpu: 512, migrates: no}\n",
	 "3:19: error: cpu is '512'; write the index of the CPU it is on at first, from 0 to 511\n"},
	{"trusted OS maybe", NEW "trusted-os: {cpu: 1, migrates: maybe}\n",
	 "3:32: error: migrates is 'maybe'; write yes or no\n"},
	{"trusted OS unknown key", NEW "trusted-os: {cpus: 1, migrates: no}\n",
	 "3:13: error: trusted-os has no 'cpu'; write trusted-os: {cpu: 0, migrates: no}\n"
	 "3:14: error: unknown key 'cpus' in 'trusted-os'; did you mean 'cpu'?\n"},
	{"replay", NEW "replay: yes\n", "3:9: error: replay is 'yes'; write refused or allowed\n"},
};

static const struct bad_case bad_states[] = {
	{"format", NEW "power-state-format: new\n",
	 "3:21: error: power-state-format is 'new'; write original or extended\n"},
	{"no list", NEW "power-states: 0x10000\n",
	 "3:15: error: 'power-states' wants a list and has a single value; write [] or lines such as '  - {param: 0x10000}'\n"},
	{"no mapping", STATES "  - 0x10000\n",
	 "4:5: error: 'power-states' wants a mapping and has a single value; write {param: 0x10000}\n"},
	{"no param", STATES "  - {level: cpu}\n",
	 "4:5: error: a power state has no param; write {param: 0x10000}, what CPU_SUSPEND is called with\n"},
	{"param no number", STATES "  - {param: deep}\n",
	 "4:13: error: param is 'deep'; write the power_state that CPU_SUSPEND is called with, such as 0x10000\n"},
	{"param too wide", STATES "  - {param: 0x100000000}\n",
	 "4:13: error: param is '0x100000000'; write the power_state that CPU_SUSPEND is called with, such as 0x10000\n"},
	{"param list", STATES "  - {param: []}\n",
	 "4:13: error: 'param' wants a single value and has a list; write a number such as 0x10000\n"},
	{"reserved bits", STATES "  - {param: 0x20000}\n",
	 "4:13: error: param 0x20000 has bits of 0xfcfe0000 set, which power-state-format original reserves; clear them, or write power-state-format: extended\n"},
	{"reserved bits, extended",
	 NEW "power-state-format: extended\npower-states:\n  - {param: 0x80000000}\n",
	 "5:13: error: param 0x80000000 has bits of 0xb0000000 set, which power-state-format extended reserves; clear them, or write power-state-format: original\n"},
	{"level no name", STATES "  - {param: 1, level: core}\n",
	 "4:23: error: level is 'core'; write the highest power level that goes down: cpu, cluster, system or 3\n"},
	{"level too high", STATES "  - {param: 1, level: 4}\n",
	 "4:23: error: level is '4'; write the highest power level that goes down: cpu, cluster, system or 3\n"},
	{"level is another", STATES "  - {param: 0x10001, level: cluster}\n",
	 "4:29: error: level is cluster, and bits 25:24 of param 0x10001 say cpu; write that, or param 0x1010001\n"},
	{"name", STATES "  - {param: 1, name: Deep}\n",
	 "4:22: error: 'Deep' is no name for a power state; use 1 to 31 of a-z, 0-9 and -, a letter first\n"},
	{"time without unit", STATES "  - {param: 1, entry-latency: 100}\n",
	 "4:31: error: entry-latency '100' is no time up to 3600s; write one such as 200us or 2ms\n"},
	{"time too long", STATES "  - {param: 1, exit-latency: 3601s}\n",
	 "4:30: error: exit-latency '3601s' is no time up to 3600s; write one such as 200us or 2ms\n"},
	{"time no value", STATES "  - {param: 1, min-residency: [1us]}\n",
	 "4:31: error: 'min-residency' wants a single value and has a list; write a time such as 200us\n"},
	{"residency too short", STATES "  - {param: 1, entry-latency: 2ms, min-residency: 1ms}\n",
	 "4:5: error: min-residency 1000us is less than entry-latency 2000us, which is a part of it; write min-residency: 2000us or more\n"},
	{"unknown key", STATES "  - {param: 1, latency: 1us}\n",
	 "4:16: error: unknown key 'latency' in a power state; there are: name, param, level, entry-latency, exit-latency, min-residency\n"},
	{"param twice", STATES "  - {param: 0x1, name: a}\n  - {param: 1}\n",
	 "5:13: error: param 0x1 is a's at line 4 already; each state has its own\n"},
	{"name twice", STATES "  - {param: 1, name: a}\n  - {param: 2, name: a}\n",
	 "5:5: error: power state a stands at line 4 already; give it another name\n"},
	{"made name twice", STATES "  - {param: 1, name: cpu-standby-2}\n  - {param: 2}\n",
	 "5:5: error: power state cpu-standby-2 stands at line 4 already; give it another name\n"},
	{"deeper first", STATES "  - {param: 0x1010000, name: b}\n  - {param: 0x10000, name: a}\n",
	 "5:5: error: power state a (level cpu, min-residency 1000us) stands behind b (level cluster, 2000us), which is deeper; the shallowest comes first\n"},
	{"nine",
	 STATES "  - {param: 1}\n  - {param: 2}\n  - {param: 3}\n  - {param: 4}\n"
		"  - {param: 5}\n  - {param: 6}\n  - {param: 7}\n  - {param: 8}\n  - {param: 9}\n",
	 "12:5: error: more than 8 power states; an engine knows so many at most\n"},
	{"a kernel bit for bit",
	 "hvcgate: 1\nprofile: linux-6.12\nstrictness: kvm\npower-states: [{param: 1}]\n",
	 "4:15: error: 'power-states' means nothing with strictness kvm: that kernel takes any power state; write strictness: spec\n"},
};

static const struct bad_case bad_features[] = {
	{"of a handled one", NEW "rules:\n  - handle: PSCI_CPU_ON\n    features: 1\n",
	 "5:15: error: 'features' belongs to forward; who answers a rule that says handle says its features: remove it\n"},
	{"of nothing", NEW "rules:\n  - features: 1\n",
	 "4:5: error: a rule without an action; write handle, deny, forward or notify\n"},
	{"negative", NEW "rules:\n  - forward: PSCI_CPU_ON\n    to: h\n    features: -1\n" HANDLER,
	 "6:15: error: features is '-1'; write what discovery says of the function being there, a number from 0 to 0x7fffffff\n"},
	{"no number",
	 NEW "rules:\n  - forward: PSCI_CPU_ON\n    to: h\n    features: [1]\n" HANDLER,
	 "6:15: error: 'features' wants a single value and has a list; write a number\n"},
	{"nobody tells",
	 NEW "rules:\n  - forward: {service: ff-a}\n    to: h\n    features: 1\n" HANDLER,
	 "4:5:" FORWARDED
	 "6:15: error: no discovery function of the engine tells of {service: ff-a}, so 'features' means nothing; remove it\n"},
	{"two values",
	 NEW "rules:\n  - forward: PSCI_CPU_ON/32\n    to: h\n    features: 1\n"
	     "  - forward: PSCI_CPU_ON\n    to: h\n    features: 2\n" HANDLER,
	 "4:5:" FORWARDED
	 "7:5: note: rule 2: forwarded calls are answered under hvcgate exec; hvcgate run has no handlers, and there they read their failure value\n"
	 "9:15: error: rule 2 says features 0x2 of PSCI_CPU_ON, and rule 1 at line 4 says 0x1; discovery has one value for both its IDs\n"},
};

static void bad_ones(void **state)
{
	(void)state;
	test_bad_cases(bad_silicon, sizeof(bad_silicon) / sizeof(bad_silicon[0]));
	test_bad_cases(bad_states, sizeof(bad_states) / sizeof(bad_states[0]));
	test_bad_cases(bad_features, sizeof(bad_features) / sizeof(bad_features[0]));
}

/* More than an engine has room for. */
static void too_many_cpus(void **state)
{
	char text[1000] = NEW "implementations:\n", *messages;
	struct hvc_policy *policy;

	(void)state;
	for (unsigned int i = 1; i <= HVC_IMPLEMENTATIONS + 1; i++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "  - {midr: %u}\n", i);
	}
	test_write("p.yaml", text);
	assert_int_equal(test_load("p.yaml", &policy, &messages), HVC_EINVAL);
	assert_string_equal(
		messages,
		"20:5: error: more than 16 implementations; a guest is told of so many at most\n");
	free(messages);
}

/* The tables of a policy as its image has them. */
static struct hvc_image *image_of(const struct hvc_policy *policy)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_image *image;

	assert_int_equal(hvc_policy_compile(policy, &image, diags), HVC_OK);
	assert_int_equal(hvc_image_check(image, image->bytes), HVC_OK);
	hvc_diags_free(diags);
	return image;
}

static void silicon(void **state)
{
	struct hvc_policy *policy = test_policy(
		NEW
		"soc-id: {version: 0x7fffffff, revision: 3, name: 'A \"1\"'}\nimplementations:\n"
		"  - {midr: 0x410fd0b1, revidr: 5, aidr: 0xffffffffffffffff}\n  - {midr: 2}\n");
	struct hvc_image *image = image_of(policy);
	const struct hvc_tables *tables = hvc_image_tables(image);

	(void)state;
	assert_int_equal(image->settings.soc_version, 0x7fffffff);
	assert_string_equal(tables->soc_name, "A \"1\"");
	assert_int_equal(tables->implementation_count, 2);
	assert_int_equal(tables->implementations[0].midr, 0x410fd0b1);
	assert_int_equal(tables->implementations[0].revidr, 5);
	assert_int_equal(tables->implementations[0].aidr, UINT64_MAX);
	assert_int_equal(tables->implementations[1].midr, 2);
	assert_null(hvc_policy_absent(policy, HVC_FN_SMCCC_ARCH_SOC_ID_NAME));
	assert_null(hvc_policy_absent(policy, HVC_FN_KVM_DISCOVER_IMPL_CPUS));
	free(image);
	hvc_policy_free(policy);
	policy = test_policy(NEW "soc-id: {version: 1, revision: 3}\n");
	assert_string_equal(hvc_policy_absent(policy, HVC_FN_SMCCC_ARCH_SOC_ID_NAME),
			    "soc-id has no name");
	assert_string_equal(hvc_policy_absent(policy, HVC_FN_KVM_DISCOVER_IMPL_CPUS),
			    "implementations is empty");
	image = image_of(policy);
	assert_int_equal(image->table_bytes, 0);
	free(image);
	hvc_policy_free(policy);
}

/* What a file does not say is filled in. */
static void power_states(void **state)
{
	struct hvc_policy *policy = test_policy(
		STATES "  - {param: 1, entry-latency: 0us, min-residency: 7us}\n"
		       "  - {param: 0x10002}\n"
		       "  - {param: 0x2010003, name: off, exit-latency: 3s}\n");
	static const struct hvc_policy_power_state want[] = {
		{"cpu-standby-1", 1, 0, 0, 20, 7, false},
		{"cpu-down-10002", 0x10002, 0, 100, 200, 1000, true},
		{"off", 0x2010003, 2, 100, 3000000, 3000100, true},
	};
	struct hvc_image *image = image_of(policy);
	const struct hvc_tables *tables = hvc_image_tables(image);

	(void)state;
	assert_int_equal(tables->power_state_count, 3);
	for (size_t n = 0; n < 3; n++) {
		const struct hvc_policy_power_state *have = hvc_policy_power_state(policy, n);

		assert_string_equal(have->name, want[n].name);
		assert_int_equal(have->param, want[n].param);
		assert_int_equal(have->level, want[n].level);
		assert_int_equal(have->entry_us, want[n].entry_us);
		assert_int_equal(have->exit_us, want[n].exit_us);
		assert_int_equal(have->residency_us, want[n].residency_us);
		assert_int_equal(have->down, want[n].down);
		assert_int_equal(tables->power_states[n].power_state, want[n].param);
		assert_int_equal(tables->power_states[n].level, want[n].level);
	}
	assert_null(hvc_policy_power_state(policy, 3));
	free(image);
	hvc_policy_free(policy);
}

/* An extended StateID has no level: the file says it. Old profiles have CPU_SUSPEND, too. */
static void extended_states(void **state)
{
	struct hvc_policy *policy = test_policy(
		"hvcgate: 1\npower-state-format: extended\n"
		"power-states: [{param: 0x1000001}, {param: 0x40000001, level: 3}]\n");
	const struct hvc_settings *settings = hvc_policy_settings(policy);

	(void)state;
	assert_int_equal(settings->power_state_format, 1);
	assert_int_equal(hvc_policy_power_state(policy, 0)->level, 0);
	assert_int_equal(hvc_policy_power_state(policy, 1)->level, 3);
	assert_true(hvc_policy_power_state(policy, 1)->down);
	assert_string_equal(hvc_policy_power_state(policy, 1)->name, "level3-down-40000001");
	hvc_policy_free(policy);
}

static void trusted_os(void **state)
{
	static const struct {
		const char *said;
		uint32_t kind, cpu;
	} ways[] = {
		{"{cpu: 511, migrates: yes}", HVC_TRUSTED_OS_MIGRATES, 511},
		{"{cpu: 3, migrates: no}", HVC_TRUSTED_OS_STAYS, 3},
		{"none", HVC_TRUSTED_OS_NONE, 0},
	};
	struct hvc_policy *policy;
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const char *absent;

		snprintf(text, sizeof(text), NEW "trusted-os: %s\nos-initiated: on\n",
			 ways[i].said);
		policy = test_policy(text);
		assert_int_equal(hvc_policy_settings(policy)->trusted_os, ways[i].kind);
		assert_int_equal(hvc_policy_settings(policy)->trusted_os_cpu, ways[i].cpu);
		assert_int_equal(hvc_policy_settings(policy)->os_initiated, 1);
		snprintf(text, sizeof(text), "\ntrusted-os: %s\n", ways[i].said);
		assert_non_null(strstr(hvc_policy_flat(policy), text));
		absent = hvc_policy_absent(policy, HVC_FN_PSCI_MIGRATE);
		assert_int_equal(absent != NULL, ways[i].kind == HVC_TRUSTED_OS_NONE);
		assert_null(hvc_policy_absent(policy, HVC_FN_PSCI_SET_SUSPEND_MODE));
		hvc_policy_free(policy);
	}
	policy = test_policy(NEW);
	assert_string_equal(hvc_policy_absent(policy, HVC_FN_PSCI_MIGRATE), "trusted-os is none");
	assert_string_equal(hvc_policy_absent(policy, HVC_FN_PSCI_SET_SUSPEND_MODE),
			    "os-initiated is off");
	hvc_policy_free(policy);
}

/* A child's list is its own, and [] takes the parent's away. */
static void lists_are_replaced(void **state)
{
	struct hvc_policy *policy;

	(void)state;
	test_write("base.yaml", NEW "power-states: [{param: 1}, {param: 2}]\n"
				    "implementations: [{midr: 1}, {midr: 2}]\nreplay: allowed\n"
				    "soc-id: {version: 1, revision: 1, name: base}\n");
	test_write(
		"child.yaml",
		"hvcgate: 1\nextends: base.yaml\npower-states: []\nimplementations: [{midr: 3}]\n"
		"soc-id: {version: 2, revision: 2}\n");
	assert_int_equal(test_load("child.yaml", &policy, NULL), HVC_OK);
	assert_null(hvc_policy_power_state(policy, 0));
	assert_int_equal(hvc_policy_settings(policy)->replay, 1);
	assert_non_null(strstr(hvc_policy_flat(policy),
			       "implementations:\n  - {midr: 0x00000003, revidr: 0x0, aidr: 0x0}\n"
			       "replay: allowed\n"));
	assert_non_null(strstr(hvc_policy_flat(policy), "revision: 0x00000002}\n"));
	hvc_policy_free(policy);
}

/* Whatever the rule names, the functions it decides have the value. */
static void features(void **state)
{
	struct hvc_policy *policy = test_policy_warned(
		NEW
		"rules:\n  - forward: [TRNG_RND/64, {range: 0x84000050-0x84000051}]\n    to: h\n"
		"    features: 0x7fffffff\n  - forward: {service: psci}\n    to: h\n" HANDLER);
	struct hvc_image *image = image_of(policy);
	const struct hvc_tables *tables = hvc_image_tables(image);

	(void)state;
	assert_int_equal(hvc_policy_rule(policy, 0)->features, 0x7fffffff);
	assert_int_equal(hvc_policy_rule(policy, 1)->features, HVC_RULE_NO_FEATURES);
	assert_int_equal(tables->feature_count, 3);
	assert_int_equal(tables->features[0].fn, HVC_FN_TRNG_VERSION);
	assert_int_equal(tables->features[1].fn, HVC_FN_TRNG_FEATURES);
	assert_int_equal(tables->features[2].fn, HVC_FN_TRNG_RND);
	assert_int_equal(tables->features[2].value, 0x7fffffff);
	free(image);
	hvc_policy_free(policy);
}

/* All that can be told at once has room. */
static void features_of_all(void **state)
{
	struct hvc_policy *policy = test_policy_warned(
		NEW "rules:\n  - forward: [{service: psci}, {service: trng}, {service: pv-time}]\n"
		    "    to: h\n    features: 0\n" HANDLER);
	struct hvc_image *image = image_of(policy);
	unsigned int told = 0;

	(void)state;
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		told += function->service == HVC_SERVICE_TRNG ||
			function->service == HVC_SERVICE_PV_TIME ||
			(function->service == HVC_SERVICE_PSCI &&
			 function->since >= HVC_VERSION(0, 2));
	}
	assert_int_equal(hvc_image_tables(image)->feature_count, told);
	free(image);
	hvc_policy_free(policy);
}

/* What a host must have for it is no matter of the policy. */
static void host_functions(void **state)
{
	struct hvc_policy *policy = test_policy(NEW);

	(void)state;
	assert_null(hvc_policy_absent(policy, HVC_FN_KVM_PTP));
	assert_true(hvc_policy_needs_host(policy, HVC_FN_KVM_PTP));
	assert_null(hvc_policy_absent(policy, HVC_FN_PKVM_MEM_SHARE));
	assert_true(hvc_policy_needs_host(policy, HVC_FN_PKVM_MEM_SHARE));
	assert_null(hvc_policy_absent(policy, HVC_FN_PSCI_STAT_COUNT));
	assert_true(hvc_policy_needs_host(policy, HVC_FN_PSCI_STAT_COUNT));
	assert_true(hvc_policy_needs_host(policy, HVC_FN_PSCI_MEM_PROTECT));
	assert_false(hvc_policy_needs_host(policy, HVC_FN_PSCI_CPU_ON));
	assert_false(hvc_policy_needs_host(policy, HVC_FN_COUNT));
	hvc_policy_free(policy);
	policy = test_policy("hvcgate: 1\nservices: {ptp: off}\n");
	assert_string_equal(hvc_policy_absent(policy, HVC_FN_PKVM_MEM_SHARE),
			    "hvcgate-1@1 has no PKVM_MEM_SHARE");
	assert_false(hvc_policy_needs_host(policy, HVC_FN_KVM_PTP));
	hvc_policy_free(policy);
}

/* Digests of what older versions could say stay as they were: of a file that says nothing, 17a64ee9... */
static void old_digests(void **state)
{
	static const uint8_t digest[] = {0x17, 0xa6, 0x4e, 0xe9, 0x67, 0x0e, 0xd7, 0x8b};
	struct hvc_policy *policy = test_policy("hvcgate: 1\n");

	(void)state;
	assert_memory_equal(hvc_policy_sha256(policy), digest, sizeof(digest));
	assert_null(strstr(hvc_policy_flat(policy), "power-state"));
	assert_null(strstr(hvc_policy_flat(policy), "replay"));
	hvc_policy_free(policy);
	policy = test_policy(NEW);
	assert_non_null(strstr(hvc_policy_flat(policy),
			       "power-state-format: original\npower-states: []\nos-initiated: off\n"
			       "trusted-os: none\nimplementations: []\nreplay: refused\n"));
	hvc_policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(too_many_cpus),
		cmocka_unit_test(silicon),
		cmocka_unit_test(power_states),
		cmocka_unit_test(extended_states),
		cmocka_unit_test(features),
		cmocka_unit_test(lists_are_replaced),
		cmocka_unit_test(features_of_all),
		cmocka_unit_test(trusted_os),
		cmocka_unit_test(host_functions),
		cmocka_unit_test(old_digests),
	};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
