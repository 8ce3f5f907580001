/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of a script: what the parser writes, and printer and judge read. Hosts need scenario.h only. */
#ifndef HVCGATE_SCENARIO_SCRIPT_H
#define HVCGATE_SCENARIO_SCRIPT_H

#include <hvcgate/save.h>

#include "scenario.h"

#define SCN_MAX_BYTES ((size_t)1 << 20)
#define SCN_MAX_LINE  4096u
#define SCN_MAX_OPS   16384u

/* What a value must be. */
enum scn_pattern_kind {
	PATTERN_NONE, /* not said: anything */
	PATTERN_NUMBER,
	PATTERN_MASKED, /* value/mask */
	PATTERN_ANY,    /* * */
	PATTERN_IN,     /* =in */
	PATTERN_RANDOM, /* random(value) */
	PATTERN_TIME
};
struct scn_pattern {
	enum scn_pattern_kind kind;
	uint64_t value, mask;
};

/* What a line states. */
enum scn_stated_kind {
	STATED_NOTHING, /* no "->" */
	STATED_ANY,
	STATED_OK,
	STATED_ERROR,
	STATED_NUMBER,
	STATED_LIST,
	STATED_DECISION,
	STATED_FRAME,
	STATED_FORWARD,
	STATED_EVENT,
	STATED_BLOCKED,
	STATED_ARRIVED
};
struct scn_stated {
	enum scn_stated_kind kind;
	enum hvc_err err;
	struct hvc_filter_detail detail; /* try: obstacle NONE where none is said */
	bool detail_range;               /* first and last are said */
	uint32_t missing;                /* restore: NOTHING where none is said */
	struct scn_pattern number;       /* a number; pc; an event's flags */
	struct scn_pattern x[HVC_FRAME_REGS];
	uint32_t id;
	enum hvc_conduit conduit;
	enum scn_event event;
	bool decider_said, action_said;
	uint8_t action, decider; /* query; try: action of the rule in the way */
	bool more;               /* a list that ends in "..." */
	uint32_t list_count;
	uint64_t list[SCN_LIST_MAX];
	uint8_t actions[SCN_LIST_MAX / 2];
};

#define SCN_NO_CALL (~(size_t)0)
struct scn_line {
	struct scn_op op;
	struct scn_stated stated;
	const char *text;     /* the command as written, without what it states */
	const char *expected; /* what it states as written, or "" */
	size_t in;            /* op whose frame `=in` is: the call that this answers */
	unsigned int repeat;  /* not 0: the call of the line before, made again for random() */
};

/* Kernels (and profiles of ours) from one to another, as profile= and guards say it. */
struct scn_range {
	bool from_said, exact;             /* exact: a revision was said, it is `profile` alone */
	uint32_t from, to;                 /* scn_profile_order() */
	const struct abi_profile *profile; /* one, not a range: its newest revision */
};

struct scn_script {
	char *path;
	struct scn_line *lines;
	size_t count, capacity, left_out;
	struct scn_made_vm *vms;     /* newest first */
	struct scn_policy *policies; /* likewise: each file once */
	struct scn_kept *kept;       /* texts, newest first */
};
struct scn_made_vm {
	struct scn_made_vm *next;
	struct scn_vm vm;
};
#define SCN_MAX_POLICIES 64 /* files, or ways to write their names: one may take 100 MiB */
struct scn_policy {
	struct scn_policy *next;
	struct hvc_policy *policy;
	char path[];
};
struct scn_kept {
	struct scn_kept *next;
	char text[];
};

/* The registers of a call that its line does not set: distinct, neither half zero. */
#define SCN_PATTERN(n) (0x5a5a5a005a5a5a00ull | (uint64_t)(n) << 32 | (0xa0u + (unsigned int)(n)))

/* Is this what `count` and `list` are about? */
bool scn_is_feature_register(uint64_t id);

/* The order of a profile's name: ours by their number, below SCN_KERNELS, then kernels by theirs. False: no such
 * name. */
#define SCN_KERNELS 1000u
bool scn_profile_order(const char *name, uint32_t *order);
bool scn_range_has(const struct scn_range *range, const struct abi_profile *profile);

/* A line as written. */
const char *scn_text(const struct scn_script *script, size_t n);
const char *scn_expected(const struct scn_script *script, size_t n);
/* Not a line of its own: a call made again to see that its randomness is none. */
bool scn_is_repeat(const struct scn_script *script, size_t n);
/* Lines that are not for this profile. */
size_t scn_left_out(const struct scn_script *script);
const char *scn_path(const struct scn_script *script);
const char *scn_command_name(enum scn_command command);
const char *scn_event_name(enum scn_event event);
const char *scn_obstacle_name(unsigned int obstacle);
const char *scn_missing_name(unsigned int missing);

/* How many bits of register xn a successful TRNG_RND of this op fills; 0: this is none. */
unsigned int scn_random_bits(const struct scn_script *script, size_t n,
			     const struct scn_result *result, unsigned int reg);
bool scn_is_time(const struct scn_script *script, size_t n, const struct scn_result *result,
		 unsigned int reg);

/* "5", "-1", "0x84000000"; into text of at least 24 bytes, which is returned. */
#define SCN_NUMBER_TEXT 24
const char *scn_number_text(uint64_t value, char *text);

#endif
