/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages of handlers: each comes back as it went; every truncation and every flipped bit is refused or is a message whose
 * only form it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka_all.h>
#include <rng.h>

#include <hvcgate/handler.h>

static struct hvc_handler_message samples[5];

static void fill(struct rng *rng, uint64_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		words[i] = rng_next(rng);
	}
}

static int make_samples(void **state)
{
	struct rng rng = {7};

	(void)state;
	memset(samples, 0, sizeof(samples));
	for (uint32_t i = 0; i < 5; i++) {
		samples[i].type = i + 1;
	}
	memset(samples[0].u.hello.policy_sha256, 0xa5, 32);
	snprintf(samples[0].u.hello.name, sizeof(samples[0].u.hello.name), "web ~");
	samples[0].u.hello.seen = rng_next(&rng);
	samples[1].u.request = (struct hvc_handler_request){.sequence = rng_next(&rng),
							    .vm = 3,
							    .vcpu = 511,
							    .id = 0xc2001234,
							    .immediate = 0xbeef,
							    .conduit = 1,
							    .arg_count = 17,
							    .timeout_ms = 100};
	fill(&rng, samples[1].u.request.frame.x, HVC_FRAME_REGS);
	samples[2].u.reply = (struct hvc_handler_reply){
		.sequence = rng_next(&rng), .mask = 0x3ffff, .status = 1};
	fill(&rng, samples[2].u.reply.frame.x, HVC_FRAME_REGS);
	samples[3].u.cancel = (struct hvc_handler_cancel){.sequence = 9, .reason = 1};
	samples[4].u.event = (struct hvc_handler_event){
		.sequence = 10, .vm = 1, .vcpu = 2, .id = 3, .conduit = 1, .verdict = 9};
	fill(&rng, samples[4].u.event.args, HVC_EVENT_REGS);
	fill(&rng, samples[4].u.event.results, HVC_EVENT_REGS);
	return 0;
}

static void round_trips(void **state)
{
	static const size_t sizes[] = {120, 192, 176, 32, 168};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		uint8_t bytes[HVC_HANDLER_MAX];
		struct hvc_handler_message back;
		const size_t size = hvc_handler_encode(&samples[i], bytes);

		assert_int_equal(size, sizes[i]);
		assert_int_equal(hvc_handler_decode(bytes, size, &back), HVC_OK);
		assert_memory_equal(&back, &samples[i], sizeof(back));
	}
}

/* The format is for other languages, too: its bytes are these. */
static void has_these_bytes(void **state)
{
	static const uint8_t cancel[32] = {'H', 'V', 'C', 'H', 1, 0, 4, 0, 32, 0, 0, 0, 0, 0, 0, 0,
					   9,   0,   0,   0,   0, 0, 0, 0, 1,  0, 0, 0, 0, 0, 0, 0};
	uint8_t bytes[HVC_HANDLER_MAX];

	(void)state;
	assert_int_equal(hvc_handler_encode(&samples[3], bytes), sizeof(cancel));
	assert_memory_equal(bytes, cancel, sizeof(cancel));
	assert_int_equal(hvc_handler_encode(&samples[1], bytes), 192);
	assert_memory_equal(bytes + 24, "\3\0\0\0\xff\1\0\0\x34\x12\0\xc2\xef\xbe\1\x11\x64\0\0\0",
			    20);
}

/* Bytes that are taken are the only form of what they say. */
static bool taken(const uint8_t *bytes, size_t size)
{
	struct hvc_handler_message message;
	uint8_t again[HVC_HANDLER_MAX];
	const enum hvc_err err = hvc_handler_decode(bytes, size, &message);

	if (err != HVC_OK) {
		assert_true(err == HVC_EBADMSG || err == HVC_ENOTSUP);
		return false;
	}
	assert_int_equal(hvc_handler_encode(&message, again), size);
	assert_memory_equal(bytes, again, size);
	return true;
}

/* In memory of its own, of exactly this size: what reads on is seen by the sanitizer. */
static bool taken_alone(const uint8_t *bytes, size_t size)
{
	uint8_t *alone = malloc(size == 0 ? 1 : size);
	bool good;

	memcpy(alone, bytes, size);
	good = taken(alone, size);
	free(alone);
	return good;
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < 5; i++) {
		uint8_t bytes[HVC_HANDLER_MAX + 8] = {0};
		const size_t size = hvc_handler_encode(&samples[i], bytes);

		for (size_t less = 0; less < size; less++) {
			assert_false(taken_alone(bytes, less));
			/* Also when it says so itself. */
			bytes[8] = (uint8_t)less;
			assert_false(taken_alone(bytes, less));
			bytes[8] = (uint8_t)size;
		}
		assert_false(taken_alone(bytes, size + 1));
		bytes[8]++;
		assert_false(taken_alone(bytes, size + 1));
	}
}

static void every_flipped_bit_is_seen_or_harmless(void **state)
{
	unsigned int flips = 0, harmless = 0;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		uint8_t bytes[HVC_HANDLER_MAX];
		const size_t size = hvc_handler_encode(&samples[i], bytes);

		for (size_t bit = 0; bit < size * 8; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			flips++;
			if (taken_alone(bytes, size)) {
				harmless++;
				assert_true(bit / 8 >= 16); /* the head has no bit to spare */
			}
			bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
	assert_true(harmless > 0 && harmless < flips - 5 * 128);
}

static void random_bytes(void **state)
{
	struct rng rng = {11};

	(void)state;
	for (unsigned int round = 0; round < 20000; round++) {
		uint8_t bytes[HVC_HANDLER_MAX + 16];
		size_t size = hvc_handler_encode(&samples[rng_below(&rng, 5)], bytes);

		for (unsigned int n = rng_below(&rng, 6); n > 0; n--) {
			bytes[rng_below(&rng, (unsigned int)size)] = (uint8_t)rng_next(&rng);
		}
		if (rng_below(&rng, 4) == 0) {
			size = rng_below(&rng, (unsigned int)size + 1);
		}
		(void)taken_alone(bytes, size);
	}
}

static void refuses_fields(void **state)
{
	struct hvc_handler_message message;
	uint8_t bytes[HVC_HANDLER_MAX];

	(void)state;
#define REFUSED(which, change)                                            \
	do {                                                              \
		message = samples[which];                                 \
		change;                                                   \
		assert_int_equal(hvc_handler_encode(&message, bytes), 0); \
	} while (0)
	REFUSED(0, message.type = 0);
	REFUSED(0, message.type = 6);
	REFUSED(0, message.type = 0x10001);
	REFUSED(0, memset(message.u.hello.name, 'x', 64));
	REFUSED(0, message.u.hello.name[0] = '\n');
	REFUSED(0, message.u.hello.name[63] = 'x');
	REFUSED(1, message.u.request.sequence = 0);
	REFUSED(1, message.u.request.conduit = 2);
	REFUSED(1, message.u.request.arg_count = 18);
	REFUSED(2, message.u.reply.sequence = 0);
	REFUSED(2, message.u.reply.mask = 0x40000);
	REFUSED(2, message.u.reply.status = 2);
	REFUSED(3, message.u.cancel.reason = 0);
	REFUSED(3, message.u.cancel.sequence = 0);
	REFUSED(4, message.u.event.sequence = 0);
	REFUSED(4, message.u.event.conduit = 2);
	REFUSED(4, message.u.event.verdict = HVC_VERDICT_COUNT);
	assert_int_equal(hvc_handler_encode(NULL, bytes), 0);
	assert_int_equal(hvc_handler_decode(NULL, 0, &message), HVC_EFAULT);
	assert_int_equal(hvc_handler_decode(bytes, 0, NULL), HVC_EFAULT);
	hvc_handler_encode(&samples[3], bytes);
	bytes[4] = 2;
	assert_int_equal(hvc_handler_decode(bytes, 32, &message), HVC_ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(has_these_bytes),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(every_flipped_bit_is_seen_or_harmless),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(refuses_fields),
	};

	return cmocka_run_group_tests(tests, make_samples, NULL);
}
