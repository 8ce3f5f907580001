/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSCI: how often and how long nodes were in their power states (DEN0022, 5.22), and what they are in (5.19).
 *
 * A node is in a state from when its last CPU stops until the first one runs. Whoever finds it so opens its record by
 * an exchange, and looks again: a CPU that woke meanwhile has either seen the record open and closed it, or is seen
 * here. So no time is counted twice, and none while a CPU runs for longer than the two take to meet.
 */
#include "psci_stat.h"

size_t hvc_stats_size(unsigned int vcpu_count)
{
	return sizeof(struct hvc_stats) + vcpu_count * sizeof(struct cpu_stats);
}

enum hvc_err stats_init(struct hvc_vm *vm, void *memory, size_t bytes)
{
	if (memory == NULL) {
		return HVC_OK;
	}
	if ((uintptr_t)memory % 8 != 0) {
		return HVC_EFAULT;
	}
	if (bytes < hvc_stats_size(vm->vcpu_count)) {
		return HVC_ENOMEM;
	}
	memset(memory, 0, hvc_stats_size(vm->vcpu_count));
	vm->stats = memory;
	vm->stats->cpu_count = vm->vcpu_count;
	return HVC_OK;
}

/* What a CPU that does not run lets go down: its own highest level, or all there is where it is off (5.4.6). */
static unsigned int level_of(uint32_t word)
{
	return POWER_OF(word) == POWER_ON ? (word & POWER_LEVEL) >> POWER_LEVEL_LOW
					  : POWER_LEVELS - 1;
}

static bool is_down(uint32_t word)
{
	return POWER_OF(word) != POWER_ON || (word & POWER_DOWN) != 0;
}

static bool runs(uint32_t word)
{
	return POWER_OF(word) == POWER_ON_PENDING ||
	       (POWER_OF(word) == POWER_ON && (word & POWER_ASLEEP) == 0);
}

/* What one CPU asks of a node at a level that it lets go down: a declared state, -1: none that has a name. */
static int asked_state(const struct hvc_vm *vm, uint32_t word, unsigned int level)
{
	int index = (int)((word & POWER_STATE) >> POWER_STATE_LOW) - 1;

	if (POWER_OF(word) == POWER_ON && index >= 0 && level_of(word) == level) {
		return index;
	}
	return deepest_state(vm, level, is_down(word));
}

/* The votes of a node's CPUs (4.2.3). */
struct votes {
	bool runs;    /* one of them runs */
	bool shallow; /* one of them sleeps, and does not let this level go down */
	bool asked;   /* one of them sleeps, and does */
	bool standby; /* one of those that let it go down does not want it to lose state */
	int state;    /* the shallowest of what they ask */
	bool first;
};

static void vote(const struct hvc_vm *vm, struct votes *votes, uint32_t word, unsigned int level)
{
	int state;

	if (runs(word)) {
		votes->runs = true;
		return;
	}
	if (level_of(word) < level) {
		votes->shallow = true;
		return;
	}
	votes->asked |= POWER_OF(word) == POWER_ON;
	votes->standby |= !is_down(word);
	state = asked_state(vm, word, level);
	if (votes->first || state < votes->state) {
		votes->state = state;
	}
	votes->first = false;
}

enum node_state node_state(const struct hvc_vcpu *vcpu, unsigned int level, int *state)
{
	const struct hvc_vm *vm = vcpu->vm;
	struct votes votes = {.first = true};

	for (uint32_t i = 0; i < vm->vcpu_count && !votes.runs; i++) {
		if (same_node(vm->vcpus[i], vcpu, level)) {
			vote(vm, &votes, atomic_load(&vm->vcpus[i]->power), level);
		}
	}
	*state = votes.state;
	if (votes.runs) {
		return NODE_ON;
	}
	/* OS-initiated, the last one asks for all of them; else each has a say. */
	if (votes.shallow && (!votes.asked || atomic_load(&vm->suspend_mode) != SUSPEND_OS)) {
		return NODE_ON;
	}
	return votes.standby ? NODE_STANDBY : NODE_OFF;
}

/* Where the records of a vCPU's node are. */
static struct cpu_stats *stats_of(const struct hvc_vcpu *vcpu, unsigned int level)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint32_t first = 0;

	while (!same_node(vm->vcpus[first], vcpu, level)) {
		first++;
	}
	return &vm->stats->cpus[first];
}

static uint64_t now(const struct hvc_vm *vm)
{
	return vm->platform == NULL || vm->platform->now_us == NULL
		       ? 0
		       : vm->platform->now_us(vm->host);
}

static void close_record(const struct hvc_vm *vm, struct cpu_stats *stats, unsigned int level)
{
	uint64_t since;

	if (atomic_load(&stats->since[level]) == 0) {
		return;
	}
	since = atomic_exchange(&stats->since[level], 0);
	if (since != 0) {
		atomic_fetch_add_explicit(&stats->us[(since & 15) - 1], now(vm) - (since >> 4),
					  memory_order_relaxed);
	}
}

/* The node does not run as far as its CPUs say: open its record. */
static void open_record(const struct hvc_vcpu *vcpu, unsigned int level, int state,
			unsigned int add)
{
	const struct hvc_vm *vm = vcpu->vm;
	struct cpu_stats *stats = stats_of(vcpu, level);
	uint64_t none = 0;

	if (state < 0 ||
	    !atomic_compare_exchange_strong(&stats->since[level], &none,
					    now(vm) << 4 | ((unsigned int)state + 1))) {
		return;
	}
	atomic_fetch_add_explicit(&stats->count[state], add, memory_order_relaxed);
	if (node_state(vcpu, level, &state) == NODE_ON) {
		close_record(vm, stats, level);
	}
}

static void enter(const struct hvc_vcpu *vcpu, unsigned int add)
{
	int state;

	for (unsigned int level = 0; level < POWER_LEVELS; level++) {
		if (node_state(vcpu, level, &state) == NODE_ON) {
			return;
		}
		open_record(vcpu, level, state, add);
	}
}

void stats_enter(const struct hvc_vcpu *vcpu)
{
	if (vcpu->vm->stats != NULL && hvc_image_tables(vcpu->vm->image)->power_state_count != 0) {
		enter(vcpu, 1);
	}
}

void stats_leave(const struct hvc_vcpu *vcpu)
{
	if (vcpu->vm->stats == NULL) {
		return;
	}
	for (unsigned int level = 0; level < POWER_LEVELS; level++) {
		close_record(vcpu->vm, stats_of(vcpu, level), level);
	}
}

void stats_forget(struct hvc_vm *vm)
{
	if (vm->stats != NULL) {
		memset(vm->stats->cpus, 0, vm->vcpu_count * sizeof(vm->stats->cpus[0]));
	}
}

void stats_resume(struct hvc_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count && vm->stats != NULL; i++) {
		uint32_t word = power_word(vm->vcpus[i]);

		/* Before it was ever on, time did not count. */
		if (POWER_OF(word) != POWER_OFF || (word & POWER_LEFT) != 0) {
			enter(vm->vcpus[i], 0);
		}
	}
}

/* The count or time that both functions ask for; 0 for what there is not. */
static uint64_t stat(struct hvc_vcpu *vcpu, const struct hvc_frame *frame, bool time)
{
	const struct hvc_vm *vm = vcpu->vm;
	const struct hvc_tables *tables = hvc_image_tables(vm->image);
	const struct hvc_vcpu *target = vcpu_of(vm, argument(vcpu, frame, 1));
	uint32_t power_state = (uint32_t)frame->x[2];

	psci_awake(vcpu);
	for (uint32_t i = 0; i < tables->power_state_count && target != NULL; i++) {
		if (tables->power_states[i].power_state == power_state) {
			struct cpu_stats *stats = stats_of(target, tables->power_states[i].level);

			return atomic_load(time ? &stats->us[i] : &stats->count[i]);
		}
	}
	return 0;
}

/* No error is told: the result has all its bits (5.22.3). */
static enum hvc_verdict serve_count(const struct hvc_vcpu *vcpu, struct hvc_frame *frame,
				    uint64_t count)
{
	frame->x[0] = vcpu->last_id & HVC_ID_64 ? count : (uint32_t)count;
	return HVC_RESUME;
}

HVC_SERVE(PSCI_STAT_RESIDENCY)
{
	return serve_count(vcpu, frame, stat(vcpu, frame, true));
}

HVC_SERVE(PSCI_STAT_COUNT)
{
	return serve_count(vcpu, frame, stat(vcpu, frame, false));
}

/* Levels that no declared power state reaches are no power domains. */
static unsigned int highest_level(const struct hvc_vm *vm)
{
	const struct hvc_tables *tables = hvc_image_tables(vm->image);
	unsigned int highest = 0;

	for (uint32_t i = 0; i < tables->power_state_count; i++) {
		if (tables->power_states[i].level > highest) {
			highest = tables->power_states[i].level;
		}
	}
	return highest;
}

HVC_SERVE(PSCI_NODE_HW_STATE)
{
	const struct hvc_vcpu *target = vcpu_of(vcpu->vm, argument(vcpu, frame, 1));
	uint64_t level = argument(vcpu, frame, 2);
	int state;

	psci_awake(vcpu);
	if (target == NULL || level > highest_level(vcpu->vm)) {
		return serve_status(frame, PSCI_INVALID_PARAMETERS);
	}
	return serve_status(frame, (int32_t)node_state(target, (unsigned int)level, &state));
}
