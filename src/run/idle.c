/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy's power states as a guest's device tree has them: /cpus/idle-states, and in each CPU which it can enter.
 *
 * Bindings: Linux Documentation/devicetree/bindings/cpu/idle-states.yaml; power_state: DEN0022, 5.4.2.
 */
#include <string.h>

#include <libfdt.h>

#include "run.h"

static void note(int *error, int result)
{
	if (*error == 0 && result < 0) {
		*error = result;
	}
}

static int set_string(void *fdt, int node, const char *name, const char *value)
{
	return fdt_setprop(fdt, node, name, value, (int)strlen(value) + 1);
}

/* A child of /cpus/idle-states. */
static void add_state(void *fdt, const struct hvc_policy_power_state *state, uint32_t phandle,
		      int *error)
{
	const int parent = fdt_path_offset(fdt, "/cpus/idle-states");
	const int node = parent < 0 ? parent : fdt_add_subnode(fdt, parent, state->name);

	note(error, node);
	if (node >= 0) {
		note(error, set_string(fdt, node, "compatible", "arm,idle-state"));
		note(error, set_string(fdt, node, "idle-state-name", state->name));
		note(error, fdt_setprop_u32(fdt, node, "arm,psci-suspend-param", state->param));
		note(error, fdt_setprop_u32(fdt, node, "entry-latency-us", state->entry_us));
		note(error, fdt_setprop_u32(fdt, node, "exit-latency-us", state->exit_us));
		note(error, fdt_setprop_u32(fdt, node, "min-residency-us", state->residency_us));
		note(error, fdt_setprop_u32(fdt, node, "phandle", phandle));
	}
}

static bool is_cpu(const void *fdt, int node)
{
	int length = 0;
	const char *type = fdt_getprop(fdt, node, "device_type", &length);

	return type != NULL && length == 4 && memcmp(type, "cpu", 4) == 0;
}

/* The CPU behind `node` (0: the first one) below /cpus. */
static int next_cpu(const void *fdt, int cpus, int node)
{
	node = node == 0 ? fdt_first_subnode(fdt, cpus) : fdt_next_subnode(fdt, node);
	while (node >= 0 && !is_cpu(fdt, node)) {
		node = fdt_next_subnode(fdt, node);
	}
	return node;
}

/* Changing a node moves only what stands behind it. */
static void give_states(void *fdt, uint32_t first, unsigned int count, int *error)
{
	const int cpus = fdt_path_offset(fdt, "/cpus");
	int node = cpus < 0 ? cpus : next_cpu(fdt, cpus, 0);

	note(error, cpus);
	for (; node >= 0; node = next_cpu(fdt, cpus, node)) {
		/* QEMU leaves it away where there is only one. */
		note(error, set_string(fdt, node, "enable-method", "psci"));
		for (unsigned int i = 0; i < count; i++) {
			note(error, fdt_appendprop_u32(fdt, node, "cpu-idle-states", first + i));
		}
	}
}

int run_idle_describe(void *fdt, const struct hvc_policy *policy)
{
	uint32_t first = 0;
	unsigned int count = 0;
	int node, error = 0;

	while (policy != NULL && hvc_policy_power_state(policy, count) != NULL) {
		count++;
	}
	if (count == 0) {
		return 0;
	}
	note(&error, fdt_find_max_phandle(fdt, &first));
	first++;
	give_states(fdt, first, count, &error);
	node = fdt_path_offset(fdt, "/cpus");
	node = node < 0 ? node : fdt_add_subnode(fdt, node, "idle-states");
	note(&error, node);
	if (node >= 0) {
		note(&error, set_string(fdt, node, "entry-method", "psci"));
	}
	/* A new node comes first: the last state first, so that they stand in order. */
	for (unsigned int i = count; i > 0 && error == 0; i--) {
		add_state(fdt, hvc_policy_power_state(policy, i - 1), first + i - 1, &error);
	}
	return error;
}
