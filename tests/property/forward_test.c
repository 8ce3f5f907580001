/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of transactions against a list that is searched from end to end: random operations by some vCPUs and a
 * handler, over few keys, functions and arguments, so that calls often look alike. Everything that comes back is
 * compared, after each operation: states, sequence numbers, errors, whole frames, counters.
 */
#include <stdlib.h>
#include <string.h>

#include <hvcgate/forward.h>

#include "cmocka_all.h"
#include "world.h"

enum { VCPUS = 4, MOST = 9, OPERATIONS = 1000000, WORLDS = 50, KEYS = 3 };

/* What is forwarded, and what the catalogue says of it, stated once more. */
static const struct function {
	uint32_t id;
	unsigned int args;
	uint32_t may; /* registers of a reply that count */
	int32_t failure;
} functions[] = {
	{0xc4000003u, 3, 0x1, -6}, /* PSCI_CPU_ON */
	{0x84000053u, 1, 0xf, -3}, /* TRNG_RND */
	{0x87000000u, 17, 0xf, -1},
	{0x87000001u, 17, 0xf, -1},
};

struct call {
	bool keyed;
	struct hvc_restart_key key;
	enum hvc_conduit conduit;
	const struct function *function;
	struct hvc_frame frame;
};

enum state { NONE = 0, SENT, ANSWERED, FAILED };

struct entry {
	enum state state;
	uint64_t sequence;
	unsigned int begun_by;
	int attached; /* a vCPU, or -1 */
	unsigned int age;
	struct call call;
	struct hvc_frame reply;
	uint32_t mask;
};

struct model {
	struct rng rng;
	struct world *world;
	unsigned int capacity;
	struct entry entries[MOST];
	uint64_t next;
	struct {
		bool pending;
		struct call call;
		struct hvc_frame frame; /* as the engine has it */
	} vcpus[VCPUS];
	struct hvc_forward_counts counts;
	uint64_t settled[VCPUS][4][2]; /* by function; answered, failed */
};

static uint32_t below(struct model *model, uint32_t n)
{
	return rng_below(&model->rng, n);
}

/* --- The list. */
static struct entry *entry_of(struct model *model, unsigned int cpu)
{
	for (unsigned int i = 0; i < model->capacity; i++) {
		if (model->entries[i].state != NONE && model->entries[i].attached == (int)cpu) {
			return &model->entries[i];
		}
	}
	return NULL;
}

static struct entry *entry_by(struct model *model, uint64_t sequence)
{
	for (unsigned int i = 0; i < model->capacity; i++) {
		if (model->entries[i].state != NONE && model->entries[i].sequence == sequence) {
			return &model->entries[i];
		}
	}
	return NULL;
}

static struct entry *entry_free(struct model *model)
{
	for (unsigned int i = 0; i < model->capacity; i++) {
		if (model->entries[i].state == NONE) {
			return &model->entries[i];
		}
	}
	return NULL;
}

static bool comes_back(const struct entry *entry, const struct call *call)
{
	bool same = entry->state != NONE && entry->attached < 0 && entry->call.keyed &&
		    call->keyed && entry->call.key.pc == call->key.pc &&
		    entry->call.key.sp == call->key.sp && entry->call.conduit == call->conduit &&
		    entry->call.function == call->function;

	for (unsigned int i = 1; same && i <= call->function->args; i++) {
		same = entry->call.frame.x[i] == call->frame.x[i];
	}
	return same;
}

static bool any_comes_back(const struct model *model, const struct call *call)
{
	for (unsigned int i = 0; i < model->capacity; i++) {
		if (comes_back(&model->entries[i], call)) {
			return true;
		}
	}
	return false;
}

/* --- What the guest must have now. */
static void expect_frame(struct model *model, unsigned int cpu, const struct hvc_frame *expected)
{
	assert_memory_equal(&model->vcpus[cpu].frame, expected, sizeof(*expected));
}

static void settle(struct model *model, unsigned int cpu, bool answered)
{
	size_t function = (size_t)(model->vcpus[cpu].call.function - functions);

	model->vcpus[cpu].pending = false;
	model->settled[cpu][function][!answered]++;
}

static void expect_answer(struct model *model, unsigned int cpu, const struct hvc_frame *reply,
			  uint32_t mask)
{
	struct hvc_frame expected = model->vcpus[cpu].call.frame;

	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		if (mask & model->vcpus[cpu].call.function->may & 1u << i) {
			expected.x[i] = reply->x[i];
		}
	}
	expect_frame(model, cpu, &expected);
	settle(model, cpu, true);
}

static void expect_failure(struct model *model, unsigned int cpu)
{
	struct hvc_frame expected = model->vcpus[cpu].call.frame;

	expected.x[0] = STATUS(model->vcpus[cpu].call.function->failure);
	expect_frame(model, cpu, &expected);
	settle(model, cpu, false);
}

/* Its answer is there, and was taken. */
static void expect_taken(struct model *model, unsigned int cpu, struct entry *entry)
{
	if (entry->state == ANSWERED) {
		model->counts.answered++;
		expect_answer(model, cpu, &entry->reply, entry->mask);
	} else {
		model->counts.cancelled++;
		expect_failure(model, cpu);
	}
	entry->state = NONE;
}

/* --- Operations. */
static void begin(struct model *model, unsigned int cpu)
{
	const struct call *call = &model->vcpus[cpu].call;
	struct hvc_transaction transaction;
	enum hvc_forward_state state;
	struct entry *entry = entry_of(model, cpu);
	bool again = entry != NULL;

	assert_int_equal(hvc_forward_begin(model->world->vcpus[cpu], call->conduit,
					   call->keyed ? &call->key : NULL,
					   &model->vcpus[cpu].frame, &transaction, &state),
			 HVC_OK);
	if (!again && !any_comes_back(model, call)) {
		entry = entry_free(model);
		assert_int_equal(state, entry == NULL ? HVC_FORWARD_FULL : HVC_FORWARD_NEW);
		expect_frame(model, cpu, &call->frame);
		if (entry == NULL) {
			model->counts.full++;
			return;
		}
		*entry = (struct entry){.state = SENT,
					.sequence = model->next++,
					.begun_by = cpu,
					.attached = (int)cpu,
					.call = *call};
		model->counts.begun++;
	} else if (!again) { /* of several that look alike any */
		entry = entry_by(model, transaction.sequence);
		assert_non_null(entry);
		assert_true(comes_back(entry, call));
		entry->attached = (int)cpu;
		entry->age = 0;
		model->counts.restarted++;
	}
	assert_int_equal(transaction.sequence, entry->sequence);
	assert_int_equal(transaction.vcpu, entry->begun_by);
	assert_int_equal(transaction.id, call->function->id);
	assert_int_equal(transaction.arg_count, call->function->args);
	if (state == HVC_FORWARD_ANSWERED) {
		assert_int_not_equal(entry->state, SENT);
		expect_taken(model, cpu, entry);
	} else {
		assert_int_equal(entry->state, SENT);
		expect_frame(model, cpu, &call->frame);
	}
}

static struct call random_call(struct model *model)
{
	struct call call = {.keyed = below(model, 8) != 0,
			    .key = {0x1000u + 4 * below(model, KEYS), 16 * below(model, KEYS)},
			    .conduit = (enum hvc_conduit)(below(model, 8) == 0),
			    .function = &functions[below(model, COUNT_OF(functions))]};

	call.frame = world_frame(call.function->id, below(model, 2), below(model, 2), 0);
	/* Of an unknown function an argument, of others not. */
	call.frame.x[17] = below(model, 2);
	return call;
}

/* As if the guest had come back to what it had left, or nearly so. */
static struct call left_call(struct model *model)
{
	const struct entry *entry = &model->entries[below(model, model->capacity)];
	struct call call = random_call(model);

	if (entry->state == NONE || entry->attached >= 0) {
		return call;
	}
	call = entry->call;
	switch (below(model, 32)) {
	case 0:
		call.key.pc ^= 4;
		break;
	case 1:
		call.key.sp ^= 16;
		break;
	case 2:
		call.conduit ^= 1;
		break;
	case 3:
		call.keyed = false;
		break;
	case 4:
		call.frame.x[1 + below(model, HVC_FRAME_REGS - 1)] ^= 1;
		break;
	default:
		break;
	}
	return call;
}

static void call(struct model *model, unsigned int cpu)
{
	struct call *call = &model->vcpus[cpu].call;

	*call = below(model, 4) ? left_call(model) : random_call(model);
	model->vcpus[cpu].frame = call->frame;
	model->vcpus[cpu].pending = true;
	assert_int_equal(hvc_call(model->world->vcpus[cpu], call->conduit, 0,
				  &model->vcpus[cpu].frame),
			 HVC_FORWARDED);
	expect_frame(model, cpu, &call->frame);
	begin(model, cpu);
}

static void take(struct model *model, unsigned int cpu)
{
	struct entry *entry = entry_of(model, cpu);
	bool there = entry != NULL && entry->state != SENT;

	assert_int_equal(hvc_forward_take(model->world->vcpus[cpu], &model->vcpus[cpu].frame),
			 there);
	if (there) {
		expect_taken(model, cpu, entry);
	}
}

static void leave(struct model *model, unsigned int cpu)
{
	struct entry *entry = entry_of(model, cpu);
	enum hvc_err expected = !model->vcpus[cpu].pending ? HVC_ENOENT : HVC_OK;

	if (entry != NULL && !entry->call.keyed) {
		expected = HVC_EINVAL;
	}
	assert_int_equal(hvc_forward_leave(model->world->vcpus[cpu]), expected);
	if (expected == HVC_OK) {
		model->vcpus[cpu].pending = false;
		if (entry != NULL) {
			entry->attached = -1;
		}
	}
}

static struct hvc_frame random_reply(struct model *model, uint32_t *mask)
{
	struct hvc_frame reply;

	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		reply.x[i] = rng_next(&model->rng);
	}
	*mask = below(model, 4) ? 0xf : (uint32_t)rng_next(&model->rng);
	return reply;
}

/* The call ends without the table: complete, cancel, the CPU is started again. */
static void close(struct model *model, unsigned int cpu)
{
	struct hvc_vcpu *vcpu = model->world->vcpus[cpu];
	struct hvc_frame *frame = &model->vcpus[cpu].frame;
	struct entry *entry = entry_of(model, cpu);
	enum hvc_err expected = model->vcpus[cpu].pending ? HVC_OK : HVC_ENOENT;
	uint32_t mask, how = below(model, 8);
	struct hvc_frame reply = random_reply(model, &mask);

	if (how < 3) {
		assert_int_equal(hvc_forward_complete(vcpu, frame, &reply, mask), expected);
	} else if (how < 7) {
		assert_int_equal(hvc_forward_cancel(vcpu, frame), expected);
	} else {
		hvc_vcpu_started(vcpu);
	}
	if (expected == HVC_OK && how < 3) {
		expect_answer(model, cpu, &reply, mask);
	} else if (expected == HVC_OK && how < 7) {
		expect_failure(model, cpu);
	} else if (expected == HVC_OK) {
		expect_frame(model, cpu, &model->vcpus[cpu].call.frame);
		settle(model, cpu, false);
	}
	if (entry != NULL) {
		model->counts.late += entry->state == ANSWERED;
		model->counts.answered += how < 3;
		model->counts.cancelled += how >= 3;
		entry->state = NONE;
	}
}

static uint64_t random_sequence(struct model *model)
{
	switch (below(model, 16)) {
	case 0:
		return rng_next(&model->rng);
	case 1:
		return below(model, 2);
	default:
		/* One of the last, or the one that comes next. */
		return model->next - below(model, (uint32_t)(model->next < 12 ? model->next : 12));
	}
}

static void reply(struct model *model)
{
	uint64_t sequence = random_sequence(model);
	struct entry *entry = entry_by(model, sequence);
	bool waits = entry != NULL && entry->state == SENT;
	uint32_t mask;
	struct hvc_frame reply = random_reply(model, &mask);

	if (below(model, 8) == 0) {
		assert_int_equal(hvc_forward_fail(model->world->vm, sequence),
				 waits ? HVC_OK : HVC_ENOENT);
		if (waits) {
			entry->state = FAILED;
		}
		return;
	}
	assert_int_equal(hvc_forward_reply(model->world->vm, sequence, &reply, mask),
			 waits ? HVC_OK : HVC_ENOENT);
	if (waits) {
		entry->state = ANSWERED;
		entry->reply = reply;
		entry->mask = mask;
	} else {
		model->counts.late++;
	}
}

static void expire(struct model *model)
{
	unsigned int expected = 0;

	for (unsigned int i = 0; i < model->capacity; i++) {
		struct entry *entry = &model->entries[i];

		if (entry->state != NONE && entry->attached < 0 &&
		    ++entry->age == HVC_FORWARD_TICKS) {
			expected++;
			model->counts.late += entry->state == ANSWERED;
			entry->state = NONE;
		}
	}
	model->counts.expired += expected;
	assert_int_equal(hvc_forward_expire(model->world->vm), expected);
}

static void compare(struct model *model)
{
	struct hvc_forward_counts counts = {.size = sizeof(counts)};

	model->counts.size = sizeof(counts);
	model->counts.in_use = 0;
	for (unsigned int i = 0; i < model->capacity; i++) {
		model->counts.in_use += model->entries[i].state != NONE;
	}
	assert_int_equal(hvc_forward_counts(model->world->vm, &counts), HVC_OK);
	assert_memory_equal(&counts, &model->counts, sizeof(counts));
	assert_int_equal(counts.begun,
			 counts.answered + counts.cancelled + counts.expired + counts.in_use);
}

static void compare_counters(const struct model *model)
{
	for (unsigned int cpu = 0; cpu < VCPUS; cpu++) {
		const struct hvc_counters *counters = &model->world->counters[cpu];
		const uint64_t(*settled)[2] = model->settled[cpu];

		for (unsigned int f = 0; f < 2; f++) {
			unsigned int fn = hvc_function_by_id(functions[f].id);

			assert_int_equal(counters->calls[fn][HVC_ANSWERED], settled[f][0]);
			assert_int_equal(counters->calls[fn][HVC_FAILED], settled[f][1]);
		}
		assert_int_equal(counters->calls[0][HVC_ANSWERED], settled[2][0] + settled[3][0]);
		assert_int_equal(counters->calls[0][HVC_FAILED], settled[2][1] + settled[3][1]);
	}
}

static void operate(struct model *model)
{
	unsigned int cpu = below(model, VCPUS), what = below(model, 64);

	if (what < 24 && !model->vcpus[cpu].pending) {
		call(model, cpu);
	} else if (what < 24) {
		begin(model, cpu);
	} else if (what < 36) {
		reply(model);
	} else if (what < 46) {
		take(model, cpu);
	} else if (what < 56) {
		leave(model, cpu);
	} else if (what < 60) {
		close(model, cpu);
	} else if (what < 62) {
		expire(model);
	}
}

static void test_model(void **state)
{
	struct hvc_forward_counts all = {0};

	(void)state;
	for (unsigned int n = 0; n < WORLDS; n++) {
		struct model model = {.rng = {n + 1}, .capacity = 1 + n % MOST, .next = 1};

		model.world = world_new(&(struct world_setup){.otherwise = HVC_FORWARD,
							      .vcpu_count = VCPUS,
							      .flags = HVC_VM_FORWARD,
							      .transactions = model.capacity});
		for (unsigned int i = 0; i < OPERATIONS / WORLDS; i++) {
			operate(&model);
			compare(&model);
		}
		compare_counters(&model);
		all.answered += model.counts.answered;
		all.restarted += model.counts.restarted;
		all.late += model.counts.late;
		all.expired += model.counts.expired;
		all.full += model.counts.full;
		world_free(model.world);
	}
	print_message("answered %llu restarted %llu late %llu expired %llu full %llu\n",
		      (unsigned long long)all.answered, (unsigned long long)all.restarted,
		      (unsigned long long)all.late, (unsigned long long)all.expired,
		      (unsigned long long)all.full);
	/* A test that never saw one of these has shown nothing. */
	assert_true(all.answered > 10000 && all.restarted > 10000 && all.late > 10000 &&
		    all.expired > 1000 && all.full > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
