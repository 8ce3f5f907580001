/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the probe share: machines, calls, numbers in JSON. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

void *probe_fail(struct probe *probe, const char *format, ...)
{
	va_list args;

	if (!probe_failed(probe)) {
		va_start(args, format);
		vsnprintf(probe->why, probe->size, format, args);
		va_end(args);
	}
	return NULL;
}

struct kvm_machine *probe_machine_like(struct probe *probe, const struct kvm_machine_config *config)
{
	char why[256] = "";
	struct kvm_machine *machine;

	if (probe_failed(probe)) {
		return NULL;
	}
	machine = kvm_machine_new(config, why, sizeof(why));
	return machine != NULL ? machine : probe_fail(probe, "%s", why);
}

struct kvm_machine *probe_machine(struct probe *probe)
{
	return probe_machine_like(probe, &(struct kvm_machine_config){.cpus = 1, .psci_0_2 = true});
}

bool probe_has_reg(const struct probe *probe, uint64_t id)
{
	for (size_t i = 0; i < probe->id_count; i++) {
		if (probe->ids[i] == id) {
			return true;
		}
	}
	return false;
}

bool probe_call(struct probe *probe, struct kvm_machine *machine, enum hvc_conduit conduit,
		const struct call *call, struct hvc_frame *frame, struct kvm_stop *stop)
{
	*stop = (struct kvm_stop){.kind = KVM_STOP_OTHER};
	if (machine == NULL || probe_failed(probe)) {
		return false;
	}
	frame->x[0] = call->id;
	for (unsigned int n = 1; n < HVC_FRAME_REGS; n++) {
		frame->x[n] = n <= call->count ? call->arguments[n - 1] : POISON(n);
	}
	(void)kvm_machine_call(machine, 0, conduit, 0, frame, stop);
	return true;
}

uint64_t probe_ask(struct probe *probe, struct kvm_machine *machine, enum hvc_conduit conduit,
		   enum hvc_fn function, uint64_t x1)
{
	const struct call call = {.id = probe_id(function, true), .count = 1, .arguments = {x1}};
	struct hvc_frame frame;
	struct kvm_stop stop;

	if (!probe_call(probe, machine, conduit, &call, &frame, &stop)) {
		return 0;
	}
	if (stop.kind != KVM_STOP_DONE) {
		probe_fail(probe, "%s did not come back: stop %d, exit %u, errno %d",
			   hvc_function_at(function)->name, stop.kind, stop.exit_reason,
			   stop.error);
		return 0;
	}
	return frame.x[0];
}

uint32_t probe_id(enum hvc_fn function, bool wide)
{
	const struct hvc_function *row = hvc_function_at(function);

	return (wide && row->id64 != 0) || row->id32 == 0 ? row->id64 : row->id32;
}

int probe_filter(struct kvm_machine *machine, const struct filter_range *range)
{
	return kvm_machine_set_attr(machine, 0, 0, range);
}

void probe_number(const uint8_t *value, unsigned int bytes, char *text, size_t size)
{
	unsigned int used = bytes;
	size_t length;

	while (used > 1 && value[used - 1] == 0) {
		used--;
	}
	length = (size_t)snprintf(text, size, "0x%x", value[used - 1]);
	while (used-- > 1 && length < size) {
		length += (size_t)snprintf(text + length, size - length, "%02x", value[used - 1]);
	}
}

json_t *probe_hex(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

json_t *probe_error(int error)
{
	const char *name = error == 0 ? "0" : strerrorname_np(error);

	return name != NULL ? json_string(name) : json_sprintf("errno-%d", error);
}

json_t *probe_yes(bool yes)
{
	return json_string(yes ? "yes" : "no");
}

json_t *probe_version(uint32_t version)
{
	return json_sprintf("%" PRIu32 ".%" PRIu32, version >> 16, version & 0xffff);
}
