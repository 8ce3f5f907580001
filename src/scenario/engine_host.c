/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine in this process as a host of scenarios. */
#define _DEFAULT_SOURCE
#define _ISOC11_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <hvcgate/event.h>

#include "image.h"
#include "machine.h"

struct machine {
	struct scn_machine state;
	struct hvc_image *image;
	struct hvc_vm *engine;
	void *filter, *events, *stats;
	struct hvc_vcpu *vcpus[SCN_CPUS];
	_Alignas(8) char shares[SCN_SHARE_BYTES];
};

/* --- The world. */
static bool start_cpu(void *host, uint32_t vcpu)
{
	struct machine *machine = host;

	scn_machine_start(&machine->state, vcpu);
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

static uint64_t now_us(void *host)
{
	return scn_machine_now_us(&((struct machine *)host)->state);
}

/* No other system ever starts in it. */
static bool mem_protect(void *host, bool on)
{
	(void)host;
	(void)on;
	return true;
}

static bool is_ram_range(void *host, uint64_t ipa, uint64_t bytes)
{
	(void)host;
	return scn_machine_is_ram(ipa, bytes);
}

static const struct hvc_platform platform = {
	.size = sizeof(struct hvc_platform),
	.cpu_start = start_cpu,
	.entropy = entropy,
	.stolen_time = stolen_time,
	.ptp = ptp,
	.now_us = now_us,
	.mem_protect = mem_protect,
	.is_ram_range = is_ram_range,
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
	free(machine->events);
	free(machine->stats);
	free(machine->image);
	*machine = (struct machine){.state.saved = machine->state.saved};
}

static enum hvc_err make_memory(struct machine *machine, unsigned int cpus, size_t filter_bytes)
{
	machine->engine = aligned(hvc_vm_size());
	machine->filter = aligned(filter_bytes);
	machine->events = aligned(hvc_event_size(SCN_EVENT_ROOM));
	machine->stats = aligned(hvc_stats_size(cpus));
	for (unsigned int i = 0; i < cpus; i++) {
		machine->vcpus[i] = aligned(hvc_vcpu_size());
		if (machine->vcpus[i] == NULL) {
			return HVC_ENOMEM;
		}
	}
	return machine->engine != NULL && machine->filter != NULL && machine->events != NULL &&
			       machine->stats != NULL
		       ? HVC_OK
		       : HVC_ENOMEM;
}

static enum hvc_err make_engine(struct machine *machine, const struct scn_vm *vm)
{
	size_t filter_bytes = hvc_filter_size(machine->image, SCN_FILTER_RANGES);
	enum hvc_err err = make_memory(machine, vm->cpus, filter_bytes);
	struct hvc_vm_config config = {
		.size = sizeof(config),
		.vcpu_count = vm->cpus,
		.image = machine->image,
		.platform = &platform,
		.host = machine,
		.filter_memory = machine->filter,
		.filter_bytes = filter_bytes,
		.event_memory = machine->events,
		.event_bytes = hvc_event_size(SCN_EVENT_ROOM),
		.share_memory = machine->shares,
		.share_bytes = sizeof(machine->shares),
		.share_base = SCN_SHARE_BASE,
		.share_ram = SCN_SHARE_RAM,
		.stats_memory = machine->stats,
		.stats_bytes = hvc_stats_size(vm->cpus),
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
	if (err == HVC_OK) {
		scn_machine_begin(&machine->state, machine->engine, machine->vcpus, vm->cpus);
	}
	return err;
}

static enum hvc_err make(struct machine *machine, const struct scn_vm *vm)
{
	enum hvc_err err;

	clear(machine);
	machine->image = scn_image_make(vm, &err);
	return err == HVC_OK ? make_engine(machine, vm) : err;
}

static void run_op(struct machine *machine, const struct scn_op *op, struct scn_result *result)
{
	struct hvc_vcpu *vcpu = scn_machine_do(&machine->state, op, result);
	struct hvc_frame frame = op->frame;

	if (vcpu != NULL) {
		const enum hvc_verdict verdict = hvc_call(vcpu, op->conduit, op->immediate, &frame);

		scn_machine_called(&machine->state, op, verdict, &frame, result);
	}
}

static bool run(struct scn_host *host, const struct scn_script *script, struct scn_result *results,
		char *why, size_t size)
{
	struct machine machine = {.state.saved = calloc(SCN_SAVES, sizeof(struct scn_saved))};
	struct scn_saved *saved = machine.state.saved;

	(void)host;
	if (saved == NULL) {
		snprintf(why, size, "no memory");
		return false;
	}
	for (size_t n = 0; n < scn_count(script); n++) {
		const struct scn_op *op = scn_op_at(script, n);

		if (op->command == SCN_VM) {
			results[n].err = make(&machine, op->vm);
			results[n].kind = results[n].err == HVC_OK ? SCN_OK : SCN_ERROR;
		} else {
			run_op(&machine, op, &results[n]);
		}
	}
	clear(&machine);
	free(saved);
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
