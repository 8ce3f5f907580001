/* SPDX-License-Identifier: BSD-2-Clause */
/* Policies at random, and VMs under them. */
#include "coherence.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/event.h>
#include <hvcgate/forward.h>
#include <hvcgate/live.h>

#include "abi.h"

static void must(bool fine, const char *what)
{
	if (!fine) {
		fprintf(stderr, "coherence: %s\n", what);
		abort();
	}
}

/* --- Callbacks: each does what it is asked. */
static bool cpu_start(void *host, uint32_t vcpu)
{
	return host != NULL && vcpu < 2;
}

static bool is_ram(void *host, uint64_t ipa)
{
	return host != NULL && ipa < UINT64_MAX;
}

static bool entropy(void *host, uint64_t *words, uint32_t n)
{
	memset(words, 0x5a, n * sizeof(*words));
	return host != NULL;
}

static bool availability(void *host, uint64_t reg, uint64_t *bits)
{
	*bits = reg;
	return host != NULL;
}

static bool stolen_time(void *host, uint32_t vcpu, uint64_t ipa)
{
	return host != NULL && vcpu < 2 && ipa % 64 == 0;
}

static bool ptp(void *host, uint32_t vcpu, bool physical, uint64_t *ns, uint64_t *counter)
{
	*ns = 0x123456789abcdefull + vcpu;
	*counter = physical;
	return host != NULL;
}

static uint64_t now_us(void *host)
{
	return host != NULL ? 1000 : 0;
}

static bool mem_protect(void *host, bool on)
{
	return host != NULL && (on || !on);
}

static bool is_ram_range(void *host, uint64_t ipa, uint64_t bytes)
{
	return host != NULL && ipa + bytes > ipa;
}

static bool clean_inv(void *host, uint64_t ipa, uint64_t bytes)
{
	return host != NULL && ipa + bytes > ipa;
}

static bool share(void *host, uint32_t vcpu, uint32_t what, uint64_t ipa, uint64_t bytes)
{
	(void)ipa;
	(void)bytes;
	return host != NULL && vcpu < 2 && what < 100;
}

static void take_callbacks(struct hvc_platform *platform, uint32_t callbacks)
{
	*platform = (struct hvc_platform){
		.size = sizeof(*platform),
		.cpu_start = callbacks & 1 ? cpu_start : NULL,
		.is_ram = callbacks & 2 ? is_ram : NULL,
		.entropy = callbacks & 4 ? entropy : NULL,
		.feature_availability = callbacks & 8 ? availability : NULL,
		.stolen_time = callbacks & 16 ? stolen_time : NULL,
		.ptp = callbacks & 32 ? ptp : NULL,
		.now_us = callbacks & 64 ? now_us : NULL,
		.mem_protect = callbacks & 128 ? mem_protect : NULL,
		.is_ram_range = callbacks & 256 ? is_ram_range : NULL,
		.clean_inv = callbacks & 512 ? clean_inv : NULL,
		.share = callbacks & 1024 ? share : NULL,
	};
}
enum { CALLBACKS_END = 2048 };

/* --- Policies. */
static const struct abi_profile *random_profile(struct rng *rng)
{
	size_t count = 0;

	while (abi_profile_at(count) != NULL) {
		count++;
	}
	/* Ours half of the time: they have the most functions. */
	if (rng_below(rng, 2)) {
		return abi_profile_find(rng_below(rng, 3) ? "hvcgate-2" : "hvcgate-1");
	}
	return abi_profile_at(rng_below(rng, (uint32_t)count));
}

/* Of the versions that the profile has. */
static uint32_t random_psci(struct rng *rng, const struct hvc_settings *settings)
{
	static const uint32_t all[] = {HVC_VERSION(0, 2), HVC_VERSION(1, 0), HVC_VERSION(1, 1),
				       HVC_VERSION(1, 2), HVC_VERSION(1, 3)};

	for (;;) {
		uint32_t version = all[rng_below(rng, 5)];

		if (settings->psci_versions & HVC_PSCI_BIT(version)) {
			return version;
		}
	}
}

static void random_registers(struct rng *rng, struct hvc_settings *settings)
{
	settings->regs[HVC_REG_PSCI_VERSION] = random_psci(rng, settings);
	for (unsigned int reg = HVC_REG_WORKAROUND_1; reg < settings->reg_count; reg++) {
		if (reg == HVC_REG_WORKAROUND_2) {
			settings->regs[reg] = rng_below(rng, 2) * 3;
		} else if (reg < HVC_REG_STD_BMAP) {
			settings->regs[reg] = rng_below(rng, 3);
		} else {
			settings->regs[reg] &= rng_next(rng) | rng_next(rng);
		}
	}
}

static void random_settings(struct rng *rng, struct policy *policy)
{
	const struct abi_profile *profile = random_profile(rng);
	struct hvc_settings *settings = &policy->settings;

	must(profile != NULL, "no such profile");
	policy->profile = abi_profile_name(profile);
	abi_profile_settings(profile, settings);
	settings->discovery = HVC_DISCOVERY_COHERENT;
	settings->smccc_version = HVC_VERSION(1, rng_below(rng, 8));
	random_registers(rng, settings);
	settings->workaround_4 = rng_below(rng, 3);
	settings->soc_id_present = rng_below(rng, 2);
	settings->system_suspend = rng_below(rng, 2);
	settings->vendor_uid_present &= rng_below(rng, 6) != 0;
	settings->vendor_uid[0] ^= rng_below(rng, 6) == 0;
	settings->power_state_format = rng_below(rng, 2);
	settings->os_initiated = rng_below(rng, 2);
	settings->trusted_os = rng_below(rng, 3);
	settings->trusted_os_cpu = settings->trusted_os == HVC_TRUSTED_OS_NONE ? 0
									       : rng_below(rng, 2);
	switch (rng_below(rng, 4)) {
	case 0: /* the profile's */
		break;
	case 1:
		settings->quirks = rng_below(rng, HVC_QUIRK_END);
		break;
	default:
		settings->quirks = 0;
		break;
	}
	/* Services and functions that the policy shuts off. */
	for (unsigned int i = rng_below(rng, 4); i > 0; i--) {
		unsigned int slot = 1 + rng_below(rng, HVC_FN_COUNT - 1);

		settings->functions[slot / 64] &= ~(1ull << slot % 64);
	}
}

static bool is_discovered(unsigned int slot)
{
	unsigned int service = hvc_function_at(slot)->service;

	return service == HVC_SERVICE_PSCI || service == HVC_SERVICE_TRNG ||
	       service == HVC_SERVICE_PV_TIME;
}

static void random_tables(struct rng *rng, struct hvc_tables *tables)
{
	*tables = (struct hvc_tables){.size = sizeof(*tables)};
	if (rng_below(rng, 2)) {
		strcpy(tables->soc_name, "a machine");
	}
	tables->implementation_count = rng_below(rng, 3);
	for (unsigned int i = 0; i < tables->implementation_count; i++) {
		tables->implementations[i].midr = 0x410fd490 + i;
	}
	tables->feature_count = rng_below(rng, 6);
	for (unsigned int i = 0; i < tables->feature_count; i++) {
		static const int32_t values[] = {0, 1, 2, 3, 0x100, -1};

		tables->features[i].fn = (uint16_t)(1 + rng_below(rng, HVC_FN_COUNT - 1));
		/* Functions that discovery is asked of. */
		while (rng_below(rng, 8) != 0 && !is_discovered(tables->features[i].fn)) {
			tables->features[i].fn = (uint16_t)(1 + rng_below(rng, HVC_FN_COUNT - 1));
		}
		tables->features[i].value = values[rng_below(rng, 6)];
	}
}

static uint32_t some_id(struct rng *rng, const struct hvc_function *function)
{
	if (function->id64 == 0 || (function->id32 != 0 && rng_below(rng, 2))) {
		return function->id32;
	}
	return function->id64;
}

static void add_rule(struct policy *policy, uint32_t first, uint32_t last, enum hvc_action action)
{
	if (policy->rule_count < POLICY_RULES) {
		policy->rules[policy->rule_count++] = (struct paint){first, last, action};
	}
}

/* Every function of a service, both IDs. */
static void add_service(struct rng *rng, struct policy *policy, enum hvc_action action)
{
	unsigned int service = 1 + rng_below(rng, HVC_SERVICE_COUNT - 1);

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->service == service && function->id32 != 0) {
			add_rule(policy, function->id32, function->id32, action);
		}
		if (function->service == service && function->id64 != 0) {
			add_rule(policy, function->id64, function->id64, action);
		}
	}
}

/* A name, one of its IDs, a service, an owner, or IDs around a function. */
static void random_rule(struct rng *rng, struct policy *policy)
{
	const struct hvc_function *function = hvc_function_at(1 + rng_below(rng, HVC_FN_COUNT - 1));
	enum hvc_action action = (enum hvc_action)rng_below(rng, 4);
	uint32_t id = some_id(rng, function), owner = (4 + rng_below(rng, 3)) << 24;

	/* What can be there at all, most of the time. */
	while (rng_below(rng, 8) != 0 && function->profile == HVC_SERVED_NO) {
		function = hvc_function_at(1 + rng_below(rng, HVC_FN_COUNT - 1));
		id = some_id(rng, function);
	}
	switch (rng_below(rng, 16)) {
	case 0:
		add_service(rng, policy, action);
		break;
	case 1:
		for (uint32_t kind = 0; kind < 4; kind++) {
			add_rule(policy, kind << 30 | owner, kind << 30 | owner | 0xffffff, action);
		}
		break;
	case 2:
	case 3:
		add_rule(policy, id - rng_below(rng, 6), id + rng_below(rng, 6), action);
		break;
	case 4:
	case 5:
	case 6:
		add_rule(policy, id, id, action);
		break;
	default:
		for (unsigned int i = 0; i < 2; i++) {
			id = i == 0 ? function->id32 : function->id64;
			if (id != 0) {
				add_rule(policy, id, id, action);
			}
		}
		break;
	}
}

static void random_ranges(struct rng *rng, struct policy_range ranges[POLICY_RANGES],
			  unsigned int *count)
{
	*count = rng_below(rng, 3) == 0 ? rng_below(rng, POLICY_RANGES + 1) : 0;
	for (unsigned int i = 0; i < *count; i++) {
		ranges[i] = (struct policy_range){
			some_id(rng, hvc_function_at(1 + rng_below(rng, HVC_FN_COUNT - 1))),
			1 + rng_below(rng, 4), (enum hvc_action)rng_below(rng, 4)};
	}
}

/* Values are stated of what is forwarded. */
static void forward_stated(struct rng *rng, struct policy *policy)
{
	for (unsigned int i = 0; i < policy->tables.feature_count; i++) {
		const struct hvc_function *function = hvc_function_at(
			policy->tables.features[i].fn);
		uint32_t id = some_id(rng, function);

		if (rng_below(rng, 2)) {
			add_rule(policy, id, id, HVC_FORWARD);
		}
	}
}

void policy_random(struct rng *rng, struct policy *policy)
{
	memset(policy, 0, sizeof(*policy));
	random_settings(rng, policy);
	random_tables(rng, &policy->tables);
	if (rng_below(rng, 2)) {
		forward_stated(rng, policy);
	}
	for (unsigned int i = rng_below(rng, 20); i > 0; i--) {
		random_rule(rng, policy);
	}
	policy->otherwise = rng_below(rng, 6) ? HVC_HANDLE : (enum hvc_action)rng_below(rng, 4);
	policy->flags = rng_below(rng, 2) ? HVC_VM_FORWARD : 0;
	policy->flags |= rng_below(rng, 8) == 0 ? HVC_VM_PSCI_0_1 : 0;
	policy->events = rng_below(rng, 2);
	policy->stats = rng_below(rng, 2);
	policy->shares = rng_below(rng, 2);
	policy->transactions = rng_below(rng, 2);
	policy->no_record = rng_below(rng, 4) == 0;
	policy->callbacks = (uint32_t)(rng_next(rng) | rng_next(rng)) % CALLBACKS_END;
	random_ranges(rng, policy->added, &policy->added_count);
	random_ranges(rng, policy->tightened, &policy->tightened_count);
	policy->shown = rng_below(rng, 4) == 0 ? rng_below(rng, HVC_REG_COUNT) : HVC_REG_COUNT + 1;
}

static void print_paint(FILE *file, const char *what, uint32_t first, uint32_t last,
			enum hvc_action action)
{
	unsigned int slot = hvc_function_by_id(first);

	fprintf(file, "  %s%s 0x%08" PRIx32 "-0x%08" PRIx32 "%s%s\n", what, hvc_action_name(action),
		first, last, slot != 0 ? " " : "", slot != 0 ? hvc_function_at(slot)->name : "");
}

void policy_print(FILE *file, const struct policy *policy)
{
	const struct hvc_settings *settings = &policy->settings;

	fprintf(file,
		"profile %s, SMCCC 0x%" PRIx32 ", PSCI 0x%" PRIx64 ", default %s, quirks 0x%" PRIx32
		", flags %" PRIu32 "\n",
		policy->profile, settings->smccc_version, settings->regs[HVC_REG_PSCI_VERSION],
		hvc_action_name(policy->otherwise), settings->quirks, policy->flags);
	fprintf(file, "  registers");
	for (unsigned int reg = 0; reg < settings->reg_count; reg++) {
		fprintf(file, " %s=0x%" PRIx64, hvc_register_name(reg), settings->regs[reg]);
	}
	fprintf(file,
		", %u shown\n  workaround-4 %" PRIu32 ", soc-id %" PRIu32 " \"%s\", uid %" PRIu32
		" 0x%08" PRIx32 ", system-suspend %" PRIu32 ", os-initiated %" PRIu32
		", trusted-os %" PRIu32 ", implementations %" PRIu32 "\n",
		policy->shown, settings->workaround_4, settings->soc_id_present,
		policy->tables.soc_name, settings->vendor_uid_present, settings->vendor_uid[0],
		settings->system_suspend, settings->os_initiated, settings->trusted_os,
		policy->tables.implementation_count);
	fprintf(file,
		"  events %d, stats %d, shares %d, stolen-time record %d, callbacks 0x%" PRIx32
		"\n",
		policy->events, policy->stats, policy->shares, !policy->no_record,
		policy->callbacks);
	for (unsigned int i = 0; i < policy->tables.feature_count; i++) {
		fprintf(file, "  feature %s: %" PRId32 "\n",
			hvc_function_at(policy->tables.features[i].fn)->name,
			policy->tables.features[i].value);
	}
	for (unsigned int i = 0; i < policy->rule_count; i++) {
		const struct paint *rule = &policy->rules[i];

		print_paint(file, "", rule->first, rule->last, rule->action);
	}
	for (unsigned int i = 0; i < policy->added_count; i++) {
		const struct policy_range *range = &policy->added[i];

		print_paint(file, "added: ", range->base, range->base + range->count - 1,
			    range->action);
	}
	for (unsigned int i = 0; i < policy->tightened_count; i++) {
		const struct policy_range *range = &policy->tightened[i];

		print_paint(file, "tightened: ", range->base, range->base + range->count - 1,
			    HVC_DENY);
	}
}

/* --- VMs. */
static void *piece(struct coherent_vm *vm, size_t bytes)
{
	struct piece *new = &vm->pieces[vm->piece_count++];

	new->bytes = (bytes + 63) / 64 * 64;
	new->memory = aligned_alloc(64, new->bytes);
	new->copy = malloc(new->bytes);
	must(new->memory != NULL &&new->copy != NULL, "no memory");
	memset(new->memory, 0xa5, new->bytes);
	return new->memory;
}

static void take_blocks(struct coherent_vm *vm, struct hvc_vm_config *config)
{
	const struct policy *policy = vm->policy;

	if (policy->added_count + policy->tightened_count != 0) {
		config->filter_bytes = hvc_filter_size(vm->image, 2 * POLICY_RANGES);
		config->filter_memory = piece(vm, config->filter_bytes);
	}
	if (policy->stats) {
		config->stats_bytes = hvc_stats_size(2);
		config->stats_memory = piece(vm, config->stats_bytes);
	}
	if (policy->transactions) {
		config->forward_bytes = hvc_forward_size(4);
		config->forward_memory = piece(vm, config->forward_bytes);
	}
	if (policy->events) {
		config->event_bytes = hvc_event_size(4);
		config->event_memory = piece(vm, config->event_bytes);
	}
	if (policy->shares) {
		config->share_base = WORLD_SHARE_BASE;
		config->share_ram = POLICY_SHARE_RAM;
		config->share_bytes = hvc_share_size(POLICY_SHARE_RAM);
		config->share_memory = piece(vm, config->share_bytes);
	}
}

/* What is refused is left out: the rest has to agree all the same. */
static void configure(struct coherent_vm *vm)
{
	const struct policy *policy = vm->policy;

	if (!policy->no_record) {
		must(hvc_vcpu_set_stolen_time(vm->vcpus[0], 0x40000000) == HVC_OK, "stolen time");
	}
	for (unsigned int i = 0; i < policy->added_count; i++) {
		const struct policy_range *range = &policy->added[i];

		(void)hvc_filter_add(vm->vm, range->base, range->count, range->action);
	}
	if (policy->shown <= policy->settings.reg_count) {
		must(hvc_vm_show(vm->vm, policy->shown) == HVC_OK, "hvc_vm_show");
	}
	hvc_vm_freeze(vm->vm);
	for (unsigned int i = 0; i < policy->tightened_count; i++) {
		const struct policy_range *range = &policy->tightened[i];

		(void)hvc_vm_tighten(vm->vm, range->base, range->count, NULL);
	}
}

bool coherent_vm_make(struct coherent_vm *vm, const struct policy *policy)
{
	struct hvc_vm_config config = {.size = sizeof(config), .vcpu_count = 2};
	enum hvc_err err;

	*vm = (struct coherent_vm){.policy = policy};
	vm->image = world_image(&(struct world_setup){.settings = &policy->settings,
						      .tables = &policy->tables,
						      .rules = policy->rules,
						      .rule_count = policy->rule_count,
						      .otherwise = policy->otherwise},
				NULL);
	take_callbacks(&vm->platform, policy->callbacks);
	vm->vm = piece(vm, hvc_vm_size());
	vm->vcpus[0] = piece(vm, hvc_vcpu_size());
	vm->vcpus[1] = piece(vm, hvc_vcpu_size());
	config.image = vm->image;
	config.platform = policy->callbacks != 0 ? &vm->platform : NULL;
	config.host = vm;
	config.flags = policy->flags;
	take_blocks(vm, &config);
	err = hvc_vm_init(vm->vm, &config, vm->vcpus);
	if (err != HVC_OK) {
		must(err == HVC_EINVAL && (policy->flags & HVC_VM_PSCI_0_1) != 0,
		     hvc_err_name(err));
		coherent_vm_free(vm);
		return false;
	}
	vm->counters.size = sizeof(vm->counters);
	must(hvc_vcpu_setup(vm->vcpus[0], 0, &vm->counters) == HVC_OK &&
		     hvc_vcpu_setup(vm->vcpus[1], 1, NULL) == HVC_OK,
	     "hvc_vcpu_setup");
	configure(vm);
	for (unsigned int i = 0; i < vm->piece_count; i++) {
		memcpy(vm->pieces[i].copy, vm->pieces[i].memory, vm->pieces[i].bytes);
	}
	return true;
}

void coherent_vm_free(struct coherent_vm *vm)
{
	for (unsigned int i = 0; i < vm->piece_count; i++) {
		free(vm->pieces[i].memory);
		free(vm->pieces[i].copy);
	}
	free(vm->image);
}

enum hvc_verdict coherent_vm_call(struct coherent_vm *vm, struct hvc_frame *frame,
				  struct hvc_outcome *outcome)
{
	enum hvc_verdict verdict = hvc_call(vm->vcpus[0], HVC_CONDUIT_HVC, 0, frame);
	uint64_t count;

	*outcome = hvc_vcpu_outcome(vm->vcpus[0]);
	count = vm->counters.calls[outcome->fn][HVC_ANSWERED];
	vm->answered = count != vm->counted[outcome->fn];
	vm->counted[outcome->fn] = count;
	for (unsigned int i = 0; i < vm->piece_count; i++) {
		memcpy(vm->pieces[i].memory, vm->pieces[i].copy, vm->pieces[i].bytes);
	}
	return verdict;
}
