/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests that arrive: what of another host's registers is made up for, and that no policy makes up for what the guest
 * would notice. Records are of the machine that the moves in docs/migration.md were measured on.
 */
#define _XOPEN_SOURCE 700
#include "policy_test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moves.h"
#include "plan_bytes.h"
#include "plan_make.h"
#include "uapi.h"

static const char *records;

#define KVM(version) "hvcgate: 1\nprofile: linux-" version "\nstrictness: kvm\ndiscovery: raw\n"

struct tried {
	enum hvc_err err;
	char why[4000];
	void *bytes;
	struct plan_view_of plan;
};

static json_t *record_of(const char *name)
{
	char path[4096], why[300] = "";
	json_t *record;

	snprintf(path, sizeof(path), "%s/%s.json", records, name);
	record = abi_record_load(path, why, sizeof(why));
	if (record == NULL) {
		fail_msg("%s", why);
	}
	return record;
}

static struct tried try_records(const char *text, json_t *from_record, const json_t *to_record)
{
	struct hvc_policy *policy = test_policy_warned(text);
	struct compat_host *from = from_record != NULL ? compat_host_new(from_record, "there")
						       : NULL;
	struct hvc_plan_host host = {.record = to_record, .profile = abi_record_profile(to_record)};
	struct tried tried = {0};
	size_t size;

	tried.err = plan_bytes_make(policy, &host, from, &tried.bytes, &size, tried.why,
				    sizeof(tried.why));
	if (tried.err == HVC_OK &&
	    plan_bytes_check(tried.bytes, size, &tried.plan, NULL) != HVC_OK) {
		fail_msg("no plan");
	}
	compat_host_free(from);
	hvc_policy_free(policy);
	return tried;
}

static struct tried try(const char *text, const char *from, const char *to)
{
	json_t *there = from != NULL ? record_of(from) : NULL, *here = record_of(to);
	struct tried tried = try_records(text, there, here);

	json_decref(there);
	json_decref(here);
	return tried;
}

static void expect_view(const struct tried *tried, const char *name, enum plan_view_kind kind,
			uint64_t value)
{
	uint64_t id = 0;

	assert_true(policy_register_id(name, &id));
	for (uint32_t i = 0; i < tried->plan.header->views.count; i++) {
		if (tried->plan.views[i].id == id) {
			assert_int_equal(tried->plan.views[i].kind, kind);
			assert_int_equal(tried->plan.views[i].value, value);
			return;
		}
	}
	fail_msg("no view of %s", name);
}

static void expect(struct tried tried, enum hvc_err err, const char *why)
{
	if (tried.err != err || strstr(tried.why, why) == NULL) {
		fail_msg("%s: %s\nwanted %s: %s", hvc_err_name(tried.err), tried.why,
			 hvc_err_name(err), why);
	}
	free(tried.bytes);
}

/* --- What is made up for. */
/* 6.12 lists three registers of features that the guest has not; 7.3 has none of them for it. */
static void forward_moves(void **state)
{
	struct tried tried = try(KVM("6.12"), "linux-6.12", "linux-7.3");

	(void)state;
	assert_string_equal(tried.why, "");
	assert_int_equal(tried.err, HVC_OK);
	expect_view(&tried, "TCR2_EL1", PLAN_PHANTOM, 0);
	expect_view(&tried, "PIR_EL1", PLAN_PHANTOM, 0x1de7ec7edbadc0de);
	expect_view(&tried, "PIRE0_EL1", PLAN_PHANTOM, 0x1de7ec7edbadc0de);
	expect_view(&tried, "PMMIR_EL1", PLAN_HIDE, 0);
	expect_view(&tried, "VENDOR_HYP_BMAP_2", PLAN_HIDE, 0);
	/* PSCI 1.1, as there, and nothing in user space. */
	assert_int_equal(tried.plan.header->writes.count, 1);
	assert_int_equal(tried.plan.header->flags & PLAN_TRAVELS, 0);
	free(tried.bytes);
	/* A guest of 6.1 had no SMC at all: that is the policy's to give up. */
	expect(try(KVM("6.1") "allow: [smccc, workarounds, arch-features]\n", "linux-6.1",
		   "linux-7.3"),
	       HVC_OK, "");
}

/* The guest has found PSCI 1.3, which 6.12 does not have: user space answers. */
static void rescued(void **state)
{
	json_t *there = record_of("linux-6.18"), *here = record_of("linux-6.12");
	struct tried tried = try_records(KVM("6.18"), there, here);

	(void)state;
	assert_string_equal(tried.why, "");
	assert_int_equal(tried.err, HVC_OK);
	expect_view(&tried, "PSCI_VERSION", PLAN_HELD, HVC_VERSION(1, 3));
	expect_view(&tried, "VENDOR_HYP_BMAP_2", PLAN_PHANTOM, 0);
	expect_view(&tried, "TCR2_EL1", PLAN_HIDE, 0);
	assert_int_equal(tried.plan.header->flags & PLAN_TRAVELS, PLAN_TRAVELS);
	free(tried.bytes);
	json_decref(there);
	json_decref(here);
}

static void downward(void **state)
{
	(void)state;
	/* PMMIR_EL1 is the source's to hide; of a guest without PMU it is not there. */
	expect(try(KVM("7.3"), "linux-7.3", "linux-6.18"), HVC_EINVAL,
	       "PMMIR_EL1: gated, this kernel has none");
	expect(try(KVM("7.3") "hide: [PMMIR_EL1]\n", "linux-7.3", "linux-6.18"), HVC_OK, "");
	expect(try(KVM("7.3") "hide: [PMMIR_EL1]\n", "linux-7.3", "linux-6.12"), HVC_OK, "");
}

/* --- What is not. Each policy tries what it can. */
static void impossible(void **state)
{
	static const char *const tries[] = {
		"",
		"hide: [TCR2_EL1, PIR_EL1, PIRE0_EL1, PMMIR_EL1]\n",
		"lose: [CNTPCT_EL0, CNTP_CTL_EL0, CNTP_CVAL_EL0]\n",
		"show-registers: 4\n",
		"travel: yes\nrevocable: [TRNG_RND]\nallow: [no-filter, smc]\n",
		"psci: \"1.0\"\nservices: {trng: off}\n",
	};
	char text[500];

	(void)state;
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		snprintf(text, sizeof(text), KVM("6.1") "allow: [no-filter, smc, workarounds]\n%s",
			 strstr(tries[i], "allow") == NULL ? tries[i] : "travel: yes\n");
		expect(try(text, "linux-7.3", "linux-6.1"), HVC_EINVAL,
		       "CCSIDR_EL1[3]: identity, this kernel has none (the caches) (and 10 more)");
		snprintf(text, sizeof(text), KVM("6.12") "%s", tries[i]);
		expect(try(text, "linux-6.1", "linux-6.12"), HVC_EINVAL,
		       "ID_AA64MMFR1_EL1: identity, 0x1010211122 there, 0x11010211122 here");
	}
}

/* The three of 6.12 on a CPU that has them: the guest's own. */
static void open_gates(void **state)
{
	json_t *there = record_of("linux-6.12"), *here = record_of("linux-7.3");
	const char *gate = "ID_AA64MMFR3_EL1";

	(void)state;
	for (int which = 0; which < 2; which++) {
		json_t *registers = json_object_get(which == 0 ? there : here, "registers");

		for (size_t i = 0; i < json_array_size(registers); i++) {
			json_t *reg = json_array_get(registers, i);

			if (strcmp(json_string_value(json_object_get(reg, "name")), gate) == 0) {
				json_object_set_new(reg, "value", json_string("0x1"));
			}
		}
	}
	expect(try_records(KVM("6.12"), there, here), HVC_EINVAL,
	       "TCR2_EL1: gated, and the guest can use it there: ID_AA64MMFR3_EL1 says so");
	expect(try_records(KVM("6.12") "hide: [PIR_EL1]\n", NULL, there), HVC_OK, "");
	expect(try_records(KVM("6.12") "hide: [TCR2_EL1]\n", NULL, there), HVC_EINVAL,
	       "hide: the guest can use TCR2_EL1 here: ID_AA64MMFR3_EL1 says so");
	json_decref(there);
	json_decref(here);
}

static void what_it_found(void **state)
{
	(void)state;
	expect(try(KVM("7.3"), "linux-6.12", "linux-7.3"), HVC_EINVAL, "write psci: \"1.1\"");
	expect(try(KVM("6.12") "services: {trng: off}\n", "linux-6.12", "linux-7.3"), HVC_EINVAL,
	       "write registers: {STD_BMAP: 0x1}");
	expect(try(KVM("6.12") "show-registers: 4\n", "linux-6.12", "linux-7.3"), HVC_EINVAL,
	       "write show-registers: 5");
	/* Services that the guest did not have. */
	expect(try(KVM("6.12") "psci: \"1.0\"\n", "linux-5.10", "linux-6.12"), HVC_EINVAL,
	       "STD_BMAP: 0x1 here, and that host has no such register");
	expect(try(KVM("6.12"), "linux-6.12-cortex-a72", "linux-6.12"), HVC_EINVAL,
	       "another CPU model");
}

/* A workaround that the guest counts on; the caches' geometry. */
static void what_the_host_has(void **state)
{
	json_t *there = record_of("linux-6.18"), *here = record_of("linux-7.3");
	json_t *registers = json_object_get(there, "registers"),
	       *firmware = json_object_get(here, "firmware");

	(void)state;
	for (size_t i = 0; i < json_array_size(registers); i++) {
		json_t *reg = json_array_get(registers, i);

		if (strcmp(json_string_value(json_object_get(reg, "name")), "OSLSR_EL1") == 0) {
			json_object_set_new(reg, "value", json_string("0x0"));
		}
	}
	expect(try_records(KVM("6.18"), there, here), HVC_EINVAL, "OSLSR_EL1: equal, 0x0 there");
	json_decref(there);
	there = record_of("linux-6.18");
	json_object_set_new(json_array_get(firmware, 1), "accepted",
			    json_pack("[s,s]", "0x0", "0x1"));
	json_object_set_new(json_array_get(firmware, 1), "value", json_string("0x1"));
	expect(try_records(KVM("6.18"), there, here), HVC_EINVAL,
	       "WORKAROUND_1: assertion, 0x2 there");
	json_decref(there);
	json_decref(here);
}

/* --- Keys. */
static void hidden(void **state)
{
	struct tried tried = try(
		KVM("7.3") "hide: [PMMIR_EL1, VENDOR_HYP_BMAP_2]\nlose: CNTPCT_EL0\n", NULL,
		"linux-7.3");

	(void)state;
	assert_int_equal(tried.err, HVC_OK);
	assert_int_equal(tried.plan.header->views.count, 3);
	expect_view(&tried, "PMMIR_EL1", PLAN_HIDE, 0);
	expect_view(&tried, "VENDOR_HYP_BMAP_2", PLAN_HIDE, 0);
	expect_view(&tried, "CNTPCT_EL0", PLAN_HIDE, 0);
	free(tried.bytes);
	expect(try(KVM("7.3") "hide: [STD_BMAP]\n", NULL, "linux-7.3"), HVC_EINVAL,
	       "hide: STD_BMAP is 0x1 here, which means something; only 0 can be hidden");
	expect(try(KVM("7.3") "hide: [STD_BMAP]\nservices: {trng: off}\n", NULL, "linux-7.3"),
	       HVC_OK, "");
}

static void revocable(void **state)
{
	struct tried tried = try(KVM("6.12") "revocable: [TRNG_RND]\n", NULL, "linux-6.12");

	(void)state;
	assert_int_equal(tried.err, HVC_OK);
	assert_int_equal(tried.plan.header->flags & PLAN_TRAVELS, PLAN_TRAVELS);
	assert_int_equal(tried.plan.header->filters.count, 2); /* each width */
	assert_int_equal(
		tried.plan.header->revocable[HVC_FN_TRNG_RND / 64] >> HVC_FN_TRNG_RND % 64 & 1, 1);
	free(tried.bytes);
	expect(try(KVM("6.12") "revocable: [TRNG_RND]\ntravel: no\n", NULL, "linux-6.12"),
	       HVC_EPERM, "travel: no, and user space keeps state of the guest");
	expect(try(KVM("6.1") "revocable: [TRNG_RND]\n", NULL, "linux-6.1"), HVC_EPERM,
	       "write allow: [no-filter]");
	tried = try(KVM("6.12") "travel: yes\n", NULL, "linux-6.12");
	assert_int_equal(tried.plan.header->flags & PLAN_TRAVELS, PLAN_TRAVELS);
	free(tried.bytes);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forward_moves),     cmocka_unit_test(rescued),
		cmocka_unit_test(downward),          cmocka_unit_test(impossible),
		cmocka_unit_test(open_gates),        cmocka_unit_test(what_it_found),
		cmocka_unit_test(what_the_host_has), cmocka_unit_test(hidden),
		cmocka_unit_test(revocable),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s RECORDS\n", argv[0]);
		return 2;
	}
	records = argv[1];
	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
