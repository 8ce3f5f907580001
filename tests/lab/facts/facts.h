/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts of KVM that no scenario line can say: ioctls with bad pointers, the layout of an exit, AArch32 and
 * protected guests. One line each: NAME VALUE; `expected` beside this file says what each kernel answers.
 */
#ifndef FACTS_H
#define FACTS_H

#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define RAM         0x40000000ULL
#define RAM_SIZE    0x40000ULL
#define NOWHERE     0x10000000ULL // no memory: a store there ends KVM_RUN
#define FW_REG(n)   (0x6030000000140000ULL + (n))
#define BMAP_REG(n) (0x6030000000160000ULL + (n))
#define CORE_X(n)   (0x6030000000100000ULL + 2ULL * (n))
#define CORE_PC     0x6030000000100040ULL
#define CORE_PSTATE 0x6030000000100042ULL
#define SYS_REG(op0, op1, crn, crm, op2) \
	(0x6030000000130000ULL | (op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

// What linux/kvm.h of before 6.4 lacks.
#define SMCCC_GROUP    0u
#define SMCCC_FILTER   0u
#define EXIT_HYPERCALL 3u
#define EXIT_UNION     32u // offset of what an exit says in struct kvm_run
#define VM_PROTECTED   (1UL << 31)
#define FEATURE(n)     (1U << (n))

enum filter_action { HANDLE, DENY, FORWARD };
struct filter {
	uint32_t base;
	uint32_t count;
	uint8_t action;
	uint8_t pad[15];
};

#define CPUS 2
struct vm {
	int fd;
	uint8_t *ram;
	unsigned int cpus;
	int vcpu[CPUS];
	struct kvm_run *run[CPUS];
};

struct shape {
	unsigned long type;    // of KVM_CREATE_VM
	unsigned int cpus;     // 0 means 1
	unsigned int features; // FEATURE() or'ed; PSCI_0_2 comes by itself unless psci_0_1
	bool psci_0_1;
	bool no_init;
	bool cpu1_on;
};

extern int kvm;
extern const char *context; // put before every name

void fact(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
void fact_errno(const char *name, int result); // of a system call: 0 or the error's name
int must(int result, const char *what);

bool vm_try(struct vm *vm, const struct shape *shape); // false: errno
void vm_new(struct vm *vm, const struct shape *shape);
void vm_free(struct vm *vm);

int get_reg(const struct vm *vm, unsigned int cpu, uint64_t id, void *value);
int set_reg(const struct vm *vm, unsigned int cpu, uint64_t id, const void *value);
int set_value(const struct vm *vm, unsigned int cpu, uint64_t id, uint64_t value);
uint64_t value_of(const struct vm *vm, unsigned int cpu, uint64_t id);
uint64_t x(const struct vm *vm, unsigned int cpu, unsigned int n);
int set_filter(const struct vm *vm, uint32_t base, uint32_t count, enum filter_action action);
unsigned int mp_state(const struct vm *vm, unsigned int cpu);

void put(const struct vm *vm, unsigned int cpu, unsigned int word, uint32_t instruction);
int run(const struct vm *vm, unsigned int cpu);   // KVM_RUN: exit reason, or -errno
int start(const struct vm *vm, unsigned int cpu); // at its code, x21 = NOWHERE
/* `instruction`, then a store to nowhere, with x0..x4 as given: the exit reason or -errno. */
int call(const struct vm *vm, unsigned int cpu, uint32_t instruction, const uint64_t args[5]);

/* The same where the vCPU waits or is stopped: a signal takes KVM_RUN back, -EINTR. */
int run_until_blocked(const struct vm *vm, unsigned int cpu);
int call_until_blocked(const struct vm *vm, unsigned int cpu, uint32_t instruction,
		       const uint64_t args[5]);

#define HVC(imm)  (0xd4000002U | (uint32_t)(imm) << 5)
#define SMC(imm)  (0xd4000003U | (uint32_t)(imm) << 5)
#define STORE     0xf90002b4U // str x20, [x21]
#define CODE(cpu) (RAM + 0x100ULL * (cpu))

void facts_registers(void);
void facts_filter(void);
void facts_calls(void);
void facts_power(void);
void facts_aarch32(void);
void facts_protected(void);

#endif
