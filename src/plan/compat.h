/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Can a guest move from one KVM host to another? Two ABI records (docs/records.md) and the registers' classes
 * (registers.def) say; a pure function, nothing is measured. docs/migration.md is for people.
 */
#ifndef HVCGATE_COMPAT_H
#define HVCGATE_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <hvcgate/image.h>

#include "abi.h"

enum compat_class {
	COMPAT_EQUAL,
	COMPAT_ASSERTION,
	COMPAT_GATED,
	COMPAT_PIN,
	COMPAT_MUTABLE,
	COMPAT_IDENTITY
};
/* What makes a move possible; a greater one includes the lesser. */
enum compat_need { COMPAT_NOTHING, COMPAT_DESTINATION, COMPAT_SOURCE, COMPAT_IMPOSSIBLE };

struct compat_class_row {
	const char *pattern;
	enum compat_class class;
	const char *gate; /* "" or an ID register */
	unsigned int shift;
	const char *reason, *lost;
};

struct compat_register {
	uint64_t id, value;
	bool has_value; /* 64 bits or fewer, measured */
	bool firmware;  /* a feature register: what can be set is known */
	bool bitmap;    /* `legal` counts, else `accepted` */
	unsigned int accepted_count;
	uint64_t accepted[32]; /* values that can be set */
	uint64_t legal;
	char name[48];
};

/* What one host offers a VMM: registers ascend by ID. */
struct compat_host {
	char name[64], kernel[64], cpu[64];
	uint64_t midr;
	uint32_t series; /* HVC_VERSION(6, 12) */
	const struct abi_profile *profile;
	uint32_t count;
	struct compat_register *registers;
};

struct compat_obstacle {
	const struct compat_class_row *row;
	enum compat_class class; /* the row's, but for neutral values: COMPAT_ASSERTION */
	enum compat_need need;
	bool unknown;                /* at the destination; else it refuses the value */
	struct compat_register from; /* at the source */
	uint64_t to;                 /* the destination's value, if it is known there */
	char line[64];               /* of the policy that removes it, "" if none does */
	char lost[64];
};

#define COMPAT_LINES 64u
struct compat_result {
	enum compat_need need;
	bool all_compared; /* false: other CPU models, only feature registers were */
	bool loads;        /* would the VMM, by itself, take the guest, as far as compared? */
	uint32_t source_count,
		destination_count; /* registers in the stream, known at the destination */
	uint32_t says_count, obstacle_count;
	char says[COMPAT_LINES][192]; /* what the VMM would say, without its own name in front */
	struct compat_obstacle *obstacles;
};

struct compat_options {
	const char *vmm; /* one of compat_vmm(); NULL: qemu-10.0 */
	const struct hvc_settings
		*settings;      /* of a policy that the source is started under; NULL: none */
	const uint64_t *hidden; /* registers that the source's VMM is not shown */
	size_t hidden_count;
};

/* registers.def by a record's name; never NULL. */
const struct compat_class_row *compat_class(const char *name);
const char *compat_class_name(enum compat_class class);
/* "exec at the destination only" */
const char *compat_need_name(enum compat_need need);
/* VMMs by position, oldest first; NULL past the end. */
const char *compat_vmm(size_t n);
bool compat_vmm_known(const char *name);
bool compat_tolerates(const char *vmm, const struct compat_register *reg);
/* Does a kernel of this series take the value where its own is another? */
bool compat_takes(uint32_t series, const struct compat_register *from, uint64_t own);

/* A checked record (abi_record_load()), or what is left of one in the library; NULL: no memory. */
struct compat_host *compat_host_new(const json_t *record, const char *name);
/* A record's file, or the name of one that is built in: linux-6.12, linux-6.12@1, linux-7.x (the newest of 7). NULL, and
 * `why` says what is wrong. */
struct compat_host *compat_host_open(const char *name, char *why, size_t size);
void compat_host_free(struct compat_host *host);
/* Names of the records that are built in; NULL past the end. */
const char *compat_record_name(size_t n);

/* Compare; NULL: no memory. */
struct compat_result *compat_new(const struct compat_host *from, const struct compat_host *to,
				 const struct compat_options *options);
void compat_free(struct compat_result *result);

/* What a VMM does with the source's registers at the destination: fills `loads` and `says` (vmm.c). `refused`, one a
 * source register: the destination does not take its value. */
void compat_predict(struct compat_result *result, const char *vmm, const struct compat_host *from,
		    const struct compat_host *to, const bool *refused);
const struct compat_register *compat_find(const struct compat_host *host, uint64_t id);
/* A feature register: does the kernel take the value? */
bool compat_can_set(const struct compat_register *reg, uint64_t value);
/* Feature registers, from the first on, that every host has. */
unsigned int compat_shown(const struct compat_host *const *hosts, size_t count);

/* The policy that takes away what a policy can, for the source: text to be free()d; NULL: no memory, or there is no
 * profile of the source's kernel. */
char *compat_fix(const struct compat_host *from, const struct compat_host *to);
/* The policy of the largest ABI that all of them have. */
char *compat_baseline(const struct compat_host *const *hosts, size_t count);

#endif
