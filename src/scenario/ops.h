/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operations of scenarios and their results: plain values, for hosted and freestanding code alike. Who shares
 * them with a machine of another architecture relies on the layout of LP64, little-endian.
 */
#ifndef HVCGATE_SCENARIO_OPS_H
#define HVCGATE_SCENARIO_OPS_H

#include <stdbool.h>
#include <stdint.h>

#include <hvcgate/engine.h>

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
	SCN_TIGHTEN, /* tighten BASE COUNT -> ok: denied from now on, also of a VM that has run */
	SCN_EVENTS,  /* events -> 1:0:hvc:0x84000000 ...: what `notify` told since the last time */
	SCN_SAVE,    /* save A -> ok: the VM's state, kept by this name */
	SCN_RESTORE, /* restore A -> ok: into a new VM */
	SCN_COMMANDS
};

/* Where CPU n's label is, the same on every host: entry(n). */
#define SCN_ENTRY_ADDRESS(cpu) (0x40010000ull + 0x100ull * (cpu))
#define SCN_CPUS               8 /* at most KVM_MACHINE_CPUS */
/* States that a script can keep, by name, and what one can take. */
#define SCN_SAVES      4u
#define SCN_SAVE_BYTES 16384u

struct scn_vm; /* scenario.h */

struct scn_op {
	enum scn_command command;
	unsigned int line; /* in its file, from 1 */
	unsigned int cpu;  /* call, get, set, arrive, wake */
	uint64_t id;       /* of a register, or a function (low 32 bits) */
	uint64_t value;    /* set; show, clearfrom: the index; save, restore: 0 to SCN_SAVES - 1 */
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
	SCN_ERROR,       /* err; `try`, `tighten`: detail */
	SCN_NUMBER,      /* value */
	/* list[count]: values; first and last in turns for ranges (with actions[]); sequence and SCN_EVENT_WORD() in
	 * turns for events */
	SCN_IDS,
	SCN_DECISION,    /* query: decision */
	SCN_FRAME,       /* a call is over: frame */
	SCN_FORWARDED,   /* id, conduit; frame as the host sees it */
	SCN_EVENT,       /* event; frame as the vCPU would go on */
	SCN_WAITS,       /* blocked: the vCPU waits for an interrupt */
	SCN_ARRIVED,     /* value: the address, frame.x[0] */
	SCN_UNSUPPORTED, /* the host cannot do this: reason */
	SCN_BROKEN       /* the host did something nobody expects: reason */
};
enum scn_event {
	SCN_CPU_OFF,
	SCN_SYSTEM_OFF,
	SCN_SYSTEM_RESET,
	SCN_SYSTEM_SUSPEND,
	SCN_WAKEUP,
	SCN_CPU_FREEZE,
	SCN_EVENT_KINDS
};

#define SCN_LIST_MAX 64
/* Events of `notify` that a VM has room for; a call that finds none is `blocked` until they are taken. */
#define SCN_EVENT_ROOM                   8u
#define SCN_EVENT_WORD(cpu, conduit, id) ((uint64_t)(cpu) << 33 | (uint64_t)(conduit) << 32 | (id))
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
	uint32_t missing; /* restore: enum hvc_missing */
	struct hvc_frame frame;
	uint32_t list_count;
	uint64_t list[SCN_LIST_MAX];
	uint8_t actions[SCN_LIST_MAX / 2];
	const char *reason; /* constant, or the host's until it is closed */
};

#endif
