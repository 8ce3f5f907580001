/* SPDX-License-Identifier: BSD-2-Clause */
/* Who answers forwarded calls, in tests of the KVM host. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/syscall.h>

#include "vmm_test.h"

/* --- Waiting, so that signals end it. */
int wait_word(_Atomic uint32_t *word, uint32_t value, int timeout_ms)
{
	const struct timespec time = {.tv_sec = timeout_ms / 1000,
				      .tv_nsec = timeout_ms % 1000 * 1000000};

	return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout_ms < 0 ? NULL : &time,
		       NULL, 0) == 0
		       ? 0
		       : errno;
}

void wake_word(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* --- The desk. */
static void changed(struct desk *desk)
{
	atomic_fetch_add(&desk->word, 1);
	wake_word(&desk->word);
}

static bool desk_send(void *context, const struct hvc_kvm_request *request)
{
	struct desk *desk = context;
	bool taken;

	pthread_mutex_lock(&desk->lock);
	taken = !desk->closed && desk->sent - desk->taken < VMM_PLACES;
	if (taken) {
		desk->requests[desk->sent++ % VMM_PLACES] = *request;
	}
	pthread_mutex_unlock(&desk->lock);
	changed(desk);
	return taken;
}

static int desk_receive(void *context, uint32_t vm, struct hvc_kvm_reply *reply, int timeout_ms)
{
	struct desk *desk = context;
	const uint32_t pokes = atomic_load(&desk->pokes);

	(void)vm;
	for (;;) {
		const uint32_t word = atomic_load(&desk->word);
		bool have;

		pthread_mutex_lock(&desk->lock);
		have = desk->received != desk->replied;
		if (have) {
			*reply = desk->replies[desk->received++ % VMM_PLACES];
		}
		pthread_mutex_unlock(&desk->lock);
		if (have) {
			return 1;
		}
		if (atomic_load(&desk->pokes) != pokes) {
			return -1;
		}
		if (timeout_ms == 0) {
			return 0;
		}
		switch (wait_word(&desk->word, word, timeout_ms)) {
		case EINTR:
			return -1;
		case ETIMEDOUT:
			return 0;
		default:
			break;
		}
	}
}

static void desk_poke(void *context, uint32_t vm)
{
	struct desk *desk = context;

	(void)vm;
	atomic_fetch_add(&desk->pokes, 1);
	changed(desk);
}

void desk_init(struct desk *desk)
{
	memset(desk, 0, sizeof(*desk));
	pthread_mutex_init(&desk->lock, NULL);
	desk->channel = (struct hvc_kvm_channel){.size = sizeof(desk->channel),
						 .send = desk_send,
						 .receive = desk_receive,
						 .poke = desk_poke,
						 .context = desk};
}

uint32_t desk_sent(struct desk *desk)
{
	pthread_mutex_lock(&desk->lock);
	const uint32_t sent = desk->sent;
	pthread_mutex_unlock(&desk->lock);
	return sent;
}

struct hvc_kvm_request desk_take(struct desk *desk)
{
	struct hvc_kvm_request request;
	bool have;

	do {
		const uint32_t word = atomic_load(&desk->word);

		pthread_mutex_lock(&desk->lock);
		have = desk->taken != desk->sent;
		if (have) {
			request = desk->requests[desk->taken++ % VMM_PLACES];
		}
		pthread_mutex_unlock(&desk->lock);
		if (!have) {
			wait_word(&desk->word, word, -1);
		}
	} while (!have);
	return request;
}

void desk_reply(struct desk *desk, const struct hvc_kvm_reply *reply)
{
	pthread_mutex_lock(&desk->lock);
	assert_true(desk->replied - desk->received < VMM_PLACES);
	desk->replies[desk->replied++ % VMM_PLACES] = *reply;
	pthread_mutex_unlock(&desk->lock);
	changed(desk);
}

void desk_answer(struct desk *desk, uint64_t sequence, const uint64_t x[4])
{
	struct hvc_kvm_reply reply = {.sequence = sequence, .mask = 15};

	memcpy(reply.frame.x, x, 4 * sizeof(x[0]));
	desk_reply(desk, &reply);
}

void desk_close(struct desk *desk)
{
	pthread_mutex_lock(&desk->lock);
	desk->closed = true;
	while (desk->taken != desk->sent) {
		desk->replies[desk->replied++ % VMM_PLACES] = (struct hvc_kvm_reply){
			.sequence = desk->requests[desk->taken++ % VMM_PLACES].sequence,
			.outcome = HVC_KVM_FAILED};
	}
	pthread_mutex_unlock(&desk->lock);
	changed(desk);
}
