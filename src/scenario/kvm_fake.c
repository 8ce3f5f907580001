/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../tests/lib/cmocka_all.h"
#include "kvm_fake.h"

struct kvm_machine {
	int dummy;
};
static struct kvm_machine the_machine;
struct kvm_fake fake;

bool kvm_machine_possible(char *why, size_t size)
{
	snprintf(why, size, "impossible");
	return !fake.impossible;
}

struct kvm_machine *kvm_machine_new(const struct kvm_machine_config *config, char *why, size_t size)
{
	snprintf(why, size, "no machine");
	fake.config = *config;
	return fake.no_machine ? NULL : &the_machine;
}

void kvm_machine_free(struct kvm_machine *machine)
{
	(void)machine;
}

/* A kernel writes as many bytes as the ID says. */
int kvm_machine_get_reg(struct kvm_machine *machine, unsigned int cpu, uint64_t id, void *value)
{
	const size_t bytes = (size_t)1 << (id >> 52 & 15);

	(void)machine, (void)cpu;
	memset(value, FAKE_BYTE, bytes);
	return fake.error;
}

int kvm_machine_set_reg(struct kvm_machine *machine, unsigned int cpu, uint64_t id,
			const void *value)
{
	const size_t bytes = (size_t)1 << (id >> 52 & 15);

	(void)machine, (void)cpu;
	assert_int_equal(((const uint8_t *)value)[0], 0x42);
	assert_int_equal(((const uint8_t *)value)[bytes - 1], bytes == 1 ? 0x42 : 0);
	return fake.error;
}

int kvm_machine_list_regs(struct kvm_machine *machine, unsigned int cpu, uint64_t **ids,
			  size_t *count)
{
	(void)machine, (void)cpu;
	*ids = NULL;
	if (fake.error != 0) {
		return fake.error;
	}
	*ids = calloc(fake.list + 1, sizeof(**ids));
	*count = fake.list + 1;
	for (size_t n = 0; n < fake.list; n++) {
		(*ids)[n] = 0x6030000000140000ull + n;
	}
	(*ids)[fake.list] = 0x603000000013c005ull; /* a system register */
	return 0;
}

static bool meets(uint32_t first, uint32_t last)
{
	for (const struct kvm_range *range = fake.reserved; range->first <= range->last; range++) {
		if (first <= range->last && range->first <= last) {
			return true;
		}
	}
	return false;
}

int kvm_machine_set_attr(struct kvm_machine *machine, uint32_t group, uint64_t attr,
			 const void *data)
{
	uint32_t base, count;

	(void)machine;
	assert_int_equal(group, 0);
	assert_int_equal(attr, 0);
	memcpy(fake.filter, data, sizeof(fake.filter));
	memcpy(&base, fake.filter, sizeof(base));
	memcpy(&count, fake.filter + 4, sizeof(count));
	if (fake.reserved != NULL) {
		assert_int_not_equal(count, 0);
		return meets(base, base + count - 1) ? EEXIST : 0;
	}
	return fake.error;
}

int kvm_machine_has_attr(struct kvm_machine *machine, uint32_t group, uint64_t attr)
{
	(void)machine, (void)group, (void)attr;
	return fake.no_filter ? ENXIO : 0;
}

int kvm_machine_mp_state(struct kvm_machine *machine, unsigned int cpu, uint32_t *state)
{
	(void)machine;
	*state = fake.state[cpu];
	return 0;
}

static bool stop_now(struct kvm_stop *stop)
{
	assert_in_range(fake.stops, 0, FAKE_STOPS - 1);
	*stop = fake.stop[fake.stops++];
	return stop->kind != KVM_STOP_ERRNO && stop->kind != KVM_STOP_OTHER;
}

bool kvm_machine_call(struct kvm_machine *machine, unsigned int cpu, enum hvc_conduit conduit,
		      uint16_t immediate, struct hvc_frame *frame, struct kvm_stop *stop)
{
	(void)machine, (void)cpu, (void)conduit, (void)immediate, (void)frame;
	return stop_now(stop);
}

bool kvm_machine_go_on(struct kvm_machine *machine, unsigned int cpu, struct hvc_frame *frame,
		       uint32_t mask, struct kvm_stop *stop)
{
	(void)machine, (void)frame, (void)mask;
	assert_int_equal(cpu, 1);
	return stop_now(stop);
}

bool kvm_machine_wake(struct kvm_machine *machine, unsigned int cpu, struct hvc_frame *frame,
		      struct kvm_stop *stop)
{
	(void)machine, (void)cpu, (void)frame;
	return stop_now(stop);
}

bool kvm_machine_arrive(struct kvm_machine *machine, unsigned int cpu, uint64_t *pc, uint64_t *x0,
			struct kvm_stop *stop)
{
	(void)machine, (void)cpu;
	*pc = 0x1234;
	*x0 = 5;
	return stop_now(stop);
}

bool kvm_machine_wake_up(struct kvm_machine *machine, unsigned int cpu, uint64_t entry,
			 uint64_t context, uint64_t *pc, uint64_t *x0, struct kvm_stop *stop)
{
	(void)machine, (void)cpu;
	fake.entry = entry;
	fake.context = context;
	*pc = entry;
	*x0 = context;
	return stop_now(stop);
}
