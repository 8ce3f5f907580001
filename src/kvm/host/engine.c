/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM of the engine under the plan, in one piece of memory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/event.h>

#include "internal.h"

#define EVENTS     64u
#define CACHE_LINE 64u

/* Where each part stands in the piece. */
struct parts {
	size_t list, vcpus, vcpu_bytes;
	size_t stats, stats_bytes, forward, forward_bytes, event, event_bytes, filter, filter_bytes;
	size_t size;
};

static size_t round_up(size_t bytes)
{
	return (bytes + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

static size_t place(struct parts *parts, size_t bytes)
{
	const size_t at = parts->size;

	parts->size += round_up(bytes);
	return at;
}

/* Room to deny what may be revoked: both IDs of each function. */
static size_t filter_bytes(const struct plan_view_of *plan)
{
	unsigned int functions = 0;

	for (unsigned int i = 0; i < HVC_FN_WORDS; i++) {
		functions += (unsigned int)__builtin_popcountll(plan->header->revocable[i]);
	}
	return functions == 0 ? 0 : hvc_filter_size(plan->image, 2 * functions);
}

/* Each vCPU waits for one answer, and may have left another behind when it was interrupted. */
static unsigned int transactions(uint32_t vcpus)
{
	return 2 * vcpus + 2;
}

static void lay_out(const struct hvc_kvm_vm *vm, struct parts *parts)
{
	const uint32_t vcpus = vm->vcpu_count;

	*parts = (struct parts){
		.vcpu_bytes = round_up(hvc_vcpu_size()),
		.stats_bytes = hvc_stats_size(vcpus),
		.forward_bytes = hvc_forward_size(transactions(vcpus)),
		.event_bytes = hvc_event_size(EVENTS),
		.filter_bytes = filter_bytes(&vm->kvm->plan),
		.size = round_up(hvc_vm_size()),
	};
	parts->vcpus = place(parts, vcpus * parts->vcpu_bytes);
	parts->list = place(parts, vcpus * sizeof(struct hvc_vcpu *));
	parts->stats = place(parts, parts->stats_bytes);
	parts->forward = place(parts, parts->forward_bytes);
	parts->event = place(parts, parts->event_bytes);
	parts->filter = place(parts, parts->filter_bytes);
}

static enum hvc_err init(struct hvc_kvm_vm *vm, uint8_t *memory, const struct parts *parts,
			 struct hvc_vcpu **vcpus)
{
	const bool filter = parts->filter_bytes != 0;
	const struct hvc_vm_config config = {
		.size = sizeof(config),
		.vcpu_count = vm->vcpu_count,
		.image = vm->kvm->plan.image,
		.platform = &host_platform,
		.host = vm,
		.filter_memory = filter ? memory + parts->filter : NULL,
		.filter_bytes = parts->filter_bytes,
		.flags = vm->kvm->options.channel != NULL ? HVC_VM_FORWARD : 0,
		.stats_memory = memory + parts->stats,
		.stats_bytes = parts->stats_bytes,
		.forward_memory = memory + parts->forward,
		.forward_bytes = parts->forward_bytes,
		.event_memory = memory + parts->event,
		.event_bytes = parts->event_bytes,
	};

	return hvc_vm_init((struct hvc_vm *)(void *)memory, &config, vcpus);
}

static enum hvc_err set_up(const struct hvc_kvm_vm *vm, struct hvc_vcpu *const *vcpus)
{
	const struct hvc_kvm_options *options = &vm->kvm->options;
	enum hvc_err err = HVC_OK;

	for (uint32_t i = 0; i < vm->vcpu_count && err == HVC_OK; i++) {
		struct hvc_kvm_vcpu *vcpu = vm->vcpus[i];

		/* One block a vCPU, whatever becomes of this engine. */
		if (options->counters != NULL && !vcpu->counters_asked) {
			vcpu->counters_asked = true;
			vcpu->counters = options->counters(options->counters_context, vm->number,
							   vcpu->id);
		}
		err = hvc_vcpu_setup(vcpus[i], vcpu->mpidr, vcpu->counters);
	}
	return err;
}

int engine_make(struct hvc_kvm_vm *vm, struct hvc_vm **engine, struct hvc_vcpu **vcpus,
		void **memory)
{
	struct parts parts;
	struct hvc_vcpu **list;
	uint8_t *piece;
	enum hvc_err err;

	lay_out(vm, &parts);
	piece = aligned_alloc(CACHE_LINE, parts.size);
	if (piece == NULL) {
		return because(ENOMEM, "no memory for the engine (%zu bytes)", parts.size);
	}
	memset(piece, 0, parts.size);
	list = (struct hvc_vcpu **)(void *)(piece + parts.list);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		list[i] = (struct hvc_vcpu *)(void *)(piece + parts.vcpus + i * parts.vcpu_bytes);
		vcpus[i] = list[i];
	}
	err = init(vm, piece, &parts, list);
	if (err == HVC_OK) {
		err = set_up(vm, list);
	}
	if (err != HVC_OK) {
		free(piece);
		return because(-(int)err, "the engine does not take the policy: %s",
			       hvc_err_name(err));
	}
	*engine = (struct hvc_vm *)(void *)piece;
	*memory = piece;
	return 0;
}

void engine_take(struct hvc_kvm_vm *vm, struct hvc_vm *engine, struct hvc_vcpu *const *vcpus,
		 void *memory)
{
	free(vm->memory);
	vm->memory = memory;
	vm->engine = engine;
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpus[i] != NULL) {
			vm->vcpus[i]->engine = vcpus[i];
		}
	}
	/* It knows nothing of what was shut off: the next call tells it again. */
	for (unsigned int i = 0; i < HVC_FN_WORDS; i++) {
		atomic_store(&vm->revoked[i], 0);
	}
}
