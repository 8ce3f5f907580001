/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ABI records (what a host offers, measured) and profiles (what a kernel series determines, made from records).
 *
 * Both are JSON. A record is written by `hvcgate probe --format json`, a profile by `hvcgate-profile` (src/abi) from
 * one or more records; both lie in profiles/ and profiles are compiled into the library, so that `profile: linux-6.12`
 * needs no file. Profiles are immutable and any thread may read them.
 */
#ifndef HVCGATE_ABI_H
#define HVCGATE_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include <hvcgate/image.h>

struct abi_profile;

/* The n-th profile there is: ours first, then the kernels', oldest first; NULL past the end. */
const struct abi_profile *abi_profile_at(size_t n);
/* By "linux-6.12" (its newest revision) or "linux-6.12@1"; NULL if there is none. */
const struct abi_profile *abi_profile_find(const char *name);
/* "linux-6.12@1" */
const char *abi_profile_name(const struct abi_profile *profile);
/* Position in the order of the kernels: ours are 0, linux-5.10 is 1, ... equal for revisions of one. */
unsigned int abi_profile_rank(const struct abi_profile *profile);
/*
 * Settings of a VM of this profile. Of a kernel's: as it makes one for a VMM that asks for nothing (no system
 * suspend), strictness kvm, discovery raw. Host-determined values (workaround levels) are "not available":
 * abi_record_apply() puts a host's in. A register that the profile does not have gates nothing: `functions` says it.
 */
void abi_profile_settings(const struct abi_profile *profile, struct hvc_settings *settings);
/* n of hvcgate-n; 0 for a kernel's. */
unsigned int abi_profile_ours(const struct abi_profile *profile);
/* Its file's text (docs/records.md); NULL for ours, which have none. */
const char *abi_profile_json(const struct abi_profile *profile);

/* KVM's 64-bit ID of a feature register, enum hvc_register. */
uint64_t abi_register_id(unsigned int reg);

/* --- Records. */
/* One level of structure a line, but what fits in a line stands in one; a newline at the end. False: out of memory,
 * nested too deeply, or `out` has an error. */
bool abi_json_write(FILE *out, const json_t *json);
/* Read and check a record; NULL, and `why` (size bytes) says what is wrong and where. json_decref() it. */
json_t *abi_record_load(const char *path, char *why, size_t size);
/* Its workaround levels into settings of a profile. */
void abi_record_apply(const json_t *record, struct hvc_settings *settings);
/* "linux-6.12" for a record of 6.12.117: the profile whose kernel it was measured on (rounded down to a series that
 * has one); NULL if none. */
const struct abi_profile *abi_record_profile(const json_t *record);

#endif
