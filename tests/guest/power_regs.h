/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of a CPU that starts: REG(name, value it has, what power_entry.S leaves in it; 0: not written).
 * Values are those of a reset, or zero where a reset leaves them UNKNOWN.
 */
#define RECORD_X   8
#define RECORD_SYS 264
#define RECORD_V   768
#define RECORD_FP  784
#define RECORD_GO  800 /* x0..x3 of the call that puts the CPU down again */

/* Kept in CPU_SUSPEND, as their device tree node says (always-on). */
#define TIMER_REGS                        \
	REG(cntv_ctl_el0, 0, 0x3)         \
	REG(cntp_ctl_el0, 0, 0x3)         \
	REG(cntv_cval_el0, 0, 0x12345678) \
	REG(cntp_cval_el0, 0, 0x12345678)

#define REGS                                   \
	REG(CurrentEL, 0x4, 0)                 \
	REG(SPSel, 0x1, 0)                     \
	REG(DAIF, 0x3c0, 0)                    \
	REG(NZCV, 0, 0xf0000000)               \
	REG(sctlr_el1, 0x30d00800, 0x30d00818) \
	REG(cpacr_el1, 0, 0x300000)            \
	REG(tcr_el1, 0, 0x10)                  \
	REG(ttbr0_el1, 0, 0x12345000)          \
	REG(ttbr1_el1, 0, 0x54321000)          \
	REG(mair_el1, 0, 0x0123456789abcdef)   \
	REG(vbar_el1, 0, 0x12345800)           \
	REG(esr_el1, 0, 0x12345678)            \
	REG(far_el1, 0, 0x12345678)            \
	REG(elr_el1, 0, 0x12345678)            \
	REG(spsr_el1, 0, 0x3c5)                \
	REG(par_el1, 0, 0x12345001)            \
	REG(sp_el0, 0, 0x12345678)             \
	REG(tpidr_el0, 0, 0x12345678)          \
	REG(tpidr_el1, 0, 0x12345678)          \
	REG(tpidrro_el0, 0, 0x12345678)        \
	REG(contextidr_el1, 0, 0x12345678)     \
	REG(csselr_el1, 0, 0x2)                \
	REG(cntkctl_el1, 0, 0x3)               \
	REG(mdscr_el1, 0, 0x1000)              \
	REG(dbgbvr0_el1, 0, 0x12345678)        \
	REG(dbgbvr5_el1, 0, 0x12345678)        \
	REG(dbgwvr3_el1, 0, 0x12345678)        \
	REG(dbgwcr3_el1, 0, 0x1e)              \
	REG(oslsr_el1, 0xa, 0)                 \
	REG(pmuserenr_el0, 0, 0xf)             \
	REG(pmcntenset_el0, 0, 0x80000001)     \
	REG(pmintenset_el1, 0, 0x80000001)     \
	REG(pmccntr_el0, 0, 0x12345678)        \
	REG(pmselr_el0, 0, 0x3)
