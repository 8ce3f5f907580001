/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a script. */
#include "script.h"

size_t scn_count(const struct scn_script *script)
{
	return script->count;
}

const struct scn_op *scn_op_at(const struct scn_script *script, size_t n)
{
	return n < script->count ? &script->lines[n].op : NULL;
}

const char *scn_text(const struct scn_script *script, size_t n)
{
	return script->lines[n].text;
}

const char *scn_expected(const struct scn_script *script, size_t n)
{
	return script->lines[n].expected;
}

bool scn_is_repeat(const struct scn_script *script, size_t n)
{
	return script->lines[n].repeat != 0;
}

size_t scn_left_out(const struct scn_script *script)
{
	return script->left_out;
}

const char *scn_path(const struct scn_script *script)
{
	return script->path;
}

/* The ID says the class in bits 31:16 and the index in it below: the first of either class is index 0. */
bool scn_is_feature_register(uint64_t id)
{
	const uint64_t first = id & ~0xffffull;

	return first == abi_register_id(HVC_REG_PSCI_VERSION) ||
	       first == abi_register_id(HVC_REG_STD_BMAP);
}
