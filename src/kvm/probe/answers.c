/* SPDX-License-Identifier: BSD-2-Clause */
/* What guests' calls are answered, in each configuration, by each conduit. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"

#define X_SHOWN   4
#define CONDUITS  2
#define EXIT_INTR 10 /* KVM_EXIT_INTR: the machine gave it up, machine.h */

struct answer {
	uint64_t x[X_SHOWN];
	bool varies;
	char outcome[24]; /* "": it came back */
};

/* All answers: calls times configurations times conduits. */
struct answers {
	struct listed_call calls[CALLS_MAX];
	struct configuration configs[CONFIGS_MAX];
	size_t call_count, config_count;
	struct answer *answers;
};

static struct answer *answer_at(struct answers *all, size_t call, size_t config, size_t conduit)
{
	return &all->answers[(call * all->config_count + config) * CONDUITS + conduit];
}

static void outcome(struct probe *probe, const struct kvm_stop *stop, struct answer *answer)
{
	char *text = answer->outcome;
	const size_t size = sizeof(answer->outcome);
	const char *name;

	switch (stop->kind) {
	case KVM_STOP_DONE:
		break;
	case KVM_STOP_SYSTEM_EVENT:
		snprintf(text, size, "event %u", stop->event);
		break;
	case KVM_STOP_OFF:
		snprintf(text, size, "off");
		break;
	case KVM_STOP_BLOCKED:
		snprintf(text, size, "waits");
		break;
	case KVM_STOP_ERRNO:
		name = strerrorname_np(stop->error);
		snprintf(text, size, "error %s", name != NULL ? name : "?");
		break;
	case KVM_STOP_HYPERCALL:
	case KVM_STOP_OTHER:
		if (stop->exit_reason == EXIT_INTR) {
			snprintf(text, size, "lost");
		} else {
			snprintf(text, size, "exit %u", stop->exit_reason);
		}
		break;
	default:
		probe_fail(probe, "a machine stopped in a way that there is not: %d", stop->kind);
		break;
	}
}

/*
 * One call, twice: what differs is no fact of this host. *machine is one that no call before has changed; a new one
 * is made when this call has stopped it.
 */
static void make_call(struct probe *probe, const struct configuration *config,
		      struct kvm_machine **machine, enum hvc_conduit conduit,
		      const struct call *call, struct answer *answer)
{
	struct hvc_frame frame;
	struct kvm_stop stop;

	if (!probe_call(probe, *machine, conduit, call, &frame, &stop)) {
		return;
	}
	outcome(probe, &stop, answer);
	memcpy(answer->x, frame.x, sizeof(answer->x));
	if (stop.kind == KVM_STOP_DONE &&
	    probe_call(probe, *machine, conduit, call, &frame, &stop)) {
		answer->varies = memcmp(answer->x, frame.x, sizeof(answer->x)) != 0;
	}
	if (stop.kind != KVM_STOP_DONE) {
		kvm_machine_free(*machine);
		*machine = probe_configured(probe, config);
		if (*machine == NULL) {
			probe_fail(probe, "no second machine of configuration %s", config->name);
		}
	}
}

static void ask_everything(struct probe *probe, struct answers *all, size_t config)
{
	struct kvm_machine *machine = probe_configured(probe, &all->configs[config]);

	if (machine == NULL) {
		probe_fail(probe, "no second machine of configuration %s",
			   all->configs[config].name);
	}
	for (size_t conduit = 0; conduit < CONDUITS; conduit++) {
		for (size_t i = 0; i < all->call_count; i++) {
			make_call(probe, &all->configs[config], &machine, (enum hvc_conduit)conduit,
				  &all->calls[i].call, answer_at(all, i, config, conduit));
		}
	}
	kvm_machine_free(machine);
}

static bool same(const struct answer *a, const struct answer *b)
{
	if (a->outcome[0] != '\0' || b->outcome[0] != '\0') {
		return strcmp(a->outcome, b->outcome) == 0;
	}
	return a->varies == b->varies && (a->varies || memcmp(a->x, b->x, sizeof(a->x)) == 0);
}

static json_t *answer_json(const struct answer *answer)
{
	json_t *x;

	if (answer->outcome[0] != '\0') {
		return json_pack("{s:s}", "outcome", answer->outcome);
	}
	x = json_array();
	for (size_t n = 0; n < X_SHOWN; n++) {
		json_array_append_new(x, answer->varies ? json_string("varies")
							: probe_hex(answer->x[n]));
	}
	return json_pack("{s:o}", "x", x);
}

/* The configurations in which `answer` is what a conduit gave; "*" for all of them. */
static json_t *where(struct answers *all, size_t call, size_t conduit, const struct answer *answer)
{
	json_t *list = json_array();

	for (size_t config = 0; config < all->config_count; config++) {
		if (same(answer_at(all, call, config, conduit), answer)) {
			json_array_append_new(list, json_string(all->configs[config].name));
		}
	}
	if (json_array_size(list) == all->config_count) {
		json_array_clear(list);
		json_array_append_new(list, json_string("*"));
	}
	return list;
}

/* Has a configuration or a conduit before this one given the same? */
static bool is_told(struct answers *all, size_t call, size_t config, size_t conduit)
{
	const struct answer *answer = answer_at(all, call, config, conduit);

	for (size_t n = 0; n < config * CONDUITS + conduit; n++) {
		if (same(answer_at(all, call, n / CONDUITS, n % CONDUITS), answer)) {
			return true;
		}
	}
	return false;
}

static json_t *results_json(struct answers *all, size_t call)
{
	json_t *list = json_array();

	for (size_t n = 0; n < all->config_count * CONDUITS; n++) {
		const struct answer *answer = answer_at(all, call, n / CONDUITS, n % CONDUITS);
		json_t *result;

		if (is_told(all, call, n / CONDUITS, n % CONDUITS)) {
			continue;
		}
		result = answer_json(answer);
		json_object_set_new(result, "hvc", where(all, call, HVC_CONDUIT_HVC, answer));
		json_object_set_new(result, "smc", where(all, call, HVC_CONDUIT_SMC, answer));
		json_array_append_new(list, result);
	}
	return list;
}

static json_t *call_json(struct answers *all, size_t n)
{
	const struct listed_call *listed = &all->calls[n];
	json_t *arguments = json_array();

	for (unsigned int i = 0; i < listed->call.count; i++) {
		json_array_append_new(arguments, probe_hex(listed->call.arguments[i]));
	}
	return json_pack("{s:s, s:o, s:o, s:o}", "call", hvc_function_at(listed->function)->name,
			 "id", probe_hex(listed->call.id), "arguments", arguments, "results",
			 results_json(all, n));
}

static json_t *configuration_json(struct probe *probe, const struct configuration *config)
{
	struct kvm_machine *machine = probe_configured(probe, config);
	uint64_t version = 0;

	if (machine == NULL || kvm_machine_get_reg(machine, 0, REG_PSCI_VERSION, &version) != 0) {
		probe_fail(probe, "configuration %s has no PSCI_VERSION", config->name);
	}
	kvm_machine_free(machine);
	return json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", config->name, "psci-0.2",
			 probe_yes(config->psci_0_2), "psci-version",
			 probe_version((uint32_t)version), "system-suspend",
			 probe_yes(config->system_suspend), "stolen-time",
			 probe_yes(config->stolen_time));
}

static void fill(struct probe *probe, struct answers *all, json_t *record)
{
	json_t *configs = json_array(), *list = json_array();

	for (size_t config = 0; config < all->config_count && !probe_failed(probe); config++) {
		char what[64];

		snprintf(what, sizeof(what), "calls, configuration %s", all->configs[config].name);
		probe->progress(what);
		json_array_append_new(configs, configuration_json(probe, &all->configs[config]));
		ask_everything(probe, all, config);
	}
	for (size_t call = 0; call < all->call_count && !probe_failed(probe); call++) {
		json_array_append_new(list, call_json(all, call));
	}
	json_object_set_new(record, "configurations", configs);
	json_object_set_new(record, "answers", list);
}

bool probe_answers(struct probe *probe, json_t *record)
{
	struct answers *all = calloc(1, sizeof(*all));

	if (all != NULL) {
		all->call_count = probe_call_list(all->calls);
		all->config_count = probe_configurations(probe, all->configs);
		all->answers = calloc(all->call_count * all->config_count * CONDUITS + 1,
				      sizeof(*all->answers));
	}
	if (all == NULL || all->answers == NULL) {
		probe_fail(probe, "out of memory");
	} else {
		fill(probe, all, record);
	}
	free(all != NULL ? all->answers : NULL);
	free(all);
	return !probe_failed(probe);
}
