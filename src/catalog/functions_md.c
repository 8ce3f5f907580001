/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints docs/functions.md from the catalogue.
 *
 *   functions-md               print it
 *   functions-md --check FILE  exit 1 if FILE is something else
 *
 * Exit: 0 fine, 1 FILE is out of date, 2 usage or could not run.
 */
#define _POSIX_C_SOURCE 200809L /* open_memstream */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/catalog.h>

static const char *const service_sources[HVC_SERVICE_COUNT] = {
	[HVC_SERVICE_ARCH] = "SMC Calling Convention, Arm DEN0028",
	[HVC_SERVICE_PSCI] = "Power State Coordination Interface, Arm DEN0022",
	[HVC_SERVICE_TRNG] = "True Random Number Generator Firmware Interface, Arm DEN0098",
	[HVC_SERVICE_SDEI] = "Software Delegated Exception Interface, Arm DEN0054",
	[HVC_SERVICE_FF_A] = "Firmware Framework for A-profile, Arm DEN0077",
	[HVC_SERVICE_LFA] = "Live Firmware Activation, Arm DEN0147",
	[HVC_SERVICE_PV_TIME] = "Paravirtualized Time, Arm DEN0057",
	[HVC_SERVICE_KVM_VENDOR] =
		"KVM's vendor calls, Linux Documentation/virt/kvm/arm/hypercalls.rst",
	[HVC_SERVICE_PKVM] =
		"protected KVM guests, Linux Documentation/virt/kvm/arm/hypercalls.rst",
	[HVC_SERVICE_HYPER_V] = "Hyper-V, Microsoft Hypervisor Top-Level Functional Specification",
	[HVC_SERVICE_TEE] = "OP-TEE, optee_smc.h",
};

static void print_intro(FILE *out)
{
	fputs("<!-- SPDX-License-Identifier: BSD-2-Clause -->\n"
	      "<!-- Printed from include/hvcgate/catalog.def by scripts/docs. Do not edit. -->\n"
	      "\n"
	      "# Functions\n"
	      "\n"
	      "Every function hvcgate knows, by service. A policy names a function by its name, which\n"
	      "means all its IDs, or by name and width: `PSCI_CPU_ON/64`.\n"
	      "\n"
	      "* **engine**: does the engine answer it? The others can be forwarded.\n"
	      "* **since**: first version of the service's own specification that has it.\n"
	      "* **writes**: registers that a successful call writes; a failing one writes x0 only.\n"
	      "  *none*: when it succeeds it does not come back. A function with two IDs takes and\n"
	      "  writes nothing beyond x7 when it is called by the SMC32 one.\n"
	      "* **unanswered**: what the guest gets when the call was forwarded and nobody answers in\n"
	      "  time. FFA_ERROR(n) is FF-A's way: FFA_ERROR in x0, n in x2.\n"
	      "* **gate**: feature register and bit that must be set, where there is one.\n",
	      out);
}

/* IDs are hexadecimal, as everywhere else; "-" where the function has none. */
static void print_id(FILE *out, uint32_t id)
{
	if (id != 0) {
		fprintf(out, "`0x%08" PRIx32 "`", id);
	} else {
		fputs("-", out);
	}
}

/* "x0", "x0-x3": the masks of the table are all x0 to something. */
static void print_results(FILE *out, const struct hvc_function *fn)
{
	unsigned int last = 0;

	if ((fn->flags & HVC_FLAG_NO_RETURN) != 0) {
		fputs("*none*", out);
		return;
	}
	while (fn->results >> (last + 1) != 0) {
		last++;
	}
	if (last == 0) {
		fputs("x0", out);
	} else {
		fprintf(out, "x0-x%u", last);
	}
}

static void print_failure(FILE *out, const struct hvc_function *fn)
{
	if ((fn->flags & HVC_FLAG_FFA_ERROR) != 0) {
		fprintf(out, "FFA_ERROR(%" PRId32 ")", fn->failure);
	} else {
		fprintf(out, "%" PRId32, fn->failure);
	}
}

static void print_gate(FILE *out, const struct hvc_function *fn)
{
	if (fn->reg != HVC_REG_NONE) {
		fprintf(out, "%s:%u", hvc_register_name(fn->reg), (unsigned int)fn->reg_bit);
	} else {
		fputs("-", out);
	}
}

/* "a,b" is shown as "a, b", so that a browser can break the line. */
static void print_args(FILE *out, const struct hvc_function *fn)
{
	if (fn->arg_count == 0) {
		fputs("-", out);
		return;
	}
	for (const char *c = fn->args; *c != '\0'; c++) {
		fputc(*c, out);
		if (*c == ',') {
			fputc(' ', out);
		}
	}
}

static void print_function(FILE *out, unsigned int slot)
{
	const struct hvc_function *fn = hvc_function_at(slot);

	fprintf(out, "| %s | ", fn->name);
	print_id(out, fn->id32);
	fputs(" | ", out);
	print_id(out, fn->id64);
	if (fn->profile == 0) {
		fputs(" | -", out);
	} else {
		fprintf(out, " | hvcgate-%u", fn->profile);
	}
	fprintf(out, " | %" PRIu32 ".%" PRIu32 " | ", fn->since >> 16, fn->since & 0xffff);
	print_args(out, fn);
	fputs(" | ", out);
	print_results(out, fn);
	fputs(" | ", out);
	print_failure(out, fn);
	fputs(" | ", out);
	print_gate(out, fn);
	fprintf(out, " | %s |\n", fn->meaning);
}

static void print_service(FILE *out, unsigned int service)
{
	fprintf(out, "\n## %s\n\n%s.\n\n", hvc_service_name(service), service_sources[service]);
	fputs("| function | SMC32 | SMC64 | engine | since | arguments from x1 | writes | unanswered "
	      "| gate | meaning |\n"
	      "|---|---|---|---|---|---|---|---|---|---|\n",
	      out);
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		if (hvc_function_at(slot)->service == service) {
			print_function(out, slot);
		}
	}
}

static void print_document(FILE *out)
{
	print_intro(out);
	for (unsigned int service = 1; service < HVC_SERVICE_COUNT; service++) {
		print_service(out, service);
	}
}

/* Is `path` exactly the `size` bytes of `text`? -1 if it cannot be read. */
static int file_equals(const char *path, const char *text, size_t size)
{
	FILE *file = fopen(path, "rb");
	size_t at = 0;
	int c;

	if (file == NULL) {
		return -1;
	}
	while ((c = fgetc(file)) != EOF && at < size && c == (unsigned char)text[at]) {
		at++;
	}
	if (ferror(file)) {
		fclose(file);
		return -1;
	}
	fclose(file);
	return c == EOF && at == size;
}

static int check(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int equal;

	if (out == NULL) {
		perror("functions-md");
		return 2;
	}
	print_document(out);
	if (fclose(out) != 0) {
		perror("functions-md");
		free(text);
		return 2;
	}
	equal = file_equals(path, text, size);
	free(text);
	if (equal < 0) {
		fprintf(stderr, "functions-md: %s: %s\n", path, strerror(errno));
		return 2;
	}
	if (equal == 0) {
		fprintf(stderr,
			"functions-md: %s is not what the catalogue says; run scripts/docs\n",
			path);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--check") == 0) {
		return check(argv[2]);
	}
	if (argc != 1) {
		fputs("usage: functions-md [--check FILE]\n", stderr);
		return 2;
	}
	print_document(stdout);
	if (fflush(stdout) != 0) {
		perror("functions-md");
		return 2;
	}
	return 0;
}
