/* SPDX-License-Identifier: BSD-2-Clause */
/* From a tree like QEMU's: what is learnt of the machine, and that the guest's tree is the allow-list. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libfdt.h>

#include "run.h"

#define ROOM 65536

static uint8_t tree[ROOM];

static int node(int parent, const char *name)
{
	int made = fdt_add_subnode(tree, parent, name);

	assert_true(made >= 0);
	return made;
}

static void cells(int at, const char *name, const uint32_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(fdt_appendprop_u32(tree, at, name, values[i]), 0);
	}
}
#define CELLS(at, name, ...)                             \
	cells(at, name, (const uint32_t[]){__VA_ARGS__}, \
	      sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static void text(int at, const char *name, const char *value)
{
	assert_int_equal(fdt_setprop(tree, at, name, value, (int)strlen(value) + 1), 0);
}

static void device(const char *name, const char *compatible, uint32_t address, uint32_t size)
{
	int at = node(0, name);

	text(at, "compatible", compatible);
	CELLS(at, "reg", 0, address, 0, size);
}

static void make_cpus(unsigned int count)
{
	int cpus = node(0, "cpus");

	CELLS(cpus, "#address-cells", 1);
	CELLS(cpus, "#size-cells", 0);
	/* Each new node comes first, as in QEMU's tree. */
	for (unsigned int i = count; i > 0; i--) {
		char name[16];
		int cpu;

		snprintf(name, sizeof(name), "cpu@%x", i - 1);
		cpu = node(cpus, name);
		text(cpu, "device_type", "cpu");
		CELLS(cpu, "reg", i - 1);
		CELLS(cpu, "numa-node-id", 0);
	}
}

static void make_tree(unsigned int gic)
{
	int at;

	assert_int_equal(fdt_create_empty_tree(tree, ROOM), 0);
	CELLS(0, "#address-cells", 2);
	CELLS(0, "#size-cells", 2);
	at = node(0, "psci");
	text(at, "compatible", "arm,psci");
	text(at, "method", "smc");
	at = node(0, "memory@40000000");
	text(at, "device_type", "memory");
	CELLS(at, "reg", 0, 0x40000000, 0, 0x2000000);
	device("fw-cfg@9020000", "qemu,fw-cfg-mmio", 0x9020000, 0x18);
	device("virtio_mmio@a000000", "virtio,mmio", 0xa000000, 0x200);
	device("pl061@9030000", "arm,pl061", 0x9030000, 0x1000);
	device("flash@0", "cfi-flash", 0, 0x4000000);
	device("platform-bus@c000000", "qemu,platform", 0xc000000, 0x2000000);
	device("pl011@9000000", "arm,pl011", 0x9000000, 0x1000);
	device("pl031@9010000", "arm,pl031", 0x9010000, 0x1000);
	at = node(0, "pcie@10000000");
	text(at, "compatible", "pci-host-ecam-generic");
	CELLS(at, "reg", 0x40, 0x10000000, 0, 0x10000000);
	CELLS(at, "ranges", 0x1000000, 0, 0, 0, 0x3eff0000, 0, 0x10000, 0x2000000, 0, 0x10000000, 0,
	      0x10000000, 0, 0x2eff0000);
	at = node(0, "intc@8000000");
	CELLS(at, "interrupts", 1, 9, 4);
	if (gic == 3) {
		text(at, "compatible", "arm,gic-v3");
		CELLS(at, "reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, 0xf60000);
		text(node(at, "its@8080000"), "compatible", "arm,gic-v3-its");
	} else {
		text(at, "compatible", "arm,cortex-a15-gic");
		CELLS(at, "reg", 0, 0x8000000, 0, 0x10000, 0, 0x8010000, 0, 0x10000, 0, 0x8030000,
		      0, 0x10000, 0, 0x8040000, 0, 0x10000);
		text(node(at, "v2m@8020000"), "compatible", "arm,gic-v2m-frame");
	}
	text(node(0, "timer"), "compatible", "arm,armv8-timer");
	text(node(0, "apb-pclk"), "compatible", "fixed-clock");
	at = node(0, "aliases");
	text(at, "serial0", "/pl011@9000000");
	text(at, "gone", "/pl061@9030000");
	make_cpus(3);
}

static const struct el2_region *region_at(const struct run_machine *machine, uint64_t address)
{
	for (unsigned int i = 0; i < machine->device_count; i++) {
		if (machine->devices[i].ipa == address) {
			return &machine->devices[i];
		}
	}
	return NULL;
}

static void reads_machine(void **state)
{
	struct run_machine machine;

	(void)state;
	make_tree(3);
	assert_true(run_devicetree_read(tree, ROOM, &machine));
	assert_int_equal(machine.cpu_count, 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(machine.mpidr[i], i);
	}
	assert_int_equal(machine.gic_version, 3);
	assert_int_equal(machine.ecam, 0x4010000000ull);
	assert_int_equal(machine.pio, 0x3eff0000);
	assert_int_equal(machine.device_count, 4);
	assert_int_equal(region_at(&machine, 0x9000000)->bytes, 0x1000);
	assert_int_equal(region_at(&machine, 0x9010000)->bytes, 0x1000);
	assert_int_equal(region_at(&machine, 0x8000000)->kind, EL2_DEVICE);
	assert_int_equal(region_at(&machine, 0x80a0000)->kind, EL2_GIC_REDIST);
	assert_int_equal(region_at(&machine, 0x80a0000)->bytes, 3 * 0x20000);
	make_tree(2);
	assert_true(run_devicetree_read(tree, ROOM, &machine));
	assert_int_equal(machine.gic_version, 2);
	assert_int_equal(machine.device_count, 4); /* UART, RTC, GICD, GICC; no GICH, no GICV */
	assert_int_equal(region_at(&machine, 0x8010000)->kind, EL2_GIC_CPU);
	assert_null(region_at(&machine, 0x8030000));
	assert_null(region_at(&machine, 0x8040000));
}

static void *make_guest(unsigned int gic, const struct run_wishes *wishes)
{
	struct run_machine machine;
	void *guest = NULL;
	size_t bytes = 0;

	make_tree(gic);
	assert_true(run_devicetree_read(tree, ROOM, &machine));
	assert_true(run_devicetree_make(tree, ROOM, &machine, wishes, &guest, &bytes));
	assert_int_equal(fdt_check_full(guest, bytes), 0);
	return guest;
}

/* Every node of the root, and nothing else. */
static void keeps_the_list(void **state)
{
	static const char *const wanted[] = {"psci",          "memory@40000000", "pl011@9000000",
					     "pl031@9010000", "intc@8000000",    "timer",
					     "apb-pclk",      "aliases",         "cpus",
					     "chosen"};
	const struct run_wishes wishes = {.mem = 512 * RUN_MIB};

	(void)state;
	for (unsigned int gic = 2; gic <= 3; gic++) {
		void *guest = make_guest(gic, &wishes);
		unsigned int found = 0;
		int at;

		fdt_for_each_subnode(at, guest, 0)
		{
			found++;
		}
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
			assert_true(fdt_subnode_offset(guest, 0, wanted[i]) >= 0);
		}
		assert_int_equal(found, sizeof(wanted) / sizeof(wanted[0]));
		at = fdt_path_offset(guest, "/intc@8000000");
		assert_true(fdt_first_subnode(guest, at) < 0);
		assert_null(fdt_getprop(guest, at, "interrupts", NULL));
		at = fdt_path_offset(guest, "/cpus/cpu@1");
		assert_true(at >= 0);
		assert_null(fdt_getprop(guest, at, "numa-node-id", NULL));
		at = fdt_path_offset(guest, "/aliases");
		assert_non_null(fdt_getprop(guest, at, "serial0", NULL));
		assert_null(fdt_getprop(guest, at, "gone", NULL));
		free(guest);
	}
}

static void guest_sees_its_gic(void **state)
{
	static const uint64_t v3[] = {0x8000000, 0x10000, 0x80a0000, 3 * 0x20000};
	static const uint64_t v2[] = {0x8000000, 0x10000, 0x8010000, 0x10000};
	const struct run_wishes wishes = {.mem = 512 * RUN_MIB};

	(void)state;
	for (unsigned int gic = 2; gic <= 3; gic++) {
		void *guest = make_guest(gic, &wishes);
		int length = 0;
		const fdt64_t *reg = fdt_getprop(guest, fdt_path_offset(guest, "/intc@8000000"),
						 "reg", &length);

		assert_int_equal(length, 32);
		for (unsigned int i = 0; i < 4; i++) {
			assert_int_equal(fdt64_ld(reg + i), gic == 3 ? v3[i] : v2[i]);
		}
		free(guest);
	}
}

static void guest_gets_wishes(void **state)
{
	struct run_wishes wishes = {.mem = 6144 * RUN_MIB,
				    .conduit_smc = false,
				    .bootargs = "quiet x=\"y z\"",
				    .model = "ACME A1",
				    .initrd = 0x42000000,
				    .initrd_bytes = 0x123457};
	void *guest;
	const fdt64_t *reg;
	int length = 0, at;

	(void)state;
	memset(wishes.rng_seed, 0x5a, sizeof(wishes.rng_seed));
	memset(wishes.kaslr_seed, 0xa5, sizeof(wishes.kaslr_seed));
	guest = make_guest(3, &wishes);
	assert_string_equal(fdt_getprop(guest, fdt_path_offset(guest, "/psci"), "method", NULL),
			    "hvc");
	assert_string_equal(fdt_getprop(guest, 0, "model", NULL), "ACME A1");
	reg = fdt_getprop(guest, fdt_path_offset(guest, "/memory@40000000"), "reg", &length);
	assert_int_equal(length, 16);
	assert_int_equal(fdt64_ld(reg), EL2_GUEST_IPA);
	assert_int_equal(fdt64_ld(reg + 1), 6144 * RUN_MIB);
	at = fdt_path_offset(guest, "/chosen");
	assert_string_equal(fdt_getprop(guest, at, "stdout-path", NULL), "/pl011@9000000");
	assert_string_equal(fdt_getprop(guest, at, "bootargs", NULL), wishes.bootargs);
	assert_int_equal(fdt64_ld(fdt_getprop(guest, at, "linux,initrd-start", NULL)), 0x42000000);
	assert_int_equal(fdt64_ld(fdt_getprop(guest, at, "linux,initrd-end", NULL)), 0x42123457);
	assert_memory_equal(fdt_getprop(guest, at, "rng-seed", NULL), wishes.rng_seed, 64);
	assert_memory_equal(fdt_getprop(guest, at, "kaslr-seed", NULL), wishes.kaslr_seed, 8);
	free(guest);
	wishes = (struct run_wishes){.mem = 512 * RUN_MIB, .conduit_smc = true};
	guest = make_guest(3, &wishes);
	assert_string_equal(fdt_getprop(guest, fdt_path_offset(guest, "/psci"), "method", NULL),
			    "smc");
	at = fdt_path_offset(guest, "/chosen");
	assert_null(fdt_getprop(guest, at, "bootargs", NULL));
	assert_null(fdt_getprop(guest, at, "linux,initrd-start", NULL));
	free(guest);
}

/* The monitor is told where the seeds lie, so that each boot has its own. */
static void tells_seeds(void **state)
{
	struct run_wishes wishes = {.mem = 512 * RUN_MIB};
	struct el2_seed seeds[EL2_MAX_SEEDS] = {{0}};
	const uint8_t *guest;

	(void)state;
	memset(wishes.rng_seed, 0x5a, sizeof(wishes.rng_seed));
	memset(wishes.kaslr_seed, 0xa5, sizeof(wishes.kaslr_seed));
	guest = make_guest(3, &wishes);
	assert_int_equal(run_devicetree_seeds(guest, 0x42000000, seeds), 2);
	assert_int_equal(seeds[0].bytes, 64);
	assert_int_equal(seeds[0].ipa % 4, 0);
	assert_memory_equal(guest + (seeds[0].ipa - 0x42000000), wishes.rng_seed, 64);
	assert_int_equal(seeds[1].bytes, 8);
	assert_int_equal(seeds[1].ipa % 4, 0);
	assert_memory_equal(guest + (seeds[1].ipa - 0x42000000), wishes.kaslr_seed, 8);
	free((void *)(uintptr_t)guest);
	make_tree(3);
	assert_int_equal(run_devicetree_seeds(tree, 0x42000000, seeds), 0);
}

static uint32_t number(const void *fdt, int at, const char *name)
{
	int length = 0;
	const fdt32_t *value = fdt_getprop(fdt, at, name, &length);

	assert_int_equal(length, 4);
	return fdt32_ld(value);
}

static struct hvc_policy *policy_of(const char *text)
{
	char path[] = "/tmp/hvcgate-devicetree-XXXXXX";
	const int fd = mkstemp(path);
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_policy *policy = NULL;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	assert_int_equal(hvc_policy_load(path, &policy, diags), HVC_OK);
	unlink(path);
	hvc_diags_free(diags);
	return policy;
}

static void check_state(const void *guest, uint32_t phandle,
			const struct hvc_policy_power_state *wanted)
{
	const int at = fdt_node_offset_by_phandle(guest, phandle);

	assert_true(at >= 0);
	assert_string_equal(fdt_get_name(guest, at, NULL), wanted->name);
	assert_int_equal(fdt_node_check_compatible(guest, at, "arm,idle-state"), 0);
	assert_int_equal(number(guest, at, "arm,psci-suspend-param"), wanted->param);
	assert_int_equal(number(guest, at, "entry-latency-us"), wanted->entry_us);
	assert_int_equal(number(guest, at, "exit-latency-us"), wanted->exit_us);
	assert_int_equal(number(guest, at, "min-residency-us"), wanted->residency_us);
}

/* Each CPU can enter each state, in the policy's order. */
static void describes_power_states(void **state)
{
	struct run_wishes wishes = {.mem = 512 * RUN_MIB};
	void *guest = make_guest(3, &wishes);

	(void)state;
	assert_true(fdt_path_offset(guest, "/cpus/idle-states") < 0);
	assert_null(
		fdt_getprop(guest, fdt_path_offset(guest, "/cpus/cpu@0"), "cpu-idle-states", NULL));
	free(guest);
	wishes.policy = policy_of("hvcgate: 1\nprofile: hvcgate-2\npower-states:\n"
				  "  - {name: rest, param: 0x1, exit-latency: 7us}\n"
				  "  - {name: gone, param: 0x1010002, level: cluster}\n");
	guest = make_guest(3, &wishes);
	assert_string_equal(fdt_getprop(guest, fdt_path_offset(guest, "/cpus/idle-states"),
					"entry-method", NULL),
			    "psci");
	for (unsigned int cpu = 0; cpu < 3; cpu++) {
		char path[32];
		int length = 0, at;
		const fdt32_t *states;

		snprintf(path, sizeof(path), "/cpus/cpu@%u", cpu);
		at = fdt_path_offset(guest, path);
		assert_string_equal(fdt_getprop(guest, at, "enable-method", NULL), "psci");
		states = fdt_getprop(guest, at, "cpu-idle-states", &length);
		assert_int_equal(length, 8);
		for (unsigned int i = 0; i < 2; i++) {
			check_state(guest, fdt32_ld(states + i),
				    hvc_policy_power_state(wishes.policy, i));
		}
	}
	free(guest);
	hvc_policy_free((struct hvc_policy *)(uintptr_t)wishes.policy);
}

/* Text without its NUL is no text; nothing behind it is read. */
static void wants_terminated_text(void **state)
{
	const struct run_wishes wishes = {.mem = 512 * RUN_MIB};
	struct run_machine machine;
	void *guest = NULL;
	size_t bytes = 0;
	int at;

	(void)state;
	make_tree(3);
	at = fdt_path_offset(tree, "/cpus/cpu@2");
	assert_int_equal(fdt_setprop(tree, at, "device_type", "cpu", 3), 0);
	assert_true(run_devicetree_read(tree, ROOM, &machine));
	assert_int_equal(machine.cpu_count, 2);
	make_tree(3);
	assert_true(run_devicetree_read(tree, ROOM, &machine));
	at = fdt_path_offset(tree, "/aliases");
	assert_int_equal(fdt_setprop(tree, at, "serial0", "/pl011@9000000", 14), 0);
	assert_int_equal(fdt_setprop(tree, at, "serial1", "", 0), 0);
	assert_true(run_devicetree_make(tree, ROOM, &machine, &wishes, &guest, &bytes));
	at = fdt_path_offset(guest, "/aliases");
	assert_null(fdt_getprop(guest, at, "serial0", NULL));
	assert_null(fdt_getprop(guest, at, "serial1", NULL));
	free(guest);
}

static void refuses_rubbish(void **state)
{
	struct run_machine machine;

	(void)state;
	memset(tree, 0, ROOM);
	assert_false(run_devicetree_read(tree, ROOM, &machine));
	make_tree(3);
	assert_false(run_devicetree_read(tree, fdt_totalsize(tree) / 2, &machine));
	fdt_del_node(tree, fdt_path_offset(tree, "/cpus"));
	assert_false(run_devicetree_read(tree, ROOM, &machine));
	make_tree(3);
	fdt_del_node(tree, fdt_path_offset(tree, "/cpus"));
	make_cpus(9);
	assert_false(run_devicetree_read(tree, ROOM, &machine));
	for (uint32_t count = 0; count <= 4; count++) {
		make_tree(3);
		fdt_setprop_u32(tree, fdt_path_offset(tree, "/cpus"), "#address-cells", count);
		for (unsigned int i = 0; i < 3; i++) {
			char path[32];
			int cpu;

			snprintf(path, sizeof(path), "/cpus/cpu@%u", i);
			cpu = fdt_path_offset(tree, path);
			fdt_delprop(tree, cpu, "reg");
			for (uint32_t n = 0; n < count; n++) {
				fdt_appendprop_u32(tree, cpu, "reg", i);
			}
		}
		assert_int_equal(run_devicetree_read(tree, ROOM, &machine),
				 count == 1 || count == 2);
	}
	make_tree(3);
	fdt_del_node(tree, fdt_path_offset(tree, "/intc@8000000"));
	assert_false(run_devicetree_read(tree, ROOM, &machine));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_machine),         cmocka_unit_test(keeps_the_list),
		cmocka_unit_test(guest_sees_its_gic),    cmocka_unit_test(guest_gets_wishes),
		cmocka_unit_test(refuses_rubbish),       cmocka_unit_test(tells_seeds),
		cmocka_unit_test(wants_terminated_text), cmocka_unit_test(describes_power_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
