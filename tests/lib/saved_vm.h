/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of saved VMs: a VM with all there is, its bytes, and whether a VM is as it was. */
#ifndef TESTS_SAVED_VM_H
#define TESTS_SAVED_VM_H

#include <hvcgate/save.h>

#include "world.h"

/* Settings for a VM that has every function of ours, its optional memory, and four vCPUs. */
struct full {
	struct hvc_settings settings;
	struct hvc_tables tables;
	struct world_setup setup;
};
void full_init(struct full *full);

/* The function's 32-bit ID, or 64-bit one if it has no other. */
uint32_t id_of(enum hvc_fn fn);
/* HVC #0 by a vCPU. Nobody answers what is forwarded. */
enum hvc_verdict call_by(struct world *world, unsigned int vcpu, enum hvc_fn fn, uint64_t x1,
			 uint64_t x2, uint64_t x3, uint64_t *x0);

struct saved {
	uint8_t *bytes; /* as many as there are, and no more */
	size_t size;
};
/* Aborts where the VM cannot be saved. */
struct saved saved_of(const struct world *world);
struct saved saved_copy(const struct saved *saved, size_t size);
/* Length and checksum as they have to be. */
void saved_seal(struct saved *saved);
/* Where a section's header is; 0: it is absent. `bytes`: of it all. */
size_t saved_section(const struct saved *saved, unsigned int type, size_t *bytes);
uint32_t saved_word(const struct saved *saved, size_t at);
void saved_set_word(struct saved *saved, size_t at, uint32_t value);
bool saved_equal(const struct saved *a, const struct saved *b);

/* A VM as it is: all its memory. */
enum { SNAPSHOT_PARTS = 6 + WORLD_VCPUS };
struct snapshot {
	struct {
		void *memory, *copy;
		size_t bytes;
	} parts[SNAPSHOT_PARTS];
	unsigned int count;
};
void snapshot_take(struct snapshot *snapshot, struct world *world, const struct world_setup *setup);
bool snapshot_same(const struct snapshot *snapshot);
void snapshot_back(const struct snapshot *snapshot);
void snapshot_free(struct snapshot *snapshot);

#endif
