/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM whose host is always the same: every callback there is, with fixed answers. */
#define _ISOC11_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"

enum { CPUS = 4, BLOCK_BYTES = 1 << 16 };
#define RAM       0x40000000ull
#define RAM_BYTES 0x10000ull

struct machine {
	struct hvc_image *image;
	struct hvc_platform platform;
	struct hvc_vcpu *vcpus[CPUS];
	uint8_t *state, *made; /* of the VM, its vCPUs and blocks; and as it was made */
	size_t used, size;
	struct hvc_vm *vm;
};

/* --- The host. */
static bool cpu_start(void *host, uint32_t vcpu)
{
	(void)host;
	(void)vcpu;
	return true;
}

static bool is_ram(void *host, uint64_t ipa)
{
	(void)host;
	return ipa >= RAM && ipa - RAM < RAM_BYTES;
}

static bool is_ram_range(void *host, uint64_t ipa, uint64_t bytes)
{
	return is_ram(host, ipa) && is_ram(host, ipa + bytes - 1);
}

static bool entropy(void *host, uint64_t *words, uint32_t n)
{
	(void)host;
	for (uint32_t i = 0; i < n; i++) {
		words[i] = 0xe1e2e3e4e5e6e7e8ull + i;
	}
	return true;
}

static bool feature_availability(void *host, uint64_t reg, uint64_t *bits)
{
	(void)host;
	*bits = 0xf000 + reg;
	return reg < 3;
}

static bool stolen_time(void *host, uint32_t vcpu, uint64_t ipa)
{
	(void)vcpu;
	return is_ram(host, ipa);
}

static bool ptp(void *host, uint32_t vcpu, bool physical, uint64_t *ns, uint64_t *counter)
{
	(void)host;
	(void)vcpu;
	*ns = 0x1122334455667788ull;
	*counter = physical ? 0x2222222233333333ull : 0x4444444455555555ull;
	return true;
}

static uint64_t now_us(void *host)
{
	(void)host;
	return 1000;
}

static bool mem_protect(void *host, bool on)
{
	(void)host;
	(void)on;
	return true;
}

static bool clean_inv(void *host, uint64_t ipa, uint64_t bytes)
{
	return is_ram_range(host, ipa, bytes);
}

static bool share(void *host, uint32_t vcpu, uint32_t what, uint64_t ipa, uint64_t bytes)
{
	(void)vcpu;
	(void)what;
	(void)bytes;
	return is_ram(host, ipa);
}

static const struct hvc_platform whole_host = {
	.size = sizeof(whole_host),
	.cpu_start = cpu_start,
	.is_ram = is_ram,
	.entropy = entropy,
	.feature_availability = feature_availability,
	.stolen_time = stolen_time,
	.ptp = ptp,
	.now_us = now_us,
	.mem_protect = mem_protect,
	.is_ram_range = is_ram_range,
	.clean_inv = clean_inv,
	.share = share,
};

/* --- The image. */
static void host_settings(struct hvc_settings *settings)
{
	settings->regs[HVC_REG_WORKAROUND_1] = 1;
	settings->regs[HVC_REG_WORKAROUND_2] = 3;
	settings->regs[HVC_REG_WORKAROUND_3] = 2;
	settings->workaround_4 = 1;
	settings->soc_id_present = 1;
	settings->soc_version = 0x0426abcd;
	settings->soc_revision = 7;
	settings->system_suspend = 1;
}

/* What a policy can say beside settings. Profiles that were closed before there was such a thing do not mind. */
static void fill_tables(struct hvc_settings *settings, struct hvc_tables *tables, bool power)
{
	static const struct hvc_power_state states[] = {{0, 0}, {0x10001, 0}, {0x1010033, 1}};

	*tables = (struct hvc_tables){.size = sizeof(*tables), .implementation_count = 2};
	strcpy(tables->soc_name, "Golden SoC");
	tables->implementations[0] = (struct hvc_implementation){0x410fd0b1, 1, 2};
	tables->implementations[1] = (struct hvc_implementation){0x411fd401, 3, 4};
	if (power) {
		tables->power_state_count = sizeof(states) / sizeof(states[0]);
		memcpy(tables->power_states, states, sizeof(states));
		settings->os_initiated = 1;
		settings->trusted_os = HVC_TRUSTED_OS_MIGRATES;
	}
}

static void make_settings(const struct abi_profile *profile, const struct variation *variation,
			  struct hvc_settings *settings)
{
	abi_profile_settings(profile, settings);
	if (variation->spec) {
		settings->strictness = HVC_STRICT_SPEC;
		settings->discovery = HVC_DISCOVERY_COHERENT;
		settings->quirks = 0;
	}
	if (variation->smccc != 0) {
		settings->smccc_version = variation->smccc;
	}
	if (variation->host) {
		host_settings(settings);
	}
}

static struct hvc_image *make_image(const struct abi_profile *profile,
				    const struct variation *variation)
{
	const size_t bytes = hvc_image_min_size() + sizeof(struct hvc_tables);
	struct hvc_image *image = must(aligned_alloc(64, (bytes + 63) / 64 * 64));
	struct hvc_settings settings;
	struct hvc_tables tables = {.size = sizeof(tables)};
	enum hvc_err err;

	make_settings(profile, variation, &settings);
	if (variation->tables) {
		fill_tables(&settings, &tables, abi_profile_ours(profile) >= 2);
	}
	err = hvc_image_begin(image, bytes, &settings);
	if (err == HVC_OK) {
		err = hvc_image_add_tables(image, bytes, &tables);
	}
	if (err != HVC_OK) {
		fprintf(stderr, "golden: %s, %s: the engine refuses the image: %s\n",
			abi_profile_name(profile), variation->name, hvc_err_name(err));
		exit(2);
	}
	hvc_image_seal(image);
	return image;
}

/* --- The VM. */
static void *take(struct machine *machine, size_t bytes)
{
	uint8_t *at = machine->state + machine->used;

	machine->used += (bytes + 63) / 64 * 64;
	if (machine->used > machine->size) {
		must(NULL);
	}
	return bytes != 0 ? at : NULL;
}

static void give_blocks(struct machine *machine, struct hvc_vm_config *config)
{
	config->stats_bytes = hvc_stats_size(CPUS);
	config->stats_memory = take(machine, config->stats_bytes);
	config->share_bytes = hvc_share_size(RAM_BYTES);
	config->share_memory = take(machine, config->share_bytes);
	config->share_base = RAM;
	config->share_ram = RAM_BYTES;
}

static bool turn_registers(struct machine *machine, const struct variation *variation)
{
	const uint64_t id = hvc_feature_reg_id(machine->vm, variation->reg);
	uint64_t now = 0;

	if (!variation->turn) {
		return true;
	}
	if (variation->way == WAY_SHOW) {
		return hvc_vm_show(machine->vm, variation->reg) == HVC_OK;
	}
	if (variation->way == WAY_CLEAR_FROM) {
		return id != 0 && hvc_vm_clear_from(machine->vm, variation->reg) == HVC_OK;
	}
	return hvc_vm_get_reg(machine->vm, id, &now) == HVC_OK && now != variation->value &&
	       hvc_vm_set_reg(machine->vm, id, variation->value) == HVC_OK;
}

static bool make_vm(struct machine *machine, const struct variation *variation)
{
	static const uint64_t mpidr[CPUS] = {0, 1, 0x100, 0x101};
	struct hvc_vm_config config = {.size = sizeof(config),
				       .vcpu_count = CPUS,
				       .image = machine->image,
				       .flags = variation->old ? HVC_VM_PSCI_0_1 : 0};

	machine->vm = take(machine, hvc_vm_size());
	for (unsigned int i = 0; i < CPUS; i++) {
		machine->vcpus[i] = take(machine, hvc_vcpu_size());
	}
	if (!variation->bare) {
		machine->platform = whole_host;
		config.platform = &machine->platform;
		give_blocks(machine, &config);
	}
	if (hvc_vm_init(machine->vm, &config, machine->vcpus) != HVC_OK) {
		return false;
	}
	for (unsigned int i = 0; i < CPUS; i++) {
		if (hvc_vcpu_setup(machine->vcpus[i], mpidr[i], NULL) != HVC_OK) {
			return false;
		}
	}
	return (variation->bare ||
		hvc_vcpu_set_stolen_time(machine->vcpus[0], RAM + 64) == HVC_OK) &&
	       turn_registers(machine, variation);
}

struct machine *machine_new(const struct abi_profile *profile, const struct variation *variation)
{
	struct machine *machine = must(calloc(1, sizeof(*machine)));

	machine->image = make_image(profile, variation);
	machine->size = hvc_vm_size() + CPUS * hvc_vcpu_size() + BLOCK_BYTES;
	machine->size = (machine->size + 63) / 64 * 64;
	machine->state = must(aligned_alloc(64, machine->size));
	memset(machine->state, 0, machine->size);
	if (!make_vm(machine, variation)) {
		machine_free(machine);
		return NULL;
	}
	hvc_vm_freeze(machine->vm);
	machine->made = must(malloc(machine->used));
	memcpy(machine->made, machine->state, machine->used);
	return machine;
}

void machine_free(struct machine *machine)
{
	if (machine != NULL) {
		free(machine->image);
		free(machine->state);
		free(machine->made);
		free(machine);
	}
}

struct hvc_vm *machine_vm(struct machine *machine)
{
	return machine->vm;
}

enum hvc_verdict machine_call(struct machine *machine, enum hvc_conduit conduit,
			      struct hvc_frame *frame, struct hvc_request *request)
{
	enum hvc_verdict verdict;

	memcpy(machine->state, machine->made, machine->used);
	verdict = hvc_call(machine->vcpus[0], conduit, 0, frame);
	*request = hvc_vcpu_request(machine->vcpus[0]);
	return verdict;
}
