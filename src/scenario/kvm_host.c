/* SPDX-License-Identifier: BSD-2-Clause */
/* Linux KVM as a host of scenarios: the ioctls of a VMM, and a guest that makes the calls. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "../kvm/reserved.h"
#include "kvm_profile.h"
#include "scenario.h"

#define FILTER_GROUP 0u /* KVM_ARM_VM_SMCCC_CTRL */
#define FILTER_ATTR  0u /* KVM_ARM_VM_SMCCC_FILTER */
/* The ID says a register's size, as a power of 2: up to 32 KiB, which the kernel may well read or write. */
#define REG_BYTES(id) ((size_t)1 << ((id) >> 52 & 15))
#define MAX_REG_BYTES ((size_t)1 << 15)
#define REG_CLASS(id) ((id) >> 16 & 0xfff)
#define CLASS_FW      0x14u
#define CLASS_BITMAP  0x16u
#define MP_STOPPED    5u
/* KVM_EXIT_SYSTEM_EVENT's types */
enum { EVENT_SHUTDOWN = 1, EVENT_RESET = 2, EVENT_WAKEUP = 4, EVENT_SUSPEND = 5 };

enum cpu_state {
	CPU_IS_OFF,
	CPU_STARTS,    /* CPU_ON was successful; it has not arrived */
	CPU_RUNS,      /* it can make a call */
	CPU_FORWARDED, /* its call waits for an answer */
	CPU_STOPPED,   /* an event: it can go on */
	CPU_WAITS      /* for an interrupt */
};

/* A reason that was put together at run time. */
struct kept {
	struct kept *next;
	char text[];
};

struct kvm_host {
	struct scn_host host;
	const struct abi_profile *profile;
	struct kvm_machine *machine; /* NULL: there is none */
	enum cpu_state cpus[SCN_CPUS];
	bool suspended[SCN_CPUS];                 /* CPU_STOPPED for SYSTEM_SUSPEND */
	struct hvc_frame suspend_frame[SCN_CPUS]; /* its registers then */
	unsigned int count;
	unsigned int pending;  /* the CPU that `reply` is for */
	enum scn_kind vm_kind; /* why there is no machine: what every line of it gets */
	const char *vm_reason;
	struct kept *kept;
	struct kvm_ranges reserved;
	int reserved_error; /* -1: not measured yet */
	uint8_t value[MAX_REG_BYTES];
};

/* --- Results. */
static const char *keep(struct kvm_host *host, const char *text)
{
	for (const struct kept *kept = host->kept; kept != NULL; kept = kept->next) {
		if (strcmp(kept->text, text) == 0) {
			return kept->text;
		}
	}
	const size_t bytes = strlen(text) + 1;
	struct kept *kept = malloc(sizeof(*kept) + bytes);
	if (kept == NULL) {
		return "no memory";
	}
	memcpy(kept->text, text, bytes);
	kept->next = host->kept;
	host->kept = kept;
	return kept->text;
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

static void broken_number(struct kvm_host *host, struct scn_result *result, const char *what,
			  uint64_t number)
{
	char text[120];

	snprintf(text, sizeof(text), "%s %llu", what, (unsigned long long)number);
	broken(result, keep(host, text));
}

static void unsupported(struct scn_result *result, const char *reason)
{
	result->kind = SCN_UNSUPPORTED;
	result->reason = reason;
}

static void answer(struct kvm_host *host, struct scn_result *result, int error)
{
	result->kind = error == 0 ? SCN_OK : SCN_ERROR;
	result->err = (enum hvc_err) - error;
	if (strcmp(hvc_err_name(result->err), "E?") == 0) {
		broken_number(host, result, "the kernel's answer is the error",
			      (unsigned int)error);
	}
}

/* --- The machine. */
static void drop_machine(struct kvm_host *host)
{
	kvm_machine_free(host->machine);
	host->machine = NULL;
	host->count = 0;
}

static void no_machine(struct kvm_host *host, struct scn_result *result, enum scn_kind kind,
		       const char *reason)
{
	host->vm_kind = kind;
	host->vm_reason = keep(host, reason);
	result->kind = kind;
	result->reason = host->vm_reason;
}

static void make_machine(struct kvm_host *host, const struct scn_vm *vm, struct scn_result *result)
{
	const struct kvm_machine_config config = {.cpus = vm->cpus,
						  .psci_0_2 = vm->psci_0_2,
						  .system_suspend = vm->suspend_cap,
						  .stolen_time = vm->stolen_time};
	char why[256];

	drop_machine(host);
	if (vm->policy != NULL || vm->coherent) {
		no_machine(host, result, SCN_UNSUPPORTED,
			   "KVM has no policy and no coherent discovery of its own");
		return;
	}
	if (abi_profile_rank(vm->profile) != abi_profile_rank(host->profile)) {
		snprintf(why, sizeof(why), "this kernel is %s, not %s",
			 abi_profile_name(host->profile), abi_profile_name(vm->profile));
		no_machine(host, result, SCN_UNSUPPORTED, why);
		return;
	}
	host->machine = kvm_machine_new(&config, why, sizeof(why));
	if (host->machine == NULL) {
		no_machine(host, result, vm->suspend_cap ? SCN_UNSUPPORTED : SCN_BROKEN, why);
		return;
	}
	host->count = vm->cpus;
	for (unsigned int cpu = 0; cpu < SCN_CPUS; cpu++) {
		host->cpus[cpu] = cpu == 0 ? CPU_RUNS : CPU_IS_OFF;
	}
	host->pending = 0;
	result->kind = SCN_OK;
}

/* --- Registers. */
static void get(struct kvm_host *host, const struct scn_op *op, struct scn_result *result)
{
	const size_t bytes = REG_BYTES(op->id);

	memset(host->value, 0, sizeof(host->value));
	const int error = kvm_machine_get_reg(host->machine, op->cpu, op->id, host->value);
	if (error != 0) {
		answer(host, result, error);
		return;
	}
	result->kind = SCN_NUMBER;
	memcpy(&result->value, host->value, bytes < sizeof(uint64_t) ? bytes : sizeof(uint64_t));
}

static void set(struct kvm_host *host, const struct scn_op *op, struct scn_result *result)
{
	memset(host->value, 0, sizeof(host->value));
	memcpy(host->value, &op->value, sizeof(op->value));
	answer(host, result, kvm_machine_set_reg(host->machine, op->cpu, op->id, host->value));
}

/* The list, of feature registers only; `count` is how long that is. */
static void list(struct kvm_host *host, const struct scn_op *op, struct scn_result *result)
{
	uint64_t *ids;
	size_t count;
	const int error = kvm_machine_list_regs(host->machine, op->cpu, &ids, &count);

	if (error != 0) {
		answer(host, result, error);
		return;
	}
	result->kind = SCN_IDS;
	for (size_t i = 0; i < count && result->kind == SCN_IDS; i++) {
		if (REG_CLASS(ids[i]) != CLASS_FW && REG_CLASS(ids[i]) != CLASS_BITMAP) {
			continue;
		}
		if (result->list_count == SCN_LIST_MAX) {
			broken(result, "more registers than a result can hold");
		} else {
			result->list[result->list_count++] = ids[i];
		}
	}
	free(ids);
	if (result->kind == SCN_IDS && op->command == SCN_COUNT) {
		result->kind = SCN_NUMBER;
		result->value = result->list_count;
	}
}

/* --- Filter. */
static void filter(struct kvm_host *host, const struct scn_op *op, struct scn_result *result)
{
	uint8_t bytes[HVC_FILTER_BYTES] = {0}; /* struct kvm_smccc_filter */

	if (op->command == SCN_FILTER_RAW) {
		memcpy(bytes, op->bytes, sizeof(bytes));
	} else if (op->action > HVC_FORWARD) {
		unsupported(result, "KVM's filter has no such action");
		return;
	} else {
		memcpy(&bytes[0], &op->base, sizeof(op->base));
		memcpy(&bytes[4], &op->count, sizeof(op->count));
		bytes[8] = (uint8_t)op->action;
	}
	answer(host, result, kvm_machine_set_attr(host->machine, FILTER_GROUP, FILTER_ATTR, bytes));
}

static void reserved(struct kvm_host *host, struct scn_result *result)
{
	char why[256];

	if (host->reserved_error < 0) {
		host->reserved_error = kvm_reserved_ranges(&host->reserved, why, sizeof(why));
	}
	if (host->reserved_error == E2BIG) {
		broken(result, "more reserved ranges than a result can hold");
		return;
	}
	if (host->reserved_error != 0) {
		unsupported(result, "this kernel has no filter that could be asked");
		return;
	}
	result->kind = SCN_IDS;
	for (unsigned int i = 0; i < host->reserved.count; i++) {
		result->actions[i] = HVC_HANDLE;
		result->list[result->list_count++] = host->reserved.range[i].first;
		result->list[result->list_count++] = host->reserved.range[i].last;
	}
}

/* --- Calls. */
static void forwarded(struct kvm_host *host, unsigned int cpu, const struct scn_op *op,
		      const struct kvm_stop *stop, struct scn_result *result)
{
	const uint64_t smc = op->conduit == HVC_CONDUIT_SMC ? 1 : 0;

	host->cpus[cpu] = CPU_FORWARDED;
	host->pending = cpu;
	result->kind = SCN_FORWARDED;
	result->id = (uint32_t)stop->nr;
	result->conduit = (stop->flags & 1) != 0 ? HVC_CONDUIT_SMC : HVC_CONDUIT_HVC;
	if (op->command != SCN_CALL) {
		broken(result, "going on behind a call became another forwarded call");
	} else if (stop->nr != (op->frame.x[0] & UINT32_MAX)) {
		broken_number(host, result, "kvm_run.hypercall.nr is", stop->nr);
	} else if (stop->flags != smc) {
		broken_number(host, result, "kvm_run.hypercall.flags is", stop->flags);
	} else if (!stop->args_clean) {
		broken(result, "kvm_run.hypercall's args and ret are not zero");
	} else if (!stop->pc_after) {
		broken(result, "the program counter is not behind the forwarded call");
	}
}

static void event(struct kvm_host *host, unsigned int cpu, const struct kvm_stop *stop,
		  struct scn_result *result)
{
	static const enum scn_event events[] = {[EVENT_SHUTDOWN] = SCN_SYSTEM_OFF,
						[EVENT_RESET] = SCN_SYSTEM_RESET,
						[EVENT_WAKEUP] = SCN_WAKEUP,
						[EVENT_SUSPEND] = SCN_SYSTEM_SUSPEND};

	host->cpus[cpu] = CPU_STOPPED;
	host->pending = cpu;
	if (stop->event == 0 || stop->event > EVENT_SUSPEND || stop->event == 3) {
		broken_number(host, result, "a system event of type", stop->event);
		return;
	}
	result->kind = SCN_EVENT;
	result->event = events[stop->event];
	result->event_flags = stop->event_data;
	host->suspended[cpu] = stop->event == EVENT_SUSPEND;
	host->suspend_frame[cpu] = result->frame;
	if (!stop->pc_after) {
		broken(result, "the program counter is not behind the call at an event");
	}
}

static void stopped(struct kvm_host *host, unsigned int cpu, const struct scn_op *op,
		    const struct kvm_stop *stop, struct scn_result *result)
{
	switch (stop->kind) {
	case KVM_STOP_DONE:
		host->cpus[cpu] = CPU_RUNS;
		result->kind = SCN_FRAME;
		break;
	case KVM_STOP_HYPERCALL:
		forwarded(host, cpu, op, stop, result);
		break;
	case KVM_STOP_SYSTEM_EVENT:
		event(host, cpu, stop, result);
		break;
	case KVM_STOP_OFF:
		host->cpus[cpu] = CPU_IS_OFF;
		result->kind = SCN_EVENT;
		result->event = SCN_CPU_OFF;
		break;
	case KVM_STOP_BLOCKED:
		host->cpus[cpu] = CPU_WAITS;
		result->kind = SCN_WAITS;
		break;
	case KVM_STOP_ERRNO:
		broken_number(host, result, "KVM_RUN failed with the error",
			      (unsigned int)stop->error);
		break;
	case KVM_STOP_OTHER:
		broken_number(host, result, "KVM_RUN ended with the exit", stop->exit_reason);
		break;
	}
}

/* A CPU that was off: has it been turned on? */
static enum cpu_state state_of(struct kvm_host *host, unsigned int cpu)
{
	uint32_t state = MP_STOPPED;

	if (host->cpus[cpu] == CPU_IS_OFF &&
	    kvm_machine_mp_state(host->machine, cpu, &state) == 0 && state != MP_STOPPED) {
		host->cpus[cpu] = CPU_STARTS;
	}
	return host->cpus[cpu];
}

static void call(struct kvm_host *host, const struct scn_op *op, struct scn_result *result)
{
	static const char *const reasons[] = {
		[CPU_IS_OFF] = "this CPU is off",
		[CPU_STARTS] = "this CPU has not arrived: 'arrive' comes first",
		[CPU_FORWARDED] = "this CPU's last call is not answered: 'reply' comes first",
		[CPU_STOPPED] = "this CPU stopped for an event: 'resume nowrite' comes first",
		[CPU_WAITS] = "this CPU waits for an interrupt: 'wake' comes first",
	};
	const enum cpu_state state = state_of(host, op->cpu);
	struct kvm_stop stop;

	if (state != CPU_RUNS) {
		not_run(result, reasons[state]);
		return;
	}
	result->frame = op->frame;
	kvm_machine_call(host->machine, op->cpu, op->conduit, op->immediate, &result->frame, &stop);
	if (stop.kind == KVM_STOP_OFF && stop.exit_reason == 0) {
		not_run(result, "this CPU stopped for another one's event");
		return;
	}
	stopped(host, op->cpu, op, &stop, result);
}

/* reply, resume nowrite (mask 0) */
static void go_on(struct kvm_host *host, const struct scn_op *op, struct scn_result *result)
{
	const unsigned int cpu = host->pending;
	struct kvm_stop stop;

	if (host->cpus[cpu] != CPU_FORWARDED && host->cpus[cpu] != CPU_STOPPED) {
		not_run(result, "no call is pending");
		return;
	}
	result->frame = op->frame;
	kvm_machine_go_on(host->machine, cpu, &result->frame, op->mask, &stop);
	stopped(host, cpu, op, &stop, result);
}

static void arrive(struct kvm_host *host, const struct scn_op *op, struct scn_result *result)
{
	const enum cpu_state state = state_of(host, op->cpu);
	struct kvm_stop stop;

	if (state != CPU_STARTS) {
		not_run(result, state == CPU_IS_OFF ? "nobody turned this CPU on"
						    : "this CPU has arrived before");
		return;
	}
	if (kvm_machine_arrive(host->machine, op->cpu, &result->value, &result->frame.x[0],
			       &stop) &&
	    stop.kind == KVM_STOP_DONE) {
		host->cpus[op->cpu] = CPU_RUNS;
		result->kind = SCN_ARRIVED;
	} else {
		stopped(host, op->cpu, op, &stop, result);
		broken(result, result->kind == SCN_BROKEN ? result->reason
							  : "the CPU did not reach its label");
	}
}

/* KVM leaves it to the VMM to start a CPU that SYSTEM_SUSPEND put to sleep: the registers say where. */
static void wake_up(struct kvm_host *host, const struct scn_op *op, struct scn_result *result)
{
	const struct hvc_frame *asked = &host->suspend_frame[op->cpu];
	struct kvm_stop stop;

	if (kvm_machine_wake_up(host->machine, op->cpu, asked->x[1], asked->x[2], &result->value,
				&result->frame.x[0], &stop) &&
	    stop.kind == KVM_STOP_DONE) {
		host->cpus[op->cpu] = CPU_RUNS;
		result->kind = SCN_ARRIVED;
	} else {
		stopped(host, op->cpu, op, &stop, result);
		broken(result, result->kind == SCN_BROKEN ? result->reason
							  : "the CPU did not wake up to its label");
	}
}

static void wake(struct kvm_host *host, const struct scn_op *op, struct scn_result *result)
{
	struct kvm_stop stop;

	if (host->cpus[op->cpu] == CPU_STOPPED && host->suspended[op->cpu]) {
		wake_up(host, op, result);
		return;
	}
	if (host->cpus[op->cpu] != CPU_WAITS) {
		not_run(result, "this CPU waits for nothing");
		return;
	}
	kvm_machine_wake(host->machine, op->cpu, &result->frame, &stop);
	stopped(host, op->cpu, op, &stop, result);
}

/* --- Scripts. */
static void run_on_cpu(struct kvm_host *host, const struct scn_op *op, struct scn_result *result)
{
	switch (op->command) {
	case SCN_COUNT:
	case SCN_LIST:
		list(host, op, result);
		break;
	case SCN_GET:
		get(host, op, result);
		break;
	case SCN_SET:
		set(host, op, result);
		break;
	case SCN_CALL:
		call(host, op, result);
		break;
	case SCN_ARRIVE:
		arrive(host, op, result);
		break;
	case SCN_WAKE:
		wake(host, op, result);
		break;
	default:
		broken(result, "no such command");
		break;
	}
}

static void run_op(struct kvm_host *host, const struct scn_op *op, struct scn_result *result)
{
	switch (op->command) {
	case SCN_SHOW:
		unsupported(result,
			    "KVM's list is what the kernel has: nothing of it can be hidden");
		break;
	case SCN_CLEAR_FROM:
		unsupported(result, "KVM clears no registers that a VMM does not know");
		break;
	case SCN_TIGHTEN:
		unsupported(result, "KVM's filter closes when a vCPU has run");
		break;
	case SCN_SAVE:
	case SCN_RESTORE:
		unsupported(result, "KVM's state is the VMM's to save, register by register");
		break;
	case SCN_EVENTS:
		unsupported(result, "KVM tells nobody of the calls it answers");
		break;
	case SCN_TRY:
		unsupported(result, "KVM's filter has no dry run");
		break;
	case SCN_QUERY:
	case SCN_RULES:
		unsupported(result, "KVM's filter can be written only");
		break;
	case SCN_CANCEL:
		unsupported(result, "KVM answers no call that it has forwarded");
		break;
	case SCN_FILTER:
	case SCN_FILTER_RAW:
		filter(host, op, result);
		break;
	case SCN_RESERVED:
		reserved(host, result);
		break;
	case SCN_REPLY:
	case SCN_RESUME:
		go_on(host, op, result);
		break;
	default:
		if (op->cpu >= host->count) {
			broken(result, "no such CPU");
		} else {
			run_on_cpu(host, op, result);
		}
		break;
	}
}

static bool run(struct scn_host *base, const struct scn_script *script, struct scn_result *results,
		char *why, size_t size)
{
	struct kvm_host *host = (struct kvm_host *)(void *)base;

	(void)why;
	(void)size;
	host->vm_kind = SCN_NOT_RUN;
	host->vm_reason = NULL;
	for (size_t n = 0; n < scn_count(script); n++) {
		const struct scn_op *op = scn_op_at(script, n);

		if (op->command == SCN_VM) {
			make_machine(host, op->vm, &results[n]);
		} else if (host->machine != NULL) {
			run_op(host, op, &results[n]);
		} else {
			results[n].kind = host->vm_kind == SCN_UNSUPPORTED ? SCN_UNSUPPORTED
									   : SCN_NOT_RUN;
			results[n].reason = host->vm_reason;
		}
	}
	drop_machine(host);
	return true;
}

static void close_host(struct scn_host *base)
{
	struct kvm_host *host = (struct kvm_host *)(void *)base;

	drop_machine(host);
	while (host->kept != NULL) {
		struct kept *next = host->kept->next;

		free(host->kept);
		host->kept = next;
	}
	free(host);
}

struct scn_host *scn_kvm_host(const struct abi_profile **profile, char *why, size_t size)
{
	struct utsname system;

	if (!kvm_machine_possible(why, size)) {
		return NULL;
	}
	if (uname(&system) != 0) {
		snprintf(why, size, "uname: %s", strerror(errno));
		return NULL;
	}
	const struct abi_profile *found = kvm_profile_of(system.release);
	if (found == NULL) {
		snprintf(why, size, "there is no profile for Linux %s", system.release);
		return NULL;
	}
	struct kvm_host *host = calloc(1, sizeof(*host));
	if (host == NULL) {
		snprintf(why, size, "no memory");
		return NULL;
	}
	host->host = (struct scn_host){.name = "kvm", .run = run, .close = close_host};
	host->profile = *profile = found;
	host->reserved_error = -1;
	return &host->host;
}
