/* SPDX-License-Identifier: BSD-2-Clause */
/* A record, part after part. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>

#include "internal.h"
#include "probe.h"

static void nobody_is_told(const char *what)
{
	(void)what;
}

/* Put a part in; false if it could not be measured. */
static bool part(struct probe *probe, json_t *record, const char *key, const char *what,
		 json_t *(*measure)(struct probe *probe))
{
	json_t *json;

	if (probe_failed(probe)) {
		return false;
	}
	probe->progress(what);
	json = measure(probe);
	if (probe_failed(probe) || json == NULL) {
		probe_fail(probe, "out of memory");
		json_decref(json);
		return false;
	}
	json_object_set_new(record, key, json);
	return true;
}

static bool measure(struct probe *probe, json_t *record)
{
	return part(probe, record, "host", "host", probe_host) &&
	       part(probe, record, "capabilities", "capabilities", probe_capabilities) &&
	       part(probe, record, "registers", "registers", probe_registers) &&
	       part(probe, record, "firmware", "feature registers", probe_firmware) &&
	       part(probe, record, "filter", "filter", probe_filter_facts) &&
	       probe_answers(probe, record) &&
	       part(probe, record, "checks", "errors", probe_checks) &&
	       part(probe, record, "quirks", "quirks", probe_quirks);
}

static json_t *has_filter(struct probe *probe)
{
	struct kvm_machine *machine = probe_machine(probe);
	json_t *filter;

	if (machine == NULL) {
		return NULL;
	}
	filter = json_pack("{s:o}", "supported",
			   probe_yes(kvm_machine_has_attr(machine, 0, 0) == 0));
	kvm_machine_free(machine);
	return filter;
}

static bool measure_registers(struct probe *probe, json_t *record)
{
	return part(probe, record, "host", "host", probe_host) &&
	       part(probe, record, "capabilities", "capabilities", probe_capabilities) &&
	       part(probe, record, "registers", "registers", probe_registers) &&
	       part(probe, record, "firmware", "feature registers", probe_firmware) &&
	       part(probe, record, "filter", "filter", has_filter);
}

static json_t *probe_with(bool (*measures)(struct probe *probe, json_t *record),
			  const char *made_by, void (*progress)(const char *what), char *why,
			  size_t size)
{
	struct probe probe = {.why = why, .size = size, .progress = progress};
	cpu_set_t before, one;
	bool pinned;
	json_t *record;

	why[0] = '\0';
	if (!kvm_machine_possible(why, size)) {
		return NULL;
	}
	/* CPUs of one machine may differ: what is measured is this one's. */
	pinned = sched_getaffinity(0, sizeof(before), &before) == 0;
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	pinned = pinned && sched_setaffinity(0, sizeof(one), &one) == 0;
	record = json_pack("{s:i, s:s}", "hvcgate-record", 1, "made-by", made_by);
	if (!measures(&probe, record)) {
		json_decref(record);
		record = NULL;
	}
	if (pinned) {
		(void)sched_setaffinity(0, sizeof(before), &before);
	}
	free(probe.ids);
	return record;
}

json_t *kvm_probe(const char *made_by, void (*progress)(const char *what), char *why, size_t size)
{
	return probe_with(measure, made_by, progress != NULL ? progress : nobody_is_told, why,
			  size);
}

json_t *kvm_probe_registers(char *why, size_t size)
{
	return probe_with(measure_registers, "", nobody_is_told, why, size);
}
