/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the probe share. */
#ifndef HVCGATE_KVM_PROBE_INTERNAL_H
#define HVCGATE_KVM_PROBE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <hvcgate/catalog.h>

#include "../machine.h"

/* Register IDs: Linux, Documentation/virt/kvm/api.rst, KVM_SET_ONE_REG. */
#define REG_SIZE(id)        (1u << ((id) >> 52 & 0xf))
#define REG_CLASS(id)       ((unsigned int)((id) >> 16 & 0xfff))
#define REG_FW(n)           (0x6030000000140000ull + (n))
#define REG_BMAP(n)         (0x6030000000160000ull + (n))
#define REG_SIZE_MASK       0x00f0000000000000ull
#define REG_SIZE_32         0x0020000000000000ull
#define REG_BYTES_MAX       256u
#define REG_PSCI_VERSION    REG_FW(0)
#define REG_WORKAROUND_1    REG_FW(1)
#define REG_STD_BMAP        REG_BMAP(0)
#define STOLEN_TIME_ADDRESS 0x50000000ull

/* Capabilities that the probe itself needs; all: capabilities.def. */
#define CAP_ARM_SYSTEM_SUSPEND 216

enum reg_class {
	CLASS_CORE = 0x10,
	CLASS_DEMUX = 0x11,
	CLASS_SYSREG = 0x13,
	CLASS_FW = 0x14,
	CLASS_BMAP = 0x16
};

#define VERSIONS_MAX 16
struct probe {
	char *why; /* what went wrong, for people */
	size_t size;
	void (*progress)(const char *what);
	uint64_t *ids; /* register list of a vCPU with PSCI_0_2 */
	size_t id_count;
	uint32_t versions[VERSIONS_MAX]; /* accepted by a vCPU with PSCI_0_2 */
	size_t version_count;
	bool filter;
};

static inline bool probe_failed(const struct probe *probe)
{
	return probe->why[0] != '\0';
}
/* What went wrong, unless something did before. Returns NULL. */
void *probe_fail(struct probe *probe, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A machine of one CPU with PSCI_0_2; NULL: failed. */
struct kvm_machine *probe_machine(struct probe *probe);
struct kvm_machine *probe_machine_like(struct probe *probe,
				       const struct kvm_machine_config *config);
bool probe_has_reg(const struct probe *probe, uint64_t id);

/* A call by CPU 0; the registers that are no argument hold poison. What came behind it is in `frame`. */
#define POISON(n) (0xa5a5a5a500000000ull + (n))
struct call {
	uint32_t id;
	unsigned int count; /* of arguments */
	uint64_t arguments[3];
};
bool probe_call(struct probe *probe, struct kvm_machine *machine, enum hvc_conduit conduit,
		const struct call *call, struct hvc_frame *frame, struct kvm_stop *stop);
/* x0 of a call that comes back; else failed. */
uint64_t probe_ask(struct probe *probe, struct kvm_machine *machine, enum hvc_conduit conduit,
		   enum hvc_fn function, uint64_t x1);
/* A function's ID: the SMC64 one where there is one and it is wanted. */
uint32_t probe_id(enum hvc_fn function, bool wide);
#define NOT_SUPPORTED UINT64_MAX

/* KVM_ARM_VM_SMCCC_FILTER's structure; `action` as KVM has them: 0 handle, 1 deny, 2 forward. */
struct filter_range {
	uint32_t base, count;
	uint8_t action, pad[15];
};
int probe_filter(struct kvm_machine *machine, const struct filter_range *range);

/* "X0", "ID_AA64PFR0_EL1", ...: docs/records.md. */
void probe_reg_name(uint64_t id, char *name, size_t size);
/* A number of `bytes` bytes, little-endian, as in records. */
void probe_number(const uint8_t *value, unsigned int bytes, char *text, size_t size);
json_t *probe_hex(uint64_t value);
json_t *probe_error(int error); /* "EINVAL", "0" */
json_t *probe_yes(bool yes);
/* "1.1" */
json_t *probe_version(uint32_t version);

/* The parts of a record; each NULL if it failed. */
json_t *probe_host(struct probe *probe);
json_t *probe_capabilities(struct probe *probe);
json_t *probe_registers(struct probe *probe);
json_t *probe_firmware(struct probe *probe);
json_t *probe_filter_facts(struct probe *probe);
/* Into the record: configurations and answers. */
bool probe_answers(struct probe *probe, json_t *record);
json_t *probe_checks(struct probe *probe);
json_t *probe_quirks(struct probe *probe);

#endif
