/* SPDX-License-Identifier: BSD-2-Clause */
/* What `hvcgate ctl` is told of a VM under `exec`, and what it may do to it. */
#define _GNU_SOURCE
#include "keeper_ctl.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "keeper_handlers.h"
#include "seen.h"

struct ctl_desk {
	struct keeper *keeper;
	struct ctl_server *server;
	char name[CTL_NAME_MAX], plan[160], state[600];
};

static uint32_t vcpus(const struct keeper *keeper)
{
	const uint32_t count = atomic_load_explicit(&keeper->shared->vcpu_count,
						    memory_order_acquire);

	return count < EXEC_VCPUS ? count : EXEC_VCPUS;
}

static const char *state(struct ctl_desk *desk)
{
	const struct exec_shared *shared = desk->keeper->shared;
	char why[sizeof(shared->why)];

	switch (atomic_load_explicit(&shared->stage, memory_order_acquire)) {
	case EXEC_APPLIED:
		return "runs";
	case EXEC_REFUSED:
		memcpy(why, shared->why, sizeof(why));
		why[sizeof(why) - 1] = '\0';
		snprintf(desk->state, sizeof(desk->state), "refused: %s", why);
		run_make_harmless(desk->state);
		return desk->state;
	default:
		return "has run no vCPU yet";
	}
}

static void about(void *context, struct ctl_about *told)
{
	struct ctl_desk *desk = context;
	const struct keeper *keeper = desk->keeper;
	const struct plan_header *header = keeper->plan.header;
	const int32_t pid = atomic_load_explicit(&keeper->shared->pid, memory_order_relaxed);

	*told = (struct ctl_about){
		.name = desk->name,
		.host = "kvm",
		.policy = header->policy,
		.profile = header->profile,
		.kernel = header->kernel,
		.state = state(desk),
		.plan = desk->plan,
		.policy_sha256 = header->policy_sha256,
		.pid = pid > 0 ? pid : keeper->pid,
		.vcpus = vcpus(keeper),
		.started_ns = keeper->started_ns,
		.revocable = header->revocable,
	};
}

/* The counters lie in memory that the VMM writes, and may be anything. */
static enum ctl_seen counters(void *context, unsigned int slot, uint64_t count[HVC_COUNTS])
{
	const struct ctl_desk *desk = context;

	for (uint32_t cpu = 0; cpu < vcpus(desk->keeper); cpu++) {
		const struct hvc_counters *block = &desk->keeper->shared->vcpus[cpu].counters;

		for (unsigned int what = 0; what < HVC_COUNTS; what++) {
			const uint64_t more = __atomic_load_n(&block->calls[slot][what],
							      __ATOMIC_RELAXED);

			count[what] = more > UINT64_MAX - count[what] ? UINT64_MAX
								      : count[what] + more;
		}
	}
	return exec_seen(&desk->keeper->plan, slot);
}

static bool handler(void *context, unsigned int n, struct ctl_handler_state *told)
{
	(void)context;
	return keeper_handler_state(n, told);
}

static bool revoked(void *context, unsigned int slot)
{
	const struct ctl_desk *desk = context;

	return (atomic_load(&desk->keeper->shared->revoked[slot / 64]) >> slot % 64 & 1) != 0;
}

/* The VMM's process looks at these bits before each call. */
static enum hvc_err deny(void *context, unsigned int slot, bool *pending, char *why, size_t size)
{
	struct ctl_desk *desk = context;

	(void)why;
	(void)size;
	*pending = false;
	if (!revoked(context, slot)) {
		atomic_fetch_or(&desk->keeper->shared->revoked[slot / 64],
				(uint64_t)1 << slot % 64);
		keeper_say(desk->keeper, "ctl: %s is denied from now on",
			   hvc_function_at(slot)->name);
	}
	return HVC_OK;
}

static void on_ctl(struct keeper *keeper, void *context, int fd, short events)
{
	struct ctl_desk *desk = context;

	(void)keeper;
	(void)fd;
	(void)events;
	ctl_server_work(desk->server);
}

static void summarise(struct ctl_desk *desk)
{
	const struct plan_header *header = desk->keeper->plan.header;

	snprintf(
		desk->plan, sizeof(desk->plan),
		"%u registers set, %u ranges of the filter, %u registers shown otherwise, %u ranges to handlers",
		header->writes.count, header->filters.count, header->views.count,
		header->routes.count);
}

static bool start(struct keeper *keeper, char *why, size_t size)
{
	struct ctl_desk *desk = calloc(1, sizeof(*desk));
	struct ctl_subject subject = {.size = sizeof(subject),
				      .context = desk,
				      .about = about,
				      .counters = counters,
				      .handler = handler,
				      .revoked = revoked,
				      .deny = deny};
	char reason[256];

	if (desk == NULL) {
		snprintf(why, size, "out of memory");
		return false;
	}
	keeper_ctl.state = desk;
	desk->keeper = keeper;
	ctl_name(keeper->options->argv, keeper->pid, desk->name);
	summarise(desk);
	desk->server = ctl_server_new(&subject, reason, sizeof(reason));
	if (desk->server != NULL) {
		keeper_watch(keeper, ctl_server_fd(desk->server), POLLIN, on_ctl, desk);
	} else {
		keeper_say(keeper, "hvcgate ctl cannot reach this VM: %s", reason);
	}
	return true;
}

static void stop(struct keeper *keeper)
{
	struct ctl_desk *desk = keeper_ctl.state;

	if (desk->server != NULL) {
		keeper_unwatch(keeper, ctl_server_fd(desk->server));
	}
	ctl_server_free(desk->server);
	free(desk);
	keeper_ctl.state = NULL;
}

struct keeper_part keeper_ctl = {.name = "ctl", .start = start, .stop = stop};
