/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy of what several hosts all have: for a guest that is to go from one to another. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"

static bool all_can(const struct compat_host *const *hosts, size_t count, uint64_t id,
		    uint64_t value)
{
	for (size_t n = 0; n < count; n++) {
		const struct compat_register *reg = compat_find(hosts[n], id);

		if (reg == NULL || !compat_can_set(reg, value)) {
			return false;
		}
	}
	return true;
}

/* The greatest value that all accept, and that is no more than the first has by itself. */
static bool greatest(const struct compat_host *const *hosts, size_t count, uint64_t id,
		     uint64_t *value)
{
	const struct compat_register *first = compat_find(hosts[0], id);
	bool found = false;

	for (unsigned int i = 0; first != NULL && i < first->accepted_count; i++) {
		uint64_t one = first->accepted[i];

		if (one <= first->value && (!found || one > *value) &&
		    all_can(hosts, count, id, one)) {
			*value = one;
			found = true;
		}
	}
	return found;
}

/* What the first has by itself and all of them can have. */
static uint64_t bits(const struct compat_host *const *hosts, size_t count, uint64_t id)
{
	uint64_t value = compat_find(hosts[0], id)->value;

	for (size_t n = 0; n < count; n++) {
		value &= compat_find(hosts[n], id)->legal;
	}
	return value;
}

/* A level that a policy can say: WORKAROUND_2 has no level between. */
static bool has_words(unsigned int which, uint64_t level)
{
	return which == HVC_REG_WORKAROUND_2 ? level == 0 || level == 3 : level <= 2;
}

static void put_registers(FILE *out, const struct compat_host *const *hosts, size_t count,
			  unsigned int show)
{
	fputs("registers:\n", out);
	for (unsigned int which = HVC_REG_WORKAROUND_1; which < show; which++) {
		uint64_t value = 0, id = abi_register_id(which);

		if (which >= HVC_REG_STD_BMAP) {
			value = bits(hosts, count, id);
		} else if (!greatest(hosts, count, id, &value) || !has_words(which, value)) {
			continue;
		}
		fprintf(out, "  %s: 0x%" PRIx64 "\n", hvc_register_name(which), value);
	}
}

/* How many of the first hosts know a register. */
static size_t known_to(const struct compat_host *const *hosts, size_t count, uint64_t id)
{
	size_t known = 0;

	for (size_t n = 0; n < count; n++) {
		known += compat_find(hosts[n], id) != NULL;
	}
	return known;
}

/* Registers that one host has and another has not, and that a policy at the source can hide: those without a gate. A
 * gated one is the destination's to make up for. */
static void put_hidden(FILE *out, const struct compat_host *const *hosts, size_t count)
{
	bool any = false;

	for (size_t n = 0; n < count; n++) {
		for (uint32_t i = 0; i < hosts[n]->count; i++) {
			const struct compat_register *reg = &hosts[n]->registers[i];
			const struct compat_class_row *row = compat_class(reg->name);

			if (row->class == COMPAT_GATED && row->gate[0] == '\0' &&
			    known_to(hosts, n, reg->id) == 0 &&
			    known_to(hosts, count, reg->id) < count) {
				fprintf(out, "%s%s", any ? ", " : "hide: [", reg->name);
				any = true;
			}
		}
	}
	fputs(any ? "]\n" : "", out);
}

static void put_policy(FILE *out, const struct compat_host *const *hosts, size_t count,
		       const struct abi_profile *profile)
{
	const unsigned int show = compat_shown(hosts, count);
	struct hvc_settings settings;
	uint64_t psci = 0;

	abi_profile_settings(profile, &settings);
	fprintf(out, "hvcgate: 1\nprofile: %s\nstrictness: kvm\ndiscovery: raw\n",
		abi_profile_name(profile));
	if (greatest(hosts, count, abi_register_id(HVC_REG_PSCI_VERSION), &psci)) {
		fprintf(out, "psci: \"%u.%u\"\n", (unsigned int)(psci >> 16 & 0xffff),
			(unsigned int)(psci & 0xffff));
	}
	if (show != 0 && show < settings.reg_count) {
		fprintf(out, "show-registers: %u\n", show);
	}
	put_hidden(out, hosts, count);
	if (show > HVC_REG_WORKAROUND_1) {
		put_registers(out, hosts, count,
			      show < settings.reg_count ? show : settings.reg_count);
	}
}

static char *text_of(const struct compat_host *const *hosts, size_t count,
		     const struct abi_profile *profile, const char *what)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = profile != NULL ? open_memstream(&text, &size) : NULL;
	bool failed;

	if (out == NULL) {
		return NULL;
	}
	fprintf(out, "# Made by hvcgate %s: what", what);
	for (size_t n = 0; n < count; n++) {
		fprintf(out, "%s %s", n == 0 ? "" : n + 1 == count ? " and" : ",", hosts[n]->name);
	}
	fputs(count == 1 ? " has.\n" : " all have.\n", out);
	put_policy(out, hosts, count, profile);
	failed = ferror(out) != 0;
	if (fclose(out) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}

char *compat_fix(const struct compat_host *from, const struct compat_host *to)
{
	const struct compat_host *const hosts[] = {from, to};

	return text_of(hosts, 2, from->profile, "compat --fix");
}

/* Of the oldest kernel: what a newer one adds, it does not have. */
char *compat_baseline(const struct compat_host *const *hosts, size_t count)
{
	const struct abi_profile *oldest = hosts[0]->profile;
	const struct compat_host **order = calloc(count, sizeof(struct compat_host *));
	char *text;

	if (order == NULL) {
		return NULL;
	}
	memcpy(order, hosts, count * sizeof(struct compat_host *));
	for (size_t n = 1; n < count; n++) {
		if (oldest == NULL || hosts[n]->profile == NULL) {
			oldest = NULL;
		} else if (abi_profile_rank(hosts[n]->profile) < abi_profile_rank(oldest)) {
			oldest = hosts[n]->profile;
			order[n] = order[0];
			order[0] = hosts[n];
		}
	}
	text = text_of(order, count, oldest, "baseline");
	free(order);
	return text;
}
