/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM for tests and benchmarks: an image made from a list of ranges, vCPUs, and a platform whose
 * answers a test chooses. Whatever cannot work here is a bug of the test: it aborts.
 */
#ifndef TESTS_WORLD_H
#define TESTS_WORLD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hvcgate/engine.h>

#include "rng.h"

enum { WORLD_VCPUS = 8 };

/* RAM that a guest can share begins here. */
#define WORLD_SHARE_BASE 0x80000000ull

/* A rule; of those that match an ID the first wins. Reserved IDs are passed over. */
struct paint {
	uint32_t first, last;
	enum hvc_action action;
};

struct world_setup {
	const struct hvc_settings *settings; /* NULL: the defaults */
	const struct paint *rules;
	size_t rule_count;
	enum hvc_action otherwise;  /* the default action */
	unsigned int vcpu_count;    /* 0: one */
	unsigned int filter_ranges; /* memory for that many; 0: no filter memory */
	bool no_platform;           /* no callback at all */
	bool host_time;             /* callbacks stolen_time and ptp, too */
	bool host_power;            /* stats memory, now_us, mem_protect, is_ram_range, clean_inv */
	uint32_t flags;             /* HVC_VM_* */
	const struct hvc_tables *tables; /* NULL: none */
	uint64_t share_ram;              /* bytes at WORLD_SHARE_BASE; 0: no share memory */
	unsigned int transactions;       /* forward memory for that many; 0: none */
	unsigned int events;             /* event memory, likewise */
};

/* One call of hvc_platform.share. */
struct world_share {
	uint32_t vcpu, what;
	uint64_t ipa, bytes;
};

struct world {
	struct hvc_image *image;
	size_t image_capacity;
	struct hvc_vm *vm;
	struct hvc_vcpu *vcpus[WORLD_VCPUS];
	struct hvc_counters *counters; /* one a vCPU */
	void *filter_memory, *share_memory, *forward_memory, *event_memory, *stats_memory;
	struct hvc_platform platform;
	/* What the platform does. */
	uint64_t entropy[3];       /* the words it gives */
	bool entropy_fails;        /* no entropy */
	bool entropy_random;       /* instead of `entropy`: something else at each call */
	bool start_fails;          /* CPUs cannot be started */
	uint64_t ram_end;          /* IPAs below are RAM */
	bool time_fails;           /* stolen_time and ptp say false */
	uint64_t record;           /* IPA of the last stolen_time call */
	uint64_t ns, counter[2];   /* the clock, the virtual and the physical counter */
	_Atomic uint64_t us;       /* now_us */
	bool protect_fails;        /* mem_protect says false */
	bool clean_fails;          /* clean_inv says false */
	uint64_t cleaned[2];       /* what it was told last; bytes 0: nothing */
	bool protected;            /* what it was told last */
	unsigned int protects;     /* number of its calls so far; callers take turns */
	bool share_fails;          /* the host does not go along with what is shared */
	unsigned int share_calls;  /* number of share calls so far; callers take turns */
	struct world_share shared; /* the last one */
	void *context;             /* for callbacks that a test puts in `platform` itself */
	atomic_uint starts;        /* number of cpu_start calls so far */
	atomic_uint last_start;    /* vCPU of the last one */
};

struct world *world_new(const struct world_setup *setup);
void world_free(struct world *world);

/* An image alone, to be freed; `capacity` receives the bytes of its memory and may be NULL. */
struct hvc_image *world_image(const struct world_setup *setup, size_t *capacity);

/* x0 = id and the arguments; x4 to x17 hold a pattern. */
struct hvc_frame world_frame(uint32_t id, uint64_t x1, uint64_t x2, uint64_t x3);

/* HVC #0 by vCPU 0 with those; the frame afterwards. The verdict must be HVC_RESUME. */
struct hvc_frame world_call(struct world *world, uint32_t id, uint64_t x1, uint64_t x2,
			    uint64_t x3);
/* x0 of it. */
uint64_t world_ask(struct world *world, uint32_t id, uint64_t x1, uint64_t x2, uint64_t x3);

/* x0 of a status. */
#define STATUS(n) ((uint64_t)(int64_t)(n))
enum { NOT_SUPPORTED = -1 };

#endif
