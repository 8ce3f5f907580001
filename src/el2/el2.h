/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's own structures and what its files offer each other.
 *
 * The monitor is linked at its physical address and runs identity-mapped, so an address means the same
 * with the MMU on and off. It does not map guest RAM.
 */
#ifndef HVCGATE_EL2_EL2_H
#define HVCGATE_EL2_EL2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hvcgate/engine.h>

#include "interval.h"
#include "launch.h"
#include "layout.h"

#define PAGE_SIZE 4096ull

/* A GICv3 redistributor: the RD frame, then the frame of SGIs and PPIs (IHI 0069, 12.10). */
#define GIC_REDIST_STRIDE 0x20000ull
#define GIC_REDIST_SGI    0x10000ull

/* The guest's registers while the monitor runs. x18..x29 are only valid on the slow path: the fast
 * path leaves them in the CPU, where compiled code preserves them. */
struct el2_frame {
	uint64_t x[31];
	struct hvc_vcpu *vcpu;
	const uint32_t *news; /* el2_revoked.news */
	struct el2_cpu *cpu;
};

/* The writer's private half of a trace ring. */
struct el2_ring {
	uint64_t head, dropped;
};

struct el2_cpu {
	uint64_t fault_x[31];
	uint64_t fault_sp;
	uint64_t fault_vector;
	uint64_t fault_stack;
	struct el2_frame *frame;
	struct hvc_vcpu *vcpu;
	uint64_t mpidr;
	uint32_t index;
	uint32_t faulting;
	struct el2_ring ring;
	uint32_t entropy_key[8];
	uint32_t expected; /* the machine's CPU_ON was asked for it */
	uint32_t clock_known;
	struct interval clock; /* what the CPU knows of the host's clock, if it knows anything */
	uint64_t stolen_ticks;
	uint64_t stolen_counts; /* the guest has asked for its record of stolen time */
} __attribute__((aligned(64)));

extern struct el2_cpu el2_cpus[EL2_MAX_CPUS];

/* The launch block and the shared memory, where launch.h puts them. */
static inline const struct el2_launch *el2_launch(void)
{
	return (const struct el2_launch *)EL2_LAUNCH_PA;
}
static inline struct el2_mailbox *el2_mailbox(void)
{
	return (struct el2_mailbox *)EL2_SHARED_PA;
}

/* The CPU this runs on. */
static inline struct el2_cpu *el2_this_cpu(void)
{
	struct el2_cpu *cpu;

	__asm__("mrs %0, tpidr_el2" : "=r"(cpu));
	return cpu;
}

/* --- head.S, vectors.S, guest.S */
/* Exception tables: the plain one, with tracing, and for VMs that calls can be revoked of. */
extern char el2_vectors[], el2_vectors_traced[], el2_vectors_watched[];
extern char el2_secondary[]; /* a CPU that PSCI started comes in here, x0 = its el2_cpu */
/* Switch the MMU and caches on, with the tables at `root`. */
void el2_mmu_enable(uint64_t mair, uint64_t tcr, uint64_t root);
/* Into the guest at ELR_EL2 and SPSR_EL2 with x0 and all other registers zero; the stack is emptied. */
_Noreturn void el2_guest_enter(uint64_t x0);
void el2_clear_fp(void);  /* V0..V31, FPCR, FPSR */
void el2_clear_sve(void); /* Z, P, FFR at the vector length in force */

/* --- main.c */
void el2_boot(struct el2_cpu *cpu) __attribute__((noreturn));
void el2_cpu_boot(struct el2_cpu *cpu) __attribute__((noreturn));

/* --- launch.c */
/* These refuse, and do not return, unless what they look at is sound. */
void launch_check(const struct el2_launch *launch);
void launch_check_image(const struct el2_launch *launch); /* with the MMU on */

/* --- revoke.c: rules that become narrower while the guest runs */
/* Before the first run: what was revoked before a reset is so still. */
void revoke_init(struct hvc_vm *vm);
/* There is news (el2_revoked): take it before the call that found it goes on. */
void revoke_take(void); /* from vectors.S, too */

/* --- mmu.c */
void *page_alloc(void); /* a zeroed page of monitor memory; refuses the launch when there is none */
void mmu_build(const struct el2_launch *launch);
void mmu_on(void);
void mmu_map_device(uint64_t pa, uint64_t bytes);
/* Guest RAM, for this CPU, with the MMU on and before any guest runs; to be unmapped at once. */
void mmu_map_guest(uint64_t pa, uint64_t bytes);
void mmu_unmap_guest(uint64_t pa, uint64_t bytes);
/* Where this CPU sees physical memory [pa, to the next multiple of MMU_WINDOW_BYTES) until it asks for another place
 * or closes the window. For guest RAM. */
#define MMU_WINDOW_BYTES 0x200000ull
uint64_t mmu_window(uint64_t pa);
void mmu_window_close(void);

/* --- stage2.c */
void stage2_build(const struct el2_launch *launch);
void stage2_on(void);
/* A page of ours that the guest can read there and no more; before any guest runs. */
void stage2_show(uint64_t ipa, uint64_t page);
unsigned int stage2_ipa_bits(void);
bool stage2_is_ram(uint64_t ipa);
/* The physical address of guest RAM [ipa, ipa + bytes). False: it is not all RAM. */
bool stage2_ram(uint64_t ipa, uint64_t bytes, uint64_t *pa);

/* --- features.c */
void features_init(void);

/* --- guest_state.c */
void guest_state_reset(bool timers);

/* --- gic.c */
void gic_init(const struct el2_launch *launch);
void gic_open(void);
void gic_cpu_init(void);
/* Around a wait for interrupts: what the guest had set. */
struct gic_interface {
	uint64_t redistributor, mask, group0, group1;
	uint32_t waker;
};
/* `forget`: the CPU's state is lost, and with it which interrupts it was at. */
void gic_sleep(struct gic_interface *old, bool forget);
void gic_wake(const struct gic_interface *old);
/* Access to a page of a redistributor that stage 2 hides. False: not such a page. */
bool gic_access(uint64_t ipa, bool write, unsigned int bytes, uint64_t *value);

/* --- traps.c: called from vectors.S */
void trap_from_guest(struct el2_frame *frame, uint64_t esr);
enum hvc_verdict trap_traced(struct el2_frame *frame, uint64_t esr);

/* --- idregs.c: MRS and MSR that trap. False: undefined for the guest. *value is what is written. */
bool sysreg_access(uint64_t iss, uint64_t *value);
/* --- pmu.c: the same for performance monitors; `key` is op1, CRn, CRm and op2, in order. */
bool pmu_access(unsigned int key, bool read, uint64_t *value);

/* --- availability.c: hvc_platform.feature_availability */
bool availability(void *host, uint64_t reg, uint64_t *bits);

/* --- inject.c: make the guest take an exception (DDI 0487, AArch64.TakeException). */
void inject_abort(uint64_t esr);
bool guest_is_aarch32(void);
void inject_undefined(uint64_t esr);
void guest_skip_instruction(void);

/* --- power.c */
void power_init(void); /* before CPU 0 runs the guest */
extern const struct hvc_platform el2_platform;
void power_verdict(struct el2_frame *frame, enum hvc_verdict verdict); /* from vectors.S too */
_Noreturn void power_enter(struct el2_cpu *cpu, uint64_t entry, uint64_t context, bool timers);

/* --- psci_host.c: the machine's own PSCI */
int psci_host_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context);
void psci_host_cpu_off(void);
_Noreturn void psci_host_system_off(void);
_Noreturn void psci_host_system_reset(void);

/* --- entropy.c */
void entropy_init(const struct el2_launch *launch);
bool entropy_fill(void *host, uint64_t *words, uint32_t count);

/* --- clock.c: the host's wall clock (struct hvc_platform.ptp) */
bool clock_read(void *host, uint32_t vcpu, bool physical, uint64_t *ns, uint64_t *counter);

/* --- stolen.c */
uint64_t stolen_page(void);
bool stolen_start(void *host, uint32_t vcpu, uint64_t ipa);
void stolen_add(uint64_t ticks); /* that a call of this CPU waited for somebody else */

/* --- memory.c: struct hvc_platform's mem_protect, is_ram_range */
void memory_init(const struct el2_launch *launch); /* before anything is written to guest RAM */
bool memory_protect(void *host, bool on);
bool memory_is_ram_range(void *host, uint64_t ipa, uint64_t bytes);

/* --- seeds.c */
#define EL2_SEED_HEADER 12u /* bytes of a property before its value */
void seeds_write(const struct el2_launch *launch);

/* --- ring.c */
void ring_init(struct el2_cpu *cpu);
void ring_put(struct el2_cpu *cpu, const struct hvc_record *record);

/* --- doorbell.c */
void doorbell_init(const struct el2_launch *launch);
void doorbell_open(const struct el2_launch *launch);
void doorbell_ring(void);

/* --- report.c */
_Noreturn void report_refused(const char *what, uint64_t value);
_Noreturn void report_fault(struct el2_cpu *cpu); /* from vectors.S */
_Noreturn void report_broken(const char *what, uint64_t value);

/* --- lib.c */
uint64_t counter_now(void);
uint64_t counter_hz(void);

#endif
