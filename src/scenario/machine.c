/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations on a VM of the engine. */
#include <hvcgate/event.h>
#include <hvcgate/forward.h>
#include <hvcgate/live.h>
#include <hvcgate/save.h>

#include "machine.h"

#define RAM_BASE  0x40000000ull
#define RAM_BYTES (128ull << 20)

void scn_machine_begin(struct scn_machine *machine, struct hvc_vm *vm,
		       struct hvc_vcpu *const *vcpus, unsigned int count)
{
	*machine = (struct scn_machine){.saved = machine->saved, .vm = vm, .count = count};
	for (unsigned int i = 0; i < count; i++) {
		machine->cpus[i].vcpu = vcpus[i];
	}
	machine->cpus[0].state = SCN_CPU_RUNS;
}

void scn_machine_start(struct scn_machine *machine, unsigned int cpu)
{
	machine->cpus[cpu].state = SCN_CPU_STARTS;
}

uint64_t scn_machine_now_us(const struct scn_machine *machine)
{
	return machine->us;
}

bool scn_machine_is_ram(uint64_t ipa, uint64_t bytes)
{
	return ipa >= RAM_BASE && ipa - RAM_BASE < RAM_BYTES &&
	       bytes <= RAM_BYTES - (ipa - RAM_BASE);
}

/* --- Results. */
static void answer(struct scn_result *result, enum hvc_err err)
{
	result->kind = err == HVC_OK ? SCN_OK : SCN_ERROR;
	result->err = err;
}

static void broken(struct scn_result *result, const char *reason)
{
	result->kind = SCN_BROKEN;
	result->reason = reason;
}

/* The line is not for the state that its CPU is in: nothing is done. */
static void not_run(struct scn_result *result, const char *reason)
{
	result->kind = SCN_NOT_RUN;
	result->reason = reason;
}

static void list_registers(const struct scn_machine *machine, struct scn_result *result)
{
	uint32_t count = SCN_LIST_MAX;

	answer(result, hvc_vm_list_regs(machine->vm, result->list, &count));
	if (result->kind == SCN_OK) {
		result->kind = SCN_IDS;
		result->list_count = count;
	}
}

static void add_range(struct scn_result *result, uint32_t first, uint32_t last, uint8_t action)
{
	if (result->list_count + 2 > SCN_LIST_MAX) {
		broken(result, "more rules than a result can hold");
		return;
	}
	result->actions[result->list_count / 2] = action;
	result->list[result->list_count++] = first;
	result->list[result->list_count++] = last;
}

static void list_rules(const struct scn_machine *machine, struct scn_result *result)
{
	struct hvc_filter_span span = {0};

	result->kind = SCN_IDS;
	for (uint64_t id = 0; id <= UINT32_MAX && result->kind == SCN_IDS;
	     id = (uint64_t)span.last + 1) {
		span = hvc_filter_span(machine->vm, (uint32_t)id);
		if (span.last < id) {
			broken(result, "hvc_filter_span() does not move on");
		} else if (span.claimed) {
			add_range(result, span.first, span.last, span.action);
		}
	}
}

static void list_reserved(struct scn_result *result)
{
	const struct hvc_range *ranges;
	unsigned int count = hvc_reserved_ranges(&ranges);

	result->kind = SCN_IDS;
	for (unsigned int i = 0; i < count; i++) {
		add_range(result, ranges[i].first, ranges[i].last, HVC_HANDLE);
	}
}

static void list_events(struct scn_machine *machine, struct scn_result *result)
{
	struct hvc_event event;

	result->kind = SCN_IDS;
	while (result->list_count + 2 <= SCN_LIST_MAX && hvc_event_take(machine->vm, &event)) {
		result->list[result->list_count++] = event.sequence;
		result->list[result->list_count++] = SCN_EVENT_WORD(event.vcpu, event.conduit,
								    event.id);
	}
}

/* --- Calls. */
static void returned(struct scn_machine_cpu *cpu, struct scn_result *result)
{
	cpu->state = SCN_CPU_RUNS;
	result->kind = SCN_FRAME;
	result->frame = cpu->frame;
}

static void event(struct scn_machine *machine, unsigned int n, enum scn_event event,
		  struct scn_result *result)
{
	struct scn_machine_cpu *cpu = &machine->cpus[n];

	cpu->state = event == SCN_CPU_OFF      ? SCN_CPU_IS_OFF
		     : event == SCN_CPU_FREEZE ? SCN_CPU_IS_FROZEN
					       : SCN_CPU_STOPPED;
	if (cpu->state == SCN_CPU_STOPPED) {
		machine->pending = n;
	}
	result->kind = SCN_EVENT;
	result->event = event;
	result->event_flags = cpu->request.function == HVC_FN_PSCI_SYSTEM_OFF2 ||
			      cpu->request.function == HVC_FN_PSCI_SYSTEM_RESET2;
}

static void forwarded(struct scn_machine *machine, const struct scn_op *op,
		      struct scn_result *result)
{
	struct scn_machine_cpu *cpu = &machine->cpus[op->cpu];

	cpu->state = SCN_CPU_FORWARDED;
	machine->pending = op->cpu;
	result->kind = SCN_FORWARDED;
	result->id = hvc_vcpu_outcome(cpu->vcpu).id;
	result->conduit = op->conduit;
}

void scn_machine_called(struct scn_machine *machine, const struct scn_op *op,
			enum hvc_verdict verdict, const struct hvc_frame *frame,
			struct scn_result *result)
{
	struct scn_machine_cpu *cpu = &machine->cpus[op->cpu];

	cpu->frame = *frame;
	cpu->request = hvc_vcpu_request(cpu->vcpu);
	switch (verdict) {
	case HVC_RESUME:
		returned(cpu, result);
		break;
	case HVC_CPU_STANDBY:
		cpu->state = SCN_CPU_WAITS;
		result->kind = SCN_WAITS;
		break;
	case HVC_CPU_POWERDOWN:
		cpu->state = SCN_CPU_WAITS_ENTRY;
		result->kind = SCN_WAITS;
		break;
	case HVC_CPU_OFF:
		event(machine, op->cpu, SCN_CPU_OFF, result);
		break;
	case HVC_SYSTEM_OFF:
		event(machine, op->cpu, SCN_SYSTEM_OFF, result);
		break;
	case HVC_SYSTEM_RESET:
		event(machine, op->cpu, SCN_SYSTEM_RESET, result);
		break;
	case HVC_SYSTEM_SUSPEND:
		event(machine, op->cpu, SCN_SYSTEM_SUSPEND, result);
		break;
	case HVC_CPU_FREEZE:
		event(machine, op->cpu, SCN_CPU_FREEZE, result);
		break;
	case HVC_EVENTS_FULL: /* nothing was done: it can be called again */
		result->kind = SCN_WAITS;
		break;
	case HVC_FORWARDED:
		forwarded(machine, op, result);
		break;
	case HVC_VERDICT_COUNT:
	default:
		broken(result, "no such verdict");
		break;
	}
	result->frame = cpu->frame;
}

static struct hvc_vcpu *call(struct scn_machine *machine, const struct scn_op *op,
			     struct scn_result *result)
{
	struct scn_machine_cpu *cpu = &machine->cpus[op->cpu];

	switch (cpu->state) {
	case SCN_CPU_RUNS:
		hvc_vm_freeze(machine->vm);
		return cpu->vcpu;
	case SCN_CPU_IS_OFF:
		not_run(result, "this CPU is off");
		break;
	case SCN_CPU_IS_FROZEN:
		not_run(result, "this CPU is frozen: PSCI_CPU_ON starts it");
		break;
	case SCN_CPU_STARTS:
		not_run(result, "this CPU has not arrived: 'arrive' comes first");
		break;
	case SCN_CPU_FORWARDED:
		not_run(result, "this CPU's last call is not answered: 'reply' comes first");
		break;
	case SCN_CPU_STOPPED:
		not_run(result, "this CPU stopped for an event: 'resume nowrite' comes first");
		break;
	case SCN_CPU_WAITS:
	case SCN_CPU_WAITS_ENTRY:
	default:
		not_run(result, "this CPU waits for an interrupt: 'wake' comes first");
		break;
	}
	return NULL;
}

/* reply, resume nowrite (mask 0), cancel. */
static void go_on(struct scn_machine *machine, const struct scn_op *op, struct scn_result *result)
{
	struct scn_machine_cpu *cpu = &machine->cpus[machine->pending];
	enum hvc_err err = HVC_OK;

	if (cpu->state == SCN_CPU_FORWARDED) {
		err = op->command == SCN_CANCEL
			      ? hvc_forward_cancel(cpu->vcpu, &cpu->frame)
			      : hvc_forward_complete(cpu->vcpu, &cpu->frame, &op->frame, op->mask);
	} else if (cpu->state != SCN_CPU_STOPPED || op->command == SCN_CANCEL) {
		not_run(result, "no call is pending");
		return;
	}
	for (unsigned int reg = 0; reg < HVC_FRAME_REGS && cpu->state == SCN_CPU_STOPPED; reg++) {
		if (op->mask >> reg & 1) {
			cpu->frame.x[reg] = op->frame.x[reg];
		}
	}
	answer(result, err);
	if (err == HVC_OK) {
		returned(cpu, result);
	}
}

static void arrived(struct scn_machine_cpu *cpu, struct hvc_request start,
		    struct scn_result *result)
{
	cpu->state = SCN_CPU_RUNS;
	result->kind = SCN_ARRIVED;
	result->value = start.entry;
	result->frame.x[0] = start.context;
}

static void arrive(struct scn_machine *machine, const struct scn_op *op, struct scn_result *result)
{
	struct scn_machine_cpu *cpu = &machine->cpus[op->cpu];

	if (cpu->state == SCN_CPU_STARTS) {
		arrived(cpu, hvc_vcpu_started(cpu->vcpu), result);
	} else if (cpu->state == SCN_CPU_IS_OFF || cpu->state == SCN_CPU_IS_FROZEN) {
		not_run(result, "nobody turned this CPU on");
	} else {
		not_run(result, "this CPU has arrived before");
	}
}

static void wake(struct scn_machine *machine, const struct scn_op *op, struct scn_result *result)
{
	struct scn_machine_cpu *cpu = &machine->cpus[op->cpu];
	bool suspended = cpu->state == SCN_CPU_STOPPED &&
			 cpu->request.function == HVC_FN_PSCI_SYSTEM_SUSPEND;

	if (cpu->state == SCN_CPU_WAITS || cpu->state == SCN_CPU_WAITS_ENTRY || suspended) {
		hvc_vcpu_woke(cpu->vcpu);
	}
	if (cpu->state == SCN_CPU_WAITS) {
		returned(cpu, result);
	} else if (cpu->state == SCN_CPU_WAITS_ENTRY || suspended) {
		arrived(cpu, cpu->request, result);
	} else {
		not_run(result, "this CPU waits for nothing");
	}
}

/* --- State. */
static void save(struct scn_machine *machine, const struct scn_op *op, struct scn_result *result)
{
	struct scn_saved *saved = &machine->saved[op->value];
	size_t bytes = sizeof(saved->state);

	answer(result, hvc_vm_save(machine->vm, saved->state, &bytes, NULL));
	if (result->kind == SCN_OK) {
		saved->bytes = bytes;
	}
}

/* Every CPU is where its power state says, and makes its calls anew. */
static void resume_cpus(struct scn_machine *machine)
{
	static const enum scn_cpu_state states[] = {SCN_CPU_RUNS, SCN_CPU_IS_OFF, SCN_CPU_STARTS};

	for (unsigned int i = 0; i < machine->count; i++) {
		machine->cpus[i].state = states[hvc_vcpu_power(machine->cpus[i].vcpu)];
	}
}

static void restore(struct scn_machine *machine, const struct scn_op *op, struct scn_result *result)
{
	const struct scn_saved *saved = &machine->saved[op->value];
	struct hvc_restore_detail detail = {.size = sizeof(detail)};

	if (saved->bytes == 0) {
		not_run(result, "nothing was saved by this name");
		return;
	}
	answer(result, hvc_vm_restore(machine->vm, saved->state, saved->bytes, &detail));
	result->missing = detail.missing;
	if (result->kind == SCN_OK) {
		resume_cpus(machine);
	}
}

/* --- Operations. */
static void configure(struct hvc_vm *vm, const struct scn_op *op, struct scn_result *result)
{
	switch (op->command) {
	case SCN_SHOW:
		answer(result, hvc_vm_show(vm, (unsigned int)op->value));
		break;
	case SCN_CLEAR_FROM:
		answer(result, hvc_vm_clear_from(vm, (unsigned int)op->value));
		break;
	case SCN_GET:
		answer(result, hvc_vm_get_reg(vm, op->id, &result->value));
		result->kind = result->kind == SCN_OK ? SCN_NUMBER : SCN_ERROR;
		break;
	case SCN_SET:
		answer(result, hvc_vm_set_reg(vm, op->id, op->value));
		break;
	case SCN_FILTER:
		answer(result, hvc_filter_add(vm, op->base, op->count, op->action));
		break;
	case SCN_FILTER_RAW:
		answer(result, hvc_filter_add_bytes(vm, op->bytes));
		break;
	case SCN_TIGHTEN:
		result->detail.size = sizeof(result->detail);
		answer(result, hvc_vm_tighten(vm, op->base, op->count, &result->detail));
		break;
	case SCN_TRY:
		result->detail.size = sizeof(result->detail);
		answer(result,
		       hvc_filter_try(vm, op->base, op->count, op->action, &result->detail));
		break;
	default:
		broken(result, "no such command");
		break;
	}
}

static void look(struct scn_machine *machine, const struct scn_op *op, struct scn_result *result)
{
	switch (op->command) {
	case SCN_COUNT:
		result->kind = SCN_NUMBER;
		result->value = hvc_vm_check(machine->vm, HVC_CAP_FEATURE_REGS);
		break;
	case SCN_LIST:
		list_registers(machine, result);
		break;
	case SCN_QUERY:
		result->kind = SCN_DECISION;
		result->decision = hvc_filter_query(machine->vm, (uint32_t)op->id);
		break;
	case SCN_RULES:
		list_rules(machine, result);
		break;
	case SCN_RESERVED:
		list_reserved(result);
		break;
	case SCN_EVENTS:
		list_events(machine, result);
		break;
	default:
		configure(machine->vm, op, result);
		break;
	}
}

struct hvc_vcpu *scn_machine_do(struct scn_machine *machine, const struct scn_op *op,
				struct scn_result *result)
{
	if (machine->vm == NULL) {
		return NULL; /* SCN_NOT_RUN */
	}
	machine->us++;
	if (op->cpu >= machine->count) {
		broken(result, "no such CPU");
		return NULL;
	}
	switch (op->command) {
	case SCN_CALL:
		return call(machine, op, result);
	case SCN_REPLY:
	case SCN_RESUME:
	case SCN_CANCEL:
		go_on(machine, op, result);
		break;
	case SCN_ARRIVE:
		arrive(machine, op, result);
		break;
	case SCN_WAKE:
		wake(machine, op, result);
		break;
	case SCN_SAVE:
	case SCN_RESTORE:
		if (op->value >= SCN_SAVES) {
			broken(result, "no such state");
			break;
		}
		(op->command == SCN_SAVE ? save : restore)(machine, op, result);
		break;
	default:
		look(machine, op, result);
		break;
	}
	return NULL;
}
