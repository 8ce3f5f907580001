/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy's power states as a guest's device tree has them: /cpus/idle-states, and in each CPU which it can enter.
 *
 * Bindings: Linux Documentation/devicetree/bindings/cpu/idle-states.yaml; power_state: DEN0022, 5.4.2.
 */
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include "run.h"

#define POWER_DOWN_ORIGINAL (1u << 16)
#define POWER_DOWN_EXTENDED (1u << 30)

void run_idle_find(const struct hvc_image *image, struct run_idle *idle)
{
	const struct hvc_tables *tables = hvc_image_tables(image);
	const uint32_t down = image->settings.power_state_format == 0 ? POWER_DOWN_ORIGINAL
								      : POWER_DOWN_EXTENDED;

	*idle = (struct run_idle){.count = 0};
	for (uint32_t i = 0; i < tables->power_state_count && i < HVC_POWER_STATES; i++) {
		struct run_idle_state *state = &idle->states[idle->count++];
		const struct hvc_power_state *from = &tables->power_states[i];

		*state = (struct run_idle_state){.param = from->power_state,
						 .level = from->level,
						 .down = (from->power_state & down) != 0};
		/* What QEMU takes for it, rounded up; deeper states are told to be worth less often. */
		state->entry_us = state->down ? 100 : 20;
		state->exit_us = state->down ? 200 : 20;
		state->residency_us = (state->down ? 1000 : 100) * (1 + from->level);
	}
}

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
static void add_state(void *fdt, const struct run_idle_state *state, uint32_t phandle, int *error)
{
	char *name = run_format("%s-%s-%x", state->level == 0 ? "cpu" : "cluster",
				state->down ? "down" : "standby", state->param);
	const int parent = fdt_path_offset(fdt, "/cpus/idle-states");
	const int node = parent < 0 ? parent : fdt_add_subnode(fdt, parent, name);

	note(error, node);
	if (node >= 0) {
		note(error, set_string(fdt, node, "compatible", "arm,idle-state"));
		note(error, set_string(fdt, node, "idle-state-name", name));
		note(error, fdt_setprop_u32(fdt, node, "arm,psci-suspend-param", state->param));
		note(error, fdt_setprop_u32(fdt, node, "entry-latency-us", state->entry_us));
		note(error, fdt_setprop_u32(fdt, node, "exit-latency-us", state->exit_us));
		note(error, fdt_setprop_u32(fdt, node, "min-residency-us", state->residency_us));
		note(error, fdt_setprop_u32(fdt, node, "phandle", phandle));
	}
	free(name);
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

int run_idle_describe(void *fdt, const struct run_idle *idle)
{
	uint32_t first = 0;
	int node, error = 0;

	if (idle->count == 0) {
		return 0;
	}
	note(&error, fdt_find_max_phandle(fdt, &first));
	first++;
	give_states(fdt, first, idle->count, &error);
	node = fdt_path_offset(fdt, "/cpus");
	node = node < 0 ? node : fdt_add_subnode(fdt, node, "idle-states");
	note(&error, node);
	if (node >= 0) {
		note(&error, set_string(fdt, node, "entry-method", "psci"));
	}
	/* A new node comes first: the last state first, so that they stand in order. */
	for (unsigned int i = idle->count; i > 0 && error == 0; i--) {
		add_state(fdt, &idle->states[i - 1], first + i - 1, &error);
	}
	return error;
}
