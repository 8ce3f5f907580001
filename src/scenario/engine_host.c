/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine in this process as a host of scenarios. */
#define _DEFAULT_SOURCE
#define _ISOC11_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "script.h"

#define FILTER_RANGES 512u

enum cpu_state {
	CPU_IS_OFF,
	CPU_STARTS,     /* CPU_ON was successful; it has not arrived */
	CPU_RUNS,       /* it can make a call */
	CPU_FORWARDED,  /* its call waits for an answer */
	CPU_STOPPED,    /* an event: it can go on */
	CPU_WAITS,      /* for an interrupt, behind the call */
	CPU_WAITS_ENTRY /* for an interrupt, to start at request.entry */
};

struct cpu {
	struct hvc_vcpu *vcpu;
	enum cpu_state state;
	struct hvc_frame frame;
	struct hvc_request request;
};

struct machine {
	const struct scn_vm *vm;
	struct hvc_image *image;
	struct hvc_vm *engine;
	void *filter;
	struct hvc_vcpu *vcpus[SCN_CPUS];
	struct cpu cpus[SCN_CPUS];
	unsigned int pending; /* the CPU that `reply` is for */
};

/* --- The world. */
static bool start_cpu(void *host, uint32_t vcpu)
{
	struct machine *machine = host;

	machine->cpus[vcpu].state = CPU_STARTS;
	return true;
}

static bool entropy(void *host, uint64_t *words, uint32_t n)
{
	(void)host;
	return getentropy(words, n * sizeof(*words)) == 0;
}

static bool stolen_time(void *host, uint32_t vcpu, uint64_t ipa)
{
	(void)host;
	(void)vcpu;
	(void)ipa;
	return true;
}

static bool ptp(void *host, uint32_t vcpu, bool physical, uint64_t *ns, uint64_t *counter)
{
	struct timespec wall, since_start;

	(void)host;
	(void)vcpu;
	(void)physical;
	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC, &since_start);
	*ns = (uint64_t)wall.tv_sec * 1000000000u + (uint64_t)wall.tv_nsec;
	*counter = (uint64_t)since_start.tv_sec * 1000000000u + (uint64_t)since_start.tv_nsec;
	return true;
}

static const struct hvc_platform platform = {
	.size = sizeof(struct hvc_platform),
	.cpu_start = start_cpu,
	.entropy = entropy,
	.stolen_time = stolen_time,
	.ptp = ptp,
};

/* --- A machine. */
static void *aligned(size_t bytes)
{
	return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void clear(struct machine *machine)
{
	for (unsigned int i = 0; i < SCN_CPUS; i++) {
		free(machine->vcpus[i]);
	}
	free(machine->engine);
	free(machine->filter);
	free(machine->image);
	*machine = (struct machine){0};
}

/* The policy's rules, the line's settings. */
static enum hvc_err make_image(struct machine *machine)
{
	const struct scn_vm *vm = machine->vm;
	struct hvc_diags *diags;
	enum hvc_err err;

	if (vm->policy == NULL) {
		machine->image = aligned(hvc_image_min_size());
		if (machine->image == NULL) {
			return HVC_ENOMEM;
		}
		err = hvc_image_begin(machine->image, hvc_image_min_size(), &vm->settings);
	} else {
		diags = hvc_diags_new();
		err = diags != NULL ? hvc_policy_compile(vm->policy, &machine->image, diags)
				    : HVC_ENOMEM;
		hvc_diags_free(diags);
	}
	if (err == HVC_OK) {
		machine->image->settings = vm->settings;
		hvc_image_seal(machine->image);
		err = hvc_image_check(machine->image, machine->image->bytes);
	}
	return err;
}

static enum hvc_err make_memory(struct machine *machine, size_t filter_bytes)
{
	machine->engine = aligned(hvc_vm_size());
	machine->filter = aligned(filter_bytes);
	for (unsigned int i = 0; i < machine->vm->cpus; i++) {
		machine->vcpus[i] = machine->cpus[i].vcpu = aligned(hvc_vcpu_size());
		if (machine->vcpus[i] == NULL) {
			return HVC_ENOMEM;
		}
	}
	machine->cpus[0].state = CPU_RUNS;
	return machine->engine != NULL && machine->filter != NULL ? HVC_OK : HVC_ENOMEM;
}

static enum hvc_err make_engine(struct machine *machine)
{
	const struct scn_vm *vm = machine->vm;
	size_t filter_bytes = hvc_filter_size(machine->image, FILTER_RANGES);
	enum hvc_err err = make_memory(machine, filter_bytes);
	struct hvc_vm_config config = {
		.size = sizeof(config),
		.vcpu_count = vm->cpus,
		.image = machine->image,
		.platform = &platform,
		.host = machine,
		.filter_memory = machine->filter,
		.filter_bytes = filter_bytes,
		.flags = HVC_VM_FORWARD | (vm->psci_0_2 ? 0 : HVC_VM_PSCI_0_1),
	};

	if (err == HVC_OK) {
		err = hvc_vm_init(machine->engine, &config, machine->vcpus);
	}
	for (uint64_t i = 0; err == HVC_OK && i < vm->cpus; i++) {
		err = hvc_vcpu_setup(machine->vcpus[i], i / 16 << 8 | i % 16, NULL);
		if (err == HVC_OK && vm->stolen_time != 0) {
			err = hvc_vcpu_set_stolen_time(machine->vcpus[i], vm->stolen_time + 64 * i);
		}
	}
	return err;
}

static enum hvc_err make(struct machine *machine, const struct scn_vm *vm)
{
	enum hvc_err err;

	clear(machine);
	machine->vm = vm;
	err = make_image(machine);
	return err == HVC_OK ? make_engine(machine) : err;
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

static void list_registers(const struct machine *machine, struct scn_result *result)
{
	uint32_t count = SCN_LIST_MAX;
	enum hvc_err err = hvc_vm_list_regs(machine->engine, result->list, &count);

	answer(result, err);
	if (err == HVC_OK) {
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

static void list_rules(const struct machine *machine, struct scn_result *result)
{
	struct hvc_filter_span span = {0};

	result->kind = SCN_IDS;
	for (uint64_t id = 0; id <= UINT32_MAX && result->kind == SCN_IDS;
	     id = (uint64_t)span.last + 1) {
		span = hvc_filter_span(machine->engine, (uint32_t)id);
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

/* --- Calls. */
static void returned(struct cpu *cpu, struct scn_result *result)
{
	cpu->state = CPU_RUNS;
	result->kind = SCN_FRAME;
}

static void event(struct machine *machine, unsigned int n, enum scn_event event,
		  struct scn_result *result)
{
	struct cpu *cpu = &machine->cpus[n];

	cpu->state = event == SCN_CPU_OFF ? CPU_IS_OFF : CPU_STOPPED;
	if (event != SCN_CPU_OFF) {
		machine->pending = n;
	}
	result->kind = SCN_EVENT;
	result->event = event;
	result->event_flags = cpu->request.function == HVC_FN_PSCI_SYSTEM_OFF2 ||
			      cpu->request.function == HVC_FN_PSCI_SYSTEM_RESET2;
}

static void after_call(struct machine *machine, unsigned int n, enum hvc_conduit conduit,
		       enum hvc_verdict verdict, struct scn_result *result)
{
	struct cpu *cpu = &machine->cpus[n];

	cpu->request = hvc_vcpu_request(cpu->vcpu);
	switch (verdict) {
	case HVC_RESUME:
		returned(cpu, result);
		break;
	case HVC_CPU_STANDBY:
		cpu->state = CPU_WAITS;
		result->kind = SCN_WAITS;
		break;
	case HVC_CPU_POWERDOWN:
		cpu->state = CPU_WAITS_ENTRY;
		result->kind = SCN_WAITS;
		break;
	case HVC_CPU_OFF:
		event(machine, n, SCN_CPU_OFF, result);
		break;
	case HVC_SYSTEM_OFF:
		event(machine, n, SCN_SYSTEM_OFF, result);
		break;
	case HVC_SYSTEM_RESET:
		event(machine, n, SCN_SYSTEM_RESET, result);
		break;
	case HVC_SYSTEM_SUSPEND:
		event(machine, n, SCN_SYSTEM_SUSPEND, result);
		break;
	case HVC_FORWARDED:
		cpu->state = CPU_FORWARDED;
		machine->pending = n;
		result->kind = SCN_FORWARDED;
		result->id = hvc_vcpu_outcome(cpu->vcpu).id;
		result->conduit = conduit;
		break;
	case HVC_VERDICT_COUNT:
		broken(result, "no such verdict");
		break;
	}
	result->frame = cpu->frame;
}

static void call(struct machine *machine, const struct scn_op *op, struct scn_result *result)
{
	static const char *const reasons[] = {
		[CPU_IS_OFF] = "this CPU is off",
		[CPU_STARTS] = "this CPU has not arrived: 'arrive' comes first",
		[CPU_FORWARDED] = "this CPU's last call is not answered: 'reply' comes first",
		[CPU_STOPPED] = "this CPU stopped for an event: 'resume nowrite' comes first",
		[CPU_WAITS] = "this CPU waits for an interrupt: 'wake' comes first",
		[CPU_WAITS_ENTRY] = "this CPU waits for an interrupt: 'wake' comes first",
	};
	struct cpu *cpu = &machine->cpus[op->cpu];

	if (cpu->state != CPU_RUNS) {
		broken(result, reasons[cpu->state]);
		return;
	}
	hvc_vm_freeze(machine->engine);
	cpu->frame = op->frame;
	after_call(machine, op->cpu, op->conduit,
		   hvc_call(cpu->vcpu, op->conduit, op->immediate, &cpu->frame), result);
}

/* reply, resume nowrite (mask 0), cancel. */
static void go_on(struct machine *machine, const struct scn_op *op, struct scn_result *result)
{
	struct cpu *cpu = &machine->cpus[machine->pending];
	enum hvc_err err = HVC_OK;

	if (cpu->state == CPU_FORWARDED) {
		err = op->command == SCN_CANCEL
			      ? hvc_forward_cancel(cpu->vcpu, &cpu->frame)
			      : hvc_forward_complete(cpu->vcpu, &cpu->frame, &op->frame, op->mask);
	} else if (cpu->state != CPU_STOPPED || op->command == SCN_CANCEL) {
		broken(result, "no call is pending");
		return;
	}
	for (unsigned int reg = 0; reg < HVC_FRAME_REGS && cpu->state == CPU_STOPPED; reg++) {
		if (op->mask >> reg & 1) {
			cpu->frame.x[reg] = op->frame.x[reg];
		}
	}
	answer(result, err);
	if (err == HVC_OK) {
		returned(cpu, result);
		result->frame = cpu->frame;
	}
}

static void arrive(struct machine *machine, const struct scn_op *op, struct scn_result *result)
{
	struct cpu *cpu = &machine->cpus[op->cpu];
	struct hvc_request start;

	if (cpu->state != CPU_STARTS) {
		broken(result, cpu->state == CPU_IS_OFF ? "nobody turned this CPU on"
							: "this CPU has arrived before");
		return;
	}
	start = hvc_vcpu_started(cpu->vcpu);
	cpu->state = CPU_RUNS;
	result->kind = SCN_ARRIVED;
	result->value = start.entry;
	result->frame.x[0] = start.context;
}

static void wake(struct machine *machine, const struct scn_op *op, struct scn_result *result)
{
	struct cpu *cpu = &machine->cpus[op->cpu];
	bool suspended = cpu->state == CPU_STOPPED &&
			 cpu->request.function == HVC_FN_PSCI_SYSTEM_SUSPEND;

	if (cpu->state == CPU_WAITS) {
		returned(cpu, result);
		result->frame = cpu->frame;
	} else if (cpu->state == CPU_WAITS_ENTRY || suspended) {
		cpu->state = CPU_RUNS;
		result->kind = SCN_ARRIVED;
		result->value = cpu->request.entry;
		result->frame.x[0] = cpu->request.context;
	} else {
		broken(result, "this CPU waits for nothing");
	}
}

static void configure(struct machine *machine, const struct scn_op *op, struct scn_result *result)
{
	struct hvc_vm *vm = machine->engine;

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

static void run_op(struct machine *machine, const struct scn_op *op, struct scn_result *result)
{
	switch (op->command) {
	case SCN_COUNT:
		result->kind = SCN_NUMBER;
		result->value = hvc_vm_check(machine->engine, HVC_CAP_FEATURE_REGS);
		break;
	case SCN_LIST:
		list_registers(machine, result);
		break;
	case SCN_QUERY:
		result->kind = SCN_DECISION;
		result->decision = hvc_filter_query(machine->engine, (uint32_t)op->id);
		break;
	case SCN_RULES:
		list_rules(machine, result);
		break;
	case SCN_RESERVED:
		list_reserved(result);
		break;
	case SCN_CALL:
		call(machine, op, result);
		break;
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
	default:
		configure(machine, op, result);
		break;
	}
}

static bool run(struct scn_host *host, const struct scn_script *script, struct scn_result *results,
		char *why, size_t size)
{
	struct machine machine = {0};
	bool made = false;

	(void)host;
	(void)why;
	(void)size;
	for (size_t n = 0; n < scn_count(script); n++) {
		const struct scn_op *op = scn_op_at(script, n);

		if (op->command == SCN_VM) {
			answer(&results[n], make(&machine, op->vm));
			made = results[n].kind == SCN_OK;
		} else if (made) {
			run_op(&machine, op, &results[n]);
		}
	}
	clear(&machine);
	return true;
}

static void close_nothing(struct scn_host *host)
{
	(void)host;
}

struct scn_host *scn_engine_host(void)
{
	static struct scn_host host = {.name = "engine", .run = run, .close = close_nothing};

	return &host;
}
