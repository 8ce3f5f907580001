/* SPDX-License-Identifier: BSD-2-Clause */
/* The VM under replay, in memory of the monitor's own. */
#include <hvcgate/event.h>
#include <hvcgate/image.h>

#include "../sysreg.h"
#include "replay_el2.h"

static char vm_memory[4096] __attribute__((aligned(64)));
static char vcpu_memory[SCN_CPUS][512] __attribute__((aligned(64)));
static struct hvc_vcpu *vcpus[SCN_CPUS];
static char events[4096] __attribute__((aligned(64)));
static char shares[SCN_SHARE_BYTES] __attribute__((aligned(8)));
static char stats[2048] __attribute__((aligned(64)));
static char *image, *filter;
static struct scn_saved saved[SCN_SAVES];
struct scn_machine replay_machine = {.saved = saved};

void replay_forget(void)
{
	replay_machine.vm = NULL;
	for (unsigned int i = 0; i < SCN_SAVES; i++) {
		saved[i].bytes = 0;
	}
}

void replay_vm_memory(void)
{
	/* The image that came with the launch is only what the monitor started with; behind it there is room. */
	image = (char *)(EL2_IMAGE_PA + HVC_IMAGE_MAX_SIZE);
	mmu_map_guest((uint64_t)image, HVC_IMAGE_MAX_SIZE);
	filter = page_alloc();
	for (uint64_t have = PAGE_SIZE; have < REPLAY_FILTER_BYTES; have += PAGE_SIZE) {
		page_alloc(); /* one behind the other */
	}
	for (unsigned int i = 0; i < SCN_CPUS; i++) {
		vcpus[i] = (struct hvc_vcpu *)(void *)vcpu_memory[i];
	}
	if (hvc_vm_size() > sizeof(vm_memory) || hvc_vcpu_size() > sizeof(vcpu_memory[0])) {
		report_broken("engine state is larger than its memory; bytes", hvc_vm_size());
	}
}

/* --- The world. */

static bool cpu_start(void *host, uint32_t vcpu)
{
	(void)host;
	scn_machine_start(&replay_machine, vcpu);
	return true;
}

/* DEN0057, 3.2: revision, attributes, stolen nanoseconds. Nobody takes time from this guest, and nobody reads it. */
static bool stolen_time(void *host, uint32_t vcpu, uint64_t ipa)
{
	uint64_t pa;

	(void)host;
	(void)vcpu;
	for (unsigned int i = 0; i < 8 && stage2_ram(ipa, 64, &pa); i++) {
		((volatile uint64_t *)pa)[i] = 0;
	}
	return true;
}

/* Since the machine started: as good a wall clock as any other for a replay. */
static bool ptp(void *host, uint32_t vcpu, bool physical, uint64_t *ns, uint64_t *counter)
{
	const uint64_t now = counter_now(), hz = counter_hz();

	(void)host;
	(void)vcpu;
	*counter = physical ? now : now - sysreg_read(cntvoff_el2);
	*ns = now / hz * 1000000000u + now % hz * 1000000000u / hz;
	return true;
}

static uint64_t now_us(void *host)
{
	(void)host;
	return scn_machine_now_us(&replay_machine);
}

/* No other system ever starts in it. */
static bool mem_protect(void *host, bool on)
{
	(void)host;
	(void)on;
	return true;
}

static bool is_ram_range(void *host, uint64_t ipa, uint64_t bytes)
{
	(void)host;
	return scn_machine_is_ram(ipa, bytes);
}

/* What the engine's own host (src/scenario/engine_host.c) has, too: any address is RAM. */
static const struct hvc_platform platform = {
	.size = sizeof(struct hvc_platform),
	.cpu_start = cpu_start,
	.entropy = entropy_fill,
	.stolen_time = stolen_time,
	.ptp = ptp,
	.now_us = now_us,
	.mem_protect = mem_protect,
	.is_ram_range = is_ram_range,
};

/* --- A new VM. */

static enum hvc_err take_image(const struct replay_op *op)
{
	const struct replay_box *box = replay_box();

	if (op->image_bytes > sizeof(box->arena) ||
	    op->image > sizeof(box->arena) - op->image_bytes) {
		return HVC_EFAULT;
	}
	__builtin_memcpy(image, box->arena + op->image, op->image_bytes);
	return hvc_image_check(image, op->image_bytes);
}

static enum hvc_err make_vm(const struct replay_op *op)
{
	struct hvc_vm *vm = (struct hvc_vm *)(void *)vm_memory;
	const struct hvc_image *policy = (const struct hvc_image *)(void *)image;
	const struct hvc_vm_config config = {
		.size = sizeof(config),
		.vcpu_count = op->cpus,
		.image = policy,
		.platform = &platform,
		.filter_memory = filter,
		.filter_bytes = hvc_filter_size(policy, SCN_FILTER_RANGES),
		.event_memory = events,
		.event_bytes = hvc_event_size(SCN_EVENT_ROOM),
		.share_memory = shares,
		.share_bytes = sizeof(shares),
		.share_base = SCN_SHARE_BASE,
		.share_ram = SCN_SHARE_RAM,
		.stats_memory = stats,
		.stats_bytes = hvc_stats_size(op->cpus),
		.flags = op->flags,
	};
	enum hvc_err err = HVC_EINVAL;

	if (op->cpus >= 1 && op->cpus <= SCN_CPUS && config.filter_bytes <= REPLAY_FILTER_BYTES &&
	    config.event_bytes <= sizeof(events) && config.stats_bytes <= sizeof(stats)) {
		err = hvc_vm_init(vm, &config, vcpus);
	}
	for (uint64_t i = 0; err == HVC_OK && i < op->cpus; i++) {
		struct hvc_counters *counters = (struct hvc_counters *)(EL2_SHARED_PA +
									EL2_COUNTERS_OFFSET +
									i * EL2_COUNTERS_STRIDE);

		counters->size = sizeof(*counters);
		err = hvc_vcpu_setup(vcpus[i], i / 16 << 8 | i % 16, counters);
		if (err == HVC_OK && op->stolen_time != 0) {
			err = hvc_vcpu_set_stolen_time(vcpus[i], op->stolen_time + 64 * i);
		}
	}
	if (err == HVC_OK) {
		scn_machine_begin(&replay_machine, vm, vcpus, op->cpus);
	}
	return err;
}

void replay_new_vm(const struct replay_op *op, struct scn_result *result)
{
	enum hvc_err err;

	replay_machine.vm = NULL;
	err = take_image(op);
	if (err == HVC_OK) {
		err = make_vm(op);
	}
	result->kind = err == HVC_OK ? SCN_OK : SCN_ERROR;
	result->err = err;
}
