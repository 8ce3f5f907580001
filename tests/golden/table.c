/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a profile: for each strictness a table, and for each variation what differs in it from another that
 * stands before it, or from one in which nothing is answered, whichever takes fewer lines.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"

/* The answers of one VM by one conduit. Line n is of probe n; behind them, one discovery function after another. */
struct answers {
	char *registers, *unlisted;
	char **lines;
	size_t count;
};

struct writer {
	const struct abi_profile *profile;
	const struct probes *probes;
	struct answers none; /* nothing is answered */
	struct text text;
};

static char *registers_text(struct machine *machine)
{
	struct hvc_vm *vm = machine_vm(machine);
	struct text text = {0};
	uint64_t ids[HVC_REG_COUNT], value = 0;
	uint32_t count = HVC_REG_COUNT;
	char *said;

	if (hvc_vm_list_regs(vm, ids, &count) != HVC_OK) {
		must(NULL);
	}
	for (uint32_t i = 0; i < count; i++) {
		(void)hvc_vm_get_reg(vm, ids[i], &value);
		text_put(&text, " %s=0x%" PRIx64, hvc_register_name(i), value);
	}
	said = text_take(&text);
	free(text.bytes);
	return said;
}

static struct answers ask(const struct writer *writer, struct machine *machine,
			  enum hvc_conduit conduit)
{
	const struct probes *probes = writer->probes;
	struct answers answers = {.registers = registers_text(machine),
				  .unlisted = probe_unknown(machine, conduit),
				  .count = probes->count * (1 + DISCOVERIES)};

	answers.lines = must(calloc(answers.count, sizeof(*answers.lines)));
	for (size_t i = 0; i < answers.count; i++) {
		const size_t group = i / probes->count;
		const uint32_t id = probes->ids[i % probes->count];

		answers.lines[i] = group == 0 ? probe_id(machine, conduit, id, answers.unlisted)
					      : probe_discovery(machine, conduit,
								(unsigned int)group - 1, id,
								answers.unlisted);
	}
	return answers;
}

static void answers_free(struct answers *answers)
{
	for (size_t i = 0; i < answers->count; i++) {
		free(answers->lines[i]);
	}
	free(answers->lines);
	free(answers->registers);
	free(answers->unlisted);
	*answers = (struct answers){0};
}

static size_t distance(const struct answers *a, const struct answers *b)
{
	size_t differences = 0;

	for (size_t i = 0; i < a->count; i++) {
		differences += strcmp(a->lines[i], b->lines[i]) != 0;
	}
	return differences;
}

static void put_line(struct writer *writer, size_t line, const char *said)
{
	const struct probes *probes = writer->probes;
	struct text *text = &writer->text;

	if (line < probes->count) {
		put_id(text, probes->ids[line]);
	} else if (probes->count != 0) {
		put_id(text, discovery_id((unsigned int)(line / probes->count) - 1));
		text_put(text, "(");
		put_id(text, probes->ids[line % probes->count]);
		text_put(text, ")");
	}
	text_put(text, "%s\n", said[0] != '\0' ? said : " -");
}

/* A section: what differs from `from`, which the head calls `from_name`. */
static void put_section(struct writer *writer, const char *name, const struct answers *answers,
			const struct answers *from, const char *from_name)
{
	if (from == NULL || distance(answers, &writer->none) < distance(answers, from)) {
		from = &writer->none;
		from_name = NULL;
	}
	text_put(&writer->text, "\n[%s]%s%s\n", name, from_name != NULL ? " from " : "",
		 from_name != NULL ? from_name : "");
	if (strcmp(answers->registers, from->registers) != 0) {
		text_put(&writer->text, "registers%s\n", answers->registers);
	}
	if (strcmp(answers->unlisted, from->unlisted) != 0) {
		text_put(&writer->text, "unlisted%s\n", answers->unlisted);
	}
	for (size_t i = 0; i < answers->count; i++) {
		if (strcmp(answers->lines[i], from->lines[i]) != 0) {
			put_line(writer, i, answers->lines[i]);
		}
	}
}

/* A variation by both conduits. `kept` becomes its answers by HVC. False: the profile has no such VM. */
static bool put_variation(struct writer *writer, const struct variation *variation,
			  const struct answers *from, const char *from_name, struct answers *kept)
{
	struct machine *machine = machine_new(writer->profile, variation);
	struct answers hvc, smc;
	char name[120], smc_name[128];

	if (machine == NULL) {
		return false;
	}
	snprintf(name, sizeof(name), "%s%s, %s", variation->spec ? "spec" : "kvm",
		 variation->old ? ", PSCI 0.1" : "", variation->name);
	snprintf(smc_name, sizeof(smc_name), "%s, smc", name);
	hvc = ask(writer, machine, HVC_CONDUIT_HVC);
	smc = ask(writer, machine, HVC_CONDUIT_SMC);
	put_section(writer, name, &hvc, from, from_name);
	put_section(writer, smc_name, &smc, &hvc, name);
	answers_free(&smc);
	machine_free(machine);
	if (kept != NULL) {
		*kept = hvc;
	} else {
		answers_free(&hvc);
	}
	return true;
}

/* --- Variations of one strictness and kind of vCPU. */
static void put_turned(struct writer *writer, struct variation variation,
		       const struct answers *base, const char *base_name)
{
	static const uint32_t versions[] = {HVC_VERSION(0, 2), HVC_VERSION(1, 0), HVC_VERSION(1, 1),
					    HVC_VERSION(1, 2), HVC_VERSION(1, 3)};
	struct hvc_settings settings;
	char name[80];

	abi_profile_settings(writer->profile, &settings);
	variation.turn = true;
	variation.name = name;
	variation.way = WAY_SET;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		variation.value = versions[i];
		snprintf(name, sizeof(name), "PSCI_VERSION=0x%x", versions[i]);
		put_variation(writer, &variation, base, base_name, NULL);
	}
	for (unsigned int reg = HVC_REG_STD_BMAP; reg < HVC_REG_COUNT; reg++) {
		variation.reg = reg;
		variation.value = 0;
		snprintf(name, sizeof(name), "%s=0", hvc_register_name(reg));
		put_variation(writer, &variation, base, base_name, NULL);
		variation.value = settings.reg_mask[reg];
		snprintf(name, sizeof(name), "%s=all", hvc_register_name(reg));
		put_variation(writer, &variation, base, base_name, NULL);
	}
	variation.way = WAY_CLEAR_FROM;
	variation.reg = HVC_REG_STD_BMAP;
	snprintf(name, sizeof(name), "bitmaps cleared");
	put_variation(writer, &variation, base, base_name, NULL);
	variation.way = WAY_SHOW;
	variation.reg = 1;
	snprintf(name, sizeof(name), "one register shown");
	put_variation(writer, &variation, base, base_name, NULL);
}

static void put_hosts(struct writer *writer, struct variation variation, const struct answers *base,
		      const char *base_name)
{
	struct variation other = variation;

	other.name = "bare host";
	other.bare = true;
	put_variation(writer, &other, base, base_name, NULL);
	other = variation;
	other.name = "all the host determines";
	other.host = true;
	put_variation(writer, &other, base, base_name, NULL);
	other.name = "that and tables";
	other.tables = true;
	put_variation(writer, &other, base, base_name, NULL);
}

/* Versions of SMCCC, for profiles that came with them or later. */
static void put_versions(struct writer *writer, struct variation variation,
			 const struct answers *base, const char *base_name)
{
	static const struct {
		uint32_t smccc;
		const char *name;
	} versions[] = {
		{HVC_VERSION(1, 0), "smccc 1.0"}, {HVC_VERSION(1, 1), "smccc 1.1"},
		{HVC_VERSION(1, 2), "smccc 1.2"}, {HVC_VERSION(1, 3), "smccc 1.3"},
		{HVC_VERSION(1, 4), "smccc 1.4"}, {HVC_VERSION(1, 5), "smccc 1.5"},
		{HVC_VERSION(1, 7), "smccc 1.7"},
	};

	variation.host = variation.tables = true;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		variation.name = versions[i].name;
		variation.smccc = versions[i].smccc;
		variation.old = false;
		put_variation(writer, &variation, base, base_name, NULL);
		variation.old = true;
		put_variation(writer, &variation, base, base_name, NULL);
	}
}

static void put_strictness(struct writer *writer, bool spec)
{
	struct variation variation = {.name = "as made", .spec = spec};
	struct answers base, old = {0};
	const char *name = spec ? "spec, as made" : "kvm, as made";
	const char *old_name = spec ? "spec, PSCI 0.1, as made" : "kvm, PSCI 0.1, as made";

	if (!put_variation(writer, &variation, NULL, NULL, &base)) {
		fprintf(stderr, "golden: %s: no VM of it can be made\n",
			abi_profile_name(writer->profile));
		exit(2);
	}
	put_turned(writer, variation, &base, name);
	put_hosts(writer, variation, &base, name);
	if (abi_profile_ours(writer->profile) >= 2) {
		put_versions(writer, variation, &base, name);
	}
	variation.old = true;
	if (put_variation(writer, &variation, &base, name, &old)) {
		put_turned(writer, variation, &old, old_name);
		put_hosts(writer, variation, &old, old_name);
		answers_free(&old);
	}
	answers_free(&base);
}

static void put_head(struct writer *writer)
{
	text_put(
		&writer->text,
		"# SPDX-License-Identifier: BSD-2-Clause\n"
		"# Every answer in VMs of profile %s, recorded by tests/golden.\n"
		"# A line: ID, then for each of these argument vectors (x1, x2, x3) what changed, x1 to x3\n"
		"# being zero as \"z\"; \"*\" is all vectors, \"-\" as what is not listed.\n",
		abi_profile_name(writer->profile));
	put_vectors(&writer->text);
}

char *golden_text(const struct abi_profile *profile, const struct probes *probes)
{
	struct writer writer = {.profile = profile, .probes = probes};

	writer.none = (struct answers){.registers = text_copy(""),
				       .unlisted = text_copy(""),
				       .count = probes->count * (1 + DISCOVERIES)};
	writer.none.lines = must(calloc(writer.none.count, sizeof(char *)));
	for (size_t i = 0; i < writer.none.count; i++) {
		writer.none.lines[i] = text_copy("");
	}
	put_head(&writer);
	if (abi_profile_rank(profile) != 0) {
		put_strictness(&writer, false);
	}
	put_strictness(&writer, true);
	answers_free(&writer.none);
	return writer.text.bytes;
}
