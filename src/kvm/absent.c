/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines where Linux does not run on arm64: there are none. */
#include <errno.h>
#include <stdio.h>

#include "machine.h"

bool kvm_machine_possible(char *why, size_t size)
{
	snprintf(why, size,
		 "this is not arm64 Linux: guests of an arm64 kernel's KVM need it "
		 "(scripts/lab runs one anywhere)");
	return false;
}

struct kvm_machine *kvm_machine_new(const struct kvm_machine_config *config, char *why, size_t size)
{
	(void)config;
	kvm_machine_possible(why, size);
	return NULL;
}

void kvm_machine_free(struct kvm_machine *machine)
{
	(void)machine;
}

int kvm_machine_get_reg(struct kvm_machine *machine, unsigned int cpu, uint64_t id, void *value)
{
	(void)machine, (void)cpu, (void)id, (void)value;
	return ENOSYS;
}

int kvm_machine_set_reg(struct kvm_machine *machine, unsigned int cpu, uint64_t id,
			const void *value)
{
	(void)machine, (void)cpu, (void)id, (void)value;
	return ENOSYS;
}

int kvm_machine_list_regs(struct kvm_machine *machine, unsigned int cpu, uint64_t **ids,
			  size_t *count)
{
	(void)machine, (void)cpu;
	*ids = NULL;
	*count = 0;
	return ENOSYS;
}

int kvm_machine_set_attr(struct kvm_machine *machine, uint32_t group, uint64_t attr,
			 const void *data)
{
	(void)machine, (void)group, (void)attr, (void)data;
	return ENOSYS;
}

int kvm_machine_has_attr(struct kvm_machine *machine, uint32_t group, uint64_t attr)
{
	(void)machine, (void)group, (void)attr;
	return ENOSYS;
}

int kvm_machine_cap(struct kvm_machine *machine, unsigned int cap)
{
	(void)machine, (void)cap;
	return 0;
}

int kvm_machine_mp_state(struct kvm_machine *machine, unsigned int cpu, uint32_t *state)
{
	(void)machine, (void)cpu;
	*state = 0;
	return ENOSYS;
}

static bool no_machine(struct kvm_stop *stop)
{
	*stop = (struct kvm_stop){.kind = KVM_STOP_ERRNO, .error = ENOSYS};
	return false;
}

bool kvm_machine_call(struct kvm_machine *machine, unsigned int cpu, enum hvc_conduit conduit,
		      uint16_t immediate, struct hvc_frame *frame, struct kvm_stop *stop)
{
	(void)machine, (void)cpu, (void)conduit, (void)immediate, (void)frame;
	return no_machine(stop);
}

bool kvm_machine_go_on(struct kvm_machine *machine, unsigned int cpu, struct hvc_frame *frame,
		       uint32_t mask, struct kvm_stop *stop)
{
	(void)machine, (void)cpu, (void)frame, (void)mask;
	return no_machine(stop);
}

uint64_t kvm_machine_label(unsigned int cpu)
{
	return 0x40010000ull + 0x100ull * cpu;
}

bool kvm_machine_arrive(struct kvm_machine *machine, unsigned int cpu, uint64_t *pc, uint64_t *x0,
			struct kvm_stop *stop)
{
	(void)machine, (void)cpu;
	*pc = 0;
	*x0 = 0;
	return no_machine(stop);
}

bool kvm_machine_wake(struct kvm_machine *machine, unsigned int cpu, struct hvc_frame *frame,
		      struct kvm_stop *stop)
{
	(void)machine, (void)cpu, (void)frame;
	return no_machine(stop);
}

bool kvm_machine_wake_up(struct kvm_machine *machine, unsigned int cpu, uint64_t entry,
			 uint64_t context, uint64_t *pc, uint64_t *x0, struct kvm_stop *stop)
{
	(void)machine, (void)cpu, (void)entry, (void)context;
	*pc = 0;
	*x0 = 0;
	return no_machine(stop);
}
