/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine that replays scenarios: QEMU as `run` starts it, with replay.elf for the monitor and nothing for a
 * guest. What it has to do, and what came of it, goes through the shared memory (src/el2/replay.h).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <hvcgate/image.h>

#include "../el2/replay.h"
#include "run.h"

/* Without an operation done: a call takes microseconds, a machine with the largest image seconds. */
#define PATIENCE_S 20u

struct run_replay {
	struct run_options options;
	struct run_pieces pieces;
	struct run_machine machine;
	struct run_child child;
	void *shared;
	int doorbell, interrupt;
	uint32_t posted;
	sigset_t our_mask, old_mask; /* while we wait for the machine, and else */
	char errors[512];            /* what QEMU said last */
};

struct replay_box *run_replay_box(struct run_replay *replay)
{
	return (struct replay_box *)((char *)replay->shared + REPLAY_OFFSET);
}

/* --- Start. */

static bool add_blob(struct run_replay *replay, const char *name, const void *data, size_t bytes,
		     uint64_t address)
{
	struct run_blob blob;

	if (!run_blob_make(name, data, bytes, &blob)) {
		return false;
	}
	run_pieces_add(&replay->pieces, blob, address, false);
	return true;
}

/* The monitor starts with some image, and keeps it until the first VM. */
static bool add_image(struct run_replay *replay, size_t *bytes)
{
	struct hvc_settings settings;
	struct hvc_image *image = run_realloc(NULL, hvc_image_min_size());
	bool good;

	hvc_settings_init(&settings);
	good = hvc_image_begin(image, hvc_image_min_size(), &settings) == HVC_OK;
	if (good) {
		hvc_image_seal(image);
		*bytes = image->bytes;
		good = add_blob(replay, "policy image", image, image->bytes, EL2_IMAGE_PA);
	}
	free(image);
	return good;
}

static bool add_all(struct run_replay *replay, const struct run_probe *probe)
{
	struct run_machine *machine = &replay->machine;
	struct el2_launch launch = {.magic = EL2_LAUNCH_MAGIC,
				    .format = EL2_LAUNCH_FORMAT,
				    .bytes = sizeof(launch),
				    .guest_entry = REPLAY_GUEST_ENTRY};
	struct run_blob monitor;
	size_t image_bytes = 0;

	if (!run_devicetree_read(probe->tree, probe->bytes, machine) ||
	    !run_monitor_open("replay.elf", "HVCGATE_REPLAY_MONITOR", &monitor)) {
		return false;
	}
	run_pieces_add(&replay->pieces, monitor, 0, true);
	if (!add_image(replay, &image_bytes)) {
		return false;
	}
	launch.cpu_count = machine->cpu_count;
	launch.gic_version = machine->gic_version;
	launch.image_bytes = image_bytes;
	launch.doorbell_ecam = machine->ecam == 0
				       ? 0
				       : machine->ecam + ((uint64_t)RUN_DOORBELL_SLOT << 15);
	launch.doorbell_pio = machine->pio;
	memcpy(launch.mpidr, machine->mpidr, sizeof(launch.mpidr));
	launch.regions[launch.region_count++] = (struct el2_region){.ipa = EL2_GUEST_IPA,
								    .pa = EL2_GUEST_PA,
								    .bytes = REPLAY_GUEST_BYTES,
								    .kind = EL2_RAM};
	for (unsigned int i = 0; i < machine->device_count; i++) {
		launch.regions[launch.region_count++] = machine->devices[i];
	}
	return add_blob(replay, "launch block", &launch, sizeof(launch), EL2_LAUNCH_PA);
}

static void end_by(struct run_replay *replay, int signal_number)
{
	run_replay_end(replay);
	run_interrupt_raise(signal_number);
}

static bool start(struct run_replay *replay)
{
	struct run_probe probe = {0};
	int signal_number = 0;
	bool good;

	if (!run_pieces_open(&replay->options, &replay->pieces, &replay->shared,
			     &replay->doorbell) ||
	    !run_interrupt_open(&replay->interrupt)) {
		return false;
	}
	run_replay_box(replay)->magic = REPLAY_MAGIC;
	run_replay_box(replay)->bytes = sizeof(struct replay_box);
	good = run_probe_machine(&replay->options, &replay->pieces, replay->interrupt, &probe,
				 &signal_number) &&
	       add_all(replay, &probe);
	free(probe.tree);
	if (signal_number != 0) {
		end_by(replay, signal_number);
	}
	return good && run_pieces_start(&replay->options, &replay->pieces, &replay->child);
}

/* The monitor spins until there is a batch: let it do so only while we wait for it. */
static void hold(const struct run_replay *replay, int how)
{
	if (replay->child.pid > 0) {
		kill(-replay->child.pid, how);
	}
}

struct run_replay *run_replay_start(char *why, size_t size)
{
	struct run_replay *replay = run_realloc(NULL, sizeof(*replay));
	struct sigaction old_pipe;
	bool good;

	*replay = (struct run_replay){.options = {.smp = 1,
						  .gic = 3,
						  .mem = REPLAY_GUEST_BYTES,
						  .cpu = "cortex-a72",
						  .qemu = "qemu-system-aarch64"},
				      .pieces = RUN_NO_PIECES,
				      .child = {.in = -1, .out = -1, .err = -1},
				      .doorbell = -1,
				      .interrupt = -1};
	sigprocmask(SIG_SETMASK, NULL, &replay->old_mask);
	sigaction(SIGPIPE, NULL, &old_pipe);
	run_say_into(why, size);
	good = start(replay);
	run_say_into(NULL, 0);
	sigaction(SIGPIPE, &old_pipe, NULL);
	sigprocmask(SIG_SETMASK, NULL, &replay->our_mask);
	if (!good) {
		run_replay_end(replay);
		return NULL;
	}
	hold(replay, SIGSTOP);
	sigprocmask(SIG_SETMASK, &replay->old_mask, NULL);
	return replay;
}

/* --- A batch. */

/* The last line counts. */
static void take_errors(struct run_replay *replay)
{
	const ssize_t n = read(replay->child.err, replay->errors, sizeof(replay->errors) - 1);

	if (n > 0) {
		replay->errors[n] = '\0';
		replay->errors[strcspn(replay->errors, "\n")] = '\0';
		run_make_harmless(replay->errors);
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		close(replay->child.err);
		replay->child.err = -1;
	}
}

static void look_around(struct run_replay *replay)
{
	struct pollfd fds[3] = {{.fd = replay->doorbell, .events = POLLIN},
				{.fd = replay->child.err, .events = POLLIN},
				{.fd = replay->interrupt, .events = POLLIN}};
	bool ignored;
	char bells[64];
	int signal_number;

	if (poll(fds, 3, 100) <= 0) {
		return;
	}
	if (fds[0].revents != 0) {
		(void)!read(replay->doorbell, bells, sizeof(bells));
	}
	if (fds[1].revents != 0) {
		take_errors(replay);
	}
	signal_number = run_interrupt_read(replay->interrupt, &ignored, &ignored);
	if (signal_number != 0) {
		end_by(replay, signal_number);
	}
}

static bool gone(struct run_replay *replay, char *why, size_t size)
{
	struct run_end end;

	if (replay->child.err >= 0) {
		take_errors(replay);
	}
	run_mailbox_read(replay->shared, &end);
	snprintf(why, size, "the machine has ended: %s",
		 end.report[0] != '\0'       ? end.report
		 : replay->errors[0] != '\0' ? replay->errors
					     : "nobody said why");
	return false;
}

static bool wait_for(struct run_replay *replay, uint32_t count, char *why, size_t size)
{
	const struct replay_box *box = run_replay_box(replay);
	uint64_t moved = run_now_ns();
	uint32_t at = 0;
	int status;

	while (__atomic_load_n(&box->done, __ATOMIC_ACQUIRE) != replay->posted) {
		const uint32_t now_at = __atomic_load_n(&box->at, __ATOMIC_RELAXED);

		moved = now_at != at ? run_now_ns() : moved;
		at = now_at;
		look_around(replay);
		if (run_child_ended(&replay->child, &status)) {
			return gone(replay, why, size);
		}
		if (run_now_ns() - moved > (uint64_t)PATIENCE_S * 1000000000) {
			snprintf(why, size, "no answer for %u seconds: operation %u of %u hangs",
				 PATIENCE_S, at + 1, count);
			return false;
		}
	}
	return true;
}

bool run_replay_batch(struct run_replay *replay, uint32_t count, char *why, size_t size)
{
	struct replay_box *box = run_replay_box(replay);
	bool good;

	sigprocmask(SIG_SETMASK, &replay->our_mask, NULL);
	box->at = 0;
	box->count = count;
	__atomic_store_n(&box->posted, ++replay->posted, __ATOMIC_RELEASE);
	hold(replay, SIGCONT);
	good = wait_for(replay, count, why, size);
	hold(replay, SIGSTOP);
	sigprocmask(SIG_SETMASK, &replay->old_mask, NULL);
	return good;
}

/* --- End. */

void run_replay_end(struct run_replay *replay)
{
	const sigset_t old_mask = replay->old_mask;

	run_child_end(&replay->child);
	run_pieces_close(&replay->pieces);
	if (replay->doorbell >= 0) {
		close(replay->doorbell);
	}
	if (replay->shared != NULL) {
		munmap(replay->shared, EL2_SHARED_SIZE);
	}
	if (replay->interrupt >= 0) {
		close(replay->interrupt);
	}
	free(replay);
	/* A signal that came meanwhile has its effect now. */
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
}
