/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of registers: Linux, Documentation/virt/kvm/api.rst, says how KVM numbers them. */
#include <inttypes.h>
#include <stdio.h>

#include "internal.h"

#define ENCODING(op0, op1, crn, crm, op2) \
	((unsigned int)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2)))

static const struct {
	uint16_t encoding;
	const char *name;
} sysregs[] = {
#define SYSREG(op0, op1, crn, crm, op2, name) {ENCODING(op0, op1, crn, crm, op2), #name},
#include "sysregs.def"
#undef SYSREG
};

/* KVM's IDs of these two are each other's encodings; uapi/asm/kvm.h calls it an accident that stays. */
#define KVM_TIMER_COUNT   ENCODING(3, 3, 14, 3, 2)
#define KVM_TIMER_COMPARE ENCODING(3, 3, 14, 0, 2)

static void sysreg_name(unsigned int encoding, char *name, size_t size)
{
	if (encoding == KVM_TIMER_COUNT || encoding == KVM_TIMER_COMPARE) {
		snprintf(name, size, "%s",
			 encoding == KVM_TIMER_COUNT ? "CNTVCT_EL0" : "CNTV_CVAL_EL0");
		return;
	}
	for (size_t i = 0; i < sizeof(sysregs) / sizeof(sysregs[0]); i++) {
		if (sysregs[i].encoding == encoding) {
			snprintf(name, size, "%s", sysregs[i].name);
			return;
		}
	}
	snprintf(name, size, "S%u_%u_C%u_C%u_%u", encoding >> 14 & 3, encoding >> 11 & 7,
		 encoding >> 7 & 15, encoding >> 3 & 15, encoding & 7);
}

/* By the offset in struct kvm_regs, in words of 32 bits. */
static void core_name(unsigned int offset, char *name, size_t size)
{
	static const struct {
		uint8_t offset;
		const char *name;
	} others[] = {
		{62, "SP_EL0"},   {64, "PC"},       {66, "PSTATE"},   {68, "SP_EL1"},
		{70, "ELR_EL1"},  {72, "SPSR_EL1"}, {74, "SPSR_abt"}, {76, "SPSR_und"},
		{78, "SPSR_irq"}, {80, "SPSR_fiq"}, {212, "FPSR"},    {213, "FPCR"},
	};

	snprintf(name, size, "?");
	if (offset < 62 && offset % 2 == 0) {
		snprintf(name, size, "X%u", offset / 2);
	} else if (offset >= 84 && offset < 212 && offset % 4 == 0) {
		snprintf(name, size, "V%u", (offset - 84) / 4);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i].offset == offset) {
			snprintf(name, size, "%s", others[i].name);
		}
	}
}

static void feature_name(uint64_t id, char *name, size_t size)
{
	const unsigned int n = (unsigned int)(id & 0xffff);
	const bool bitmap = REG_CLASS(id) == CLASS_BMAP;
	const unsigned int reg = n + (bitmap ? HVC_REG_STD_BMAP : 0u);
	const unsigned int end = bitmap ? HVC_REG_COUNT : HVC_REG_STD_BMAP;

	if (n < HVC_REG_COUNT && reg < end) {
		snprintf(name, size, "%s", hvc_register_name(reg));
	} else {
		snprintf(name, size, "%s_%u", bitmap ? "BMAP" : "FW", n);
	}
}

void probe_reg_name(uint64_t id, char *name, size_t size)
{
	const unsigned int low = (unsigned int)(id & 0xffff);

	switch (REG_CLASS(id)) {
	case CLASS_CORE:
		core_name(low, name, size);
		break;
	case CLASS_DEMUX: /* one demultiplexer so far: 0, of CCSIDR_EL1 by CSSELR_EL1 */
		if (low < 256) {
			snprintf(name, size, "CCSIDR_EL1[%u]", low);
		} else {
			snprintf(name, size, "?");
		}
		break;
	case CLASS_SYSREG:
		sysreg_name(low, name, size);
		break;
	case CLASS_FW:
	case CLASS_BMAP:
		feature_name(id, name, size);
		break;
	default:
		snprintf(name, size, "?");
		break;
	}
}
