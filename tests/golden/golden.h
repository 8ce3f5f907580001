/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Golden answers: what the engine of this source tree answers in VMs of each profile, as text. A profile that was
 * released never changes: the text is recorded once and held against the engine ever after.
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <hvcgate/engine.h>

#include "abi.h"

/* --- text.c */
struct text {
	char *bytes;
	size_t length, capacity;
};
void text_put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A copy of what was put since the last call, and an empty text. */
char *text_copy(const char *bytes);
char *text_take(struct text *text);
void *must(void *memory); /* there is memory, or the program ends */

/* --- machine.c: a VM of a variation, which every call finds as it was made. */
enum way { WAY_CLEAR_FROM, WAY_SHOW, WAY_SET };
struct variation {
	const char *name;
	bool spec;      /* the Arm documents and coherent discovery; else as the kernel */
	bool old;       /* vCPUs without PSCI_0_2 */
	bool bare;      /* a host without callbacks and memory */
	bool host;      /* what hosts determine and policies turn on: workarounds, SOC_ID, ... */
	bool tables;    /* SoC name, power states, ... */
	uint32_t smccc; /* another version than the profile's; 0: the profile's */
	bool turn;      /* a register, or some: */
	enum way way;
	unsigned int reg;
	uint64_t value;
};
struct machine;
/* NULL: the profile has no such thing. */
struct machine *machine_new(const struct abi_profile *profile, const struct variation *variation);
void machine_free(struct machine *machine);
struct hvc_vm *machine_vm(struct machine *machine);
/* One call by vCPU 0 of a VM just made. */
enum hvc_verdict machine_call(struct machine *machine, enum hvc_conduit conduit,
			      struct hvc_frame *frame, struct hvc_request *request);

/* --- probe.c: what is asked. */
struct probes {
	uint32_t *ids; /* ascending, each once */
	size_t count;
};
struct probes probes_make(void);
/* "PSCI_CPU_ON/64", or 0x84000020. */
void put_id(struct text *text, uint32_t id);
/* The argument vectors, in words, for the head of a table. */
void put_vectors(struct text *text);
/* What an ID is answered, vector by vector; "" where all get `unlisted`. */
char *probe_id(struct machine *machine, enum hvc_conduit conduit, uint32_t id,
	       const char *unlisted);
/* What a function nobody knows is answered. */
char *probe_unknown(struct machine *machine, enum hvc_conduit conduit);
/* What a discovery function (n-th there is) says of an ID; "" for `unlisted`. */
#define DISCOVERIES 4u
uint32_t discovery_id(unsigned int n);
char *probe_discovery(struct machine *machine, enum hvc_conduit conduit, unsigned int n,
		      uint32_t id, const char *unlisted);

/* --- table.c */
/* The text for a profile. */
char *golden_text(const struct abi_profile *profile, const struct probes *probes);

#endif
