/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of transactions: what begins, returns, is answered, fails, ages, and each error. */
#include <string.h>

#include <hvcgate/forward.h>
#include <hvcgate/live.h>

#include "cmocka_all.h"
#include "forward_state.h"
#include "world.h"

enum { VCPUS = 3 };

#define CPU_ON_64  0xc4000003u
#define CPU_ON_32  0x84000003u
#define FFA_ID_GET 0x84000069u
#define UNKNOWN    0x87000000u
#define DENIED     0x84000005u

static const struct hvc_restart_key here = {0xffff800010001000u, 0xffff800012003f00u};

static struct world *table_of(unsigned int transactions)
{
	static const struct paint deny = {DENIED, DENIED, HVC_DENY};

	return world_new(&(struct world_setup){.rules = &deny,
					       .rule_count = 1,
					       .otherwise = HVC_FORWARD,
					       .vcpu_count = VCPUS,
					       .flags = HVC_VM_FORWARD,
					       .transactions = transactions});
}

static void call(struct world *world, unsigned int cpu, const struct hvc_frame *frame)
{
	struct hvc_frame copy = *frame;

	assert_int_equal(hvc_call(world->vcpus[cpu], HVC_CONDUIT_HVC, 0, &copy), HVC_FORWARDED);
	assert_memory_equal(frame, &copy, sizeof(copy));
}

/* Call and begin; `state` must come of it. Returns the sequence number. */
static uint64_t begin(struct world *world, unsigned int cpu, struct hvc_frame *frame,
		      const struct hvc_restart_key *key, enum hvc_forward_state state)
{
	struct hvc_transaction transaction;
	enum hvc_forward_state is;

	call(world, cpu, frame);
	assert_int_equal(hvc_forward_begin(world->vcpus[cpu], HVC_CONDUIT_HVC, key, frame,
					   &transaction, &is),
			 HVC_OK);
	assert_int_equal(is, state);
	return transaction.sequence;
}

static struct hvc_forward_counts counts(struct world *world)
{
	struct hvc_forward_counts counts = {.size = sizeof(counts)};

	assert_int_equal(hvc_forward_counts(world->vm, &counts), HVC_OK);
	assert_int_equal(counts.begun,
			 counts.answered + counts.cancelled + counts.expired + counts.in_use);
	return counts;
}

static uint64_t counted(struct world *world, unsigned int cpu, uint32_t id, enum hvc_count what)
{
	return world->counters[cpu].calls[hvc_function_by_id(id)][what];
}

static struct hvc_frame reply_of(uint64_t x0)
{
	return (struct hvc_frame){.x = {x0, x0 + 1, x0 + 2, x0 + 3, x0 + 4}};
}

static void test_memory(void **state)
{
	struct world *world = table_of(1);
	struct hvc_vm_config config = {.size = sizeof(config),
				       .vcpu_count = 1,
				       .image = world->image,
				       .forward_memory = world->forward_memory};
	struct hvc_forward_counts counts = {.size = sizeof(counts)};

	(void)state;
	assert_int_equal(hvc_forward_size(0), 0);
	assert_int_equal(hvc_forward_size(HVC_FORWARD_MAX + 1), 0);
	assert_true(hvc_forward_size(1) > 0 && hvc_forward_size(1) < 1024);
	for (unsigned int n = 2; n <= HVC_FORWARD_MAX; n++) {
		assert_true(hvc_forward_size(n) > hvc_forward_size(n - 1));
	}
	assert_int_equal(hvc_vm_init(world->vm, &config, world->vcpus), HVC_ENOMEM);
	config.forward_bytes = hvc_forward_size(1) - 1;
	assert_int_equal(hvc_vm_init(world->vm, &config, world->vcpus), HVC_ENOMEM);
	config.forward_bytes = hvc_forward_size(1);
	config.forward_memory = (char *)world->forward_memory + 4;
	assert_int_equal(hvc_vm_init(world->vm, &config, world->vcpus), HVC_EFAULT);
	config.forward_memory = world->forward_memory;
	assert_int_equal(hvc_vm_init(world->vm, &config, world->vcpus), HVC_OK);
	assert_int_equal(hvc_forward_counts(world->vm, &counts), HVC_OK);
	assert_int_equal(counts.in_use, 0);
	counts.size--;
	assert_int_equal(hvc_forward_counts(world->vm, &counts), HVC_EINVAL);
	world_free(world);
}

static void test_without(void **state)
{
	struct world *world = table_of(0);
	struct hvc_forward_counts counts = {.size = sizeof(counts)};
	struct hvc_frame frame = world_frame(CPU_ON_64, 1, 2, 3), before = frame;
	struct hvc_transaction transaction;
	enum hvc_forward_state is;
	uint32_t cpu = 77;

	(void)state;
	call(world, 1, &frame);
	assert_true(forwards_pending(world->vm, &cpu));
	assert_int_equal(cpu, 1);
	assert_int_equal(hvc_forward_begin(world->vcpus[1], HVC_CONDUIT_HVC, &here, &frame,
					   &transaction, &is),
			 HVC_ENOTSUP);
	assert_int_equal(hvc_forward_reply(world->vm, 1, &frame, 1), HVC_ENOTSUP);
	assert_int_equal(hvc_forward_fail(world->vm, 1), HVC_ENOTSUP);
	assert_int_equal(hvc_forward_expire(world->vm), 0);
	assert_int_equal(hvc_forward_counts(world->vm, &counts), HVC_ENOTSUP);
	assert_int_equal(forwards_next(world->vm), 0);
	assert_int_equal(forwards_set_next(world->vm, 5), HVC_ENOTSUP);
	assert_false(hvc_forward_take(world->vcpus[1], &frame));
	assert_memory_equal(&frame, &before, sizeof(frame));
	/* Not begun, so nothing was sent: it can be left, or settled as ever. */
	assert_int_equal(hvc_forward_leave(world->vcpus[1]), HVC_OK);
	assert_int_equal(hvc_forward_leave(world->vcpus[1]), HVC_ENOENT);
	assert_false(forwards_pending(world->vm, &cpu));
	call(world, 1, &frame);
	assert_int_equal(hvc_forward_cancel(world->vcpus[1], &frame), HVC_OK);
	assert_int_equal(counted(world, 1, CPU_ON_64, HVC_FAILED), 1);
	world_free(world);
}

/* What a request says, and that it says nothing beyond the arguments. */
static void test_request(void **state)
{
	static const struct {
		uint32_t id;
		unsigned int args;
	} calls[] = {{CPU_ON_64, 3}, {FFA_ID_GET, 0}, {UNKNOWN, 17}};
	struct world *world = table_of(4);

	(void)state;
	for (unsigned int i = 0; i < COUNT_OF(calls); i++) {
		struct hvc_frame frame = world_frame(calls[i].id, 10, 20, 30);
		struct hvc_transaction transaction;
		enum hvc_forward_state is;

		frame.x[0] |= 0xabcd000000000000u;
		assert_int_equal(hvc_call(world->vcpus[2], HVC_CONDUIT_SMC, 0, &frame),
				 HVC_FORWARDED);
		assert_int_equal(hvc_forward_begin(world->vcpus[2], HVC_CONDUIT_SMC, &here, &frame,
						   &transaction, &is),
				 HVC_OK);
		assert_int_equal(is, HVC_FORWARD_NEW);
		assert_int_equal(transaction.sequence, i + 1);
		assert_int_equal(transaction.vcpu, 2);
		assert_int_equal(transaction.id, calls[i].id);
		assert_int_equal(transaction.fn, hvc_function_by_id(calls[i].id));
		assert_int_equal(transaction.conduit, HVC_CONDUIT_SMC);
		assert_int_equal(transaction.arg_count, calls[i].args);
		for (unsigned int n = 0; n < HVC_FRAME_REGS; n++) {
			assert_int_equal(transaction.frame.x[n],
					 n <= calls[i].args ? frame.x[n] : 0);
		}
		assert_int_equal(hvc_forward_cancel(world->vcpus[2], &frame), HVC_OK);
	}
	world_free(world);
}

/* Answered while the vCPU waits: the masks hold, the call is counted then, and once. */
static void test_answer(void **state)
{
	struct world *world = table_of(2);
	struct hvc_frame frame = world_frame(CPU_ON_64, 1, 2, 3), before = frame;
	struct hvc_frame reply = reply_of(100);
	struct hvc_transaction transaction;
	enum hvc_forward_state is;
	uint64_t sequence;

	(void)state;
	assert_int_equal(hvc_forward_begin(world->vcpus[0], HVC_CONDUIT_HVC, &here, &frame,
					   &transaction, &is),
			 HVC_ENOENT);
	sequence = begin(world, 0, &frame, &here, HVC_FORWARD_NEW);
	assert_false(hvc_forward_take(world->vcpus[0], &frame));
	/* Begun again: the same one. */
	assert_int_equal(hvc_forward_begin(world->vcpus[0], HVC_CONDUIT_HVC, &here, &frame,
					   &transaction, &is),
			 HVC_OK);
	assert_int_equal(is, HVC_FORWARD_WAITING);
	assert_int_equal(transaction.sequence, sequence);
	assert_int_equal(hvc_forward_reply(world->vm, sequence + 1, &reply, 1), HVC_ENOENT);
	assert_int_equal(hvc_forward_reply(world->vm, 0, &reply, 1), HVC_ENOENT);
	assert_int_equal(hvc_forward_reply(world->vm, UINT64_MAX, &reply, 1), HVC_ENOENT);
	assert_int_equal(hvc_forward_reply(world->vm, sequence, &reply, UINT32_MAX), HVC_OK);
	assert_int_equal(hvc_forward_reply(world->vm, sequence, &reply, UINT32_MAX), HVC_ENOENT);
	assert_int_equal(hvc_forward_fail(world->vm, sequence), HVC_ENOENT);
	assert_memory_equal(&frame, &before, sizeof(frame));
	assert_int_equal(counted(world, 0, CPU_ON_64, HVC_ANSWERED), 0);
	assert_true(hvc_forward_take(world->vcpus[0], &frame));
	assert_int_equal(counted(world, 0, CPU_ON_64, HVC_ANSWERED), 1);
	before.x[0] = 100;
	assert_memory_equal(&frame, &before, sizeof(frame));
	assert_false(hvc_forward_take(world->vcpus[0], &frame));
	assert_int_equal(hvc_forward_reply(world->vm, sequence, &reply, 1), HVC_ENOENT);
	assert_int_equal(hvc_forward_cancel(world->vcpus[0], &frame), HVC_ENOENT);
	assert_int_equal(counts(world).answered, 1);
	assert_int_equal(counts(world).late, 5);
	world_free(world);
}

static void test_fail(void **state)
{
	struct world *world = table_of(2);
	struct hvc_frame frame = world_frame(CPU_ON_64, 1, 2, 3), reply = frame;
	uint64_t sequence = begin(world, 0, &frame, NULL, HVC_FORWARD_NEW);

	(void)state;
	assert_int_equal(hvc_forward_fail(world->vm, sequence), HVC_OK);
	assert_int_equal(hvc_forward_fail(world->vm, sequence), HVC_ENOENT);
	assert_int_equal(hvc_forward_fail(world->vm, sequence + 1), HVC_ENOENT);
	assert_int_equal(hvc_forward_reply(world->vm, sequence, &reply, 1), HVC_ENOENT);
	assert_true(hvc_forward_take(world->vcpus[0], &frame));
	assert_int_equal(frame.x[0], STATUS(-6));
	assert_int_equal(counted(world, 0, CPU_ON_64, HVC_FAILED), 1);
	assert_int_equal(counts(world).cancelled, 1);
	assert_int_equal(counts(world).late, 1);
	world_free(world);
}

/* Left with or without an answer, and made again on another vCPU: sent once, answered there, counted there. */
static void check_return(bool early)
{
	struct world *world = table_of(2);
	struct hvc_frame frame = world_frame(CPU_ON_64, 1, 2, 3), reply = reply_of(7);
	uint64_t sequence = begin(world, 0, &frame, &here, HVC_FORWARD_NEW);
	uint32_t cpu = 77;

	assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_OK);
	assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_ENOENT);
	assert_false(hvc_forward_take(world->vcpus[0], &frame));
	assert_true(forwards_pending(world->vm, &cpu));
	assert_int_equal(cpu, 0);
	if (early) {
		assert_int_equal(hvc_forward_reply(world->vm, sequence, &reply, 1), HVC_OK);
		begin(world, 2, &frame, &here, HVC_FORWARD_ANSWERED);
	} else {
		assert_int_equal(begin(world, 2, &frame, &here, HVC_FORWARD_WAITING), sequence);
		assert_int_equal(hvc_forward_reply(world->vm, sequence, &reply, 1), HVC_OK);
		assert_true(hvc_forward_take(world->vcpus[2], &frame));
	}
	assert_int_equal(frame.x[0], 7);
	assert_int_equal(counted(world, 0, CPU_ON_64, HVC_ANSWERED), 0);
	assert_int_equal(counted(world, 2, CPU_ON_64, HVC_ANSWERED), 1);
	assert_int_equal(counts(world).restarted, 1);
	assert_int_equal(counts(world).begun, 1);
	assert_false(forwards_pending(world->vm, &cpu));
	/* The next one of that kind is a new one. */
	frame.x[0] = CPU_ON_64;
	assert_int_equal(begin(world, 0, &frame, &here, HVC_FORWARD_NEW), sequence + 1);
	world_free(world);
}

static void test_return(void **state)
{
	(void)state;
	check_return(false);
	check_return(true);
}

/* One that failed meanwhile. */
static void test_return_failed(void **state)
{
	struct world *world = table_of(2);
	struct hvc_frame frame = world_frame(FFA_ID_GET, 1, 2, 3);
	uint64_t sequence = begin(world, 0, &frame, &here, HVC_FORWARD_NEW);

	(void)state;
	assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_OK);
	assert_int_equal(hvc_forward_fail(world->vm, sequence), HVC_OK);
	begin(world, 1, &frame, &here, HVC_FORWARD_ANSWERED);
	assert_int_equal(frame.x[0], 0x84000060u);
	assert_int_equal(counts(world).cancelled, 1);
	world_free(world);
}

/* What makes it another call: each part of the key, the ID, the conduit, each argument; not what is no argument. */
static void check_other(uint32_t id, unsigned int args)
{
	for (unsigned int what = 0; what < 4 + HVC_ARGS_MAX; what++) {
		struct world *world = table_of(2);
		struct hvc_frame frame = world_frame(id, 1, 2, 3);
		struct hvc_restart_key key = here;
		struct hvc_transaction transaction;
		enum hvc_forward_state is, expected = HVC_FORWARD_NEW;
		enum hvc_conduit conduit = HVC_CONDUIT_HVC;

		begin(world, 0, &frame, &here, HVC_FORWARD_NEW);
		assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_OK);
		if (what == 0) {
			key.pc += 4;
		} else if (what == 1) {
			key.sp += 16;
		} else if (what == 2) {
			frame.x[0] = id ^ HVC_ID_64;
		} else if (what == 3) {
			conduit = HVC_CONDUIT_SMC;
		} else {
			frame.x[what - 3] ^= 1ull << 63;
			expected = what - 3 <= args ? HVC_FORWARD_NEW : HVC_FORWARD_WAITING;
		}
		assert_int_equal(hvc_call(world->vcpus[1], conduit, 0, &frame), HVC_FORWARDED);
		assert_int_equal(hvc_forward_begin(world->vcpus[1], conduit, &key, &frame,
						   &transaction, &is),
				 HVC_OK);
		assert_int_equal(is, expected);
		world_free(world);
	}
}

static void test_other(void **state)
{
	(void)state;
	check_other(CPU_ON_64, 3);
	check_other(UNKNOWN, 17);
}

/* The upper half of x0 and the hint say nothing: the ID is what was decided on. */
static void test_normalised(void **state)
{
	struct hvc_frame frame = world_frame(CPU_ON_64, 1, 2, 3);
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	hvc_settings_init(&settings);
	settings.smccc_version = HVC_VERSION(1, 3);
	world = world_new(&(struct world_setup){.settings = &settings,
						.otherwise = HVC_FORWARD,
						.flags = HVC_VM_FORWARD,
						.transactions = 1});
	begin(world, 0, &frame, &here, HVC_FORWARD_NEW);
	assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_OK);
	frame.x[0] |= 0x5a5a00000000ull | HVC_ID_SVE_HINT;
	begin(world, 0, &frame, &here, HVC_FORWARD_WAITING);
	world_free(world);
}

static void test_no_key(void **state)
{
	struct world *world = table_of(2);
	struct hvc_frame frame = world_frame(CPU_ON_64, 1, 2, 3);

	(void)state;
	begin(world, 0, &frame, NULL, HVC_FORWARD_NEW);
	assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_EINVAL);
	assert_int_equal(hvc_forward_cancel(world->vcpus[0], &frame), HVC_OK);
	frame.x[0] = CPU_ON_64;
	begin(world, 0, &frame, &here, HVC_FORWARD_NEW);
	assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_OK);
	begin(world, 1, &frame, NULL, HVC_FORWARD_NEW);
	world_free(world);
}

static void test_full(void **state)
{
	struct world *world = table_of(2);
	struct hvc_frame frames[VCPUS], reply = reply_of(5);
	struct hvc_transaction transaction;
	enum hvc_forward_state is;
	uint64_t first;

	(void)state;
	for (unsigned int i = 0; i < VCPUS; i++) {
		frames[i] = world_frame(CPU_ON_64, i, 2, 3);
	}
	first = begin(world, 0, &frames[0], &here, HVC_FORWARD_NEW);
	begin(world, 1, &frames[1], &here, HVC_FORWARD_NEW);
	begin(world, 2, &frames[2], &here, HVC_FORWARD_FULL);
	assert_false(hvc_forward_take(world->vcpus[2], &frames[2]));
	/* Waits for room, lets an interrupt in, and gives up. */
	assert_int_equal(hvc_forward_leave(world->vcpus[2]), HVC_OK);
	begin(world, 2, &frames[2], &here, HVC_FORWARD_FULL);
	assert_int_equal(hvc_forward_reply(world->vm, first, &reply, 1), HVC_OK);
	assert_int_equal(hvc_forward_begin(world->vcpus[2], HVC_CONDUIT_HVC, &here, &frames[2],
					   &transaction, &is),
			 HVC_OK);
	assert_int_equal(is, HVC_FORWARD_FULL);
	assert_true(hvc_forward_take(world->vcpus[0], &frames[0]));
	assert_int_equal(hvc_forward_begin(world->vcpus[2], HVC_CONDUIT_HVC, &here, &frames[2],
					   &transaction, &is),
			 HVC_OK);
	assert_int_equal(is, HVC_FORWARD_NEW);
	assert_int_equal(transaction.sequence, 3);
	frames[0] = world_frame(CPU_ON_64, 0, 2, 3);
	begin(world, 0, &frames[0], &here, HVC_FORWARD_FULL);
	assert_int_equal(hvc_forward_cancel(world->vcpus[0], &frames[0]), HVC_OK);
	assert_int_equal(frames[0].x[0], STATUS(-6));
	assert_int_equal(counts(world).full, 4);
	assert_int_equal(counts(world).in_use, 2);
	world_free(world);
}

/* Every slot there was memory for can be used, and found again, in any order. */
static void test_capacity(void **state)
{
	enum { MANY = 67 };
	struct world *world = table_of(MANY);
	struct hvc_frame frame = world_frame(UNKNOWN, 0, 0, 0), reply;

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < MANY; i++) {
			frame = world_frame(UNKNOWN, i, 0, 0);
			begin(world, 0, &frame, &here, HVC_FORWARD_NEW);
			assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_OK);
		}
		for (unsigned int i = 0; i < MANY; i++) {
			unsigned int n = i * 29 % MANY;

			reply = reply_of(1000 * round + n);
			assert_int_equal(hvc_forward_reply(world->vm, round * MANY + n + 1, &reply,
							   1),
					 HVC_OK);
		}
		for (unsigned int i = 0; i < MANY; i++) {
			unsigned int n = i * 31 % MANY;

			frame = world_frame(UNKNOWN, n, 0, 0);
			begin(world, 1, &frame, &here, HVC_FORWARD_ANSWERED);
			assert_int_equal(frame.x[0], 1000 * round + n);
		}
	}
	assert_int_equal(counts(world).in_use, 0);
	world_free(world);
}

/* Eight ticks from when it was left; who comes back starts anew; who waits does not age. */
static void test_expire(void **state)
{
	struct world *world = table_of(4);
	struct hvc_frame frame = world_frame(UNKNOWN, 1, 2, 3), reply = reply_of(5);
	uint64_t sequence;

	(void)state;
	begin(world, 1, &frame, &here, HVC_FORWARD_NEW);
	frame = world_frame(CPU_ON_64, 1, 2, 3);
	sequence = begin(world, 0, &frame, &here, HVC_FORWARD_NEW);
	for (unsigned int round = 0; round < 3; round++) {
		assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_OK);
		for (unsigned int i = 0; i < HVC_FORWARD_TICKS - 1; i++) {
			assert_int_equal(hvc_forward_expire(world->vm), 0);
		}
		if (round == 1) {
			assert_int_equal(hvc_forward_reply(world->vm, sequence, &reply, 1), HVC_OK);
			begin(world, 0, &frame, &here, HVC_FORWARD_ANSWERED);
			frame = world_frame(CPU_ON_64, 1, 2, 3);
			sequence = begin(world, 0, &frame, &here, HVC_FORWARD_NEW);
		} else if (round == 0) {
			begin(world, 0, &frame, &here, HVC_FORWARD_WAITING);
		}
	}
	assert_int_equal(hvc_forward_expire(world->vm), 1);
	assert_int_equal(hvc_forward_reply(world->vm, sequence, &reply, 1), HVC_ENOENT);
	begin(world, 0, &frame, &here, HVC_FORWARD_NEW);
	/* An answer that nobody fetches is late, too. */
	assert_int_equal(hvc_forward_reply(world->vm, sequence + 1, &reply, 1), HVC_OK);
	assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_OK);
	for (unsigned int i = 0; i < HVC_FORWARD_TICKS - 1; i++) {
		assert_int_equal(hvc_forward_expire(world->vm), 0);
	}
	assert_int_equal(counts(world).late, 1);
	assert_int_equal(hvc_forward_expire(world->vm), 1);
	assert_int_equal(counts(world).late, 2);
	assert_int_equal(counts(world).expired, 2);
	assert_int_equal(counts(world).in_use, 1);
	assert_int_equal(counted(world, 0, CPU_ON_64, HVC_ANSWERED), 1);
	assert_int_equal(counted(world, 0, CPU_ON_64, HVC_FAILED), 0);
	world_free(world);
}

/* A host that answers at once settles the table, too; so does a start of the vCPU. */
static void test_settled(void **state)
{
	struct world *world = table_of(1);
	struct hvc_frame frame, reply = reply_of(9);

	(void)state;
	for (unsigned int i = 0; i < 6; i++) {
		uint64_t sequence;

		frame = world_frame(CPU_ON_64, 1, 2, 3);
		sequence = begin(world, 0, &frame, &here, HVC_FORWARD_NEW);
		if (i % 2) {
			assert_int_equal(hvc_forward_reply(world->vm, sequence, &reply, 1), HVC_OK);
		}
		if (i / 2 == 0) {
			assert_int_equal(hvc_forward_complete(world->vcpus[0], &frame, &reply, 1),
					 HVC_OK);
			assert_int_equal(frame.x[0], 9);
		} else if (i / 2 == 1) {
			assert_int_equal(hvc_forward_cancel(world->vcpus[0], &frame), HVC_OK);
			assert_int_equal(frame.x[0], STATUS(-6));
		} else {
			hvc_vcpu_started(world->vcpus[0]);
		}
		assert_int_equal(counts(world).in_use, 0);
		assert_int_equal(hvc_forward_reply(world->vm, sequence, &reply, 1), HVC_ENOENT);
	}
	assert_int_equal(counts(world).answered, 2);
	assert_int_equal(counts(world).cancelled, 4);
	/* The six, and the three that had come before. */
	assert_int_equal(counts(world).late, 9);
	assert_int_equal(counted(world, 0, CPU_ON_64, HVC_ANSWERED), 2);
	assert_int_equal(counted(world, 0, CPU_ON_64, HVC_FAILED), 4);
	world_free(world);
}

/* Its function is denied meanwhile: who waits gets the answer; who comes back has no way to it. */
static void test_tightened(void **state)
{
	struct world *world = world_new(&(struct world_setup){.otherwise = HVC_FORWARD,
							      .vcpu_count = 2,
							      .filter_ranges = 1,
							      .flags = HVC_VM_FORWARD,
							      .transactions = 2});
	struct hvc_frame waits = world_frame(CPU_ON_64, 0, 2, 3),
			 left = world_frame(CPU_ON_64, 1, 2, 3);
	struct hvc_frame reply = reply_of(9);
	uint64_t sequence = begin(world, 0, &waits, &here, HVC_FORWARD_NEW);
	unsigned int expired = 0;

	(void)state;
	begin(world, 1, &left, &here, HVC_FORWARD_NEW);
	assert_int_equal(hvc_forward_leave(world->vcpus[1]), HVC_OK);
	hvc_vm_freeze(world->vm);
	assert_int_equal(hvc_vm_tighten(world->vm, CPU_ON_64, 1, NULL), HVC_OK);
	assert_int_equal(hvc_forward_reply(world->vm, sequence, &reply, 1), HVC_OK);
	assert_true(hvc_forward_take(world->vcpus[0], &waits));
	assert_int_equal(waits.x[0], 9);
	assert_int_equal(hvc_call(world->vcpus[1], HVC_CONDUIT_HVC, 0, &left), HVC_RESUME);
	assert_int_equal(left.x[0], STATUS(-1));
	assert_int_equal(hvc_forward_cancel(world->vcpus[1], &left), HVC_ENOENT);
	for (unsigned int i = 0; i < HVC_FORWARD_TICKS; i++) {
		expired += hvc_forward_expire(world->vm);
	}
	assert_int_equal(expired, 1);
	assert_int_equal(counts(world).in_use, 0);
	assert_int_equal(counted(world, 0, CPU_ON_64, HVC_ANSWERED), 1);
	assert_int_equal(counted(world, 1, CPU_ON_64, HVC_DENIED), 1);
	world_free(world);
}

/* Numbers go on where a saved VM was. */
static void test_next(void **state)
{
	struct world *world = table_of(5);
	struct hvc_frame frame = world_frame(CPU_ON_64, 1, 2, 3), reply = reply_of(9);
	uint64_t last = 1ull << 48;

	(void)state;
	assert_int_equal(forwards_next(world->vm), 1);
	assert_int_equal(forwards_set_next(world->vm, 0), HVC_EINVAL);
	assert_int_equal(forwards_set_next(world->vm, last + 1), HVC_EINVAL);
	assert_int_equal(forwards_set_next(world->vm, last), HVC_OK);
	assert_int_equal(forwards_set_next(world->vm, last - 1), HVC_EBUSY);
	assert_int_equal(begin(world, 0, &frame, &here, HVC_FORWARD_NEW), last);
	assert_int_equal(forwards_next(world->vm), last + 1);
	assert_int_equal(forwards_set_next(world->vm, last), HVC_EBUSY);
	assert_int_equal(hvc_forward_reply(world->vm, last, &reply, 1), HVC_OK);
	assert_true(hvc_forward_take(world->vcpus[0], &frame));
	assert_int_equal(begin(world, 0, &frame, &here, HVC_FORWARD_NEW), last + 1);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),        cmocka_unit_test(test_without),
		cmocka_unit_test(test_request),       cmocka_unit_test(test_answer),
		cmocka_unit_test(test_fail),          cmocka_unit_test(test_return),
		cmocka_unit_test(test_return_failed), cmocka_unit_test(test_other),
		cmocka_unit_test(test_normalised),    cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_full),          cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_expire),        cmocka_unit_test(test_settled),
		cmocka_unit_test(test_next),          cmocka_unit_test(test_tightened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
