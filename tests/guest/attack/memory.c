/* SPDX-License-Identifier: BSD-2-Clause */
/* Every kind of access at one address in each thing that is not the guest's, and across the edges of RAM. */
#include "attack.h"

__asm__(".arch armv8.6-a+sve+memtag+mops");

/* What a CPU must have for an access (ID registers), or 0. */
enum feature { NEEDS_NOTHING, LSE, RCPC, RCPC2, DPB, PAN2, SVE, MTE, MOPS };
/*
 * How an attempt at hidden memory has to end. EXTERNAL: as a device that is not there would end it. ABORT:
 * in a data abort of any kind, as stage 1 may find fault with it first. MAY: so, or in nothing at all.
 */
enum ending { EXTERNAL, ABORT, MAY };

/* x0 is the address; x1 to x7, flags, vector registers may be used. */
#define ACCESSES(A)                                                                             \
	A(LDRB, EXTERNAL, NEEDS_NOTHING, "ldrb w1, [x0]")                                       \
	A(LDRH, EXTERNAL, NEEDS_NOTHING, "ldrh w1, [x0]")                                       \
	A(LDRW, EXTERNAL, NEEDS_NOTHING, "ldr w1, [x0]")                                        \
	A(LDRX, EXTERNAL, NEEDS_NOTHING, "ldr x1, [x0]")                                        \
	A(LDRSB, EXTERNAL, NEEDS_NOTHING, "ldrsb x1, [x0]")                                     \
	A(LDRSW, EXTERNAL, NEEDS_NOTHING, "ldrsw x1, [x0]")                                     \
	A(STRB, EXTERNAL, NEEDS_NOTHING, "strb w0, [x0]")                                       \
	A(STRH, EXTERNAL, NEEDS_NOTHING, "strh w0, [x0]")                                       \
	A(STRW, EXTERNAL, NEEDS_NOTHING, "str w0, [x0]")                                        \
	A(STRX, EXTERNAL, NEEDS_NOTHING, "str x0, [x0]")                                        \
	A(STRXZR, EXTERNAL, NEEDS_NOTHING, "str xzr, [x0]")                                     \
	A(LDR_POST, EXTERNAL, NEEDS_NOTHING, "ldr x1, [x0], #8")                                \
	A(STR_PRE, EXTERNAL, NEEDS_NOTHING, "str x1, [x0, #8]!")                                \
	A(LDR_REG, EXTERNAL, NEEDS_NOTHING, "ldr x1, [x0, xzr]")                                \
	A(LDP, EXTERNAL, NEEDS_NOTHING, "ldp x1, x2, [x0]")                                     \
	A(STP, EXTERNAL, NEEDS_NOTHING, "stp x0, x0, [x0]")                                     \
	A(STP_PRE, EXTERNAL, NEEDS_NOTHING, "stp x1, x2, [x0, #16]!")                           \
	A(LDPSW, EXTERNAL, NEEDS_NOTHING, "ldpsw x1, x2, [x0]")                                 \
	A(LDNP, EXTERNAL, NEEDS_NOTHING, "ldnp x1, x2, [x0]")                                   \
	A(STNP, EXTERNAL, NEEDS_NOTHING, "stnp x1, x2, [x0]")                                   \
	A(LDRQ, EXTERNAL, NEEDS_NOTHING, "ldr q0, [x0]")                                        \
	A(STRQ, EXTERNAL, NEEDS_NOTHING, "str q0, [x0]")                                        \
	A(LDPQ, EXTERNAL, NEEDS_NOTHING, "ldp q0, q1, [x0]")                                    \
	A(STPQ, EXTERNAL, NEEDS_NOTHING, "stp q0, q1, [x0]")                                    \
	A(LD4, EXTERNAL, NEEDS_NOTHING, "ld4 {v0.16b-v3.16b}, [x0]")                            \
	A(ST4, EXTERNAL, NEEDS_NOTHING, "st4 {v0.16b-v3.16b}, [x0]")                            \
	A(LDAR, EXTERNAL, NEEDS_NOTHING, "ldar x1, [x0]")                                       \
	A(STLR, EXTERNAL, NEEDS_NOTHING, "stlr x0, [x0]")                                       \
	A(LDXR, EXTERNAL, NEEDS_NOTHING, "ldxr x1, [x0]")                                       \
	A(LDAXR, EXTERNAL, NEEDS_NOTHING, "ldaxr x1, [x0]")                                     \
	A(LDXP, EXTERNAL, NEEDS_NOTHING, "ldxp x1, x2, [x0]")                                   \
	A(STXR, MAY, NEEDS_NOTHING, "stxr w1, x0, [x0]")                                        \
	A(STXP, MAY, NEEDS_NOTHING, "stxp w1, x0, x0, [x0]")                                    \
	A(LDXR_STXR, MAY, NEEDS_NOTHING, "mov x3, sp\n\tldxr x1, [x3]\n\tstxr w2, x1, [x0]")    \
	A(LDTR, ABORT, NEEDS_NOTHING, "ldtr x1, [x0]")                                          \
	A(STTR, ABORT, NEEDS_NOTHING, "sttr x0, [x0]")                                          \
	A(CAS, EXTERNAL, LSE, "cas x1, x2, [x0]")                                               \
	A(CASP, EXTERNAL, LSE, "casp x2, x3, x4, x5, [x0]")                                     \
	A(SWPAL, EXTERNAL, LSE, "swpal x0, x1, [x0]")                                           \
	A(LDADD, EXTERNAL, LSE, "ldadd x0, x1, [x0]")                                           \
	A(STSETB, EXTERNAL, LSE, "stsetb w0, [x0]")                                             \
	A(LDAPR, EXTERNAL, RCPC, "ldapr x1, [x0]")                                              \
	A(STLUR, EXTERNAL, RCPC2, "stlur x0, [x0, #8]")                                         \
	A(LD1D, EXTERNAL, SVE, "ptrue p0.d\n\tld1d {z0.d}, p0/z, [x0]")                         \
	A(ST1D, EXTERNAL, SVE, "ptrue p0.d\n\tst1d {z0.d}, p0, [x0]")                           \
	A(LDFF1D, EXTERNAL, SVE, "ptrue p0.d\n\tsetffr\n\tldff1d {z0.d}, p0/z, [x0]")           \
	A(LDNF1D, MAY, SVE, "ptrue p0.d\n\tsetffr\n\tldnf1d {z0.d}, p0/z, [x0]")                \
	A(STR_Z, EXTERNAL, SVE, "str z0, [x0]")                                                 \
	A(ST1D_SCATTER, EXTERNAL, SVE, "ptrue p0.d\n\tmov z1.d, x0\n\tst1d {z0.d}, p0, [z1.d]") \
	A(PRFM_LOAD, MAY, NEEDS_NOTHING, "prfm pldl1keep, [x0]")                                \
	A(PRFM_STORE, MAY, NEEDS_NOTHING, "prfm pstl1strm, [x0]")                               \
	A(PRFM_CODE, MAY, NEEDS_NOTHING, "prfm plil1keep, [x0]")                                \
	A(DC_ZVA, EXTERNAL, NEEDS_NOTHING, "dc zva, x0")                                        \
	A(DC_IVAC, MAY, NEEDS_NOTHING, "dc ivac, x0")                                           \
	A(DC_CIVAC, MAY, NEEDS_NOTHING, "dc civac, x0")                                         \
	A(DC_CVAC, MAY, NEEDS_NOTHING, "dc cvac, x0")                                           \
	A(DC_CVAU, MAY, NEEDS_NOTHING, "dc cvau, x0")                                           \
	A(DC_CVAP, MAY, DPB, "dc cvap, x0")                                                     \
	A(DC_ISW, MAY, NEEDS_NOTHING, "dc isw, x0")                                             \
	A(DC_CISW, MAY, NEEDS_NOTHING, "dc cisw, x0")                                           \
	A(IC_IVAU, MAY, NEEDS_NOTHING, "ic ivau, x0")                                           \
	A(AT_S1E1R, MAY, NEEDS_NOTHING, "at s1e1r, x0")                                         \
	A(AT_S1E1W, MAY, NEEDS_NOTHING, "at s1e1w, x0")                                         \
	A(AT_S1E0R, MAY, NEEDS_NOTHING, "at s1e0r, x0")                                         \
	A(AT_S1E0W, MAY, NEEDS_NOTHING, "at s1e0w, x0")                                         \
	A(AT_S1E1RP, MAY, PAN2, "at s1e1rp, x0")                                                \
	A(TLBI_VAE1IS, MAY, NEEDS_NOTHING, "lsr x1, x0, #12\n\ttlbi vae1is, x1")                \
	A(TLBI_VAALE1, MAY, NEEDS_NOTHING, "lsr x1, x0, #12\n\ttlbi vaale1, x1")                \
	A(STG, EXTERNAL, MTE, "stg x0, [x0]")                                                   \
	A(ST2G, EXTERNAL, MTE, "st2g x0, [x0]")                                                 \
	A(STZG, EXTERNAL, MTE, "stzg x0, [x0]")                                                 \
	A(STZ2G, EXTERNAL, MTE, "stz2g x0, [x0]")                                               \
	A(STGP, EXTERNAL, MTE, "stgp x0, x0, [x0]")                                             \
	A(STGM, EXTERNAL, MTE, "stgm x0, [x0]")                                                 \
	A(STZGM, EXTERNAL, MTE, "stzgm x0, [x0]")                                               \
	A(LDG, EXTERNAL, MTE, "ldg x1, [x0]")                                                   \
	A(LDGM, EXTERNAL, MTE, "ldgm x1, [x0]")                                                 \
	A(DC_GVA, EXTERNAL, MTE, "dc gva, x0")                                                  \
	A(DC_GZVA, EXTERNAL, MTE, "dc gzva, x0")                                                \
	A(DC_IGVAC, MAY, MTE, "dc igvac, x0")                                                   \
	A(DC_CIGDVAC, MAY, MTE, "dc cigdvac, x0")                                               \
	A(SETP, EXTERNAL, MOPS,                                                                 \
	  "mov x1, #64\n\tsetp [x0]!, x1!, x2\n\tsetm [x0]!, x1!, x2\n\tsete [x0]!, x1!, x2")   \
	A(BRANCH, EXTERNAL, NEEDS_NOTHING, "br x0")

enum {
#define ACCESS_NUMBER(name, ending, feature, text) ACCESS_##name,
	ACCESSES(ACCESS_NUMBER) ACCESS_COUNT
};
_Static_assert(ACCESS_LDRW == ACCESS_LOAD, "attack.h");

static const struct {
	char name[16];
	uint8_t ending, feature;
} accesses[] = {
#define ACCESS_ROW(name, ending, feature, text) {#name, ending, feature},
	ACCESSES(ACCESS_ROW)};

struct access {
	uint64_t address;
	unsigned int kind;
};

static void perform(void *arg)
{
	const struct access *access = arg;
	const unsigned int kind = access->kind;
	register uint64_t x0 __asm__("x0") = access->address;

	switch (kind) {
#define ACCESS_CASE(name, ending, feature, text)                                              \
	case ACCESS_##name:                                                                   \
		__asm__ volatile(text                                                         \
				 : "+r"(x0)                                                   \
				 :                                                            \
				 : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "memory", "cc"); \
		break;
		ACCESSES(ACCESS_CASE)
	default:
		break;
	}
	__asm__ volatile("dsb sy\n\tisb" : : : "memory");
}

bool access_try(unsigned int kind, uint64_t address, struct kit_fault *fault)
{
	struct access access = {.address = address, .kind = kind};

	return kit_try(perform, &access, fault);
}

static uint64_t field(uint64_t value, unsigned int low)
{
	return value >> low & 0xf;
}

static bool has(unsigned int feature)
{
	uint64_t isar0, isar1, isar2, pfr0, pfr1, mmfr1;

	__asm__("mrs %0, id_aa64isar0_el1\n\tmrs %1, id_aa64isar1_el1\n\tmrs %2, S3_0_C0_C6_2\n\t"
		"mrs %3, id_aa64pfr0_el1\n\tmrs %4, id_aa64pfr1_el1\n\tmrs %5, id_aa64mmfr1_el1"
		: "=r"(isar0), "=r"(isar1), "=r"(isar2), "=r"(pfr0), "=r"(pfr1), "=r"(mmfr1));
	switch (feature) {
	case LSE:
		return field(isar0, 20) >= 2;
	case RCPC:
		return field(isar1, 20) >= 1;
	case RCPC2:
		return field(isar1, 20) >= 2;
	case DPB:
		return field(isar1, 0) >= 1;
	case PAN2:
		return field(mmfr1, 20) >= 2;
	case SVE:
		return field(pfr0, 32) >= 1;
	case MTE:
		return field(pfr1, 8) >= 2;
	case MOPS:
		return field(isar2, 16) >= 1;
	default:
		return true;
	}
}

static bool is_data_abort(const struct kit_fault *fault)
{
	return KIT_EC(fault->esr) == KIT_EC_DABORT_SAME;
}

/* One access at a virtual address whose physical one is hidden. */
static void try_hidden(unsigned int kind, uint64_t address)
{
	struct kit_fault fault;
	const unsigned int ending = accesses[kind].ending;
	bool contained;

	if (!has(accesses[kind].feature)) {
		return;
	}
	if (access_try(kind, address, &fault)) {
		attempt(ending == MAY, accesses[kind].name, address, 0);
		return;
	}
	if (ending == EXTERNAL) {
		contained = is_external(&fault) && fault.far >> 12 == address >> 12;
	} else {
		contained = is_data_abort(&fault);
	}
	attempt(contained, accesses[kind].name, address, fault.esr);
}

/* Records of stolen time behind those of the machine's CPUs: in a page that can be read. */
#define READABLE       0x090a0400ull
#define READABLE_WORDS 64

/* Whatever the access, what is there stays. */
static void try_readable(unsigned int kind)
{
	const volatile uint64_t *words = (const volatile uint64_t *)window_normal(READABLE);
	struct kit_fault fault;
	uint64_t before[READABLE_WORDS];
	bool same = true, done;

	if (!has(accesses[kind].feature)) {
		return;
	}
	for (unsigned int i = 0; i < READABLE_WORDS; i++) {
		before[i] = words[i];
	}
	done = access_try(kind, (uint64_t)words, &fault);
	for (unsigned int i = 0; i < READABLE_WORDS; i++) {
		same = same && words[i] == before[i];
	}
	attempt(same && (done || is_data_abort(&fault) || kind == ACCESS_BRANCH),
		accesses[kind].name, READABLE, done ? 0 : fault.esr);
}

/* Physical addresses: something of each kind that is behind the guest's walls. */
static const uint64_t hidden[] = {
	/* flash */
	0x00000000,
	0x04000000,
	0x07ffffc0,
	/* between distributor and redistributors: v2m, ITS, GICH, GICV, more GICV */
	0x08020000,
	0x08030000,
	0x08040000,
	0x08050000,
	0x08080000,
	0x08090000,
	/* redistributors of CPUs that are not there */
	0x081a0000,
	0x08ff0000,
	/* fw_cfg, GPIO, second UART, SMMU, memory hot plug, ACPI, NVDIMM, behind the records of stolen time, secure GPIO */
	0x09020000,
	0x09030000,
	0x09040000,
	0x09050000,
	0x09070000,
	0x09080000,
	0x09090000,
	0x090a1000,
	0x090b0000,
	/* virtio-mmio, platform bus, secure RAM */
	0x0a000000,
	0x0a003e00,
	0x0c000000,
	0x0dffffc0,
	0x0e000000,
	/* PCI: memory, I/O with the doorbell, configuration with the doorbell, high ones */
	0x10000000,
	0x3eff0000,
	0x3eff1000,
	0x3f000000,
	0x3f008000,
	0x4000000000,
	0x4010000000,
	0x4010008000,
	0x8000000000,
	0xffffffffc0,
	/* the monitor, if the offset of stage 2 went below RAM: launch block, code, image, mailbox, rings */
	0x3c000000,
	0x3c180000,
	0x3c200000,
	0x3d000000,
	0x3e000000,
	0x3e100000,
	/* the monitor, if higher address bits were dropped */
	0x8040200000,
	0x4040180000,
	0x1042000000,
};

/* Loads and stores that begin on one side of an edge of RAM and end on the other. */
static void try_edge(uint64_t edge)
{
	static const uint8_t kinds[] = {ACCESS_LDRH, ACCESS_LDRW, ACCESS_LDRX, ACCESS_STRH,
					ACCESS_STRW, ACCESS_STRX, ACCESS_LDP,  ACCESS_STP,
					ACCESS_LDRQ, ACCESS_STRQ, ACCESS_LDPQ, ACCESS_STPQ,
					ACCESS_LD4,  ACCESS_ST4,  ACCESS_LDAR, ACCESS_STLR,
					ACCESS_LDXP, ACCESS_CASP, ACCESS_LDADD};
	static const uint8_t sizes[] = {2,  4,  8,  2,  4, 8, 16, 16, 16, 16,
					32, 32, 64, 64, 8, 8, 16, 16, 8};

	for (unsigned int i = 0; i < sizeof(kinds); i++) {
		for (unsigned int before = 1; before < sizes[i]; before += before < 8 ? 1 : 8) {
			const uint64_t address = window_normal(edge - before);
			struct kit_fault fault;
			bool contained;

			if (!has(accesses[kinds[i]].feature)) {
				continue;
			}
			contained = !access_try(kinds[i], address, &fault) && is_data_abort(&fault);
			attempt(contained, "across the edge of RAM", address, kinds[i]);
		}
	}
}

/* Addresses that stage 2 cannot even translate: stage 1's own limit may come first. */
static void try_beyond(void)
{
	struct kit_fault fault;

	for (uint64_t i = 0; i < BEYOND_COUNT; i++) {
		for (unsigned int kind = 0; kind < ACCESS_COUNT; kind++) {
			const uint64_t address = WINDOW_BEYOND + i * GIB + 0x200000;
			const bool may = accesses[kind].ending == MAY;

			if (has(accesses[kind].feature)) {
				attempt(!access_try(kind, address, &fault) || may,
					accesses[kind].name, address, i);
			}
		}
	}
}

void attack_memory(unsigned int part)
{
	if (part == 0) {
		kit_printf("attack: %u kinds of access;%s%s%s%s\n", ACCESS_COUNT,
			   has(LSE) ? " atomics" : "", has(SVE) ? " SVE" : "",
			   has(MTE) ? " tags" : "", has(MOPS) ? " MOPS" : "");
	}
	for (unsigned int i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		for (unsigned int kind = 0; kind < ACCESS_COUNT; kind++) {
			try_hidden(kind, window_normal(hidden[i]));
		}
		/* Device memory: only what is not subject to its own alignment and atomicity rules */
		for (unsigned int kind = 0; kind <= ACCESS_STRXZR; kind++) {
			try_hidden(kind, window_plain(hidden[i]));
		}
	}
	for (unsigned int kind = 0; kind < ACCESS_COUNT; kind++) {
		try_readable(kind);
		try_hidden(kind, window_normal(RAM_END));
		try_hidden(kind, window_normal(RAM_END + 0x2000000));
		try_hidden(kind, window_normal(RAM_END + 0x4000000 - 64));
	}
	if (part == 0) {
		try_edge(RAM_START);
		try_edge(RAM_END);
	}
	try_beyond();
}
