/* SPDX-License-Identifier: BSD-2-Clause */
/* The host itself: kernel, CPU, is it emulated; what KVM_CHECK_EXTENSION says. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "internal.h"

#define SYSREG_ID(op0, op1, crn, crm, op2) \
	(0x6030000000130000ull |           \
	 (uint64_t)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2)))
#define REG_MIDR   SYSREG_ID(3, 0, 0, 0, 0)
#define REG_REVIDR SYSREG_ID(3, 0, 0, 0, 6)
#define REG_AIDR   SYSREG_ID(3, 1, 0, 0, 7)

/* Capabilities are asked by number, also those that have no name yet. */
#define CAP_END 512

static const struct {
	unsigned int number;
	const char *name;
} capabilities[] = {
#define CAP(number, name) {number, "KVM_CAP_" #name},
#include "capabilities.def"
#undef CAP
};

static json_t *cpu(struct probe *probe, struct kvm_machine *machine, uint64_t *midr)
{
	uint64_t revidr = 0, aidr = 0;

	if (machine == NULL) {
		return NULL;
	}
	if (kvm_machine_get_reg(machine, 0, REG_MIDR, midr) != 0 ||
	    kvm_machine_get_reg(machine, 0, REG_REVIDR, &revidr) != 0 ||
	    kvm_machine_get_reg(machine, 0, REG_AIDR, &aidr) != 0) {
		return probe_fail(probe, "a vCPU does not tell MIDR_EL1, REVIDR_EL1 and AIDR_EL1");
	}
	return json_pack("{s:o, s:o, s:o, s:o}", "midr", probe_hex(*midr), "revidr",
			 probe_hex(revidr), "aidr", probe_hex(aidr), "name",
			 json_sprintf("0x%x/0x%x/%u/%u", (unsigned int)(*midr >> 24 & 0xff),
				      (unsigned int)(*midr >> 4 & 0xfff),
				      (unsigned int)(*midr >> 20 & 0xf),
				      (unsigned int)(*midr & 0xf)));
}

/* The first of the file's strings (separated by zeros) that has `word` in it. */
static bool file_has(const char *path, const char *word, char *found, size_t size)
{
	char text[512];
	FILE *file = fopen(path, "re");
	size_t length;

	if (file == NULL) {
		return false;
	}
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = '\0';
	for (size_t at = 0; at < length; at += strlen(text + at) + 1) {
		if (strstr(text + at, word) != NULL) {
			snprintf(found, size, "%.*s", (int)strcspn(text + at, "\n"), text + at);
			return true;
		}
	}
	return false;
}

/*
 * Does an emulated CPU run this kernel? Implementer 0 is for software, and QEMU's -cpu max has it. A machine of QEMU's
 * with another CPU may be emulated (TCG) or virtual with KVM in it (nested): that cannot be told from here.
 */
static void emulated(json_t *host, uint64_t midr)
{
	char machine[200] = "";
	bool qemu = file_has("/proc/device-tree/compatible", "linux,dummy-virt", machine,
			     sizeof(machine)) ||
		    file_has("/sys/class/dmi/id/sys_vendor", "QEMU", machine, sizeof(machine));

	if ((midr >> 24 & 0xff) == 0) {
		json_object_set_new(host, "emulated", json_string("yes"));
		json_object_set_new(host, "emulated-by",
				    json_sprintf("MIDR_EL1's implementer is 0, software%s%s",
						 qemu ? "; QEMU's machine " : "", machine));
	} else if (qemu) {
		json_object_set_new(host, "emulated", json_string("unknown"));
		json_object_set_new(host, "emulated-by",
				    json_sprintf("QEMU's machine %s, by TCG or by nested KVM",
						 machine));
	} else {
		json_object_set_new(host, "emulated", json_string("no"));
	}
}

json_t *probe_host(struct probe *probe)
{
	struct kvm_machine *machine = probe_machine(probe);
	struct utsname name;
	uint64_t midr = 0;
	json_t *host, *cpus = cpu(probe, machine, &midr);

	kvm_machine_free(machine);
	if (cpus == NULL || uname(&name) != 0) {
		return probe_fail(probe, "uname failed");
	}
	host = json_pack("{s:s, s:s, s:s}", "kernel", name.release, "version", name.version,
			 "machine", name.machine);
	emulated(host, midr);
	json_object_set_new(host, "cpu", cpus);
	json_object_set_new(host, "cpus", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
	json_object_set_new(host, "page-size", json_integer(sysconf(_SC_PAGESIZE)));
	return host;
}

static json_t *capability_name(unsigned int number)
{
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		if (capabilities[i].number == number) {
			return json_string(capabilities[i].name);
		}
	}
	return json_sprintf("KVM_CAP_%u", number);
}

json_t *probe_capabilities(struct probe *probe)
{
	struct kvm_machine *machine = probe_machine(probe);
	json_t *object;

	if (machine == NULL) {
		return NULL;
	}
	object = json_object();
	for (unsigned int number = 0; number < CAP_END; number++) {
		int value = kvm_machine_cap(machine, number);

		if (value > 0) {
			json_t *name = capability_name(number);

			json_object_set_new(object, json_string_value(name), json_integer(value));
			json_decref(name);
		}
	}
	kvm_machine_free(machine);
	return object;
}
