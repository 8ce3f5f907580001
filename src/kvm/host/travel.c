/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine's state, moved by the VMM as registers of vCPUs. Read: it is saved once, when the first of them is read, and
 * handed out in parts. Written: parts are kept; once all of them came and something differs, they become the state.
 *
 * A VMM reads a vCPU's registers and writes them back at other times, too: to look at a guest that runs, and around a
 * reset. So what is written as it was read is no state that arrives; and while vCPUs run, what is read is as it was last.
 * (A VMM that saved that would be refused where it arrives: parts of two states have no checksum.)
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define WORD_BYTES sizeof(uint64_t)
#define PART_BYTES (UAPI_TRAVEL_STATE * WORD_BYTES)
#define SLICE_MS   50

static uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word = 0;

	for (unsigned int i = 0; i < WORD_BYTES; i++) {
		word |= (uint64_t)bytes[i] << 8 * i;
	}
	return word;
}

/* Position of its part: of the vCPUs' IDs, ascending. */
static uint32_t rank_of(const struct hvc_kvm_vcpu *vcpu)
{
	const struct hvc_kvm_vm *vm = vcpu->vm;
	uint32_t rank = 0;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		rank += vm->vcpus[i] != NULL && vm->vcpus[i]->id < vcpu->id;
	}
	return rank;
}

/* --- Reading. */
static bool any_inside(const struct hvc_kvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpus[i] != NULL && atomic_load(&vm->vcpus[i]->inside)) {
			return true;
		}
	}
	return false;
}

/* Its size, once no forwarded call is pending any more. */
static int size_of_state(struct hvc_kvm_vm *vm, size_t *size)
{
	const uint64_t until = forward_deadline(vm);
	enum hvc_err err;

	for (;;) {
		*size = 0;
		err = hvc_vm_save(vm->engine, NULL, size, NULL);
		if (err != HVC_EBUSY || forward_now() >= until) {
			break;
		}
		(void)call_drain(vm, SLICE_MS);
	}
	return err == HVC_E2BIG ? 0 : -(int)err;
}

/* Parts of the bytes; `bytes` has room for all vCPUs' parts, zeroes behind the state. */
static void hand_out(struct hvc_kvm_vm *vm, const uint8_t *bytes)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct hvc_kvm_vcpu *vcpu = vm->vcpus[i];

		const uint8_t *part;

		if (vcpu == NULL) {
			continue;
		}
		part = bytes + rank_of(vcpu) * PART_BYTES;
		for (unsigned int n = 0; n < UAPI_TRAVEL_STATE; n++) {
			vcpu->travel[n] = word_at(part + n * WORD_BYTES);
		}
		memset(vcpu->travel_came, 0, sizeof(vcpu->travel_came));
	}
	vm->travel_changed = false;
}

/* Nothing that can be restored, and it says why: an error would cost the guest its life here, where it goes on. */
static int hand_out_busy(struct hvc_kvm_vm *vm, size_t room)
{
	uint8_t *bytes = calloc(1, room + 1);

	if (bytes == NULL) {
		return ENOMEM;
	}
	memset(bytes, 0xff, WORD_BYTES);
	hand_out(vm, bytes);
	free(bytes);
	return 0;
}

static int save(struct hvc_kvm_vm *vm)
{
	const size_t room = vm->vcpu_count * PART_BYTES;
	uint8_t *bytes;
	size_t size;
	int error = size_of_state(vm, &size);

	if (error == EBUSY) {
		return hand_out_busy(vm, room);
	}

	if (error == 0 && size > room - WORD_BYTES) {
		error = because(EINVAL, "the state takes %zu bytes, and there is room for %zu",
				size, room - WORD_BYTES);
	}
	bytes = error == 0 ? calloc(1, room + 1) : NULL;
	if (bytes == NULL) {
		return error == 0 ? ENOMEM : error;
	}
	for (unsigned int i = 0; i < WORD_BYTES; i++) {
		bytes[i] = (uint8_t)((uint64_t)size >> 8 * i);
	}
	error = -(int)hvc_vm_save(vm->engine, bytes + WORD_BYTES, &size, NULL);
	if (error == 0) {
		hand_out(vm, bytes);
	}
	free(bytes);
	return error;
}

/* Nobody looked at them since they left a call, so they can be moved behind it. */
static void settle_all(struct hvc_kvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpus[i] != NULL) {
			call_settle(vm->vcpus[i]);
		}
	}
}

/* The parts are the state, if it stands still. */
static int look(struct hvc_kvm_vm *vm)
{
	int error = 0;

	if (vm->engine == NULL || atomic_load(&vm->travelling)) {
		return 0;
	}
	/* A vCPU that is about to run says so first and looks then whether to wait: one of both sees the other. */
	atomic_store(&vm->travelling, true);
	if (!any_inside(vm)) {
		settle_all(vm);
		error = save(vm);
		atomic_store(&vm->travelling, error == 0);
	} else {
		atomic_store(&vm->travelling, false);
	}
	return error;
}

int travel_get(struct hvc_kvm_vcpu *vcpu, unsigned int n, uint64_t *value)
{
	struct hvc_kvm_vm *vm = vcpu->vm;
	int error;

	if (n < UAPI_TRAVEL_DIGEST) {
		*value = word_at(vm->kvm->plan.header->policy_sha256 + n * WORD_BYTES);
		return 0;
	}
	pthread_mutex_lock(&vm->lock);
	error = look(vm);
	*value = vcpu->travel[n - UAPI_TRAVEL_DIGEST];
	pthread_mutex_unlock(&vm->lock);
	return error;
}

/* --- Writing. */
/* The parts as bytes, without the word in front; free() it. */
static int put_together(const struct hvc_kvm_vm *vm, uint8_t **bytes, size_t *size)
{
	const size_t room = vm->vcpu_count * PART_BYTES;
	uint8_t *all = calloc(1, room + 1);

	*bytes = NULL;
	if (all == NULL) {
		return ENOMEM;
	}
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		const struct hvc_kvm_vcpu *vcpu = vm->vcpus[i];
		uint8_t *part = vcpu != NULL ? all + rank_of(vcpu) * PART_BYTES : NULL;

		for (size_t at = 0; part != NULL && at < PART_BYTES; at++) {
			part[at] = (uint8_t)(vcpu->travel[at / 8] >> at % 8 * 8);
		}
	}
	*size = (size_t)word_at(all);
	if (*size == SIZE_MAX) {
		free(all);
		(void)because(
			EINVAL,
			"a forwarded call was under way when the state was read; try again, or the policy may say replay: allowed");
		return EINVAL;
	}
	if (*size > room - WORD_BYTES) {
		free(all);
		(void)because(
			EINVAL,
			"the state that arrived is of more vCPUs, or none: %zu bytes, at most %zu here",
			*size, room - WORD_BYTES);
		return EINVAL;
	}
	*bytes = all;
	memmove(all, all + WORD_BYTES, room - WORD_BYTES);
	memset(all + room - WORD_BYTES, 0, WORD_BYTES);
	return 0;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	while (size > 0 && bytes[size - 1] == 0) {
		size--;
	}
	return size == 0;
}

/* Into an engine just made; behind the state, which may be none, are zeroes. */
static int restore(const struct hvc_kvm_vm *vm, struct hvc_vm *engine, const uint8_t *bytes,
		   size_t size)
{
	struct hvc_restore_detail detail = {.size = sizeof(detail), .offset = (uint32_t)size};
	enum hvc_err err = HVC_OK;

	if (!is_zero(bytes + size, vm->vcpu_count * PART_BYTES - size)) {
		err = HVC_EBADMSG;
	} else if (size != 0) {
		err = hvc_vm_restore(engine, bytes, size, &detail);
	}
	if (err == HVC_OK) {
		return 0;
	}
	if (err == HVC_EBADMSG) {
		return because(EINVAL, "the state that arrived is damaged at byte %" PRIu32,
			       detail.offset);
	}
	return because(EINVAL,
		       "the state that arrived does not fit: %s (vCPU %" PRIu32 ", 0x%" PRIx64
		       ": 0x%" PRIx64 " there, 0x%" PRIx64 " here)",
		       hvc_missing_name(detail.missing), detail.index, detail.wanted_id,
		       detail.wanted, detail.have);
}

/* The VM goes on with another engine: nobody is in the old one. */
static void swap(struct hvc_kvm_vm *vm, struct hvc_vm *engine, struct hvc_vcpu *const *vcpus,
		 void *memory)
{
	engine_take(vm, engine, vcpus, memory);
	power_tell_all(vm);
	hvc_vm_freeze(engine);
}

/* Who they are, which is asked before the first run only. False: some vCPU is not set up yet. */
static bool know_affinities(struct hvc_kvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct hvc_kvm_vcpu *vcpu = vm->vcpus[i];
		uint64_t mpidr;

		if (vcpu == NULL || !vcpu->initialised ||
		    sys_get(vcpu, UAPI_MPIDR_EL1, &mpidr) != 0) {
			return false;
		}
		vcpu->mpidr = mpidr & UAPI_AFFINITY;
	}
	return true;
}

/* All parts came. Before the first run this only says whether it will do: travel_restore() does it. */
static int arrive(struct hvc_kvm_vm *vm)
{
	struct hvc_vcpu *vcpus[HVC_MAX_VCPUS] = {NULL};
	struct hvc_vm *engine = NULL;
	void *memory = NULL;
	uint8_t *bytes;
	size_t size = 0;
	int error;

	if (vm->engine == NULL && !know_affinities(vm)) {
		return 0;
	}
	error = put_together(vm, &bytes, &size);
	error = error != 0 ? error : engine_make(vm, &engine, vcpus, &memory);
	error = error != 0 ? error : restore(vm, engine, bytes, size);
	if (error == 0 && vm->engine != NULL) {
		swap(vm, engine, vcpus, memory);
	} else {
		free(memory);
	}
	free(bytes);
	return error;
}

static bool all_came(const struct hvc_kvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		const struct hvc_kvm_vcpu *vcpu = vm->vcpus[i];

		if (vcpu != NULL && (vcpu->travel_came[0] & vcpu->travel_came[1]) != UINT64_MAX) {
			return false;
		}
	}
	return true;
}

static void none_came(struct hvc_kvm_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpus[i] != NULL) {
			memset(vm->vcpus[i]->travel_came, 0, sizeof(vm->vcpus[i]->travel_came));
		}
	}
	vm->travel_changed = false;
}

static int take(struct hvc_kvm_vcpu *vcpu, unsigned int n, uint64_t value)
{
	struct hvc_kvm_vm *vm = vcpu->vm;
	int error = look(vm);

	if (error != 0) {
		return error;
	}
	if (vcpu->travel[n] != value) {
		if (vm->engine != NULL && !atomic_load(&vm->travelling)) {
			return because(EBUSY, "a state cannot arrive while vCPUs run");
		}
		vcpu->travel[n] = value;
		vm->travel_changed = true;
	}
	vcpu->travel_came[n / 64] |= 1ull << n % 64;
	if (all_came(vm)) {
		error = vm->travel_changed ? arrive(vm) : 0;
		if (error == 0) {
			none_came(vm);
		}
	}
	return error;
}

static int take_digest(const struct hvc_kvm_vcpu *vcpu, unsigned int n, uint64_t value)
{
	const uint8_t *digest = vcpu->vm->kvm->plan.header->policy_sha256;
	const uint64_t own = word_at(digest + n * WORD_BYTES);

	if (own == value) {
		return 0;
	}
	/* As people write digests: the first byte first. */
	return because(
		EPERM,
		"the guest comes from another policy: bytes %u to %u of its SHA-256 are %016" PRIx64
		", of this one's %016" PRIx64,
		n * 8, n * 8 + 7, __builtin_bswap64(value), __builtin_bswap64(own));
}

int travel_set(struct hvc_kvm_vcpu *vcpu, unsigned int n, uint64_t value)
{
	int error;

	if (n < UAPI_TRAVEL_DIGEST) {
		return take_digest(vcpu, n, value);
	}
	pthread_mutex_lock(&vcpu->vm->lock);
	error = take(vcpu, n - UAPI_TRAVEL_DIGEST, value);
	pthread_mutex_unlock(&vcpu->vm->lock);
	return error;
}

/* --- Running. */
int travel_restore(struct hvc_kvm_vm *vm)
{
	uint8_t *bytes;
	size_t size = 0;
	int error;

	if ((vm->kvm->plan.header->flags & PLAN_TRAVELS) == 0) {
		return 0;
	}
	error = put_together(vm, &bytes, &size);
	error = error != 0 ? error : restore(vm, vm->engine, bytes, size);
	free(bytes);
	if (error == 0) {
		none_came(vm);
	}
	return error == 0 ? 0 : error == ENOMEM ? ENOMEM : EPERM;
}

int travel_forget(struct hvc_kvm_vm *vm)
{
	int error = 0;

	if (!atomic_load(&vm->travelling)) {
		return 0;
	}
	pthread_mutex_lock(&vm->lock);
	if (vm->travel_changed) {
		error = because(EPERM, "a state of the guest arrived in part, or not for this VM");
	} else {
		none_came(vm);
		atomic_store(&vm->travelling, false);
	}
	pthread_mutex_unlock(&vm->lock);
	return error;
}
