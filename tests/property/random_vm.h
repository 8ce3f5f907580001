/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of saved VMs: VMs that lived by chance, and a VM that is just made, over and over, for their states. */
#ifndef TESTS_RANDOM_VM_H
#define TESTS_RANDOM_VM_H

#include "cmocka_all.h"
#include "rng.h"
#include "saved_vm.h"

struct target {
	struct world *world;
	struct snapshot fresh;
};
struct target target_new(const struct world_setup *setup);
void target_free(struct target *target);
/* Asserts what holds of any bytes: a refusal says why, and changes nothing. */
enum hvc_err target_restore(struct target *target, const struct saved *saved);

struct world *random_vm(const struct world_setup *setup, struct rng *rng);
/* A call that changes something, by a vCPU that runs, and what the host then does. */
void live(struct world *world, struct rng *rng);

#endif
