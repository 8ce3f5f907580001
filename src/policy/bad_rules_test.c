/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad rules, handlers and parents, and all warnings: each with its exact message. */
#include "policy_test.h"

static const struct bad_case rules_cases[] = {
	{
		"unknown function",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: PSCI_CPUON\n",
		"3:11: error: unknown function PSCI_CPUON; did you mean PSCI_CPU_ON?\n",
	},
	{
		"without its prefix",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: CPU_ON\n",
		"3:11: error: unknown function CPU_ON; did you mean PSCI_CPU_ON?\n",
	},
	{
		"nothing like it",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: zebra\n",
		"3:11: error: unknown function zebra; write a function's name, name/32, name/64, {owner: ...}, {range: 0x...-0x...} or {service: ...}\n",
	},
	{
		"lower case",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: psci_cpu_on\n",
		"3:11: error: unknown function psci_cpu_on; did you mean PSCI_CPU_ON?\n",
	},
	{
		"a service's name",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: trng\n",
		"3:11: error: 'trng' is a service, not a function; write {service: trng}\n",
	},
	{
		"a bare ID",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: 0x84000003\n",
		"3:11: error: a bare ID '0x84000003'; write {range: 0x84000003}\n",
	},
	{
		"no such width",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: KVM_PTP/64\n",
		"3:11: error: KVM_PTP has no 64-bit ID, only 0x86000001; write KVM_PTP\n",
	},
	{
		"strange width",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: PSCI_CPU_ON/16\n",
		"3:11: error: 'PSCI_CPU_ON/16': a width is /32 or /64; write PSCI_CPU_ON/32 or PSCI_CPU_ON/64\n",
	},
	{
		"unknown owner",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {owner: vendor-hpy}\n",
		"3:19: error: unknown owner 'vendor-hpy'; did you mean 'vendor-hyp'?\n",
	},
	{
		"far owner",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {owner: zebra}\n",
		"3:19: error: unknown owner 'zebra'; there are: arch, cpu, sip, oem, std, std-hyp, vendor-hyp, trusted-app, trusted-os\n",
	},
	{
		"unknown service",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {service: trgn}\n",
		"3:21: error: unknown service 'trgn'; did you mean 'trng'?\n",
	},
	{
		"far service",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {service: zebra}\n",
		"3:21: error: unknown service 'zebra'; 'hvcgate policy explain' lists them\n",
	},
	{
		"no range",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {range: 82000000-8200ffff}\n",
		"3:19: error: '82000000-8200ffff' is no range of function IDs; write first and last in hex, such as 0x82000000-0x8200ffff\n",
	},
	{
		"too large a range",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {range: 0x82000000-0x18200ffff}\n",
		"3:19: error: '0x82000000-0x18200ffff' is no range of function IDs; write first and last in hex, such as 0x82000000-0x8200ffff\n",
	},
	{
		"range backwards",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {range: 0x8200ffff-0x82000000}\n",
		"3:19: error: range 0x8200ffff-0x82000000 ends before it starts; write 0x82000000-0x8200ffff\n",
	},
	{
		"unknown target",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {ownr: std}\n",
		"3:12: error: unknown key 'ownr' in a target; did you mean 'owner'?\n",
	},
	{
		"two targets",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {owner: std, service: psci}\n",
		"3:11: error: a target has one key: {owner: ...}, {range: ...} or {service: ...}\n",
	},
	{
		"owner list",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {owner: [std, cpu]}\n",
		"3:19: error: 'owner' wants a single value and has a list; write one name or range; a list of targets is [{...}, {...}]\n",
	},
	{
		"reserved name",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: SMCCC_VERSION\n",
		"3:11: error: SMCCC_VERSION touches the reserved range 0x80000000-0x8000ffff, which belongs to the engine; no rule can take it\n",
	},
	{
		"reserved 64-bit name",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: SMCCC_ARCH_FEATURE_AVAILABILITY\n",
		"3:11: error: SMCCC_ARCH_FEATURE_AVAILABILITY touches the reserved range 0xc0000000-0xc000ffff, which belongs to the engine; no rule can take it\n",
	},
	{
		"reserved edge",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {range: 0x7fffffff-0x80000000}\n",
		"3:19: error: range 0x7fffffff-0x80000000 touches the reserved range 0x80000000-0x8000ffff, which belongs to the engine; no rule can take it\n",
	},
	{
		"reserved edge, 64",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {range: 0xc000ffff-0xc0010000}\n",
		"3:19: error: range 0xc000ffff-0xc0010000 touches the reserved range 0xc0000000-0xc000ffff, which belongs to the engine; no rule can take it\n",
	},
	{
		"reserved service",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {service: arch}\n",
		"3:21: error: service arch touches reserved IDs (SMCCC_VERSION, for one), which belong to the engine; name the functions you mean\n",
	},
	{
		"a hint",
		"hvcgate: 1\n"
		"smccc: \"1.3\"\n"
		"rules:\n"
		"  - deny: {range: 0x84010000-0x8401001f}\n",
		"4:11: error: {range: 0x84010000-0x8401001f} has bit 16 set, a hint from smccc \"1.3\" on that is cleared before rules are asked; name the IDs without it: 0x84000000-0x8400001f\n",
	},
	{
		"no action",
		"hvcgate: 1\n"
		"rules:\n"
		"  - to: me\n",
		"3:5: error: a rule without an action; write handle, deny, forward or notify\n",
	},
	{
		"empty rule",
		"hvcgate: 1\n"
		"rules:\n"
		"  - {}\n",
		"3:5: error: a rule without an action; write handle, deny, forward or notify\n",
	},
	{
		"two actions",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: PSCI_CPU_ON\n"
		"    handle: PSCI_CPU_OFF\n",
		"4:5: error: a rule has one action and this one has 'deny' and 'handle'; make it two rules\n",
	},
	{
		"unknown action",
		"hvcgate: 1\n"
		"rules:\n"
		"  - denny: PSCI_CPU_ON\n",
		"3:5: error: unknown key 'denny' in a rule; did you mean 'deny'?\n",
	},
	{
		"no rule",
		"hvcgate: 1\n"
		"rules:\n"
		"  - PSCI_CPU_ON\n",
		"3:5: error: 'rule' wants a mapping and has a single value; write - deny: PSCI_SYSTEM_SUSPEND\n",
	},
	{
		"no list",
		"hvcgate: 1\n"
		"rules: {deny: PSCI_CPU_ON}\n",
		"2:8: error: 'rules' wants a list and has a mapping; write rules: [] or lines such as '  - deny: PSCI_SYSTEM_SUSPEND'\n",
	},
	{
		"empty list",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: []\n",
		"3:11: error: a rule with an empty list does nothing; name a function or remove the rule\n",
	},
	{
		"nothing named",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny:\n",
		"3:10: error: 'target' wants a single value and has nothing; write a function's name, name/32, name/64, {owner: ...}, {range: 0x...-0x...} or {service: ...}\n",
	},
	{
		"list in a list",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: [[PSCI_CPU_ON]]\n",
		"3:12: error: 'target' wants a single value and has a list; write a function's name, name/32, name/64, {owner: ...}, {range: 0x...-0x...} or {service: ...}\n",
	},
	{
		"never reached",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {owner: std}\n"
		"  - handle: PSCI_VERSION\n",
		"4:5: error: rule 2 is never reached: rule 1 at line 3 takes all its IDs; remove it or move it up\n",
	},
	{
		"never reached, by two",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: PSCI_CPU_ON/32\n"
		"  - handle: PSCI_CPU_ON/64\n"
		"  - deny: PSCI_CPU_ON\n",
		"5:5: error: rule 3 is never reached: rules 1 at line 3, 2 at line 4 take all its IDs; remove it or move it up\n",
	},
	{
		"never reached, by many",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: TRNG_VERSION\n"
		"  - deny: TRNG_FEATURES\n"
		"  - deny: TRNG_GET_UUID\n"
		"  - deny: TRNG_RND\n"
		"  - handle: {service: trng}\n",
		"7:5: error: rule 5 is never reached: rules 1 at line 3, 2 at line 4, 3 at line 5 and others take all its IDs; remove it or move it up\n",
	},
	{
		"default is a word",
		"hvcgate: 1\n"
		"default: drop\n",
		"2:10: error: default is 'drop'; write handle, deny or {forward: HANDLER}\n",
	},
	{
		"default notify",
		"hvcgate: 1\n"
		"default: notify\n",
		"2:10: error: default is 'notify'; write handle, deny or {forward: HANDLER}\n",
	},
};

static const struct bad_case handlers_cases[] = {
	{
		"forward to nobody",
		"hvcgate: 1\n"
		"rules:\n"
		"  - forward: PSCI_CPU_ON\n",
		"3:5: error: forward to whom? add 'to: NAME' to the rule and NAME under 'handlers'\n",
	},
	{
		"unknown handler",
		"hvcgate: 1\n"
		"rules:\n"
		"  - forward: PSCI_CPU_ON\n"
		"    to: me\n",
		"3:5: note: rule 1: forwarded calls are answered under hvcgate exec; hvcgate run has no handlers, and there they read their failure value\n"
		"4:9: error: unknown handler 'me'; add it: handlers: {me: {socket: /run/hvcgate/me.sock}}\n",
	},
	{
		"misspelt handler",
		"hvcgate: 1\n"
		"rules:\n"
		"  - forward: PSCI_CPU_ON\n"
		"    to: psic\n"
		"handlers: {psci: {socket: /run/p}}\n",
		"3:5: note: rule 1: forwarded calls are answered under hvcgate exec; hvcgate run has no handlers, and there they read their failure value\n"
		"4:9: error: unknown handler 'psic'; did you mean 'psci'?\n",
	},
	{
		"deny to somebody",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: PSCI_CPU_ON\n"
		"    to: me\n"
		"handlers: {me: {socket: /run/p}}\n",
		"4:9: error: 'to' belongs to forward and notify; a rule that says deny goes nowhere: remove it\n",
	},
	{
		"default to nobody",
		"hvcgate: 1\n"
		"default: forward\n",
		"2:10: error: default: forward to whom? there are 0 handlers; write default: {forward: NAME}\n"
		"2:10: note: default: forward is taken without the reserved ranges 0x80000000-0x8000ffff and 0xc0000000-0xc000ffff, which belong to the engine\n"
		"2:10: note: default: forwarded calls are answered under hvcgate exec; hvcgate run has no handlers, and there they read their failure value\n",
	},
	{
		"default to an unknown",
		"hvcgate: 1\n"
		"default: {forward: me}\n",
		"2:10: note: default: forward is taken without the reserved ranges 0x80000000-0x8000ffff and 0xc0000000-0xc000ffff, which belong to the engine\n"
		"2:10: note: default: forwarded calls are answered under hvcgate exec; hvcgate run has no handlers, and there they read their failure value\n"
		"2:20: error: unknown handler 'me'; add it: handlers: {me: {socket: /run/hvcgate/me.sock}}\n",
	},
	{
		"default misspelt",
		"hvcgate: 1\n"
		"default: {forwrd: me}\n",
		"2:11: error: unknown key 'forwrd' in 'default'; did you mean 'forward'?\n",
	},
	{
		"no socket",
		"hvcgate: 1\n"
		"handlers: {me: {timeout: 1s}}\n",
		"2:16: error: handler me has no socket; add socket: /run/hvcgate/me.sock\n",
	},
	{
		"relative socket",
		"hvcgate: 1\n"
		"handlers: {me: {socket: me.sock}}\n",
		"2:25: error: socket 'me.sock' is no absolute path of at most 107 characters; write one such as /run/hvcgate/me.sock\n",
	},
	{
		"timeout",
		"hvcgate: 1\n"
		"handlers: {me: {socket: /run/me, timeout: 100}}\n",
		"2:43: error: timeout '100' is no time from 1ms to 3600s; write one such as 100ms\n",
	},
	{
		"timeout of nothing",
		"hvcgate: 1\n"
		"handlers: {me: {socket: /run/me, timeout: 0ms}}\n",
		"2:43: error: timeout '0ms' is no time from 1ms to 3600s; write one such as 100ms\n",
	},
	{
		"on-timeout",
		"hvcgate: 1\n"
		"handlers: {me: {socket: /run/me, on-timeout: pause}}\n",
		"2:46: error: on-timeout is 'pause'; write fail: nothing here can pause a VM, or power it off, from outside of its VMM\n",
	},
	{
		"unknown key",
		"hvcgate: 1\n"
		"handlers: {me: {sockt: /run/me}}\n",
		"2:16: error: handler me has no socket; add socket: /run/hvcgate/me.sock\n"
		"2:17: error: unknown key 'sockt' in a handler; did you mean 'socket'?\n",
	},
	{
		"a name",
		"hvcgate: 1\n"
		"handlers: {\"Me too\": {socket: /run/me}}\n",
		"2:12: error: 'Me too' is no name for a handler; use 1 to 32 of a-z, 0-9, - and _, a letter or digit first\n",
	},
};

static const struct bad_case extends_cases[] = {
	{
		"a mapping",
		"hvcgate: 1\n"
		"extends: {base: yes}\n",
		"2:10: error: 'extends' wants a single value and has a mapping; write extends: [base.yaml]\n",
	},
	{
		"missing parent",
		"hvcgate: 1\n"
		"extends: [nowhere.yaml]\n",
		"2:11: error: cannot read 'nowhere.yaml': No such file or directory\n",
	},
	{
		"itself",
		"hvcgate: 1\n"
		"extends: p.yaml\n",
		"2:10: error: extends goes in a circle: p.yaml -> p.yaml; remove one of them\n",
	},
};

static const struct bad_case warn_cases[] = {
	{
		"deny without the vital",
		"hvcgate: 1\n"
		"default: deny\n",
		"2:10: note: default: deny is taken without the reserved ranges 0x80000000-0x8000ffff and 0xc0000000-0xc000ffff, which belong to the engine\n"
		"2:10: warning: default: deny removes PSCI_VERSION: Linux finds no PSCI; add '- handle: PSCI_VERSION' if that is not meant\n"
		"2:10: warning: default: deny removes PSCI_CPU_ON: no second CPU starts; add '- handle: PSCI_CPU_ON' if that is not meant\n"
		"2:10: warning: default: deny removes PSCI_SYSTEM_OFF: the guest cannot power off; add '- handle: PSCI_SYSTEM_OFF' if that is not meant\n"
		"2:10: warning: default: deny removes PSCI_SYSTEM_RESET: the guest cannot reboot; add '- handle: PSCI_SYSTEM_RESET' if that is not meant\n",
	},
	{
		"version",
		"hvcgate: 1\n"
		"psci: \"1.0\"\n"
		"rules:\n"
		"  - handle: PSCI_SYSTEM_RESET2\n"
		"  - deny: PSCI_SYSTEM_OFF2\n",
		"4:13: warning: rule 1 lets the engine answer PSCI_SYSTEM_RESET2, and it does not: psci is \"1.0\", and it exists from \"1.1\" on\n"
		"5:11: warning: rule 2 denies PSCI_SYSTEM_OFF2, which is absent anyhow: psci is \"1.0\", and it exists from \"1.3\" on\n",
	},
	{
		"feature off",
		"hvcgate: 1\n"
		"services: {trng: off}\n"
		"rules:\n"
		"  - handle: TRNG_RND\n",
		"4:13: warning: rule 1 lets the engine answer TRNG_RND, and it does not: feature register STD_BMAP has bit 0 (trng) off\n",
	},
	{
		"suspend off",
		"hvcgate: 1\n"
		"system-suspend: off\n"
		"rules:\n"
		"  - handle: PSCI_SYSTEM_SUSPEND\n",
		"4:13: warning: rule 1 lets the engine answer PSCI_SYSTEM_SUSPEND, and it does not: system-suspend is off\n",
	},
	{
		"no identity",
		"hvcgate: 1\n"
		"identity: none\n"
		"rules:\n"
		"  - handle: KVM_VENDOR_UID\n",
		"4:13: warning: rule 1 lets the engine answer KVM_VENDOR_UID, and it does not: identity is none\n",
	},
	{
		"nobody answers",
		"hvcgate: 1\n"
		"rules:\n"
		"  - handle: FFA_VERSION\n",
		"3:13: warning: rule 1 lets the engine answer FFA_VERSION, and it does not: nothing in this hvcgate answers it\n",
	},
	{
		"service nobody answers",
		"hvcgate: 1\n"
		"services: {tee: on}\n",
		"2:12: warning: service tee is on, and nothing in this hvcgate answers it\n",
	},
	{
		"service all denied",
		"hvcgate: 1\n"
		"services: {trng: on}\n"
		"default: deny\n"
		"rules:\n"
		"  - handle: [PSCI_VERSION, PSCI_CPU_ON, PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET]\n",
		"2:12: warning: service trng is on, and default: deny denies all of it; add '- handle: {service: trng}'\n"
		"3:10: note: default: deny is taken without the reserved ranges 0x80000000-0x8000ffff and 0xc0000000-0xc000ffff, which belong to the engine\n",
	},
	{
		"forward",
		"hvcgate: 1\n"
		"rules:\n"
		"  - forward: {service: ff-a}\n"
		"    to: ffa\n"
		"  - notify: PSCI_CPU_ON\n"
		"handlers: {ffa: {socket: /run/ffa}}\n",
		"3:5: note: rule 1: forwarded calls are answered under hvcgate exec; hvcgate run has no handlers, and there they read their failure value\n"
		"5:5: note: rule 2: notified calls are answered and traced under hvcgate exec, and no handler is told; under hvcgate run they read their failure value\n",
	},
	{
		"default forward",
		"hvcgate: 1\n"
		"default: forward\n"
		"handlers: {all: {socket: /run/all}}\n",
		"2:10: note: default: forward is taken without the reserved ranges 0x80000000-0x8000ffff and 0xc0000000-0xc000ffff, which belong to the engine\n"
		"2:10: note: default: forwarded calls are answered under hvcgate exec; hvcgate run has no handlers, and there they read their failure value\n",
	},
	{
		"unused handler",
		"hvcgate: 1\n"
		"handlers: {me: {socket: /run/me}}\n",
		"2:12: warning: handler me is not used: no rule says 'to: me'\n",
	},
	{
		"twice in a list",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: [PSCI_CPU_ON, PSCI_CPU_ON/64]\n",
		"3:25: warning: PSCI_CPU_ON/64 stands in rule 1 already; remove it\n",
	},
	{
		"hidden in a list",
		"hvcgate: 1\n"
		"rules:\n"
		"  - handle: TRNG_RND\n"
		"  - deny: [TRNG_RND, TRNG_VERSION]\n",
		"4:12: warning: rule 2 never reaches TRNG_RND: rule 1 at line 3 takes it; remove it\n",
	},
	{
		"owner arch",
		"hvcgate: 1\n"
		"rules:\n"
		"  - deny: {owner: arch}\n",
		"3:19: note: owner arch is taken without the reserved ranges, which belong to the engine\n",
	},
};

static const struct bad_case many_cases[] = {
	{
		"all at once",
		"hvcgate: 1\n"
		"profle: x\n"
		"smccc: 1.1\n"
		"psci: \"1.7\"\n"
		"services: {trgn: on, ptp: maybe}\n"
		"rules:\n"
		"  - deny: [PSCI_CPUON, {ownr: std}, TRNG_RND]\n"
		"  - forward: PSCI_VERSION\n",
		"2:1: error: unknown key 'profle' in a policy; did you mean 'profile'?\n"
		"3:8: error: a bare 1.1 is a number to YAML; write smccc: \"1.1\"\n"
		"4:7: error: psci \"1.7\" is out of range; there are \"0.2\", \"1.0\", \"1.1\", \"1.2\" and \"1.3\"\n"
		"5:12: error: unknown service 'trgn'; did you mean 'trng'?\n"
		"5:27: error: service ptp is 'maybe'; write on or off\n"
		"7:12: error: unknown function PSCI_CPUON; did you mean PSCI_CPU_ON?\n"
		"7:25: error: unknown key 'ownr' in a target; did you mean 'owner'?\n"
		"8:5: error: forward to whom? add 'to: NAME' to the rule and NAME under 'handlers'\n",
	},
};

static void test_rules(void **state)
{
	(void)state;
	test_bad_cases(rules_cases, sizeof(rules_cases) / sizeof(rules_cases[0]));
}

static void test_handlers(void **state)
{
	(void)state;
	test_bad_cases(handlers_cases, sizeof(handlers_cases) / sizeof(handlers_cases[0]));
}

static void test_extends(void **state)
{
	(void)state;
	test_bad_cases(extends_cases, sizeof(extends_cases) / sizeof(extends_cases[0]));
}

static void test_warn(void **state)
{
	(void)state;
	test_bad_cases(warn_cases, sizeof(warn_cases) / sizeof(warn_cases[0]));
}

static void test_many(void **state)
{
	(void)state;
	test_bad_cases(many_cases, sizeof(many_cases) / sizeof(many_cases[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),   cmocka_unit_test(test_handlers),
		cmocka_unit_test(test_extends), cmocka_unit_test(test_warn),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
