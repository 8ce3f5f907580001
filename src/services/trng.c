/* SPDX-License-Identifier: BSD-2-Clause */
/* True random number generator firmware interface: DEN0098 1.0. */
#include "services.h"

/* DEN0098, 2.1: not SMCCC's numbers. */
enum {
	TRNG_SUCCESS = 0,
	TRNG_NOT_SUPPORTED = -1,
	TRNG_INVALID_PARAMETERS = -2,
	TRNG_NO_ENTROPY = -3
};

/* Identity of this entropy source: 68f1a1a6-7a5e-4ac4-9e0b-6d8c1c5e90d2, words little-endian. */
static const uint32_t trng_uuid[4] = {0xa6a1f168u, 0xc44a5e7au, 0x8c6d0b9eu, 0xd2905e1cu};

HVC_SERVE(TRNG_VERSION)
{
	(void)vcpu;
	return serve_word(frame, HVC_VERSION(1, 0));
}

/* KVM's: 0d21e000-4384-11eb-8070-5244554e5a4c. */
static const uint32_t kvm_uuid[4] = {0x00e0210du, 0xeb118443u, 0x44527080u, 0x4c5a4e55u};

HVC_SERVE(TRNG_FEATURES)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint32_t id = (uint32_t)frame->x[1];
	unsigned int slot = vm_served(vm, id);
	int32_t value = TRNG_SUCCESS;

	if (slot == HVC_FN_NONE || hvc_function_at(slot)->service != HVC_SERVICE_TRNG ||
	    (vm_quirk(vm, HVC_QUIRK_TRNG_FEATURES_64) && frame->x[1] >> 32 != 0)) {
		return serve_status(frame, TRNG_NOT_SUPPORTED);
	}
	(void)vm_feature_value(vm, id, &value);
	return serve_status(frame, value);
}

HVC_SERVE(TRNG_GET_UUID)
{
	return serve_words(frame,
			   vm_quirk(vcpu->vm, HVC_QUIRK_TRNG_KVM_UUID) ? kvm_uuid : trng_uuid);
}

/* Bits `from` and up of word `index` (words of `width` bits, word 0 lowest) that a request of n has. */
static uint64_t word_mask(uint32_t bits, unsigned int index, unsigned int width)
{
	uint32_t below = index * width;

	if (bits >= below + width) {
		return width == 64 ? ~0ull : (1ull << width) - 1;
	}
	return bits <= below ? 0 : (1ull << (bits - below)) - 1;
}

/* DEN0098, 2.6: without entropy its registers are zero. */
static enum hvc_verdict no_bits(struct hvc_frame *frame, int32_t status)
{
	for (unsigned int i = 1; i <= 3; i++) {
		frame->x[i] = 0;
	}
	return serve_status(frame, status);
}

enum { RND_WORDS = 3 }; /* x1 to x3 */

/* DEN0098, 2.6: 1 to 3 words' worth of bits. */
static bool bits_valid(const struct hvc_vm *vm, uint64_t bits, unsigned int width)
{
	return bits <= RND_WORDS * width && (bits != 0 || vm_quirk(vm, HVC_QUIRK_TRNG_ZERO_BITS));
}

/* What is left of a secret in our own memory goes: a compiler would drop plain stores. */
static void wipe(uint64_t words[RND_WORDS])
{
	for (unsigned int i = 0; i < RND_WORDS; i++) {
		*(volatile uint64_t *)&words[i] = 0;
	}
}

static bool fill(const struct hvc_vm *vm, uint64_t words[RND_WORDS])
{
	bool filled = vm->platform != NULL && vm->platform->entropy != NULL &&
		      vm->platform->entropy(vm->host, words, RND_WORDS);

	if (!filled) {
		wipe(words); /* there may be something in it */
	}
	return filled;
}

HVC_SERVE(TRNG_RND)
{
	const struct hvc_vm *vm = vcpu->vm;
	unsigned int width = vcpu->last_id & HVC_ID_64 ? 64 : 32;
	uint64_t bits = argument(vcpu, frame, 1);
	uint64_t words[RND_WORDS];

	if (vm_quirk(vm, HVC_QUIRK_TRNG_ZERO_BITS)) {
		bits = (uint32_t)bits;
	}
	if (!bits_valid(vm, bits, width)) {
		return no_bits(frame, TRNG_INVALID_PARAMETERS);
	}
	if (!fill(vm, words)) {
		return no_bits(frame, TRNG_NO_ENTROPY);
	}
	/* The lowest bits are in x3, the highest in x1; bits not asked for are zero. */
	for (unsigned int i = 0; i < RND_WORDS; i++) {
		frame->x[3 - i] = words[i] & word_mask((uint32_t)bits, i, width);
	}
	wipe(words);
	return serve_status(frame, TRNG_SUCCESS);
}

static uint32_t trng_version(const struct hvc_vm *vm)
{
	(void)vm;
	return HVC_VERSION(1, 0);
}

const struct hvc_service hvc_service_trng = {
	.id = HVC_SERVICE_TRNG,
	.version = trng_version,
};
