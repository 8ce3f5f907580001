/* SPDX-License-Identifier: BSD-2-Clause */
/* Scripts of one line, for tests. */
#ifndef HVCGATE_SCENARIO_ONE_LINE_H
#define HVCGATE_SCENARIO_ONE_LINE_H

#include "../../tests/lib/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "scenario.h"

/* Behind "vm cpus=2" and a call. */
static inline struct scn_script *script_of(const char *line)
{
	struct scn_options options = {.profile = abi_profile_find("linux-6.12")};
	struct hvc_diags *diags = hvc_diags_new();
	struct scn_script *script;
	char text[512];

	snprintf(text, sizeof(text), "vm cpus=2\ncall 0 hvc 0x84000050 7\n%s\n", line);
	script = scn_parse("dir/t.hvc", text, strlen(text), &options, diags);
	if (script == NULL) {
		fail_msg("%s: %s", line, hvc_diags_at(diags, 0)->message);
	}
	hvc_diags_free(diags);
	return script;
}

#endif
