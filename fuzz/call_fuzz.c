/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: bytes that say what the VM is (versions, quirks, rules, ranges of the filter) and what its two
 * vCPUs call. Whatever they say, a call returns a verdict and changes what it may.
 *
 *   meson setup build/fuzz -Dfuzz=true  (with CC=clang), then build/fuzz/fuzz/call-fuzz
 */
#include <stdlib.h>
#include <string.h>

#include <hvcgate/event.h>
#include <hvcgate/forward.h>

#include "../tests/property/expected_masks.h"

enum { VCPUS = 2, MAX_NODES = 192, NODE_BYTES = 512, EVENTS = 4, TRANSACTIONS = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t left;
};

/* The next bytes as a number; zero behind the end. */
static uint64_t take(struct input *input, size_t bytes)
{
	uint64_t value = 0;

	for (size_t i = 0; i < bytes && input->left != 0; i++, input->left--) {
		value |= (uint64_t)*input->data++ << i * 8;
	}
	return value;
}

static bool start(void *host, uint32_t vcpu)
{
	(void)host;
	return vcpu % 2 != 0;
}

static bool is_ram(void *host, uint64_t ipa)
{
	(void)host;
	return ipa < 0x40000000u;
}

static bool entropy(void *host, uint64_t *words, uint32_t n)
{
	(void)host;
	memset(words, 0x5a, n * sizeof(*words));
	return true;
}

static bool availability(void *host, uint64_t reg, uint64_t *bits)
{
	(void)host;
	*bits = ~reg;
	return reg % 2 == 0;
}

static bool stolen_time(void *host, uint32_t vcpu, uint64_t ipa)
{
	(void)host;
	(void)vcpu;
	return ipa != 0;
}

static bool ptp(void *host, uint32_t vcpu, bool physical, uint64_t *ns, uint64_t *counter)
{
	(void)host;
	*ns = vcpu;
	*counter = ~0ull;
	return physical;
}

/* An ID near a function's, or any. */
static uint32_t take_id(struct input *input)
{
	uint64_t how = take(input, 2);
	const struct hvc_function *function = hvc_function_at(how % HVC_FN_COUNT);

	if (function == NULL) {
		return (uint32_t)take(input, 4);
	}
	return (how & 0x8000 ? function->id64 : function->id32) ^ (uint32_t)(how >> 12 & 7);
}

static void take_settings(struct input *input, struct hvc_settings *settings)
{
	uint64_t bits = take(input, 4);

	hvc_settings_init(settings);
	settings->smccc_version = HVC_VERSION(1, bits % 6);
	settings->regs[HVC_REG_PSCI_VERSION] = bits & 0x10 ? HVC_VERSION(1, bits >> 5 & 3)
							   : HVC_VERSION(0, 2);
	settings->regs[HVC_REG_STD_BMAP] = bits >> 8 & 1;
	settings->regs[HVC_REG_WORKAROUND_1] = (bits >> 9 & 3) % 3;
	settings->soc_id_present = bits >> 11 & 1;
	settings->vendor_uid_present = bits >> 12 & 1;
	settings->system_suspend = bits >> 13 & 1;
	settings->discovery = bits >> 14 & 1;
	settings->strictness = bits >> 15 & 1;
	settings->quirks = bits >> 15 & 1 ? (uint32_t)take(input, 4) % HVC_QUIRK_END : 0;
}

static void take_rules(struct input *input, struct hvc_image *image, size_t capacity)
{
	uint64_t how = take(input, 1);

	/* What no rule names. */
	(void)hvc_image_paint(image, capacity, 0, UINT32_MAX, (enum hvc_action)(how >> 4 & 3),
			      false);
	for (uint64_t n = how % 16; n > 0; n--) {
		uint32_t first = take_id(input);
		uint32_t width = (uint32_t)take(input, 2);

		if (first + width >= first) {
			(void)hvc_image_paint(image, capacity, first, first + width,
					      (enum hvc_action)(width & 3), (width & 4) != 0);
		}
	}
}

/* With quirks x0 to x3, of FF-A's error x0 to x7; x0 alone of an SMC that is none. */
static uint32_t may_change(uint32_t quirks, enum hvc_conduit conduit, uint16_t immediate,
			   const struct hvc_frame *before, const struct hvc_frame *after)
{
	bool smc = conduit == HVC_CONDUIT_SMC;

	if (quirks == 0) {
		return expected_changes((uint32_t)before->x[0], immediate, after->x[0]);
	}
	if (smc && (immediate != 0 || (quirks & HVC_QUIRK_SMC_UNKNOWN) != 0)) {
		return EXPECT_X0;
	}
	return after->x[0] == 0x84000060u ? EXPECT_X0_X7 : EXPECT_X0_X3;
}

static void check(const struct hvc_frame *before, const struct hvc_frame *after, uint32_t may)
{
	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		if (before->x[i] != after->x[i] && !(may >> i & 1)) {
			abort();
		}
	}
}

static void answer(struct input *input, struct hvc_vcpu *vcpu, struct hvc_frame *frame)
{
	const uint32_t mask = (uint32_t)take(input, 2);
	const struct hvc_frame reply = {.x = {mask, 1, 2, 3}};
	enum hvc_err err = mask & 1 ? hvc_forward_complete(vcpu, frame, &reply, mask)
				    : hvc_forward_cancel(vcpu, frame);

	if (err != HVC_OK || hvc_forward_cancel(vcpu, frame) != HVC_ENOENT) {
		abort();
	}
}

/* What a handler may say at any time of any number, and ticks. */
static void take_reply(struct input *input, struct hvc_vm *vm)
{
	const struct hvc_frame reply = {.x = {5, 6, 7, 8}};
	uint64_t how = take(input, 1), sequence = how & 1 ? take(input, 8) : how >> 3;

	switch (how >> 1 & 3) {
	case 0:
		(void)hvc_forward_fail(vm, sequence);
		break;
	case 1:
		(void)hvc_forward_expire(vm);
		break;
	default:
		(void)hvc_forward_reply(vm, sequence, &reply, (uint32_t)how);
		break;
	}
}

/* Through the table: true if the call is settled or left. */
static bool begin(struct input *input, struct hvc_vm *vm, struct hvc_vcpu *vcpu,
		  struct hvc_frame *frame)
{
	const uint64_t how = take(input, 1);
	const struct hvc_restart_key key = {how & 1, how >> 1 & 1};
	const struct hvc_frame before = *frame;
	struct hvc_transaction transaction;
	enum hvc_forward_state state;

	if (hvc_forward_begin(vcpu, (enum hvc_conduit)(how >> 2 & 1), how & 8 ? &key : NULL, frame,
			      &transaction, &state) != HVC_OK) {
		abort();
	}
	if (state == HVC_FORWARD_ANSWERED) {
		return true;
	}
	check(&before, frame, 0);
	take_reply(input, vm);
	if (how & 16 && hvc_forward_take(vcpu, frame)) {
		return true;
	}
	return how & 32 && hvc_forward_leave(vcpu) == HVC_OK;
}

/* As many events as there is room for, one after the other; *next is the sequence number to come. */
static void take_events(struct hvc_vm *vm, uint64_t *next)
{
	struct hvc_event event;

	while (hvc_event_take(vm, &event)) {
		if (event.sequence != (*next)++ || event.vcpu >= VCPUS ||
		    event.verdict >= HVC_VERDICT_COUNT || event.fn >= HVC_FN_COUNT) {
			abort();
		}
	}
	if (!hvc_event_room(vm) || hvc_event_next(vm) != *next) {
		abort();
	}
}

static void take_call(struct input *input, struct hvc_vm *vm, struct hvc_vcpu *vcpu,
		      uint32_t quirks)
{
	uint64_t how = take(input, 1);
	uint16_t immediate = how & 2 ? 0 : (uint16_t)(how >> 4);
	struct hvc_frame frame = {.x = {take_id(input) | how << 32}}, before;
	enum hvc_verdict verdict;

	for (unsigned int i = 1; i < 4; i++) {
		frame.x[i] = how & 4 ? take(input, 8) : take_id(input);
	}
	before = frame;
	verdict = hvc_call(vcpu, (enum hvc_conduit)(how & 1), immediate, &frame);
	if (verdict == HVC_RESUME) {
		check(&before, &frame,
		      may_change(quirks, (enum hvc_conduit)(how & 1), immediate, &before, &frame));
	}
	if (verdict == HVC_FORWARDED) {
		check(&before, &frame, 0);
		if (!(how & 16) || !begin(input, vm, vcpu, &frame)) {
			answer(input, vcpu, &frame);
		}
	}
	if (verdict == HVC_EVENTS_FULL) {
		check(&before, &frame, 0);
	}
	if (verdict >= HVC_VERDICT_COUNT || hvc_vcpu_outcome(vcpu).decider >= HVC_DECIDER_COUNT) {
		abort();
	}
	if (how & 8) {
		(void)hvc_vcpu_started(vcpu);
	}
}

/* Before the first call: ranges by number and by bytes, dry runs, spans. */
static void take_filter(struct input *input, struct hvc_vm *vm)
{
	for (uint64_t n = take(input, 1) % 4; n > 0; n--) {
		struct hvc_filter_detail detail = {.size = sizeof(detail)};
		uint32_t base = take_id(input), count = (uint32_t)take(input, 2);
		enum hvc_action action = (enum hvc_action)take(input, 1);
		enum hvc_err said = hvc_filter_try(vm, base, count, action, &detail);
		struct hvc_filter_span span = hvc_filter_span(vm, base);
		uint8_t bytes[HVC_FILTER_BYTES];

		if (hvc_filter_add(vm, base, count, action) != said || span.first != base ||
		    span.last < base || detail.last < detail.first ||
		    (said == HVC_OK) != (detail.obstacle == HVC_OBSTACLE_NONE)) {
			abort();
		}
		for (unsigned int i = 0; i < HVC_FILTER_BYTES; i++) {
			bytes[i] = (uint8_t)take(input, i < 9 ? 1 : 0);
		}
		(void)hvc_filter_add_bytes(vm, bytes);
	}
}

/* One thing a VMM may do with registers, at any time. */
static void take_register(struct input *input, struct hvc_vm *vm)
{
	uint64_t how = take(input, 1), ids[HVC_REG_COUNT], value = 0;
	uint64_t id = hvc_feature_reg_id(vm, how >> 4 & 7) ^ (how & 8 ? take(input, 8) : 0);
	uint32_t count = HVC_REG_COUNT;

	switch (how & 7) {
	case 0:
		(void)hvc_vm_show(vm, (unsigned int)(how >> 3));
		break;
	case 1:
		(void)hvc_vm_clear_from(vm, (unsigned int)(how >> 3));
		break;
	default:
		if (hvc_vm_set_reg(vm, id, take(input, how & 1 ? 1 : 8)) == HVC_OK &&
		    hvc_vm_get_reg(vm, id, &value) != HVC_OK) {
			abort();
		}
		break;
	}
	if (hvc_vm_list_regs(vm, ids, &count) != HVC_OK ||
	    count != hvc_vm_check(vm, HVC_CAP_FEATURE_REGS)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_Alignas(64) static unsigned char memory[sizeof(struct hvc_image) + MAX_NODES * NODE_BYTES];
	_Alignas(64) static unsigned char vm_memory[512], vcpu_memory[VCPUS][128];
	_Alignas(64) static unsigned char filter_memory[MAX_NODES * NODE_BYTES];
	_Alignas(8) static unsigned char event_memory[2048], forward_memory[2048];
	static struct hvc_counters counters = {.size = sizeof(counters)};
	static const struct hvc_platform platform = {.size = sizeof(platform),
						     .cpu_start = start,
						     .is_ram = is_ram,
						     .entropy = entropy,
						     .stolen_time = stolen_time,
						     .ptp = ptp,
						     .feature_availability = availability};
	struct hvc_image *image = (struct hvc_image *)(void *)memory;
	struct hvc_vm *vm = (struct hvc_vm *)(void *)vm_memory;
	struct hvc_vcpu *vcpus[VCPUS] = {(struct hvc_vcpu *)(void *)vcpu_memory[0],
					 (struct hvc_vcpu *)(void *)vcpu_memory[1]};
	struct hvc_vm_config config = {.size = sizeof(config),
				       .vcpu_count = VCPUS,
				       .image = image,
				       .platform = &platform,
				       .filter_memory = filter_memory,
				       .filter_bytes = sizeof(filter_memory),
				       .event_memory = event_memory,
				       .event_bytes = hvc_event_size(EVENTS),
				       .forward_memory = forward_memory,
				       .forward_bytes = hvc_forward_size(TRANSACTIONS)};
	struct input input = {data, size};
	struct hvc_settings settings;
	uint64_t next = 1;

	if (sizeof(event_memory) < config.event_bytes ||
	    sizeof(forward_memory) < config.forward_bytes) {
		abort();
	}
	take_settings(&input, &settings);
	config.flags = (uint32_t)take(&input, 1);
	if (config.flags & 0x80) {
		config.event_memory = NULL;
	}
	config.flags &= HVC_VM_FORWARD | HVC_VM_PSCI_0_1;
	if (settings.smccc_version >= HVC_VERSION(1, 3)) {
		config.flags &= HVC_VM_FORWARD; /* 0.1 and the hint do not go together */
	}
	if (hvc_image_begin(image, sizeof(memory), &settings) != HVC_OK) {
		abort();
	}
	take_rules(&input, image, sizeof(memory));
	hvc_image_seal(image);
	if (hvc_image_check(image, image->bytes) != HVC_OK ||
	    hvc_vm_init(vm, &config, vcpus) != HVC_OK ||
	    hvc_vcpu_setup(vcpus[0], 0, &counters) != HVC_OK) {
		abort();
	}
	take_filter(&input, vm);
	for (uint64_t n = take(&input, 1) % 4; n > 0; n--) {
		take_register(&input, vm);
	}
	(void)hvc_vcpu_set_stolen_time(vcpus[0], take(&input, 1) << 4);
	hvc_vm_freeze(vm);
	while (input.left != 0) {
		uint64_t who = take(&input, 1);

		take_call(&input, vm, vcpus[who % VCPUS], settings.quirks);
		if ((who & 8) != 0 && config.event_memory != NULL) {
			take_events(vm, &next);
		}
		if (who >= 0xf0) {
			take_register(&input, vm);
		}
	}
	return 0;
}
