/* SPDX-License-Identifier: BSD-2-Clause */
/* Which calls are made, in which VMs. Functions come from the catalogue. */
#include <stdio.h>

#include "calls.h"

/* Arguments that are not 0: what makes the call come back with an error and change nothing. */
static const struct {
	enum hvc_fn function;
	uint64_t x1;
} harmless[] = {
	{HVC_FN_PSCI_CPU_ON, 0x1000000}, /* no affinity */
	{HVC_FN_PSCI_0_1_CPU_ON, 0x1000000},
	{HVC_FN_PSCI_SYSTEM_RESET2, 1}, /* a type that there is not */
	{HVC_FN_PSCI_SYSTEM_OFF2, 2},
};

/* Who is asked for which functions: those of services, and single ones. */
static const struct {
	enum hvc_fn asked;
	enum hvc_service_id services[2];
	enum hvc_fn others[3];
} questions[] = {
	{HVC_FN_PSCI_FEATURES, {HVC_SERVICE_PSCI, HVC_SERVICE_TRNG}, {HVC_FN_SMCCC_VERSION}},
	{HVC_FN_SMCCC_ARCH_FEATURES,
	 {HVC_SERVICE_ARCH},
	 {HVC_FN_PV_TIME_FEATURES, HVC_FN_PV_TIME_ST, HVC_FN_TRNG_RND}},
	{HVC_FN_TRNG_FEATURES, {HVC_SERVICE_TRNG}, {HVC_FN_KVM_PTP}},
	{HVC_FN_PV_TIME_FEATURES, {HVC_SERVICE_PV_TIME}, {HVC_FN_TRNG_RND}},
};

static size_t add(struct listed_call *list, size_t count, enum hvc_fn function, uint32_t id,
		  uint64_t x1)
{
	const unsigned int arguments = hvc_function_arg_count(hvc_function_at(function), id);

	if (id == 0 || count == CALLS_MAX) {
		return count;
	}
	list[count] = (struct listed_call){
		.function = function,
		.call = {.id = id, .count = arguments < 3 ? arguments : 3, .arguments = {x1}},
	};
	return count + 1;
}

static size_t add_plain(struct listed_call *list, size_t count, enum hvc_fn function)
{
	const struct hvc_function *row = hvc_function_at(function);
	uint64_t x1 = 0;

	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		if (harmless[i].function == function) {
			x1 = harmless[i].x1;
		}
	}
	count = add(list, count, function, row->id32, x1);
	return add(list, count, function, row->id64, x1);
}

static size_t ask_for(struct listed_call *list, size_t count, enum hvc_fn asked,
		      enum hvc_fn function)
{
	const struct hvc_function *row = hvc_function_at(function);
	const uint32_t id = probe_id(asked, false);

	count = row->id32 != 0 ? add(list, count, asked, id, row->id32) : count;
	return row->id64 != 0 ? add(list, count, asked, id, row->id64) : count;
}

size_t probe_call_list(struct listed_call *list)
{
	size_t count = 0;

	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		count = add_plain(list, count, (enum hvc_fn)slot);
	}
	for (size_t q = 0; q < sizeof(questions) / sizeof(questions[0]); q++) {
		for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
			unsigned int service = hvc_function_at(slot)->service;

			if (service == questions[q].services[0] ||
			    service == questions[q].services[1]) {
				count = ask_for(list, count, questions[q].asked, (enum hvc_fn)slot);
			}
		}
		for (size_t i = 0; i < 3; i++) {
			if (questions[q].others[i] != HVC_FN_NONE) {
				count = ask_for(list, count, questions[q].asked,
						questions[q].others[i]);
			}
		}
	}
	return count;
}

struct kvm_machine *probe_configured(struct probe *probe, const struct configuration *config)
{
	const struct kvm_machine_config machine_config = {
		.cpus = 1,
		.psci_0_2 = config->psci_0_2,
		.system_suspend = config->system_suspend,
		.stolen_time = config->stolen_time ? STOLEN_TIME_ADDRESS : 0,
	};
	char why[256] = "";
	struct kvm_machine *machine;
	uint64_t version = config->version;

	/* The extras are what a host may not have. */
	machine = config->system_suspend || config->stolen_time
			  ? kvm_machine_new(&machine_config, why, sizeof(why))
			  : probe_machine_like(probe, &machine_config);
	if (machine != NULL && version != 0 &&
	    kvm_machine_set_reg(machine, 0, REG_PSCI_VERSION, &version) != 0) {
		kvm_machine_free(machine);
		return NULL;
	}
	return machine;
}

/* Keep it if a machine of it can be made. */
static size_t keep(struct probe *probe, struct configuration *list, size_t count)
{
	struct kvm_machine *machine;

	if (probe_failed(probe)) {
		return count;
	}
	machine = probe_configured(probe, &list[count]);
	kvm_machine_free(machine);
	return machine != NULL ? count + 1 : count;
}

size_t probe_configurations(struct probe *probe, struct configuration *list)
{
	size_t count = 0;

	list[count] = (struct configuration){.name = "default", .psci_0_2 = true};
	count = keep(probe, list, count);
	for (size_t i = 0; i < probe->version_count; i++) {
		const uint32_t version = probe->versions[i];

		for (int suspend = 0; suspend < 2; suspend++) {
			list[count] = (struct configuration){
				.psci_0_2 = true, .version = version, .system_suspend = suspend};
			snprintf(list[count].name, sizeof(list[count].name), "psci-%u.%u%s",
				 version >> 16, version & 0xffff, suspend ? "-suspend" : "");
			count = keep(probe, list, count);
		}
	}
	list[count] = (struct configuration){.name = "psci-0.1"};
	count = keep(probe, list, count);
	list[count] = (struct configuration){
		.name = "stolen-time", .psci_0_2 = true, .stolen_time = true};
	return keep(probe, list, count);
}
