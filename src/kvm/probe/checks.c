/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors of what is no filter's: each in a machine of its own. */
#include <stdlib.h>

#include "internal.h"

#define REG_UNKNOWN  REG_FW(0xff)
#define BITS_ILLEGAL 0x8000000000000000ull

enum when { AT_START, BEFORE_INIT, AFTER_RUN };
enum what { GET, LIST, SET, SET_SAME, SET_LEAST };

static const struct {
	const char *name;
	enum when when;
	enum what what;
	uint64_t id, value;
} checks[] = {
	{"get-before-init", BEFORE_INIT, GET, REG_PSCI_VERSION, 0},
	{"list-before-init", BEFORE_INIT, LIST, 0, 0},
	{"get-unknown", AT_START, GET, REG_UNKNOWN, 0},
	{"get-size-32", AT_START, GET, (REG_PSCI_VERSION & ~REG_SIZE_MASK) | REG_SIZE_32, 0},
	{"set-size-32", AT_START, SET, (REG_PSCI_VERSION & ~REG_SIZE_MASK) | REG_SIZE_32, 0},
	{"bitmap-illegal", AT_START, SET, REG_STD_BMAP, BITS_ILLEGAL},
	{"psci-version-after-run", AFTER_RUN, SET_LEAST, REG_PSCI_VERSION, 0},
	{"workaround-after-run", AFTER_RUN, SET, REG_WORKAROUND_1, 0},
	{"bitmap-after-run", AFTER_RUN, SET, REG_STD_BMAP, 0},
	{"bitmap-same-after-run", AFTER_RUN, SET_SAME, REG_STD_BMAP, 0},
	{"bitmap-illegal-after-run", AFTER_RUN, SET, REG_STD_BMAP, BITS_ILLEGAL},
};

static int list_error(struct kvm_machine *machine)
{
	uint64_t *ids = NULL;
	size_t count = 0;
	int error = kvm_machine_list_regs(machine, 0, &ids, &count);

	free(ids);
	return error;
}

static int check(struct probe *probe, struct kvm_machine *machine, size_t n)
{
	uint64_t value = checks[n].value;
	int error;

	switch (checks[n].what) {
	case GET:
		return kvm_machine_get_reg(machine, 0, checks[n].id, &value);
	case LIST:
		return list_error(machine);
	case SET_SAME:
		error = kvm_machine_get_reg(machine, 0, checks[n].id, &value);
		if (error != 0) {
			return error;
		}
		break;
	case SET_LEAST:
		value = probe->version_count != 0 ? probe->versions[0] : 0;
		break;
	case SET:
		break;
	}
	return kvm_machine_set_reg(machine, 0, checks[n].id, &value);
}

json_t *probe_checks(struct probe *probe)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const struct kvm_machine_config config = {
			.cpus = 1, .psci_0_2 = true, .no_init = checks[i].when == BEFORE_INIT};
		struct kvm_machine *machine = probe_machine_like(probe, &config);

		if (machine == NULL) {
			break;
		}
		if (checks[i].when == AFTER_RUN) {
			(void)probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_SMCCC_VERSION, 0);
		}
		json_array_append_new(list, json_pack("{s:s, s:o}", "what", checks[i].name, "error",
						      probe_error(check(probe, machine, i))));
		kvm_machine_free(machine);
	}
	return list;
}
