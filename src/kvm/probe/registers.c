/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of a vCPU, and what the feature registers among them can be set to. */
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

static json_t *one(struct kvm_machine *machine, uint64_t id)
{
	uint8_t value[REG_BYTES_MAX] = {0};
	char name[32], text[2 * REG_BYTES_MAX + 3];
	json_t *object;
	int error;

	probe_reg_name(id, name, sizeof(name));
	object = json_pack("{s:o, s:s, s:i}", "id", probe_hex(id), "name", name, "size",
			   (int)REG_SIZE(id));
	error = REG_SIZE(id) <= REG_BYTES_MAX ? kvm_machine_get_reg(machine, 0, id, value) : -1;
	if (error == 0) {
		probe_number(value, REG_SIZE(id), text, sizeof(text));
		json_object_set_new(object, "value", json_string(text));
	} else {
		json_object_set_new(object, "error", probe_error(error));
	}
	return object;
}

json_t *probe_registers(struct probe *probe)
{
	struct kvm_machine *machine = probe_machine(probe);
	json_t *list;
	int error;

	if (machine == NULL) {
		return NULL;
	}
	error = kvm_machine_list_regs(machine, 0, &probe->ids, &probe->id_count);
	if (error != 0) {
		kvm_machine_free(machine);
		return probe_fail(probe, "KVM_GET_REG_LIST: errno %d", error);
	}
	list = json_array();
	for (size_t i = 0; i < probe->id_count; i++) {
		json_array_append_new(list, one(machine, probe->ids[i]));
	}
	kvm_machine_free(machine);
	return list;
}

static bool set(struct kvm_machine *machine, uint64_t id, uint64_t value)
{
	return kvm_machine_set_reg(machine, 0, id, &value) == 0;
}

/* The versions to try: 0.1, 0.2, 1.0 to 1.9, 2.0. */
static const uint32_t versions[] = {
	HVC_VERSION(0, 1), HVC_VERSION(0, 2), HVC_VERSION(1, 0), HVC_VERSION(1, 1),
	HVC_VERSION(1, 2), HVC_VERSION(1, 3), HVC_VERSION(1, 4), HVC_VERSION(1, 5),
	HVC_VERSION(1, 6), HVC_VERSION(1, 7), HVC_VERSION(1, 8), HVC_VERSION(1, 9),
	HVC_VERSION(2, 0),
};
_Static_assert(sizeof(versions) / sizeof(versions[0]) <= VERSIONS_MAX, "room for what is accepted");

/* PSCI counts 0.2 as 0x2, and the register holds 0.1 as 0x1: as HVC_VERSION does. */
static json_t *accepted_versions(struct probe *probe, struct kvm_machine *machine, bool keep)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		if (set(machine, REG_PSCI_VERSION, versions[i])) {
			json_array_append_new(list, probe_version(versions[i]));
			if (keep) {
				probe->versions[probe->version_count++] = versions[i];
			}
		}
	}
	return list;
}

static json_t *accepted_values(struct kvm_machine *machine, uint64_t id)
{
	json_t *list = json_array();

	for (uint64_t value = 0; value < 0x20; value++) {
		if (set(machine, id, value)) {
			json_array_append_new(list, probe_hex(value));
		}
	}
	return list;
}

static json_t *legal_bits(struct kvm_machine *machine, uint64_t id)
{
	uint64_t bits = 0;

	for (unsigned int bit = 0; bit < 64; bit++) {
		if (set(machine, id, 1ull << bit)) {
			bits |= 1ull << bit;
		}
	}
	return probe_hex(bits);
}

static void value_of(json_t *object, const char *key, struct kvm_machine *machine, uint64_t id)
{
	uint64_t value = 0;

	if (kvm_machine_get_reg(machine, 0, id, &value) == 0) {
		json_object_set_new(object, key, probe_hex(value));
	}
}

static json_t *feature(struct probe *probe, struct kvm_machine *machine,
		       struct kvm_machine *without, uint64_t id)
{
	json_t *object;
	char name[32];

	probe_reg_name(id, name, sizeof(name));
	object = json_pack("{s:o, s:s}", "id", probe_hex(id), "name", name);
	value_of(object, "value", machine, id);
	value_of(object, "value-psci-0.1", without, id);
	if (id == REG_PSCI_VERSION) {
		json_object_set_new(object, "accepted", accepted_versions(probe, machine, true));
		json_object_set_new(object, "accepted-psci-0.1",
				    accepted_versions(probe, without, false));
	} else if (REG_CLASS(id) == CLASS_BMAP) {
		json_object_set_new(object, "legal-bits", legal_bits(machine, id));
	} else {
		json_object_set_new(object, "accepted", accepted_values(machine, id));
	}
	return object;
}

json_t *probe_firmware(struct probe *probe)
{
	struct kvm_machine *machine = probe_machine(probe);
	struct kvm_machine *without = probe_machine_like(probe,
							 &(struct kvm_machine_config){.cpus = 1});
	json_t *list = NULL;

	if (machine != NULL && without != NULL) {
		list = json_array();
		for (size_t i = 0; i < probe->id_count; i++) {
			uint64_t id = probe->ids[i];

			if (REG_CLASS(id) == CLASS_FW || REG_CLASS(id) == CLASS_BMAP) {
				json_array_append_new(list, feature(probe, machine, without, id));
			}
		}
	}
	kvm_machine_free(machine);
	kvm_machine_free(without);
	return list;
}
