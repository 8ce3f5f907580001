/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSCI: CPUs and systems that sleep (DEN0022, 5.4, 5.18, 5.20, 5.21).
 *
 * Coordination in OS-initiated mode looks at the other CPUs' words and then publishes its own. Two CPUs of a node that
 * ask at once each see the other run, and both are denied; both granted is impossible, because who is granted sleeps.
 */
#include "psci.h"

/* Bits of power_state (5.4.2) that must be zero, and the one that says power-down: original and extended format. */
static const struct {
	uint32_t reserved, down;
} formats[] = {{0xfcfe0000u, 1u << 16}, {0xb0000000u, 1u << 30}};

bool state_is_down(const struct hvc_vm *vm, uint32_t power_state)
{
	return (power_state & formats[vm->image->settings.power_state_format].down) != 0;
}

int deepest_state(const struct hvc_vm *vm, unsigned int level, bool down)
{
	const struct hvc_tables *tables = hvc_image_tables(vm->image);

	for (int i = (int)tables->power_state_count - 1; i >= 0; i--) {
		const struct hvc_power_state *state = &tables->power_states[i];

		if (state->level == level && state_is_down(vm, state->power_state) == down) {
			return i;
		}
	}
	return -1;
}

/* What a power_state means, as bits of the power word; 0: it is none. Without declared states any well-formed one is;
 * the original format has its level in it, of the extended one it is not known. */
static uint32_t sleep_of(const struct hvc_vm *vm, uint32_t power_state)
{
	const struct hvc_tables *tables = hvc_image_tables(vm->image);
	uint32_t format = vm->image->settings.power_state_format;
	uint32_t word = POWER_ASLEEP | (state_is_down(vm, power_state) ? POWER_DOWN : 0);

	if (tables->power_state_count == 0) {
		uint32_t level = format == 0 ? power_state >> 24 & 3 : 0;

		return power_state & formats[format].reserved ? 0 : word | level << POWER_LEVEL_LOW;
	}
	for (uint32_t i = 0; i < tables->power_state_count; i++) {
		if (tables->power_states[i].power_state == power_state) {
			return word | tables->power_states[i].level << POWER_LEVEL_LOW |
			       (i + 1) << POWER_STATE_LOW;
		}
	}
	return 0;
}

/* Does a CPU do something, or could it at any time without an interrupt? Frozen ones count (5.17.3). */
static bool is_running(uint32_t word)
{
	return POWER_OF(word) != POWER_OFF && (word & POWER_ASLEEP) == 0;
}

static uint32_t sleep_level(uint32_t word)
{
	return (word & POWER_LEVEL) >> POWER_LEVEL_LOW;
}

/* Nobody runs in a node below the caller's, but nobody let it go down either. */
static bool left_on(const struct hvc_vcpu *member, unsigned int level)
{
	const struct hvc_vm *vm = member->vm;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		uint32_t word = power_word(vm->vcpus[i]);

		if (!same_node(vm->vcpus[i], member, level) || POWER_OF(word) == POWER_OFF) {
			continue;
		}
		if (is_running(word) || sleep_level(word) >= level) {
			return false;
		}
	}
	return true;
}

/* Does a CPU that sleeps keep something up that the caller wants to go down? */
static bool keeps_up(const struct hvc_vcpu *caller, uint32_t wanted, const struct hvc_vcpu *other,
		     uint32_t word)
{
	unsigned int common = 1;

	if ((wanted & POWER_DOWN) != 0 && (word & POWER_DOWN) == 0) {
		return true;
	}
	while (!same_node(caller, other, common)) {
		common++;
	}
	return common > 1 && left_on(other, common - 1);
}

/* OS-initiated: is the caller the last one at the level it asks for, and is the rest as deep (5.4.5)? */
static int32_t coordinate(const struct hvc_vcpu *vcpu, uint32_t wanted)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint32_t level = sleep_level(wanted);
	bool running = false;

	for (uint32_t i = 0; i < vm->vcpu_count && level != 0; i++) {
		const struct hvc_vcpu *other = vm->vcpus[i];
		uint32_t word = power_word(other);

		if (other == vcpu || !same_node(vcpu, other, level) ||
		    POWER_OF(word) == POWER_OFF) {
			continue;
		}
		if (is_running(word)) {
			running = true;
		} else if (keeps_up(vcpu, wanted, other, word)) {
			return PSCI_INVALID_PARAMETERS;
		}
	}
	return running ? PSCI_DENIED : PSCI_SUCCESS;
}

/* The mode a CPU_SUSPEND that is well-formed is judged in. From the first one on it cannot become OS-initiated. */
static uint8_t suspend_mode(struct hvc_vm *vm)
{
	uint8_t mode = atomic_load(&vm->suspend_mode);

	if (mode == SUSPEND_PLATFORM && vm->image->settings.os_initiated != 0 &&
	    atomic_compare_exchange_strong(&vm->suspend_mode, &mode, SUSPEND_PLATFORM_USED)) {
		mode = SUSPEND_PLATFORM_USED;
	}
	return mode;
}

static void fall_asleep(struct hvc_vcpu *vcpu, uint32_t word)
{
	atomic_fetch_or(&vcpu->power, word);
	stats_enter(vcpu);
}

void psci_wake(struct hvc_vcpu *vcpu)
{
	atomic_fetch_and(&vcpu->power, ~POWER_SLEEP);
	stats_leave(vcpu);
}

void hvc_vcpu_woke(struct hvc_vcpu *vcpu)
{
	psci_awake(vcpu);
}

static enum hvc_verdict powerdown(struct hvc_vcpu *vcpu, enum hvc_verdict verdict, uint32_t word,
				  uint64_t entry, uint64_t context)
{
	vcpu->request_entry = entry;
	vcpu->request_value = context;
	vcpu->request_type = 0;
	fall_asleep(vcpu, word);
	return verdict;
}

static enum hvc_verdict cpu_suspend(struct hvc_vcpu *vcpu, struct hvc_frame *frame, uint64_t entry,
				    uint64_t context)
{
	struct hvc_vm *vm = vcpu->vm;
	uint32_t word = sleep_of(vm, (uint32_t)frame->x[1]);
	int32_t status = PSCI_SUCCESS;

	if (vm_quirk(vm, HVC_QUIRK_SUSPEND_WAITS)) {
		serve_status(frame, PSCI_SUCCESS);
		return HVC_CPU_STANDBY;
	}
	psci_awake(vcpu);
	if (word == 0) {
		return serve_status(frame, PSCI_INVALID_PARAMETERS);
	}
	if ((word & POWER_DOWN) != 0 && !entry_valid(vm, entry)) {
		return serve_status(frame, invalid_address(vm));
	}
	if (suspend_mode(vm) == SUSPEND_OS) {
		status = coordinate(vcpu, word);
	}
	if (status != PSCI_SUCCESS) {
		return serve_status(frame, status);
	}
	if ((word & POWER_DOWN) != 0) {
		return powerdown(vcpu, HVC_CPU_POWERDOWN, word, entry, context);
	}
	fall_asleep(vcpu, word);
	serve_status(frame, PSCI_SUCCESS);
	return HVC_CPU_STANDBY;
}

HVC_SERVE(PSCI_CPU_SUSPEND)
{
	return cpu_suspend(vcpu, frame, argument(vcpu, frame, 2), argument(vcpu, frame, 3));
}

HVC_SERVE(PSCI_0_1_CPU_SUSPEND)
{
	return cpu_suspend(vcpu, frame, frame->x[2], frame->x[3]);
}

/* A power-down of this CPU alone, in whichever mode: what is above it stays up. */
HVC_SERVE(PSCI_CPU_DEFAULT_SUSPEND)
{
	uint64_t entry = argument(vcpu, frame, 1);

	psci_awake(vcpu);
	if (!entry_valid(vcpu->vm, entry)) {
		return serve_status(frame, invalid_address(vcpu->vm));
	}
	return powerdown(vcpu, HVC_CPU_POWERDOWN, POWER_ASLEEP | POWER_DOWN, entry,
			 argument(vcpu, frame, 2));
}

/* Each counts up only: the sum is the same again if each is. */
static uint32_t starts_of(const struct hvc_vm *vm)
{
	uint32_t starts = 0;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		starts += atomic_load(&vm->vcpus[i]->starts);
	}
	return starts;
}

/*
 * Every other CPU must be off (5.20, 5.21), and at one moment: one that was found off may have been started since, by one
 * that then went off and is found so. Who starts another counts that before it can go off; so where nobody was started
 * meanwhile all are off still, and else one was running.
 */
static bool others_off(const struct hvc_vcpu *vcpu)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint32_t starts = starts_of(vm);

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (i != vcpu->index && hvc_vcpu_power(vm->vcpus[i]) != POWER_OFF) {
			return false;
		}
	}
	return starts_of(vm) == starts;
}

HVC_SERVE(PSCI_SYSTEM_SUSPEND)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint64_t entry = argument(vcpu, frame, 1);

	psci_awake(vcpu);
	if (!vm_quirk(vm, HVC_QUIRK_SUSPEND_UNCHECKED) && !others_off(vcpu)) {
		return serve_status(frame, PSCI_DENIED);
	}
	if (!entry_valid(vm, entry)) {
		return serve_status(frame, invalid_address(vm));
	}
	return powerdown(vcpu, HVC_SYSTEM_SUSPEND, POWER_ASLEEP | POWER_DOWN | POWER_LEVEL, entry,
			 argument(vcpu, frame, 2));
}

/* A frozen CPU is neither running nor off. */
static bool any_frozen(const struct hvc_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (POWER_OF(power_word(vm->vcpus[i])) == POWER_FROZEN) {
			return true;
		}
	}
	return false;
}

HVC_SERVE(PSCI_SET_SUSPEND_MODE)
{
	struct hvc_vm *vm = vcpu->vm;
	uint32_t wanted = (uint32_t)frame->x[1];
	uint8_t mode = atomic_load(&vm->suspend_mode);

	psci_awake(vcpu);
	if (wanted > 1) {
		return serve_status(frame, PSCI_INVALID_PARAMETERS);
	}
	while ((mode == SUSPEND_OS) != (wanted == 1)) {
		bool possible = wanted == 1 ? mode == SUSPEND_PLATFORM && !any_frozen(vm)
					    : others_off(vcpu);

		if (!possible) {
			return serve_status(frame, PSCI_DENIED);
		}
		if (atomic_compare_exchange_strong(&vm->suspend_mode, &mode,
						   wanted == 1 ? SUSPEND_OS : SUSPEND_PLATFORM)) {
			break;
		}
	}
	return serve_status(frame, PSCI_SUCCESS);
}
