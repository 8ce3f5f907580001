/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scenarios: text tables (.hvc, docs/scenarios.md) of what a host of the engine, or a kernel, must answer.
 *
 * A file becomes a script: one struct scn_op a line, all arguments resolved to numbers, so that a script does not
 * depend on what happens and a whole one can be sent to a host that runs elsewhere (el2). A host fills one struct
 * scn_result for each op. Judging (scn_judge) and printing (scn_print) are the same for every host.
 */
#ifndef HVCGATE_SCENARIO_H
#define HVCGATE_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <hvcgate/engine.h>
#include <hvcgate/policy.h>

#include "../abi/abi.h"
#include "ops.h"

struct scn_vm {
	unsigned int cpus; /* 1 to SCN_CPUS */
	const struct abi_profile
		*profile;                /* never NULL: the host's own where the file names none */
	const struct hvc_policy *policy; /* NULL: the profile alone */
	bool psci_0_2, suspend_cap, coherent;
	uint64_t stolen_time; /* IPA of CPU 0's record, 64 bytes a CPU; 0: none */
	struct hvc_settings
		settings; /* of profile, policy, record and the above, for hosts that have the engine */
};

/* A script: what one file became. */
struct scn_script;
struct scn_options {
	const struct abi_profile *
		profile; /* of VMs that name none, and the one that `profile=A..B` is held against */
	const json_t *record; /* host-determined values; NULL: none */
	bool only_matching; /* VMs whose profile= does not include `profile` are left out (a kernel is what it is) */
};
/* NULL: diags say what is wrong, file:line:column. `text` need not live on. */
struct scn_script *scn_parse(const char *path, const char *text, size_t bytes,
			     const struct scn_options *options, struct hvc_diags *diags);
void scn_free(struct scn_script *script);
size_t scn_count(const struct scn_script *script);
const struct scn_op *scn_op_at(const struct scn_script *script, size_t n);

/* --- Hosts. */
struct scn_host {
	const char *name; /* "engine" */
	/* Run all ops of a script; results has scn_count() elements, zeroed. False: the host itself could not run,
	 * `why` says the reason. */
	bool (*run)(struct scn_host *host, const struct scn_script *script,
		    struct scn_result *results, char *why, size_t size);
	void (*close)(struct scn_host *host);
};
struct scn_host *scn_engine_host(void);
/* NULL where this is no arm64 Linux with /dev/kvm: `why`. *profile becomes the running kernel's. */
struct scn_host *scn_kvm_host(const struct abi_profile **profile, char *why, size_t size);
/* NULL: QEMU or the monitor is not there: `why`. */
struct scn_host *scn_el2_host(char *why, size_t size);

/* --- What came back. */
/* "x0=-1 x1=0 ..." and so on: the canonical text of a result, all of x0..x17 where there is a frame. Values that are
 * random or time by their function are printed as such, so that texts of two hosts can be compared. */
void scn_print(FILE *out, const struct scn_script *script, size_t n,
	       const struct scn_result *result);
enum scn_verdict { SCN_AGREED, SCN_DIFFERED, SCN_NO_SUPPORT };
/* Does a result fit what the line states? `why`: "x0 is -1, stated 0". `result` is the n-th of the array that run()
 * filled: a line that states randomness is several ops (scn_is_repeat), and the last looks at those before it. */
enum scn_verdict scn_judge(const struct scn_script *script, size_t n,
			   const struct scn_result *result, char *why, size_t size);

#endif
