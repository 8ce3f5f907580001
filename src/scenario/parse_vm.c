/* SPDX-License-Identifier: BSD-2-Clause */
/* vm cpus=2 profile=linux-6.12 ...: a machine, and for which profiles its lines hold. */
#include <stdlib.h>
#include <string.h>

#include "../policy/suggest.h"
#include "parse.h"

struct vm_words {
	struct scn_vm vm;
	const struct hvc_policy *policy; /* the script's */
	struct scn_range range;
	bool range_said, discovery_said;
	unsigned int seen; /* keys, bit by bit */
};

struct vm_key {
	const char *name;
	const char *usage; /* NULL: no "=" */
	bool (*read)(struct parser *parser, const struct word *word, const char *value,
		     struct vm_words *words);
};

static bool read_cpus(struct parser *parser, const struct word *word, const char *value,
		      struct vm_words *words)
{
	uint64_t cpus;

	if (!parse_plain(value, &cpus) || cpus < 1 || cpus > SCN_CPUS) {
		return parse_error(parser, word, "cpus= is a number from 1 to %d, not '%s'",
				   SCN_CPUS, value);
	}
	words->vm.cpus = (unsigned int)cpus;
	return true;
}

static bool read_profile(struct parser *parser, const struct word *word, const char *value,
			 struct vm_words *words)
{
	if (strcmp(value, "host") == 0) {
		return true;
	}
	words->range_said = true;
	return parse_profiles(parser, word, value, &words->range);
}

static bool on_or_off(struct parser *parser, const struct word *word, const char *value, bool *on)
{
	*on = strcmp(value, "on") == 0;
	return *on || strcmp(value, "off") == 0 ||
	       parse_error(parser, word, "'%s' is on or off", word->text);
}

static bool read_psci02(struct parser *parser, const struct word *word, const char *value,
			struct vm_words *words)
{
	return on_or_off(parser, word, value, &words->vm.psci_0_2);
}

static bool read_suspend(struct parser *parser, const struct word *word, const char *value,
			 struct vm_words *words)
{
	(void)parser;
	(void)word;
	(void)value;
	words->vm.suspend_cap = true;
	return true;
}

static bool read_pvtime(struct parser *parser, const struct word *word, const char *value,
			struct vm_words *words)
{
	struct word part = parse_part(word, value);

	if (!parse_value(parser, &part, "pvtime=", &words->vm.stolen_time)) {
		return false;
	}
	return words->vm.stolen_time != 0 ||
	       parse_error(parser, word, "pvtime= is an address; leave it out for none");
}

static bool read_discovery(struct parser *parser, const struct word *word, const char *value,
			   struct vm_words *words)
{
	words->discovery_said = true;
	words->vm.coherent = strcmp(value, "coherent") == 0;
	return words->vm.coherent || strcmp(value, "raw") == 0 ||
	       parse_error(parser, word, "discovery= is raw or coherent, not '%s'", value);
}

/* Beside the scenario, as a person would look for it; with what is the script's around it. NULL: out of memory. */
static struct scn_policy *new_policy(const struct parser *parser, const char *value)
{
	const char *slash = value[0] == '/' ? NULL : strrchr(parser->path, '/');
	size_t directory = slash != NULL ? (size_t)(slash - parser->path) + 1 : 0;
	struct scn_policy *policy = malloc(sizeof(*policy) + directory + strlen(value) + 1);

	if (policy != NULL) {
		policy->policy = NULL;
		memcpy(policy->path, parser->path, directory);
		memcpy(policy->path + directory, value, strlen(value) + 1);
	}
	return policy;
}

/* The same file as a vm before, of which there are *count. */
static const struct scn_policy *find_policy(const struct parser *parser, const char *path,
					    unsigned int *count)
{
	const struct scn_policy *policy = parser->script->policies;

	for (*count = 0; policy != NULL && strcmp(policy->path, path) != 0; ++*count) {
		policy = policy->next;
	}
	return policy;
}

static bool load_policy(struct parser *parser, const struct word *word, struct scn_policy *policy)
{
	enum hvc_err err = hvc_policy_load(policy->path, &policy->policy, parser->diags);

	if (err != HVC_OK) {
		parse_error(parser, word, "this policy cannot be used: %s", hvc_err_name(err));
		return false;
	}
	policy->next = parser->script->policies;
	parser->script->policies = policy;
	return true;
}

static bool read_policy(struct parser *parser, const struct word *word, const char *value,
			struct vm_words *words)
{
	struct scn_policy *policy = new_policy(parser, value);
	const struct scn_policy *before;
	unsigned int count;

	if (strcmp(value, "-") == 0 || value[0] == '\0' || policy == NULL) {
		free(policy);
		return parse_error(parser, word, "policy= is a file, beside this one");
	}
	before = find_policy(parser, policy->path, &count);
	if (before != NULL) {
		free(policy);
		words->policy = before->policy;
		return true;
	}
	if (count == SCN_MAX_POLICIES) {
		free(policy);
		return parse_error(parser, word, "more than %d policies: make it several files",
				   SCN_MAX_POLICIES);
	}
	if (!load_policy(parser, word, policy)) {
		free(policy);
		return false;
	}
	words->policy = policy->policy;
	return true;
}

static const struct vm_key keys[] = {
	{"cpus", "N", read_cpus},
	{"profile", "linux-6.12|linux-6.1..|..linux-6.12|host", read_profile},
	{"psci02", "on|off", read_psci02},
	{"suspend-cap", NULL, read_suspend},
	{"pvtime", "ADDRESS", read_pvtime},
	{"policy", "FILE", read_policy},
	{"discovery", "raw|coherent", read_discovery},
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static bool unknown_key(struct parser *parser, const struct word *word, const char *name)
{
	struct suggestion suggestion;

	suggest_begin(&suggestion, name);
	for (size_t i = 0; i < KEYS; i++) {
		suggest_try(&suggestion, keys[i].name);
	}
	if (suggestion.best != NULL) {
		return parse_error(parser, word, "a vm has no '%s'; did you mean %s?", name,
				   suggestion.best);
	}
	return parse_error(
		parser, word,
		"a vm has no '%s': it has cpus= profile= psci02= suspend-cap pvtime= policy= discovery=",
		name);
}

static bool read_key(struct parser *parser, const struct word *word, struct vm_words *words)
{
	char name[24];
	size_t length = strcspn(word->text, "="), i;
	const char *value = word->text + length + (word->text[length] == '=');

	if (length >= sizeof(name)) {
		return parse_error(parser, word, "a vm has nothing of that name");
	}
	memcpy(name, word->text, length);
	name[length] = '\0';
	for (i = 0; i < KEYS && strcmp(name, keys[i].name) != 0; i++) {
	}
	if (i == KEYS) {
		return unknown_key(parser, word, name);
	}
	if ((word->text[length] == '=') != (keys[i].usage != NULL)) {
		return keys[i].usage != NULL
			       ? parse_error(parser, word, "write %s=%s", name, keys[i].usage)
			       : parse_error(parser, word, "write %s, without '='", name);
	}
	if (words->seen >> i & 1) {
		return parse_error(parser, word, "%s was said before on this line", name);
	}
	words->seen |= 1u << i;
	return keys[i].read(parser, word, value, words);
}

/* Whose profile, and does the VM hold for it? */
static bool choose_profile(struct parser *parser, struct vm_words *words, const struct word *word)
{
	const struct abi_profile *current = parser->options->profile, *named = words->range.profile;

	if (words->policy != NULL) {
		const struct abi_profile *its = abi_profile_find(hvc_policy_profile(words->policy));

		if (its != NULL && named != NULL && !scn_range_has(&words->range, its)) {
			return parse_error(parser, word, "the policy is of profile %s",
					   abi_profile_name(its));
		}
		named = its;
	}
	if (parser->options->only_matching && named != NULL) {
		/* A kernel is what it is: a policy or line of another one is not for it. */
		parser->vm_left_out = words->range.profile != NULL
					      ? !scn_range_has(&words->range, current)
					      : abi_profile_rank(named) !=
							abi_profile_rank(current);
		named = current;
	}
	words->vm.profile = named != NULL ? named : current;
	if (words->range_said && words->range.profile == NULL &&
	    !scn_range_has(&words->range, words->vm.profile)) {
		parser->vm_left_out = true;
	}
	return true;
}

static void make_settings(const struct parser *parser, struct vm_words *words)
{
	struct scn_vm *vm = &words->vm;

	if (words->policy != NULL) {
		vm->settings = *hvc_policy_settings(words->policy);
		vm->policy = words->policy;
		if (!words->discovery_said) {
			vm->coherent = vm->settings.discovery == HVC_DISCOVERY_COHERENT;
		}
	} else {
		abi_profile_settings(vm->profile, &vm->settings);
		vm->settings.system_suspend = 0;
		if (parser->options->record != NULL) {
			abi_record_apply(parser->options->record, &vm->settings);
		}
	}
	vm->settings.discovery = vm->coherent ? HVC_DISCOVERY_COHERENT : HVC_DISCOVERY_RAW;
	vm->settings.system_suspend |= vm->suspend_cap;
}

static bool keep_vm(struct parser *parser, struct vm_words *words)
{
	struct scn_made_vm *made = malloc(sizeof(*made));

	if (made == NULL) {
		return parse_error(parser, &parser->words[0], "out of memory");
	}
	*made = (struct scn_made_vm){.next = parser->script->vms, .vm = words->vm};
	parser->script->vms = made;
	parser->vm = &made->vm;
	parser->out.op.vm = &made->vm;
	memset(parser->call_seen, 0, sizeof(parser->call_seen));
	parser->forward_seen = false;
	parser->last_open = SCN_NO_CALL;
	for (size_t i = 0; i < SCN_CPUS; i++) {
		parser->last_call[i] = SCN_NO_CALL;
	}
	return true;
}

static bool read_vm(struct parser *parser, struct vm_words *words)
{
	const struct word *word, first = parser->words[parser->next - 1];

	while ((word = parse_next(parser)) != NULL) {
		if (!read_key(parser, word, words)) {
			return false;
		}
	}
	return choose_profile(parser, words, &first);
}

bool parse_vm(struct parser *parser)
{
	struct vm_words words = {.vm = {.cpus = 1, .psci_0_2 = true}};
	bool good;

	parser->vm_left_out = false;
	good = read_vm(parser, &words);
	if (!good) {
		/* So that what is wrong here is said once, and not on each line that follows. */
		words.vm.cpus = SCN_CPUS;
		words.vm.profile = parser->options->profile;
	}
	make_settings(parser, &words);
	return keep_vm(parser, &words) && good;
}
