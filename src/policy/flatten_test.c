/* SPDX-License-Identifier: BSD-2-Clause */
/* Flattening what was flattened gives the same bytes, the same digest, and the same decisions. */
#include "policy_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Long ones stand here: in the list a string of two lines looks like a forgotten comma. */
#define WORKAROUNDS                                                                     \
	"hvcgate: 1\nregisters: {WORKAROUND_1: available, WORKAROUND_2: not-required, " \
	"WORKAROUND_3: not-required, VENDOR_HYP_BMAP_2: 2}\n"
#define HANDLERS                                                    \
	"hvcgate: 1\ndefault: {forward: b}\nservices: {tee: off}\n" \
	"handlers: {b: {socket: /run/b}, a: {socket: /run/a, timeout: 5ms}}\nrules: [{notify: PSCI_CPU_ON, to: a}]\n"
#define UNREACHED                                                                                              \
	"hvcgate: 1\nrules:\n  - handle: TRNG_RND/32\n  - deny: [TRNG_RND/32, TRNG_RND, {range: 0x84000053}, " \
	"{owner: trusted-app}]\n"
#define STATES                                                                      \
	"hvcgate: 1\npower-state-format: extended\npower-states:\n  - {param: 5}\n" \
	"  - {param: 0x40000001, level: 3, min-residency: 3s}\n"
#define SILICON                                                                                          \
	"hvcgate: 1\nprofile: hvcgate-2\nsoc-id: {version: 1, revision: 2, name: 'a \"b\" \\ c'}\n"      \
	"implementations: [{midr: 1, aidr: 0xffffffffffffffff}]\nreplay: allowed\nallow: [smc, smccc]\n" \
	"trusted-os: {cpu: 7, migrates: no}\nos-initiated: on\n"
#define FEATURES                                                                                 \
	"hvcgate: 1\nrules: [{forward: [TRNG_RND, PSCI_CPU_ON], to: a, features: 0x7fffffff}]\n" \
	"handlers: {a: {socket: /run/a}}\n"

static const char *const policies[] = {
	"hvcgate: 1\n",
	"hvcgate: 1\npsci: \"0.2\"\nsmccc: \"1.5\"\nidentity: none\n",
	"hvcgate: 1\nprofile: hvcgate-2\nsmccc: \"1.7\"\n",
	(STATES),
	(SILICON),
	(FEATURES),
	"hvcgate: 1\nidentity: {uid: \"00112233-4455-6677-8899-aabbccddeeff\"}\nsoc-id: {version: 1, revision: 2}\n",
	"hvcgate: 1\nservices: {trng: off, psci: off, ptp: off, ff-a: on}\nworkaround-4: not-required\n",
	(WORKAROUNDS),
	"hvcgate: 1\ndefault: deny\nrules: [{handle: [{owner: std}, {service: kvm-vendor}]}]\n",
	"hvcgate: 1\ndefault: forward\nhandlers: {a: {socket: '/run/a \"quoted\" \\ name', timeout: 2s}}\n",
	(HANDLERS),
	"hvcgate: 1\nprofile: linux-5.10\nservices: {pv-time: off}\nidentity: none\n",
	"hvcgate: 1\nprofile: linux-6.12\npsci: \"0.2\"\nservices: {ptp: off}\n",
	"hvcgate: 1\nprofile: linux-7.3@1\nshow-registers: 7\nsystem-suspend: on\n",
	"hvcgate: 1\nprofile: linux-6.16\nshow-registers: 1\n",
	"hvcgate: 1\nprofile: linux-6.18\nstrictness: kvm\ndiscovery: raw\nshow-registers: 6\n",
	"hvcgate: 1\nregisters: {known: 3, unknown: clear}\n",
	/* Targets that nothing reaches go. */
	(UNREACHED),
};

static struct hvc_policy *load_flat(const char *flat)
{
	struct hvc_policy *policy;
	char *messages;

	test_write("flat.yaml", flat);
	if (test_load("flat.yaml", &policy, &messages) != HVC_OK) {
		fail_msg("%s%s", flat, messages);
	}
	free(messages);
	return policy;
}

/* Span by span, but for rules' numbers. */
static void assert_same_decisions(const struct hvc_policy *a, const struct hvc_policy *b)
{
	assert_int_equal(hvc_policy_span_count(a), hvc_policy_span_count(b));
	for (size_t i = 0; i < hvc_policy_span_count(a); i++) {
		const struct hvc_span *x = hvc_policy_span(a, i), *y = hvc_policy_span(b, i);

		assert_int_equal(x->first, y->first);
		assert_int_equal(x->last, y->last);
		assert_int_equal(x->match.action, y->match.action);
		assert_int_equal(x->match.reserved, y->match.reserved);
		assert_int_equal(x->match.service, y->match.service);
		assert_int_equal(x->match.rule != NULL, y->match.rule != NULL);
	}
}

static void assert_stable(struct hvc_policy *policy)
{
	struct hvc_policy *again = load_flat(hvc_policy_flat(policy));

	assert_string_equal(hvc_policy_flat(again), hvc_policy_flat(policy));
	assert_memory_equal(hvc_policy_sha256(again), hvc_policy_sha256(policy), 32);
	assert_memory_equal(hvc_policy_settings(again), hvc_policy_settings(policy),
			    sizeof(struct hvc_settings));
	assert_same_decisions(policy, again);
	hvc_policy_free(again);
}

static void round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		struct hvc_policy *policy = test_policy_warned(policies[i]);

		assert_stable(policy);
		hvc_policy_free(policy);
	}
}

/* A chain in which the child hides a parent's rule: that rule is no part of what is effective. */
static void hidden_rules_go(void **state)
{
	struct hvc_policy *policy;

	(void)state;
	test_write(
		"base.yaml",
		"hvcgate: 1\nrules:\n  - deny: PSCI_CPU_ON\n  - deny: [PSCI_CPU_OFF, PSCI_CPU_SUSPEND]\n");
	test_write(
		"p.yaml",
		"hvcgate: 1\nextends: base.yaml\nrules:\n  - handle: PSCI_CPU_ON\n  - handle: PSCI_CPU_OFF\n");
	assert_int_equal(test_load("p.yaml", &policy, NULL), HVC_OK);
	assert_non_null(strstr(hvc_policy_flat(policy),
			       "rules:\n  - handle: PSCI_CPU_ON\n  - handle: PSCI_CPU_OFF\n"
			       "  - deny: PSCI_CPU_SUSPEND\nhandlers: {}\n"));
	assert_stable(policy);
	hvc_policy_free(policy);
}

/* The same policy in other words has the same digest; another one has another. */
static void digest(void **state)
{
	struct hvc_policy *a = test_policy(
		"hvcgate: 1\npsci: \"1.1\"   # the default\nservices: {trng: on}\n");
	struct hvc_policy *b = test_policy("{\"hvcgate\": 1, \"registers\": {\"STD_BMAP\": 1}}\n");
	struct hvc_policy *c = test_policy("hvcgate: 1\npsci: \"1.0\"\n");

	(void)state;
	assert_memory_equal(hvc_policy_sha256(a), hvc_policy_sha256(b), 32);
	assert_memory_not_equal(hvc_policy_sha256(a), hvc_policy_sha256(c), 32);
	hvc_policy_free(a);
	hvc_policy_free(b);
	hvc_policy_free(c);
}

/* But that handlers, which the file is about, cannot attach yet. */
static void assert_no_finding(const char *path, const struct hvc_diags *diags)
{
	const struct hvc_diag *diag;

	for (size_t n = 0; (diag = hvc_diags_at(diags, n)) != NULL; n++) {
		if (diag->severity != HVC_NOTE) {
			fail_msg("%s: %s", path, diag->message);
		}
	}
}

/* The samples that come with hvcgate: no finding, and stable. */
static int sample_count;
static char **samples;

static void sample_files(void **state)
{
	(void)state;
	assert_true(sample_count >= 5);
	for (int i = 0; i < sample_count; i++) {
		struct hvc_diags *diags = hvc_diags_new();
		struct hvc_policy *policy;

		assert_int_equal(hvc_policy_load(samples[i], &policy, diags), HVC_OK);
		assert_no_finding(samples[i], diags);
		assert_stable(policy);
		hvc_policy_free(policy);
		hvc_diags_free(diags);
	}
}

/* policies/default.yaml says of itself that it changes nothing. */
static void default_is_built_in(void **state)
{
	(void)state;
	for (int i = 0; i < sample_count; i++) {
		struct hvc_policy *file, *built_in;

		if (strstr(samples[i], "/default.yaml") == NULL) {
			continue;
		}
		assert_int_equal(test_load(samples[i], &file, NULL), HVC_OK);
		assert_int_equal(test_load(NULL, &built_in, NULL), HVC_OK);
		assert_memory_equal(hvc_policy_sha256(file), hvc_policy_sha256(built_in), 32);
		hvc_policy_free(file);
		hvc_policy_free(built_in);
		return;
	}
	fail_msg("no default.yaml");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(hidden_rules_go),
		cmocka_unit_test(digest),
		cmocka_unit_test(sample_files),
		cmocka_unit_test(default_is_built_in),
	};

	sample_count = argc - 1;
	samples = argv + 1;
	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
