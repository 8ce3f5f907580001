/* SPDX-License-Identifier: BSD-2-Clause */
/* One run of `hvcgate replay`: scripts, a host, what came of it. */
#ifndef HVCGATE_CLI_REPLAY_H
#define HVCGATE_CLI_REPLAY_H

#include "../scenario/transcript.h"
#include "out.h"

struct replay {
	struct scn_host *host;
	const struct abi_profile *profile;
	json_t *record; /* NULL: none */
	bool only_matching, print;
	struct hvc_diags *diags;
	struct scn_transcript *other;
	struct scn_excuses *excuses;
	FILE *transcript;
	json_t *json; /* lines; NULL: text is printed */
	struct scn_script **scripts;
	size_t count, agreed, differed, unsupported, excused, left_out, not_run;
};

/* Read one file; false: it has errors, said. */
bool replay_read(struct replay *replay, const char *path);
/* Run and judge it; false: the host could not, said. */
bool replay_run(struct replay *replay, const struct scn_script *script);
/* The summary, and the exit status. */
int replay_end(struct replay *replay);

#endif
