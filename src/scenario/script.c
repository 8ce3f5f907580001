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

/* KVM_REG_ARM64 | KVM_REG_SIZE_U64, the class, the index in it. */
#define REG_ID(class, index) (0x6030000000000000ull | (uint64_t)(class) << 16 | (index))
#define REG_CLASS_MASK       0xffffffffffff0000ull
#define CLASS_FIRMWARE       0x14u
#define CLASS_BITMAP         0x16u

uint64_t scn_register_id(unsigned int reg)
{
	return reg < HVC_REG_STD_BMAP ? REG_ID(CLASS_FIRMWARE, reg)
				      : REG_ID(CLASS_BITMAP, reg - HVC_REG_STD_BMAP);
}

bool scn_is_feature_register(uint64_t id)
{
	return (id & REG_CLASS_MASK) == REG_ID(CLASS_FIRMWARE, 0) ||
	       (id & REG_CLASS_MASK) == REG_ID(CLASS_BITMAP, 0);
}
