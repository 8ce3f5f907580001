/* SPDX-License-Identifier: BSD-2-Clause */
/* What a machine is given by us: shared memory, doorbell, blobs for QEMU's loader. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "run.h"

bool run_pieces_open(const struct run_options *options, struct run_pieces *pieces, void **shared,
		     int *doorbell)
{
	const size_t bytes = EL2_SHARED_SIZE;
	int pair[2];
	int fd = memfd_create("hvcgate shared", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	pieces->shared = fd;
	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		return run_fail("cannot make the shared memory: %s", strerror(errno));
	}
	*shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*shared == MAP_FAILED) {
		*shared = NULL;
		return run_fail("cannot map the shared memory: %s", strerror(errno));
	}
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0) {
		return run_fail("cannot make a pipe: %s", strerror(errno));
	}
	*doorbell = pair[0];
	pieces->doorbell = pair[1];
	run_mailbox_init(*shared, options->deterministic);
	return true;
}

void run_pieces_add(struct run_pieces *pieces, struct run_blob blob, uint64_t address, bool monitor)
{
	pieces->loads[pieces->load_count++] = (struct run_load){blob, address, monitor};
}

bool run_pieces_start(const struct run_options *options, const struct run_pieces *pieces,
		      struct run_child *child)
{
	struct run_args args = {0};
	int keep[RUN_BLOBS + 2];
	size_t count = 0;
	bool good;

	run_machine_args(options, pieces, &args);
	run_machine_load_args(options, pieces, &args);
	keep[count++] = pieces->shared;
	keep[count++] = pieces->doorbell;
	for (size_t i = 0; i < pieces->load_count; i++) {
		keep[count++] = pieces->loads[i].blob.fd;
	}
	good = run_child_start(&args, keep, count, child);
	run_args_free(&args);
	return good;
}

static void close_one(int fd)
{
	if (fd >= 0) {
		close(fd);
	}
}

void run_pieces_close(struct run_pieces *pieces)
{
	close_one(pieces->shared);
	close_one(pieces->doorbell);
	for (size_t i = 0; i < pieces->load_count; i++) {
		close_one(pieces->loads[i].blob.fd);
	}
	*pieces = RUN_NO_PIECES;
}
