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

enum scn_command {
	SCN_VM,         /* vm ...: everything before is over */
	SCN_COUNT,      /* count -> 7 */
	SCN_LIST,       /* list -> ID ... (feature registers only) */
	SCN_SHOW,       /* show 6 -> ok */
	SCN_CLEAR_FROM, /* clearfrom 4 -> ok */
	SCN_GET,        /* get NAME -> 0x3; getraw 0x6030... */
	SCN_SET,        /* set NAME VALUE -> EINVAL; setraw ID VALUE */
	SCN_FILTER,     /* filter BASE COUNT ACTION -> ok */
	SCN_FILTER_RAW, /* filterraw 24 bytes hex -> EINVAL */
	SCN_TRY,      /* try BASE COUNT ACTION -> EEXIST reserved 0x80000000-0x8000ffff: dry run */
	SCN_QUERY,    /* query ID -> deny rule */
	SCN_RULES,    /* rules -> 0x84000000-0x84000000 deny ... */
	SCN_RESERVED, /* reserved -> 0x80000000-0x8000ffff ... */
	SCN_CALL,     /* call CPU hvc|smc NAME[/32|/64]|ID [x1 ...] [imm=N] [xN=V ...] -> ... */
	SCN_REPLY,  /* reply xN=V ...: of the one forward that is pending -> registers afterwards */
	SCN_RESUME, /* resume nowrite: go on, nothing written; also after an event */
	SCN_CANCEL, /* cancel: nobody answers; hosts other than engine and el2: unsupported */
	SCN_ARRIVE, /* arrive CPU -> pc=entry(1) x0=5: a CPU that was turned on reaches its label */
	SCN_WAKE,   /* wake CPU: an interrupt for a CPU that waits -> registers afterwards */
	SCN_COMMANDS
};

/* Where CPU n's label is, the same on every host: entry(n). */
#define SCN_ENTRY_ADDRESS(cpu) (0x40010000ull + 0x100ull * (cpu))
#define SCN_CPUS               8 /* at most KVM_MACHINE_CPUS */

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

struct scn_op {
	enum scn_command command;
	unsigned int line; /* in its file, from 1 */
	unsigned int cpu;  /* call, get, set, arrive, wake */
	uint64_t id;       /* of a register, or a function (low 32 bits) */
	uint64_t value;    /* set; show, clearfrom: the index */
	uint32_t base, count;
	enum hvc_action action;
	uint8_t bytes[HVC_FILTER_BYTES];
	enum hvc_conduit conduit;
	uint16_t immediate;
	uint32_t mask;           /* reply: registers that are written */
	struct hvc_frame frame;  /* call: all of x0..x17; reply: those in mask */
	const struct scn_vm *vm; /* of this line, never NULL but before the first vm */
};

enum scn_kind {
	SCN_NOT_RUN = 0, /* an earlier line of this VM failed so that this one cannot be done */
	SCN_OK,          /* "ok" */
	SCN_ERROR,       /* err; `try`: detail */
	SCN_NUMBER,      /* value */
	SCN_IDS, /* list[count]: values, or first and last in turns for ranges (with actions[]) */
	SCN_DECISION,    /* query: decision */
	SCN_FRAME,       /* a call is over: frame */
	SCN_FORWARDED,   /* id, conduit; frame as the host sees it */
	SCN_EVENT,       /* event; frame as the vCPU would go on */
	SCN_WAITS,       /* blocked: the vCPU waits for an interrupt */
	SCN_ARRIVED,     /* value: the address, frame.x[0] */
	SCN_UNSUPPORTED, /* the host cannot do this: reason */
	SCN_BROKEN       /* the host did something nobody expects: reason */
};
enum scn_event { SCN_CPU_OFF, SCN_SYSTEM_OFF, SCN_SYSTEM_RESET, SCN_SYSTEM_SUSPEND, SCN_WAKEUP };

#define SCN_LIST_MAX 64
struct scn_result {
	enum scn_kind kind;
	enum hvc_err err;
	uint64_t value;
	uint32_t id;
	enum hvc_conduit conduit;
	enum scn_event event;
	uint64_t event_flags; /* SYSTEM_OFF, RESET: bit 0 for OFF2, RESET2 */
	struct hvc_outcome decision;
	struct hvc_filter_detail detail;
	struct hvc_frame frame;
	uint32_t list_count;
	uint64_t list[SCN_LIST_MAX];
	uint8_t actions[SCN_LIST_MAX / 2];
	const char *reason; /* constant, or the host's until it is closed */
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
/* Does a result fit what the line states? `why`: "x0 is -1, stated 0". */
enum scn_verdict scn_judge(const struct scn_script *script, size_t n,
			   const struct scn_result *result, char *why, size_t size);

#endif
