/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI (DEN0022): power states, coordination, and who is asleep. */
#include "cmocka_all.h"
#include "psci_calls.h"

enum { STANDBY = 2 };

#define ask(...)            psci_ask(HVC_CONDUIT_SMC, __VA_ARGS__)
#define turn_on(world, cpu) psci_turn_on(HVC_CONDUIT_SMC, world, cpu, mpidrs[cpu])

#define CPU_SUSPEND         0x84000001u
#define CPU_OFF             0x84000002u
#define CPU_ON              0x84000003u
#define AFFINITY_INFO       0x84000004u
#define FEATURES            0x8400000au
#define CPU_FREEZE          0x8400000bu
#define DEFAULT_SUSPEND     0x8400000cu
#define NODE_HW_STATE       0x8400000du
#define SYSTEM_SUSPEND      0x8400000eu
#define SET_SUSPEND_MODE    0x8400000fu
#define WIDE                HVC_ID_64

#define HIGH                0xffffffff00000000ull /* what SMC32 does not see */
#define RAM_END             0x80000000ull

/* What a policy declares: core standby and down, cluster down and the system down, core down in all but the first. */
#define CORE_STANDBY    0x00000001u
#define CORE_DOWN       0x00010002u
#define CLUSTER_STANDBY 0x01000011u
#define CLUSTER_DOWN    0x01010022u
#define SYSTEM_DOWN     0x02010222u

static const struct hvc_tables declared = {
	.size = sizeof(declared),
	.power_state_count = 5,
	.power_states = {{CORE_STANDBY, 0},
			 {CORE_DOWN, 0},
			 {CLUSTER_STANDBY, 1},
			 {CLUSTER_DOWN, 1},
			 {SYSTEM_DOWN, 2}},
};

/* Two clusters of two, and one CPU in a cluster of its own. */
enum { CPUS = 5 };
static const uint64_t mpidrs[CPUS] = {0x000, 0x001, 0x100, 0x101, 0x200};

struct kind {
	const struct hvc_tables *tables;
	uint32_t format, os_initiated;
};

static struct world *make(struct kind kind)
{
	struct hvc_settings settings;
	struct world *world;

	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	settings.power_state_format = kind.format;
	settings.os_initiated = kind.os_initiated;
	world = world_new(&(struct world_setup){.settings = &settings,
						.vcpu_count = CPUS,
						.tables = kind.tables,
						.host_power = true});
	for (unsigned int i = 0; i < CPUS; i++) {
		assert_int_equal(hvc_vcpu_setup(world->vcpus[i], mpidrs[i], &world->counters[i]),
				 HVC_OK);
	}
	world->ram_end = RAM_END;
	return world;
}

static enum hvc_verdict call(struct world *world, unsigned int cpu, struct hvc_frame *frame)
{
	return hvc_call(world->vcpus[cpu], HVC_CONDUIT_SMC, 0, frame);
}

static void turn_all_on(struct world *world)
{
	for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
		turn_on(world, cpu);
	}
}

static void turn_off(struct world *world, unsigned int cpu)
{
	struct hvc_frame frame = world_frame(CPU_OFF, 0, 0, 0);

	assert_int_equal(call(world, cpu, &frame), HVC_CPU_OFF);
}

/* A status, or SLEEPS and DIES for the verdicts. */
enum { SLEEPS = 1000, DIES = 1001 };
static int64_t suspend(struct world *world, unsigned int cpu, uint32_t power_state)
{
	struct hvc_frame frame = world_frame(CPU_SUSPEND | WIDE, power_state, 0x2000, 0xc0);
	enum hvc_verdict verdict = call(world, cpu, &frame);

	if (verdict == HVC_CPU_STANDBY) {
		assert_int_equal(frame.x[0], SUCCESS);
		return SLEEPS;
	}
	if (verdict == HVC_CPU_POWERDOWN) {
		struct hvc_request request = hvc_vcpu_request(world->vcpus[cpu]);

		assert_int_equal(request.entry, 0x2000);
		assert_int_equal(request.context, 0xc0);
		return DIES;
	}
	assert_int_equal(verdict, HVC_RESUME);
	return (int64_t)frame.x[0];
}

/* --- Which values are power states. */
static const struct {
	uint32_t format;
	bool declares;
	uint32_t power_state;
	uint64_t entry;
	int64_t result;
} values[] = {
	/* Original format, none declared: bits 31:26 and 23:17 are zero. */
	{0, false, 0, 1, SLEEPS},
	{0, false, 0x0300ffffu, 1, SLEEPS},
	{0, false, 0x00010000u, 0x2000, DIES},
	{0, false, 0x0301ffffu, 0x2000, DIES},
	{0, false, 0x40000000u, 0x2000, INVALID_PARAMETERS},
	{0, false, 0x04000000u, 0x2000, INVALID_PARAMETERS},
	{0, false, 0x80000000u, 0x2000, INVALID_PARAMETERS},
	{0, false, 0x00020000u, 0x2000, INVALID_PARAMETERS},
	{0, false, 0x00800000u, 0x2000, INVALID_PARAMETERS},
	{0, false, 0x00010000u, 0x2002, INVALID_ADDRESS},
	{0, false, 0x00010000u, RAM_END, INVALID_ADDRESS},
	/* Extended: bits 31, 29 and 28. */
	{1, false, 0x0fffffffu, 1, SLEEPS},
	{1, false, 0x00010000u, 1, SLEEPS},
	{1, false, 0x40000000u, 0x2000, DIES},
	{1, false, 0x4fffffffu, 0x2000, DIES},
	{1, false, 0x40000000u, 0x2001, INVALID_ADDRESS},
	{1, false, 0x80000000u, 0x2000, INVALID_PARAMETERS},
	{1, false, 0x20000000u, 0x2000, INVALID_PARAMETERS},
	{1, false, 0x10000000u, 0x2000, INVALID_PARAMETERS},
	{1, false, 0xc0000000u, 0x2000, INVALID_PARAMETERS},
	/* Declared ones, and neighbours that are well-formed. */
	{0, true, CORE_STANDBY, 1, SLEEPS},
	{0, true, CORE_DOWN, 0x2000, DIES},
	{0, true, CLUSTER_STANDBY, 1, SLEEPS},
	{0, true, SYSTEM_DOWN, 0x2000, DIES},
	{0, true, CORE_DOWN, 0x2002, INVALID_ADDRESS},
	{0, true, 0, 0x2000, INVALID_PARAMETERS},
	{0, true, 2, 0x2000, INVALID_PARAMETERS},
	{0, true, CORE_STANDBY | 1u << 16, 0x2000, INVALID_PARAMETERS},
	{0, true, CORE_DOWN | 1u << 24, 0x2000, INVALID_PARAMETERS},
	{0, true, CORE_DOWN | 1u << 31, 0x2000, INVALID_PARAMETERS},
};

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(values); i++) {
		struct world *world = make(
			(struct kind){.format = values[i].format,
				      .tables = values[i].declares ? &declared : NULL});
		struct hvc_frame frame = world_frame(CPU_SUSPEND | WIDE,
						     HIGH | values[i].power_state, values[i].entry,
						     HIGH | 7);
		enum hvc_verdict verdict = call(world, 0, &frame);

		assert_int_equal(hvc_vcpu_power(world->vcpus[0]), ON);
		if (values[i].result == SLEEPS || values[i].result == DIES) {
			assert_int_equal(verdict, values[i].result == SLEEPS ? HVC_CPU_STANDBY
									     : HVC_CPU_POWERDOWN);
			/* Each CPU says what it is in, until it wakes. */
			assert_int_equal(ask(world, 1, NODE_HW_STATE, 0, 0),
					 values[i].result == SLEEPS ? STANDBY : OFF);
			assert_int_equal(ask(world, 1, AFFINITY_INFO, 0, 0), ON);
			hvc_vcpu_woke(world->vcpus[0]);
			assert_int_equal(ask(world, 1, NODE_HW_STATE, 0, 0), ON);
		} else {
			assert_int_equal(verdict, HVC_RESUME);
			assert_int_equal(frame.x[0], STATUS(values[i].result));
			assert_int_equal(ask(world, 1, NODE_HW_STATE, 0, 0), ON);
		}
		world_free(world);
	}
}

/* --- PSCI_FEATURES of CPU_SUSPEND: bit 0 OS-initiated, bit 1 extended. */
static void test_flags(void **state)
{
	static const struct paint no_mode[] = {{SET_SUSPEND_MODE, SET_SUSPEND_MODE, HVC_DENY}};

	(void)state;
	for (uint32_t i = 0; i < 16; i++) {
		struct hvc_settings settings;
		struct world *world;
		bool denied = i >> 2 & 1, raw = i >> 3;
		uint32_t says = (i & 2) | ((i & 1) && (!denied || raw) ? 1 : 0);

		assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
		settings.os_initiated = i & 1;
		settings.power_state_format = i >> 1 & 1;
		settings.discovery = raw ? HVC_DISCOVERY_RAW : HVC_DISCOVERY_COHERENT;
		world = world_new(&(struct world_setup){
			.settings = &settings, .rules = no_mode, .rule_count = denied ? 1 : 0});
		assert_int_equal(ask(world, 0, FEATURES, CPU_SUSPEND, 0), says);
		assert_int_equal(ask(world, 0, FEATURES, CPU_SUSPEND | WIDE, 0), says);
		assert_int_equal(ask(world, 0, FEATURES, SET_SUSPEND_MODE, 0),
				 says & 1 ? 0 : STATUS(NOT_SUPPORTED));
		assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 0, 0),
				 (i & 1) && !denied ? SUCCESS : STATUS(NOT_SUPPORTED));
		world_free(world);
	}
}

/* --- OS-initiated: who may ask for what. */
enum act { RUN, GO_OFF, FREEZE, STARTING, DOZE, DOWN, C_DOZE, C_DOWN, S_DOWN, DEFAULT };

/* In the order given; all CPUs are on before. */
static void put(struct world *world, unsigned int cpu, enum act act)
{
	static const uint32_t power_states[] = {[DOZE] = CORE_STANDBY,
						[DOWN] = CORE_DOWN,
						[C_DOZE] = CLUSTER_STANDBY,
						[C_DOWN] = CLUSTER_DOWN,
						[S_DOWN] = SYSTEM_DOWN};
	struct hvc_frame frame;

	switch (act) {
	case RUN:
		return;
	case GO_OFF:
	case STARTING:
		turn_off(world, cpu);
		if (act == STARTING) {
			assert_int_equal(ask(world, 0, CPU_ON, mpidrs[cpu], 0x1000), SUCCESS);
		}
		return;
	case FREEZE:
		frame = world_frame(CPU_FREEZE, 0, 0, 0);
		assert_int_equal(call(world, cpu, &frame), HVC_CPU_FREEZE);
		return;
	case DEFAULT:
		frame = world_frame(DEFAULT_SUSPEND | WIDE, 0x2000, 0, 0);
		assert_int_equal(call(world, cpu, &frame), HVC_CPU_POWERDOWN);
		return;
	default:
		assert_in_range(suspend(world, cpu, power_states[act]), SLEEPS, DIES);
	}
}

static const struct {
	enum act others[CPUS - 1]; /* CPUs 1 to 4, CPU 0 asks */
	uint32_t power_state;
	int64_t result;
} asks[] = {
	/* Its own core: whatever the others do. */
	{{RUN, RUN, RUN, RUN}, CORE_DOWN, DIES},
	{{RUN, RUN, RUN, RUN}, CORE_STANDBY, SLEEPS},
	{{DOZE, RUN, RUN, RUN}, CORE_DOWN, DIES},
	/* The cluster: the other CPU of it must not run, and be as deep. */
	{{RUN, RUN, RUN, RUN}, CLUSTER_DOWN, DENIED},
	{{RUN, RUN, RUN, RUN}, CLUSTER_STANDBY, DENIED},
	{{STARTING, RUN, RUN, RUN}, CLUSTER_DOWN, DENIED},
	{{FREEZE, RUN, RUN, RUN}, CLUSTER_DOWN, DENIED},
	{{GO_OFF, RUN, RUN, RUN}, CLUSTER_DOWN, DIES},
	{{GO_OFF, RUN, RUN, RUN}, CLUSTER_STANDBY, SLEEPS},
	{{DOWN, RUN, RUN, RUN}, CLUSTER_DOWN, DIES},
	{{DEFAULT, RUN, RUN, RUN}, CLUSTER_DOWN, DIES},
	{{DOZE, RUN, RUN, RUN}, CLUSTER_DOWN, INVALID_PARAMETERS},
	{{DOZE, RUN, RUN, RUN}, CLUSTER_STANDBY, SLEEPS},
	{{DOWN, RUN, RUN, RUN}, CLUSTER_STANDBY, SLEEPS},
	/* The system: every other cluster must have been let go down, too. */
	{{RUN, RUN, RUN, RUN}, SYSTEM_DOWN, DENIED},
	{{DOWN, GO_OFF, GO_OFF, GO_OFF}, SYSTEM_DOWN, DIES},
	{{GO_OFF, DOWN, C_DOWN, C_DOWN}, SYSTEM_DOWN, DIES},
	{{GO_OFF, DOWN, GO_OFF, GO_OFF}, SYSTEM_DOWN, INVALID_PARAMETERS},
	{{GO_OFF, DOWN, DOWN, GO_OFF}, SYSTEM_DOWN, INVALID_PARAMETERS},
	{{GO_OFF, GO_OFF, C_DOWN, DOWN}, SYSTEM_DOWN, INVALID_PARAMETERS},
	{{GO_OFF, GO_OFF, C_DOZE, GO_OFF}, SYSTEM_DOWN, INVALID_PARAMETERS},
	{{GO_OFF, DOZE, C_DOZE, GO_OFF}, SYSTEM_DOWN, INVALID_PARAMETERS},
	/* One CPU of the other cluster runs: that is all that is wrong with it. */
	{{GO_OFF, DOWN, RUN, GO_OFF}, SYSTEM_DOWN, DENIED},
	{{GO_OFF, GO_OFF, GO_OFF, RUN}, SYSTEM_DOWN, DENIED},
	/* One sleeps too shallow, another runs: wrong, not late. */
	{{DOZE, GO_OFF, GO_OFF, RUN}, SYSTEM_DOWN, INVALID_PARAMETERS},
	/* What asks for the system lets its cluster go as well. */
	{{GO_OFF, GO_OFF, GO_OFF, C_DOWN}, SYSTEM_DOWN, DIES},
};

static void test_coordination(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(asks) * 2; i++) {
		bool os_initiated = i % 2 == 0;
		struct world *world = make(
			(struct kind){.tables = &declared, .os_initiated = os_initiated});
		int64_t result = asks[i / 2].result;

		turn_all_on(world);
		if (os_initiated) {
			assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 1, 0), SUCCESS);
		} else if (result < 0) {
			/* Platform-coordinated it is a vote, and never wrong. */
			result = asks[i / 2].power_state == CLUSTER_STANDBY ? SLEEPS : DIES;
		}
		for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
			put(world, cpu, asks[i / 2].others[cpu - 1]);
		}
		assert_int_equal(suspend(world, 0, asks[i / 2].power_state), result);
		world_free(world);
	}
}

/* Denied, it runs on and may ask for less; who woke counts as running, with hvc_vcpu_woke() or the next call. */
static void test_wakes(void **state)
{
	(void)state;
	for (unsigned int told = 0; told < 2; told++) {
		struct world *world = make((struct kind){.tables = &declared, .os_initiated = 1});

		turn_on(world, 1);
		assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 1, 0), SUCCESS);
		assert_int_equal(suspend(world, 0, CLUSTER_DOWN), DENIED);
		assert_int_equal(suspend(world, 1, CORE_DOWN), DIES);
		assert_int_equal(suspend(world, 0, CLUSTER_DOWN), DIES);
		assert_int_equal(ask(world, 2, NODE_HW_STATE, 0, 1), OFF);
		if (told) {
			hvc_vcpu_woke(world->vcpus[1]);
		} else {
			assert_int_equal(ask(world, 1, AFFINITY_INFO, 0, 0), ON);
		}
		assert_int_equal(ask(world, 2, NODE_HW_STATE, 0, 1), ON);
		assert_int_equal(ask(world, 2, NODE_HW_STATE, 1, 0), ON);
		assert_int_equal(ask(world, 2, NODE_HW_STATE, 0, 0), OFF);
		/* CPU 0 sleeps, deep enough for all that its cluster may be in. */
		assert_int_equal(suspend(world, 1, CLUSTER_DOWN), DIES);
		hvc_vcpu_woke(world->vcpus[0]);
		assert_int_equal(suspend(world, 0, CLUSTER_DOWN), DIES);
		world_free(world);
	}
}

/* --- Modes. */
static void test_modes(void **state)
{
	struct world *world = make((struct kind){.tables = &declared, .os_initiated = 1});

	(void)state;
	turn_on(world, 1);
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 2, 0), STATUS(INVALID_PARAMETERS));
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 0xffffffffu, 0),
			 STATUS(INVALID_PARAMETERS));
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, HIGH, 0), SUCCESS); /* as it is */
	/* What is refused is not use; CPU_DEFAULT_SUSPEND is not either. */
	assert_int_equal(suspend(world, 0, 0), INVALID_PARAMETERS);
	put(world, 1, DEFAULT);
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, HIGH | 1, 0), SUCCESS);
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 1, 0), SUCCESS);
	/* Back: alone only. */
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 0, 0), STATUS(DENIED));
	hvc_vcpu_woke(world->vcpus[1]);
	turn_off(world, 1);
	assert_int_equal(ask(world, 0, CPU_ON, 1, 0x1000), SUCCESS);
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 0, 0), STATUS(DENIED));
	hvc_vcpu_started(world->vcpus[1]);
	assert_int_equal(suspend(world, 1, CORE_DOWN),
			 DIES); /* OS-initiated: no use of the other */
	hvc_vcpu_woke(world->vcpus[1]);
	turn_off(world, 1);
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 0, 0), SUCCESS);
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 1, 0), SUCCESS);
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 0, 0), SUCCESS);
	/* Used since: not again. */
	assert_int_equal(suspend(world, 0, CORE_STANDBY), SLEEPS);
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 1, 0), STATUS(DENIED));
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 0, 0), SUCCESS);
	world_free(world);
}

/* A frozen CPU is neither running nor off: neither change of mode. */
static void test_modes_frozen(void **state)
{
	struct world *world = make((struct kind){.tables = &declared, .os_initiated = 1});

	(void)state;
	turn_on(world, 3);
	put(world, 3, FREEZE);
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 1, 0), STATUS(DENIED));
	turn_on(world, 3);
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 1, 0), SUCCESS);
	put(world, 3, FREEZE);
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 0, 0), STATUS(DENIED));
	world_free(world);
}

/* --- CPU_DEFAULT_SUSPEND and SYSTEM_SUSPEND. */
static const struct {
	uint32_t id;
	uint64_t entry, context;
	enum hvc_verdict verdict;
	int32_t status;
	uint64_t starts, with;
} entries[] = {
	{DEFAULT_SUSPEND, HIGH | 0x2000, HIGH | 5, HVC_CPU_POWERDOWN, 0, 0x2000, 5},
	{DEFAULT_SUSPEND | WIDE, 0x2000, HIGH | 5, HVC_CPU_POWERDOWN, 0, 0x2000, HIGH | 5},
	{DEFAULT_SUSPEND | WIDE, HIGH | 0x2000, 5, HVC_RESUME, INVALID_ADDRESS, 0, 0},
	{DEFAULT_SUSPEND, 0x2001, 5, HVC_RESUME, INVALID_ADDRESS, 0, 0},
	{DEFAULT_SUSPEND, RAM_END, 5, HVC_RESUME, INVALID_ADDRESS, 0, 0},
	{SYSTEM_SUSPEND, HIGH | 0x2000, HIGH | 5, HVC_SYSTEM_SUSPEND, 0, 0x2000, 5},
	{SYSTEM_SUSPEND | WIDE, 0x2000, HIGH | 5, HVC_SYSTEM_SUSPEND, 0, 0x2000, HIGH | 5},
	{SYSTEM_SUSPEND, 0x2001, 5, HVC_RESUME, INVALID_ADDRESS, 0, 0},
	{SYSTEM_SUSPEND, RAM_END, 5, HVC_RESUME, INVALID_ADDRESS, 0, 0},
};

static void test_entries(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		struct world *world = make((struct kind){.tables = &declared});
		struct hvc_frame frame = world_frame(entries[i].id, entries[i].entry,
						     entries[i].context, 9);
		struct hvc_request request;
		bool system = (entries[i].id & ~WIDE) == SYSTEM_SUSPEND;

		assert_int_equal(call(world, 0, &frame), entries[i].verdict);
		request = hvc_vcpu_request(world->vcpus[0]);
		if (entries[i].verdict == HVC_RESUME) {
			assert_int_equal(frame.x[0], STATUS(entries[i].status));
		} else {
			assert_int_equal(request.entry, entries[i].starts);
			assert_int_equal(request.context, entries[i].with);
			assert_int_equal(request.function,
					 system ? HVC_FN_PSCI_SYSTEM_SUSPEND
						: HVC_FN_PSCI_CPU_DEFAULT_SUSPEND);
			assert_int_equal(ask(world, 1, NODE_HW_STATE, 0, 0), OFF);
			/* The cluster's other CPU is off; only a suspended system lets the cluster go. */
			assert_int_equal(ask(world, 1, NODE_HW_STATE, 0, 1), system ? OFF : ON);
		}
		world_free(world);
	}
}

/* SYSTEM_SUSPEND: every other CPU off; asleep and frozen are not. */
static void test_system_suspend_denied(void **state)
{
	static const enum act acts[] = {RUN, STARTING, FREEZE, DOZE, S_DOWN, DEFAULT};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(acts); i++) {
		struct world *world = make((struct kind){.tables = &declared});

		turn_on(world, 4);
		put(world, 4, acts[i]);
		assert_int_equal(ask(world, 0, SYSTEM_SUSPEND, 0x2000, 0), STATUS(DENIED));
		world_free(world);
	}
}

/* --- Nodes as they are. */
static const struct {
	enum act cpus[CPUS];
	uint64_t target, level;
	int32_t status;
} nodes[] = {
	{{RUN, RUN, RUN, RUN, RUN}, 0x101, 0, ON},
	{{RUN, RUN, RUN, DOZE, RUN}, 0x101, 0, STANDBY},
	{{RUN, RUN, RUN, DOWN, RUN}, 0x101, 0, OFF},
	{{RUN, RUN, RUN, GO_OFF, RUN}, 0x101, 0, OFF},
	{{RUN, RUN, RUN, FREEZE, RUN}, 0x101, 0, OFF},
	{{RUN, RUN, RUN, STARTING, RUN}, 0x101, 0, ON},
	/* A cluster is in what its CPUs agree on. */
	{{RUN, RUN, DOWN, DOWN, RUN}, 0x101, 1, ON},
	{{RUN, RUN, C_DOWN, DOWN, RUN}, 0x101, 1, ON},
	{{RUN, RUN, C_DOWN, C_DOWN, RUN}, 0x101, 1, OFF},
	{{RUN, RUN, C_DOWN, C_DOZE, RUN}, 0x101, 1, STANDBY},
	{{RUN, RUN, C_DOWN, GO_OFF, RUN}, 0x101, 1, OFF},
	{{RUN, RUN, GO_OFF, GO_OFF, RUN}, 0x100, 1, OFF},
	{{RUN, RUN, S_DOWN, GO_OFF, RUN}, 0x100, 1, OFF},
	{{RUN, RUN, RUN, C_DOWN, RUN}, 0x101, 1, ON},
	{{RUN, GO_OFF, GO_OFF, GO_OFF, GO_OFF}, 0x101, 2, ON},
	{{RUN, RUN, RUN, RUN, C_DOWN}, 0x200, 1, OFF},
	{{RUN, RUN, RUN, RUN, C_DOZE}, 0x200, 1, STANDBY},
	/* No such node. */
	{{RUN, RUN, RUN, RUN, RUN}, 0x002, 0, INVALID_PARAMETERS},
	{{RUN, RUN, RUN, RUN, RUN}, 0x80000000u, 0, INVALID_PARAMETERS},
	{{RUN, RUN, RUN, RUN, RUN}, 0x101, 3, INVALID_PARAMETERS}, /* no state reaches it */
	{{RUN, RUN, RUN, RUN, RUN}, 0x101, 4, INVALID_PARAMETERS},
};

static void test_nodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(nodes); i++) {
		struct world *world = make((struct kind){.tables = &declared});

		turn_all_on(world);
		for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
			put(world, cpu, nodes[i].cpus[cpu]);
		}
		assert_int_equal(ask(world, 0, NODE_HW_STATE, nodes[i].target, nodes[i].level),
				 STATUS(nodes[i].status));
		world_free(world);
	}
}

/* 32 bits of the SMC32 form's arguments, 64 of the other's; without declared states a CPU is all there is. */
static void test_node_widths(void **state)
{
	struct world *world = make((struct kind){.tables = &declared});
	struct world *plain = make((struct kind){0});

	(void)state;
	assert_int_equal(ask(world, 0, NODE_HW_STATE, HIGH | 0x101, HIGH | 1), OFF);
	assert_int_equal(ask(world, 0, NODE_HW_STATE | WIDE, HIGH | 0x101, 0),
			 STATUS(INVALID_PARAMETERS));
	assert_int_equal(ask(world, 0, NODE_HW_STATE | WIDE, 0x101, 1ull << 32),
			 STATUS(INVALID_PARAMETERS));
	assert_int_equal(ask(plain, 0, NODE_HW_STATE, 0, 0), ON);
	assert_int_equal(ask(plain, 0, NODE_HW_STATE, 0x100, 0), OFF);
	assert_int_equal(ask(plain, 0, NODE_HW_STATE, 0, 1), STATUS(INVALID_PARAMETERS));
	world_free(plain);
	world_free(world);
}

/* Without declared states the original format says the level itself. */
static void test_undeclared_levels(void **state)
{
	struct world *world = make((struct kind){.os_initiated = 1});
	struct world *extended = make((struct kind){.os_initiated = 1, .format = 1});

	(void)state;
	turn_on(world, 1);
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 1, 0), SUCCESS);
	assert_int_equal(suspend(world, 0, 0x01010000u), DENIED);
	assert_int_equal(suspend(world, 0, 0x00010000u), DIES);
	assert_int_equal(suspend(world, 1, 0x01010000u), DIES);
	turn_on(extended, 1);
	assert_int_equal(ask(extended, 0, SET_SUSPEND_MODE, 1, 0), SUCCESS);
	assert_int_equal(suspend(extended, 0, 0x41010000u), DIES);
	world_free(extended);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_coordination),
		cmocka_unit_test(test_wakes),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_modes_frozen),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_system_suspend_denied),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_node_widths),
		cmocka_unit_test(test_undeclared_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
