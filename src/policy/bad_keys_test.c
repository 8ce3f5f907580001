/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad YAML and bad keys: each error class with its exact message. */
#include "policy_test.h"

static const struct bad_case yaml_cases[] = {
	{
		"empty file",
		"",
		"error: the file is empty; a policy starts with 'hvcgate: 1'\n",
	},
	{
		"only a comment",
		"# nothing\n",
		"error: the file is empty; a policy starts with 'hvcgate: 1'\n",
	},
	{
		"no mapping",
		"just text\n",
		"1:1: error: a policy is keys and values, and this is a single value; start with hvcgate: 1\n",
	},
	{
		"list at the top",
		"- hvcgate: 1\n",
		"1:1: error: a policy is keys and values, and this is a list; start with hvcgate: 1\n",
	},
	{
		"broken flow",
		"hvcgate: 1\n"
		"rules: [\n",
		"3:1: error: YAML syntax: did not find expected node content; the file ends here: is a ], } or quote missing?\n",
	},
	{
		"tab indents",
		"hvcgate: 1\n"
		"rules:\n"
		"\t- deny: PSCI_VERSION\n",
		"3:1: error: YAML syntax: found character that cannot start any token; indent with spaces, not tabs\n",
	},
	{
		"bad indentation",
		"hvcgate: 1\n"
		" smccc: \"1.1\"\n",
		"2:7: error: YAML syntax: mapping values are not allowed in this context\n",
	},
	{
		"at sign",
		"hvcgate: 1\n"
		"profile: @x\n",
		"2:10: error: YAML syntax: found character that cannot start any token; put the value in quotes\n",
	},
	{
		"duplicate key",
		"hvcgate: 1\n"
		"psci: \"1.0\"\n"
		"psci: \"1.1\"\n",
		"3:1: error: duplicate key 'psci': it stands at line 2 already; keep one\n",
	},
	{
		"duplicate key inside",
		"hvcgate: 1\n"
		"services: {trng: on, trng: off}\n",
		"2:22: error: duplicate key 'trng': it stands at line 2 already; keep one\n",
	},
	{
		"tag",
		"hvcgate: 1\n"
		"psci: !!str \"1.0\"\n",
		"2:7: error: tag !!str: a policy file has no tags; remove it\n",
	},
	{
		"own tag on a map",
		"hvcgate: 1\n"
		"services: !x {trng: on}\n",
		"2:11: error: tag !x: a policy file has no tags; remove it\n",
	},
	{
		"anchor",
		"hvcgate: 1\n"
		"psci: &v \"1.0\"\n",
		"2:7: error: anchor &v: a policy file has no anchors; write the value out where it is used\n",
	},
	{
		"alias",
		"hvcgate: 1\n"
		"psci: &v \"1.0\"\n"
		"smccc: *v\n",
		"2:7: error: anchor &v: a policy file has no anchors; write the value out where it is used\n"
		"3:8: error: alias *v: a policy file has no aliases; write the value out\n",
	},
	{
		"second document",
		"hvcgate: 1\n"
		"---\n"
		"hvcgate: 1\n",
		"2:1: error: a second document starts here; a policy file holds one\n",
	},
	{
		"directive",
		"%YAML 1.1\n"
		"---\n"
		"hvcgate: 1\n",
		"1:1: error: a YAML directive: a policy file has none; remove the line that starts with %\n",
	},
	{
		"list as a key",
		"hvcgate: 1\n"
		"? [a, b]\n"
		": 1\n",
		"2:3: error: a list cannot be a key; a key is a word\n",
	},
	{
		"too deep",
		"hvcgate: [[[[[[[[[[[[[1]]]]]]]]]]]]]\n",
		"1:21: error: nested more than 12 deep; no part of a policy needs that\n",
	},
	{
		"NUL in a string",
		"hvcgate: 1\n"
		"profile: \"a\\0b\"\n",
		"2:10: error: text with a NUL character inside; remove the \\0\n",
	},
	{
		"control character",
		"hvcgate: 1\n"
		"profile: \001\n",
		"2:10: error: character U+0001 cannot stand in a text file; remove it\n",
	},
};

static const struct bad_case keys_cases[] = {
	{
		"no format version",
		"psci: \"1.0\"\n",
		"1:1: error: the key 'hvcgate' is missing; start the file with hvcgate: 1\n",
	},
	{
		"newer format",
		"hvcgate: 2\n",
		"1:10: error: unknown format version 2; the newest this hvcgate knows is 1\n",
	},
	{
		"format in quotes",
		"hvcgate: \"1\"\n",
		"1:10: error: 'hvcgate' is the format's version, a number without quotes; write hvcgate: 1\n",
	},
	{
		"format is a word",
		"hvcgate: one\n",
		"1:10: error: 'hvcgate' is the format's version, a number without quotes; write hvcgate: 1\n",
	},
	{
		"unknown key, near",
		"hvcgate: 1\n"
		"profle: hvcgate-1\n",
		"2:1: error: unknown key 'profle' in a policy; did you mean 'profile'?\n",
	},
	{
		"unknown key, far",
		"hvcgate: 1\n"
		"zebra: 1\n",
		"2:1: error: unknown key 'zebra' in a policy; there are: hvcgate, extends, profile, strictness, discovery, smccc, psci, identity, workaround-4, soc-id, system-suspend, power-state-format, power-states, os-initiated, trusted-os, implementations, replay, allow, revocable, travel, hide, lose, services, registers, show-registers, default, rules, handlers\n",
	},
	{
		"bare smccc",
		"hvcgate: 1\n"
		"smccc: 1.1\n",
		"2:8: error: a bare 1.1 is a number to YAML; write smccc: \"1.1\"\n",
	},
	{
		"bare psci",
		"hvcgate: 1\n"
		"psci: 1.1\n",
		"2:7: error: a bare 1.1 is a number to YAML; write psci: \"1.1\"\n",
	},
	{
		"smccc no version",
		"hvcgate: 1\n"
		"smccc: new\n",
		"2:8: error: 'smccc' is 'new', which is no version; write smccc: \"1.2\"\n",
	},
	{
		"smccc out of range",
		"hvcgate: 1\n"
		"smccc: \"1.8\"\n",
		"2:8: error: smccc \"1.8\" is out of range; there are \"1.0\" to \"1.7\"\n",
	},
	{
		"psci out of range",
		"hvcgate: 1\n"
		"psci: \"0.1\"\n",
		"2:7: error: psci \"0.1\" is out of range; there are \"0.2\", \"1.0\", \"1.1\", \"1.2\" and \"1.3\"\n",
	},
	{
		"psci list",
		"hvcgate: 1\n"
		"psci: [\"1.0\"]\n",
		"2:7: error: 'psci' wants a single value and has a list; write \"1.1\"\n",
	},
	{
		"psci empty",
		"hvcgate: 1\n"
		"psci:\n",
		"2:6: error: 'psci' wants a single value and has nothing; write \"1.1\"\n",
	},
	{
		"identity hyper-v",
		"hvcgate: 1\n"
		"identity: hyper-v\n",
		"2:11: error: identity hyper-v is not there yet: nobody answers its calls; write kvm, none or {uid: \"...\"}\n",
	},
	{
		"identity unknown",
		"hvcgate: 1\n"
		"identity: xen\n",
		"2:11: error: unknown identity 'xen'; write kvm, none or {uid: \"...\"}\n",
	},
	{
		"uid is none",
		"hvcgate: 1\n"
		"identity: {uid: \"28b46fb6-2ec5-11e9\"}\n",
		"2:17: error: uid '28b46fb6-2ec5-11e9' is no UUID; write one such as \"28b46fb6-2ec5-11e9-a9ca-4b564d003a74\"\n",
	},
	{
		"uid starts with -1",
		"hvcgate: 1\n"
		"identity: {uid: \"ffffffff-2ec5-11e9-a9ca-4b564d003a74\"}\n",
		"2:17: error: uid 'ffffffff-2ec5-11e9-a9ca-4b564d003a74' cannot be: its first word reads as NOT_SUPPORTED; choose another, or write identity: none\n",
	},
	{
		"uid misspelt",
		"hvcgate: 1\n"
		"identity: {uuid: \"28b46fb6-2ec5-11e9-a9ca-4b564d003a74\"}\n",
		"2:12: error: unknown key 'uuid' in 'identity'; did you mean 'uid'?\n",
	},
	{
		"identity empty",
		"hvcgate: 1\n"
		"identity: {}\n",
		"2:11: error: 'identity' is empty; write kvm, none or {uid: \"...\"}\n",
	},
	{
		"workaround-4",
		"hvcgate: 1\n"
		"workaround-4: yes\n",
		"2:15: error: workaround-4 is 'yes'; write not-available, available or not-required\n",
	},
	{
		"system-suspend",
		"hvcgate: 1\n"
		"system-suspend: maybe\n",
		"2:17: error: system-suspend is 'maybe'; write on or off\n",
	},
	{
		"soc-id word",
		"hvcgate: 1\n"
		"soc-id: some\n",
		"2:9: error: 'soc-id' wants a mapping and has a single value; write none or {version: 0x..., revision: 0x...}\n",
	},
	{
		"soc-id half",
		"hvcgate: 1\n"
		"soc-id: {version: 0x1}\n",
		"2:9: error: soc-id has no 'revision'; write soc-id: {version: 0x..., revision: 0x...}\n",
	},
	{
		"soc-id too large",
		"hvcgate: 1\n"
		"soc-id: {version: 0x80000000, revision: 1}\n",
		"2:19: error: soc-id version is '0x80000000'; write a number from 0 to 0x7fffffff\n",
	},
	{
		"soc-id key",
		"hvcgate: 1\n"
		"soc-id: {version: 1, revision: 1, nam: x}\n",
		"2:35: error: unknown key 'nam' in 'soc-id'; did you mean 'name'?\n",
	},
};

static const struct bad_case services_cases[] = {
	{
		"unknown, near",
		"hvcgate: 1\n"
		"services: {trgn: off}\n",
		"2:12: error: unknown service 'trgn'; did you mean 'trng'?\n",
	},
	{
		"unknown, far",
		"hvcgate: 1\n"
		"services: {zebra: off}\n",
		"2:12: error: unknown key 'zebra' in 'services'; there are: arch, psci, trng, sdei, ff-a, lfa, pv-time, kvm-vendor, pkvm, hyper-v, tee, ptp, discover-impl\n",
	},
	{
		"no switch",
		"hvcgate: 1\n"
		"services: {trng: maybe}\n",
		"2:18: error: service trng is 'maybe'; write on or off\n",
	},
	{
		"a list",
		"hvcgate: 1\n"
		"services: [trng]\n",
		"2:11: error: 'services' wants a mapping and has a list; write services: {trng: off}\n",
	},
	{
		"arch off",
		"hvcgate: 1\n"
		"services: {arch: off}\n",
		"2:12: error: service arch cannot be off: its functions lie in the reserved ranges, which belong to the engine\n",
	},
	{
		"part of what is off",
		"hvcgate: 1\n"
		"services: {ptp: on, kvm-vendor: off}\n",
		"2:12: error: 'services: ptp: on' contradicts 'services: kvm-vendor: off' at line 2: ptp is a part of kvm-vendor; keep one of them\n",
	},
};

static const struct bad_case registers_cases[] = {
	{
		"unknown, near",
		"hvcgate: 1\n"
		"registers: {STD_BMP: [trng]}\n",
		"2:13: error: unknown register 'STD_BMP'; did you mean 'STD_BMAP'?\n",
	},
	{
		"unknown, far",
		"hvcgate: 1\n"
		"registers: {zebra: 1}\n",
		"2:13: error: unknown register 'zebra'; there are: PSCI_VERSION, WORKAROUND_1 to _3, STD_BMAP, STD_HYP_BMAP, VENDOR_HYP_BMAP, VENDOR_HYP_BMAP_2; and known, unknown\n",
	},
	{
		"unknown bit, near",
		"hvcgate: 1\n"
		"registers: {VENDOR_HYP_BMAP: [features, ptq]}\n",
		"2:41: error: unknown bit 'ptq' of VENDOR_HYP_BMAP; did you mean 'ptp'?\n",
	},
	{
		"unknown bit, far",
		"hvcgate: 1\n"
		"registers: {STD_BMAP: [zebra]}\n",
		"2:24: error: unknown bit 'zebra' of STD_BMAP; it has: trng\n",
	},
	{
		"number too large",
		"hvcgate: 1\n"
		"registers: {STD_BMAP: 0x5}\n",
		"2:23: error: STD_BMAP has no bits 0x4; its bits are 0x1 (trng)\n",
	},
	{
		"bitmap is a word",
		"hvcgate: 1\n"
		"registers: {STD_BMAP: all}\n",
		"2:23: error: 'STD_BMAP' wants a list of bits or a number; write [trng] or 0x1\n",
	},
	{
		"level",
		"hvcgate: 1\n"
		"registers: {WORKAROUND_1: some}\n",
		"2:27: error: WORKAROUND_1 is 'some'; write not-available, available or not-required\n",
	},
	{
		"level of 2",
		"hvcgate: 1\n"
		"registers: {WORKAROUND_2: available}\n",
		"2:27: error: WORKAROUND_2 is 'available'; write not-available or not-required\n",
	},
	{
		"level number",
		"hvcgate: 1\n"
		"registers: {WORKAROUND_3: 3}\n",
		"2:27: error: WORKAROUND_3 is '3'; write not-available, available or not-required\n",
	},
	{
		"bare version",
		"hvcgate: 1\n"
		"registers: {PSCI_VERSION: 1.1}\n",
		"2:27: error: a bare 1.1 is a number to YAML; write PSCI_VERSION: \"1.1\"\n",
	},
	{
		"version number",
		"hvcgate: 1\n"
		"registers: {PSCI_VERSION: 0x10004}\n",
		"2:27: error: psci \"0x10004\" is out of range; there are \"0.2\", \"1.0\", \"1.1\", \"1.2\" and \"1.3\"\n",
	},
	{
		"contradicts services",
		"hvcgate: 1\n"
		"services:\n"
		"  trng: off\n"
		"registers:\n"
		"  STD_BMAP: [trng]\n",
		"5:13: error: 'registers: STD_BMAP' contradicts 'services: trng: off' at line 3; keep one of them\n",
	},
	{
		"contradicts psci",
		"hvcgate: 1\n"
		"psci: \"1.1\"\n"
		"registers: {PSCI_VERSION: \"1.0\"}\n",
		"3:27: error: 'registers: PSCI_VERSION' contradicts 'psci' at line 2; keep one of them\n",
	},
	{
		"contradicts the whole service",
		"hvcgate: 1\n"
		"services: {kvm-vendor: on}\n"
		"registers: {VENDOR_HYP_BMAP: [ptp]}\n",
		"3:30: error: 'registers: VENDOR_HYP_BMAP' contradicts 'services: kvm-vendor: on' at line 2; keep one of them\n",
	},
};

static void test_yaml(void **state)
{
	(void)state;
	test_bad_cases(yaml_cases, sizeof(yaml_cases) / sizeof(yaml_cases[0]));
}

static void test_keys(void **state)
{
	(void)state;
	test_bad_cases(keys_cases, sizeof(keys_cases) / sizeof(keys_cases[0]));
}

static void test_services(void **state)
{
	(void)state;
	test_bad_cases(services_cases, sizeof(services_cases) / sizeof(services_cases[0]));
}

static void test_registers(void **state)
{
	(void)state;
	test_bad_cases(registers_cases, sizeof(registers_cases) / sizeof(registers_cases[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_services),
		cmocka_unit_test(test_registers),
	};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
