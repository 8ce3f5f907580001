/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan as bytes: what is in it is the plan's; no bytes but such are taken, whatever happened to them. */
#define _XOPEN_SOURCE 700
#include "policy_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/kvm.h>

#include "plan_bytes.h"
#include "plan_make.h"
#include "rng.h"

static const char *records;

/* On linux-6.12 all sections have something: a range that is denied, one that is forwarded, a register. */
#define HEAD "hvcgate: 1\nprofile: linux-6.12\nstrictness: kvm\ndiscovery: raw\n"
static const char full_policy[] = HEAD
	"psci: \"1.0\"\nservices: {trng: off}\nshow-registers: 6\n"
	"rules:\n"
	"  - deny: PSCI_MIGRATE_INFO_TYPE\n"
	"  - forward: {range: 0xc2000000-0xc20000ff}\n    to: ffa\n"
	"  - forward: {range: 0xc2000100-0xc20001ff}\n    to: other\n"
	"  - notify: PSCI_CPU_OFF\n    to: ffa\n"
	"handlers:\n"
	"  ffa: {socket: /run/hvcgate/ffa.sock, timeout: 250ms}\n"
	"  other: {socket: /run/o.sock}\n";

struct bytes {
	void *bytes;
	size_t size;
};

static struct bytes make(const char *text, const char *host_name)
{
	struct hvc_policy *policy = test_policy_warned(text);
	struct hvc_plan_host host;
	struct bytes made = {NULL, 0};
	char why[1000];

	if (!hvc_plan_host_find(&host, host_name, why, sizeof(why)) ||
	    plan_bytes_make(policy, &host, NULL, &made.bytes, &made.size, why, sizeof(why)) !=
		    HVC_OK) {
		fail_msg("%s", why);
	}
	json_decref((json_t *)(uintptr_t)host.record);
	hvc_policy_free(policy);
	return made;
}

static struct plan_view_of checked(const struct bytes *made)
{
	struct plan_view_of plan;
	const char *what;

	if (plan_bytes_check(made->bytes, made->size, &plan, &what) != HVC_OK) {
		fail_msg("%s", what);
	}
	return plan;
}

/* --- What is in it. */
static void all_sections(void **state)
{
	struct bytes made = make(full_policy, "linux-6.12");
	const struct plan_view_of plan = checked(&made);
	struct hvc_policy *policy = test_policy_warned(full_policy);

	(void)state;
	assert_int_equal(plan.header->flags, PLAN_FILTERS | PLAN_TRAVELS);
	assert_string_equal(plan.header->profile, "linux-6.12@1");
	assert_memory_equal(plan.header->policy_sha256, hvc_policy_sha256(policy), 32);
	assert_int_equal(plan.header->writes.count, 3);
	assert_int_equal(plan.writes[0].id, abi_register_id(HVC_REG_PSCI_VERSION));
	assert_int_equal(plan.writes[0].value, HVC_VERSION(1, 0));
	assert_int_equal(plan.writes[1].id, abi_register_id(HVC_REG_STD_BMAP));
	assert_int_equal(plan.writes[1].value, 0);
	assert_int_equal(plan.writes[2].id, abi_register_id(HVC_REG_VENDOR_HYP_BMAP));
	assert_int_equal(plan.writes[2].value, 0);
	assert_true(plan.header->filters.count >= 2);
	/* What is not shown is hidden: of 7 the last. */
	assert_int_equal(plan.header->views.count, 1);
	assert_int_equal(plan.views[0].id, abi_register_id(HVC_REG_VENDOR_HYP_BMAP));
	assert_int_equal(plan.views[0].kind, PLAN_HIDE);
	assert_int_equal(plan.header->routes.count, 3);
	assert_int_equal(plan.routes[0].first, hvc_function_at(HVC_FN_PSCI_CPU_OFF)->id32);
	assert_int_equal(plan.routes[0].last, hvc_function_at(HVC_FN_PSCI_CPU_OFF)->id32);
	assert_int_equal(plan.routes[0].handler, 0);
	assert_int_equal(plan.routes[1].first, 0xc2000000);
	assert_int_equal(plan.routes[1].last, 0xc20000ff);
	assert_int_equal(plan.routes[2].first, 0xc2000100);
	assert_int_equal(plan.routes[2].handler, 1);
	assert_int_equal(plan.header->handlers.count, 2);
	assert_string_equal(plan.handlers[0].name, "ffa");
	assert_string_equal(plan.handlers[0].socket, "/run/hvcgate/ffa.sock");
	assert_int_equal(plan.handlers[0].timeout_ms, 250);
	assert_string_equal(plan.handlers[1].name, "other");
	assert_int_equal(plan.image->settings.regs[HVC_REG_PSCI_VERSION], HVC_VERSION(1, 0));
	free(made.bytes);
	hvc_policy_free(policy);
}

static void same_again(void **state)
{
	struct bytes one = make(full_policy, "linux-6.12"), two = make(full_policy, "linux-6.12");

	(void)state;
	assert_int_equal(one.size, two.size);
	assert_memory_equal(one.bytes, two.bytes, one.size);
	free(one.bytes);
	free(two.bytes);
}

/* The default's handler is the last resort for everything. */
static void default_goes_to(void **state)
{
	struct bytes made = make(HEAD "default: {forward: all}\n"
				      "rules:\n  - handle: {service: psci}\n"
				      "handlers: {all: {socket: /run/a.sock}}\n",
				 "linux-6.12");
	const struct plan_view_of plan = checked(&made);

	(void)state;
	assert_int_equal(plan.routes[0].first, 0);
	assert_int_equal(plan.routes[plan.header->routes.count - 1].last, UINT32_MAX);
	for (uint32_t i = 0; i < plan.header->routes.count; i++) {
		assert_false(plan.routes[i].first <= 0x80000000 &&
			     plan.routes[i].last >= 0x80000000);
		assert_false(plan.routes[i].first <= 0x84000008 &&
			     plan.routes[i].last >= 0x84000008);
	}
	free(made.bytes);
}

/* A newer PSCI than the kernel's: its register is held; a register it has not is there. */
static void beyond_the_kernel(void **state)
{
	struct bytes made = make("hvcgate: 1\nprofile: hvcgate-2\npsci: \"1.3\"\n"
				 "allow: [smccc, arch-features, workarounds, soc-id, arch-calls]\n",
				 "linux-6.12");
	const struct plan_view_of plan = checked(&made);

	(void)state;
	assert_int_equal(plan.header->views.count, 2);
	assert_int_equal(plan.views[0].id, abi_register_id(HVC_REG_PSCI_VERSION));
	assert_int_equal(plan.views[0].kind, PLAN_HELD);
	assert_int_equal(plan.views[0].value, HVC_VERSION(1, 3));
	assert_int_equal(plan.views[1].id, abi_register_id(HVC_REG_VENDOR_HYP_BMAP_2));
	assert_int_equal(plan.views[1].kind, PLAN_PHANTOM);
	assert_int_equal(plan.views[1].value, 0);
	free(made.bytes);
}

/* Plain kernel profiles need nothing of us. */
static void nothing_travels(void **state)
{
	struct bytes made = make(HEAD, "linux-6.12");
	const struct plan_view_of plan = checked(&made);

	(void)state;
	assert_int_equal(plan.header->flags, PLAN_FILTERS);
	assert_int_equal(plan.header->views.count, 0);
	assert_int_equal(plan.header->filters.count, 0);
	free(made.bytes);
	/* IDs that no function has are forwarded all the same. */
	made = make(HEAD "rules: [{forward: {range: 0xc2000000-0xc20000ff}, to: h}]\n"
			 "handlers: {h: {socket: /run/h.sock}}\n",
		    "linux-6.12");
	assert_int_equal(checked(&made).header->flags, PLAN_FILTERS | PLAN_TRAVELS);
	free(made.bytes);
	made = make("hvcgate: 1\nprofile: linux-5.10\nstrictness: kvm\ndiscovery: raw\n",
		    "linux-5.10");
	assert_int_equal(checked(&made).header->flags, 0);
	free(made.bytes);
}

static void refused(void **state)
{
	struct hvc_policy *policy = test_policy_warned("hvcgate: 1\nrules: [{deny: TRNG_RND}]\n");
	struct hvc_plan_host host;
	struct bytes made = {NULL, 0};
	char why[1000];

	(void)state;
	assert_true(hvc_plan_host_find(&host, "linux-6.1", why, sizeof(why)));
	assert_int_equal(plan_bytes_make(policy, &host, NULL, &made.bytes, &made.size, why,
					 sizeof(why)),
			 HVC_EPERM);
	assert_null(made.bytes);
	assert_non_null(strstr(why, "write smccc: \"1.1\", or allow: [smccc]"));
	assert_non_null(strstr(why, "write allow: [no-filter], or use Linux 6.4 or newer"));
	/* Nobody has to ask. */
	assert_int_equal(plan_bytes_make(policy, &host, NULL, &made.bytes, &made.size, NULL, 0),
			 HVC_EPERM);
	hvc_policy_free(policy);
}

/* --- Bytes that are none. */
static void truncated(void **state)
{
	struct bytes made = make(full_policy, "linux-6.12");
	struct plan_view_of plan;

	(void)state;
	for (size_t size = 0; size < made.size; size++) {
		/* Of its own size, so that what reads behind it is seen. */
		void *part = malloc(size + 1);

		memcpy(part, made.bytes, size);
		assert_int_not_equal(plan_bytes_check(part, size, &plan, NULL), HVC_OK);
		free(part);
	}
	assert_int_equal(plan_bytes_check(NULL, 1000, &plan, NULL), HVC_EFAULT);
	assert_int_equal(plan_bytes_check((char *)made.bytes + 1, made.size - 1, &plan, NULL),
			 HVC_EFAULT);
	free(made.bytes);
}

/* Every bit of the header, and one in each of the other words. */
static void flipped(void **state)
{
	struct bytes made = make(full_policy, "linux-6.12");
	uint8_t *bytes = made.bytes;
	struct plan_view_of plan;
	struct rng rng = {1};

	(void)state;
	for (size_t at = 0; at < made.size * 8;) {
		bytes[at / 8] ^= (uint8_t)(1u << at % 8);
		assert_int_not_equal(plan_bytes_check(bytes, made.size, &plan, NULL), HVC_OK);
		bytes[at / 8] ^= (uint8_t)(1u << at % 8);
		at += at / 8 < sizeof(struct plan_header) ? 1 : 1 + rng_next(&rng) % 1024;
	}
	assert_int_equal(plan_bytes_check(bytes, made.size, &plan, NULL), HVC_OK);
	free(bytes);
}

/* Change one thing and make the checksum right: `what` has to be found. */
static void expect_wrong(const struct bytes *made, void *field, uint64_t value, size_t size,
			 const char *what)
{
	struct plan_header *header = made->bytes;
	struct plan_view_of plan;
	uint64_t before = 0;
	const char *found;

	memcpy(&before, field, size);
	assert_memory_not_equal(&before, &value, size);
	memcpy(field, &value, size);
	header->crc = plan_bytes_crc(header, made->size);
	if (plan_bytes_check(header, made->size, &plan, &found) != HVC_EBADMSG) {
		fail_msg("%s is not found", what);
	}
	assert_string_equal(found, what);
	memcpy(field, &before, size);
	header->crc = plan_bytes_crc(header, made->size);
	assert_int_equal(plan_bytes_check(header, made->size, &plan, &found), HVC_OK);
}
#define WRONG(field, value, what) \
	expect_wrong(&made, (void *)(uintptr_t) & (field), value, sizeof(field), what)

static void wrong_fields(void **state)
{
	struct bytes made = make(full_policy, "linux-6.12");
	struct plan_header *header = made.bytes;
	struct plan_section *const sections[] = {&header->writes,   &header->filters,
						 &header->views,    &header->routes,
						 &header->handlers, &header->image};

	(void)state;
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		WRONG(sections[i]->offset, sections[i]->offset + 8, "sections");
		WRONG(sections[i]->offset, 0xfffffff8, "sections");
		WRONG(sections[i]->count, sections[i]->count + 8, "sections");
		WRONG(sections[i]->count, 0xffffffff, "sections");
	}
	WRONG(header->size, made.size + 8, "size");
	WRONG(header->flags, 4, "flags");
	WRONG(header->flags, PLAN_TRAVELS, "flags"); /* ranges, and no filter */
	memset(header->profile + 1, 'x', sizeof(header->profile) - 2);
	WRONG(header->profile[31], 'x', "names");
	WRONG(header->revocable[0], 1, "revocable functions");
	WRONG(header->revocable[HVC_FN_WORDS - 1], 1ull << 63, "revocable functions");
	WRONG(header->policy_sha256[3], header->policy_sha256[3] ^ 1u, "image");
	free(made.bytes);
}

static void wrong_elements(void **state)
{
	struct bytes made = make(full_policy, "linux-6.12");
	const struct plan_view_of plan = checked(&made);
	const uint64_t travels = 0x6030000000f00000;

	(void)state;
	WRONG(plan.writes[0].id, 0x603000000013c000, "registers");
	WRONG(plan.filters[0].action, HVC_HANDLE, "filter ranges");
	WRONG(plan.filters[0].count, 0, "filter ranges");
	WRONG(plan.filters[0].base, plan.filters[1].base, "filter ranges");
	WRONG(plan.filters[0].base, 0x80000000, "filter ranges");
	WRONG(plan.filters[0].reserved, 1, "filter ranges");
	WRONG(plan.filters[plan.header->filters.count - 1].count, 0xffffffff, "filter ranges");
	WRONG(plan.views[0].id, travels, "views of registers");
	WRONG(plan.views[0].id, 0x2030000000160002, "views of registers");
	WRONG(plan.views[0].value, 1, "views of registers");
	WRONG(plan.views[0].kind, 3, "views of registers");
	WRONG(plan.views[0].feature, 225, "views of registers");
	WRONG(plan.routes[0].handler, 2, "routes");
	WRONG(plan.routes[0].last, 0x84000001, "routes");
	WRONG(plan.routes[0].last, 0xc2000000, "routes");
	WRONG(plan.routes[0].reserved, 1, "routes");
	WRONG(plan.handlers[0].name[0], 0, "handlers");
	WRONG(plan.handlers[1].on_timeout, 3, "handlers");
	WRONG(plan.image->crc32, 1, "image");
	free(made.bytes);
}

/* Of another build: the same bytes, another catalogue. */
static void other_build(void **state)
{
	struct bytes made = make(full_policy, "linux-6.12");
	struct plan_header *header = made.bytes;
	struct plan_view_of plan;
	const char *what;

	(void)state;
	header->functions++;
	header->crc = plan_bytes_crc(header, made.size);
	assert_int_equal(plan_bytes_check(header, made.size, &plan, &what), HVC_ENOTSUP);
	assert_string_equal(what, "made by another version of hvcgate");
	header->functions--;
	header->format++;
	header->crc = plan_bytes_crc(header, made.size);
	assert_int_equal(plan_bytes_check(header, made.size, &plan, &what), HVC_ENOTSUP);
	free(made.bytes);
}

/* --- On the host. */
static void no_kvm(void **state)
{
	void *bytes;
	size_t size;
	char why[300];

	(void)state;
	test_write("good.yaml", HEAD);
	test_write("bad.yaml", HEAD "psic: \"1.0\"\n");
	assert_int_equal(hvc_kvm_plan_bytes("bad.yaml", NULL, &bytes, &size, why, sizeof(why)),
			 HVC_EINVAL);
	assert_non_null(strstr(why, "bad.yaml:5:1: unknown key 'psic'"));
	assert_int_equal(hvc_kvm_plan_bytes("good.yaml", "linux-9.9", &bytes, &size, why,
					    sizeof(why)),
			 HVC_EINVAL);
	assert_non_null(strstr(why, "no record of 'linux-9.9'"));
	assert_int_equal(hvc_kvm_plan_bytes("none.yaml", NULL, &bytes, &size, NULL, 0), HVC_EINVAL);
#ifndef __aarch64__
	assert_int_equal(hvc_kvm_plan_bytes("good.yaml", NULL, &bytes, &size, why, sizeof(why)),
			 HVC_EIO);
	assert_non_null(strstr(why, "this is not arm64 Linux"));
	assert_null(bytes);
#endif
}

/* A kernel is known by what it has: each record by its own profile, a newer one by the same registers. */
static void profiles(void **state)
{
	static const char *const names[] = {"linux-5.10", "linux-6.1",  "linux-6.12",
					    "linux-6.16", "linux-6.18", "linux-7.3"};
	char path[4096], why[300];
	json_t *record;
	bool fits;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s.json", records, names[i]);
		record = abi_record_load(path, why, sizeof(why));
		assert_non_null(record);
		assert_ptr_equal(plan_profile_of(record, &fits), abi_profile_find(names[i]));
		assert_true(fits);
		if (i == 2) { /* 6.12's registers under a later name, as of a vendor's kernel */
			json_object_set_new(json_object_get(record, "host"), "kernel",
					    json_string("8.1.0-vendor"));
			assert_ptr_equal(plan_profile_of(record, &fits),
					 abi_profile_find(names[i]));
			assert_true(fits);
			json_array_remove(json_object_get(record, "firmware"), 6);
			assert_ptr_equal(plan_profile_of(record, &fits),
					 abi_profile_find("linux-7.3"));
			assert_false(fits);
		}
		json_decref(record);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sections),    cmocka_unit_test(same_again),
		cmocka_unit_test(default_goes_to), cmocka_unit_test(beyond_the_kernel),
		cmocka_unit_test(nothing_travels), cmocka_unit_test(refused),
		cmocka_unit_test(truncated),       cmocka_unit_test(flipped),
		cmocka_unit_test(wrong_fields),    cmocka_unit_test(wrong_elements),
		cmocka_unit_test(other_build),     cmocka_unit_test(no_kvm),
		cmocka_unit_test(profiles),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s RECORDS\n", argv[0]);
		return 2;
	}
	records = argv[1];
	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
