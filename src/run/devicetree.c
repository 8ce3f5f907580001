/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two device trees: QEMU's, which is read to learn the machine, and the guest's, which keeps of it
 * only what is on a list. What is not in the guest's tree is not mapped for it either: the regions of
 * the launch block come from the same nodes.
 *
 * Bindings: Devicetree Specification 0.4; Linux Documentation/devicetree/bindings.
 */
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include "run.h"

/* Nodes the guest keeps, by compatible; those marked are given to it as device memory. */
static const struct kept {
	const char *compatible;
	unsigned int regions; /* how many of its reg entries are the guest's */
	unsigned int gic;     /* version, for interrupt controllers */
} kept_nodes[] = {
	{"arm,psci", 0, 0},           {"arm,armv8-timer", 0, 0}, {"arm,armv8-pmuv3", 0, 0},
	{"fixed-clock", 0, 0},        {"arm,pl011", 1, 0},       {"arm,pl031", 1, 0},
	{"arm,gic-v3", 2, 3},         /* GICD, GICR; behind them GICC, GICH, GICV */
	{"arm,cortex-a15-gic", 2, 2}, /* GICD, GICC; behind them GICH, GICV */
};

static const struct kept *kept_by_compatible(const void *fdt, int node)
{
	for (size_t i = 0; i < sizeof(kept_nodes) / sizeof(kept_nodes[0]); i++) {
		if (fdt_node_check_compatible(fdt, node, kept_nodes[i].compatible) == 0) {
			return &kept_nodes[i];
		}
	}
	return NULL;
}

static bool kept_by_name(const void *fdt, int node)
{
	const char *name = fdt_get_name(fdt, node, NULL);

	return name != NULL && (strcmp(name, "cpus") == 0 || strcmp(name, "chosen") == 0 ||
				strcmp(name, "aliases") == 0);
}

/* The n-th (address, size) pair of a child of the root, where both have two cells. */
static bool reg_pair(const void *fdt, int node, unsigned int n, uint64_t *address, uint64_t *size)
{
	int length = 0;
	const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &length);

	if (reg == NULL || (size_t)length < (n + 1) * 16u) {
		return false;
	}
	*address = (uint64_t)fdt32_ld(reg + 4 * n) << 32 | fdt32_ld(reg + 4 * n + 1);
	*size = (uint64_t)fdt32_ld(reg + 4 * n + 2) << 32 | fdt32_ld(reg + 4 * n + 3);
	return true;
}

/* A property that is text: NUL-terminated within its length, as libfdt does not say it is. */
static const char *text_of(const char *value, int length)
{
	return value != NULL && length > 0 && memchr(value, '\0', (size_t)length) != NULL ? value
											  : NULL;
}

static const char *text_property(const void *fdt, int node, const char *name)
{
	int length = 0;
	const char *value = fdt_getprop(fdt, node, name, &length);

	return text_of(value, length);
}

static bool open_tree(const void *tree, size_t bytes)
{
	return fdt_check_full(tree, bytes) == 0 && fdt_address_cells(tree, 0) == 2 &&
	       fdt_size_cells(tree, 0) == 2;
}

static bool read_cpus(const void *fdt, struct run_machine *machine)
{
	int cpus = fdt_path_offset(fdt, "/cpus"), node, cells;

	if (cpus < 0) {
		return run_fail("QEMU's device tree has no CPUs");
	}
	cells = fdt_address_cells(fdt, cpus);
	if (cells != 1 && cells != 2) {
		return run_fail("QEMU's device tree has CPUs that are not understood");
	}
	fdt_for_each_subnode(node, fdt, cpus)
	{
		int length = 0;
		const char *type = text_property(fdt, node, "device_type");
		const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &length);

		if (type == NULL || strcmp(type, "cpu") != 0) {
			continue;
		}
		if (reg == NULL || length != 4 * cells || machine->cpu_count == EL2_MAX_CPUS) {
			return run_fail("QEMU's device tree has CPUs that are not understood");
		}
		machine->mpidr[machine->cpu_count++] = cells == 2 ? (uint64_t)fdt32_ld(reg) << 32 |
									    fdt32_ld(reg + 1)
								  : fdt32_ld(reg);
	}
	return true;
}

/* QEMU writes the CPUs last to first into some trees; CPU 0 of the machine is the lowest. */
static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The redistributors that CPUs have: QEMU's region has room for many more. */
static uint64_t redistributor_bytes(uint64_t size, unsigned int cpus)
{
	const uint64_t used = cpus * (uint64_t)0x20000;

	return used < size ? used : size;
}

static bool read_region(const void *fdt, int node, const struct kept *kept, unsigned int n,
			struct run_machine *machine)
{
	struct el2_region *region = &machine->devices[machine->device_count];
	uint64_t address = 0, size = 0;

	if (!reg_pair(fdt, node, n, &address, &size) || ((address | size) & 0xfff) != 0 ||
	    machine->device_count == EL2_MAX_REGIONS - 1) {
		return false;
	}
	*region = (struct el2_region){
		.ipa = address, .pa = address, .bytes = size, .kind = EL2_DEVICE};
	if (kept->gic == 3 && n == 1) {
		region->kind = EL2_GIC_REDIST;
		region->bytes = redistributor_bytes(size, machine->cpu_count);
	}
	if (kept->gic == 2 && n == 1) {
		region->kind = EL2_GIC_CPU;
	}
	machine->device_count++;
	return true;
}

static bool read_devices(const void *fdt, struct run_machine *machine)
{
	int node;

	fdt_for_each_subnode(node, fdt, 0)
	{
		const struct kept *kept = kept_by_compatible(fdt, node);

		if (kept == NULL) {
			continue;
		}
		machine->gic_version = kept->gic != 0 ? kept->gic : machine->gic_version;
		for (unsigned int i = 0; i < kept->regions; i++) {
			if (!read_region(fdt, node, kept, i, machine)) {
				return run_fail(
					"QEMU's device tree: %s has registers that are not understood",
					fdt_get_name(fdt, node, NULL));
			}
		}
	}
	return true;
}

/* Configuration space, and the CPU address of I/O port 0: PCI bus binding, "ranges". */
static void read_pcie(const void *fdt, struct run_machine *machine)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "pci-host-ecam-generic"), length = 0;
	const fdt32_t *ranges;
	uint64_t size = 0;

	if (node < 0 || !reg_pair(fdt, node, 0, &machine->ecam, &size)) {
		return;
	}
	ranges = fdt_getprop(fdt, node, "ranges", &length);
	for (int i = 0; ranges != NULL && i + 7 <= length / 4; i += 7) {
		if ((fdt32_ld(ranges + i) & 0x03000000u) == 0x01000000u) {
			machine->pio = (uint64_t)fdt32_ld(ranges + i + 3) << 32 |
				       fdt32_ld(ranges + i + 4);
		}
	}
}

bool run_devicetree_read(const void *tree, size_t bytes, struct run_machine *machine)
{
	*machine = (struct run_machine){0};
	if (!open_tree(tree, bytes)) {
		return run_fail("QEMU gave no device tree that is understood");
	}
	if (!read_cpus(tree, machine) || !read_devices(tree, machine)) {
		return false;
	}
	qsort(machine->mpidr, machine->cpu_count, sizeof(machine->mpidr[0]), by_value);
	read_pcie(tree, machine);
	if (machine->cpu_count == 0 || machine->gic_version == 0 || machine->device_count < 3) {
		return run_fail("QEMU's device tree lacks CPUs, interrupt controller or UART");
	}
	return true;
}

/* --- The guest's tree. libfdt's errors are gathered: the first one sticks. */

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

static void delete_children(void *fdt, int node, int *error)
{
	for (int child = fdt_first_subnode(fdt, node); child >= 0;
	     child = fdt_first_subnode(fdt, node)) {
		int result = fdt_del_node(fdt, child);

		note(error, result);
		if (result < 0) {
			return;
		}
	}
}

/* Only the guest's registers, as the launch block has them; no ITS or v2m below; no maintenance
 * interrupt, which is EL2's. */
static void trim_gic(void *fdt, int node, const struct kept *kept,
		     const struct run_machine *machine, int *error)
{
	uint64_t pairs[2][2] = {{0}};

	for (unsigned int i = 0; i < kept->regions; i++) {
		if (!reg_pair(fdt, node, i, &pairs[i][0], &pairs[i][1])) {
			note(error, -FDT_ERR_BADVALUE);
		}
	}
	if (kept->gic == 3) {
		pairs[1][1] = redistributor_bytes(pairs[1][1], machine->cpu_count);
	}
	delete_children(fdt, node, error);
	fdt_delprop(fdt, node, "interrupts");
	note(error, fdt_delprop(fdt, node, "reg"));
	for (unsigned int i = 0; i < kept->regions; i++) {
		note(error, fdt_appendprop_u64(fdt, node, "reg", pairs[i][0]));
		note(error, fdt_appendprop_u64(fdt, node, "reg", pairs[i][1]));
	}
}

static void drop_unlisted(void *fdt, const struct run_machine *machine, int *error)
{
	int node = fdt_first_subnode(fdt, 0);

	while (node >= 0) {
		const struct kept *kept = kept_by_compatible(fdt, node);

		if (kept == NULL && !kept_by_name(fdt, node)) {
			note(error, fdt_del_node(fdt, node));
			/* Offsets have moved: begin again. */
			node = *error == 0 ? fdt_first_subnode(fdt, 0) : -1;
			continue;
		}
		if (kept != NULL && kept->gic != 0) {
			trim_gic(fdt, node, kept, machine, error);
		}
		node = fdt_next_subnode(fdt, node);
	}
}

/* NUMA is QEMU's way of placing our memories; the guest has one node. */
static void drop_numa(void *fdt)
{
	int node;

	for (node = fdt_next_node(fdt, -1, NULL); node >= 0;
	     node = fdt_next_node(fdt, node, NULL)) {
		fdt_delprop(fdt, node, "numa-node-id");
	}
}

static void set_aliases(void *fdt, int *error)
{
	int node = fdt_path_offset(fdt, "/aliases"), property;

	if (node < 0) {
		return;
	}
	for (property = fdt_first_property_offset(fdt, node); property >= 0;) {
		const char *name = NULL;
		int length = 0;
		const char *value = fdt_getprop_by_offset(fdt, property, &name, &length);
		const char *path = text_of(value, length);

		if (name != NULL && (path == NULL || fdt_path_offset(fdt, path) < 0)) {
			note(error, fdt_delprop(fdt, node, name));
			property = *error == 0 ? fdt_first_property_offset(fdt, node) : -1;
		} else {
			property = fdt_next_property_offset(fdt, property);
		}
	}
}

static void set_memory(void *fdt, uint64_t mem, int *error)
{
	int node = fdt_add_subnode(fdt, 0, "memory@40000000");

	_Static_assert(EL2_GUEST_IPA == 0x40000000, "the node's name is its address");
	note(error, node);
	if (node >= 0) {
		note(error, set_string(fdt, node, "device_type", "memory"));
		note(error, fdt_appendprop_u64(fdt, node, "reg", EL2_GUEST_IPA));
		note(error, fdt_appendprop_u64(fdt, node, "reg", mem));
	}
}

static void set_psci(void *fdt, bool smc, int *error)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,psci");

	note(error, node);
	if (node >= 0) {
		note(error, set_string(fdt, node, "method", smc ? "smc" : "hvc"));
	}
}

static void set_chosen(void *fdt, const struct run_wishes *wishes, int *error)
{
	char path[64];
	int uart = fdt_node_offset_by_compatible(fdt, -1, "arm,pl011");
	int node = fdt_path_offset(fdt, "/chosen");

	note(error, uart < 0 ? uart : fdt_get_path(fdt, uart, path, sizeof(path)));
	if (node >= 0) {
		note(error, fdt_del_node(fdt, node));
	}
	node = fdt_add_subnode(fdt, 0, "chosen");
	note(error, node);
	if (*error != 0) {
		return;
	}
	note(error, set_string(fdt, node, "stdout-path", path));
	if (wishes->bootargs != NULL && *wishes->bootargs != '\0') {
		note(error, set_string(fdt, node, "bootargs", wishes->bootargs));
	}
	if (wishes->initrd != 0) {
		note(error, fdt_setprop_u64(fdt, node, "linux,initrd-start", wishes->initrd));
		note(error, fdt_setprop_u64(fdt, node, "linux,initrd-end",
					    wishes->initrd + wishes->initrd_bytes));
	}
	note(error, fdt_setprop(fdt, node, "rng-seed", wishes->rng_seed, sizeof(wishes->rng_seed)));
	note(error,
	     fdt_setprop(fdt, node, "kaslr-seed", wishes->kaslr_seed, sizeof(wishes->kaslr_seed)));
}

bool run_devicetree_make(const void *tree, size_t bytes, const struct run_machine *machine,
			 const struct run_wishes *wishes, void **out, size_t *out_bytes)
{
	const size_t room = bytes + 64 * 1024;
	void *fdt;
	int error = 0;

	if (!open_tree(tree, bytes)) {
		return run_fail("QEMU gave no device tree that is understood");
	}
	fdt = run_realloc(NULL, room);
	note(&error, fdt_open_into(tree, fdt, (int)room));
	if (error == 0) {
		drop_unlisted(fdt, machine, &error);
		drop_numa(fdt);
		set_chosen(fdt, wishes, &error);
		set_memory(fdt, wishes->mem, &error);
		set_psci(fdt, wishes->conduit_smc, &error);
		if (wishes->model != NULL && *wishes->model != '\0') {
			note(&error, set_string(fdt, 0, "model", wishes->model));
		}
		note(&error, run_idle_describe(fdt, wishes->policy));
		set_aliases(fdt, &error);
		note(&error, fdt_pack(fdt));
	}
	if (error == 0 && fdt_totalsize(fdt) > RUN_DTB_ROOM) {
		error = -FDT_ERR_NOSPACE;
	}
	if (error != 0) {
		free(fdt);
		return run_fail("the guest's device tree cannot be made: %s", fdt_strerror(error));
	}
	*out = fdt;
	*out_bytes = fdt_totalsize(fdt);
	return true;
}

unsigned int run_devicetree_seeds(const void *tree, uint64_t ipa,
				  struct el2_seed seeds[EL2_MAX_SEEDS])
{
	static const char *const names[EL2_MAX_SEEDS] = {"rng-seed", "kaslr-seed"};
	const int node = fdt_path_offset(tree, "/chosen");
	unsigned int count = 0;

	for (unsigned int i = 0; node >= 0 && i < EL2_MAX_SEEDS; i++) {
		int length = 0;
		const uint8_t *value = fdt_getprop(tree, node, names[i], &length);

		if (value != NULL && length >= 4 && length <= (int)EL2_SEED_MAX) {
			seeds[count++] = (struct el2_seed){
				.ipa = ipa + (uint64_t)(value - (const uint8_t *)tree),
				.bytes = (uint64_t)length};
		}
	}
	return count;
}
