/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A protected guest's vCPUs on the same granules at once. The host keeps books of its own from what it is told; they
 * must be possible in that order, and in the end say what the engine's say. Also under scripts/build --tsan.
 */
#define _POSIX_C_SOURCE 200809L /* barriers */
#include <pthread.h>
#include <sched.h>

#include "cmocka_all.h"
#include "pkvm_state.h"
#include "world.h"

#define SHARE   0xc6000003u
#define UNSHARE 0xc6000004u
#define GUARD   0xc6000007u
#define UNMAP   0xc6000008u
#define DEVICE  0x09000000ull
#define BASE    WORLD_SHARE_BASE
enum { GRANULE = 4096, THREADS = 4, ROUNDS = 4000, CALLS = 20000, GRANULES = 3 };

static uint64_t call(struct world *world, unsigned int vcpu, uint32_t id, uint64_t ipa)
{
	struct hvc_frame frame = world_frame(id, ipa, 0, 0);

	(void)hvc_call(world->vcpus[vcpu], HVC_CONDUIT_HVC, 0, &frame);
	return frame.x[0];
}

static struct world *protected_world(void)
{
	struct hvc_settings settings;

	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	return world_new(&(struct world_setup){
		.settings = &settings, .vcpu_count = THREADS, .share_ram = 64 * GRANULE});
}

/* --- All share, then all take back: one succeeds each time. */
struct contest {
	struct world *world;
	pthread_barrier_t barrier;
	atomic_uint shared, taken;
	atomic_uint wrong;
};
struct contender {
	struct contest *contest;
	unsigned int vcpu;
};

static void *contend(void *argument)
{
	const struct contender *me = argument;
	struct contest *contest = me->contest;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&contest->barrier);
		atomic_fetch_add(&contest->shared,
				 call(contest->world, me->vcpu, SHARE, BASE) == 0);
		pthread_barrier_wait(&contest->barrier);
		atomic_fetch_add(&contest->wrong, atomic_load(&contest->shared) != round + 1);
		pthread_barrier_wait(&contest->barrier);
		atomic_fetch_add(&contest->taken,
				 call(contest->world, me->vcpu, UNSHARE, BASE) == 0);
		pthread_barrier_wait(&contest->barrier);
		atomic_fetch_add(&contest->wrong, atomic_load(&contest->taken) != round + 1);
	}
	return NULL;
}

static void test_one_winner(void **state)
{
	struct contest contest = {.world = protected_world()};
	struct contender contenders[THREADS];
	pthread_t threads[THREADS];

	(void)state;
	contest.world->platform.share = NULL;
	pthread_barrier_init(&contest.barrier, NULL, THREADS);
	for (unsigned int i = 0; i < THREADS; i++) {
		contenders[i] = (struct contender){&contest, i};
		assert_int_equal(pthread_create(&threads[i], NULL, contend, &contenders[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(contest.wrong, 0);
	assert_int_equal(contest.shared, ROUNDS);
	assert_int_equal(contest.taken, ROUNDS);
	pthread_barrier_destroy(&contest.barrier);
	world_free(contest.world);
}

/* --- Anything at any time, and a host that does not always go along. */
struct host {
	struct world *world;
	atomic_uint state[GRANULES], devices[GRANULES]; /* the host's books: 1 is shared */
	atomic_uint heard, surprises;
};
struct caller {
	struct host *host;
	unsigned int vcpu;
	uint64_t done; /* calls that succeeded */
};

static bool hear(void *context, uint32_t vcpu, uint32_t what, uint64_t ipa, uint64_t bytes)
{
	struct host *host = ((struct world *)context)->context;
	const bool device = what == HVC_SHARE_MMIO || what == HVC_SHARE_MMIO_BACK;
	const bool on = what == HVC_SHARE_MMIO || what == HVC_SHARE_MEM;
	atomic_uint *state = device ? &host->devices[(ipa - DEVICE) / GRANULE / SHARE_MMIO_SLOTS]
				    : &host->state[(ipa - BASE) / GRANULE];
	const unsigned int was = atomic_load(state);

	(void)vcpu;
	atomic_fetch_add(&host->surprises, bytes != GRANULE || was == on);
	sched_yield(); /* let others come in between */
	if (atomic_fetch_add(&host->heard, 1) % 3 == 0) {
		return false;
	}
	/* Nobody else was told of this granule meanwhile. */
	atomic_fetch_add(&host->surprises, atomic_exchange(state, on) != was);
	return true;
}

static void *make_calls(void *argument)
{
	static const uint32_t ids[] = {SHARE, UNSHARE, GUARD, UNMAP};
	struct caller *caller = argument;
	struct rng rng = {caller->vcpu + 1};

	for (unsigned int n = 0; n < CALLS; n++) {
		uint32_t id = ids[rng_below(&rng, 4)];
		uint64_t granule = rng_below(&rng, GRANULES);
		/* The devices want the same slot. */
		uint64_t ipa = id == GUARD || id == UNMAP
				       ? DEVICE + granule * GRANULE * SHARE_MMIO_SLOTS
				       : BASE + granule * GRANULE;
		uint64_t answer = call(caller->host->world, caller->vcpu, id, ipa);

		caller->done += answer == 0;
		atomic_fetch_add(&caller->host->surprises, answer != 0 && answer != STATUS(-3));
	}
	return NULL;
}

static void check_books(const struct host *host)
{
	const struct hvc_shares *shares = host->world->vm->shares;
	unsigned int guarded = 0, devices = 0;
	struct share_range range;
	uint64_t ipa;

	for (uint64_t i = 0; i < GRANULES; i++) {
		bool shared = shares_next(shares, BASE + i * GRANULE, &range) &&
			      range.ipa == BASE + i * GRANULE;

		assert_int_equal(shared, host->state[i]);
		devices += host->devices[i];
	}
	for (unsigned int slot = 0; slot < SHARE_MMIO_SLOTS; slot++) {
		if (shares_mmio_at(shares, slot, &ipa)) {
			guarded++;
			assert_int_equal(host->devices[(ipa - DEVICE) / GRANULE / SHARE_MMIO_SLOTS],
					 1);
		}
		assert_int_equal(shares->mmio[slot] & MMIO_MOVING, 0);
	}
	assert_int_equal(guarded, devices);
	assert_int_equal(shares->words[0].moving, 0);
}

static void test_books_agree(void **state)
{
	struct host host = {.world = protected_world()};
	struct caller callers[THREADS];
	pthread_t threads[THREADS];

	(void)state;
	host.world->context = &host;
	host.world->platform.share = hear;
	for (unsigned int i = 0; i < THREADS; i++) {
		callers[i] = (struct caller){&host, i, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, make_calls, &callers[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_true(callers[i].done != 0);
	}
	assert_int_equal(host.surprises, 0);
	check_books(&host);
	world_free(host.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_winner),
		cmocka_unit_test(test_books_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
